// What the world and the operator do to the nodes.

import ControlPlane
import Placement
import Primitives
import Raft

/// What the operator knows.
struct ClusterSteward {
    /// How often the operator looks, in nanoseconds.
    static let interval: Int64 = 200_000_000

    struct Flush {
        var ticket: UInt64
        var began: Int64
    }

    /// Names whose disks are gone: they never come back.
    var lost: [String] = []
    var nextTicket: UInt64 = 1
    var flushes: [Flush] = []
    /// Until then a node may be leaving: one voter at a time.
    var leavingUntil: Int64 = 0
}

extension WholeCluster {
    /// What the world does; bits of files are inverted in the simulation of Raft alone.
    static let disturbances = Disturbance.allCases.filter { $0 != .bitFlip }

    mutating func makeTrouble() {
        isAtPeace = false
        // A good-bye and the return take twelve seconds, if nobody hears them.
        lastLeave = world.now + (Int64(options.seconds) - 12) * 1_000_000_000
        scheduleDisturbance()
    }

    private mutating func scheduleDisturbance() {
        guard let next = plan.next() else { return }
        world.schedule(.disturb(next.kind, lasting: next.lasting), after: next.after)
    }

    /// Begins a disturbance.
    mutating func disturb(_ kind: Disturbance, lasting: Int64) throws(Finding) {
        guard !isAtPeace else { return }
        scheduleDisturbance()
        world.note("world: \(kind) for \(lasting / 1_000_000) ms")
        let targets = NetworkTrouble.Targets(machines: Array(nodes.indices), focus: leader)
        if let trouble = NetworkTrouble(kind, targets, lasting: lasting, world: &world, &havoc) {
            return begin(.network(trouble), lasting: lasting)
        }
        guard let index = victim() else { return }
        switch kind {
        case .kill:
            world.coverage.add(.kills)
            stop(index, losingPower: false, forHowLong: lasting / 2)
        case .powerLoss:
            world.coverage.add(.powerLosses)
            stop(index, losingPower: true, forHowLong: lasting / 2)
        case .blackout:
            world.coverage.add(.blackouts)
            for index in nodes.indices where nodes[index].process != nil {
                stop(index, losingPower: true, forHowLong: havoc.within(0...2_000_000_000))
            }
        case .wipe: wipe(index, lasting: lasting)
        case .pause:
            world.coverage.add(.pauses)
            // Up to 10 s: longer than any lease.
            nodes[index].machine.pausedUntil = world.now + lasting * 5 / 4
        case .slowDisk:
            world.coverage.add(.slowDisks)
            nodes[index].machine.diskFactor = havoc.within(10...1_000)
            begin(.slowDisk(machine: index), lasting: lasting)
        case .syncError:
            if havoc.chance(permille: 500) {
                nodes[index].machine.failsNextSync = true
            } else if canLoseDisk(of: index) {
                nodes[index].isDiskFull = true
            }
        case .drift:
            world.coverage.add(.drifts)
            let bound = Machine.driftBoundPPM
            nodes[index].machine.clock.setDrift(ppm: havoc.within(-bound...bound), at: world.now)
        case .clockLeap:
            // Leases reckon with a bounded drift. A leader's leap would end those that it gave
            // before their time; a member's leap ends its own.
            guard nodes[index].process?.control.isLeader == false else { return }
            world.coverage.add(.clockLeaps)
            nodes[index].machine.clock.leap(by: lasting, at: world.now)
            nodes[index].leaps += 1
        case .partition, .oneWayPartition, .isolation, .partialPartition, .clog, .loss,
            .duplication, .reordering, .bitFlip:
            break
        }
    }

    private mutating func begin(_ trouble: Trouble, lasting: Int64) {
        world.schedule(.relieve(troubles.count), after: lasting)
        troubles.append(trouble)
    }

    /// Ends what began as number `number`.
    mutating func relieve(_ number: Int) {
        switch troubles[number] {
        case .network(let trouble): trouble.end(&world)
        case .slowDisk(let index): nodes[index].machine.diskFactor = 1
        case nil: return
        }
        troubles[number] = nil
    }

    /// A running node; in one of three cases the leader.
    private mutating func victim() -> Int? {
        if let leader, havoc.chance(permille: 330) { return leader }
        return havoc.pick(nodes.indices.filter { nodes[$0].process != nil })
    }

    /// Ends a process; another one starts after `pause`.
    mutating func stop(_ index: Int, losingPower: Bool, forHowLong pause: Int64) {
        let node = nodes[index]
        guard let process = node.process else { return }
        let loss = node.machine.stop(losingPower: losingPower, &disks)
        world.coverage.add(.lostWrites, UInt64(loss.lostWrites))
        if loss.tornBytes > 0 { world.coverage.add(.tornWrites) }
        node.lastVoters = process.control.raft.configuration.voters
        node.process = nil
        world.note("\(node.name) stops\(losingPower ? " and loses power" : "")")
        if !losingPower { closeConnections(of: process, index) }
        world.schedule(.start(machine: index), after: pause)
    }

    /// The kernel closes what a killed process had open.
    private mutating func closeConnections(of process: ClusterProcess, _ index: Int) {
        for loop in process.loops {
            for connection in loop.connections { closed(connection) }
        }
        for node in nodes {
            guard let other = node.process else { continue }
            for loop in other.loops {
                let owner = LoopAddress(
                    machine: node.index, life: other.life, loop: loop.number)
                for link in loop.links where link.receiver == index && link.state == .open {
                    guard
                        case .delivered(let delay) = world.network.fate(
                            from: index, to: node.index, at: world.now)
                    else { continue }
                    world.schedule(
                        .link(
                            LinkEvent(
                                owner: owner, link: link, connection: link.connection,
                                kind: .closed)),
                        after: max(delay, link.lastReturn - world.now))
                }
            }
        }
    }

    /// Puts an empty disk into a machine, which becomes a node of another name.
    private mutating func wipe(_ index: Int, lasting: Int64) {
        guard canLoseDisk(of: index) else { return }
        world.coverage.add(.wipes)
        let node = nodes[index]
        stop(index, losingPower: true, forHowLong: lasting / 2)
        steward.lost.append(node.name)
        node.generation += 1
        node.machine.disk.wipe()
        node.files = RaftFiles(segmentLimit: segmentLimit)
        world.note("\(steward.lost.last ?? "") is gone, its machine becomes \(node.name)")
    }

    /// Whether the cluster can bear that this disk is lost: one voter's at a time, until no member
    /// counts on it any more.
    private func canLoseDisk(of index: Int) -> Bool {
        guard nodes[index].hasDisk, world.now >= steward.leavingUntil else { return false }
        return isMissingNoDisk
    }

    /// Whether no member counts on a disk that is lost, and none counts on two voters.
    private var isMissingNoDisk: Bool {
        let gone =
            steward.lost.map { Member.id(ofName: $0) }
            + nodes.filter { $0.isDiskFull || $0.process?.control.hasDisk == false }.map(\.id)
        return nodes.allSatisfy { node in
            let voters = node.process?.control.raft.configuration.voters ?? node.lastVoters
            return voters.isEmpty || (voters.count > 2 && !voters.contains { gone.contains($0) })
        }
    }

    /// Ends all disturbances and starts everything that is down.
    mutating func makePeace() throws(Finding) {
        isAtPeace = true
        world.note("world: peace")
        for number in troubles.indices { relieve(number) }
        world.network.changeAll { $0 = Link() }
        for node in nodes {
            node.machine.failsNextSync = false
            if !node.machine.isUp { try start(node.index) }
        }
        // Who stands still comes to itself.
        try run(until: nodes.map(\.machine.pausedUntil).max() ?? world.now)
    }

    // MARK: The operator

    /// The operator does something now and then.
    mutating func operate() throws(Finding) {
        world.schedule(.operate, after: ClusterSteward.interval)
        guard !isAtPeace else { return }
        guard let index = choices.pick(nodes.indices.filter { nodes[$0].process != nil }) else {
            return
        }
        switch choices.below(1_000) {
        case 0..<25:
            steward.flushes.append(
                ClusterSteward.Flush(ticket: steward.nextTicket, began: world.now))
            world.note("operator: flush at \(nodes[index].name)")
            try ask(.flush, at: index)
        case 25..<35 where world.now < lastLeave && isMissingNoDisk:
            steward.leavingUntil = world.now + 15_000_000_000
            world.note("operator: \(nodes[index].name) leaves")
            try step(.leave, on: index)
        case 35..<85:
            guard let name = choices.pick(steward.lost) else { return }
            world.note("operator: forget \(name) at \(nodes[index].name)")
            try ask(.forget(name: name), at: index)
        case 85..<95:
            // As a node does whose version counter runs out.
            try ask(.renew, at: index)
        default: break
        }
    }

    /// Asks a node for something.
    mutating func ask(_ request: Request, at index: Int) throws(Finding) {
        steward.nextTicket += 1
        try step(.request(request, ticket: steward.nextTicket - 1), on: index)
    }

    /// A node tells what became of a request.
    mutating func answered(
        _ ticket: UInt64, _ answer: Answer, _ node: ClusterNode
    ) {
        world.note("\(node.name) answers request \(ticket): \(answer)")
        guard let position = steward.flushes.firstIndex(where: { $0.ticket == ticket }) else {
            return
        }
        let flush = steward.flushes.remove(at: position)
        guard case .done(let epoch) = answer else { return }
        world.coverage.add(.flushesDone)
        ledger.flushed(began: flush.began, epoch: epoch)
    }
}
