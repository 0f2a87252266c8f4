// Is the new run different from the old one, or is that noise?
public import LoadGenerator

/// Ratios of a report's figures to those of an earlier report, with bootstrap intervals.
///
/// A figure is the median over a report's runs. Its uncertainty is estimated by drawing again
/// (Efron, "Bootstrap Methods", Annals of Statistics 7(1), 1979): runs among runs, and within a
/// run seconds among seconds for the rate, latencies among latencies for a percentile. With one
/// run on a side the interval knows nothing of how runs differ, and the table says so.
public struct BenchComparison: Sendable {
    /// One compared figure.
    public struct Figure: Equatable, Sendable {
        /// Its name.
        public var name: String
        /// The median of the earlier report's runs; latencies in nanoseconds.
        public var old: Double
        /// The median of the new report's runs.
        public var new: Double
        /// ``new`` over ``old``.
        public var ratio: Double
        /// Where 95 % of the drawn ratios lie; nil where there is nothing to draw from.
        public var interval: ClosedRange<Double>?
        /// Whether more is better.
        public var isBetterHigh: Bool
    }

    private let oldName: String
    private let differences: [String]
    private let hasSingleRun: Bool
    /// The compared figures.
    public let figures: [Figure]

    /// How many times is drawn: the ends of a 95 % interval then rest on 50 draws each.
    private static let draws = 2_000
    /// The same reports give the same interval.
    private static let seed: UInt64 = 0x6B69_6C6E

    /// Compares `new` with `old`, which was read from the file `oldName`.
    public init(old: BenchReport, oldName: String, new: BenchReport) {
        self.oldName = oldName
        differences = Self.differences(old, new)
        let (left, right) = (Self.compared(old), Self.compared(new))
        hasSingleRun = left.count < 2 || right.count < 2
        var random = SampleDrawer(seed: Self.seed)
        var figures: [Figure] = []
        for kind in FigureKind.all {
            let (before, after) = (left.map(kind.sample), right.map(kind.sample))
            guard !before.isEmpty, !after.isEmpty, !before.contains(where: \.isEmpty),
                !after.contains(where: \.isEmpty)
            else { continue }
            let (oldValue, newValue) = (median(before.map(\.value)), median(after.map(\.value)))
            guard oldValue > 0 else { continue }
            let canDraw =
                kind.drawsWithinRuns || (before.count > 1 && after.count > 1)
            figures.append(
                Figure(
                    name: kind.name, old: oldValue, new: newValue, ratio: newValue / oldValue,
                    interval: canDraw ? Self.interval(before, after, &random) : nil,
                    isBetterHigh: kind.isBetterHigh))
        }
        self.figures = figures
    }

    /// The runs that are compared: all of repeated ones, else the one whose details are shown.
    private static func compared(_ report: BenchReport) -> [RunResult] {
        report.scenario == "load" ? report.runs : report.detailedRun.map { [$0.run] } ?? []
    }

    private static func interval(
        _ old: [FigureSample], _ new: [FigureSample], _ random: inout SampleDrawer
    ) -> ClosedRange<Double>? {
        var ratios: [Double] = []
        for _ in 0..<draws {
            let before = random.median(of: old)
            let after = random.median(of: new)
            if before > 0 { ratios.append(after / before) }
        }
        guard ratios.count == draws else { return nil }
        ratios.sort()
        return ratios[draws / 40]...ratios[draws - 1 - draws / 40]
    }

    /// Settings and machine, where they differ.
    private static func differences(_ old: BenchReport, _ new: BenchReport) -> [String] {
        var list: [String] = []
        if old.scenario != new.scenario {
            list.append("scenario: \(old.scenario), now \(new.scenario)")
        }
        // Where the servers listen is no part of the load.
        let ignored = ["server"]
        for (name, value) in new.settings where !ignored.contains(name) {
            let before = old.settings.first { $0.name == name }?.value
            if before != value { list.append("--\(name): \(before ?? "not set"), now \(value)") }
        }
        for (name, value) in old.settings
        where !ignored.contains(name) && !new.settings.contains(where: { $0.name == name }) {
            list.append("--\(name): \(value), now not set")
        }
        if old.machine != new.machine {
            list.append("machine: \(old.machine.processor), \(old.machine.processors) processors")
        }
        return list
    }

    // MARK: Output

    /// A row per figure.
    public func table(styled: Bool) -> String {
        var table = Table([
            .init("COMPARED"), .init("BEFORE", .right), .init("NOW", .right),
            .init("RATIO", .right), .init("95 % INTERVAL", .right), .init(""),
        ])
        for figure in figures {
            let range = figure.interval.map {
                "\(decimal($0.lowerBound, places: 3)) .. \(decimal($0.upperBound, places: 3))"
            }
            table.append([
                figure.name, Self.spelled(figure, figure.old), Self.spelled(figure, figure.new),
                decimal(figure.ratio, places: 3), range ?? "-", Self.judgement(figure),
            ])
        }
        var text = "compared with \(printable(oldName))\n" + table.text(styled: styled)
        for difference in differences { text += "differs: \(printable(difference))\n" }
        if hasSingleRun {
            text += "one run on a side: the intervals do not hold how runs differ; use --runs\n"
        }
        return text
    }

    /// `{"schema_version", "kind", "compared_with", "figures": [{"name", "old", "new", "ratio",
    /// "interval": [low, high], "judgement"}], "differences"}`.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("kind", .string("kiln bench comparison")),
            ("compared_with", .string(oldName)),
            ("figures", .array(figures.map(Self.element))),
            ("differences", .array(differences.map(JSONText.string))),
        ])
    }

    private static func element(_ figure: Figure) -> JSONText {
        let interval = figure.interval.map {
            JSONText.array([.real($0.lowerBound), .real($0.upperBound)])
        }
        return .object([
            ("name", .string(figure.name)),
            ("old", .real(figure.old)),
            ("new", .real(figure.new)),
            ("ratio", .real(figure.ratio)),
            ("interval", interval ?? .null),
            ("judgement", .string(judgement(figure))),
        ])
    }

    private static func spelled(_ figure: Figure, _ value: Double) -> String {
        figure.isBetterHigh ? rateText(value) : duration(nanoseconds: value)
    }

    /// Better or worse only where the whole interval lies on one side of 1.
    static func judgement(_ figure: Figure) -> String {
        guard let interval = figure.interval else { return "" }
        if interval.contains(1) { return "no clear difference" }
        return (interval.lowerBound > 1) == figure.isBetterHigh ? "better" : "worse"
    }
}
