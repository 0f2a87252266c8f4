// Messages: which are heard at all, what a newer or older term means, and which rule each goes to.

import Primitives

extension RaftInstance {
    mutating func receive(
        _ message: Message, from sender: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        guard sender != id, message.term <= WireLimits.number else { return }
        switch message.body {
        case .proposal, .proposalResponse, .readRequest, .readResponse:
            return receiveRequest(message.body, from: sender, at: now, &effects)
        case .preVoteRequest(let request):
            return answerPreVote(request, for: message.term, sender, at: now, &effects)
        case .preVoteResponse(let granted):
            return receivePreVote(granted, message.term, from: sender, at: now, &effects)
        default: break
        }
        if message.term > term {
            guard mayRaiseTerm(message, from: sender, at: now) else { return }
            becomeFollower(in: message.term, leader: nil, at: now, &effects)
        }
        guard message.term == term else {
            return answerStale(message.body, from: sender, &effects)
        }
        receiveOfThisTerm(message.body, from: sender, at: now, &effects)
    }

    /// Whether a newer term is believed.
    ///
    /// Not when it comes from a candidate while a leader is heard: a removed or cut-off server
    /// cannot depose a leader that a majority hears (dissertation 4.2.3). And not when it comes in
    /// an answer from who is no member.
    private func mayRaiseTerm(_ message: Message, from sender: NodeID, at now: Instant) -> Bool {
        switch message.body {
        case .voteRequest(let request): request.isTransfer || !isLoyal(at: now)
        case .append, .heartbeat, .snapshotChunk, .timeoutNow: true
        default: configuration.members.contains(sender) || configuration.voters.isEmpty
        }
    }

    /// Tells a leader or candidate of an older term that it is one (section 5.1).
    ///
    /// A leader must hear it also from a server that was left with a newer term and would be
    /// refused by the others' pre-votes for ever.
    private func answerStale(
        _ body: Message.Body, from sender: NodeID, _ effects: inout [Effect]
    ) {
        switch body {
        case .voteRequest: send(.voteResponse(granted: false), to: sender, &effects)
        case .append, .heartbeat, .snapshotChunk:
            send(.heartbeatResponse(round: 0, agreedIndex: agreedIndex), to: sender, &effects)
        default: break
        }
    }

    private mutating func receiveOfThisTerm(
        _ body: Message.Body, from sender: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        switch body {
        case .voteRequest(let request): answerVote(request, sender, at: now, &effects)
        case .voteResponse(let granted):
            receiveVote(granted, from: sender, at: now, &effects)
        case .append(let append):
            guard follow(sender, at: now) else { return }
            receiveAppend(append, from: sender, &effects)
        case .heartbeat(let commit, let round):
            guard follow(sender, at: now) else { return }
            receiveHeartbeat(commit, round, from: sender, &effects)
        case .snapshotChunk(let chunk):
            guard follow(sender, at: now) else { return }
            receiveChunk(chunk, from: sender, &effects)
        case .timeoutNow: receiveTimeoutNow(from: sender, at: now, &effects)
        case .appendResponse(let response):
            receiveAppendResponse(response, from: sender, at: now, &effects)
        case .heartbeatResponse(let round, let agreed):
            receiveHeartbeatResponse(round, agreed, from: sender, at: now, &effects)
        case .snapshotResponse(let index, let offset, let received):
            receiveChunkResponse(index, offset, received, from: sender, at: now, &effects)
        case .preVoteRequest, .preVoteResponse, .proposal, .proposalResponse, .readRequest,
            .readResponse:
            break  // Handled before the terms are compared.
        }
    }

    /// Takes the sender for this term's leader; false where that cannot be, for a term has one.
    private mutating func follow(_ sender: NodeID, at now: Instant) -> Bool {
        guard role != .leader, leader == nil || leader == sender else { return false }
        role = .follower(leader: sender)
        loyalUntil = now.advanced(by: settings.loyalty)
        drawElectionDeadline(at: now)
        return true
    }

    func send(_ body: Message.Body, to node: NodeID, _ effects: inout [Effect]) {
        effects.append(.send(Message(term: term, body: body), to: node))
    }

    func sendAtOnce(_ body: Message.Body, to node: NodeID, _ effects: inout [Effect]) {
        effects.append(.sendAtOnce(Message(term: term, body: body), to: node))
    }
}
