// Serve leases: a node asks the leader every 400 ms; the leader answers once a quorum has confirmed
// it by a round of heartbeats begun after the request came.
//
// The node counts from the moment it asked, the leader from the moment it answers, each with the
// clocks' drift against itself: so the node's end always comes first. A new leader does not know
// its predecessor's leases, but it was elected after the rounds that confirmed them; it counts a
// whole lease from its election.

import Placement
import Primitives
import Raft
import SWIM

extension ControlPlaneInstance {
    // MARK: The node

    mutating func askForLeaseIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= askAt else { return }
        askAt = now.advanced(by: settings.leaseAsk)
        guard state.topology != nil, let leader = raft.leader else { return }
        let request = LeaseRequest(
            clock: now.nanoseconds, life: identity.life, installedEpoch: installedEpoch,
            settledEpoch: settled.epoch, mayVote: hasDisk)
        guard leader != id else { return receive(request, from: id, at: now, &effects) }
        send(.leaseRequest(request), to: leader, &effects)
    }

    /// Arcs owned since this epoch or an earlier one may be served here: the change is settled, and
    /// this node's own shards mint versions above those of the arc's former owner.
    private var servableEpoch: UInt64 { min(settled.epoch, installedEpoch) }

    /// All loops use a newer table: the leader is told at once, others wait for it.
    mutating func installed(_ epoch: UInt64, at now: Instant, _ effects: inout [Effect]) {
        guard epoch > installedEpoch else { return }
        installedEpoch = epoch
        if servableEpoch != lease.settled {
            lease.settled = servableEpoch
            effects.append(.leaseChanged(lease))
        }
        askAt = now
        askForLeaseIfDue(at: now, &effects)
    }

    mutating func receive(
        _ response: LeaseResponse, at now: Instant, _ effects: inout [Effect]
    ) {
        guard response.life == identity.life, response.clock <= now.nanoseconds,
            state.topology != nil
        else { return }
        if response.isNoVoter { voteIsMissedNoMore(asOf: response.clock) }
        settled.learn(response.settledEpoch)
        finishSpreading(response.spreadEpoch, at: now, &effects)
        var next = lease
        next.settled = servableEpoch
        if response.milliseconds > 0 {
            let start = Instant(nanoseconds: response.clock)
            let length = min(response.milliseconds, settings.leaseMilliseconds)
            let end = start.advanced(
                by: .microseconds(length * (1_000 - settings.driftPerMille)))
            next.end = max(lease.end, end)
        }
        guard next != lease else { return }
        let wasHeld = now < lease.end
        lease = next
        effects.append(.leaseChanged(next))
        if !wasHeld, now < next.end { effects.append(.happened(.leaseHeld(true))) }
    }

    /// Says so when a lease has run out; the loops see that by themselves.
    mutating func expireLease(at now: Instant, _ effects: inout [Effect]) {
        guard lease.end.nanoseconds > 0, now >= lease.end else { return }
        lease.end = Instant(nanoseconds: 0)
        effects.append(.leaseChanged(lease))
        effects.append(.happened(.leaseHeld(false)))
    }

    // MARK: The leader

    mutating func receive(
        _ request: LeaseRequest, from sender: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        guard book != nil, tickets.count < settings.requestLimit else { return }
        book?.note(request, from: sender)
        settled.learn(request.settledEpoch)
        let ticket = addTicket(.lease(from: sender, request))
        stepRaft(.read(ticket: ticket), at: now, &effects)
    }

    /// A quorum has confirmed that this server leads: the one who asked gets its answer.
    mutating func answer(
        _ request: LeaseRequest, from asker: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        guard book != nil, let topology = state.topology else { return }
        settleEpochs(at: now)
        let isGranted = mayHaveLease(asker, request, topology)
        if isGranted {
            book?.grant(asker, until: now.advanced(by: settings.leaseOfLeader), at: now)
        }
        let response = LeaseResponse(
            clock: request.clock, life: request.life,
            milliseconds: isGranted ? settings.leaseMilliseconds : 0,
            settledEpoch: settled.epoch,
            spreadEpoch: book?.spreadEpoch(topology.epoch, at: now) ?? 0,
            isNoVoter: !knownVoters.contains(asker) && !raft.configuration.voters.contains(asker))
        guard asker != id else { return receive(response, at: now, &effects) }
        send(.leaseResponse(response), to: asker, &effects)
    }

    /// A lease goes to the life that the state names, at the newest table, and to nobody whom this
    /// leader holds for dead.
    private func mayHaveLease(
        _ asker: NodeID, _ request: LeaseRequest, _ topology: Topology
    ) -> Bool {
        guard let index = topology.memberIndex(of: asker),
            topology.members[index].incarnation == request.life,
            request.installedEpoch == topology.epoch,
            book?.condemned.contains(where: { $0.id == asker && $0.life == request.life }) == false
        else { return false }
        return asker == id || swim.member(asker)?.status.isLive != false
    }

    /// Finds out how far changes of owners are settled; answers leases that waited for it.
    mutating func settleEpochs(at now: Instant) {
        guard let book else { return }
        settled.settle { book.mayServePast($0, $1, at: now) }
    }
}
