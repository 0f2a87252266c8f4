// One run from its first connection to its result: threads, time, progress, stops.
import CLinux
import Glibc
import Synchronization

/// Runs load and tells what came of it.
public struct LoadRun: Sendable {
    private let plan: LoadPlan

    /// The longest time between two looks at the threads, in nanoseconds.
    private static let lookNanoseconds: Int64 = 100_000_000
    /// Between a run's last preparation and its start: every thread must be waiting by then.
    private static let leadNanoseconds: Int64 = 5_000_000

    /// A run of `settings`: its servers must be reachable.
    public init(_ settings: LoadSettings) throws(LoadError) {
        try settings.validate()
        try Self.raiseDescriptorLimit(settings)
        plan = try LoadPlan(load: settings)
    }

    /// A run of several phases on the same connections.
    init(_ settings: LoadSettings, phases: [LoadPhase]) throws(LoadError) {
        try settings.validate()
        try Self.raiseDescriptorLimit(settings)
        plan = try LoadPlan(settings: settings, phases: phases)
    }

    /// What a run ended with.
    public struct Outcome: Sendable {
        /// One result per reported phase that was begun.
        public var results: [RunResult]
        /// Why the run ended early; nil when it ended as planned.
        ///
        /// The results are what was measured until then.
        public var error: LoadError?
        /// Whether a signal ended it.
        public var wasInterrupted: Bool
    }

    /// Runs all phases; blocks until they are over, or SIGINT or SIGTERM arrives.
    ///
    /// `onProgress` is called about once a second.
    public func run(onProgress: (ProgressSnapshot) -> Void) throws(LoadError) -> Outcome {
        let signals = StopSignals()
        let state = RunState(threads: plan.settings.threads)
        var threads: [WorkerThread] = []
        for number in 0..<plan.settings.threads {
            let plan = plan
            threads.append(
                try WorkerThread.start("kiln-load-\(number)") { Self.work(plan, number, state) })
        }
        var watch = RunWatch(plan: plan, state: state)
        var wasInterrupted = false
        while state.ended.load(ordering: .acquiring) < threads.count {
            let pause = watch.look(at: monotonicNanoseconds(), onProgress)
            if signals.wait(nanoseconds: min(pause, Self.lookNanoseconds)) {
                wasInterrupted = true
                state.stops.store(true, ordering: .relaxed)
            }
            let isReady = state.ready.load(ordering: .acquiring) == threads.count
            if isReady && state.start.load(ordering: .relaxed) == 0 {
                let start = monotonicNanoseconds() + Self.leadNanoseconds
                state.start.store(start, ordering: .releasing)
            }
        }
        for thread in threads { thread.join() }
        watch.finish(at: monotonicNanoseconds())
        let outcomes = state.outcomes.withLock { $0.compactMap { $0 } }
        let error = outcomes.compactMap(\.error).first
        var results = RunSummary(plan: plan, processor: watch.processor).results(of: outcomes)
        if !results.isEmpty {
            results[results.count - 1].interruption =
                error.map(\.description) ?? (wasInterrupted ? "interrupted" : nil)
        }
        return Outcome(results: results, error: error, wasInterrupted: wasInterrupted)
    }

    /// The life of one thread.
    private static func work(_ plan: LoadPlan, _ number: Int, _ state: RunState) {
        // Sleeping shorter than the default slack of 50 us keeps an open loop on its schedule.
        kiln_sleep_precisely()
        var isReady = false
        do throws(LoadError) {
            var worker = try LoadWorker(plan: plan, thread: number, live: state.live[number])
            if plan.settings.preloads {
                var preloader = Preloader(plan: plan, thread: number, live: state.live[number])
                try preloader.run(state)
            }
            state.ready.add(1, ordering: .releasing)
            isReady = true
            guard let start = waitForStart(state) else {
                return state.end(number, RunState.Outcome(recordings: [], error: nil))
            }
            state.end(number, worker.run(from: start, state))
        } catch {
            if !isReady { state.ready.add(1, ordering: .releasing) }
            state.end(number, RunState.Outcome(recordings: [], error: error))
        }
    }

    /// The moment of the start, which has come; nil when the run was stopped before.
    private static func waitForStart(_ state: RunState) -> Int64? {
        while true {
            let start = state.start.load(ordering: .acquiring)
            let now = monotonicNanoseconds()
            if state.stops.load(ordering: .relaxed) { return nil }
            if start > 0 && now >= start { return start }
            let pause = start > 0 ? start - now : 1_000_000
            var time = timespec(tv_sec: 0, tv_nsec: Int(min(pause, 1_000_000)))
            nanosleep(&time, nil)
        }
    }

    /// Allows as many descriptors as the system grants, and refuses more clients than those.
    private static func raiseDescriptorLimit(_ settings: LoadSettings) throws(LoadError) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let perClient = settings.routing == .sticky ? 1 : settings.servers.count
        let needed = UInt64(settings.clients * perClient + settings.threads * 2 + 32)
        guard needed <= UInt64(limit.rlim_cur) else {
            throw .contradiction(
                "\(settings.clients) clients with \(perClient) connections each need \(needed)"
                    + " descriptors, the system allows \(limit.rlim_cur): raise `ulimit -n` or use"
                    + " fewer --clients")
        }
    }
}
