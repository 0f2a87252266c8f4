import Synchronization

/// What the threads of a run and the main thread tell each other.
final class RunState: Sendable {
    /// How a thread ended.
    struct Outcome: Sendable {
        /// One per phase that the thread reached.
        var recordings: [Recording]
        /// Why it ended early; nil if it did not.
        var error: LoadError?
    }

    /// Threads whose connections are open and whose keys are loaded, or that failed.
    let ready = Atomic<Int>(0)
    /// Threads that have ended.
    let ended = Atomic<Int>(0)
    /// When the first phase begins, in nanoseconds; 0 until that is known.
    let start = Atomic<Int64>(0)
    /// Whether all threads should end now.
    let stops = Atomic<Bool>(false)
    /// How the threads ended, by their numbers.
    let outcomes: Mutex<[Outcome?]>
    /// What each thread shows while it runs.
    let live: [LiveCounters]

    init(threads: Int) {
        outcomes = Mutex(Array(repeating: nil, count: threads))
        live = (0..<threads).map { _ in LiveCounters.make() }
    }

    deinit {
        for counters in live { counters.release() }
    }

    /// Notes how `thread` ended; an error ends all.
    func end(_ thread: Int, _ outcome: Outcome) {
        if outcome.error != nil { stops.store(true, ordering: .relaxed) }
        outcomes.withLock { $0[thread] = outcome }
        ended.add(1, ordering: .releasing)
    }

    /// The sum of what the threads show.
    func sum(_ field: LiveCounters.Field) -> UInt64 {
        live.reduce(0) { $0 + $1.value(field) }
    }
}
