import LoadGenerator

/// Reports whose every figure is known.
enum SampleReports {
    /// Their names: short arguments for tests.
    enum Kind: String, CaseIterable, Sendable {
        case closedLoop, openLoop, hotspot, repeated

        var report: BenchReport {
            switch self {
            case .closedLoop: SampleReports.closedLoop()
            case .openLoop: SampleReports.openLoop()
            case .hotspot: SampleReports.hotspot()
            case .repeated: SampleReports.repeated([10, 20, 30])
            }
        }
    }

    /// Ten reads that took 100 to 1,000 us in equal steps, and ten writes that took twice that.
    static func run(factor: UInt64 = 1) -> RunResult {
        var run = RunResult()
        run.seconds = 2
        run.operations = [OperationKind.get, .set].map { kind in
            var operation = OperationResult(kind: kind)
            operation.requests = 10
            operation.keys = 10
            operation.hits = kind == .get ? 9 : 0
            let scale = factor * (kind == .get ? 100_000 : 200_000)
            let latencies = (1...10).map { (nanoseconds: UInt64($0) * scale, count: UInt64(1)) }
            operation.latency = LatencyHistogram(recorded: latencies)
            operation.serviceTime = operation.latency
            return operation
        }
        for second in 0..<2 {
            var sample = SecondSample(second: second)
            sample.requests = 10
            sample.longestNanoseconds = 2_000_000
            run.samples.append(sample)
        }
        var share = ServerShare(name: "127.0.0.1:11211")
        share.requests = 20
        share.processorSeconds = 0.0001
        share.busiestThreadShare = 0.5
        run.servers = [share]
        run.generator.threads = 1
        run.generator.processorSeconds = 0.00004
        run.generator.busiestThreadShare = 0.125
        return run
    }

    /// One sound run in closed loop.
    static func closedLoop() -> BenchReport {
        report("load", [run()])
    }

    /// An open loop whose servers queued, and whose generator was late.
    static func openLoop() -> BenchReport {
        var run = run()
        run.intendedRate = 10
        for index in run.operations.indices {
            let queued = run.operations[index].latency.recorded.map {
                (nanoseconds: $0.nanoseconds * 100, count: $0.count)
            }
            run.operations[index].latency = LatencyHistogram(recorded: queued)
        }
        run.unsent = 7
        run.unanswered = 2
        run.generator.lagP99Nanoseconds = 2_000_000
        run.verdict.reasons = ["the generator sent late"]
        run.verdict.warnings = ["7 operations were due"]
        run.interruption = "interrupted"
        return report("load", [run])
    }

    /// A flash crowd over two servers.
    static func hotspot() -> BenchReport {
        let phases = ["before", "during", "after"].map { phase in
            var run = run(factor: phase == "during" ? 10 : 1)
            run.phase = phase
            var second = ServerShare(name: "127.0.0.1:11212")
            second.requests = phase == "during" ? 60 : 20
            run.servers.append(second)
            return run
        }
        return report("hotspot", phases)
    }

    /// Runs at `rates`, their latencies `factor` times those of ``run(factor:)``.
    static func repeated(_ rates: [UInt64], factor: UInt64 = 1) -> BenchReport {
        report(
            "load",
            rates.map { rate in
                var run = run(factor: factor)
                run.operations[0].requests = rate
                run.operations[1].requests = rate
                run.samples = (0..<2).map { second in
                    var sample = SecondSample(second: second)
                    sample.requests = rate
                    return sample
                }
                return run
            })
    }

    private static func report(_ scenario: String, _ runs: [RunResult]) -> BenchReport {
        var machine = MachineDescription()
        machine.processor = "Test CPU <8>"
        machine.processors = 2
        machine.memoryBytes = 8 << 30
        machine.kernel = "Linux 6.1"
        var report = BenchReport(
            scenario: scenario, settings: [("clients", "50"), ("key-prefix", "a&\"b")],
            startedUnixSeconds: 1_700_000_000, machine: machine)
        report.runs = runs
        return report
    }
}
