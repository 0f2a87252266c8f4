import Testing

@testable import LoadGenerator

@Suite struct FlagFormTests {
    // MARK: --keys

    @Test(arguments: [
        ("uniform", KeyDistribution.uniform), ("sequential", .sequential), ("latest", .latest),
        ("zipf", .zipf(exponent: 0.99)), ("zipf:1.2", .zipf(exponent: 1.2)),
        ("hotspot:10/90", .hotspot(count: 10, share: 0.9)),
        ("hotspot:1/0.5", .hotspot(count: 1, share: 0.005)), ("shift:2.5", .shift(seconds: 2.5)),
    ])
    func readsKeyLaws(_ text: String, _ expected: KeyDistribution) throws {
        #expect(try KeyDistribution(text) == expected)
    }

    @Test(arguments: [
        "", "Uniform", "uniform:1", "sequential:", "zipf:", "zipf:0", "zipf:-1", "zipf:x",
        "zipf:nan",
        "zipf:inf", "zipf:11", "hotspot", "hotspot:10", "hotspot:10/", "hotspot:/10",
        "hotspot:0/10",
        "hotspot:5/0", "hotspot:5/101", "hotspot:5/nan", "hotspot:1/2/3", "shift", "shift:0",
        "shift:86401", "trace", "normal",
    ])
    func refusesOtherKeyLaws(_ text: String) {
        let error = #expect(throws: LoadError.self) { try KeyDistribution(text) }
        #expect(error?.exitCode == 64)
        #expect("\(error.map { "\($0)" } ?? "")".hasPrefix("--keys"))
    }

    // MARK: --value-size

    @Test(arguments: [
        ("100", SizeDistribution.fixed(100)), ("0", .fixed(0)), ("4k", .fixed(4_096)),
        ("128m", .fixed(128 << 20)), ("64-4096", .range(64...4_096)),
        ("1k-1m", .range(1_024...1 << 20)),
        ("7-7", .range(7...7)), ("etc", .etc),
    ])
    func readsSizes(_ text: String, _ expected: SizeDistribution) throws {
        #expect(try SizeDistribution(text) == expected)
    }

    @Test func readsListsOfSizes() throws {
        guard case .list(let choices) = try SizeDistribution("100:9,4k") else {
            Issue.record("no list")
            return
        }
        #expect(choices.map(\.bytes) == [100, 4_096])
        #expect(choices.map(\.cumulativeShare) == [0.9, 1])
    }

    @Test(arguments: [
        "", "-", "-5", "5-", "10-5", "1.5", "abc", "100b", "129m", "999999999999999999999",
        "134217729", "100,", ",100", "100:0", "100:-1", "100:x", "100:1:2", "100:inf", "1m-200m",
    ])
    func refusesOtherSizes(_ text: String) {
        let error = #expect(throws: LoadError.self) { try SizeDistribution(text) }
        #expect(error?.exitCode == 64)
    }

    @Test func aListOfSizesHasALimit() throws {
        let longest = Array(repeating: "1", count: SizeDistribution.listLimit)
        #expect(throws: Never.self) { try SizeDistribution(longest.joined(separator: ",")) }
        let tooLong = (longest + ["1"]).joined(separator: ",")
        #expect(throws: LoadError.self) { try SizeDistribution(tooLong) }
    }

    // MARK: --slo

    @Test(arguments: [
        ("p99<1ms", 99.0, UInt64(1_000_000), "p99<1ms"),
        ("p99.9<500us", 99.9, 500_000, "p99.9<500us"),
        ("p50<2s", 50, 2_000_000_000, "p50<2s"), ("max<10ms", 100, 10_000_000, "max<10ms"),
        ("p1<100ns", 1, 100, "p1<100ns"), ("p99<1.5ms", 99, 1_500_000, "p99<1500us"),
    ])
    func readsObjectives(
        _ text: String, _ percentile: Double, _ bound: UInt64, _ description: String
    ) throws {
        let objective = try Objective(text)
        #expect(objective.percentile == percentile)
        #expect(objective.boundNanoseconds == bound)
        #expect(objective.description == description)
    }

    @Test(arguments: [
        "", "p99", "p99<", "<1ms", "p99>1ms", "p99<1", "p99<1m", "p99<0ms", "p99<-1ms", "p0<1ms",
        "p101<1ms", "p<1ms", "pnan<1ms", "p99<nanms", "p99<1ms<2ms", "99<1ms", "min<1ms",
    ])
    func refusesOtherObjectives(_ text: String) {
        let error = #expect(throws: LoadError.self) { try Objective(text) }
        #expect(error?.exitCode == 64)
    }

    // MARK: Together

    private static func settings(_ change: (inout LoadSettings) -> Void) -> LoadSettings {
        var settings = LoadSettings(servers: [
            ServerTarget(name: "a", location: .network(host: "127.0.0.1", port: 1))
        ])
        change(&settings)
        return settings
    }

    @Test(arguments: [
        ("--server", settings { $0.servers = [] }),
        ("--threads", settings { $0.threads = 0 }), ("--threads", settings { $0.threads = 65 }),
        ("--threads 5 is more", settings { ($0.threads, $0.clients) = (5, 4) }),
        ("--clients", settings { $0.clients = 0 }),
        ("--clients", settings { $0.clients = 100_001 }),
        ("--pipeline", settings { $0.pipeline = 0 }),
        ("--pipeline", settings { $0.pipeline = 4_097 }),
        ("--mget", settings { $0.keysPerGet = 1_001 }),
        ("--key-count", settings { $0.keyCount = 0 }), ("--ttl", settings { $0.ttlSeconds = -1 }),
        ("share of writes", settings { $0.writeShare = 1.1 }),
        ("crowd", settings { $0.crowdShare = 1 }),
        ("--warmup", settings { $0.warmupSeconds = -1 }), ("--rate", settings { $0.rate = 0 }),
        ("--rate", settings { $0.rate = .nan }), ("--rate", settings { $0.rate = 1e9 }),
        ("--time", settings { $0.length = .seconds(0) }),
        ("--requests", settings { $0.length = .requests(0) }),
        (
            "--keys hotspot",
            settings {
                ($0.keys, $0.keyCount) = (.hotspot(count: 10, share: 0.5), 10)
            }
        ),
        ("250 bytes", settings { $0.keyBytes = 251 }),
        ("250 bytes", settings { $0.keyPrefix = String(repeating: "k", count: 249) }),
        ("--key-prefix", settings { $0.keyPrefix = "a b" }),
        ("--key-prefix", settings { $0.keyPrefix = "a\r\nflush_all" }),
        (
            "--routing ketama",
            settings {
                $0.routing = .ketama
                $0.servers = [ServerTarget(name: "s", location: .unix(path: "/s"))]
            }
        ),
    ])
    func contradictionsAreNamed(_ expected: String, _ settings: LoadSettings) {
        let error = #expect(throws: LoadError.self) { try settings.validate() }
        let text = error.map { "\($0)" } ?? ""
        #expect(text.contains(expected), "\(text)")
        #expect(error?.exitCode == 64)
        #expect(!text.contains("\n"))
    }

    @Test func traceAndPreloadContradictEachOther() throws {
        let trace = try TraceFile(Array("get,a,\n".utf8), name: "t")
        let settings = Self.settings { ($0.keys, $0.preloads) = (.trace(trace), true) }
        #expect(throws: LoadError.self) { try settings.validate() }
    }

    @Test(arguments: WorkloadPreset.allCases)
    func presetsMakeSense(_ preset: WorkloadPreset) throws {
        var settings = Self.settings { _ in }
        preset.apply(to: &settings)
        try settings.validate()
    }

    @Test func errorsStayOnOneLine() {
        let nasty = "a\r\nb\u{1B}[2J"
        let errors: [LoadError] = [
            .malformed(setting: "--keys", text: nasty, expected: "x"),
            .unreadableTrace(file: nasty, line: 3, reason: "bad"),
            .cannotConnect(server: nasty, reason: "refused"),
            .connectionLost(server: nasty, reason: "closed"),
            .unexpectedReply(server: "s", reply: nasty), .cannotStore(server: "s", reply: nasty),
            .timedOut(server: nasty, seconds: 5),
        ]
        for error in errors {
            #expect(!"\(error)".contains { $0.isNewline || $0 == "\u{1B}" }, "\(error)")
        }
        #expect(errors.map(\.exitCode) == [64, 64, 69, 69, 1, 1, 75])
    }
}
