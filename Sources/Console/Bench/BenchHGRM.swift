// HdrHistogram's percentile distribution, which its plotters and many other tools read.
public import LoadGenerator

/// The distributions of a report's shown run, one text per kind of operation.
public struct BenchHGRM: Sendable {
    private let report: BenchReport

    /// The distributions of `report`.
    public init(_ report: BenchReport) {
        self.report = report
    }

    /// Each kind's name and its text, latencies in milliseconds; in open loop also the latency
    /// from the send, as `get-from-send`.
    public var texts: [(name: String, text: String)] {
        guard let run = report.detailedRun?.run else { return [] }
        var texts: [(name: String, text: String)] = []
        for operation in run.operations where operation.latency.count > 0 {
            texts.append((operation.kind.name, Self.text(operation.latency)))
            if run.intendedRate != nil {
                let name = "\(operation.kind.name)-from-send"
                texts.append((name, Self.text(operation.serviceTime)))
            }
        }
        return texts
    }

    /// As `outputPercentileDistribution` of HdrHistogram prints it, three decimals.
    static func text(_ latency: LatencyHistogram) -> String {
        var text = line("Value", "Percentile", "TotalCount", "1/(1-Percentile)") + "\n"
        for step in latency.steps() {
            let share = step.percentile / 100
            text += line(
                milliseconds(Double(step.nanoseconds)), decimal(share, places: 12),
                "\(step.countSoFar)", share < 1 ? decimal(1 / (1 - share), places: 2) : "")
        }
        let mean = padded(milliseconds(latency.meanNanoseconds), 12)
        let deviation = padded(milliseconds(latency.deviationNanoseconds), 12)
        let longest = padded(milliseconds(Double(latency.longestNanoseconds)), 12)
        text += "#[Mean    = \(mean), StdDeviation   = \(deviation)]\n"
        text += "#[Max     = \(longest), Total count    = \(padded("\(latency.count)", 12))]\n"
        let (buckets, subBuckets) = latency.shape
        text += "#[Buckets = \(padded("\(buckets)", 12)),"
        return text + " SubBuckets     = \(padded("\(subBuckets)", 12))]\n"
    }

    private static func line(
        _ value: String, _ percentile: String, _ count: String, _ inverse: String
    ) -> String {
        var text = "\(padded(value, 12)) \(padded(percentile, 14)) \(padded(count, 10))"
        if !inverse.isEmpty { text += " \(padded(inverse, 14))" }
        return text + "\n"
    }

    private static func milliseconds(_ nanoseconds: Double) -> String {
        decimal(nanoseconds / 1e6, places: 3)
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
