/// What `kiln why` shows: what a node thinks of one key, and since when.
public struct WhyReport: Sendable {
    private let answer: JSONText
    private let lines: [(name: String, value: String)]
    private let decisions: [(unixSeconds: Int64, text: String)]

    /// A report of a node's answer to `kiln why`.
    public init(_ answer: [UInt8], server: ServerAddress) throws(ConsoleError) {
        do throws(JSONProblem) {
            let json = try JSONText(parsing: answer)
            self.answer = json
            lines = try Self.lines(json)
            var decisions: [(Int64, String)] = []
            for element in try json.elements("decisions") {
                let copies = try element.number("copies", as: Int.self)
                let text =
                    "\(try element.text("action")), served by \(copies)"
                    + " (\(try element.text("reason")))"
                decisions.append((try element.number("time_unix_s"), text))
            }
            self.decisions = decisions
        } catch {
            throw .unexpectedReply(server: server.description, reply: "\(error)")
        }
    }

    private static func lines(_ json: JSONText) throws(JSONProblem) -> [(String, String)] {
        func number(_ name: String) throws(JSONProblem) -> Double { try json.number(name) }
        let flaps = try json.number("flaps", as: Int.self)
        return [
            ("key", printable(try json.text("key"))),
            ("owner", printable(try json.text("owner"))),
            ("state", try json.text("state") + (flaps > 0 ? ", flapped \(flaps) times" : "")),
            (
                "heat",
                "\(percentage(try number("heat"))) of a node's load"
                    + " (hot from \(percentage(try number("promote_heat"))) on)"
            ),
            (
                "rate",
                "\(rateText(try number("ops_per_s")))"
                    + " (hot from \(rateText(try number("promote_ops_per_s"))) on),"
                    + " \(byteText(UInt64(max(0, try number("bytes_per_s")))))/s"
                    + " (or \(byteText(UInt64(max(0, try number("promote_bytes_per_s")))))/s)"
            ),
            ("share", percentage(try number("share"))),
            (
                "writes",
                "\(percentage(try number("write_share")))"
                    + " (no copies above \(percentage(try number("write_share_limit"))))"
            ),
            ("served by", "\(try json.number("copies", as: Int.self))"),
            ("mode", try json.text("mode")),
        ]
    }

    /// The answer as it came.
    public var json: JSONText { answer }

    /// What is known, then the decisions, the newest first.
    public func table(styled: Bool) -> String {
        var text = ""
        for (name, value) in lines {
            text += name + String(repeating: " ", count: 12 - name.count) + value + "\n"
        }
        text += "decisions" + (decisions.isEmpty ? "   none\n" : "\n")
        for decision in decisions {
            text += "  \(timeOfDay(decision.unixSeconds)) UTC  \(printable(decision.text))\n"
        }
        return text
    }
}

/// The time of day, UTC, of a date in seconds since 1970: `07:05:09`.
func timeOfDay(_ unixSeconds: Int64) -> String {
    let second = ((unixSeconds % 86_400) + 86_400) % 86_400
    return [second / 3_600, second / 60 % 60, second % 60]
        .map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ":")
}
