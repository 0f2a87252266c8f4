// A benchmark as JSON: everything that was measured, histograms included.
public import LoadGenerator

/// A report as one JSON value that ``report(from:name:)`` reads back.
///
/// Members: `schema_version`, `kind` ("kiln bench"), `scenario`, `settings`, `started_unix_s`,
/// `machine`, `valid` and `runs`. Latencies are in nanoseconds; `histogram` lists each distinct
/// latency and its count, so that percentiles of any kind can be computed later.
public struct BenchJSON: Sendable {
    private let report: BenchReport

    /// What the member `kind` says.
    static let kind = "kiln bench"
    /// Percentiles that are spelled out beside the histogram, and their members.
    static let percentiles: [(name: String, percentile: Double)] = [
        ("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9), ("p99_99", 99.99),
    ]

    /// The JSON of `report`.
    public init(_ report: BenchReport) {
        self.report = report
    }

    /// The whole report.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("kind", .string(Self.kind)),
            ("scenario", .string(report.scenario)),
            ("started_unix_s", .integer(report.startedUnixSeconds)),
            ("machine", machine),
            ("settings", .object(report.settings.map { ($0.name, .string($0.value)) })),
            ("valid", .boolean(report.isValid)),
            ("runs", .array(report.runs.map(run))),
        ])
    }

    private var machine: JSONText {
        .object([
            ("processor", .string(report.machine.processor)),
            ("processors", .integer(report.machine.processors)),
            ("memory_bytes", .integer(report.machine.memoryBytes)),
            ("kernel", .string(report.machine.kernel)),
        ])
    }

    private func run(_ run: RunResult) -> JSONText {
        .object([
            ("phase", .string(run.phase)),
            ("seconds", .real(run.seconds)),
            ("intended_rate", run.intendedRate.map(JSONText.real) ?? .null),
            ("requests", .integer(run.requests)),
            ("errors", .integer(run.errors)),
            ("rate", .real(run.rate)),
            ("unanswered", .integer(run.unanswered)),
            ("unsent", .integer(run.unsent)),
            ("server_cpu_s_per_request", run.serverSecondsPerRequest.map(JSONText.real) ?? .null),
            ("imbalance", .real(run.imbalance)),
            ("operations", .array(run.operations.map(operation))),
            ("per_second", .array(run.samples.map(sample))),
            ("servers", .array(run.servers.map(server))),
            ("generator", generator(run.generator)),
            (
                "verdict",
                .object([
                    ("valid", .boolean(run.verdict.isValid)),
                    ("reasons", .array(run.verdict.reasons.map(JSONText.string))),
                    ("warnings", .array(run.verdict.warnings.map(JSONText.string))),
                ])
            ),
            ("interruption", run.interruption.map(JSONText.string) ?? .null),
        ])
    }

    private func operation(_ operation: OperationResult) -> JSONText {
        .object([
            ("operation", .string(operation.kind.name)),
            ("requests", .integer(operation.requests)),
            ("keys", .integer(operation.keys)),
            ("hits", .integer(operation.hits)),
            ("errors", .integer(operation.errors)),
            ("hit_ratio", operation.hitRatio.map(JSONText.real) ?? .null),
            ("latency_ns", latency(operation.latency)),
            ("latency_from_send_ns", latency(operation.serviceTime)),
        ])
    }

    private func latency(_ latency: LatencyHistogram) -> JSONText {
        var members: [(String, JSONText)] = [("mean", .real(latency.meanNanoseconds))]
        for (name, percentile) in Self.percentiles {
            members.append((name, .integer(latency.nanoseconds(atPercentile: percentile))))
        }
        members.append(("max", .integer(latency.longestNanoseconds)))
        let values = latency.recorded.map { value in
            JSONText.array([.integer(value.nanoseconds), .integer(value.count)])
        }
        members.append(("histogram", .array(values)))
        return .object(members)
    }

    private func sample(_ sample: SecondSample) -> JSONText {
        .object([
            ("second", .integer(sample.second)),
            ("requests", .integer(sample.requests)),
            ("errors", .integer(sample.errors)),
            ("max_ns", .integer(sample.longestNanoseconds)),
        ])
    }

    private func server(_ server: ServerShare) -> JSONText {
        .object([
            ("server", .string(server.name)),
            ("requests", .integer(server.requests)),
            ("cpu_s", server.processorSeconds.map(JSONText.real) ?? .null),
            ("busiest_thread_share", server.busiestThreadShare.map(JSONText.real) ?? .null),
        ])
    }

    private func generator(_ use: GeneratorUse) -> JSONText {
        .object([
            ("threads", .integer(use.threads)),
            ("cpu_s", .real(use.processorSeconds)),
            ("busiest_thread_share", .real(use.busiestThreadShare)),
            ("waited_s", .real(use.waitedSeconds)),
            ("lag_p99_ns", .integer(use.lagP99Nanoseconds)),
        ])
    }
}
