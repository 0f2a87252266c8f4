// What is under way at one member: its own probes, and those it makes for others.

import Primitives

/// A probe that this member makes (DSN 2002, section 3.1).
struct Probe: Equatable, Sendable {
    let target: NodeID
    /// The number that its acks carry.
    let sequence: UInt64
    /// When relays are asked, unless they have been.
    var indirectAt: Instant?
    /// When it has failed.
    var deadline: Instant
    /// Relays that were asked.
    var relays: [NodeID] = []
    /// Relays that have sent neither ack nor nack.
    var silentRelays: [NodeID] = []

    /// The next moment at which it needs attention.
    var nextDeadline: Instant { min(indirectAt ?? deadline, deadline) }
}

/// A probe made for another member, which asked by a ping-request.
struct Relay: Equatable, Sendable {
    /// The number of our ping.
    let sequence: UInt64
    let target: NodeID
    /// Who asked, and under which number.
    let requester: NodeID
    let requesterAddress: SWIMInstance.Address
    let requesterSequence: UInt64
    /// When to say that we are well but the target is silent; nil once said.
    var nackAt: Instant?
    /// When a late ack is of no more use.
    var deadline: Instant

    /// The next moment at which it needs attention.
    var nextDeadline: Instant { min(nackAt ?? deadline, deadline) }
}
