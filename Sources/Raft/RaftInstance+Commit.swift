// When an entry is committed (5.3, 5.4.2), and handing it over.

import Primitives

extension RaftInstance {
    /// "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and
    /// log[N].term == currentTerm: set commitIndex = N" (Figure 2).
    ///
    /// The leader counts itself for entries that are not on its disk yet: no follower can have one
    /// before the leader's disk has, because sends wait for it.
    mutating func advanceCommit(at now: Instant, _ effects: inout [Effect]) {
        guard let leading = leadership else { return }
        let own = log.lastIndex
        let reached = configuration.quorumValue { voter in
            voter == id ? own : leading.position(of: voter).map { leading.peers[$0].match } ?? 0
        }
        guard let reached, reached > commitIndex, log.term(at: reached) == term else { return }
        let first = commitIndex + 1
        commitIndex = reached
        for index in first...reached {
            leadership?.uncommittedBytes -= log.entry(at: index)?.weight ?? 0
        }
        nameReads(at: now, &effects)
        // Followers should apply it now and not with the next heartbeat.
        sendAppends(evenEmpty: true, at: now, &effects)
        leaveIfRemoved(at: now, &effects)
    }

    /// Hands over what is committed, each entry once and in order.
    mutating func applyCommitted(_ effects: inout [Effect]) {
        guard appliedIndex < commitIndex else { return }
        effects.append(.apply(log.slice(appliedIndex + 1...commitIndex)))
        appliedIndex = commitIndex
    }
}
