// From the loops' lines to the watchers' queues.
internal import Primitives
internal import Synchronization

/// Who watches what, and the lines that wait for them.
///
/// A loop publishes the lines of a turn at its end; each watcher has a bounded queue, from which
/// the loop that serves it takes them. A watcher that does not keep up misses lines and is told how
/// many.
final class WatchHub: Sendable {
    /// Watchers at once, as in memcached.
    static let watcherLimit = 20
    /// Bytes that wait for one watcher, as memcached's watcher_logbuf_size.
    static let queueBytes = 256 << 10

    private struct Watcher {
        let number: Int
        let loop: Int
        let interest: WatchInterest
        var queue: [UInt8] = []
        /// Lines missed since the last one queued.
        var skipped: UInt64 = 0
        /// Whether its loop has been told of the queue and has not looked yet.
        var isRung = false
    }

    private struct State {
        var watchers: [Watcher] = []
        var lastNumber = 0
    }

    let clock: NodeClock
    private let state = Mutex(State())
    private let asked = Atomic<UInt16>(0)
    private let lineNumbers = Atomic<UInt64>(0)

    /// Lines that loops had room for.
    let written = Atomic<UInt64>(0)
    /// Events that loops had no room for.
    let dropped = Atomic<UInt64>(0)
    /// Lines put into watchers' queues.
    let sent = Atomic<UInt64>(0)
    /// Lines that a watcher missed.
    let skipped = Atomic<UInt64>(0)

    init(clock: NodeClock) {
        self.clock = clock
    }

    /// What anybody watches.
    var interests: WatchInterest { WatchInterest(rawValue: asked.load(ordering: .relaxed)) }

    /// Watchers now.
    var count: Int { state.withLock { $0.watchers.count } }

    /// The next line's number, by which watchers can sort lines of different loops.
    func nextLineNumber() -> UInt64 {
        lineNumbers.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Adds a watcher served by `loop`; its number, or nil at the limit.
    func add(_ interest: WatchInterest, loop: Int) -> Int? {
        state.withLock { state in
            guard state.watchers.count < Self.watcherLimit else { return nil }
            state.lastNumber += 1
            state.watchers.append(Watcher(number: state.lastNumber, loop: loop, interest: interest))
            updateAsked(state)
            return state.lastNumber
        }
    }

    func remove(_ number: Int) {
        state.withLock { state in
            state.watchers.removeAll { $0.number == number }
            updateAsked(state)
        }
    }

    private func updateAsked(_ state: borrowing State) {
        var all: WatchInterest = []
        for watcher in state.watchers { all.formUnion(watcher.interest) }
        asked.store(all.rawValue, ordering: .relaxed)
    }

    /// The lines that wait for a watcher.
    func take(_ number: Int) -> [UInt8] {
        state.withLock { state in
            guard let position = state.watchers.firstIndex(where: { $0.number == number }) else {
                return []
            }
            state.watchers[position].isRung = false
            defer { state.watchers[position].queue = [] }
            return state.watchers[position].queue
        }
    }

    /// Queues the lines of `tap` for all who asked for them, and wakes their loops.
    func publish(_ tap: borrowing WatchTap, waking inboxes: [LoopInbox]) {
        var rings: [Int] = []
        state.withLock { state in
            for position in state.watchers.indices {
                offer(tap, to: &state.watchers[position])
                let watcher = state.watchers[position]
                if !watcher.isRung && !watcher.queue.isEmpty {
                    state.watchers[position].isRung = true
                    rings.append(watcher.loop)
                }
            }
        }
        for loop in rings { inboxes[loop].ring() }
    }

    private func offer(_ tap: borrowing WatchTap, to watcher: inout Watcher) {
        var start = 0
        for line in tap.lines {
            let range = start..<line.end
            start = line.end
            guard watcher.interest.contains(line.kind) else { continue }
            guard watcher.queue.count + range.count + Self.skipLineBytes <= Self.queueBytes else {
                watcher.skipped += 1
                skipped.wrappingAdd(1, ordering: .relaxed)
                continue
            }
            if watcher.skipped > 0 {
                watcher.queue.append(contentsOf: "skipped=\(watcher.skipped)\n".utf8)
                watcher.skipped = 0
            }
            watcher.queue.append(contentsOf: tap.text.unsafeBytes[range])
            sent.wrappingAdd(1, ordering: .relaxed)
        }
    }

    /// Room kept for the line that tells of missed ones.
    private static let skipLineBytes = 32

    /// Begins all counts anew.
    func resetCounts() {
        written.store(0, ordering: .relaxed)
        dropped.store(0, ordering: .relaxed)
        sent.store(0, ordering: .relaxed)
        skipped.store(0, ordering: .relaxed)
    }
}

/// A place among the watchers, given up with the last reference.
final class WatchSubscription: Sendable {
    private let shared: NodeShared
    let number: Int

    /// Begins to watch; nil where there are too many watchers.
    init?(_ interest: WatchInterest, loop: Int, shared: NodeShared) {
        guard let number = shared.watchers.add(interest, loop: loop) else { return nil }
        self.shared = shared
        self.number = number
        shared.applyWatching()
    }

    deinit {
        shared.watchers.remove(number)
        shared.applyWatching()
    }
}

/// The lines of one watcher, sent as they come.
struct WatchStream: ReplyStream {
    let subscription: WatchSubscription

    /// A watcher has no further commands: what it sends is thrown away, and tells whether it is
    /// still there.
    var discardsInput: Bool { true }

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        let lines = shared.watchers.take(subscription.number)
        reply.append(lines.span.bytes)
        return .waiting
    }
}
