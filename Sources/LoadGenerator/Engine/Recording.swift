/// What one thread measures in one phase.
struct Recording: Sendable {
    /// By ``OperationKind``'s raw value.
    var operations = OperationKind.allCases.map(OperationResult.init)
    /// One per second that has begun.
    var samples: [SecondSample] = [SecondSample(second: 0)]
    /// Commands sent, by server.
    var serverRequests: [UInt64]
    /// How late operations left although a client was free (open loop).
    var lag = LatencyHistogram()
    /// Operations that were sent and not answered by the end.
    var unanswered: UInt64 = 0
    /// Operations that were due and found no client free until the end.
    var unsent: UInt64 = 0
    /// The thread's own processor time, and the time it was ready to run and did not, in
    /// nanoseconds.
    var processorNanoseconds: Int64 = 0
    var waitedNanoseconds: Int64 = 0
    /// When the last answer came, in nanoseconds.
    var lastAnswer: Int64 = 0
    /// The first error line a server sent.
    var firstError: String?

    /// When the phase began, and when it ended unless answers came later, in nanoseconds.
    let start: Int64
    var end: Int64

    private var secondEnd: Int64

    /// Most samples kept: a day of seconds, which is the longest run.
    static let sampleLimit = 86_400

    init(start: Int64, servers: Int) {
        self.start = start
        end = start
        secondEnd = start + 1_000_000_000
        serverRequests = Array(repeating: 0, count: servers)
    }

    /// Notes `count` operations of one kind that were answered at `now`, `hits` of their `keys`
    /// found.
    @inline(__always)
    mutating func answered(
        _ command: PendingCommand, count: UInt64, keys: UInt64, hits: UInt64, at now: Int64,
        isOpenLoop: Bool
    ) {
        let kind = command.operation.rawValue
        let latency = now - command.intended
        operations[kind].requests += count
        operations[kind].keys += keys
        operations[kind].hits += hits
        operations[kind].latency.record(latency, count: count)
        if isOpenLoop { operations[kind].serviceTime.record(now - command.sent, count: count) }
        lastAnswer = now
        if now >= secondEnd { startSecond(at: now) }
        let last = samples.count - 1
        samples[last].requests += count
        samples[last].longestNanoseconds = max(
            samples[last].longestNanoseconds, UInt64(max(latency, 0)))
    }

    /// Notes an operation that failed at `now`.
    @inline(never)
    mutating func failed(_ operation: OperationKind, line: String?, at now: Int64) {
        operations[operation.rawValue].errors += 1
        if firstError == nil { firstError = line }
        if now >= secondEnd { startSecond(at: now) }
        samples[samples.count - 1].errors += 1
    }

    @inline(never)
    private mutating func startSecond(at now: Int64) {
        while now >= secondEnd && samples.count < Self.sampleLimit {
            samples.append(SecondSample(second: samples.count))
            secondEnd += 1_000_000_000
        }
    }
}
