// Many clients, keys that expire, and an origin that takes its time.
import Glibc
import Primitives
import Synchronization

/// Counts how often the origin is asked when popular keys expire.
public struct StampedeScenario: Sendable {
    /// How clients fill a key they miss.
    public enum Mode: String, CaseIterable, Sendable {
        /// `get`; on a miss ask the origin and `set`.
        case plain
        /// `mg N`; the winner asks the origin, the others ask again a little later.
        case leases
    }

    /// What came of one mode.
    public struct Result: Sendable {
        /// Which one.
        public var mode: Mode
        /// Reads that ended with a value.
        public var reads: UInt64 = 0
        /// Times the origin was asked.
        public var fills: UInt64 = 0
        /// Fills of a key that began while another fill of it was under way.
        public var concurrentFills: UInt64 = 0
        /// Fills that were not the first of their key since its last value expired.
        public var duplicateFills: UInt64 = 0
        /// Fills that the server refused: the lease was no longer theirs.
        public var refusedFills: UInt64 = 0
        /// Most fills under way at once, over all keys.
        public var peakOriginLoad = 0
        /// Reads that were answered with a stale value.
        public var staleReads: UInt64 = 0
        /// Clients that ended on an error.
        public var failedClients = 0
        /// The first of these errors.
        public var firstError: LoadError?
        /// How long a read took until it had a value, waiting for the origin included.
        public var latency = LatencyHistogram()
        /// Measured seconds.
        public var seconds = 0.0

        /// Nothing read yet.
        public init(mode: Mode) {
            self.mode = mode
        }
    }

    /// Servers, protocol and keys; clients of sticky routing.
    public var settings: LoadSettings
    /// Keys that expire.
    public var keys = 1
    /// Seconds a key lives.
    public var ttlSeconds = 1
    /// How long the origin takes, in seconds.
    public var originSeconds = 0.3
    /// How long a winner may take before another one is chosen, in whole seconds.
    public var leaseSeconds = 10
    /// How long to run, in seconds.
    public var seconds = 10.0
    /// Bytes of a value.
    public var valueBytes = 100

    /// How long a loser waits before it asks again, in microseconds.
    private static let retryMicroseconds: UInt32 = 10_000
    /// How long a client rests after a hit, in microseconds: readers, not a load test.
    private static let thinkMicroseconds: UInt32 = 1_000

    /// A stampede on the servers of `settings`.
    public init(_ settings: LoadSettings) {
        self.settings = settings
    }

    /// Runs one mode.
    public func run(
        _ mode: Mode, onProgress: (ProgressSnapshot) -> Void
    ) throws(LoadError) -> Result {
        guard keys >= 1, ttlSeconds >= 1, originSeconds >= 0, seconds > 0, leaseSeconds >= 1 else {
            throw .contradiction(
                "--key-count, --ttl, --time and --lease must be above 0, and"
                    + " --origin not below")
        }
        let endpoints = try ServerEndpoint.resolving(settings.servers)
        let origin = Origin(keys: keys)
        let shared = Shared(endpoints: endpoints, origin: origin, scenario: self, mode: mode)
        let start = monotonicNanoseconds()
        let results = ResultBox()
        _ = try ScenarioThreads.run(
            clients: settings.clients, seconds: seconds,
            onLook: { elapsed in
                var snapshot = ProgressSnapshot()
                snapshot.phase = mode.rawValue
                snapshot.elapsedSeconds = elapsed
                snapshot.plannedSeconds = seconds
                onProgress(snapshot)
            },
            { client, control in
                results.add(shared.live(client, control))
            })
        var result = Result(mode: mode)
        results.merge(into: &result)
        origin.report(into: &result)
        result.seconds = Double(monotonicNanoseconds() - start) / 1e9
        return result
    }

    /// Collects what the clients saw.
    private final class ResultBox: Sendable {
        private let parts = Mutex<[Result]>([])

        func add(_ part: Result) {
            parts.withLock { $0.append(part) }
        }

        func merge(into result: inout Result) {
            for part in parts.withLock({ $0 }) {
                result.reads += part.reads
                result.staleReads += part.staleReads
                result.refusedFills += part.refusedFills
                result.failedClients += part.failedClients
                result.firstError = result.firstError ?? part.firstError
                result.latency.add(part.latency)
            }
        }
    }

    /// The slow thing behind the cache, and what it sees.
    private final class Origin: Sendable {
        private struct Key {
            var underWay = 0
            /// Surely before this moment, in nanoseconds, the cache still has the value.
            var validUntil: Int64 = 0
        }

        private struct State {
            var keys: [Key]
            var underWay = 0
            var peak = 0
            var fills: UInt64 = 0
            var concurrent: UInt64 = 0
            var duplicates: UInt64 = 0
        }

        private let state: Mutex<State>

        init(keys: Int) {
            state = Mutex(State(keys: Array(repeating: Key(), count: keys)))
        }

        /// A client asks for `key`.
        func begin(_ key: Int, at now: Int64) {
            state.withLock { state in
                state.fills += 1
                state.underWay += 1
                state.peak = max(state.peak, state.underWay)
                if state.keys[key].underWay > 0 { state.concurrent += 1 }
                if state.keys[key].underWay > 0 || now < state.keys[key].validUntil {
                    state.duplicates += 1
                }
                state.keys[key].underWay += 1
            }
        }

        /// The client stored what it got; it is valid until `expiry`.
        func end(_ key: Int, validUntil expiry: Int64) {
            state.withLock { state in
                state.underWay -= 1
                state.keys[key].underWay -= 1
                state.keys[key].validUntil = max(state.keys[key].validUntil, expiry)
            }
        }

        func report(into result: inout Result) {
            state.withLock { state in
                result.fills = state.fills
                result.concurrentFills = state.concurrent
                result.duplicateFills = state.duplicates
                result.peakOriginLoad = state.peak
            }
        }
    }

    /// What every client's thread needs.
    private struct Shared: Sendable {
        let endpoints: [ServerEndpoint]
        let origin: Origin
        let scenario: StampedeScenario
        let mode: Mode

        /// A client's life; gives what it saw.
        func live(_ client: Int, _ control: ScenarioThreads.Control) -> Result {
            var result = Result(mode: mode)
            var random = SeededGenerator(
                seed: RequestSource.seed(scenario.settings.seed, client))
            do throws(LoadError) {
                let wire = mode == .leases ? WireProtocol.meta : scenario.settings.wire
                var cache = try CacheClient(to: endpoints[client % endpoints.count], wire: wire)
                while !control.stops.load(ordering: .relaxed) {
                    let key = Int(random.below(UInt64(scenario.keys)))
                    let start = monotonicNanoseconds()
                    try read(key, &cache, control, &result)
                    result.latency.record(monotonicNanoseconds() - start, count: 1)
                    result.reads += 1
                    usleep(StampedeScenario.thinkMicroseconds)
                }
            } catch {
                result.failedClients = 1
                result.firstError = error
            }
            return result
        }

        private func read(
            _ key: Int, _ cache: inout CacheClient, _ control: ScenarioThreads.Control,
            _ result: inout Result
        ) throws(LoadError) {
            let name = "\(scenario.settings.keyPrefix)stampede:\(key)"
            switch mode {
            case .plain:
                if try cache.get(name) == nil { try fill(key, name, token: nil, &cache, &result) }
            case .leases:
                while !control.stops.load(ordering: .relaxed) {
                    switch try cache.getWithLease(name, leaseSeconds: scenario.leaseSeconds) {
                    case .value(let isStale):
                        if isStale { result.staleReads += 1 }
                        return
                    case .won(let token):
                        return try fill(key, name, token: token, &cache, &result)
                    case .lost: usleep(StampedeScenario.retryMicroseconds)
                    }
                }
            }
        }

        private func fill(
            _ key: Int, _ name: String, token: UInt64?, _ cache: inout CacheClient,
            _ result: inout Result
        ) throws(LoadError) {
            origin.begin(key, at: monotonicNanoseconds())
            usleep(UInt32(scenario.originSeconds * 1e6))
            let value = [UInt8](repeating: UInt8(ascii: "v"), count: scenario.valueBytes)
            let stored = monotonicNanoseconds()
            // A server that counts whole seconds may expire it up to one second early.
            let sureSeconds = Int64(scenario.ttlSeconds - 1)
            defer { origin.end(key, validUntil: stored + sureSeconds * 1_000_000_000) }
            let refusal: String?
            if let token, token > 0 {
                refusal = try cache.compareAndSet(
                    name, value, cas: token, ttlSeconds: scenario.ttlSeconds)
            } else {
                refusal = try cache.set(name, value, ttlSeconds: scenario.ttlSeconds)
            }
            if refusal != nil { result.refusedFills += 1 }
        }
    }
}
