// The follower's side of log replication (AppendEntries, receiver; Figure 2).

import Primitives

extension RaftInstance {
    mutating func receiveAppend(
        _ append: Append, from leader: NodeID, _ effects: inout [Effect]
    ) {
        guard isWellFormed(append) else { return }
        // What is committed agrees with every leader's log.
        guard append.previousIndex >= commitIndex else {
            return send(.appendResponse(.accepted(match: commitIndex)), to: leader, &effects)
        }
        guard log.term(at: append.previousIndex) == append.previousTerm else {
            return reject(append, from: leader, &effects)
        }
        takeOver(append.entries)
        let agreed = append.previousIndex + LogIndex(append.entries.count)
        agreedIndex = max(agreedIndex, agreed)
        commitIndex = max(commitIndex, min(append.commitIndex, agreed))
        send(.appendResponse(.accepted(match: agreed)), to: leader, &effects)
    }

    /// Whether the entries are consecutive and their terms rise; what comes from outside is not
    /// taken on trust.
    private func isWellFormed(_ append: Append) -> Bool {
        guard append.previousIndex <= WireLimits.number else { return false }
        var index = append.previousIndex
        var lastTerm = append.previousTerm
        for entry in append.entries {
            guard entry.index == index &+ 1, entry.term >= lastTerm, entry.term <= term else {
                return false
            }
            index = entry.index
            lastTerm = entry.term
        }
        return true
    }

    /// "Reply false if log doesn't contain an entry at prevLogIndex whose term matches
    /// prevLogTerm", with what helps the leader to find where the logs part.
    private func reject(_ append: Append, from leader: NodeID, _ effects: inout [Effect]) {
        let previous = append.previousIndex
        let conflictTerm = log.term(at: previous) ?? 0
        let conflictIndex =
            conflictTerm == 0 ? log.lastIndex + 1 : log.firstIndex(ofTermAt: previous)
        send(
            .appendResponse(
                .rejected(
                    previous: previous, conflictTerm: conflictTerm, conflictIndex: conflictIndex,
                    lastIndex: log.lastIndex)), to: leader, &effects)
    }

    /// "If an existing entry conflicts with a new one (same index but different terms), delete the
    /// existing entry and all that follow it. Append any new entries not already in the log."
    private mutating func takeOver(_ entries: [Entry]) {
        guard
            let start = entries.firstIndex(where: { log.term(at: $0.index) != $0.term })
        else { return }
        let first = entries[start].index
        assert(first > commitIndex, "entry \(first) is committed and conflicts")
        log.truncate(from: first)
        unwritten.entries.removeAll { $0.index >= first }
        for entry in entries[start...] {
            log.append(entry)
            unwritten.entries.append(entry)
        }
    }

    /// The log agrees with the leader's as far as an append of this term has shown; only so far
    /// does its commit index count here.
    mutating func receiveHeartbeat(
        _ commit: LogIndex, _ round: UInt64, from leader: NodeID, _ effects: inout [Effect]
    ) {
        commitIndex = max(commitIndex, min(commit, agreedIndex))
        // An answer claims nothing of what is on disk, so a slow disk need not cost the leader its
        // majority.
        sendAtOnce(
            .heartbeatResponse(round: round, agreedIndex: agreedIndex), to: leader, &effects)
    }
}
