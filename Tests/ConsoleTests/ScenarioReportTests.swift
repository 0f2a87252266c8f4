import LoadGenerator
import Testing

@testable import Console

@Suite struct ScenarioReportTests {
    private func checked() -> VerifyScenario.Result {
        var result = VerifyScenario.Result()
        result.hits = 700
        result.misses = 20
        result.writes = 200
        result.unknownWrites = 1
        result.conditionalWrites = 50
        result.reconnects = 1
        result.seconds = 10.04
        return result
    }

    @Test func aCheckThatPassed() {
        #expect(
            VerifyReport(checked()).table(styled: false) == """
                CHECKED                             COUNT
                reads that found a value              700
                reads that missed (always allowed)     20
                writes and deletes acknowledged       200
                conditional writes done                50
                writes that may have happened           1
                connections opened again                1

                passed: no value older than the last acknowledged write in 10.0 s

                """)
        #expect(VerifyReport(checked()).json.description.contains(#""passed":true"#))
    }

    @Test func violationsComeWithTheirHistory() {
        var result = checked()
        result.violations = [
            VerifyScenario.Violation(
                key: "verify:3", client: 2, reason: "it returned write 1",
                history: ["10..20 us, client 1: set write 2", "\u{1B}[2J"])
        ]
        let lines = VerifyReport(result).table(styled: false).split(separator: "\n").suffix(4)
        #expect(
            lines == [
                "VIOLATION on verify:3, client 2: it returned write 1",
                "  10..20 us, client 1: set write 2", "  \\u{1b}[2J",
                "FAILED: 1 violation in 10.0 s",
            ])
        let json = VerifyReport(result).json.description
        #expect(json.contains(#""passed":false"#))
        #expect(json.contains(#"[{"key":"verify:3","client":2,"reason":"it returned write 1""#))
    }

    /// A check that read nothing proves nothing.
    @Test func aCheckWithoutHitsDidNotPass() {
        var result = checked()
        result.hits = 0
        #expect(VerifyReport(result).table(styled: false).contains("NOTHING CHECKED"))
        #expect(VerifyReport(result).json.description.contains(#""passed":false"#))
    }

    @Test func modesOfAStampedeStandBesideEachOther() {
        var plain = StampedeScenario.Result(mode: .plain)
        plain.reads = 1_000
        plain.fills = 400
        plain.concurrentFills = 390
        plain.duplicateFills = 392
        plain.peakOriginLoad = 50
        plain.failedClients = 1
        plain.latency = LatencyHistogram(recorded: [(nanoseconds: 300_000_000, count: 1_000)])
        var leases = StampedeScenario.Result(mode: .leases)
        leases.reads = 1_000
        leases.fills = 10
        leases.staleReads = 3
        let report = StampedeReport([plain, leases])
        #expect(
            report.table(styled: false) == """
                MODE    READS  ORIGIN ASKED  CONCURRENTLY  NEEDLESSLY  REFUSED  PEAK  STALE \
                READS     P50     P99     MAX
                plain    1000           400           390         392        0    50            \
                0  300 ms  300 ms  300 ms
                leases   1000            10             0           0        0     0            \
                3    0 ns    0 ns    0 ns
                concurrently: while the origin was asked for the same key already; needlessly: \
                the same, or the value was still alive; peak: most at once
                plain: 1 client ended on an error

                """)
        let json = report.json.description
        #expect(json.contains(#""kind":"kiln bench stampede""#))
        #expect(json.contains(#"{"mode":"leases","seconds":0.0,"reads":1000,"fills":10"#))
    }
}
