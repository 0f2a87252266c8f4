// What persons ask for, and what becomes of all that this node proposes.

import Placement
import Primitives
import Raft
import SWIM

extension ControlPlaneInstance {
    // MARK: Taking requests

    mutating func take(
        _ request: Request, _ ticket: UInt64, at now: Instant, _ effects: inout [Effect]
    ) {
        func refuse(_ reason: Answer.Refusal) {
            effects.append(.answered(ticket: ticket, .refused(reason)))
        }
        guard let topology = state.topology else { return refuse(.noCluster) }
        guard tickets.count + pending.count + spreading.count < settings.requestLimit else {
            return refuse(.busy)
        }
        let command: Command
        switch request {
        case .flush: command = .flush
        case .renew: command = .renew
        case .split(let mark): command = .split(mark)
        case .forget(let name):
            let node = Member.id(ofName: name)
            guard node != id, swim.member(node)?.status.isLive != true else {
                return refuse(.memberAlive)
            }
            let isKnown =
                swim.member(node) != nil || topology.memberIndex(of: node) != nil
                || raft.configuration.members.contains(node)
            guard isKnown else { return refuse(.noSuchMember) }
            // The leader knows no lease of a node that it has not heard: it waits by itself.
            let life = topology.memberIndex(of: node).map { topology.members[$0].incarnation }
            command = .remove(node, life: life ?? 0, .forgotten)
        }
        propose(command, for: .request(request, ticket: ticket), at: now, &effects)
    }

    mutating func propose(
        _ command: Command, for purpose: Purpose, at now: Instant, _ effects: inout [Effect]
    ) {
        let ticket = addTicket(.proposal(purpose))
        stepRaft(.propose(.command(command.protobuf), ticket: ticket), at: now, &effects)
    }

    mutating func addTicket(_ kind: Ticket.Kind) -> UInt64 {
        defer { nextTicket += 1 }
        tickets.append(Ticket(number: nextTicket, kind: kind))
        return nextTicket
    }

    mutating func takeTicket(_ number: UInt64) -> Ticket.Kind? {
        tickets.firstIndex { $0.number == number }.map { tickets.remove(at: $0).kind }
    }

    // MARK: What becomes of proposals

    mutating func proposalAnswered(
        _ ticket: UInt64, _ outcome: RaftInstance.ProposalOutcome, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard case .proposal(let purpose) = takeTicket(ticket) else { return }
        switch outcome {
        case .appended(let term, let index):
            guard index > appliedIndex else {
                // It was applied before the answer came: what was made of it cannot be told.
                return finish(purpose, .unknown, at: now, &effects)
            }
            pending.append(
                PendingProposal(
                    term: term, index: index, purpose: purpose,
                    deadline: now.advanced(by: .milliseconds(settings.requestMilliseconds))))
        case .rejected(let reason):
            let refusal: Answer.Refusal =
                reason == .noLeader || reason == .notLeader || reason == .transferring
                ? .noLeader : .busy
            finish(purpose, .refused(refusal), at: now, &effects)
        case .unknown: finish(purpose, .unknown, at: now, &effects)
        }
    }

    mutating func finishProposals(
        through entry: RaftInstance.Entry, _ outcome: Outcome, at now: Instant,
        _ effects: inout [Effect]
    ) {
        let done = pending.filter { $0.index <= entry.index }
        pending.removeAll { $0.index <= entry.index }
        for proposal in done {
            guard proposal.index == entry.index, proposal.term == entry.term else {
                // Another entry stands where it stood.
                finish(proposal.purpose, .refused(.noLeader), at: now, &effects)
                continue
            }
            let answer: Answer =
                switch outcome {
                case .changed(let epoch): .done(epoch: epoch)
                case .unchanged(let reason): .unchanged(reason)
                }
            finish(proposal.purpose, answer, at: now, &effects)
        }
    }

    /// A snapshot has come in place of the entries: nobody can tell what they did.
    mutating func loseProposals(through index: UInt64, _ effects: inout [Effect]) {
        for proposal in pending where proposal.index <= index {
            guard case .request(_, let ticket) = proposal.purpose else { continue }
            effects.append(.answered(ticket: ticket, .unknown))
        }
        pending.removeAll { $0.index <= index }
    }

    private mutating func finish(
        _ purpose: Purpose, _ answer: Answer, at now: Instant, _ effects: inout [Effect]
    ) {
        guard case .request(let request, let ticket) = purpose else { return }
        // A flush is done when nobody serves anything older.
        guard request == .flush, case .done(let epoch) = answer else {
            return effects.append(.answered(ticket: ticket, answer))
        }
        spreading.append(
            SpreadingRequest(
                ticket: ticket, epoch: epoch,
                deadline: now.advanced(
                    by: settings.leaseOfLeader + .milliseconds(settings.leaseAskMilliseconds))))
        askAt = now
    }

    // MARK: What has to reach every owner

    /// Every node that may serve has the table of `epoch`.
    mutating func finishSpreading(
        _ epoch: UInt64, at now: Instant, _ effects: inout [Effect]
    ) {
        for request in spreading where request.epoch <= epoch {
            effects.append(
                .answered(ticket: request.ticket, .done(epoch: request.epoch)))
        }
        spreading.removeAll { $0.epoch <= epoch }
    }

    mutating func expireRequests(at now: Instant, _ effects: inout [Effect]) {
        for proposal in pending where proposal.deadline <= now {
            finish(proposal.purpose, .unknown, at: now, &effects)
        }
        pending.removeAll { $0.deadline <= now }
        for request in spreading where request.deadline <= now {
            effects.append(
                .answered(ticket: request.ticket, .incomplete(epoch: request.epoch)))
        }
        spreading.removeAll { $0.deadline <= now }
        // Whoever waits for the others asks how far they are more often than the lease needs.
        if !spreading.isEmpty, askAt > now.advanced(by: .milliseconds(20)) {
            askAt = now.advanced(by: .milliseconds(20))
        }
    }
}
