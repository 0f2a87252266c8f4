// What all loops of a node share.
internal import Placement
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import Primitives
internal import Storage
internal import Synchronization

/// What another thread wants a loop to do.
enum LoopMessage: Sendable {
    /// Serve this connection.
    case adopt(descriptor: Int32, listener: Int)
    /// Let connections go and end.
    case stop
    /// List the loop's connections.
    case describe(ConnectionSurvey)
    /// Serve this node of the cluster, whose greeting is over.
    case adoptPeer(descriptor: Int32)
    /// Use this table from now on.
    case install(ClusterTable)
    /// Mint versions in this epoch from now on.
    case adoptEpoch(UInt64)
    /// Ask nothing of that member, or do so again.
    case suspect(NodeID, Bool)
    /// Begin the counters anew that hold a highest value.
    case resetMaxima
}

/// A loop's letter box: others put messages in and ring the bell.
final class LoopInbox: Sendable {
    private let messages = Mutex<[LoopMessage]>([])
    /// An eventfd that is readable while messages wait.
    let bell: Int32

    init() throws(NodeError) {
        bell = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw .system(call: "eventfd", code: errno) }
    }

    func post(_ message: LoopMessage) {
        messages.withLock { $0.append(message) }
        ring()
    }

    func ring() {
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
    }

    func takeAll() -> [LoopMessage] {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
        return messages.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}

/// An address that clients connect to.
struct Listener: Sendable {
    let descriptor: Int32
    let name: String
    let port: Int
    let isUnix: Bool
}

/// What all loops of a node share: settings, shards, letter boxes, counters.
final class NodeShared: Sendable {
    let configuration: NodeConfiguration
    let clock: NodeClock
    let shards: ShardTable
    let listeners: [Listener]
    let inboxes: [LoopInbox]
    let counters: [LoopCounters]
    let logger: Logger
    let startedUnixSeconds: Int64
    let processIdentifier: Int32
    /// Connections open or about to be, over all loops.
    let connections = Atomic<Int>(0)
    /// `-c`, or less where the system allows fewer descriptors.
    let connectionLimit: Int
    /// Raised once: no new connections, let the others go.
    let isStopping = Atomic<Bool>(false)
    let verbosity: Atomic<Int>
    /// Numbers connections over all loops.
    let connectionNumbers = Atomic<Int>(0)
    /// Who watches what happens.
    let watchers: WatchHub
    /// What the loops tell of hot keys.
    let hotKeys: HotKeyBoard
    /// `stats detail`.
    let prefixes = PrefixStatistics()
    /// Dumps of the keys, and what may be set about them.
    let crawler = CrawlerControl()
    /// What was counted before the last `stats reset`.
    let baseline = Mutex(StatisticsBaseline())
    /// Peers that were refused, as they were logged: a peer that tries again is not news.
    let refusals = Mutex<[String]>([])
    /// What the loops share with the control thread; nil on a node that is alone.
    let cluster: ClusterShared?
    private let watchLock = Mutex<Void>(())

    init(
        configuration: NodeConfiguration, shards: ShardTable, listeners: [Listener], logger: Logger,
        connectionLimit: Int, clock: NodeClock, cluster: ClusterShared? = nil
    ) throws(NodeError) {
        self.configuration = configuration
        self.cluster = cluster
        self.clock = clock
        self.shards = shards
        self.listeners = listeners
        self.logger = logger
        self.connectionLimit = connectionLimit
        var boxes: [LoopInbox] = []
        for _ in 0..<configuration.threads { boxes.append(try LoopInbox()) }
        inboxes = boxes
        counters = (0..<configuration.threads).map { _ in LoopCounters() }
        startedUnixSeconds = clock.reading.unixSeconds
        processIdentifier = getpid()
        verbosity = Atomic(configuration.verbosity)
        watchers = WatchHub(clock: clock)
        hotKeys = try HotKeyBoard(configuration)
    }

    /// Tells every shard what is watched now.
    func applyWatching() {
        watchLock.withLock { _ in
            var mask = watchers.interests.shardMask
            // Prefixes are counted from what a look-up notes.
            if prefixes.isEnabled { mask.insert(.fetchers) }
            for number in 0..<shards.access.count {
                shards.access.withShard(number) { shard in
                    shard.watching = mask
                    shard.store.recordsEvictions = mask.contains(.evictions)
                    if mask.isEmpty { shard.events.removeAll() }
                }
            }
        }
    }

    /// The node's name, as clients know it.
    var clientName: String {
        guard let listener = listeners.first else { return "-" }
        return listener.isUnix ? listener.name : "\(listener.name):\(listener.port)"
    }

    /// The node that owns a key, as clients know it.
    func ownerName(of key: [UInt8]) -> String {
        guard let table = cluster?.table.withLock({ $0 }) else { return clientName }
        let routes = table.gate.table
        let route = routes.route(key.span.bytes, KeyHash(of: key.span.bytes))
        return routes.topology.members[Int(route.owner)].client.text
    }

    /// Asks every loop to let its connections go.
    func stop() {
        guard !isStopping.exchange(true, ordering: .relaxed) else { return }
        for box in inboxes { box.post(.stop) }
    }

    /// A counter over all loops.
    func total(_ counter: LoopCounter) -> UInt64 {
        counters.reduce(0) { $0 &+ $1[counter] }
    }

    // MARK: flush_all

    /// When a delayed flush is due, in nanoseconds of the node's clock; 0 for none.
    private let flushDue = Atomic<Int64>(0)

    /// Ends every item stored so far.
    func flush(at now: ClockReading) {
        flushDue.store(0, ordering: .relaxed)
        for shard in 0..<shards.access.count {
            shards.access.withShard(shard) { $0.flush(at: now) }
        }
    }

    /// Flushes later; a later command replaces the time, as in memcached.
    func scheduleFlush(after exptime: Int64, from now: ClockReading) {
        let seconds = exptime > Self.relativeSeconds ? max(0, exptime - now.unixSeconds) : exptime
        let (distance, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let due = overflow ? Int64.max : now.instant.nanoseconds &+ min(distance, Int64.max / 2)
        flushDue.store(due, ordering: .relaxed)
    }

    /// Longest relative time; above it a number means the date.
    private static let relativeSeconds: Int64 = 60 * 60 * 24 * 30

    /// Whether a delayed flush is due; it is told once.
    func takeDueFlush(at now: ClockReading) -> Bool {
        let due = flushDue.load(ordering: .relaxed)
        guard due != 0 && now.instant.nanoseconds >= due else { return false }
        flushDue.store(0, ordering: .relaxed)
        return true
    }
}
