// Changes of members, one server at a time (dissertation section 4.1-4.2). A server uses the newest
// configuration in its log, committed or not; if the entry is taken back, so is the configuration.

import Primitives

extension RaftInstance {
    /// Whether the leader may append this change, and the members after it.
    func judge(_ change: MembershipChange) -> Result<Configuration, Rejection> {
        guard let leading = leadership else { return .failure(.notLeader) }
        // Without this, two leaders that each knew half of two changes could both find a majority.
        guard commitIndex >= leading.firstIndex else { return .failure(.changeTooEarly) }
        guard log.configurationIndex <= commitIndex else { return .failure(.changePending) }
        guard let members = configuration.applying(change) else {
            return .failure(.changeInvalid)
        }
        if case .promote(let learner) = change {
            let match = leading.position(of: learner).map { leading.peers[$0].match } ?? 0
            guard match + LogIndex(settings.promotionLagEntries) >= log.lastIndex, match > 0 else {
                return .failure(.learnerBehind)
            }
        }
        return .success(members)
    }

    /// Begins to send to new members.
    ///
    /// Those that leave are sent the entry that says so, too, until it is committed.
    mutating func membersChanged(at now: Instant) {
        guard let leading = leadership else { return }
        for member in configuration.members where member != id {
            guard leading.position(of: member) == nil else { continue }
            leadership?.peers.append(Progress(id: member, next: log.lastIndex, at: now))
        }
        leadership?.peers.sort { $0.id < $1.id }
    }

    /// Once the members are committed: forgets who is none, and steps down if that is the leader
    /// itself (4.2.2), with a word to the voter that is best prepared to follow.
    mutating func leaveIfRemoved(at now: Instant, _ effects: inout [Effect]) {
        guard leadership != nil, log.configurationIndex <= commitIndex else { return }
        let members = configuration.members
        leadership?.peers.removeAll { !members.contains($0.id) }
        guard !configuration.voters.contains(id) else { return }
        if let heir = bestVoter { send(.timeoutNow, to: heir, &effects) }
        becomeFollower(in: term, leader: nil, at: now, &effects)
    }

    /// The voter, other than this one, whose log reaches farthest; of equals the lowest.
    var bestVoter: NodeID? {
        guard let leading = leadership else { return nil }
        var best: Progress?
        for peer in leading.peers where configuration.voters.contains(peer.id) {
            if peer.match > (best?.match ?? 0) || best == nil { best = peer }
        }
        return best?.id
    }
}
