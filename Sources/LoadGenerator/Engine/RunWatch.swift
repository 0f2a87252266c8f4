import Synchronization

/// What the main thread notes while the others work: progress, and the servers' processor time at
/// the phases' ends.
struct RunWatch {
    /// By phase and server: processor time the server used in it, in seconds; nil when unknown.
    private(set) var processor: [[ServerUse?]]

    /// Processor time in seconds, of all threads and of the busiest one.
    typealias ServerUse = (all: Double, busiest: Double)

    private let plan: LoadPlan
    private let state: RunState
    private var phase = -1
    private var phaseBegan: Int64 = 0
    private var atPhaseStart: [ProcessorTime?] = []
    private var nextProgress: Int64 = 0
    private var last = (
        time: Int64(0), requests: UInt64(0), keysRead: UInt64(0), hits: UInt64(0),
        latencySum: UInt64(0)
    )

    private static let progressNanoseconds: Int64 = 1_000_000_000

    init(plan: LoadPlan, state: RunState) {
        self.plan = plan
        self.state = state
        processor = Array(
            repeating: Array(repeating: nil, count: plan.servers.count), count: plan.phases.count)
    }

    /// Looks at the run; gives how long nothing has to be noted, in nanoseconds.
    mutating func look(at now: Int64, _ onProgress: (ProgressSnapshot) -> Void) -> Int64 {
        let start = state.start.load(ordering: .relaxed)
        if start > 0 { enterPhases(at: now, start: start) }
        if now >= nextProgress {
            if nextProgress > 0 { onProgress(snapshot(at: now)) }
            nextProgress = now + Self.progressNanoseconds
        }
        let boundary =
            start > 0 && phase + 1 < plan.phases.count
            ? start + plan.offset(ofPhase: phase + 1) : .max
        return max(min(nextProgress, boundary) - now, 0)
    }

    /// The run is over.
    mutating func finish(at now: Int64) {
        if phase >= 0 { leavePhase() }
    }

    private mutating func enterPhases(at now: Int64, start: Int64) {
        while phase + 1 < plan.phases.count, now >= start + plan.offset(ofPhase: phase + 1) {
            if phase >= 0 { leavePhase() }
            phase += 1
            phaseBegan = start + plan.offset(ofPhase: phase)
            atPhaseStart = processorTimes()
        }
    }

    private mutating func leavePhase() {
        for (index, after) in processorTimes().enumerated() {
            guard let after, let before = atPhaseStart[index] else { continue }
            processor[phase][index] = after.used(since: before)
        }
    }

    /// Processor time of each server so far.
    private func processorTimes() -> [ProcessorTime?] {
        plan.processes.map { ProcessorTime(ofProcesses: $0) }
    }

    private mutating func snapshot(at now: Int64) -> ProgressSnapshot {
        var snapshot = ProgressSnapshot()
        if phase < 0 {
            snapshot.phase = plan.settings.preloads ? "loading keys" : "connecting"
            if plan.settings.preloads {
                let copies = plan.ring == nil ? UInt64(plan.servers.count) : 1
                snapshot.loadedKeys = state.sum(.loaded)
                snapshot.keysToLoad = plan.settings.keyCount * copies
            }
            return snapshot
        }
        snapshot.phase = plan.phases[phase].name
        snapshot.elapsedSeconds = Double(now - phaseBegan) / 1e9
        switch plan.phases[phase].length {
        case .seconds(let seconds): snapshot.plannedSeconds = seconds
        case .requests(let count): snapshot.plannedRequests = count
        }
        let sums = (
            time: now, requests: state.sum(.requests), keysRead: state.sum(.keysRead),
            hits: state.sum(.hits), latencySum: state.sum(.latencySum)
        )
        if last.time > 0, now > last.time {
            snapshot.lastSecondRate =
                Double(sums.requests - last.requests) * 1e9 / Double(now - last.time)
            if sums.requests > last.requests {
                snapshot.meanNanoseconds =
                    (sums.latencySum &- last.latencySum) / (sums.requests - last.requests)
            }
            if sums.keysRead > last.keysRead {
                snapshot.hitRatio =
                    Double(sums.hits - last.hits) / Double(sums.keysRead - last.keysRead)
            }
        }
        snapshot.requests = sums.requests
        snapshot.errors = state.sum(.errors)
        last = sums
        return snapshot
    }
}
