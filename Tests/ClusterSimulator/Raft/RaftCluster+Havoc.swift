// What the world does to the servers.

import Primitives
import Raft

/// Something that has begun and will end.
enum Trouble {
    case network(NetworkTrouble)
    case slowDisk(machine: Int)
}

extension RaftCluster {
    /// Schedules the next disturbance of the plan.
    mutating func scheduleDisturbance() {
        guard let next = plan.next() else { return }
        world.schedule(.disturb(next.kind, lasting: next.lasting), after: next.after)
    }

    /// Begins a disturbance.
    mutating func disturb(_ kind: Disturbance, lasting: Int64) throws(Finding) {
        guard !isAtPeace else { return }
        scheduleDisturbance()
        world.note("world: \(kind) for \(lasting / 1_000_000) ms")
        if let trouble = networkTrouble(kind, lasting: lasting) {
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
            for index in nodes.indices where nodes[index].machine.isUp {
                stop(index, losingPower: true, forHowLong: havoc.within(0...2_000_000_000))
            }
        case .wipe: wipe(index, lasting: lasting)
        case .bitFlip: flipBit(index, lasting: lasting)
        case .pause:
            world.coverage.add(.pauses)
            nodes[index].machine.pausedUntil = world.now + lasting
        case .slowDisk:
            world.coverage.add(.slowDisks)
            nodes[index].machine.diskFactor = havoc.within(10...1_000)
            begin(.slowDisk(machine: index), lasting: lasting)
        case .syncError: nodes[index].machine.failsNextSync = true
        case .drift:
            world.coverage.add(.drifts)
            if has(.driftBeyondBound) { return driftApart() }
            let bound = Machine.driftBoundPPM
            nodes[index].machine.clock.setDrift(ppm: havoc.within(-bound...bound), at: world.now)
        case .clockLeap:
            world.coverage.add(.clockLeaps)
            nodes[index].machine.clock.leap(by: lasting, at: world.now)
        case .partition, .oneWayPartition, .isolation, .partialPartition, .clog, .loss,
            .duplication, .reordering:
            break
        }
    }

    /// The planted bug: the leader's clock runs 30 % slow and all others as much too fast.
    private mutating func driftApart() {
        let bound = Machine.driftBoundPPM * 30
        let leader = leader
        for index in nodes.indices {
            nodes[index].machine.clock.setDrift(
                ppm: index == leader ? -bound : bound, at: world.now)
        }
    }

    private mutating func networkTrouble(
        _ kind: Disturbance, lasting: Int64
    ) -> NetworkTrouble? {
        let targets = NetworkTrouble.Targets(machines: Array(nodes.indices), focus: leader)
        return NetworkTrouble(kind, targets, lasting: lasting, world: &world, &havoc)
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

    /// A running server; in one of three cases the leader.
    private mutating func victim() -> Int? {
        if let leader, havoc.chance(permille: 330) { return leader }
        return havoc.pick(nodes.indices.filter { nodes[$0].machine.isUp })
    }

    /// Ends a process; another one starts after `pause`.
    mutating func stop(_ index: Int, losingPower: Bool, forHowLong pause: Int64) {
        let loss = nodes[index].machine.stop(losingPower: losingPower, &disks)
        world.coverage.add(.lostWrites, UInt64(loss.lostWrites))
        if loss.tornBytes > 0 { world.coverage.add(.tornWrites) }
        nodes[index].forgetProcess()
        world.note(
            "\(nodes[index].id) stops\(losingPower ? " and loses power" : ""),"
                + " \(loss.lostWrites) writes lost, \(loss.tornBytes) bytes torn")
        world.schedule(.start(machine: index), after: pause)
    }

    /// Starts the next process of a machine.
    mutating func start(_ index: Int) throws(Finding) {
        guard !nodes[index].machine.isUp else { return }
        nodes[index].machine.start(at: world.now, &havoc)
        world.coverage.add(.restarts)
        world.note("\(nodes[index].id) starts")
        try startProcess(on: index)
    }

    private mutating func wipe(_ index: Int, lasting: Int64) {
        guard canLoseDisk(of: index) else { return }
        world.coverage.add(.wipes)
        stop(index, losingPower: true, forHowLong: lasting / 2)
        replaceDisk(of: index)
    }

    /// Damages a file of a server that is down; it must refuse to start from it.
    private mutating func flipBit(_ index: Int, lasting: Int64) {
        guard canLoseDisk(of: index) else { return }
        stop(index, losingPower: false, forHowLong: lasting / 2)
        let names = nodes[index].machine.disk.names.shuffled(using: &havoc)
        for name in names where nodes[index].machine.disk.flipBit(of: name, &havoc) {
            world.coverage.add(.bitFlips)
            world.note("world: a bit of \(nodes[index].id)'s \(name) is inverted")
            steward.damaged = nodes[index].id
            return
        }
    }

    /// Ends all disturbances and starts everything that is down.
    mutating func makePeace() throws(Finding) {
        isAtPeace = true
        world.note("world: peace")
        for number in troubles.indices { relieve(number) }
        world.network.changeAll { $0 = Link() }
        for index in nodes.indices {
            nodes[index].machine.failsNextSync = false
            nodes[index].machine.pausedUntil = min(nodes[index].machine.pausedUntil, world.now)
            if !nodes[index].machine.isUp { try start(index) }
        }
    }
}
