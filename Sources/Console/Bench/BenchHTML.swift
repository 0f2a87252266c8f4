// A benchmark as one page: three plots and the numbers behind them, nothing loaded from elsewhere.
public import LoadGenerator

/// A page with a report's plots, light or dark as the reader's system is.
public struct BenchHTML: Sendable {
    private let report: BenchReport

    /// The page for `report`.
    public init(_ report: BenchReport) {
        self.report = report
    }

    /// The whole page.
    public var text: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <title>kiln bench: \(htmlEscaped(report.scenario))</title>
        <link rel="icon" href="data:,"/>
        <style>\(Self.style)</style>
        </head>
        <body>
        <main>
        <h1>kiln bench: \(htmlEscaped(report.scenario))</h1>
        <p>\(htmlEscaped(utcText(report.startedUnixSeconds))). \(machine)</p>
        \(verdict)
        \(plots)
        <section>
        <h2>Numbers</h2>
        <pre>\(htmlEscapedLines(BenchTable(report).text(styled: false)))</pre>
        </section>
        <section>
        <h2>Settings</h2>
        <table>\(settings)</table>
        </section>
        </main>
        </body>
        </html>

        """
    }

    private var machine: String {
        let machine = report.machine
        return htmlEscaped(
            "\(machine.processor), \(counted(machine.processors, "processor")),"
                + " \(byteText(machine.memoryBytes)) of memory, \(machine.kernel)")
    }

    private var verdict: String {
        guard !report.isValid else {
            return "<p class=\"verdict\">valid: the generator was not the bottleneck</p>"
        }
        let reasons = report.runs.flatMap(\.verdict.reasons)
        return "<p class=\"verdict invalid\">INVALID: \(htmlEscaped(reasons[0]))</p>"
    }

    private var settings: String {
        report.settings.map {
            "<tr><th scope=\"row\">--\(htmlEscaped($0.name))</th>"
                + "<td>\(htmlEscaped($0.value))</td></tr>"
        }.joined(separator: "\n")
    }

    private func htmlEscapedLines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { htmlEscaped(String($0)) }.joined(separator: "\n")
    }

    // MARK: Plots

    private var plots: String {
        guard let shown = report.detailedRun else { return "<p>Nothing was measured.</p>" }
        let latency = latencyPlot(shown.run)
        let rate = ratePlot
        return section(
            "Latency by percentile", "How long the slowest of so many operations took.",
            latency.svg + latency.legend)
            + section(
                "Rate over time", "Answered operations in each second.", rate.svg + rate.legend)
            + section(
                "Share per server", "Commands each server was sent; the line is an even share.",
                serverPlot(shown.run).svg)
    }

    private func section(_ title: String, _ explanation: String, _ content: String) -> String {
        "<section>\n<h2>\(title)</h2>\n<p>\(explanation)</p>\n\(content)</section>\n"
    }

    /// Scenarios with phases show a line per phase, others a line per kind of operation.
    private func latencyPlot(_ shown: RunResult) -> LinePlot {
        var lines: [LinePlot.Series] = []
        if report.scenario == "load" {
            for (index, operation) in shown.operations.enumerated() {
                let name = operation.kind.name
                guard shown.intendedRate != nil else {
                    lines.append(Self.line(name, operation.latency, index))
                    continue
                }
                lines.append(Self.line("\(name), from the intended time", operation.latency, index))
                var sent = Self.line("\(name), from the send", operation.serviceTime, index)
                sent.isDashed = true
                lines.append(sent)
            }
        } else {
            for (index, run) in report.runs.enumerated() {
                lines.append(Self.line(report.name(of: index), run.total.latency, index))
            }
        }
        let values = lines.flatMap { $0.points.map(\.y) }
        let range = (values.min() ?? 1)...(values.max() ?? 10)
        let count = report.runs.map { $0.total.latency.count }.max() ?? 0
        return LinePlot(
            title: "Latency by percentile", horizontal: .percentile(upToCount: count),
            vertical: .latency(range), horizontalName: "percentile", verticalName: "latency",
            series: lines)
    }

    private static func line(
        _ name: String, _ latency: LatencyHistogram, _ colour: Int
    ) -> LinePlot.Series {
        var points: [(x: Double, y: Double)] = []
        for step in latency.steps() where step.percentile < 100 {
            points.append((100 / (100 - step.percentile), Double(step.nanoseconds)))
        }
        if let last = points.last, latency.count > 0 {
            points.append((max(last.x, Double(latency.count)), Double(latency.longestNanoseconds)))
        }
        return LinePlot.Series(name: name, points: points, colour: colour)
    }

    /// Phases lie one behind the other, repeated runs over each other.
    private var ratePlot: LinePlot {
        var lines: [LinePlot.Series] = []
        var offset = 0.0
        for (index, run) in report.runs.enumerated() {
            let start = report.scenario == "load" ? 0 : offset
            var points: [(x: Double, y: Double)] = []
            for sample in run.samples {
                let length = min(1, run.seconds - Double(sample.second))
                // A last sliver of a second says nothing about a rate.
                guard length > 0.2 else { continue }
                let rate = Double(sample.requests) / length
                points.append((start + Double(sample.second), rate))
                points.append((start + Double(sample.second) + length, rate))
            }
            lines.append(
                LinePlot.Series(name: report.name(of: index), points: points, colour: index))
            offset += run.seconds
        }
        let points = lines.flatMap(\.points)
        return LinePlot(
            title: "Rate over time",
            horizontal: .linear(upTo: points.map(\.x).max() ?? 1) { threeDigitsOrWhole($0) },
            vertical: .linear(upTo: points.map(\.y).max() ?? 1) { threeDigitsOrWhole($0) },
            horizontalName: "seconds", verticalName: "operations a second", series: lines)
    }

    private func threeDigitsOrWhole(_ value: Double) -> String {
        value == value.rounded() ? decimal(value, places: 0) : threeDigits(value)
    }

    private func serverPlot(_ run: RunResult) -> BarPlot {
        let all = run.servers.reduce(0) { $0 + $1.requests }
        let bars = run.servers.map { server in
            let share = all == 0 ? 0 : Double(server.requests) / Double(all)
            var text = percentage(share)
            if let used = server.processorSeconds, server.requests > 0 {
                let each = used * 1e9 / Double(server.requests)
                text += ", \(duration(nanoseconds: each)) of CPU a command"
            }
            return BarPlot.Bar(name: server.name, share: share, text: text)
        }
        return BarPlot(
            title: "Share per server", bars: bars,
            mark: bars.count > 1 ? 1 / Double(bars.count) : nil)
    }

    /// Colours from Okabe and Ito's palette, told apart with any kind of colour vision.
    private static let style = """

        :root { color-scheme: light dark; --ground: #ffffff; --ink: #1c1c1c; --faint: #d8d8d8;
          --c0: #0072b2; --c1: #d55e00; --c2: #009e73; --c3: #aa4499; --c4: #8a6d00;
          --c5: #56b4e9; }
        @media (prefers-color-scheme: dark) {
          :root { --ground: #161616; --ink: #e6e6e6; --faint: #3c3c3c;
            --c0: #56b4e9; --c1: #e69f00; --c2: #2fc79b; --c3: #cc79a7; --c4: #f0e442;
            --c5: #0090e0; } }
        body { background: var(--ground); color: var(--ink); margin: 0;
          font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 800px; margin: 0 auto; padding: 1rem; }
        h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-bottom: 0; }
        section { margin-top: 2rem; } p { margin: 0.25rem 0 0.75rem; }
        svg { width: 100%; height: auto; } svg text { fill: var(--ink); font-size: 12px; }
        .grid { stroke: var(--faint); stroke-width: 1; }
        .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
        .dashed { stroke-dasharray: 6 4; } .bar { fill: var(--c0); }
        .mark { stroke: var(--c1); stroke-width: 2; stroke-dasharray: 4 3; }
        .c0 { stroke: var(--c0); border-color: var(--c0); }
        .c1 { stroke: var(--c1); border-color: var(--c1); }
        .c2 { stroke: var(--c2); border-color: var(--c2); }
        .c3 { stroke: var(--c3); border-color: var(--c3); }
        .c4 { stroke: var(--c4); border-color: var(--c4); }
        .c5 { stroke: var(--c5); border-color: var(--c5); }
        .legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1.5rem; padding: 0; }
        .key { display: inline-block; width: 1.6rem; border-width: 2px 0 0; border-style: solid;
          margin-right: 0.5rem; vertical-align: middle; } .key.dashed { border-top-style: dashed; }
        pre { overflow-x: auto; font-size: 12px; } table { border-collapse: collapse; }
        th { text-align: left; font-weight: normal; padding-right: 1.5rem; }
        .invalid { color: var(--c1); font-weight: bold; }

        """
}
