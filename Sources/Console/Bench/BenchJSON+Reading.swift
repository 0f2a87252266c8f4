// Reading a report of an earlier benchmark, which may be anything: a file somebody named.
public import LoadGenerator

extension BenchJSON {
    /// The report in `bytes`, which ``json`` wrote; `name` is for the error.
    public static func report(
        from bytes: [UInt8], name: String
    ) throws(ConsoleError) -> BenchReport {
        do throws(JSONProblem) {
            return try report(try JSONText(parsing: bytes))
        } catch {
            throw .unreadableReport(file: name, reason: "\(error)")
        }
    }

    private static func report(_ json: JSONText) throws(JSONProblem) -> BenchReport {
        guard case .object = json, try json.text("kind") == kind else {
            throw JSONProblem("it is not the JSON of a benchmark")
        }
        let version = try json.number("schema_version", as: Int.self)
        guard version == reportSchemaVersion else {
            throw JSONProblem(
                "its schema_version is \(version), this program reads \(reportSchemaVersion)")
        }
        let described = try json.member("machine")
        var machine = MachineDescription()
        machine.processor = try described.text("processor")
        machine.processors = try described.number("processors")
        machine.memoryBytes = try described.number("memory_bytes")
        machine.kernel = try described.text("kernel")
        guard case .object(let members) = try json.member("settings") else {
            throw JSONProblem("settings is no object")
        }
        var settings: [(name: String, value: String)] = []
        for (name, value) in members {
            if case .string(let text) = value { settings.append((name, text)) }
        }
        var report = BenchReport(
            scenario: try json.text("scenario"), settings: settings,
            startedUnixSeconds: try json.number("started_unix_s"), machine: machine)
        for element in try json.elements("runs") { report.runs.append(try run(element)) }
        return report
    }

    private static func run(_ json: JSONText) throws(JSONProblem) -> RunResult {
        var run = RunResult()
        run.phase = try json.text("phase")
        run.seconds = try json.number("seconds")
        run.intendedRate = try json.optionalNumber("intended_rate")
        run.unanswered = try json.number("unanswered")
        run.unsent = try json.number("unsent")
        for element in try json.elements("operations") {
            run.operations.append(try operation(element))
        }
        for element in try json.elements("per_second") {
            var sample = SecondSample(second: try element.number("second"))
            sample.requests = try element.number("requests")
            sample.errors = try element.number("errors")
            sample.longestNanoseconds = try element.number("max_ns")
            run.samples.append(sample)
        }
        for element in try json.elements("servers") {
            var share = ServerShare(name: try element.text("server"))
            share.requests = try element.number("requests")
            share.processorSeconds = try element.optionalNumber("cpu_s")
            share.busiestThreadShare = try element.optionalNumber("busiest_thread_share")
            run.servers.append(share)
        }
        run.generator = try generator(try json.member("generator"))
        let verdict = try json.member("verdict")
        run.verdict.reasons = try verdict.texts("reasons")
        run.verdict.warnings = try verdict.texts("warnings")
        run.interruption =
            try json.member("interruption") == .null ? nil : try json.text("interruption")
        return run
    }

    private static func operation(_ json: JSONText) throws(JSONProblem) -> OperationResult {
        let name = try json.text("operation")
        guard let kind = OperationKind.allCases.first(where: { $0.name == name }) else {
            throw JSONProblem("there is no operation \(printable(name))")
        }
        var result = OperationResult(kind: kind)
        result.requests = try json.number("requests")
        result.keys = try json.number("keys")
        result.hits = try json.number("hits")
        result.errors = try json.number("errors")
        result.latency = try latency(try json.member("latency_ns"))
        result.serviceTime = try latency(try json.member("latency_from_send_ns"))
        return result
    }

    private static func latency(_ json: JSONText) throws(JSONProblem) -> LatencyHistogram {
        var values: [(nanoseconds: UInt64, count: UInt64)] = []
        var total: UInt64 = 0
        for element in try json.elements("histogram") {
            guard case .array(let pair) = element, pair.count == 2,
                case .number(let latency) = pair[0], case .number(let count) = pair[1],
                let nanoseconds = UInt64(latency), let count = UInt64(count)
            else { throw JSONProblem("a histogram holds something other than [latency, count]") }
            let (sum, overflows) = total.addingReportingOverflow(count)
            guard !overflows, sum <= countLimit else {
                throw JSONProblem("a histogram counts more than \(countLimit) operations")
            }
            total = sum
            values.append((nanoseconds, count))
        }
        return LatencyHistogram(recorded: values)
    }

    /// Most operations a histogram may count: what a year of 100 million a second makes.
    private static let countLimit: UInt64 = 1 << 52

    private static func generator(_ json: JSONText) throws(JSONProblem) -> GeneratorUse {
        var use = GeneratorUse()
        use.threads = try json.number("threads")
        use.processorSeconds = try json.number("cpu_s")
        use.busiestThreadShare = try json.number("busiest_thread_share")
        use.waitedSeconds = try json.number("waited_s")
        use.lagP99Nanoseconds = try json.number("lag_p99_ns")
        return use
    }
}
