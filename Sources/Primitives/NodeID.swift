// Who a node is, in every message and log of the cluster.

/// A node's identity: the same across restarts, different for every node of a cluster.
///
/// Which life of a node is meant is told by its incarnation, not by this number.
public struct NodeID: Hashable, Comparable, Sendable {
    /// The number itself: the shell derives it from the node's unique name.
    public var value: UInt64

    /// Wraps a node's number.
    @inlinable
    public init(_ value: UInt64) {
        self.value = value
    }

    /// The order in which rooms keep nodes, so that no output depends on hashing.
    @inlinable
    public static func < (lhs: NodeID, rhs: NodeID) -> Bool {
        lhs.value < rhs.value
    }
}

extension NodeID: CustomStringConvertible {
    /// `n` and the number in hexadecimal, as logs and traces show it.
    public var description: String { "n\(String(value, radix: 16))" }
}
