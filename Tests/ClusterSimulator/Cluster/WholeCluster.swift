// A cluster of whole nodes in a world that wishes them ill: both planes of each, and clients.

import ControlPlane
import Placement
import Primitives
import Raft
import SWIM

/// All nodes, their world, their clients, and the observers that judge them.
///
/// Files `WholeCluster+X.swift` hold what is done by the shell around the control planes, by the
/// loops, by clients and by the world.
struct WholeCluster {
    /// A process looks at its clock this often, in nanoseconds of its own clock.
    static let tickInterval: Int64 = 10_000_000
    static let loopsPerNode = 2
    static let shardsPerNode = 2
    /// The mean pause between two disturbances: longer than for consensus alone, for a cluster that
    /// serves nothing breaks no promise.
    static let meanGap: ClosedRange<Int64> = 500_000_000...4_000_000_000

    let options: SimulationOptions
    let settings: ControlPlaneInstance.Settings
    let ring: RingSettings
    let keys: [[UInt8]]
    /// Whether what goes over one stream arrives in order.
    let keepsOrder: Bool
    /// Whether every message is encoded and decoded on its way.
    let passesWire: Bool
    let segmentLimit: Int

    var world: World<ClusterAction>
    var nodes: [ClusterNode] = []
    var ledger: PromiseLedger
    var clients: [ClusterClient] = []
    var operations = 0
    var isStopped = false
    /// When the last stream message of a pair of machines arrives.
    var lastArrivals: [Int64]
    /// Tables by epoch, leaders by term.
    var topologies: [UInt64: Topology] = [:]
    var leaders: [UInt64: NodeID] = [:]
    var steward = ClusterSteward()

    /// Streams of chance: for the world's doings, for disks, for clients, for the seeds of
    /// processes, and for how long things take.
    var havoc: SeededGenerator
    var disks: SeededGenerator
    var choices: SeededGenerator
    var seeds: SeededGenerator
    var delays: SeededGenerator

    var plan: FaultPlan
    var troubles: [Trouble?] = []
    /// Whether nothing is disturbed: at first and at last.
    var isAtPeace = true
    /// Until then the operator makes nodes leave.
    var lastLeave: Int64 = 0

    init(_ options: SimulationOptions) {
        self.options = options
        var draw = SeededGenerator(seed: options.seed, purpose: 22)
        settings = Self.drawSettings(&draw)
        let count = Int(draw.within(4...16))
        keys = (0..<count).map { Array("key-\($0)".utf8) }
        ring = Self.drawRing(&draw, keys: count)
        keepsOrder = draw.chance(permille: 500)
        passesWire = draw.chance(permille: 250)
        segmentLimit = Int(draw.within(500...8_000))
        havoc = SeededGenerator(seed: options.seed, purpose: 23)
        disks = SeededGenerator(seed: options.seed, purpose: 24)
        choices = SeededGenerator(seed: options.seed, purpose: 25)
        seeds = SeededGenerator(seed: options.seed, purpose: 26)
        delays = SeededGenerator(seed: options.seed, purpose: 28)
        ledger = PromiseLedger(keys: count)
        lastArrivals = Array(repeating: 0, count: options.nodes * options.nodes)
        world = World(machines: options.nodes, seed: options.seed, isTraced: options.isTraced)
        plan = FaultPlan(
            kinds: Self.disturbances, random: SeededGenerator(seed: options.seed, purpose: 27),
            meanGap: Self.meanGap)
        for index in 0..<options.nodes {
            let machine = Machine(clock: Machine.anyClock(at: 0, &havoc))
            let isFounder = index == 0
            let node = ClusterNode(
                index: index, machine: machine,
                hasDisk: isFounder || !draw.chance(permille: 200),
                weight: isFounder || !draw.chance(permille: 70) ? Int(draw.within(1...2)) : 0,
                zone: draw.chance(permille: 500) ? "" : "z\(draw.below(3))",
                segmentLimit: segmentLimit)
            node.machine.isUp = false
            nodes.append(node)
        }
    }

    /// Small limits, so that each is met within seconds, and short waits, so that a minute is long.
    private static func drawSettings(
        _ draw: inout SeededGenerator
    ) -> ControlPlaneInstance.Settings {
        var settings = ControlPlaneInstance.Settings()
        settings.swim.trialSeconds = 1
        settings.swim.trialLimitSeconds = 2
        settings.swim.freezeSeconds = 5
        settings.swim.joinLimitMilliseconds = 2_000
        settings.swim.pushPullSeconds = Int(draw.within(3...30))
        settings.comebackMilliseconds = 1_000
        settings.comebackLimitMilliseconds = 2_000
        settings.voterPatienceMilliseconds = Int(draw.within(2_000...5_000))
        settings.raft.snapshotThresholdEntries = Int(draw.within(10...200))
        settings.raft.keptEntries = Int(draw.within(1...50))
        settings.raft.chunkBytes = Int(draw.within(200...4_000))
        settings.raft.appendLimitEntries = Int(draw.within(1...64))
        settings.raft.inFlightLimitMessages = Int(draw.within(1...32))
        return settings
    }

    private static func drawRing(_ draw: inout SeededGenerator, keys: Int) -> RingSettings {
        let points = Int(draw.within(2...16))
        switch draw.below(10) {
        case 0: return RingSettings(.ketama, virtualNodes: points)
        case 1:
            let splits = (1..<keys).filter { _ in draw.chance(permille: 400) }
                .map { Array("key-\($0)".utf8) }
            return RingSettings(
                .range, virtualNodes: points,
                splits: splits.sorted { $0.lexicographicallyPrecedes($1) })
        default: return RingSettings(.xxh3, virtualNodes: points)
        }
    }

    /// Starts all nodes one after another: the first founds the cluster, the others join it.
    mutating func found() throws(Finding) {
        for index in nodes.indices {
            let wait = index == 0 ? 0 : havoc.within(0...1_500_000_000)
            world.schedule(.start(machine: index), after: wait)
        }
        startClients()
        world.schedule(.operate, after: ClusterSteward.interval)
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

    private mutating func take(_ action: ClusterAction) throws(Finding) {
        switch action {
        case .tick(let index, let life): try tick(index, life, action)
        case .control(let packet): try arrive(packet, action)
        case .synced(let index, let life, let write): try synced(index, life, write, action)
        case .table(let loop): hand(loop, action)
        case .turn(let loop): try turn(loop, action)
        case .resume(let loop): try resume(loop, action)
        case .adopt(let index, let life, let epoch): try adopt(index, life, epoch, action)
        case .requests(let batch): receive(batch)
        case .frame(let frame): receive(frame)
        case .answer(let answer): receive(answer)
        case .link(let event): try handle(event, action)
        case .replies(let replies): try deliver(replies)
        case .client(let client, let sequence): try clientActs(client, sequence)
        case .linkClosed(let index, let life, let member):
            guard nodes[index].process?.life == life, !postpone(action, for: index) else { return }
            try step(.linkClosed(member), on: index)
        case .disturb(let kind, let lasting): try disturb(kind, lasting: lasting)
        case .relieve(let number): relieve(number)
        case .start(let index): try start(index)
        case .operate: try operate()
        }
    }

    private mutating func tick(
        _ index: Int, _ life: UInt64, _ action: ClusterAction
    ) throws(Finding) {
        guard nodes[index].process?.life == life else { return }
        // What came while a process stood still is read before it looks at the clock.
        let until = nodes[index].machine.pausedUntil
        guard until <= world.now else {
            return world.schedule(action, after: until - world.now + 1)
        }
        try step(.tick, on: index)
        world.schedule(
            action, after: nodes[index].machine.clock.trueDuration(ofLocal: Self.tickInterval))
    }

    /// Puts an event of a paused process off until it goes on; true if that was so.
    mutating func postpone(_ action: ClusterAction, for index: Int) -> Bool {
        let until = nodes[index].machine.pausedUntil
        guard until > world.now else { return false }
        world.schedule(action, after: until - world.now)
        return true
    }

    /// What the clock of a machine shows.
    func clock(of index: Int) -> Instant { nodes[index].machine.clock.local(at: world.now) }

    /// The process of a loop, if it is still that one.
    func process(_ loop: LoopAddress) -> ClusterProcess? {
        guard let process = nodes[loop.machine].process, process.life == loop.life else {
            return nil
        }
        return process
    }

    /// The machine that leads in the highest term, if any.
    var leader: Int? {
        var best: (index: Int, term: UInt64)?
        for node in nodes {
            guard let control = node.process?.control, control.isLeader else { continue }
            let term = control.raft.term
            if term > best?.term ?? 0 { best = (node.index, term) }
        }
        return best?.index
    }
}
