// A worker's turns: wait, read answers, send what follows, until the phases are over.
import CLinux
import Glibc
import Synchronization

extension LoadWorker {
    /// Runs all phases, the first one from `start` (nanoseconds) on.
    ///
    /// Gives what was measured up to the end, be it the planned one, a stop, or an error.
    mutating func run(from start: Int64, _ state: RunState) -> RunState.Outcome {
        var recordings: [Recording] = []
        var failure: LoadError?
        for index in plan.phases.indices {
            let begin = start + plan.offset(ofPhase: index)
            let use = ThreadUse()
            startPhase(index, at: begin)
            do throws(LoadError) {
                try runPhase(index, from: begin, state)
                if index == plan.phases.count - 1 { try drain(until: LoadPlan.drainNanoseconds) }
            } catch {
                failure = error
                recording.end = monotonicNanoseconds()
            }
            if index == plan.phases.count - 1 { recording.unanswered = UInt64(outstanding) }
            (recording.processorNanoseconds, recording.waitedNanoseconds) = use.soFar()
            recordings.append(recording)
            if failure != nil || state.stops.load(ordering: .relaxed) { break }
        }
        return RunState.Outcome(recordings: recordings, error: failure)
    }

    private mutating func startPhase(_ index: Int, at begin: Int64) {
        let phase = plan.phases[index]
        var settings = phase.settings
        settings.seed = settings.seed &+ UInt64(index)
        source = RequestSource(settings: settings, thread: thread)
        recording = Recording(start: begin, servers: plan.servers.count)
        if let rate = settings.rate {
            schedule = ArrivalSchedule(
                rate: rate, arrivals: settings.arrivals, start: begin, thread: thread,
                threads: settings.threads, seed: RequestSource.seed(settings.seed ^ 1, thread))
        }
        if case .requests(let count) = phase.length {
            allowance = plan.share(of: count, thread: thread)
        } else {
            allowance = .max
        }
    }

    private mutating func runPhase(
        _ index: Int, from begin: Int64, _ state: RunState
    ) throws(LoadError) {
        var end = Int64.max
        if case .seconds(let seconds) = plan.phases[index].length {
            end = begin + Int64(seconds * 1e9)
        }
        var now = monotonicNanoseconds()
        try startClients(at: now)
        lastHeard = now
        while now < end && !state.stops.load(ordering: .relaxed) {
            if allowance == 0 && outstanding == 0 { break }
            if plan.isOpenLoop { now = try sendDue(until: now, phaseEnd: end) }
            try wait(atMost: max(0, min(end - now, sleep(at: now))))
            now = monotonicNanoseconds()
            if !broken.isEmpty || !parked.isEmpty { try recover(at: now) }
            try noticeSilence(at: now)
            source.turn(elapsedSeconds: Double(now - begin) / 1e9)
            showLive()
        }
        if plan.isOpenLoop && now >= end { _ = try sendDue(until: end, phaseEnd: end) }
        recording.end = min(now, end)
        recording.unsent = schedule?.skip(until: recording.end, limit: Self.unsentLimit) ?? 0
    }

    /// Sends the first requests; in later phases the clients are under way already.
    private mutating func startClients(at now: Int64) throws(LoadError) {
        guard !isSending else { return }
        isSending = true
        for client in 0..<clientCount {
            if plan.isOpenLoop {
                for _ in 0..<plan.settings.pipeline {
                    freeSlots.append(FreeSlots.Slot(client: client, since: now))
                }
            } else {
                try sendBatch(client, at: now)
            }
        }
    }

    /// How long nothing is due, in nanoseconds.
    private func sleep(at now: Int64) -> Int64 {
        guard let schedule, freeSlots.count > 0, allowance > 0 else { return Self.longestWait }
        return min(max(schedule.next - now, 0), Self.longestWait)
    }

    /// Waits for answers at most `limit` nanoseconds and handles those that came.
    private mutating func wait(atMost limit: Int64) throws(LoadError) {
        var time = timespec(
            tv_sec: Int(limit / 1_000_000_000), tv_nsec: Int(limit % 1_000_000_000))
        let count = epoll_pwait2(epoll, events, Int32(Self.eventLimit), &time, nil)
        guard count >= 0 else {
            if errno == EINTR { return }
            throw .system(call: "epoll_pwait2", reason: systemText(errno))
        }
        for number in 0..<Int(count) {
            let index = Int(kiln_epoll_data(events + number))
            let bits = kiln_epoll_events(events + number)
            if connections[index].awaitsRoom { try flushRest(index) }
            if bits & ~EPOLLOUT.rawValue != 0 { try receive(index) }
        }
    }

    /// Awaits the last answers, sending nothing new.
    private mutating func drain(until limit: Int64) throws(LoadError) {
        isSending = false
        let end = monotonicNanoseconds() + limit
        while outstanding > 0 {
            let now = monotonicNanoseconds()
            guard now < end else { break }
            try wait(atMost: min(end - now, Self.longestWait))
        }
        showLive()
    }

    private func showLive() {
        live.show(.requests, shown.requests)
        live.show(.keysRead, shown.keysRead)
        live.show(.hits, shown.hits)
        live.show(.errors, shown.errors)
        live.show(.latencySum, shown.latencySum)
    }
}

/// What the calling thread took of the processors since this value was made.
struct ThreadUse {
    private let processor = threadProcessorNanoseconds()
    private let waited = ThreadUse.waitedNanoseconds()

    /// Processor time, and time spent ready to run without a processor, in nanoseconds.
    func soFar() -> (processor: Int64, waited: Int64) {
        (threadProcessorNanoseconds() - processor, Self.waitedNanoseconds() - waited)
    }

    /// The kernel's count for the calling thread; 0 where it keeps none.
    private static func waitedNanoseconds() -> Int64 {
        let words = (readSmallFile("/proc/thread-self/schedstat") ?? "").split(separator: " ")
        return words.count >= 2 ? Int64(words[1]) ?? 0 : 0
    }
}
