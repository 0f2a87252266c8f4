import Glibc
import Primitives
import Synchronization

/// One client of a check: it writes values that name their write, and checks what it reads.
struct VerifyClient: ~Copyable {
    private let number: Int
    private let scenario: VerifyScenario
    private let endpoints: [ServerEndpoint]
    private let registry: VerifyRegistry
    private var random: SeededGenerator
    private var cache: CacheClient?
    private var server = -1
    private var failures = 0
    private var sums = VerifyScenario.Result()

    /// Failed connections in a row after which a client gives up.
    private static let failureLimit = 100
    /// Between two attempts to connect, in microseconds.
    private static let retryMicroseconds: UInt32 = 50_000
    /// Operations between two contributions to the common sums.
    private static let reportEvery: UInt64 = 256

    init(
        number: Int, scenario: VerifyScenario, endpoints: [ServerEndpoint],
        registry: VerifyRegistry
    ) {
        self.number = number
        self.scenario = scenario
        self.endpoints = endpoints
        self.registry = registry
        random = SeededGenerator(seed: RequestSource.seed(scenario.settings.seed, number))
    }

    /// Works until it is told to stop, has done its operations, or nobody answers any more.
    mutating func run(_ control: ScenarioThreads.Control) {
        var done: UInt64 = 0
        while !control.stops.load(ordering: .relaxed), done < scenario.operationsPerClient {
            do throws(LoadError) {
                try connect()
                if try step() { control.stops.store(true, ordering: .relaxed) }
                failures = 0
            } catch {
                cache = nil
                failures += 1
                sums.reconnects += 1
                if failures >= Self.failureLimit || isFatal(error) {
                    sums.error = error
                    break
                }
                usleep(Self.retryMicroseconds)
            }
            done += 1
            if done % Self.reportEvery == 0 { contribute() }
        }
        contribute()
    }

    /// A server that is down may come back; one that speaks something else will not change.
    private func isFatal(_ error: LoadError) -> Bool {
        guard case .unexpectedReply(_, let reply) = error else { return false }
        return !reply.hasPrefix("SERVER_ERROR")
    }

    private mutating func contribute() {
        let own = sums
        registry.count { all in
            all.hits += own.hits
            all.misses += own.misses
            all.writes += own.writes
            all.unknownWrites += own.unknownWrites
            all.conditionalWrites += own.conditionalWrites
            all.reconnects += own.reconnects
            all.error = all.error ?? own.error
        }
        sums = VerifyScenario.Result()
    }

    private mutating func connect() throws(LoadError) {
        let next =
            scenario.usesAnyServer
            ? Int(random.below(UInt64(endpoints.count))) : number % endpoints.count
        guard cache == nil || next != server else { return }
        cache = nil
        server = next
        cache = try CacheClient(to: endpoints[next], wire: scenario.settings.wire)
    }

    /// One operation on one key; true when enough violations were found.
    private mutating func step() throws(LoadError) -> Bool {
        let key = Int(random.below(UInt64(scenario.keys)))
        let draw = random.unit()
        let shares = scenario.shares
        if draw < shares.set { return try write(key) }
        if draw < shares.set + shares.delete { return try delete(key) }
        let isConditional = draw < shares.set + shares.delete + shares.compareAndSet
        return try read(key, thenCompareAndSet: isConditional)
    }

    private mutating func write(_ key: Int) throws(LoadError) -> Bool {
        let start = monotonicNanoseconds()
        let write = registry.with(key) { $0.begin(at: start) }
        let value = Self.value(key, write)
        let refusal = try attempt(key, "set write \(write)", start) {
            (cache, name) throws(LoadError) in
            try cache.set(name, value, ttlSeconds: 0)
        }
        finish(key, write, refusal)
        return false
    }

    private mutating func delete(_ key: Int) throws(LoadError) -> Bool {
        let start = monotonicNanoseconds()
        let write = registry.with(key) { $0.begin(at: start) }
        let refusal = try attempt(key, "delete, as write \(write)", start) {
            (cache, name) throws(LoadError) in
            try cache.delete(name)
        }
        finish(key, write, refusal)
        return false
    }

    /// Sends a write and notes what came of it; a lost connection leaves its outcome open.
    private mutating func attempt(
        _ key: Int, _ text: String, _ start: Int64,
        _ body: (inout CacheClient, String) throws(LoadError) -> String?
    ) throws(LoadError) -> String? {
        let name = registry.name(key)
        do throws(LoadError) {
            guard var cache = self.cache.take() else { return "not connected" }
            let refusal = try body(&cache, name)
            self.cache = consume cache
            note(key, refusal.map { "\(text): \($0)" } ?? text, start)
            return refusal
        } catch {
            note(key, "\(text): no answer, it may have happened", start)
            sums.unknownWrites += 1
            throw error
        }
    }

    private mutating func finish(_ key: Int, _ write: Int, _ refusal: String?) {
        if refusal == nil {
            let now = monotonicNanoseconds()
            registry.with(key) { $0.acknowledge(write, at: now) }
            sums.writes += 1
        } else {
            sums.unknownWrites += 1
        }
    }

    private mutating func read(
        _ key: Int, thenCompareAndSet isConditional: Bool
    ) throws(LoadError) -> Bool {
        let start = monotonicNanoseconds()
        let floor = registry.with(key) { $0.floor }
        let name = registry.name(key)
        guard var cache = self.cache.take() else { return false }
        let found = try cache.get(name)
        self.cache = consume cache
        let end = monotonicNanoseconds()
        guard let found else {
            note(key, "read: miss", start)
            sums.misses += 1
            return false
        }
        sums.hits += 1
        guard let write = Self.writeNumber(found.value, key) else {
            note(key, "read: \(found.value.count) bytes that nobody wrote", start)
            return registry.report(
                "the value was never written to this key", key: key, client: number)
        }
        note(key, "read write \(write), CAS \(found.cas)", start)
        let problem = registry.with(key) { history in
            history.check(read: write, cas: found.cas, floor: floor, at: end)
        }
        if let problem { return registry.report(problem, key: key, client: number) }
        return isConditional ? try compareAndSet(key, on: write, cas: found.cas) : false
    }

    private mutating func compareAndSet(
        _ key: Int, on seen: Int, cas: UInt64
    ) throws(LoadError) -> Bool {
        let start = monotonicNanoseconds()
        let (write, floor) = registry.with(key) { history in
            let floor = history.floor
            return (history.begin(at: start), floor)
        }
        let value = Self.value(key, write)
        let refusal = try attempt(key, "cas \(cas) to write \(write)", start) {
            (cache, name) throws(LoadError) in
            try cache.compareAndSet(name, value, cas: cas, ttlSeconds: 0)
        }
        // EXISTS and NOT_FOUND are answers, not failures: the write never happens.
        if let refusal {
            let isAnswer = ["EXISTS", "NOT_FOUND", "EX", "NF"].contains(refusal)
            if !isAnswer { sums.unknownWrites += 1 }
            return false
        }
        let problem = registry.with(key) { $0.check(conditionOn: seen, floor: floor) }
        let now = monotonicNanoseconds()
        registry.with(key) { $0.acknowledge(write, at: now) }
        sums.conditionalWrites += 1
        return problem.map { registry.report($0, key: key, client: number) } ?? false
    }

    private func note(_ key: Int, _ text: String, _ start: Int64) {
        let event = KeyHistory.Event(
            client: number, text: text, start: start, end: monotonicNanoseconds())
        registry.with(key) { $0.note(event) }
    }

    /// A value that names its key and write, of a length that differs from write to write.
    static func value(_ key: Int, _ write: Int) -> [UInt8] {
        let filling = String(repeating: ".", count: 20 + write % 200)
        return Array("kiln key=\(key) write=\(write) \(filling)".utf8)
    }

    /// The write that `value` names; nil when it is not a whole value of `key`.
    static func writeNumber(_ value: [UInt8], _ key: Int) -> Int? {
        let words = String(decoding: value, as: UTF8.self).split(separator: " ")
        guard words.count == 4, words[0] == "kiln", words[1] == "key=\(key)",
            words[2].hasPrefix("write="), let write = Int(words[2].dropFirst(6)), write >= 0,
            value == Self.value(key, write)
        else { return nil }
        return write
    }
}
