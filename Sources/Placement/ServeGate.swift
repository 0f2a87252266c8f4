// The decision that every key of a cluster passes through: serve it here, send it on, or neither.
//
// A loop takes one table and one reading of lease and clock for a whole turn, after the turn's last
// `recv`. However long the turn then takes, its commands count as executed at that moment: they had
// all been received by then, and no reply has left.
public import Primitives

/// What one loop may do with keys: a table, and the lease as it stood when the turn began.
public struct ServeGate: Sendable {
    /// What is to be done with a key.
    public enum Verdict: Equatable, Sendable {
        /// This node owns it and may serve it; items below `floor` are misses.
        case serve(floor: Version)
        /// This node owns it, but must not serve it now.
        case withhold
        /// The member with this index of the topology owns it.
        case forward(Int)
    }

    /// Why a request of another node is not executed here.
    public enum Refusal: UInt8, Sendable {
        /// The sender's table is newer: this node has to learn it first.
        case behind = 1
        /// The time for it is over: its sender has given it up.
        case expired
        /// Another node owns the key.
        case moved
        /// This node owns the key, but must not serve it now.
        case withheld
    }

    /// Who owns what.
    public let table: RoutingTable
    /// The newest epoch at which this node became an arc's owner.
    @usableFromInline let newestOwnEpoch: UInt64
    @usableFromInline var isHeld = false
    @usableFromInline var settled: UInt64 = 0
    @usableFromInline var servesAll = false

    /// Makes the gate of a table; it serves nothing before ``begin(_:at:)``.
    public init(_ table: RoutingTable) {
        self.table = table
        newestOwnEpoch = table.newestOwnEpoch
    }

    /// Begins a turn.
    public mutating func begin(_ lease: ServeLease, at now: Instant) {
        isHeld = now < lease.end
        settled = lease.settled
        servesAll = isHeld && newestOwnEpoch <= settled
    }

    /// What is to be done with a key, whose hash the caller has anyway.
    @inlinable
    public func verdict(_ key: RawSpan, _ hash: KeyHash) -> Verdict {
        let route = table.route(key, hash)
        guard table.isOwn(route) else { return .forward(Int(route.owner)) }
        guard servesAll || (isHeld && table.arcEpoch(route) <= settled) else { return .withhold }
        return .serve(floor: table.minVersion(route))
    }

    /// Whether a request of another node, sent under the table of `epoch` and to be executed by
    /// `deadline`, may be looked at; nil where it may.
    ///
    /// A sender with an older table is not refused: whether its request came to the right place is
    /// for this node's table to say.
    public func refusal(epoch: UInt64, deadline: Instant, at now: Instant) -> Refusal? {
        if epoch > table.epoch { return .behind }
        return deadline < now ? .expired : nil
    }
}
