// One thread of the generator: its clients, their connections, one epoll descriptor.
import CLinux
import Glibc
import Placement
import Primitives

/// Sends one thread's part of the load and measures the answers.
///
/// Everything belongs to the one thread: nothing is locked, and after `init` nothing is allocated
/// but one sample a second. In closed loop a client sends ``LoadSettings/pipeline`` requests and,
/// when all are answered, the next ones. In open loop an operation is sent when it is due, by
/// the client that has been free longest; when all are busy it waits, and its latency counts
/// from the moment it was due.
struct LoadWorker: ~Copyable {
    // It stands first because the thread sanitizer takes a modification of what it points to for
    // one of whatever the first field points to, which must not be shared with other threads.
    let connections: UnsafeMutablePointer<LoadConnection>
    let plan: LoadPlan
    let thread: Int
    let live: LiveCounters
    let epoll: Int32
    let clientCount: Int
    let connectionsPerClient: Int
    let clients: UnsafeMutablePointer<VirtualClient>
    let received: UnsafeMutableRawBufferPointer
    let events: UnsafeMutablePointer<epoll_event>
    let values: ValueBlock
    let keyServers: KeyServers?

    var source: RequestSource
    var wire: WireProtocol
    var recording: Recording
    var schedule: ArrivalSchedule?
    var freeSlots: FreeSlots
    var groups = SplitReads()
    /// Draws servers for ``Routing/any``, apart from the keys.
    var serverRandom: SeededGenerator
    /// Operations this thread may still send in the present phase.
    var allowance = UInt64.max
    /// Whether new operations are sent: not while the last answers are awaited.
    var isSending = false
    /// Commands awaiting replies, over all clients.
    var outstanding = 0
    /// When the last answer came, or nothing was awaited, in nanoseconds.
    var lastHeard: Int64 = 0
    /// Connections to open again, and clients with nowhere to send to.
    var broken: [Int] = []
    var parked: [Int] = []
    /// Open loop: clients whose connections have something to flush; kept for its memory.
    var touched: [Int] = []
    /// What ``LiveCounters`` show.
    var shown = (
        requests: UInt64(0), keysRead: UInt64(0), hits: UInt64(0), errors: UInt64(0),
        latencySum: UInt64(0)
    )

    /// Bytes received at once; what does not fit is received in the next call.
    static let receiveBytes = 256 << 10
    /// Connections taken from one wait.
    static let eventLimit = 512
    /// Longest wait, so that a stop is seen, in nanoseconds.
    static let longestWait: Int64 = 50_000_000
    /// Open loop: operations composed before they are flushed and the clock is read again.
    static let dueLimit = 64
    /// Open loop: operations counted as due and not sent; more are not told apart.
    static let unsentLimit: UInt64 = 1 << 26
    /// Seconds without any answer, though some are awaited, after which servers count as dead.
    static let silenceSeconds = 10
    /// Nanoseconds until a broken connection is tried again, and a parked client sends again.
    static let reopenNanoseconds: Int64 = 100_000_000

    /// Opens all connections of thread `thread`.
    init(plan: LoadPlan, thread: Int, live: LiveCounters) throws(LoadError) {
        self.plan = plan
        self.thread = thread
        self.live = live
        let settings = plan.settings
        clientCount = plan.clientCount(thread: thread)
        connectionsPerClient = plan.connectionsPerClient
        let total = clientCount * connectionsPerClient
        clients = .allocate(capacity: clientCount)
        clients.initialize(repeating: VirtualClient(), count: clientCount)
        connections = .allocate(capacity: total)
        received = .allocate(byteCount: Self.receiveBytes, alignment: 64)
        events = .allocate(capacity: Self.eventLimit)
        values = ValueBlock(
            byteCount: plan.phases.reduce(0) { largest, phase in
                max(largest, Self.largestValue(phase.settings))
            })
        keyServers = plan.ring.map { KeyServers(ring: $0, keyCount: settings.keyCount) }
        source = RequestSource(settings: settings, thread: thread)
        wire = settings.wire
        recording = Recording(start: 0, servers: plan.servers.count)
        freeSlots = FreeSlots(
            capacity: plan.isOpenLoop ? clientCount * settings.pipeline : 1)
        serverRandom = SeededGenerator(seed: RequestSource.seed(~settings.seed, thread))
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        var opened = 0
        while opened < total {
            connections.advanced(by: opened).initialize(
                to: LoadConnection(
                    descriptor: -1, client: opened / connectionsPerClient,
                    server: Self.server(opened, plan, thread),
                    pendingLimit: settings.pipeline))
            opened += 1
        }
        for index in 0..<total {
            let descriptor = try plan.servers[connections[index].server].connect()
            ServerEndpoint.makeNonblocking(descriptor)
            connections[index].descriptor = descriptor
            guard kiln_epoll_add(epoll, descriptor, EPOLLIN.rawValue, UInt64(index)) == 0 else {
                throw .system(call: "epoll_ctl", reason: systemText(errno))
            }
        }
    }

    deinit {
        for index in 0..<(clientCount * connectionsPerClient) {
            if connections[index].descriptor >= 0 { close(connections[index].descriptor) }
        }
        connections.deinitialize(count: clientCount * connectionsPerClient)
        connections.deallocate()
        clients.deallocate()
        received.deallocate()
        events.deallocate()
        values.release()
        close(epoll)
    }

    /// The server of connection `index`: every one in turn, or dealt out over all threads.
    private static func server(_ index: Int, _ plan: LoadPlan, _ thread: Int) -> Int {
        guard plan.settings.routing == .sticky else { return index % plan.servers.count }
        return (index * plan.settings.threads + thread) % plan.servers.count
    }

    private static func largestValue(_ settings: LoadSettings) -> Int {
        if case .trace(let trace) = settings.keys { return trace.largestValue }
        return settings.valueSizes.largest
    }

}
