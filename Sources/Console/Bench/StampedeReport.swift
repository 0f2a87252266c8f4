public import LoadGenerator

/// What `kiln bench stampede` shows: one column of counts per way to fill.
public struct StampedeReport: Sendable {
    private let results: [StampedeScenario.Result]

    /// A report of the modes that were run.
    public init(_ results: [StampedeScenario.Result]) {
        self.results = results
    }

    /// A row per mode.
    public func table(styled: Bool) -> String {
        var table = Table([
            .init("MODE"), .init("READS", .right), .init("ORIGIN ASKED", .right),
            .init("CONCURRENTLY", .right), .init("NEEDLESSLY", .right), .init("REFUSED", .right),
            .init("PEAK", .right), .init("STALE READS", .right), .init("P50", .right),
            .init("P99", .right), .init("MAX", .right),
        ])
        for result in results {
            table.append([
                result.mode.rawValue, "\(result.reads)", "\(result.fills)",
                "\(result.concurrentFills)", "\(result.duplicateFills)",
                "\(result.refusedFills)", "\(result.peakOriginLoad)", "\(result.staleReads)",
                duration(result.latency.nanoseconds(atPercentile: 50)),
                duration(result.latency.nanoseconds(atPercentile: 99)),
                duration(result.latency.longestNanoseconds),
            ])
        }
        var text = table.text(styled: styled)
        text += "concurrently: while the origin was asked for the same key already; needlessly:"
        text += " the same, or the value was still alive; peak: most at once\n"
        for result in results where result.failedClients > 0 {
            let clients = counted(result.failedClients, "client")
            text += "\(result.mode.rawValue): \(clients) ended on an error\n"
        }
        return text
    }

    /// `{"schema_version", "kind", "modes": [{"mode", "seconds", "reads", "fills",
    /// "concurrent_fills", "duplicate_fills", "refused_fills", "peak_origin_load", "stale_reads",
    /// "failed_clients", "p50_ns", "p99_ns", "max_ns"}]}`.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("kind", .string("kiln bench stampede")),
            ("modes", .array(results.map(mode))),
        ])
    }

    private func mode(_ result: StampedeScenario.Result) -> JSONText {
        .object([
            ("mode", .string(result.mode.rawValue)),
            ("seconds", .real(result.seconds)),
            ("reads", .integer(result.reads)),
            ("fills", .integer(result.fills)),
            ("concurrent_fills", .integer(result.concurrentFills)),
            ("duplicate_fills", .integer(result.duplicateFills)),
            ("refused_fills", .integer(result.refusedFills)),
            ("peak_origin_load", .integer(result.peakOriginLoad)),
            ("stale_reads", .integer(result.staleReads)),
            ("failed_clients", .integer(result.failedClients)),
            ("p50_ns", .integer(result.latency.nanoseconds(atPercentile: 50))),
            ("p99_ns", .integer(result.latency.nanoseconds(atPercentile: 99))),
            ("max_ns", .integer(result.latency.longestNanoseconds)),
        ])
    }
}
