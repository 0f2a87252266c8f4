// A cluster of Raft servers in a world that wishes them ill.

import Primitives
import Raft

/// All servers, their world, their clients, and the observers that judge them.
///
/// Files `RaftCluster+X.swift` hold what is done by the shell, by the world, by clients and by the
/// operator.
struct RaftCluster {
    /// A process looks at its clock this often, in nanoseconds of its own clock.
    static let tickInterval: Int64 = 10_000_000
    /// Machines beside those that found the cluster: they begin empty and join later.
    static let spareMachines = 2

    let options: SimulationOptions
    let settings: RaftInstance.Settings
    /// Bytes that pad each command and each snapshot, so that logs and chunks have some size.
    let padding: (command: Int, snapshot: Int)
    /// After so many bytes the log goes on in another file.
    let segmentLimit: Int
    /// Whether every message is encoded and decoded on its way.
    let passesWire: Bool

    var world: World<RaftAction>
    var nodes: [RaftNode] = []
    /// The machine of each identity that still exists.
    var machines: [NodeID: Int] = [:]
    var ledger = RaftLedger()
    var reads = ReadLedger()
    var clients = RaftClients()
    var steward = RaftSteward()

    /// Streams of chance: for the world's doings, for disks, for clients and for seeds of servers.
    var havoc: SeededGenerator
    var disks: SeededGenerator
    var choices: SeededGenerator
    var seeds: SeededGenerator

    var plan: FaultPlan
    var troubles: [Trouble?] = []
    /// Whether the second phase has begun: nothing is disturbed any more.
    var isAtPeace = false

    init(_ options: SimulationOptions) {
        self.options = options
        var draw = SeededGenerator(seed: options.seed, purpose: 2)
        settings = Self.drawSettings(&draw)
        padding = (draw.below(64), draw.below(2_048))
        passesWire = draw.chance(permille: 250)
        segmentLimit = Int(draw.within(500...8_000))
        havoc = SeededGenerator(seed: options.seed, purpose: 3)
        disks = SeededGenerator(seed: options.seed, purpose: 4)
        choices = SeededGenerator(seed: options.seed, purpose: 5)
        seeds = SeededGenerator(seed: options.seed, purpose: 6)
        let count = options.nodes + Self.spareMachines
        world = World(machines: count, seed: options.seed, isTraced: options.isTraced)
        // Leases reckon with clocks that drift within a bound; a leap is beyond any.
        let leases = settings.readsByLease
        let kinds = Disturbance.allCases.filter { !leases || $0 != .clockLeap }
        plan = FaultPlan(kinds: kinds, random: SeededGenerator(seed: options.seed, purpose: 7))
        for index in 0..<count {
            let machine = Machine(clock: Machine.anyClock(at: 0, &havoc))
            let id = NodeID(UInt64(index + 1))
            nodes.append(RaftNode(id: id, machine: machine, segmentLimit: segmentLimit))
            machines[id] = index
        }
    }

    /// Small limits, so that each is met within seconds; different ones for each seed.
    private static func drawSettings(_ draw: inout SeededGenerator) -> RaftInstance.Settings {
        var settings = RaftInstance.Settings()
        settings.readsByLease = draw.chance(permille: 500)
        settings.snapshotThresholdEntries = Int(draw.within(50...600))
        settings.keptEntries = Int(draw.within(1...100))
        settings.chunkBytes = Int(draw.within(100...1_000))
        settings.appendLimitEntries = Int(draw.within(1...64))
        settings.inFlightLimitMessages = Int(draw.within(1...32))
        settings.promotionLagEntries = Int(draw.within(8...128))
        return settings
    }

    /// Puts the founders' state on their disks and sets everything going.
    mutating func found() throws(Finding) {
        let founders = nodes[..<options.nodes].map(\.id)
        let state = RaftInstance.PersistedState.founding(
            voters: founders, data: Registers(foundedAt: 1).encoded(padding: padding.snapshot))
        ledger.founded(Registers(foundedAt: 1))
        steward.wantedVoters = founders.count
        steward.committedVoters = founders
        for index in nodes.indices {
            let persistence = RaftInstance.Persistence(
                hardState: state.hardState, snapshot: state.snapshot)
            if index < options.nodes {
                let write = write(persistence, on: index)
                nodes[index].machine.disk.sync(through: write)
                noteDurable(persistence, on: index)
            }
            try startProcess(on: index)
        }
        for client in 0..<RaftClients.count { world.schedule(.client(client), after: 1_000_000) }
        world.schedule(.operate, after: RaftSteward.interval)
        if options.seconds > 0 { scheduleDisturbance() }
    }

    /// Lets true time pass up to `end`.
    mutating func run(until end: Int64) throws(Finding) {
        while world.now < end, let action = world.next() {
            world.digest.mix(action.summary)
            try take(action)
        }
    }

    /// Whether `bug` is planted.
    func has(_ bug: PlantedBug) -> Bool { options.bug == bug }

    private mutating func take(_ action: RaftAction) throws(Finding) {
        switch action {
        case .tick(let index, let life): try tick(index, life, action)
        case .arrive(let packet): try arrive(packet, action)
        case .synced(let index, let life, let write): try synced(index, life, write, action)
        case .disturb(let kind, let lasting): try disturb(kind, lasting: lasting)
        case .relieve(let number): relieve(number)
        case .start(let index): try start(index)
        case .client(let client): try clientActs(client)
        case .giveUp(let client, let ticket): giveUp(client, ticket)
        case .operate: try operate()
        }
    }

    private mutating func tick(_ index: Int, _ life: UInt64, _ action: RaftAction) throws(Finding) {
        guard nodes[index].machine.life == life, !postpone(action, for: index) else { return }
        try step(.tick, on: index)
        guard nodes[index].machine.life == life else { return }
        world.schedule(
            action, after: nodes[index].machine.clock.trueDuration(ofLocal: Self.tickInterval))
    }

    private mutating func arrive(_ packet: RaftPacket, _ action: RaftAction) throws(Finding) {
        guard let index = machines[packet.receiver], nodes[index].instance != nil else {
            return world.coverage.add(.packetsTooLate)
        }
        guard !postpone(action, for: index) else { return }
        world.note("\(packet.receiver) <- \(packet.sender) \(packet.message)")
        try step(.received(packet.message, from: packet.sender), on: index)
    }

    private mutating func synced(
        _ index: Int, _ life: UInt64, _ write: Int, _ action: RaftAction
    ) throws(Finding) {
        guard nodes[index].machine.life == life, !postpone(action, for: index) else { return }
        guard !nodes[index].machine.failsNextSync else {
            world.coverage.add(.syncErrors)
            world.note("\(nodes[index].id) sync fails")
            return stop(index, losingPower: true, forHowLong: havoc.within(0...2_000_000_000))
        }
        world.coverage.add(.syncs)
        if !has(.syncForgotten) { nodes[index].machine.disk.sync(through: write) }
        if let persistence = nodes[index].syncing { noteDurable(persistence, on: index) }
        nodes[index].syncing = nil
        try drain(index)
    }

    /// Puts an event of a paused process off until it goes on; true if that was so.
    private mutating func postpone(_ action: RaftAction, for index: Int) -> Bool {
        let until = nodes[index].machine.pausedUntil
        guard until > world.now else { return false }
        world.schedule(action, after: until - world.now)
        return true
    }

    /// The machine that leads in the highest term, if any.
    var leader: Int? {
        var best: Int?
        for index in nodes.indices where nodes[index].leads {
            guard let other = best else {
                best = index
                continue
            }
            let term = nodes[index].instance?.term ?? 0
            if term > nodes[other].instance?.term ?? 0 { best = index }
        }
        return best
    }
}
