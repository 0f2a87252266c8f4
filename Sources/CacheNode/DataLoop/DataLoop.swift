// One thread's event loop: receive from all ready connections, execute as one batch, send.
//
// Level-triggered epoll; one `recv` and one `send` per connection and turn. There is no second
// `recv` to see EAGAIN: if there is more, the next turn is told.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import HotKeys
internal import MemcacheProtocol
internal import Placement
internal import Primitives
internal import Storage
internal import Synchronization

/// An event loop and all it owns; a value on its thread's stack, so that no access pays for
/// exclusivity checks.
struct DataLoop: ~Copyable {
    /// Events taken from the kernel per turn.
    static let eventLimit = 128
    /// Bytes asked for per `recv`.
    static let receiveBytes = 32 << 10
    /// Most bytes of ``arenaBytes``; a node with little memory takes less.
    private static let largestArenaBytes = 1 << 20
    /// Least bytes for partial commands of one loop: a few connections' worth.
    private static let leastInputBytes = 1 << 20
    /// Replies of one connection are sent when they exceed this, even in the middle of a batch.
    static let deliverBytes = 256 << 10
    /// Milliseconds between two rounds of housekeeping.
    static let tickMilliseconds: Int32 = 100

    let shared: NodeShared
    let shards: ShardAccess
    /// This loop's own copies.
    let probes: UnsafeMutablePointer<IndexProbe>
    let number: Int
    let counters: LoopCounters
    let epoll: Int32
    let parser: RequestParser

    let arena: UnsafeMutableRawPointer
    var arenaUsed = 0
    let windows: UnsafeMutablePointer<Window>
    var windowCount = 0
    var batch = RequestBatch()
    var reply = ReplyBuffer(capacity: 64 << 10)
    /// Whose replies are in ``reply``.
    var replyOwner: ConnectionPointer?
    var now: ClockReading
    var connections: ConnectionPointer?
    var closed: [ConnectionPointer] = []
    /// Connections whose commands wait for the next turn, for the others' sake.
    var yielded: [ConnectionPointer] = []
    var latencies = TurnLatencies()
    var nextTick = Instant(nanoseconds: 0)
    var lastIdleCheckSecond: UInt32 = 0
    var hasMaintenance = false
    var isStopping = false
    /// Whether the stop has begun and requests may still be on their way.
    var isLettingGo = false
    var stopDeadline = Instant(nanoseconds: .max)
    var nextLoop = 0
    var acceptsPaused = false
    var acceptPauseStart = Instant(nanoseconds: 0)
    /// Connections that are being sent a stream.
    var streams: [ConnectionPointer] = []
    /// Whether one of them can go on at once.
    var hasRunnableStream = false
    /// Turns in which commands that may make an index grow are timed.
    var growthTurnsLeft = 0
    /// What watchers are to be told of this turn.
    var tap: WatchTap
    /// Which keys are hot, as this loop sees it.
    var detector: HotKeyDetector
    /// When the detector's sub-window is over; never where it is off.
    var subWindowEnd = Instant(nanoseconds: .max)
    /// The thread's processor time when the sub-window began.
    var subWindowStartTime: Int64 = 0
    /// The way to other nodes; nil on a node that is alone.
    let peers: PeerLinks?
    /// Whether the node has ``peers``.
    let isClustered: Bool
    /// What decides about each key; nil on a node that is alone, or belongs to no cluster yet.
    ///
    /// At an address of its own: a key's question must not count references to the table's parts.
    var gate: UnsafeMutablePointer<ServeGate>?
    /// Whether keys of the present line wait to be sent to other nodes.
    var hasGathered = false
    /// Where the header of the peer's reply that is being composed lies, and what came before it.
    var frameStart: (offset: Int, count: Int)?
    /// The number of the peer's request that is being executed, and why it is not.
    var frameIdentifier: UInt64 = 0
    var frameRefusal: ServeGate.Refusal?
    /// Bytes of connection buffers, and how many of them the pool knows of.
    var bufferBytes = 0
    var chargedBytes = 0
    /// Bytes of partial commands, and how many there may be.
    var inputBytes = 0
    let inputLimit: Int
    /// Bytes that all windows of a turn share; when they are used up the turn is cut in two.
    let arenaBytes: Int

    /// Creates loop `number` around the epoll instance of ``openEpoll(_:_:)``.
    init(shared: NodeShared, number: Int, epoll: Int32) {
        self.shared = shared
        shards = shared.shards.access
        probes = .allocate(capacity: shards.count)
        probes.initialize(from: shards.probes, count: shards.count)
        self.epoll = epoll
        self.number = number
        counters = shared.counters[number]
        parser = RequestParser(
            limits: ProtocolLimits(valueBytes: shared.configuration.itemSizeLimitBytes))
        let share = shared.configuration.memoryLimitBytes / shared.configuration.threads
        arenaBytes = min(Self.largestArenaBytes, max(4 * Self.receiveBytes, share / 16))
        inputLimit = max(Self.leastInputBytes, share / 4)
        arena = .allocate(byteCount: arenaBytes, alignment: 64)
        windows = .allocate(capacity: Self.eventLimit)
        now = shared.clock.reading
        bufferBytes = arenaBytes
        tap = WatchTap(shared.watchers, shared.prefixes)
        peers = shared.cluster.map { PeerLinks($0) }
        isClustered = shared.cluster != nil
        detector = shared.hotKeys.makeDetector(at: now.instant)
        if shared.hotKeys.isOn {
            subWindowEnd = HotKeyDetector.end(ofSubWindowAt: now.instant)
        }
    }

    /// An epoll instance that watches the loop's letter box and, for loop 0, the listeners.
    static func openEpoll(_ shared: NodeShared, _ number: Int) throws(NodeError) -> Int32 {
        let epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .system(call: "epoll_create1", code: errno) }
        guard kiln_epoll_add(epoll, shared.inboxes[number].bell, EPOLLIN.rawValue, 0) == 0 else {
            throw .system(call: "epoll_ctl", code: errno)
        }
        if number == 0 { try listen(shared, epoll) }
        return epoll
    }

    deinit {
        arena.deallocate()
        windows.deallocate()
        probes.deallocate()
        gate?.deinitialize(count: 1)
        gate?.deallocate()
        Glibc.close(epoll)
    }

    /// Serves until the node stops and all connections are gone.
    mutating func run() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventLimit) { events in
            guard let first = events.baseAddress else { return }
            while !(isStopping && (connections == nil || now.instant >= stopDeadline)) {
                turn(first)
            }
        }
        while let connection = connections { close(connection) }
        freeClosed()
    }

    private mutating func turn(_ events: UnsafeMutablePointer<epoll_event>) {
        // Whoever else wants this processor, a client of this machine say, goes first: the next
        // turn then finds more connections ready, and its batch is worth more. Alone, it is one
        // short call.
        if shared.configuration.threads > 1 { sched_yield() }
        let ready = epoll_wait(
            epoll, events, Int32(Self.eventLimit),
            hasMaintenance || hasRunnableStream || !yielded.isEmpty || isLettingGo
                ? 0 : waitMilliseconds)
        let isQuiet = ready <= 0 && yielded.isEmpty
        for position in 0..<Int(max(0, ready)) {
            handle(kiln_epoll_data(events + position), kiln_epoll_events(events + position))
        }
        // The clock is read after the turn's last `recv`: no request is judged by a time before it
        // came.
        now = shared.clock.reading
        if let peers { beginTurn(peers) }
        if !yielded.isEmpty { continueYielded() }
        if !streams.isEmpty { runStreams() }
        processWindows()
        if now.instant >= nextTick || hasMaintenance { tick() }
        if now.instant >= subWindowEnd || detector.isFull { endSubWindow() }
        if let peers { finishForwarding(peers) }
        if !tap.isEmpty { publishEvents() }
        if isLettingGo && isQuiet { letGo() }
        if !closed.isEmpty { freeClosed() }
        if growthTurnsLeft > 0 { growthTurnsLeft -= 1 }
        counters.add(.turns, 1)
    }

    /// Event data below ``firstConnection`` name the inbox (0), the listeners (1 and up) and the
    /// links to other nodes.
    private static let firstConnection: UInt64 = 4096

    /// Where the numbers of links begin.
    static let firstLink: UInt64 = 2048

    private mutating func handle(_ data: UInt64, _ events: UInt32) {
        if data < Self.firstConnection {
            if data >= Self.firstLink { return handleLink(Int(data - Self.firstLink), events) }
            if data == 0 { readInbox() } else { accept(Int(data) - 1) }
            return
        }
        guard let connection = ConnectionPointer(bitPattern: UInt(data)) else { return }
        guard connection.pointee.phase != .closed else { return }
        if connection.pointee.isBlocked {
            if events & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
                if connection.pointee.output == nil {
                    close(connection)
                } else {
                    resume(connection)
                }
            }
            return
        }
        if connection.pointee.phase == .streaming { return receiveInStream(connection, events) }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 {
            receive(connection)
        }
    }

    /// Executes what the windows hold, sends the replies and keeps what is left over.
    mutating func processWindows() {
        guard windowCount > 0 else { return }
        for window in 0..<windowCount { parse(window) }
        runBatch()
        deliver()
        for window in 0..<windowCount { finish(window) }
        windowCount = 0
        arenaUsed = 0
        recordLatencies()
    }

    private mutating func recordLatencies() {
        let end = shared.clock.now
        let elapsed = UInt64(max(0, end.nanoseconds - now.instant.nanoseconds))
        latencies.flush(to: counters, nanoseconds: elapsed)
        counters.raise(.longestTurn, to: elapsed)
    }

    /// Keeps a window's unused bytes for the next turn.
    private mutating func finish(_ window: Int) {
        let connection = windows[window].connection
        connection.pointee.isBatched = false
        guard connection.pointee.phase != .closed else { return }
        let parsed = windows[window].parsed
        let left = windows[window].count - parsed
        if connection.pointee.phase == .closing {
            connection.pointee.input.release()
        } else if windows[window].isPrivate {
            connection.pointee.input.consume(parsed)
        } else if left > 0 {
            connection.pointee.input.append(windows[window].base + parsed, count: left)
        }
        noteInput(connection)
        if connection.pointee.phase == .closing && !connection.pointee.isBlocked
            && !connection.pointee.hasOutstanding
        {
            close(connection)
        }
    }

    // MARK: Housekeeping

    private mutating func tick() {
        if now.instant >= nextTick {
            nextTick = Instant(
                nanoseconds: now.instant.nanoseconds + Int64(Self.tickMilliseconds) * 1_000_000)
            if bufferBytes != chargedBytes {
                shared.shards.pool.charge(bufferBytes - chargedBytes)
                chargedBytes = bufferBytes
            }
            if acceptsPaused { resumeAccepting() }
            counters.set(.lastTurn, to: UInt64(bitPattern: now.instant.nanoseconds))
            counters.set(.bufferBytes, to: UInt64(max(0, bufferBytes)))
            closeIdle()
            if number == 0 { flushIfDue() }
        }
        hasMaintenance = false
        var shard = number
        while shard < shards.count {
            let time = now
            let isUnfinished = shards.withShard(shard) { instance in
                defer { if !instance.watching.isEmpty { tap.takeEvictions(&instance, at: time) } }
                return instance.store.maintain(at: time.instant)
            }
            if isUnfinished { hasMaintenance = true }
            shard += shared.configuration.threads
        }
    }

    private mutating func closeIdle() {
        let second = UInt32(truncatingIfNeeded: now.instant.nanoseconds / 1_000_000_000)
        let limit = UInt32(shared.configuration.idleTimeoutSeconds)
        guard second != lastIdleCheckSecond else { return }
        lastIdleCheckSecond = second
        var next = connections
        while let connection = next {
            next = connection.pointee.next
            if hasStalled(connection, second) {
                close(connection)
                continue
            }
            // Who watches or reads a dump, or a long reply, has nothing to say meanwhile.
            if connection.pointee.phase == .streaming || connection.pointee.isBlocked { continue }
            if connection.pointee.isPeer || connection.pointee.hasOutstanding { continue }
            if limit > 0 && second &- connection.pointee.lastActiveSecond >= limit {
                counters.add(.idleKicks, 1)
                close(connection, .idleTimeout)
            }
        }
    }

    /// Seconds without a byte after which a client that has stopped reading its replies, or sending
    /// its value, is given up: what it holds is others' memory.
    private static let stallSeconds: UInt32 = 30

    private func hasStalled(_ connection: ConnectionPointer, _ second: UInt32) -> Bool {
        if let output = connection.pointee.output {
            return second &- output.pointee.progressSecond >= Self.stallSeconds
        }
        return connection.pointee.phase == .uploading
            && second &- connection.pointee.lastActiveSecond >= Self.stallSeconds
    }

    private mutating func readInbox() {
        for message in shared.inboxes[number].takeAll() {
            switch message {
            case .adopt(let descriptor, let listener): adopt(descriptor, listener: listener)
            case .stop: beginStop()
            case .describe(let survey): describeConnections(for: survey)
            case .resetMaxima: resetMaxima()
            case .adoptPeer(let descriptor): adoptPeer(descriptor)
            case .install(let table): install(table)
            case .adoptEpoch(let epoch): adopt(epoch: epoch)
            case .suspect(let id, let isSuspect): peers?.mark(id, isSuspect: isSuspect)
            }
        }
    }

    /// Seconds that clients get to read their last replies.
    private static let drainSeconds: Int64 = 5

    /// Stops accepting; connections end as soon as their replies are sent.
    private mutating func beginStop() {
        isStopping = true
        stopDeadline = Instant(
            nanoseconds: now.instant.nanoseconds + Self.drainSeconds * 1_000_000_000)
        if number == 0 { stopListening() }
        isLettingGo = true
    }

    /// Ends the connections once no request is left on its way: those that have read their replies
    /// at once, the others when they have.
    private mutating func letGo() {
        isLettingGo = false
        var next = connections
        while let connection = next {
            next = connection.pointee.next
            if connection.pointee.isBatched || connection.pointee.isBlocked
                || connection.pointee.hasOutstanding
            {
                connection.pointee.phase = .closing
            } else {
                close(connection, .shutdown)
            }
        }
    }
}

/// Commands executed in a turn, by group, until the turn's length is known.
struct TurnLatencies {
    private var counts = InlineArray<11, Int>(repeating: 0)

    @inline(__always)
    mutating func note(_ group: CommandGroup) {
        counts[group.rawValue] &+= 1
    }

    /// Every command of a turn took as long as the turn: from the last `recv` to the last `send`.
    mutating func flush(to counters: LoopCounters, nanoseconds: UInt64) {
        for group in CommandGroup.allCases where counts[group.rawValue] > 0 {
            counters.record(group, nanoseconds: nanoseconds, count: counts[group.rawValue])
            counts[group.rawValue] = 0
        }
    }
}
