// What clients ask of the cluster: the leader takes it, the others hand it to the leader.

import Primitives

extension RaftInstance {
    mutating func propose(
        _ proposal: Proposal, _ ticket: UInt64, at now: Instant, _ effects: inout [Effect]
    ) {
        if role == .leader {
            let outcome = accept(proposal, at: now, &effects)
            return effects.append(.proposalAnswered(ticket: ticket, outcome))
        }
        guard let leader else {
            return effects.append(.proposalAnswered(ticket: ticket, .rejected(.noLeader)))
        }
        guard !isTooLarge(proposal) else {
            return effects.append(.proposalAnswered(ticket: ticket, .rejected(.tooLarge)))
        }
        guard let request = addForward(.proposal, ticket, at: now) else {
            return effects.append(.proposalAnswered(ticket: ticket, .rejected(.busy)))
        }
        send(.proposal(request, proposal), to: leader, &effects)
    }

    private func isTooLarge(_ proposal: Proposal) -> Bool {
        guard case .command(let bytes) = proposal else { return false }
        return bytes.count > settings.payloadLimitBytes
    }

    /// The leader's decision about a proposal.
    private mutating func accept(
        _ proposal: Proposal, at now: Instant, _ effects: inout [Effect]
    ) -> ProposalOutcome {
        guard let leading = leadership else { return .rejected(.notLeader) }
        guard leading.transfer == nil else { return .rejected(.transferring) }
        guard !isTooLarge(proposal) else { return .rejected(.tooLarge) }
        let payload: Entry.Payload
        switch proposal {
        case .command(let bytes):
            // What cannot be committed must not pile up.
            guard leading.uncommittedBytes + bytes.count + 16 <= settings.uncommittedLimitBytes
            else { return .rejected(.busy) }
            payload = .command(bytes)
        case .change(let change):
            switch judge(change) {
            case .failure(let reason): return .rejected(reason)
            case .success(let members): payload = .configuration(members)
            }
        }
        let ownTerm = term
        return .appended(term: ownTerm, index: appendToLog(payload, at: now, &effects))
    }

    /// Requests and their answers pass between any two servers, whatever their terms: they claim
    /// nothing about terms, and a server that lags must not be deaf to them.
    mutating func receiveRequest(
        _ body: Message.Body, from sender: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        switch body {
        case .proposal(let request, let proposal):
            let outcome = accept(proposal, at: now, &effects)
            send(.proposalResponse(request, outcome), to: sender, &effects)
        case .proposalResponse(let request, let outcome):
            guard let ticket = takeForward(request, .proposal) else { return }
            effects.append(.proposalAnswered(ticket: ticket, outcome))
        case .readRequest(let request):
            receiveRead(.remote(sender, request), at: now, &effects)
        case .readResponse(let request, let index):
            guard let ticket = takeForward(request, .read) else { return }
            guard let index else {
                return effects.append(.readFailed(ticket: ticket, .notLeader))
            }
            ripen(ticket, index, at: now, &effects)
        default: break
        }
    }

    /// Notes a request to the leader; nil when too many are unanswered.
    mutating func addForward(
        _ kind: Forward.Kind, _ ticket: UInt64, at now: Instant
    ) -> RequestID? {
        guard forwards.count < settings.forwardLimit else { return nil }
        let request = RequestID(session: session, sequence: nextSequence)
        nextSequence += 1
        let deadline = now.advanced(by: .milliseconds(settings.forwardMilliseconds))
        forwards.append(
            Forward(sequence: request.sequence, ticket: ticket, kind: kind, deadline: deadline))
        return request
    }

    /// The ticket that an answer is for; nil for answers to an earlier life of this server and for
    /// doubled ones.
    private mutating func takeForward(_ request: RequestID, _ kind: Forward.Kind) -> UInt64? {
        guard request.session == session,
            let position = forwards.firstIndex(where: {
                $0.sequence == request.sequence && $0.kind == kind
            })
        else { return nil }
        return forwards.remove(at: position).ticket
    }

    /// Gives up on requests that the leader has not answered in time.
    mutating func expireForwards(at now: Instant, _ effects: inout [Effect]) {
        for forward in forwards where forward.deadline <= now {
            switch forward.kind {
            case .proposal:
                effects.append(.proposalAnswered(ticket: forward.ticket, .unknown))
            case .read: effects.append(.readFailed(ticket: forward.ticket, .timedOut))
            }
        }
        forwards.removeAll { $0.deadline <= now }
        for read in ripeningReads where read.deadline <= now {
            effects.append(.readFailed(ticket: read.ticket, .timedOut))
        }
        ripeningReads.removeAll { $0.deadline <= now }
    }
}
