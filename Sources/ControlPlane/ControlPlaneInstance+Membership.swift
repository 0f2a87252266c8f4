// Membership inside the control plane: starting, founding, what SWIM says and what it is told.

import Placement
import Primitives
import Raft
import SWIM

extension ControlPlaneInstance {
    // MARK: Starting

    /// Founds, joins, or goes on in the cluster that the disk holds.
    mutating func begin(at now: Instant, _ effects: inout [Effect]) {
        let known = knownAddresses
        switch start {
        case .found(let ring):
            if identity.cluster == 0 { return found(ring, at: now, &effects) }
            stepSWIM(.join(known), at: now, &effects)
        case .join(let seeds), .expect(_, let seeds, _):
            stepSWIM(.join(seeds + known), at: now, &effects)
        }
    }

    /// Where the members that the disk knows were reached: by its snapshot, and by the entries
    /// behind it, which nobody has said to be committed yet.
    private var knownAddresses: [SWIMInstance.Address] {
        var members = state.topology?.members ?? []
        for index in raft.firstIndex..<raft.lastIndex + 1 {
            guard case .command(let bytes)? = raft.entry(at: index)?.payload,
                case .join(let member)? = try? Command(protobuf: bytes)
            else { continue }
            members.removeAll { $0.id == member.id }
            members.append(member)
        }
        return members.filter { $0.id != id }.map { SWIMInstance.Address($0.peer.text) }
    }

    /// Founds a cluster alone; others join it.
    mutating func found(
        _ ring: RingSettings, at now: Instant, _ effects: inout [Effect]
    ) {
        let cluster = random.next() | 1
        var founder = member
        founder.incarnation = identity.life
        guard let state = try? CoordinatorState(founding: cluster, founder, ring) else { return }
        let persisted = RaftInstance.PersistedState.founding(
            voters: [id], data: state.protobuf)
        // A founder votes without a disk, too: it is the only one, and if it stops there is nobody
        // whom it could mislead.
        var raftSettings = settings.raft
        raftSettings.mayVote = true
        guard
            let server = try? RaftInstance(
                id: id, state: persisted, settings: raftSettings, seed: random.next(), at: now)
        else { return }
        self.state = state
        raft = server
        appliedIndex = persisted.snapshot.index
        knownVoters = [id]
        identity.cluster = cluster
        effects.append(.remember(identity))
        if hasDisk {
            writesUnderWay += 1
            effects.append(
                .persist(
                    RaftInstance.Persistence(
                        hardState: persisted.hardState, snapshot: persisted.snapshot,
                        resetsLog: true)))
        }
        stepSWIM(.founded(cluster: cluster), at: now, &effects)
        effects.append(.happened(.founded(cluster: cluster)))
        if let topology = state.topology {
            settled.begin(at: topology)
            // Nobody has ever served anything of a cluster that did not exist.
            settled.learn(topology.epoch)
            effects.append(.install(topology))
        }
    }

    /// Of the nodes that expect each other, the one with the lowest number founds the cluster once
    /// it sees as many as there should be; the others join it.
    mutating func foundIfExpected(at now: Instant, _ effects: inout [Effect]) {
        guard case .expect(let count, _, let ring) = start, identity.cluster == 0,
            swim.cluster == 0
        else { return }
        let others = swim.members.filter { $0.status == .alive }
        guard others.count + 1 >= count, others.allSatisfy({ $0.id > id }) else { return }
        found(ring, at: now, &effects)
    }

    // MARK: SWIM

    mutating func stepSWIM(
        _ input: SWIMInstance.Input, at now: Instant, _ effects: inout [Effect]
    ) {
        var swimEffects: [SWIMInstance.Effect] = []
        swim.step(input, at: now, effects: &swimEffects)
        learnCluster(&effects)
        for effect in swimEffects { carryOut(effect, &effects) }
    }

    private mutating func learnCluster(_ effects: inout [Effect]) {
        guard identity.cluster == 0, swim.cluster != 0 else { return }
        identity.cluster = swim.cluster
        effects.append(.remember(identity))
        effects.append(.happened(.clusterLearnt(identity.cluster)))
    }

    private mutating func carryOut(
        _ effect: SWIMInstance.Effect, _ effects: inout [Effect]
    ) {
        switch effect {
        case .send(let message, let address):
            effects.append(.sendDatagram(self.message(.swim(message)), to: address))
        case .sendStream(let message, let address):
            effects.append(.sendStream(self.message(.swim(message)), to: address))
        case .memberChanged(let member): noteMember(member, &effects)
        case .memberForgotten: break
        case .incarnationRaised(let incarnation):
            identity.incarnation = incarnation + 1
            effects.append(.remember(identity))
        case .removalsFrozen(let isFrozen):
            effects.append(.happened(.removalsFrozen(isFrozen)))
        case .nameTaken(let address): effects.append(.stop(.nameTaken(by: address)))
        case .leaveFinished: effects.append(.left)
        }
    }

    private mutating func noteMember(
        _ member: SWIMInstance.Member, _ effects: inout [Effect]
    ) {
        effects.append(.suspicionChanged(member.id, isSuspect: member.status != .alive))
        effects.append(
            .happened(.memberChanged(name: member.metadata.name, member.status)))
    }

    // MARK: Messages

    mutating func receive(
        _ message: Message, from address: SWIMInstance.Address, at now: Instant,
        _ effects: inout [Effect]
    ) {
        if case .swim(let inner) = message.body {
            // SWIM has its own rules for strangers.
            guard inner.sender == message.sender else { return }
            return stepSWIM(.received(inner, from: address), at: now, &effects)
        }
        guard message.cluster == identity.cluster, message.cluster != 0, message.sender != id
        else { return }
        switch message.body {
        case .swim: break
        case .raft(let inner):
            stepRaft(.received(inner, from: message.sender), at: now, &effects)
        case .leaseRequest(let request):
            guard request.life == message.life else { return }
            receive(request, from: message.sender, at: now, &effects)
        case .leaseResponse(let response): receive(response, at: now, &effects)
        }
    }
}
