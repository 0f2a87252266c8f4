// One run of a SWIM cluster: calm, chaos, peace, and a drill.

import Primitives
import SWIM

/// Runs a seed of a SWIM cluster.
enum SWIMSimulation {
    /// After the last disturbance no live member is held for suspect or dead beyond this time.
    static let recoveryMilliseconds: Int64 = 10_000
    /// After that each member has exchanged all it knows with another one: an interval of
    /// push-pulls and a little.
    static let exchangeMilliseconds: Int64 = 35_000

    /// Runs the seed to its end, or to the first property that does not hold.
    static func run(_ options: SimulationOptions) -> SimulationReport {
        var cluster = SWIMCluster(options)
        var violation: Violation?
        do throws(Finding) {
            try cluster.gather()
            cluster.makeWar()
            try cluster.run(until: cluster.world.now + Int64(options.seconds) * 1_000_000_000)
            try cluster.makePeace()
            try cluster.run(milliseconds: recoveryMilliseconds)
            try cluster.judgeNobodyAccused()
            try cluster.run(milliseconds: exchangeMilliseconds)
            try cluster.judgeOneView()
            try cluster.drill()
        } catch {
            violation = Violation(
                property: error.property, detail: error.detail, tick: cluster.world.tick,
                milliseconds: cluster.world.now / 1_000_000)
        }
        return SimulationReport(
            seed: options.seed, digest: cluster.world.digest.value, ticks: cluster.world.tick,
            coverage: cluster.world.coverage, violation: violation,
            journal: cluster.world.journal.lines)
    }
}

extension SWIMCluster {
    /// All start, find each other, and are left alone for a while: nobody may be suspected.
    mutating func gather() throws(Finding) {
        for index in nodes.indices { try startProcess(on: index) }
        try run(milliseconds: 5_000)
        try judgeOneView()
        tally = Tally(count: nodes.count)
        try run(milliseconds: 5_000)
        guard tally.suspicions == 0 else {
            throw Finding("no fault, no suspicion", "\(tally.suspicions) suspicions")
        }
    }

    /// One of the drills, by the seed.
    mutating func drill() throws(Finding) {
        tally = Tally(count: nodes.count)
        // Tempers cool first: slow members trust themselves less for some time.
        try run(milliseconds: 5_000)
        let up = nodes.indices.filter { nodes[$0].instance != nil }.shuffled(using: &havoc)
        guard up.count > 2 else { return }
        tally = Tally(count: nodes.count)
        switch options.seed % 7 {
        case 0: try crash([up[0]])
        case 1: try leave(up[0])
        case 2: try cutOneWay(from: up[0], to: up[1])
        case 3: try pause(Array(up[..<(up.count * 3 / 10)]))
        case 4: try crash(Array(up[..<((up.count - 1) / 2)]))
        case 5: try flap(up[0])
        default: try losePackets()
        }
    }

    /// Completeness: round-robin probing bounds the first suspicion by 2n - 1 periods (DSN 2002,
    /// section 4.3), then comes the longest suspicion, then gossip.
    private mutating func crash(_ victims: [Int]) throws(Finding) {
        world.note("drill: \(victims.map { nodes[$0].id }) crash")
        for index in victims {
            nodes[index].isGone = true
            stop(index, forHowLong: nil)
        }
        let periods = Int64(2 * nodes.count - 1) * Int64(settings.periodMilliseconds)
        try run(
            milliseconds: periods + Int64(settings.suspicionMaximumMilliseconds) + 3_000)
        try judgeOneView()
        for index in nodes.indices where nodes[index].instance != nil {
            guard tally.deaths[index] == 0 else {
                throw Finding("survivors are not declared dead", "\(nodes[index].id) was")
            }
        }
    }

    private mutating func leave(_ index: Int) throws(Finding) {
        world.note("drill: \(nodes[index].id) leaves")
        nodes[index].isGone = true
        try step(.leave, on: index)
        try run(milliseconds: 2_500)
        for other in nodes.indices where nodes[other].instance != nil {
            let seen = nodes[other].instance?.member(nodes[index].id)
            guard seen?.status == .left else {
                throw Finding("a good-bye is heard", "\(nodes[other].id) did not hear it")
            }
        }
    }

    /// What does not come through directly comes through relays.
    private mutating func cutOneWay(from one: Int, to other: Int) throws(Finding) {
        world.note("drill: \(nodes[one].id) does not reach \(nodes[other].id)")
        world.network[from: one, to: other].cuts += 1
        try run(milliseconds: 20_000)
        world.network[from: one, to: other].cuts -= 1
        guard tally.deaths[one] + tally.deaths[other] == 0, tally.suspicions == 0 else {
            throw Finding(
                "relays reach whom a broken path does not",
                "\(tally.suspicions) suspicions, \(tally.deaths[other]) verdicts")
        }
    }

    /// Slow members declare no healthy one dead (Lifeguard): 2 s of every 2.3 s they stand still.
    private mutating func pause(_ slow: [Int]) throws(Finding) {
        world.note("drill: \(slow.map { nodes[$0].id }) stand still again and again")
        for _ in 0..<10 {
            for index in slow { nodes[index].machine.pausedUntil = world.now + 2_000_000_000 }
            try run(milliseconds: 2_300)
        }
        for index in nodes.indices where !slow.contains(index) {
            guard tally.deaths[index] == 0 else {
                throw Finding(
                    "no healthy member is declared dead by slow ones", "\(nodes[index].id) was")
            }
        }
    }

    /// With every tenth packet lost nobody is declared dead: relays and refutations see to it.
    private mutating func losePackets() throws(Finding) {
        world.note("drill: 10 % of all packets are lost")
        world.network.changeAll { $0.lossPermille = 100 }
        try run(milliseconds: 60_000)
        world.network.changeAll { $0.lossPermille = 0 }
        guard tally.deaths.allSatisfy({ $0 == 0 }) else {
            throw Finding("loss kills nobody", "\(tally.deaths) verdicts, by member")
        }
    }

    /// A member that comes and goes changes the ring twice at most.
    private mutating func flap(_ index: Int) throws(Finding) {
        world.note("drill: \(nodes[index].id) comes and goes")
        for _ in 0..<7 {
            nodes[index].machine.pausedUntil = world.now + 8_000_000_000
            try run(milliseconds: 8_300)
        }
        guard tally.ringChanges[index] <= 2 else {
            throw Finding(
                "who comes and goes changes the ring once",
                "\(nodes[index].id) changed it \(tally.ringChanges[index]) times")
        }
    }
}
