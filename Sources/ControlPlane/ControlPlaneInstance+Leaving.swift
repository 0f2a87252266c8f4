// A good-bye in three steps: out of the table, so that others own the keys; out of consensus, so
// that a quorum does not count on this node; out of membership, so that nobody suspects it.

import Placement
import Primitives
import Raft
import SWIM

extension ControlPlaneInstance {
    mutating func leave(at now: Instant, _ effects: inout [Effect]) {
        guard leaving == nil else { return }
        leaving = Leaving(
            deadline: now.advanced(by: .milliseconds(settings.leaveMilliseconds)), tryAt: now)
        continueLeaving(at: now, &effects)
    }

    mutating func continueLeaving(at now: Instant, _ effects: inout [Effect]) {
        guard let step = leaving?.step else { return }
        switch step {
        case .table: leaveTable(at: now, &effects)
        case .consensus: leaveConsensus(at: now, &effects)
        case .membership: break
        }
    }

    private mutating func leaveTable(at now: Instant, _ effects: inout [Effect]) {
        guard let leaving, let topology = state.topology else {
            return leaveMembership(at: now, &effects)
        }
        let isAlone = topology.members.allSatisfy { $0.id == id }
        guard !isAlone, now < leaving.deadline else {
            return leaveMembership(at: now, &effects)
        }
        guard let index = topology.memberIndex(of: id) else {
            self.leaving?.step = .consensus
            return leaveConsensus(at: now, &effects)
        }
        guard now >= leaving.tryAt,
            !pending.contains(where: { $0.purpose == .leaving })
        else { return }
        self.leaving?.tryAt = now.advanced(by: .milliseconds(100))
        let life = topology.members[index].incarnation
        propose(.remove(id, life: life, .left), for: .leaving, at: now, &effects)
    }

    private mutating func leaveConsensus(at now: Instant, _ effects: inout [Effect]) {
        guard let leaving else { return }
        guard state.topology?.memberIndex(of: id) == nil else {
            // A leader that had not heard of it has taken this node in again.
            self.leaving?.step = .table
            return
        }
        let voters = raft.configuration.voters
        // The others must have heard that this node serves nothing any more, and the leader must be
        // somebody else.
        let isSettled = installedEpoch >= (state.topology?.epoch ?? 0)
        let isFree = !voters.contains(id) && raft.role != .leader
        guard !(isSettled && isFree), now < leaving.deadline else {
            return leaveMembership(at: now, &effects)
        }
        guard now >= leaving.tryAt else { return }
        self.leaving?.tryAt = now.advanced(by: .milliseconds(100))
        // A leader that is no voter any more steps down by itself; one of several hands over.
        if raft.role == .leader, voters.count > 1 {
            stepRaft(.transferLeadership(to: nil), at: now, &effects)
        }
    }

    private mutating func leaveMembership(at now: Instant, _ effects: inout [Effect]) {
        leaving?.step = .membership
        stepSWIM(.leave, at: now, &effects)
    }
}
