// Runs seeds, several at a time, and reports them in order.

import ClusterSimulator
import Glibc

/// Prints a line at once, also into a pipe.
func say(_ line: String) {
    print(line)
    fflush(nil)
}

/// Runs a range of seeds.
struct SeedRunner {
    let arguments: Arguments

    /// Runs the seeds as they are, without a planted bug; true when every property held.
    func runAll() async -> Bool {
        var coverage = Coverage()
        var passed = 0
        var failed = 0
        var digest: UInt64 = 0
        await forEachSeed(bug: nil) { report in
            coverage.merge(report.coverage)
            digest = (digest ^ report.digest) &* 0x9E37_79B9_7F4A_7C15
            if report.violation == nil { passed += 1 } else { failed += 1 }
            tell(report, bug: nil)
            return report.violation == nil || !arguments.stopsAtFirst
        }
        let missing = arguments.simulated.expectedCoverage.filter { coverage[$0] == 0 }
        say("coverage:")
        for event in arguments.simulated.expectedCoverage { say("  \(event) \(coverage[event])") }
        say("digest of all seeds: \(String(digest, radix: 16))")
        for event in missing { say("NEVER MET: \(event)") }
        say("\(passed) seeds passed, \(failed) seeds failed, \(missing.count) events never met")
        return failed == 0 && missing.isEmpty
    }

    /// Plants `bug`; true when a seed finds it that passes without it.
    func find(_ bug: PlantedBug) async -> Bool {
        var finder: SimulationReport?
        var tried = 0
        await forEachSeed(bug: bug) { report in
            tried += 1
            if finder == nil, report.violation != nil { finder = report }
            return finder == nil
        }
        guard let finder, let violation = finder.violation else {
            say("\(bug.rawValue): NOT FOUND in \(tried) seeds")
            return false
        }
        tell(finder, bug: bug, isQuiet: !arguments.isTraced)
        let clean = arguments.simulated.run(
            arguments.options(finder.seed, bug: nil, isTraced: false))
        let verdict = clean.violation.map { "; BUT WITHOUT IT: \($0)" } ?? ""
        say("\(bug.rawValue): found by seed \(finder.seed) at \(violation)\(verdict)")
        return clean.violation == nil
    }

    /// Calls `body` with each report, in the order of the seeds, until it returns false.
    private func forEachSeed(
        bug: PlantedBug?, _ body: (SimulationReport) -> Bool
    ) async {
        let arguments = self.arguments
        await withTaskGroup(of: SimulationReport.self) { group in
            var next = arguments.seeds.lowerBound
            var waiting: [UInt64: SimulationReport] = [:]
            var told = next
            func startOne() {
                guard next <= arguments.seeds.upperBound else { return }
                let seed = next
                next += 1
                group.addTask { Self.run(seed, bug: bug, arguments) }
            }
            for _ in 0..<arguments.jobs { startOne() }
            var goesOn = true
            while goesOn, let report = await group.next() {
                waiting[report.seed] = report
                // Nobody runs so far ahead that reports pile up.
                startOne()
                while goesOn, let ready = waiting.removeValue(forKey: told) {
                    told += 1
                    goesOn = body(ready)
                }
            }
            group.cancelAll()
        }
    }

    private static func run(
        _ seed: UInt64, bug: PlantedBug?, _ arguments: Arguments
    ) -> SimulationReport {
        let options = arguments.options(seed, bug: bug, isTraced: arguments.isTraced)
        var report = arguments.simulated.run(options)
        guard arguments.runsTwice, report.violation == nil else { return report }
        let again = arguments.simulated.run(options)
        if again.digest != report.digest {
            report.violation = .notReplayable(report.digest, again.digest)
        }
        return report
    }

    private func tell(_ report: SimulationReport, bug: PlantedBug?, isQuiet: Bool = false) {
        let isAlone = arguments.seeds.count == 1
        if arguments.isTraced, isAlone || report.violation != nil {
            for line in report.journal { say(line) }
        }
        guard let violation = report.violation, !isQuiet else {
            if isAlone { say("seed \(report.seed): digest \(String(report.digest, radix: 16))") }
            return
        }
        let options = arguments.options(report.seed, bug: nil, isTraced: true)
        let planted = bug.map { " --fault \($0.rawValue)" } ?? ""
        say("seed \(report.seed) FAILED at \(violation)")
        say(
            "  replay: kiln-simulate --protocol \(arguments.simulated.rawValue) --seeds "
                + "\(report.seed)-\(report.seed) --nodes \(options.nodes) --seconds "
                + "\(options.seconds)\(planted) --trace")
    }
}
