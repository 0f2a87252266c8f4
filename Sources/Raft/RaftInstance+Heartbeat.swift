// Rounds of heartbeats: they keep followers loyal, tell a leader that it still has a majority
// (check-quorum, dissertation 6.2), confirm reads, and carry the lease.

public import Primitives

extension RaftInstance {
    mutating func heartbeatIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard let due = leadership?.heartbeatDue, now >= due else { return }
        beginRound(at: now, &effects)
    }

    /// Sends a heartbeat to every member, under a new number.
    mutating func beginRound(at now: Instant, _ effects: inout [Effect]) {
        guard var leading = leadership else { return }
        leading.round += 1
        leading.roundStarts.append(now)
        if leading.roundStarts.count > Leadership.roundLimit { leading.roundStarts.removeFirst() }
        leading.heartbeatDue = now.advanced(by: settings.heartbeatInterval)
        for peer in leading.peers {
            let commit = min(commitIndex, peer.match)
            sendAtOnce(
                .heartbeat(commitIndex: commit, round: leading.round), to: peer.id, &effects)
        }
        leadership = leading
        confirmReads(at: now, &effects)
    }

    mutating func receiveHeartbeatResponse(
        _ round: UInt64, _ agreed: LogIndex, from sender: NodeID, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard let leading = leadership, let position = leading.position(of: sender),
            round <= leading.round
        else { return }
        var peer = leading.peers[position]
        peer.lastContact = now
        peer.round = max(peer.round, round)
        // Whatever was lost on the way, or forgotten at its end: ask again.
        if case .probing = peer.mode { peer.mode = .probing(isWaiting: false) }
        leadership?.peers[position] = peer
        resendChunk(toPeerAt: position, at: now, &effects)
        if peer.match < log.lastIndex || agreed < peer.match {
            sendAppend(toPeerAt: position, evenEmpty: true, at: now, &effects)
        }
        confirmReads(at: now, &effects)
    }

    /// The newest round that a majority has answered; the leader answers its own at once.
    var confirmedRound: UInt64 {
        guard let leading = leadership else { return 0 }
        let confirmed = configuration.quorumValue { voter in
            voter == id
                ? leading.round : leading.position(of: voter).map { leading.peers[$0].round } ?? 0
        }
        return confirmed ?? 0
    }

    /// A leader that has not heard a majority for the shortest election timeout steps down: it can
    /// commit nothing, and its clients should look elsewhere.
    mutating func checkQuorum(at now: Instant, _ effects: inout [Effect]) {
        guard let leading = leadership else { return }
        let reached = configuration.quorumValue { voter in
            voter == id
                ? now : leading.position(of: voter).map { leading.peers[$0].lastContact } ?? now
        }
        guard let reached, now >= reached.advanced(by: settings.loyalty) else { return }
        becomeFollower(in: term, leader: nil, at: now, &effects)
    }

    /// Until when the leader's lease holds, if it leads and has one.
    ///
    /// It is reckoned from the sending of a round that a majority answered: each of them is loyal
    /// for the shortest election timeout from then on, by its own clock (dissertation 6.4.1).
    public var leaseEnd: Instant? {
        guard let leading = leadership, !leading.isLeaseVoid,
            let start = leading.start(of: confirmedRound)
        else { return nil }
        return start.advanced(by: settings.lease)
    }
}
