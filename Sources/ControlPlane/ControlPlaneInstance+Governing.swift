// What only the leader does: it makes the table follow membership, and keeps as many voters as the
// cluster should have. One proposal at a time, each judged anew.

import Placement
import Primitives
import Raft
import SWIM

extension ControlPlaneInstance {
    mutating func govern(at now: Instant, _ effects: inout [Effect]) {
        guard raft.role == .leader, book != nil, let topology = state.topology else { return }
        settleEpochs(at: now)
        noteAbsentVoters(at: now)
        guard !isGoverning else { return }
        if let command = removal(topology, at: now) ?? arrival(topology, at: now) {
            return propose(command, for: .governing, at: now, &effects)
        }
        guard let book, now >= book.nextChange, let change = change(topology, at: now) else {
            return
        }
        // One that is refused is judged anew a little later.
        self.book?.nextChange = now.advanced(by: .milliseconds(20))
        let ticket = addTicket(.proposal(.governing))
        stepRaft(.propose(.change(change), ticket: ticket), at: now, &effects)
    }

    /// Whether something that this leader proposed is under way.
    private var isGoverning: Bool {
        pending.contains { $0.purpose == .governing }
            || tickets.contains { ticket in
                if case .proposal(.governing) = ticket.kind { true } else { false }
            }
    }

    // MARK: Members

    /// A member to take out: it left, is dead, or has had no lease for long; and its last lease is
    /// over.
    private mutating func removal(_ topology: Topology, at now: Instant) -> Command? {
        guard let book, now >= book.nextRemoval else { return nil }
        for member in topology.members {
            // The last one that owns keys stays, and gets its lease when it is back.
            let isOnlyOwner = !topology.members.contains { $0.id != member.id && $0.weight > 0 }
            guard let departure = departure(of: member, book, at: now), !isOnlyOwner else {
                // It has come back before its last lease was over: nothing was proposed.
                self.book?.condemned.removeAll {
                    $0.id == member.id && $0.life == member.incarnation
                }
                continue
            }
            let isCondemned = book.condemned.contains {
                $0.id == member.id && $0.life == member.incarnation
            }
            if !isCondemned { self.book?.condemned.append((member.id, member.incarnation)) }
            guard now >= book.end(of: member.id) else { continue }
            self.book?.nextRemoval = now.advanced(
                by: .milliseconds(settings.removalMilliseconds))
            if departure == .leaseless { exile(member.id, at: now) }
            return .remove(member.id, life: member.incarnation, departure)
        }
        return nil
    }

    private func departure(
        of member: Member, _ book: LeaseBook, at now: Instant
    ) -> Departure? {
        if member.id != id {
            guard let known = swim.member(member.id) else {
                // Membership has never met it, or has forgotten it.
                let patience: Duration = .milliseconds(settings.leaselessMilliseconds)
                return now >= book.beganAt.advanced(by: patience) ? .died : nil
            }
            if known.life >= member.incarnation {
                if known.status == .left { return .left }
                if known.status == .dead { return .died }
            }
            // A later life that is alive takes its place by itself.
            if known.life > member.incarnation { return nil }
        }
        let last = book.leaseless(since: member.id)
        let patience: Duration = .milliseconds(settings.leaselessMilliseconds)
        return member.id != id && now >= last.advanced(by: patience) ? .leaseless : nil
    }

    private mutating func exile(_ id: NodeID, at now: Instant) {
        let earlier = book?.exiles.first { $0.id == id }?.milliseconds
        let wait = min(
            earlier.map { $0 * 2 } ?? settings.comebackMilliseconds,
            settings.comebackLimitMilliseconds)
        book?.exiles.removeAll { $0.id == id }
        book?.exiles.append(
            LeaseBook.Exile(
                id: id, until: now.advanced(by: .milliseconds(wait)), milliseconds: wait))
    }

    /// A node to take in, or whose facts have changed.
    private func arrival(_ topology: Topology, at now: Instant) -> Command? {
        guard leaving == nil || !topology.members.contains(where: { $0.id == id }) else {
            return nil
        }
        for known in [swim.myself] + swim.members where known.status == .alive {
            guard let member = Member(known), mayArrive(known, at: now) else { continue }
            if let index = topology.memberIndex(of: member.id) {
                let present = topology.members[index]
                guard present.incarnation <= member.incarnation, present != member else {
                    continue
                }
                // What an earlier life may still serve must be over.
                if present.incarnation < member.incarnation, let book,
                    now < book.end(of: member.id)
                {
                    continue
                }
            }
            return .join(member)
        }
        return nil
    }

    private func mayArrive(_ known: SWIMInstance.Member, at now: Instant) -> Bool {
        if known.id == id { return leaving == nil }
        if hasDeparted(known.id) { return false }
        if let trial = known.trialUntil, now < trial, !isFreshStart(known) { return false }
        if book?.exiles.contains(where: { $0.id == known.id && now < $0.until }) == true {
            return false
        }
        // It has to know the log before others ask it for keys.
        guard let follower = raft.followers.first(where: { $0.id == known.id }) else {
            return false
        }
        let lag = UInt64(settings.raft.promotionLagEntries)
        return follower.match > 0 && follower.match + lag >= raft.lastIndex
    }

    /// Whether a member that came back from the dead did so as a new process, for the first time
    /// lately: that is a restart, not one that comes and goes.
    private func isFreshStart(_ known: SWIMInstance.Member) -> Bool {
        known.deaths <= 1 && buried.contains { $0.id == known.id && $0.life < known.life }
    }

    // MARK: Voters

    /// The next change of Raft's members, if one is due.
    private func change(
        _ topology: Topology, at now: Instant
    ) -> RaftInstance.MembershipChange? {
        guard let book else { return nil }
        let present = raft.configuration
        if let learner = newLearner(present) { return .addLearner(learner) }
        if let stranger = stranger(present, topology, at: now) {
            return farewell(to: stranger, .remove(stranger), present)
        }
        let wanted = settings.voters(size: present.members.count)
        let fit = candidates(topology, present, at: now)
        let unfit = unfitVoter(present, topology, at: now)
        if present.voters.count < wanted || (unfit != nil && present.voters.count <= wanted) {
            if let candidate = fit.first { return .promote(candidate) }
        }
        if present.voters.count > wanted {
            return (unfit ?? present.voters.last { $0 != id }).map { .demote($0) }
        }
        // Nobody takes the place of one that leaves, or has lost its disk: it goes nevertheless.
        // The one still can vote, the other says nothing while it is counted as a voter, and could
        // serve if it were none.
        guard let unfit, unfit != id else { return nil }
        guard hasDeparted(unfit) || book.entry(unfit)?.mayVote == false else { return nil }
        return farewell(to: unfit, .demote(unfit), present)
    }

    /// Lets a member go, by that change.
    ///
    /// Where those that stay would be no quorum without it, one of the dead goes first: while it is
    /// here it is needed for that.
    private func farewell(
        to member: NodeID, _ change: RaftInstance.MembershipChange,
        _ present: RaftInstance.Configuration
    ) -> RaftInstance.MembershipChange? {
        func isSilent(_ voter: NodeID) -> Bool {
            guard voter != id else { return false }
            return swim.member(voter)?.status.isLive != true || book?.entry(voter)?.mayVote == false
        }
        guard present.voters.contains(member),
            !isSilent(member) || swim.member(member)?.status == .left
        else { return change }
        let rest = present.voters.filter { $0 != member }
        let silent = rest.filter(isSilent)
        if silent.count * 2 < rest.count { return change }
        return silent.first.map { .demote($0) }
    }

    /// Whether a node has said good-bye in the life that membership knows.
    private func hasDeparted(_ node: NodeID) -> Bool {
        guard let life = node == id ? identity.life : swim.member(node)?.life else { return false }
        return buried.contains { $0.id == node && $0.life == life && $0.departure == .left }
    }

    private func newLearner(_ present: RaftInstance.Configuration) -> NodeID? {
        swim.members.first {
            $0.status == .alive && !present.members.contains($0.id) && !hasDeparted($0.id)
        }?.id
    }

    /// Somebody who is neither in the table nor alive any more; a voter only after a good-bye, for
    /// its place is kept until somebody can take it.
    private func stranger(
        _ present: RaftInstance.Configuration, _ topology: Topology, at now: Instant
    ) -> NodeID? {
        present.members.first { member in
            guard member != id, topology.memberIndex(of: member) == nil else { return false }
            let status = swim.member(member)?.status
            if status == .left || hasDeparted(member) { return true }
            if forgotten.contains(member), status != .alive { return true }
            return present.learners.contains(member) && (status == nil || status == .dead)
        }
    }

    /// Learners that could vote, best first: in a zone without a voter, then in order.
    private func candidates(
        _ topology: Topology, _ present: RaftInstance.Configuration, at now: Instant
    ) -> [NodeID] {
        guard let book else { return [] }
        func zone(_ node: NodeID) -> String {
            topology.memberIndex(of: node).map { topology.members[$0].zone } ?? ""
        }
        let taken = present.voters.map(zone)
        let fit = present.learners.filter { learner in
            guard let entry = book.entry(learner), entry.mayVote, now < entry.end,
                topology.memberIndex(of: learner) != nil
            else { return false }
            return swim.member(learner)?.status == .alive
        }
        return fit.filter { !taken.contains(zone($0)) } + fit.filter { taken.contains(zone($0)) }
    }

    /// A voter that should be none: it is leaving, has no disk, or is dead for long.
    private func unfitVoter(
        _ present: RaftInstance.Configuration, _ topology: Topology, at now: Instant
    ) -> NodeID? {
        guard let book, present.voters.count > 1 || !present.learners.isEmpty else { return nil }
        let patience: Duration = .milliseconds(settings.voterPatienceMilliseconds)
        return present.voters.first { voter in
            if voter == id { return !hasDisk || topology.memberIndex(of: id) == nil }
            if hasDeparted(voter) { return true }
            if book.absentVoters.contains(where: {
                $0.id == voter && now >= $0.since.advanced(by: patience)
            }) {
                return true
            }
            return book.entry(voter)?.mayVote == false
        }
    }

    private mutating func noteAbsentVoters(at now: Instant) {
        let absent = raft.configuration.voters.filter { voter in
            voter != id && swim.member(voter)?.status.isLive != true
        }
        book?.absentVoters.removeAll { !absent.contains($0.id) }
        for voter in absent where book?.absentVoters.contains(where: { $0.id == voter }) == false {
            book?.absentVoters.append((voter, now))
        }
    }
}
