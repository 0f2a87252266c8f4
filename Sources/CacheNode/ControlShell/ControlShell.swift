// The control thread: sockets, clock and disk around the control plane, which has none.
internal import CLinux
internal import ControlPlane
internal import Glibc
internal import Logging
internal import Placement
internal import Primitives
internal import SWIM
internal import Synchronization

/// Runs a ``ControlPlaneInstance``; lives on one thread.
final class ControlShell {
    /// How often the control plane looks at its clock, at least; for membership's deadlines it does
    /// so sooner.
    ///
    /// Every 10 ms, an idle node cost more than 1 % of a core.
    static let tickNanoseconds: Int64 = 20_000_000
    /// It does not do so more often, either.
    private static let shortestTickNanoseconds: Int64 = 5_000_000
    /// How often loops and links are looked after.
    private static let careNanoseconds: Int64 = 100_000_000
    /// A loop that has not ended a turn for so long hangs: its node serves nobody.
    static let hangNanoseconds: Int64 = 1_000_000_000
    private static let eventLimit = 64

    let shared: NodeShared
    let cluster: ClusterShared
    let disk: DiskThread?
    var instance: ControlPlaneInstance
    var events = EventLog()

    let epoll: Int32
    let datagrams: [Int32]
    let listeners: [Listener]
    var incoming: [Int32: IncomingLink] = [:]
    var outgoing: [SWIMInstance.Address: OutgoingLink] = [:]
    var refusals: [String] = []

    /// A table that loops are being given, and the next one to give them.
    var installing: (table: ClusterTable, phase: InstallPhase)?
    var nextTopology: Topology?
    /// Requests under way, by ticket.
    var requests: [UInt64: ControlRequest] = [:]
    var nextTicket: UInt64 = 1
    var nextDataLoop = 0

    var now: Instant
    var nextTick: Instant
    private var nextCare: Instant
    var isServing = true
    var isEnding = false

    /// What the loops are being told.
    enum InstallPhase {
        /// To use a table.
        case table
        /// To mint versions in its epoch: only once nobody uses an older one.
        case epoch
    }

    init(
        _ shared: NodeShared, _ cluster: ClusterShared, disk: DiskThread?,
        instance: ControlPlaneInstance, effects: [ControlPlaneInstance.Effect],
        sockets: PeerSockets
    ) throws(NodeError) {
        self.shared = shared
        self.cluster = cluster
        self.disk = disk
        self.instance = instance
        datagrams = sockets.datagrams
        listeners = sockets.listeners
        now = shared.clock.now
        nextTick = now
        nextCare = now
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(call: "epoll_create1", code: errno) }
        for descriptor in [cluster.bell] + datagrams + listeners.map(\.descriptor) {
            guard
                kiln_epoll_add(epoll, descriptor, EPOLLIN.rawValue, UInt64(descriptor)) == 0
            else { throw .system(call: "epoll_ctl", code: errno) }
        }
        carryOut(effects)
    }

    /// Starts the thread.
    static func start(_ shell: consuming sending ControlShell) throws(NodeError) -> pthread_t {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(shell)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                kiln_name_thread("kiln-control")
                let shell = Unmanaged<ControlShell>.fromOpaque(argument).takeRetainedValue()
                shell.run()
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            throw .system(call: "pthread_create", code: failure)
        }
        return thread
    }

    private func run() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventLimit) { events in
            guard let first = events.baseAddress else { return }
            while !isEnding { turn(first) }
        }
        disk?.add(.end)
        cluster.hasEnded.store(true, ordering: .releasing)
    }

    private func turn(_ events: UnsafeMutablePointer<epoll_event>) {
        let left = max(0, nextTick.nanoseconds - shared.clock.now.nanoseconds)
        let ready = epoll_wait(
            epoll, events, Int32(Self.eventLimit), Int32((left + 999_999) / 1_000_000))
        now = shared.clock.now
        for position in 0..<Int(max(0, ready)) {
            handle(
                Int32(truncatingIfNeeded: kiln_epoll_data(events + position)),
                kiln_epoll_events(events + position))
        }
        // What came while the thread did not run has been fed: now time may pass.
        guard now >= nextTick else { return }
        step(.tick)
        let soonest = now.advanced(by: .nanoseconds(Self.shortestTickNanoseconds))
        let latest = now.advanced(by: .nanoseconds(Self.tickNanoseconds))
        nextTick = max(soonest, min(latest, instance.swim.nextDeadline))
        guard now >= nextCare else { return }
        nextCare = now.advanced(by: .nanoseconds(Self.careNanoseconds))
        watchLoops()
        expireLinks()
    }

    private func handle(_ descriptor: Int32, _ events: UInt32) {
        if descriptor == cluster.bell { return readMail() }
        if datagrams.contains(descriptor) { return receiveDatagrams(descriptor) }
        if listeners.contains(where: { $0.descriptor == descriptor }) { return accept(descriptor) }
        if incoming[descriptor] != nil { return receive(from: descriptor) }
        if let link = outgoing.values.first(where: { $0.descriptor == descriptor }) {
            handle(link, events)
        }
    }

    /// Lets the control plane take one step, and carries out what it asks for.
    func step(_ input: ControlPlaneInstance.Input) {
        var effects: [ControlPlaneInstance.Effect] = []
        instance.step(input, at: now, effects: &effects)
        carryOut(effects)
    }

    // MARK: Mail

    private func readMail() {
        for mail in cluster.takeAll() {
            switch mail {
            case .persisted: step(.persisted)
            case .diskFull:
                shared.logger.error(
                    """
                    the disk under --data-dir is full: this node gives up its vote and serves on; \
                    make room and restart it
                    """)
                step(.diskFailed)
            case .diskFailed(let error):
                shared.logger.critical("\(error)")
                exit(error.exitCode)
            case .loopsAcknowledged: continueInstalling()
            case .linkClosed(let id): step(.linkClosed(id))
            case .request(let request): take(request)
            case .leave:
                // A lone node has nobody to say good-bye to.
                step(.leave)
            }
        }
    }

    /// A process whose loops hang answers no pings: others would send it requests for nothing.
    private func watchLoops() {
        let isAlive = shared.counters.allSatisfy { loop in
            let last = Int64(bitPattern: loop[.lastTurn])
            return last == 0 || now.nanoseconds - last < Self.hangNanoseconds
        }
        guard isAlive != isServing else { return }
        isServing = isAlive
        step(.serving(isAlive))
    }

    // MARK: Tables

    func install(_ topology: Topology) {
        guard installing == nil else {
            nextTopology = topology
            return
        }
        let table: RoutingTable
        do throws(PlacementError) {
            table = try RoutingTable(topology, for: instance.id)
        } catch {
            // The state machine has checked it: this is a bug, and serving on would be another.
            shared.logger.critical("the table of epoch \(topology.epoch) cannot be made: \(error)")
            exit(70)
        }
        let made = ClusterTable(table)
        cluster.table.withLock { $0 = made }
        installing = (made, .table)
        cluster.expectLoops(shared.inboxes.count)
        for box in shared.inboxes { box.post(.install(made)) }
    }

    private func continueInstalling() {
        guard let (table, phase) = installing else { return }
        switch phase {
        case .table:
            installing = (table, .epoch)
            cluster.expectLoops(shared.inboxes.count)
            for box in shared.inboxes { box.post(.adoptEpoch(table.epoch)) }
        case .epoch:
            installing = nil
            step(.installed(epoch: table.epoch))
            guard let next = nextTopology else { return }
            nextTopology = nil
            install(next)
        }
    }
}
