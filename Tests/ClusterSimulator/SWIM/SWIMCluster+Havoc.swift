// What the world does to the members.

import Primitives
import SWIM

extension SWIMCluster {
    /// Begins the first phase.
    mutating func makeWar() {
        isAtPeace = false
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
        let targets = NetworkTrouble.Targets(machines: Array(nodes.indices), focus: nil)
        if let trouble = NetworkTrouble(kind, targets, lasting: lasting, world: &world, &havoc) {
            world.schedule(.relieve(troubles.count), after: lasting)
            troubles.append(trouble)
            return
        }
        guard let index = havoc.pick(nodes.indices.filter { nodes[$0].instance != nil })
        else { return }
        switch kind {
        case .kill where havoc.chance(permille: 250):
            world.note("\(nodes[index].id) says good-bye")
            try step(.leave, on: index)
        case .kill:
            world.coverage.add(.kills)
            stop(index, forHowLong: lasting)
        case .pause:
            world.coverage.add(.pauses)
            nodes[index].machine.pausedUntil = world.now + lasting
        case .drift:
            world.coverage.add(.drifts)
            let bound = Machine.driftBoundPPM
            nodes[index].machine.clock.setDrift(ppm: havoc.within(-bound...bound), at: world.now)
        case .clockLeap:
            world.coverage.add(.clockLeaps)
            nodes[index].machine.clock.leap(by: lasting, at: world.now)
        default: break
        }
    }

    /// Ends what began as number `number`.
    mutating func relieve(_ number: Int) {
        troubles[number]?.end(&world)
        troubles[number] = nil
    }

    /// Ends a process; another one starts after `pause`, or never.
    mutating func stop(_ index: Int, forHowLong pause: Int64?) {
        guard nodes[index].machine.isUp else { return }
        let loss = nodes[index].machine.stop(losingPower: false, &havoc)
        precondition(loss == VirtualDisk.Loss(), "a killed process loses no write")
        nodes[index].forgetProcess()
        world.note("\(nodes[index].id) stops")
        if let pause { world.schedule(.start(machine: index), after: pause) }
        guard tellsLinks else { return }
        for other in nodes.indices where nodes[other].instance != nil {
            let life = nodes[other].machine.life
            world.schedule(
                .linkClosed(machine: other, life: life, member: nodes[index].id),
                after: havoc.within(100_000...5_000_000))
        }
    }

    /// Starts the next process of a machine.
    mutating func start(_ index: Int) throws(Finding) {
        guard !nodes[index].machine.isUp, !nodes[index].isGone else { return }
        nodes[index].machine.start(at: world.now, &havoc)
        world.coverage.add(.restarts)
        world.note("\(nodes[index].id) starts")
        try startProcess(on: index)
    }

    /// Ends all disturbances; who is down starts again, but for one that may stay away for good.
    mutating func makePeace() throws(Finding) {
        isAtPeace = true
        world.note("world: peace")
        for number in troubles.indices { relieve(number) }
        world.network.changeAll { $0 = Link() }
        for index in nodes.indices {
            nodes[index].machine.pausedUntil = min(nodes[index].machine.pausedUntil, world.now)
        }
        let down = nodes.indices.filter { !nodes[$0].machine.isUp }
        if let gone = havoc.pick(down), havoc.chance(permille: 500) { nodes[gone].isGone = true }
        for index in down { try start(index) }
    }
}
