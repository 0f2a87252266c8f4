// The leader's side of log replication (section 5.3): a stream of appends to each follower, bounded
// in messages and bytes; where the logs disagree, one question at a time until they agree.

import Primitives

extension RaftInstance {
    /// Appends to the leader's own log, and sends it on.
    ///
    /// - Returns: The entry's index.
    @discardableResult
    mutating func appendToLog(
        _ payload: Entry.Payload, at now: Instant, _ effects: inout [Effect]
    ) -> LogIndex {
        let entry = Entry(term: term, index: log.lastIndex + 1, payload: payload)
        log.append(entry)
        unwritten.entries.append(entry)
        leadership?.uncommittedBytes += entry.weight
        if case .configuration = payload { membersChanged(at: now) }
        sendAppends(at: now, &effects)
        advanceCommit(at: now, &effects)
        return entry.index
    }

    /// Sends each follower what it lacks.
    mutating func sendAppends(
        evenEmpty: Bool = false, at now: Instant, _ effects: inout [Effect]
    ) {
        for position in 0..<(leadership?.peers.count ?? 0) {
            sendAppend(toPeerAt: position, evenEmpty: evenEmpty, at: now, &effects)
        }
    }

    /// Sends one follower as much of what it lacks as may be under way at a time.
    mutating func sendAppend(
        toPeerAt position: Int, evenEmpty: Bool = false, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard var peer = leadership?.peers[position] else { return }
        defer { leadership?.peers[position] = peer }
        switch peer.mode {
        case .installing, .probing(isWaiting: true): return
        case .probing(isWaiting: false), .streaming: break
        }
        // What comes before the log's beginning is in the snapshot only.
        guard log.term(at: peer.next - 1) != nil else {
            return beginSnapshot(to: &peer, at: now, &effects)
        }
        if case .probing = peer.mode {
            sendOneAppend(to: &peer, &effects)
            peer.mode = .probing(isWaiting: true)
            return
        }
        var hasSent = false
        while peer.next <= log.lastIndex, peer.inFlight.count < settings.inFlightLimitMessages,
            peer.inFlightBytes < settings.inFlightLimitBytes
        {
            sendOneAppend(to: &peer, &effects)
            hasSent = true
        }
        if evenEmpty && !hasSent { sendEmptyAppend(to: peer, &effects) }
    }

    private func sendOneAppend(to peer: inout Progress, _ effects: inout [Effect]) {
        guard peer.next <= log.lastIndex else { return sendEmptyAppend(to: peer, &effects) }
        let entries = log.slice(
            peer.next...log.lastIndex, count: settings.appendLimitEntries,
            bytes: settings.appendLimitBytes)
        sendAppend(entries, after: peer.next - 1, to: peer.id, &effects)
        // A probe goes out again from the same place until it is answered.
        guard case .streaming = peer.mode else { return }
        peer.sent(
            through: peer.next - 1 + LogIndex(entries.count),
            bytes: entries.reduce(0) { $0 + $1.weight })
    }

    private func sendEmptyAppend(to peer: Progress, _ effects: inout [Effect]) {
        sendAppend([], after: peer.next - 1, to: peer.id, &effects)
    }

    private func sendAppend(
        _ entries: [Entry], after previous: LogIndex, to node: NodeID, _ effects: inout [Effect]
    ) {
        guard let previousTerm = log.term(at: previous) else { return }
        send(
            .append(
                Append(
                    previousIndex: previous, previousTerm: previousTerm, entries: entries,
                    commitIndex: commitIndex)), to: node, &effects)
    }

    mutating func receiveAppendResponse(
        _ response: AppendResponse, from sender: NodeID, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard let position = leadership?.position(of: sender) else { return }
        leadership?.peers[position].lastContact = now
        switch response {
        case .accepted(let match):
            guard match <= log.lastIndex else { return }
            acknowledge(match, fromPeerAt: position, at: now, &effects)
        case .rejected(let previous, let conflictTerm, let conflictIndex, let lastIndex):
            if forgetfulLearner(at: position, lastIndex, now) { break }
            backUp(
                peerAt: position, previous: previous, conflictTerm: conflictTerm,
                conflictIndex: conflictIndex)
        }
        // A commit may have ended the leadership or removed the sender.
        guard let position = leadership?.position(of: sender) else { return }
        sendAppend(toPeerAt: position, at: now, &effects)
        continueTransfer(with: sender, &effects)
    }

    /// "If successful: update nextIndex and matchIndex for follower" (Figure 2).
    private mutating func acknowledge(
        _ match: LogIndex, fromPeerAt position: Int, at now: Instant, _ effects: inout [Effect]
    ) {
        guard var peer = leadership?.peers[position] else { return }
        peer.acknowledge(through: match)
        peer.match = max(peer.match, match)
        switch peer.mode {
        case .probing:
            peer.beginProbing(from: peer.match + 1)
            peer.mode = .streaming
        case .streaming: peer.next = max(peer.next, peer.match + 1)
        case .installing(let transfer):
            // The log takes over when the snapshot is installed, or as soon as it reaches back far
            // enough if the follower got there otherwise.
            let isReached = peer.match > 0 && log.term(at: peer.match) != nil
            if isReached || peer.match >= transfer.snapshot.index {
                peer.beginProbing(from: peer.match + 1)
                peer.mode = .streaming
            }
        }
        leadership?.peers[position] = peer
        advanceCommit(at: now, &effects)
    }

    /// "If AppendEntries fails because of log inconsistency: decrement nextIndex and retry", a term
    /// at a time instead of an entry at a time (section 5.3, end).
    private mutating func backUp(
        peerAt position: Int, previous: LogIndex, conflictTerm: Term, conflictIndex: LogIndex
    ) {
        guard var peer = leadership?.peers[position] else { return }
        // An answer to a question that was settled meanwhile says nothing.
        guard previous > peer.match else { return }
        switch peer.mode {
        case .installing: return
        case .streaming: peer.beginProbing(from: peer.match + 1)
        case .probing:
            guard previous == peer.next - 1 else { return }
            var next = min(conflictIndex, previous)
            if conflictTerm > 0 {
                // Where this log has the follower's term too, they may agree up to its end there.
                let last = log.lastIndex(ofTermAtMost: conflictTerm, upTo: previous - 1)
                if last >= next, log.term(at: last) == conflictTerm { next = last + 1 }
            }
            peer.beginProbing(from: max(next, peer.match + 1))
        }
        leadership?.peers[position] = peer
    }

    /// A learner without a disk has forgotten its log when it comes back, and may: nothing was
    /// counted on it. (A voter may not, so it gets no such help: it must join under a new name.)
    mutating func forgetfulLearner(
        at position: Int, _ lastIndex: LogIndex, _ now: Instant
    ) -> Bool {
        guard let peer = leadership?.peers[position], lastIndex < peer.match,
            configuration.learners.contains(peer.id)
        else { return false }
        var fresh = Progress(id: peer.id, next: lastIndex + 1, at: now)
        fresh.round = peer.round
        leadership?.peers[position] = fresh
        return true
    }
}
