// Whether a cache ever gives an older value than the last acknowledged one.
import Primitives
import Synchronization

/// Clients that write numbered values, and check every value they read.
public struct VerifyScenario: Sendable {
    /// A read, or a conditional write, that no correct cache allows.
    public struct Violation: Sendable, CustomStringConvertible {
        /// The key.
        public var key: String
        /// The client that saw it.
        public var client: Int
        /// What is wrong.
        public var reason: String
        /// The key's last events, oldest first, times in microseconds from the start.
        public var history: [String]

        /// What `client` saw on `key`.
        public init(key: String, client: Int, reason: String, history: [String]) {
            (self.key, self.client, self.reason, self.history) = (key, client, reason, history)
        }

        /// The violation and its history, over several lines.
        public var description: String {
            (["VIOLATION on \(key), client \(client): \(reason)"] + history.map { "  \($0)" })
                .joined(separator: "\n")
        }
    }

    /// What was checked.
    public struct Result: Sendable {
        /// Reads that returned a value, and were checked.
        public var hits: UInt64 = 0
        /// Reads that returned nothing, which is always allowed.
        public var misses: UInt64 = 0
        /// Writes and deletes that were acknowledged.
        public var writes: UInt64 = 0
        /// Writes that were refused or had no answer: they may have happened.
        public var unknownWrites: UInt64 = 0
        /// Conditional writes that were done.
        public var conditionalWrites: UInt64 = 0
        /// Connections that broke and were opened again.
        public var reconnects: UInt64 = 0
        /// Everything that was wrong, at most ``VerifyScenario/violationLimit``.
        public var violations: [Violation] = []
        /// The first error of a client that gave up.
        public var error: LoadError?
        /// Measured seconds.
        public var seconds = 0.0

        /// Nothing checked yet.
        public init() {}

        /// All operations that were answered.
        public var operations: UInt64 { hits + misses + writes + conditionalWrites }
    }

    /// Servers, protocol, clients, seed and key prefix.
    public var settings: LoadSettings
    /// Keys that all clients share: few, so that they meet.
    public var keys = 100
    /// How long to run, in seconds.
    public var seconds = 10.0
    /// Operations each client makes at most.
    public var operationsPerClient = UInt64.max
    /// Shares of sets, deletes and conditional writes among the operations; the rest are reads.
    public var shares = (set: 0.2, delete: 0.02, compareAndSet: 0.05)
    /// Whether a client uses any server for each operation, or one for good.
    public var usesAnyServer = true

    /// Violations that are kept; the run ends when there are as many.
    public static let violationLimit = 10

    /// A check of the servers of `settings`.
    public init(_ settings: LoadSettings) {
        self.settings = settings
    }

    /// Runs the check.
    public func run(onProgress: (ProgressSnapshot) -> Void) throws(LoadError) -> Result {
        guard keys >= 1, keys <= 1_000_000, seconds > 0 else {
            throw .contradiction("--key-count: 1 through 1,000,000; --time above 0")
        }
        let endpoints = try ServerEndpoint.resolving(settings.servers)
        let registry = VerifyRegistry(
            keys: keys, prefix: "\(settings.keyPrefix)verify:", start: monotonicNanoseconds())
        try prepare(endpoints, registry)
        let start = monotonicNanoseconds()
        let scenario = self
        _ = try ScenarioThreads.run(
            clients: settings.clients, seconds: seconds,
            onLook: { elapsed in onProgress(registry.snapshot(elapsed, planned: seconds)) },
            { client, control in
                var verifier = VerifyClient(
                    number: client, scenario: scenario, endpoints: endpoints, registry: registry)
                verifier.run(control)
            })
        var result = registry.result()
        result.seconds = Double(monotonicNanoseconds() - start) / 1e9
        return result
    }

    /// Takes away what an earlier run left: its values would look like writes nobody made.
    private func prepare(
        _ endpoints: [ServerEndpoint], _ registry: VerifyRegistry
    ) throws(LoadError) {
        for endpoint in endpoints {
            var client = try CacheClient(to: endpoint, wire: settings.wire)
            for key in 0..<keys {
                let name = registry.name(key)
                guard let refusal = try client.delete(name) else { continue }
                throw .unexpectedReply(server: endpoint.name, reply: refusal)
            }
        }
    }
}

/// What all clients of a check know together.
final class VerifyRegistry: Sendable {
    private final class Key: Sendable {
        let history = Mutex(KeyHistory())
    }

    private let keys: [Key]
    private let prefix: String
    private let start: Int64
    private let sums = Mutex(VerifyScenario.Result())

    init(keys: Int, prefix: String, start: Int64) {
        self.keys = (0..<keys).map { _ in Key() }
        self.prefix = prefix
        self.start = start
    }

    /// The text of key `number`.
    func name(_ number: Int) -> String { "\(prefix)\(number)" }

    /// Looks at, or changes, what is known of key `number`.
    func with<R>(_ number: Int, _ body: (inout KeyHistory) -> sending R) -> sending R {
        keys[number].history.withLock { body(&$0) }
    }

    /// Changes the sums.
    func count(_ body: (inout VerifyScenario.Result) -> Void) {
        sums.withLock { body(&$0) }
    }

    /// Keeps a violation; true when there are enough of them.
    func report(_ reason: String, key: Int, client: Int) -> Bool {
        let history = with(key) { history in
            history.events.map { event in
                let from = (event.start - start) / 1_000
                return "\(from)..\((event.end - start) / 1_000) us, client \(event.client):"
                    + " \(event.text)"
            }
        }
        let name = name(key)
        return sums.withLock { sums in
            if sums.violations.count < VerifyScenario.violationLimit {
                sums.violations.append(
                    VerifyScenario.Violation(
                        key: name, client: client, reason: reason, history: history))
            }
            return sums.violations.count >= VerifyScenario.violationLimit
        }
    }

    /// What was checked so far.
    func result() -> VerifyScenario.Result {
        sums.withLock { $0 }
    }

    /// Progress after `elapsed` seconds.
    func snapshot(_ elapsed: Double, planned: Double) -> ProgressSnapshot {
        let sums = result()
        var snapshot = ProgressSnapshot()
        snapshot.phase = "\(sums.violations.count) violations"
        snapshot.elapsedSeconds = elapsed
        snapshot.plannedSeconds = planned
        snapshot.requests = sums.operations
        snapshot.lastSecondRate = Double(sums.operations) / max(elapsed, 0.001)
        if sums.hits + sums.misses > 0 {
            snapshot.hitRatio = Double(sums.hits) / Double(sums.hits + sums.misses)
        }
        snapshot.errors = sums.unknownWrites
        return snapshot
    }
}
