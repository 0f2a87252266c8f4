// Consensus inside the control plane: its effects in order, its messages, its entries applied.

import Placement
public import Primitives
import Raft
public import SWIM

extension ControlPlaneInstance {
    mutating func stepRaft(
        _ input: RaftInstance.Input, at now: Instant, _ effects: inout [Effect]
    ) {
        var raftEffects: [RaftInstance.Effect] = []
        raft.step(input, at: now, effects: &raftEffects)
        for effect in raftEffects {
            if case .sendAtOnce(let message, let peer) = effect {
                sendRaft(message, to: peer, &effects)
            } else {
                queue.append(effect)
            }
        }
        drain(at: now, &effects)
    }

    /// Carries out what need not wait for the disk, in order; what one effect leads to comes behind
    /// those that were there before.
    private mutating func drain(at now: Instant, _ effects: inout [Effect]) {
        guard !isDraining else { return }
        isDraining = true
        while writesUnderWay == 0, !queue.isEmpty {
            carryOut(queue.removeFirst(), at: now, &effects)
        }
        isDraining = false
    }

    /// Goes on with what waited for the disk.
    mutating func persisted(at now: Instant, _ effects: inout [Effect]) {
        guard writesUnderWay > 0 else { return }
        writesUnderWay -= 1
        drain(at: now, &effects)
    }

    private mutating func carryOut(
        _ effect: RaftInstance.Effect, at now: Instant, _ effects: inout [Effect]
    ) {
        switch effect {
        case .persist(let persistence):
            guard hasDisk else { return }
            writesUnderWay += 1
            effects.append(.persist(persistence))
        case .send(let message, let peer), .sendAtOnce(let message, let peer):
            sendRaft(message, to: peer, &effects)
        case .apply(let entries):
            for entry in entries { apply(entry, at: now, &effects) }
        case .restore(let snapshot): restore(snapshot, at: now, &effects)
        case .takeSnapshot:
            stepRaft(
                .snapshotTaken(index: appliedIndex, data: state.protobuf), at: now, &effects)
        case .proposalAnswered(let ticket, let outcome):
            proposalAnswered(ticket, outcome, at: now, &effects)
        case .readReady(let ticket, _):
            guard case .lease(let asker, let request) = takeTicket(ticket) else { return }
            answer(request, from: asker, at: now, &effects)
        case .readFailed(let ticket, _): _ = takeTicket(ticket)
        case .statusChanged(let status): statusChanged(status, at: now, &effects)
        }
    }

    private mutating func statusChanged(
        _ status: RaftInstance.Status, at now: Instant, _ effects: inout [Effect]
    ) {
        if status.role == .leader {
            if book == nil {
                book = LeaseBook(at: now, earlierLeases: settings.leaseOfLeader)
            }
        } else {
            book = nil
            tickets.removeAll { ticket in
                if case .lease = ticket.kind { true } else { false }
            }
        }
        guard status.leader != knownLeader else { return }
        knownLeader = status.leader
        effects.append(.happened(.leaderChanged(status.leader, term: status.term)))
        // A new leader waits for what every node has to say.
        if status.leader != nil { askAt = now }
    }

    // MARK: Messages

    /// Whoever has lost its disk says nothing that counts, while it is a voter.
    private mutating func sendRaft(
        _ message: RaftInstance.Message, to peer: NodeID, _ effects: inout [Effect]
    ) {
        guard !isMute else { return }
        send(.raft(message), to: peer, &effects)
    }

    func send(_ body: Message.Body, to peer: NodeID, _ effects: inout [Effect]) {
        guard let address = address(of: peer) else { return }
        effects.append(.sendStream(message(body), to: address))
    }

    func message(_ body: Message.Body) -> Message {
        Message(
            sender: id, life: identity.life, cluster: identity.cluster, body: body)
    }

    /// Where a node is reached: as it last said itself, or as the table says.
    public func address(of peer: NodeID) -> SWIMInstance.Address? {
        if let known = swim.member(peer) { return known.metadata.peer }
        guard let topology = state.topology, let index = topology.memberIndex(of: peer) else {
            return nil
        }
        return SWIMInstance.Address(topology.members[index].peer.text)
    }

    // MARK: Entries

    private mutating func apply(
        _ entry: RaftInstance.Entry, at now: Instant, _ effects: inout [Effect]
    ) {
        appliedIndex = entry.index
        var outcome = Outcome.unchanged(.outdated)
        switch entry.payload {
        case .noOperation: break
        case .configuration(let configuration):
            if configuration.voters != knownVoters {
                knownVoters = configuration.voters
                effects.append(.happened(.votersChanged(configuration.voters)))
            }
        case .command(let bytes):
            guard let command = try? Command(protobuf: bytes) else {
                // Nodes that skip what they cannot read would disagree from then on.
                return effects.append(.stop(.unreadableEntry(index: entry.index)))
            }
            outcome = apply(command, at: now, &effects)
        }
        finishProposals(through: entry, outcome, at: now, &effects)
    }

    private mutating func apply(
        _ command: Command, at now: Instant, _ effects: inout [Effect]
    ) -> Outcome {
        let before = state.topology
        let outcome = state.apply(command)
        note(command, at: now)
        if let before, let after = state.topology, before.epoch != after.epoch {
            settled.add(before, after)
            effects.append(.install(after))
            effects.append(.happened(.tableChanged(epoch: after.epoch, command)))
        }
        return outcome
    }

    /// Who left and how is not part of the table: each server remembers it, should it come to lead.
    private mutating func note(_ command: Command, at now: Instant) {
        switch command {
        case .remove(let node, let life, let departure):
            buried.removeAll { $0.id == node }
            if buried.count >= settings.requestLimit { buried.removeFirst() }
            buried.append((node, life, departure))
            guard departure == .forgotten, !forgotten.contains(node) else { return }
            if forgotten.count >= settings.requestLimit { forgotten.removeFirst() }
            forgotten.append(node)
        case .join(let member):
            forgotten.removeAll { $0 == member.id }
            book?.welcome(member.id, life: member.incarnation, at: now)
        default: break
        }
    }

    private mutating func restore(
        _ snapshot: RaftInstance.Snapshot, at now: Instant, _ effects: inout [Effect]
    ) {
        guard let restored = try? CoordinatorState(snapshot: snapshot.data) else {
            return effects.append(.stop(.unreadableEntry(index: snapshot.index)))
        }
        appliedIndex = snapshot.index
        state = restored
        knownVoters = snapshot.configuration.voters
        if let topology = restored.topology {
            settled.begin(at: topology)
            effects.append(.install(topology))
            effects.append(.happened(.tableRestored(epoch: topology.epoch)))
        }
        loseProposals(through: snapshot.index, &effects)
    }

    /// The disk takes nothing more: what this server would acknowledge could be lost.
    ///
    /// It says nothing as a voter any more, and becomes a learner as soon as the leader has seen to
    /// it.
    mutating func giveUpVote(at now: Instant, _ effects: inout [Effect]) {
        guard hasDisk else { return }
        hasDisk = false
        gaveUpVoteAt = now
        writesUnderWay = 0
        effects.append(.happened(.voteGivenUp))
        askAt = now
        drain(at: now, &effects)
    }

    /// Whether this server is counted as a voter and has lost its disk.
    private var isMute: Bool {
        gaveUpVoteAt != nil && raft.configuration.voters.contains(id)
            && raft.configuration != outdatedConfiguration
    }

    /// The leader answers a request of that moment: this server is no voter.
    ///
    /// Its own log may not say so yet, and without a word from it a new leader would never send it
    /// the entry that does.
    mutating func voteIsMissedNoMore(asOf clock: Int64) {
        guard let gaveUpVoteAt, clock >= gaveUpVoteAt.nanoseconds else { return }
        outdatedConfiguration = raft.configuration
    }
}
