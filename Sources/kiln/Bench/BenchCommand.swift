import ArgumentParser
import Console
import Glibc
import LoadGenerator

/// `kiln bench`: load for any memcached server, and numbers that can be trusted.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Load servers that speak the memcached protocol, and measure them.",
        discussion: """
            Exit codes: 0 done, 1 the numbers are invalid or a check failed, 64 the command line \
            is wrong, 69 a server cannot be reached or went away, 75 no answer in time.
            """,
        subcommands: [
            LoadCommand.self, HotspotCommand.self, StampedeCommand.self, VerifyCommand.self,
        ],
        defaultSubcommand: LoadCommand.self)
}

/// `kiln bench load`, which `kiln bench` alone means.
struct LoadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load",
        abstract: "Send one load and measure it (the default).")

    @OptionGroup var load: LoadOptions

    @Option(help: "How often to measure; the median and the spread are shown.")
    var runs = 1

    @Flag(help: "Search the highest --rate that keeps --slo.")
    var findMax = false

    @Option(
        help: ArgumentHelp(
            "The objective of --find-max: a percentile of the latency and its bound.",
            valueName: "p99<1ms"))
    var slo: String?

    @OptionGroup var output: BenchOutput

    /// Most runs of one call.
    private static let runLimit = 100

    func run() throws {
        try reporting { () throws(ConsoleError) in try output.check() }
        try reportingLoad { () throws(LoadError) in
            let settings = try load.settings()
            guard (1...Self.runLimit).contains(runs) else {
                throw .contradiction("--runs: 1 through \(Self.runLimit)")
            }
            guard findMax == (slo != nil) else {
                throw .contradiction("--find-max and --slo belong together: give both")
            }
            _ = settings
        }
        if let slo { return try search(slo) }
        try measure()
    }

    private func measure() throws {
        var ending: LoadError?
        var report: BenchReport?
        try reportingLoad { () throws(LoadError) in
            var settings = try load.settings()
            var made = BenchReport(load.described(settings))
            for number in 1...runs {
                let run = try LoadRun(settings)
                let prefix = runs > 1 ? "run \(number)/\(runs)" : ""
                let outcome = try run.run(onProgress: output.progress(prefix))
                made.runs += outcome.results
                ending = outcome.error
                if outcome.error != nil || outcome.wasInterrupted { break }
                settings.preloads = false
            }
            output.endProgress()
            report = made
        }
        guard let report else { return }
        try finish(report, ending, output)
    }

    private func search(_ slo: String) throws {
        var report: BenchReport?
        var ending: LoadError?
        try reportingLoad { () throws(LoadError) in
            let settings = try load.settings()
            let objective = try Objective(slo)
            var described = load.described(settings)
            described.append(("slo", "\(objective)"))
            let search = MaximumSearch(settings: settings, objective: objective)
            var made = BenchReport(described, scenario: "find-max")
            let outcome = try search.run { step in output.progress(step.description) }
            output.endProgress()
            made.runs = outcome.results
            ending = outcome.error
            report = made
        }
        guard let report else { return }
        try finish(report, ending, output)
    }
}

extension BenchReport {
    /// A report that starts now, on this machine.
    init(_ settings: [(name: String, value: String)], scenario: String = "load") {
        self.init(
            scenario: scenario, settings: settings, startedUnixSeconds: Int64(time(nil)),
            machine: .current())
    }
}
