// What can keep a server from starting.

import Primitives

/// A server cannot start from what it was given.
public enum RaftError: Error, Equatable, Sendable {
    /// Entries on disk are not consecutive.
    case gapInLog(expected: UInt64, found: UInt64)
    /// An entry on disk has a term above the one the server remembers, or below its predecessor's.
    case termsOutOfOrder(index: UInt64, term: UInt64)
    /// A setting is outside what keeps the protocol working.
    case setting(name: String, value: Int, allowed: ClosedRange<Int>)
}

extension RaftError: CustomStringConvertible {
    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .gapInLog(let expected, let found):
            "the log has entry \(found) where \(expected) should be: entries are lost; remove this"
                + " node's data directory and let it join again under a new name"
        case .termsOutOfOrder(let index, let term):
            "entry \(index) has term \(term), which its log cannot hold: remove this node's data"
                + " directory and let it join again under a new name"
        case .setting(let name, let value, let allowed):
            "\(name) is \(value); it must be from \(allowed.lowerBound) through"
                + " \(allowed.upperBound)"
        }
    }
}
