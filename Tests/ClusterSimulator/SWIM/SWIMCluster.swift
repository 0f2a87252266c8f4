// A cluster of SWIM members in a world that wishes them ill.

import Primitives
import SWIM

/// All members, their world, and what is judged after every event.
struct SWIMCluster {
    /// A process looks at its clock this often, in nanoseconds of its own clock.
    static let tickInterval: Int64 = 10_000_000
    /// What the world does to membership; it has no disk that matters.
    static let disturbances: [Disturbance] = [
        .partition, .oneWayPartition, .isolation, .partialPartition, .clog, .loss, .duplication,
        .reordering, .kill, .pause, .drift, .clockLeap,
    ]

    /// What happened since counting began, for drills.
    struct Tally {
        var suspicions = 0
        /// Verdicts of death, by machine of the dead.
        var deaths: [Int]
        /// Changes of rings, by machine of the member that came or went.
        var ringChanges: [Int]
        /// Claims that anybody holds for dead, each once however many members do.
        private var deadClaims: Set<DeadClaim> = []

        private struct DeadClaim: Hashable {
            var machine: Int
            var incarnation: UInt64
        }

        init(count: Int) {
            deaths = Array(repeating: 0, count: count)
            ringChanges = Array(repeating: 0, count: count)
        }

        mutating func noteDeath(_ machine: Int, in incarnation: UInt64) {
            deaths[machine] += 1
            deadClaims.insert(DeadClaim(machine: machine, incarnation: incarnation))
        }

        /// How often one of the first `count` machines was declared dead: a verdict that others
        /// take over is one.
        func falseVerdicts(amongFirst count: Int) -> Int {
            deadClaims.count { $0.machine < count }
        }
    }

    let options: SimulationOptions
    let settings = SWIMInstance.Settings()
    /// Whether closed links are told to the members.
    var tellsLinks: Bool
    var passesWire: Bool
    /// Where all stand: a long word in some runs, so that datagrams get full.
    var zone: String
    /// Whether the bytes of messages are counted, and how many it were.
    var countsBytes = false
    var bytesSent: UInt64 = 0

    var world: World<SWIMAction>
    var nodes: [SWIMNode] = []
    /// Where each machine is reached.
    private var addresses: [SWIMInstance.Address] = []
    var tally: Tally
    var havoc: SeededGenerator
    var seeds: SeededGenerator
    var plan: FaultPlan
    var troubles: [NetworkTrouble?] = []
    var isAtPeace = true

    init(_ options: SimulationOptions) {
        self.options = options
        var draw = SeededGenerator(seed: options.seed, purpose: 12)
        tellsLinks = draw.chance(permille: 500)
        passesWire = draw.chance(permille: 250)
        zone = String(repeating: "z", count: draw.below(700))
        havoc = SeededGenerator(seed: options.seed, purpose: 13)
        seeds = SeededGenerator(seed: options.seed, purpose: 16)
        world = World(machines: options.nodes, seed: options.seed, isTraced: options.isTraced)
        plan = FaultPlan(
            kinds: Self.disturbances, random: SeededGenerator(seed: options.seed, purpose: 17))
        tally = Tally(count: options.nodes)
        for index in 0..<options.nodes {
            let machine = Machine(clock: Machine.anyClock(at: 0, &havoc))
            addresses.append(SWIMInstance.Address("machine-\(index):21211"))
            nodes.append(
                SWIMNode(id: NodeID(UInt64(index + 1)), machine: machine, count: options.nodes))
        }
    }

    /// Whether `bug` is planted.
    func has(_ bug: PlantedBug) -> Bool { options.bug == bug }

    func machine(of id: NodeID) -> Int { Int(id.value) - 1 }

    private func machine(at address: SWIMInstance.Address) -> Int {
        let digits = address.text.utf8.dropFirst(8).prefix { $0 != UInt8(ascii: ":") }
        return digits.reduce(0) { $0 * 10 + Int($1) - 48 }
    }

    /// Starts a process; it joins through all others.
    mutating func startProcess(on index: Int) throws(Finding) {
        let now = nodes[index].machine.clock.local(at: world.now)
        // Sometimes what was stored is lost: then it has to find out what is said about it.
        let incarnation = havoc.chance(permille: 300) ? 1 : nodes[index].stored + 1
        do throws(SWIMError) {
            nodes[index].instance = try SWIMInstance(
                id: nodes[index].id, life: nodes[index].machine.life, incarnation: incarnation,
                metadata: SWIMInstance.Metadata(
                    name: "machine-\(index)", peer: addresses[index], zone: zone),
                settings: settings, cluster: 7, seed: seeds.next(), at: now)
        } catch {
            throw Finding("a member starts", "\(nodes[index].id): \(error)")
        }
        nodes[index].highestClaim = max(nodes[index].highestClaim, incarnation)
        world.coverage.add(.joins)
        world.schedule(
            .tick(machine: index, life: nodes[index].machine.life),
            after: havoc.within(0...Self.tickInterval))
        try step(.join(addresses), on: index)
    }

    /// Lets true time pass up to `end`.
    mutating func run(until end: Int64) throws(Finding) {
        while world.now < end, let action = world.next() {
            world.digest.mix(action.summary)
            try take(action)
        }
    }

    /// Lets true time pass for `milliseconds`.
    mutating func run(milliseconds: Int64) throws(Finding) {
        try run(until: world.now + milliseconds * 1_000_000)
    }

    private mutating func take(_ action: SWIMAction) throws(Finding) {
        switch action {
        case .tick(let index, let life):
            guard nodes[index].machine.life == life, nodes[index].machine.isUp else { return }
            // What came while a process stood still is read before it looks at the clock.
            let until = nodes[index].machine.pausedUntil
            guard until <= world.now else {
                return world.schedule(action, after: until - world.now + 1)
            }
            try step(.tick, on: index)
            let pause = nodes[index].machine.clock.trueDuration(ofLocal: Self.tickInterval)
            world.schedule(action, after: pause)
        case .arrive(let packet):
            guard nodes[packet.receiver].instance != nil else {
                return world.coverage.add(.packetsTooLate)
            }
            let until = nodes[packet.receiver].machine.pausedUntil
            guard until <= world.now else {
                return world.schedule(action, after: until - world.now)
            }
            try step(
                .received(packet.message, from: addresses[packet.sender]), on: packet.receiver)
        case .linkClosed(let index, let life, let member):
            guard nodes[index].machine.life == life, nodes[index].machine.pausedUntil <= world.now
            else { return }
            try step(.linkClosed(member), on: index)
        case .disturb(let kind, let lasting): try disturb(kind, lasting: lasting)
        case .relieve(let number): relieve(number)
        case .start(let index): try start(index)
        }
    }

    /// Gives a member an input, judges it and carries out what it asks for.
    mutating func step(_ input: SWIMInstance.Input, on index: Int) throws(Finding) {
        guard nodes[index].instance != nil else { return }
        let now = nodes[index].machine.clock.local(at: world.now)
        var effects: [SWIMInstance.Effect] = []
        nodes[index].instance?.step(input, at: now, effects: &effects)
        for effect in effects { try carryOut(effect, on: index) }
    }

    private mutating func carryOut(
        _ effect: SWIMInstance.Effect, on index: Int
    ) throws(Finding) {
        switch effect {
        case .send(let message, let address), .sendStream(let message, let address):
            let receiver = machine(at: address)
            guard receiver != index, nodes.indices.contains(receiver) else { return }
            try send(message, from: index, to: receiver)
        case .memberChanged(let member): try changed(member, seenBy: index)
        case .memberForgotten(let id):
            nodes[index].beliefs[machine(of: id)] = nil
            nodes[index].ring[machine(of: id)] = false
        case .incarnationRaised(let incarnation):
            world.coverage.add(.refutations)
            nodes[index].stored = max(nodes[index].stored, incarnation)
            nodes[index].highestClaim = max(nodes[index].highestClaim, incarnation)
            world.note("\(nodes[index].id) rises to incarnation \(incarnation)")
        case .removalsFrozen: break
        case .nameTaken:
            throw Finding("a restart keeps its name", "\(nodes[index].id) was told to go")
        case .leaveFinished:
            world.coverage.add(.leaves)
            stop(index, forHowLong: havoc.within(0...3_000_000_000))
        }
    }
}
