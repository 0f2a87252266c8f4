// Until when a node may serve what it owns.

public import Primitives

/// A node's right to serve, given by the leader for a short time.
///
/// An arc may be served while `now < end` and the epoch since which the node owns it is not above
/// ``settled``: of what it owns since a later epoch, somebody else may still serve the past.
public struct ServeLease: Equatable, Sendable {
    /// Until when, on this node's clock.
    public var end: Instant
    /// Arcs owned since this epoch, or an earlier one, may be served.
    public var settled: UInt64

    /// A lease; without arguments none.
    public init(end: Instant = Instant(nanoseconds: 0), settled: UInt64 = 0) {
        self.end = end
        self.settled = settled
    }

    /// Whether an arc that this node owns since `epoch` may be served.
    @inlinable
    public func covers(arcEpoch epoch: UInt64, at now: Instant) -> Bool {
        now < end && epoch <= settled
    }
}
