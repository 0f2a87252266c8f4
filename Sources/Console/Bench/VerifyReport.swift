public import LoadGenerator

/// What `kiln bench verify` shows.
public struct VerifyReport: Sendable {
    private let result: VerifyScenario.Result

    /// A report of one check.
    public init(_ result: VerifyScenario.Result) {
        self.result = result
    }

    /// The sums, then every violation with its history.
    public func table(styled: Bool) -> String {
        var table = Table([.init("CHECKED"), .init("COUNT", .right)])
        let rows: [(String, UInt64)] = [
            ("reads that found a value", result.hits),
            ("reads that missed (always allowed)", result.misses),
            ("writes and deletes acknowledged", result.writes),
            ("conditional writes done", result.conditionalWrites),
            ("writes that may have happened", result.unknownWrites),
            ("connections opened again", result.reconnects),
        ]
        for (name, count) in rows { table.append([name, "\(count)"]) }
        var text = table.text(styled: styled) + "\n"
        for violation in result.violations {
            for line in violation.description.split(separator: "\n") {
                text += printable(String(line)) + "\n"
            }
            text += "\n"
        }
        let seconds = decimal(result.seconds, places: 1)
        if !result.violations.isEmpty {
            let limit = VerifyScenario.violationLimit
            let more = result.violations.count >= limit ? " (the check ends at \(limit))" : ""
            text +=
                "FAILED: \(counted(result.violations.count, "violation"))\(more) in \(seconds) s\n"
        } else if result.hits == 0 {
            text += "NOTHING CHECKED: no read found a value in \(seconds) s\n"
        } else {
            text += "passed: no value older than the last acknowledged write in \(seconds) s\n"
        }
        return text
    }

    /// `{"schema_version", "kind", "passed", "seconds", "hits", "misses", "writes",
    /// "conditional_writes", "unknown_writes", "reconnects", "violations": [{"key", "client",
    /// "reason", "history"}], "error"}`.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("kind", .string("kiln bench verify")),
            ("passed", .boolean(result.violations.isEmpty && result.hits > 0)),
            ("seconds", .real(result.seconds)),
            ("hits", .integer(result.hits)),
            ("misses", .integer(result.misses)),
            ("writes", .integer(result.writes)),
            ("conditional_writes", .integer(result.conditionalWrites)),
            ("unknown_writes", .integer(result.unknownWrites)),
            ("reconnects", .integer(result.reconnects)),
            ("violations", .array(result.violations.map(violation))),
            ("error", result.error.map { .string("\($0)") } ?? .null),
        ])
    }

    private func violation(_ violation: VerifyScenario.Violation) -> JSONText {
        .object([
            ("key", .string(violation.key)),
            ("client", .integer(violation.client)),
            ("reason", .string(violation.reason)),
            ("history", .array(violation.history.map(JSONText.string))),
        ])
    }
}
