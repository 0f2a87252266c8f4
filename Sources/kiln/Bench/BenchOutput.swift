import ArgumentParser
import Console
import Glibc
import LoadGenerator

/// How and where a benchmark's results go.
struct BenchOutput: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "How to print.")
    var output: OutputFormat = .table

    @Flag(help: "Show no progress line.")
    var quiet = false

    @Option(help: ArgumentHelp("Write everything as JSON there.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write percentiles and seconds as CSV there.", valueName: "file"))
    var csv: String?

    @Option(
        help: ArgumentHelp(
            "Write HdrHistogram's percentile distributions there, one file per kind of operation.",
            valueName: "file"))
    var hgrm: String?

    @Option(help: ArgumentHelp("Write one page with plots there.", valueName: "file"))
    var html: String?

    @Option(
        help: ArgumentHelp(
            "Compare with the JSON file of an earlier run.", valueName: "file"))
    var compare: String?

    /// Reads the file of `--compare` before anything is measured for it.
    func check() throws(ConsoleError) {
        if let compare { _ = try BenchJSON.report(from: ReportFile.read(compare), name: compare) }
    }

    /// Prints `report` and writes the files asked for; the error code is 1 for an invalid run.
    func show(_ report: BenchReport) throws(ConsoleError) {
        switch output {
        case .table: try Terminal.write(BenchTable(report).text(styled: Terminal.isStyled))
        case .json: try Terminal.write("\(BenchJSON(report).json)\n")
        }
        if let json { try ReportFile.write("\(BenchJSON(report).json)\n", to: json) }
        if let csv {
            let tables = BenchCSV(report)
            try ReportFile.write("\(tables.percentiles)\n\(tables.seconds)", to: csv)
        }
        if let hgrm { try writeDistributions(report, hgrm) }
        if let html { try ReportFile.write(BenchHTML(report).text, to: html) }
        if let compare {
            let old = try BenchJSON.report(
                from: try ReportFile.read(compare), name: compare)
            let comparison = BenchComparison(old: old, oldName: compare, new: report)
            switch output {
            case .table:
                try Terminal.write("\n" + comparison.table(styled: Terminal.isStyled))
            case .json: try Terminal.write("\(comparison.json)\n")
            }
        }
    }

    /// `name.hgrm` becomes `name.get.hgrm` where there are several kinds.
    private func writeDistributions(
        _ report: BenchReport, _ path: String
    ) throws(ConsoleError) {
        let texts = BenchHGRM(report).texts
        for (name, text) in texts {
            let stem = path.hasSuffix(".hgrm") ? String(path.dropLast(5)) : path
            try ReportFile.write(text, to: texts.count == 1 ? path : "\(stem).\(name).hgrm")
        }
    }

    /// Shows how far the run is, where a person can see it.
    func progress(_ prefix: String) -> (ProgressSnapshot) -> Void {
        ProgressDisplay.progress(prefix, isQuiet: quiet)
    }

    /// Takes the progress line away.
    func endProgress() {
        ProgressDisplay.end(isQuiet: quiet)
    }
}

/// The live line on standard error; nothing where that is no terminal.
enum ProgressDisplay {
    /// What shows snapshots; `prefix` stands before their phase.
    static func progress(_ prefix: String, isQuiet: Bool) -> (ProgressSnapshot) -> Void {
        guard !isQuiet, isatty(STDERR_FILENO) == 1 else { return { _ in } }
        return { snapshot in
            var snapshot = snapshot
            if !prefix.isEmpty {
                snapshot.phase = snapshot.phase.isEmpty ? prefix : "\(prefix), \(snapshot.phase)"
            }
            writeToStandardError(ProgressLine.overwriting(snapshot))
        }
    }

    /// Takes the line away.
    static func end(isQuiet: Bool) {
        if !isQuiet, isatty(STDERR_FILENO) == 1 { writeToStandardError(ProgressLine.erased) }
    }
}

/// Writes `text` to standard error as it is.
private func writeToStandardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count) }
}

/// Runs `body`; a setting that makes no sense, or a server that fails, becomes one line on
/// standard error and its exit code.
func reportingLoad(_ body: () throws(LoadError) -> Void) throws {
    do throws(LoadError) {
        try body()
    } catch {
        ProgressDisplay.end(isQuiet: false)
        complain("kiln bench: \(error)")
        throw ExitCode(error.exitCode)
    }
}

/// Prints a benchmark's report; ends with exit code 1 where its numbers are invalid, or with the
/// code of what ended it early.
func finish(_ report: BenchReport, _ ending: LoadError?, _ output: BenchOutput) throws {
    if !report.runs.isEmpty {
        try reporting { () throws(ConsoleError) in try output.show(report) }
    }
    if let ending {
        complain("kiln bench: \(ending)")
        throw ExitCode(ending.exitCode)
    }
    if !report.isValid { throw ExitCode(1) }
}
