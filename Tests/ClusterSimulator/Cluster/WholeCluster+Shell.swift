// The shell around the control planes: it carries out what they ask for.

import ControlPlane
import Placement
import Primitives
import Raft
import SWIM

extension WholeCluster {
    // MARK: Processes

    private static func address(of index: Int) -> SWIMInstance.Address {
        SWIMInstance.Address("machine-\(index):21211")
    }

    func machine(at address: SWIMInstance.Address) -> Int? {
        Int(address.text.dropFirst(8).prefix { $0 != ":" }).flatMap {
            nodes.indices.contains($0) ? $0 : nil
        }
    }

    private func member(_ node: ClusterNode) -> Member {
        let host = "machine-\(node.index)"
        return Member(
            name: node.name, weight: node.weight, zone: node.zone,
            client: NodeAddress(host: host, port: 11_211),
            peer: NodeAddress(host: host, port: 21_211))
    }

    /// Starts the next process of a machine, from what its disk gives back.
    mutating func start(_ index: Int) throws(Finding) {
        let node = nodes[index]
        guard !node.machine.isUp else { return }
        node.machine.start(at: world.now, &havoc)
        node.isDiskFull = false
        world.coverage.add(.restarts)
        let stored = node.hasDisk ? node.machine.disk.contents(of: ClusterNode.identityFile) : nil
        var identity =
            stored.flatMap { Identity(framed: $0) }
            .flatMap { $0.name == node.name ? $0 : nil } ?? Identity(name: node.name, life: 0)
        identity.life = node.machine.life
        let others = nodes.indices.map { Self.address(of: $0) }
        let isFounder = index == 0 && node.generation == 0
        let disk = try openDisk(of: node)
        var effects: [ControlPlaneInstance.Effect] = []
        let control: ControlPlaneInstance
        do throws(ControlPlaneError) {
            control = try ControlPlaneInstance(
                identity: identity, member: member(node),
                start: isFounder ? .found(ring) : .join(others),
                disk: disk, settings: settings, seed: seeds.next(), at: clock(of: index),
                effects: &effects)
        } catch {
            throw Finding("a node starts from what it wrote", "\(node.name): \(error)")
        }
        let process = ClusterProcess(
            life: node.machine.life, control: control,
            shards: (0..<Self.shardsPerNode).map { ClusterShard(index: $0) },
            loops: Self.loopsPerNode)
        node.process = process
        world.note("\(node.name) starts, life \(process.life), \(node.id)")
        world.schedule(
            .tick(machine: index, life: process.life), after: havoc.within(0...Self.tickInterval))
        try carryOut(effects, on: node, process)
    }

    private func openDisk(
        of node: ClusterNode
    ) throws(Finding) -> RaftInstance.PersistedState? {
        guard node.hasDisk else { return nil }
        do throws(RaftFiles.Corruption) {
            let opened = try RaftFiles.open(
                &node.machine.disk, segmentLimit: segmentLimit, care: RaftFiles.Care())
            node.files = opened.files
            return opened.state
        } catch {
            throw Finding("sound disks are accepted", "\(node.name): \(error)")
        }
    }

    // MARK: Steps

    /// Gives a control plane an input and carries out what it asks for.
    mutating func step(_ input: ControlPlaneInstance.Input, on index: Int) throws(Finding) {
        let node = nodes[index]
        guard let process = node.process else { return }
        var effects: [ControlPlaneInstance.Effect] = []
        process.control.step(input, at: clock(of: index), effects: &effects)
        try judge(process.control)
        try carryOut(effects, on: node, process)
    }

    private mutating func carryOut(
        _ effects: [ControlPlaneInstance.Effect], on node: ClusterNode, _ process: ClusterProcess
    ) throws(Finding) {
        for effect in effects {
            guard node.process === process else { return }
            try carryOut(effect, on: node, process)
        }
    }

    private mutating func carryOut(
        _ effect: ControlPlaneInstance.Effect, on node: ClusterNode, _ process: ClusterProcess
    ) throws(Finding) {
        switch effect {
        case .persist(let persistence): try persist(persistence, on: node, process)
        case .remember(let identity): remember(identity, on: node, process)
        case .sendDatagram(let message, let address):
            try send(message, from: node.index, to: address, isStream: false)
        case .sendStream(let message, let address):
            try send(message, from: node.index, to: address, isStream: true)
        case .install(let topology): try install(topology, on: node, process)
        case .leaseChanged(let lease):
            world.note(
                "\(node.name) lease until \(lease.end.nanoseconds / 1_000) us,"
                    + " settled \(lease.settled)")
            world.coverage.add(.leases)
            process.lease = lease
        case .suspicionChanged(let member, let isSuspect):
            process.suspects.removeAll { $0 == member }
            if isSuspect { process.suspects.append(member) }
        case .answered(let ticket, let answer): answered(ticket, answer, node)
        case .happened(let event):
            world.note("\(node.name) \(event)")
            count(event)
        case .left:
            world.coverage.add(.leaves)
            world.note("\(node.name) has left")
            stop(node.index, losingPower: false, forHowLong: havoc.within(0...4_000_000_000))
        case .stop(let reason):
            throw Finding("no node has to stop", "\(node.name) was told to: \(reason)")
        }
    }

    private mutating func count(_ event: Event) {
        switch event {
        case .tableChanged(_, .join): world.coverage.add(.joins)
        case .tableChanged(_, .remove(_, _, .died)): world.coverage.add(.deaths)
        case .tableChanged(_, .remove(_, _, .leaseless)): world.coverage.add(.leaselessRemovals)
        case .tableChanged(_, .remove(_, _, .forgotten)): world.coverage.add(.forgotten)
        case .tableChanged(_, .flush): world.coverage.add(.flushes)
        case .tableChanged(_, .renew): world.coverage.add(.renewals)
        case .tableRestored: world.coverage.add(.snapshotsInstalled)
        case .votersChanged: world.coverage.add(.membershipChanges)
        case .voteGivenUp: world.coverage.add(.votesGivenUp)
        case .memberChanged(_, .suspect): world.coverage.add(.suspicions)
        default: break
        }
    }

    // MARK: Disks

    private mutating func persist(
        _ persistence: RaftInstance.Persistence, on node: ClusterNode, _ process: ClusterProcess
    ) throws(Finding) {
        guard !node.isDiskFull else {
            world.note("\(node.name)'s disk is full")
            world.coverage.add(.fullDisks)
            return try step(.diskFailed, on: node.index)
        }
        var number = 0
        for write in node.files.writes(persistence) { number = node.machine.disk.write(write) }
        sync(through: number, isAwaited: true, on: node, process)
    }

    private mutating func remember(
        _ identity: Identity, on node: ClusterNode, _ process: ClusterProcess
    ) {
        guard node.hasDisk, !node.isDiskFull else { return }
        let number = node.machine.disk.write(.replace(ClusterNode.identityFile, identity.framed))
        sync(through: number, isAwaited: false, on: node, process)
    }

    private mutating func sync(
        through number: Int, isAwaited: Bool, on node: ClusterNode, _ process: ClusterProcess
    ) {
        process.writes.append(ClusterProcess.Write(number: number, isAwaited: isAwaited))
        beginSync(on: node, process)
    }

    /// One sync at a time; it covers all that was written when it began.
    private mutating func beginSync(on node: ClusterNode, _ process: ClusterProcess) {
        guard !process.isSyncing, let last = process.writes.last else { return }
        process.isSyncing = true
        world.schedule(
            .synced(machine: node.index, life: process.life, write: last.number),
            after: disks.within(Machine.syncTime) * node.machine.diskFactor)
    }

    mutating func synced(
        _ index: Int, _ life: UInt64, _ write: Int, _ action: ClusterAction
    ) throws(Finding) {
        let node = nodes[index]
        guard let process = node.process, process.life == life, !postpone(action, for: index) else {
            return
        }
        guard !node.machine.failsNextSync else {
            world.coverage.add(.syncErrors)
            world.note("\(node.name) sync fails")
            return stop(index, losingPower: true, forHowLong: havoc.within(0...2_000_000_000))
        }
        world.coverage.add(.syncs)
        node.machine.disk.sync(through: write)
        process.isSyncing = false
        let done = process.writes.filter { $0.number <= write }
        process.writes.removeAll { $0.number <= write }
        for write in done where write.isAwaited { try step(.persisted, on: index) }
        if node.process === process { beginSync(on: node, process) }
    }

    // MARK: Messages

    private mutating func send(
        _ said: Message, from index: Int, to address: SWIMInstance.Address, isStream: Bool
    ) throws(Finding) {
        guard let receiver = machine(at: address), receiver != index else { return }
        let message = try overTheWire(said)
        let packet = ControlPacket(sender: index, receiver: receiver, message: message)
        guard isStream else {
            return world.send(from: index, to: receiver, arrival: .control(packet))
        }
        world.coverage.add(.packetsSent)
        switch world.network.fate(from: index, to: receiver, at: world.now) {
        case .cut: world.coverage.add(.packetsCut)
        case .dropped: world.coverage.add(.packetsLost)
        case .delivered(let delay), .doubled(let delay, _):
            let pair = index * nodes.count + receiver
            var arrival = world.now + delay
            if keepsOrder {
                arrival = max(arrival, lastArrivals[pair])
                lastArrivals[pair] = arrival
            }
            world.schedule(.control(packet), after: arrival - world.now)
        }
    }

    /// The message as its receiver decodes it, in runs that encode what is sent.
    private mutating func overTheWire(_ message: Message) throws(Finding) -> Message {
        guard passesWire else { return message }
        world.coverage.add(.messagesEncoded)
        let decoded: Message
        do throws(ProtobufError) { decoded = try Message(protobuf: message.protobuf) } catch {
            throw Finding("messages can be decoded", "\(message): \(error)")
        }
        guard decoded == message else {
            throw Finding("messages keep their meaning", "\(message) became \(decoded)")
        }
        return decoded
    }

    mutating func arrive(_ packet: ControlPacket, _ action: ClusterAction) throws(Finding) {
        guard nodes[packet.receiver].process != nil else {
            return world.coverage.add(.packetsTooLate)
        }
        guard !postpone(action, for: packet.receiver) else { return }
        try step(
            .received(packet.message, from: Self.address(of: packet.sender)), on: packet.receiver)
    }
}
