import LoadGenerator
import Testing

@testable import Console

@Suite struct BenchTableTests {
    @Test func aClosedLoopInWords() {
        let text = BenchTable(SampleReports.closedLoop()).text(styled: false)
        #expect(
            text == """
                OPERATION  COUNT    RATE    HITS  ERRORS      P50      P90      P99    P99.9    \
                  MAX
                get           10  5.00/s  90.0 %       0   500 us   900 us  1.00 ms  1.00 ms  \
                1.00 ms
                set           10  5.00/s       -       0  1.00 ms  1.80 ms  2.00 ms  2.00 ms  \
                2.00 ms
                all           20  10.0/s  90.0 %       0   700 us  1.60 ms  2.00 ms  2.00 ms  \
                2.00 ms

                SERVER           COMMANDS    SHARE    CPU  CPU/COMMAND
                127.0.0.1:11211        20  100.0 %  0.0 %      5.00 us

                generator: 1 thread, 2.00 us of CPU a request, busiest thread 12.5 % of a \
                processor
                valid: the generator was not the bottleneck

                """)
    }

    @Test func anOpenLoopShowsBothLatencies() {
        let text = BenchTable(SampleReports.openLoop()).text(styled: false)
        #expect(
            text == """
                OPERATION  COUNT    RATE    HITS  ERRORS  LATENCY FROM       P50      P90      \
                P99    P99.9      MAX
                get           10  5.00/s  90.0 %       0  intended time  50.0 ms  90.0 ms   100 \
                ms   100 ms   100 ms
                                                          send            500 us   900 us  1.00 \
                ms  1.00 ms  1.00 ms
                set           10  5.00/s       -       0  intended time   100 ms   180 ms   200 \
                ms   200 ms   200 ms
                                                          send           1.00 ms  1.80 ms  2.00 \
                ms  2.00 ms  2.00 ms
                all           20  10.0/s  90.0 %       0  intended time  70.1 ms   160 ms   200 \
                ms   200 ms   200 ms
                                                          send            700 us  1.60 ms  2.00 \
                ms  2.00 ms  2.00 ms

                SERVER           COMMANDS    SHARE    CPU  CPU/COMMAND
                127.0.0.1:11211        20  100.0 %  0.0 %      5.00 us

                generator: 1 thread, 2.00 us of CPU a request, busiest thread 12.5 % of a \
                processor, sent 2.00 ms late (p99)
                ended early: interrupted
                note: 7 operations were due
                INVALID: the generator sent late

                """)
    }

    @Test func phasesStandBesideEachOther() {
        let text = BenchTable(SampleReports.hotspot()).text(styled: false)
        #expect(
            text == """
                RUN       RATE      P50      P99    P99.9      MAX  ERRORS  IMBALANCE  VERDICT
                before  10.0/s   700 us  2.00 ms  2.00 ms  2.00 ms       0       1.00  valid
                during  10.0/s  7.00 ms  20.0 ms  20.0 ms  20.0 ms       0       1.50  valid
                after   10.0/s   700 us  2.00 ms  2.00 ms  2.00 ms       0       1.00  valid

                details of during
                OPERATION  COUNT    RATE    HITS  ERRORS      P50      P90      P99    P99.9    \
                  MAX
                get           10  5.00/s  90.0 %       0  5.00 ms  9.00 ms  10.0 ms  10.0 ms  \
                10.0 ms
                set           10  5.00/s       -       0  10.0 ms  18.0 ms  20.0 ms  20.0 ms  \
                20.0 ms
                all           20  10.0/s  90.0 %       0  7.00 ms  16.0 ms  20.0 ms  20.0 ms  \
                20.0 ms

                SERVER           COMMANDS   SHARE    CPU  CPU/COMMAND
                127.0.0.1:11211        20  25.0 %  0.0 %      5.00 us
                127.0.0.1:11212        60  75.0 %      -            -
                imbalance 1.50: the busiest server's commands over the mean of all

                generator: 1 thread, 2.00 us of CPU a request, busiest thread 12.5 % of a \
                processor
                valid: the generator was not the bottleneck

                """)
    }

    @Test func repeatedRunsEndInMedianAndSpread() {
        let text = BenchTable(SampleReports.repeated([100, 110, 90])).text(styled: false)
        let expected = """
            median of 3 runs: 100/s (spread 20.0 %), p50 700 us (0.0 %), p99 2.00 ms (0.0 %), \
            p99.9 2.00 ms (0.0 %)

            """
        #expect(text.contains(expected))
        #expect(text.contains("details of run 1\n"), "the run with the median rate")
    }

    @Test func aReportWithoutRunsSaysSo() {
        var report = SampleReports.closedLoop()
        report.runs = []
        #expect(BenchTable(report).text(styled: true) == "nothing was measured\n")
        #expect(BenchHTML(report).text.contains("Nothing was measured."))
        #expect(BenchHGRM(report).texts.isEmpty)
    }

    @Test func whatServersSayCannotMoveTheCursor() {
        var report = SampleReports.closedLoop()
        report.runs[0].verdict.warnings = ["the first one: \u{1B}[2J"]
        report.runs[0].servers[0].name = "a\u{1B}[2J"
        #expect(!BenchTable(report).text(styled: false).contains("\u{1B}"))
    }

    @Test(arguments: [
        (0.0, "0 ns"), (999, "999 ns"), (1_000, "1.00 us"), (8_123, "8.12 us"), (9_996, "10.0 us"),
        (99_960, "100 us"), (412_300, "412 us"), (999_600, "1.00 ms"), (12_340_000, "12.3 ms"),
        (1_499_000_000, "1.50 s"), (3_600_000_000_000, "3600 s"),
    ])
    func durationsHaveAUnit(_ nanoseconds: Double, _ expected: String) {
        #expect(duration(nanoseconds: nanoseconds) == expected)
    }

    @Test(arguments: [
        (1.005, 1, "1.0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (-1.26, 1, "-1.3"), (12, 0, "12"),
        (0.000_4, 3, "0.000"), (.infinity, 2, "-"), (.nan, 2, "-"), (123_456.789, 2, "123456.79"),
    ])
    func decimalsAreRounded(_ value: Double, _ places: Int, _ expected: String) {
        #expect(decimal(value, places: places) == expected)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01 00:00:00 UTC"), (951_782_400, "2000-02-29 00:00:00 UTC"),
        (1_700_000_000, "2023-11-14 22:13:20 UTC"), (4_102_444_799, "2099-12-31 23:59:59 UTC"),
        (-1, "1969-12-31 23:59:59 UTC"),
    ])
    func timesAreSpelledInUTC(_ seconds: Int64, _ expected: String) {
        #expect(utcText(seconds) == expected)
    }

    // MARK: The live line

    @Test func theLiveLineSaysHowFarItIs() {
        var snapshot = ProgressSnapshot()
        snapshot.phase = "run 2/3"
        snapshot.elapsedSeconds = 3.02
        snapshot.plannedSeconds = 10
        snapshot.lastSecondRate = 123_456
        snapshot.hitRatio = 0.987
        snapshot.meanNanoseconds = 812_000
        snapshot.errors = 4
        #expect(
            ProgressLine.text(snapshot)
                == "run 2/3  3/10.0 s  123456/s  hits 98.7 %  mean 812 us  errors 4")
        snapshot = ProgressSnapshot()
        snapshot.requests = 500
        snapshot.plannedRequests = 1_000
        #expect(ProgressLine.text(snapshot) == "500 of 1000  0.00/s")
        snapshot.loadedKeys = 250
        snapshot.keysToLoad = 1_000
        #expect(ProgressLine.text(snapshot) == "loading keys: 250 of 1000 (25.0 %)")
    }

    @Test func theLiveLineFitsATerminal() {
        var snapshot = ProgressSnapshot()
        snapshot.phase = String(repeating: "x", count: 500)
        let line = ProgressLine.overwriting(snapshot)
        #expect(line.hasPrefix(ProgressLine.erased))
        #expect(line.count <= ProgressLine.erased.count + 100)
    }
}
