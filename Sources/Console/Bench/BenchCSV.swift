// A benchmark as comma-separated values (RFC 4180), for spreadsheets and notebooks.
public import LoadGenerator

/// Two tables of a report.
public struct BenchCSV: Sendable {
    private let report: BenchReport

    /// Percentiles that have a row each; the longest latency is `100`.
    static let percentiles = [0, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100]

    /// The tables of `report`.
    public init(_ report: BenchReport) {
        self.report = report
    }

    /// `run,operation,requests,percentile,latency_us,latency_from_send_us`, one row per
    /// percentile.
    public var percentiles: String {
        var text = "run,operation,requests,percentile,latency_us,latency_from_send_us\n"
        for (index, run) in report.runs.enumerated() {
            for operation in run.operations {
                for percentile in Self.percentiles {
                    let cells = [
                        Self.quoted(report.name(of: index)), operation.kind.name,
                        "\(operation.requests)", "\(percentile)",
                        microseconds(operation.latency, percentile),
                        microseconds(operation.serviceTime, percentile),
                    ]
                    text += cells.joined(separator: ",") + "\n"
                }
            }
        }
        return text
    }

    /// `run,second,requests,errors,max_us`, one row per second.
    public var seconds: String {
        var text = "run,second,requests,errors,max_us\n"
        for (index, run) in report.runs.enumerated() {
            for sample in run.samples {
                let longest = decimal(Double(sample.longestNanoseconds) / 1e3, places: 3)
                text += "\(Self.quoted(report.name(of: index))),\(sample.second),"
                text += "\(sample.requests),\(sample.errors),\(longest)\n"
            }
        }
        return text
    }

    private func microseconds(_ latency: LatencyHistogram, _ percentile: Double) -> String {
        latency.count == 0
            ? ""
            : decimal(Double(latency.nanoseconds(atPercentile: percentile)) / 1e3, places: 3)
    }

    /// A field, in quotes where it needs them.
    static func quoted(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { ["\"", ",", "\n", "\r"].contains($0) }
        guard needsQuotes else { return text }
        var result = "\""
        for scalar in text.unicodeScalars {
            result.unicodeScalars.append(scalar)
            if scalar == "\"" { result += "\"" }
        }
        return result + "\""
    }
}
