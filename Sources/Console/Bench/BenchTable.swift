// A benchmark's results for a terminal: what was asked, what came of it, whether to believe it.
public import LoadGenerator

/// The final tables of a benchmark.
public struct BenchTable: Sendable {
    private let report: BenchReport

    /// The tables of `report`.
    public init(_ report: BenchReport) {
        self.report = report
    }

    /// All of it; headings in bold when `styled`.
    public func text(styled: Bool) -> String {
        guard let shown = report.detailedRun else { return "nothing was measured\n" }
        var parts: [String] = []
        if report.runs.count > 1 { parts.append(overview(styled)) }
        let isOfMany = report.runs.count > 1
        let title = isOfMany ? "details of \(report.name(of: shown.index))\n" : ""
        parts.append(title + operations(shown.run, styled))
        parts.append(servers(shown.run, styled))
        parts.append(footer(shown.run) + verdicts())
        return parts.joined(separator: "\n")
    }

    // MARK: All runs

    /// One row per run or phase; repeated runs end with their median and spread.
    private func overview(_ styled: Bool) -> String {
        let isOpenLoop = report.runs.contains { $0.intendedRate != nil }
        let hasManyServers = report.runs.contains { $0.servers.count > 1 }
        var columns: [Table.Column] = [.init("RUN")]
        if isOpenLoop { columns.append(.init("ASKED", .right)) }
        columns += [
            .init("RATE", .right), .init("P50", .right), .init("P99", .right),
            .init("P99.9", .right), .init("MAX", .right), .init("ERRORS", .right),
        ]
        if hasManyServers { columns.append(.init("IMBALANCE", .right)) }
        columns.append(.init("VERDICT"))
        var table = Table(columns)
        for (index, run) in report.runs.enumerated() {
            let latency = run.total.latency
            var cells = [report.name(of: index)]
            if isOpenLoop { cells.append(run.intendedRate.map(rateText) ?? "-") }
            cells.append(rateText(run.rate))
            for percentile in [50, 99, 99.9] {
                cells.append(duration(latency.nanoseconds(atPercentile: percentile)))
            }
            cells += [duration(latency.longestNanoseconds), "\(run.errors)"]
            if hasManyServers { cells.append(decimal(run.imbalance, places: 2)) }
            cells.append(run.verdict.isValid ? "valid" : "INVALID")
            table.append(cells)
        }
        return table.text(styled: styled) + spread()
    }

    /// The middle of repeated runs, and how far they lie apart.
    private func spread() -> String {
        guard report.scenario == "load" else { return "" }
        let rates = report.runs.map(\.rate)
        var text = "median of \(report.runs.count) runs: \(rateText(median(rates)))"
        text += " (spread \(spreadText(rates)))"
        for (name, percentile) in [("p50", 50), ("p99", 99), ("p99.9", 99.9)] {
            let values = report.runs.map {
                Double($0.total.latency.nanoseconds(atPercentile: percentile))
            }
            text += ", \(name) \(duration(nanoseconds: median(values))) (\(spreadText(values)))"
        }
        return text + "\n"
    }

    /// Highest less lowest, in percent of the median.
    private func spreadText(_ values: [Double]) -> String {
        let middle = median(values)
        guard let low = values.min(), let high = values.max(), middle > 0 else { return "-" }
        return percentage((high - low) / middle)
    }

    // MARK: One run

    /// A row per kind of operation; in open loop a second one with the latency from the send.
    private func operations(_ run: RunResult, _ styled: Bool) -> String {
        let isOpenLoop = run.intendedRate != nil
        var columns: [Table.Column] = [
            .init("OPERATION"), .init("COUNT", .right), .init("RATE", .right),
            .init("HITS", .right), .init("ERRORS", .right),
        ]
        if isOpenLoop { columns.append(.init("LATENCY FROM")) }
        for title in ["P50", "P90", "P99", "P99.9", "MAX"] { columns.append(.init(title, .right)) }
        var table = Table(columns)
        var rows = run.operations.map { ($0.kind.name, $0) }
        if rows.count > 1 { rows.append(("all", run.total)) }
        for (name, operation) in rows {
            let rate = run.seconds > 0 ? Double(operation.requests) / run.seconds : 0
            var cells = [
                name, "\(operation.requests)", rateText(rate), percentage(operation.hitRatio),
                "\(operation.errors)",
            ]
            if isOpenLoop { cells.append("intended time") }
            table.append(cells + percentiles(operation.latency))
            if isOpenLoop {
                table.append(["", "", "", "", "", "send"] + percentiles(operation.serviceTime))
            }
        }
        return table.text(styled: styled)
    }

    private func percentiles(_ latency: LatencyHistogram) -> [String] {
        guard latency.count > 0 else { return Array(repeating: "-", count: 5) }
        return [50, 90, 99, 99.9].map { duration(latency.nanoseconds(atPercentile: $0)) }
            + [duration(latency.longestNanoseconds)]
    }

    private func servers(_ run: RunResult, _ styled: Bool) -> String {
        let all = run.servers.reduce(0) { $0 + $1.requests }
        let isKnown = run.servers.contains { $0.processorSeconds != nil }
        var columns: [Table.Column] = [
            .init("SERVER"), .init("COMMANDS", .right), .init("SHARE", .right),
        ]
        if isKnown { columns += [.init("CPU", .right), .init("CPU/COMMAND", .right)] }
        var table = Table(columns)
        for server in run.servers {
            let share = all == 0 ? nil : Double(server.requests) / Double(all)
            var cells = [server.name, "\(server.requests)", percentage(share)]
            if isKnown {
                let used = server.processorSeconds
                cells.append(used.map { percentage($0 / max(run.seconds, 1e-9)) } ?? "-")
                let each = used.map { $0 * 1e9 / Double(max(server.requests, 1)) }
                cells.append(each.map { duration(nanoseconds: $0) } ?? "-")
            }
            table.append(cells)
        }
        var text = table.text(styled: styled)
        if run.servers.count > 1 {
            text += "imbalance \(decimal(run.imbalance, places: 2)): the busiest server's commands"
            text += " over the mean of all\n"
        }
        return text
    }

    // MARK: What to think of it

    private func footer(_ run: RunResult) -> String {
        let use = run.generator
        let each = run.requests == 0 ? 0 : use.processorSeconds * 1e9 / Double(run.requests)
        var text = "generator: \(counted(use.threads, "thread")),"
        text += " \(duration(nanoseconds: each)) of CPU a request, busiest thread"
        text += " \(percentage(use.busiestThreadShare)) of a processor"
        if run.intendedRate != nil {
            text += ", sent \(duration(use.lagP99Nanoseconds)) late (p99)"
        }
        return text + "\n"
    }

    private func verdicts() -> String {
        var text = ""
        for (index, run) in report.runs.enumerated() {
            let name = report.runs.count > 1 ? "\(report.name(of: index)): " : ""
            if let interruption = run.interruption {
                text += "ended early: \(name)\(printable(interruption))\n"
            }
            for warning in run.verdict.warnings { text += "note: \(name)\(printable(warning))\n" }
            for reason in run.verdict.reasons { text += "INVALID: \(name)\(printable(reason))\n" }
        }
        return text + (report.isValid ? "valid: the generator was not the bottleneck\n" : "")
    }
}

extension BenchReport {
    /// The run whose details are shown: the median one, the crowd of a flash crowd, the rate a
    /// search found; nil without runs.
    var detailedRun: (index: Int, run: RunResult)? {
        guard let last = runs.indices.last else { return nil }
        var index = last
        if scenario == "hotspot" {
            index = runs.firstIndex { $0.phase == "during" } ?? last
        } else if scenario == "load" {
            let ordered = runs.indices.sorted { runs[$0].rate < runs[$1].rate }
            index = ordered[(ordered.count - 1) / 2]
        }
        return (index, runs[index])
    }

    /// What tells run `index` from the others.
    func name(of index: Int) -> String {
        runs[index].phase.isEmpty ? "run \(index + 1)" : runs[index].phase
    }
}

/// The middle of `values`, the mean of the two in the middle for an even number; 0 for none.
func median(_ values: [Double]) -> Double {
    let ordered = values.sorted()
    guard !ordered.isEmpty else { return 0 }
    let middle = ordered.count / 2
    return ordered.count % 2 == 1 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2
}
