// What can keep an instance from starting.

/// An instance cannot start from what it was given.
public enum SWIMError: Error, Equatable, Sendable {
    /// A setting is outside what keeps the protocol working.
    case setting(name: String, value: Int, allowed: ClosedRange<Int>)
    /// The node's own facts are longer or larger than others accept.
    case metadata(field: String, count: Int, limit: Int)
    /// An incarnation that leaves no room to rise.
    case incarnation(UInt64, limit: UInt64)
}

extension SWIMError: CustomStringConvertible {
    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .setting(let name, let value, let allowed):
            "\(name) is \(value); it must be from \(allowed.lowerBound) through"
                + " \(allowed.upperBound)"
        case .metadata(let field, let count, let limit):
            "this node's \(field) has \(count), at most \(limit) fits into a datagram; use shorter"
                + " names, or a lower weight"
        case .incarnation(let incarnation, let limit):
            "the stored incarnation is \(incarnation), the highest is \(limit); the file that holds"
                + " it is damaged: remove it and start again"
        }
    }
}
