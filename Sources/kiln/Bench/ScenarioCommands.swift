import ArgumentParser
import Console
import LoadGenerator

/// `kiln bench hotspot`: a flash crowd on one key.
struct HotspotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hotspot",
        abstract: "A flash crowd on one key: before, during and after.")

    @OptionGroup var load: LoadOptions

    @Option(
        help: ArgumentHelp("What the crowd adds, in percent of all requests.", valueName: "percent")
    )
    var share = 60.0

    @Option(help: ArgumentHelp("Seconds before, during and after.", valueName: "b,d,a"))
    var phases = "5,10,5"

    @OptionGroup var output: BenchOutput

    func run() throws {
        try reporting { () throws(ConsoleError) in try output.check() }
        var report: BenchReport?
        var ending: LoadError?
        try reportingLoad { () throws(LoadError) in
            let settings = try load.settings()
            guard load.time == nil, load.requests == nil else {
                throw .contradiction("--time and --requests have no meaning here: use --phases")
            }
            var scenario = HotspotScenario(settings)
            scenario.share = share / 100
            scenario.seconds = try seconds()
            var made = BenchReport(
                load.described(settings).filter { $0.name != "time" }
                    + [("share", "\(share)"), ("phases", phases)], scenario: "hotspot")
            let outcome = try scenario.run(onProgress: output.progress(""))
            output.endProgress()
            made.runs = outcome.results
            ending = outcome.error
            report = made
        }
        if let report { try finish(report, ending, output) }
    }

    private func seconds() throws(LoadError) -> (before: Double, during: Double, after: Double) {
        let values = phases.split(separator: ",").compactMap { Double($0) }
        guard values.count == 3, values.allSatisfy({ $0 > 0 && $0 <= 86_400 }) else {
            throw .malformed(
                setting: "--phases", text: phases, expected: "three numbers of seconds, as 5,10,5")
        }
        return (values[0], values[1], values[2])
    }
}

/// `kiln bench stampede`: keys that expire under many readers.
struct StampedeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stampede",
        abstract: "Clients, keys that expire, a slow origin: how often is it asked?")

    /// Which ways to fill are run, one after the other.
    enum Mode: String, ExpressibleByArgument, CaseIterable {
        case plain
        case leases
        case both
    }

    @OptionGroup var target: TargetOptions

    @Option(help: "get and set, meta leases (mg N), or one after the other.")
    var mode: Mode = .both

    @Option(help: "Keys that expire.")
    var keyCount = 1

    @Option(help: ArgumentHelp("Seconds a key lives.", valueName: "seconds"))
    var ttl = 1

    @Option(help: ArgumentHelp("Milliseconds the origin takes.", valueName: "ms"))
    var origin = 300.0

    @Option(help: ArgumentHelp("Seconds a filler may take (mg N).", valueName: "seconds"))
    var lease = 10

    @Option(help: ArgumentHelp("How long to run each mode.", valueName: "seconds"))
    var time = 10.0

    @OptionGroup var output: ScenarioOutput

    func run() throws {
        var results: [StampedeScenario.Result] = []
        try reportingLoad { () throws(LoadError) in
            var scenario = StampedeScenario(try target.settings())
            scenario.keys = keyCount
            scenario.ttlSeconds = ttl
            scenario.originSeconds = origin / 1_000
            scenario.leaseSeconds = lease
            scenario.seconds = time
            for kind in StampedeScenario.Mode.allCases
            where mode == .both || mode.rawValue == kind.rawValue {
                results.append(try scenario.run(kind, onProgress: output.progress()))
            }
            output.endProgress()
        }
        let report = StampedeReport(results)
        try reporting { () throws(ConsoleError) in
            try output.show(table: report.table, json: report.json)
        }
        if let error = results.compactMap(\.firstError).first {
            complain("kiln bench: \(error)")
            throw ExitCode(error.exitCode)
        }
    }
}

/// `kiln bench verify`: looks for reads of anything older than the last acknowledged write.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check every value read: never older than the last acknowledged write.",
        discussion: """
            Clients write numbered values to a few common keys. A write without an answer counts \
            as one that may have happened, and a miss is always allowed. Exit code 1 when a \
            violation was found; it is printed with the key's last events.
            """)

    @OptionGroup var target: TargetOptions

    @Option(help: "Keys that all clients share.")
    var keyCount = 100

    @Option(help: ArgumentHelp("How long to check.", valueName: "seconds"))
    var time = 10.0

    @Option(help: ArgumentHelp("Sets, in percent of all operations.", valueName: "percent"))
    var sets = 20.0

    @Option(help: ArgumentHelp("Deletes, in percent.", valueName: "percent"))
    var deletes = 2.0

    @Option(help: ArgumentHelp("Conditional writes (cas), in percent.", valueName: "percent"))
    var cas = 5.0

    @Flag(help: "Let each client stay with one server, where the servers share nothing.")
    var sticky = false

    @OptionGroup var output: ScenarioOutput

    func run() throws {
        var result: VerifyScenario.Result?
        try reportingLoad { () throws(LoadError) in
            guard sets >= 0, deletes >= 0, cas >= 0, sets + deletes + cas <= 100 else {
                throw .contradiction("--sets, --deletes and --cas: together 0 through 100 percent")
            }
            var scenario = VerifyScenario(try target.settings())
            scenario.keys = keyCount
            scenario.seconds = time
            scenario.shares = (sets / 100, deletes / 100, cas / 100)
            scenario.usesAnyServer = !sticky
            result = try scenario.run(onProgress: output.progress())
            output.endProgress()
        }
        guard let result else { return }
        let report = VerifyReport(result)
        try reporting { () throws(ConsoleError) in
            try output.show(table: report.table, json: report.json)
        }
        if let error = result.error { complain("kiln bench: \(error)") }
        if !result.violations.isEmpty { throw ExitCode(1) }
        if let error = result.error { throw ExitCode(error.exitCode) }
        if result.hits == 0 { throw ExitCode(1) }
    }
}

/// How a scenario's result is printed.
struct ScenarioOutput: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "How to print.")
    var output: OutputFormat = .table

    @Flag(help: "Show no progress line.")
    var quiet = false

    /// Prints a report in the form asked for.
    func show(table: (_ styled: Bool) -> String, json: JSONText) throws(ConsoleError) {
        switch output {
        case .table: try Terminal.write(table(Terminal.isStyled))
        case .json: try Terminal.write("\(json)\n")
        }
    }

    /// Shows how far the run is, where a person can see it.
    func progress() -> (ProgressSnapshot) -> Void {
        ProgressDisplay.progress("", isQuiet: quiet)
    }

    /// Takes the progress line away.
    func endProgress() {
        ProgressDisplay.end(isQuiet: quiet)
    }
}
