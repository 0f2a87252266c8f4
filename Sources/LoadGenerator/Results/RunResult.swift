/// One second of a run.
public struct SecondSample: Equatable, Sendable {
    /// Seconds since the measured part began, at this sample's start.
    public var second: Int
    /// Operations answered in it.
    public var requests: UInt64 = 0
    /// Errors in it.
    public var errors: UInt64 = 0
    /// The longest latency from the intended time among them, in nanoseconds.
    public var longestNanoseconds: UInt64 = 0

    /// A second without answers yet.
    public init(second: Int) {
        self.second = second
    }
}

/// One server's part of a run.
public struct ServerShare: Equatable, Sendable {
    /// The server as `--server` named it.
    public var name: String
    /// Commands sent to it; a multi-get that is split counts once for each server it goes to.
    public var requests: UInt64 = 0
    /// Its own processor time during the measured part, in seconds; nil when its process is
    /// unknown.
    public var processorSeconds: Double?

    /// Its busiest thread's share of one processor, 0 through 1; nil when its process is unknown.
    public var busiestThreadShare: Double?

    /// A server nothing was sent to yet.
    public init(name: String) {
        self.name = name
    }
}

/// What the generator itself took.
public struct GeneratorUse: Equatable, Sendable {
    /// Threads that sent load.
    public var threads = 0
    /// Processor time of all of them in the measured part, in seconds.
    public var processorSeconds = 0.0
    /// The busiest thread's share of one processor, 0 through 1.
    public var busiestThreadShare = 0.0
    /// Time the threads were ready to run and had no processor, in seconds.
    public var waitedSeconds = 0.0
    /// Open loop: how late operations were sent although a client was free, in nanoseconds, at
    /// the 99th percentile.
    public var lagP99Nanoseconds: UInt64 = 0

    /// Nothing taken yet.
    public init() {}
}

/// Whether a run's numbers say something about the servers.
public struct Verdict: Equatable, Sendable {
    /// Why the generator, and not the servers, decided the numbers, and what to change; empty
    /// when it did not.
    public var reasons: [String] = []
    /// What else a reader should know, without making the numbers invalid.
    public var warnings: [String] = []

    /// Whether the numbers can be trusted.
    public var isValid: Bool { reasons.isEmpty }

    /// Nothing wrong so far.
    public init() {}
}

/// One measured run.
public struct RunResult: Sendable {
    /// The phase of a scenario this is, such as `before`; empty outside scenarios.
    public var phase = ""
    /// How long the measured part took, in seconds.
    public var seconds = 0.0
    /// The asked rate in operations a second; nil in closed loop.
    public var intendedRate: Double?
    /// By kind, in the order of ``OperationKind``; kinds that were not asked for are left out.
    public var operations: [OperationResult] = []
    /// One sample per second, the last one possibly short.
    public var samples: [SecondSample] = []
    /// One per server, in the order of `--server`.
    public var servers: [ServerShare] = []
    /// Operations that were sent and not answered by the end.
    public var unanswered: UInt64 = 0
    /// Open loop: operations that were due before the end and for which no client was free.
    public var unsent: UInt64 = 0
    /// The generator's own cost.
    public var generator = GeneratorUse()
    /// Whether the numbers can be trusted.
    public var verdict = Verdict()
    /// Why the run ended early; nil when it ended as planned.
    public var interruption: String?

    /// A run without answers yet.
    public init() {}

    /// All operations answered.
    public var requests: UInt64 { operations.reduce(0) { $0 + $1.requests } }
    /// All errors.
    public var errors: UInt64 { operations.reduce(0) { $0 + $1.errors } }
    /// Answered operations a second.
    public var rate: Double { seconds > 0 ? Double(requests) / seconds : 0 }

    /// All kinds together; its keys are those that were read, so that its hit ratio is theirs.
    public var total: OperationResult {
        var total = OperationResult(kind: .get)
        for var operation in operations {
            if operation.kind == .set { operation.keys = 0 }
            total.add(operation)
        }
        return total
    }

    /// The servers' own processor time per operation, in seconds; nil when no process is known.
    public var serverSecondsPerRequest: Double? {
        let known = servers.compactMap(\.processorSeconds)
        return known.isEmpty || requests == 0 ? nil : known.reduce(0, +) / Double(requests)
    }

    /// The busiest server's requests over the mean of all, 1 when they share evenly.
    public var imbalance: Double {
        let all = servers.reduce(0) { $0 + $1.requests }
        guard all > 0, let most = servers.map(\.requests).max() else { return 1 }
        return Double(most) * Double(servers.count) / Double(all)
    }
}
