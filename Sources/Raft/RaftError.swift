// What can keep a server from starting.

public import Primitives

/// A server cannot start from what it was given.
public enum RaftError: Error, Equatable, Sendable {
    /// Entries on disk are not consecutive.
    case gapInLog(expected: UInt64, found: UInt64)
    /// An entry on disk has a term above the one the server remembers, or below its predecessor's.
    case termsOutOfOrder(index: UInt64, term: UInt64)
    /// What stands at `offset` of a file was changed after it was safely on disk.
    case damagedRecord(offset: Int)
    /// A record is whole, but this version cannot read it.
    case unreadableRecord(offset: Int, ProtobufError)
    /// A setting is outside what keeps the protocol working.
    case setting(name: String, value: Int, allowed: ClosedRange<Int>)
}

extension RaftError: CustomStringConvertible {
    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .gapInLog(let expected, let found):
            "the log has entry \(found) where \(expected) should be: entries are lost;"
                + " \(Self.remedy)"
        case .termsOutOfOrder(let index, let term):
            "entry \(index) has term \(term), which its log cannot hold; \(Self.remedy)"
        case .damagedRecord(let offset):
            "the record at byte \(offset) is damaged, though it was safely on disk; check the disk,"
                + " then \(Self.remedy)"
        case .unreadableRecord(let offset, let error):
            "the record at byte \(offset) is not one this version can read (\(error)); start the"
                + " version that wrote it, or \(Self.remedy)"
        case .setting(let name, let value, let allowed):
            "\(name) is \(value); it must be from \(allowed.lowerBound) through"
                + " \(allowed.upperBound)"
        }
    }
    /// A server that lost part of its log or its vote must not speak for what it once promised.
    public static let remedy =
        "remove this node's data directory and let it join again under a new name"
}
