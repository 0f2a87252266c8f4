import LoadGenerator
import Testing

@testable import Console

@Suite struct BenchComparisonTests {
    private func figure(_ name: String, _ comparison: BenchComparison) -> BenchComparison.Figure? {
        comparison.figures.first { $0.name == name }
    }

    @Test func theSameReportShowsNoDifference() {
        let report = SampleReports.repeated([100, 110, 90])
        let comparison = BenchComparison(old: report, oldName: "old", new: report)
        #expect(
            comparison.figures.map(\.name)
                == ["rate", "p50", "p90", "p99", "p99.9", "server CPU/request"])
        for figure in comparison.figures {
            #expect(figure.ratio == 1)
            #expect(figure.interval?.contains(1) == true, "\(figure)")
            #expect(BenchComparison.judgement(figure) == "no clear difference")
        }
    }

    @Test func aClearDifferenceIsCalledBetterOrWorse() throws {
        let old = SampleReports.repeated([100, 102, 98])
        let new = SampleReports.repeated([200, 204, 196], factor: 3)
        let comparison = BenchComparison(old: old, oldName: "old", new: new)
        let rate = try #require(figure("rate", comparison))
        #expect(rate.ratio == 2)
        #expect(BenchComparison.judgement(rate) == "better")
        let p99 = try #require(figure("p99", comparison))
        #expect(abs(p99.ratio - 3) < 0.01)
        #expect(BenchComparison.judgement(p99) == "worse")
        #expect(comparison.table(styled: false).contains("compared with old\n"))
    }

    @Test func intervalsAreTheSameEveryTime() {
        let (old, new) = (
            SampleReports.repeated([90, 100, 130]), SampleReports.repeated([95, 99])
        )
        let first = BenchComparison(old: old, oldName: "a", new: new)
        let second = BenchComparison(old: old, oldName: "a", new: new)
        #expect(first.figures == second.figures)
        #expect(first.json == second.json)
    }

    /// A rate whose runs scatter has a wide interval, a steady one a narrow one.
    @Test func intervalsFollowTheScatter() throws {
        let steady = SampleReports.repeated([100, 100, 100, 100, 100])
        let wild = SampleReports.repeated([50, 80, 100, 130, 200])
        let narrow = try #require(
            figure("rate", BenchComparison(old: steady, oldName: "", new: steady))?.interval)
        let wide = try #require(
            figure("rate", BenchComparison(old: steady, oldName: "", new: wild))?.interval)
        #expect(narrow == 1...1)
        #expect(wide.lowerBound <= 0.8 && wide.upperBound >= 1.3)
    }

    /// Drawing order statistics gives what drawing every latency again would: the p90 of 10,000
    /// evenly spread values scatters by sqrt(n p (1 - p)) ranks.
    @Test func percentilesScatterAsDrawnSamplesDo() {
        let latency = LatencyHistogram(
            recorded: (1...10_000).map { (nanoseconds: UInt64($0) * 1_000, count: UInt64(1)) })
        let sample = FigureSample(percentile: 90, of: latency)
        var random = SampleDrawer(seed: 3)
        let drawn = (0..<4_000).map { _ in sample.drawn(&random) / 1_000 }
        let mean = drawn.reduce(0, +) / 4_000
        let variance = drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4_000
        #expect(abs(mean - 9_000) < 10)
        #expect(abs(variance.squareRoot() / 30 - 1) < 0.08, "sqrt(10,000 x 0.9 x 0.1) = 30")
    }

    @Test func singleRunsAreSaidToHideTheScatter() throws {
        let report = SampleReports.closedLoop()
        let comparison = BenchComparison(old: report, oldName: "x", new: report)
        #expect(comparison.table(styled: false).contains("one run on a side"))
        let processor = try #require(figure("server CPU/request", comparison))
        #expect(processor.interval == nil, "one number per run: nothing to draw from")
    }

    @Test func otherSettingsAreNamed() {
        let old = SampleReports.closedLoop()
        var new = old
        new.settings = [("clients", "100"), ("server", "elsewhere"), ("rate", "5")]
        new.machine.processors = 4
        let text = BenchComparison(old: old, oldName: "x", new: new).table(styled: false)
        let differences = text.split(separator: "\n").filter { $0.hasPrefix("differs: ") }
        #expect(
            differences == [
                "differs: --clients: 50, now 100", "differs: --rate: not set, now 5",
                "differs: --key-prefix: a&\"b, now not set",
                "differs: machine: Test CPU <8>, 2 processors",
            ])
    }

    @Test func anEmptyReportComparesNothing() {
        var empty = SampleReports.closedLoop()
        empty.runs = []
        let comparison = BenchComparison(
            old: empty, oldName: "x", new: SampleReports.closedLoop())
        #expect(comparison.figures.isEmpty)
    }
}
