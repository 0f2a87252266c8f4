// What the commands about a cluster show: each answer of a node as JSON, or as a table.

/// A node's answer about its cluster.
public struct ClusterReport: Sendable {
    /// Which question it answers.
    public enum Kind: Sendable {
        /// `kiln members`.
        case members
        /// `kiln ring`.
        case ring
        /// `kiln ring locate`.
        case locations
        /// `kiln raft`.
        case raft
        /// `kiln events`.
        case events
        /// What changes something: the epoch since which it holds.
        case change
    }

    /// The answer as it came.
    public let json: JSONText
    private let heading: [(name: String, value: String)]
    private let rows: Table?

    /// Reads a node's answer to `kiln <words>`.
    public init(_ kind: Kind, _ answer: [UInt8], server: ServerAddress) throws(ConsoleError) {
        do throws(JSONProblem) {
            let json = try JSONText(parsing: answer)
            self.json = json
            switch kind {
            case .members: (heading, rows) = try Self.members(json)
            case .ring: (heading, rows) = try Self.ring(json)
            case .locations: (heading, rows) = ([], try Self.locations(json))
            case .raft: (heading, rows) = try Self.raft(json)
            case .events: (heading, rows) = ([], try Self.events(json))
            case .change: (heading, rows) = (try Self.change(json), nil)
            }
        } catch {
            throw .unexpectedReply(server: server.description, reply: "\(error)")
        }
    }

    /// Some lines about the whole, then a table of the parts.
    public func table(styled: Bool) -> String {
        var text = ""
        let width = (heading.map(\.name.count).max() ?? 0) + 2
        for (name, value) in heading {
            text += name + String(repeating: " ", count: width - name.count) + value + "\n"
        }
        guard let rows else { return text }
        return text + (text.isEmpty ? "" : "\n") + rows.text(styled: styled)
    }

    // MARK: Members

    private static func whole(_ json: JSONText) throws(JSONProblem) -> [(String, String)] {
        [
            ("cluster", try json.text("cluster")),
            ("epoch", "\(try json.number("epoch", as: Int.self))"),
            ("leader", printable(try json.optionalText("leader") ?? "none known")),
        ]
    }

    private static func members(
        _ json: JSONText
    ) throws(JSONProblem) -> ([(name: String, value: String)], Table) {
        var table = Table([
            .init("NAME"), .init("STATE"), .init("RING"), .init("CLIENT"), .init("PEER"),
            .init("ZONE"), .init("WEIGHT", .right), .init("VOTES"),
        ])
        for member in try json.elements("members") {
            table.append([
                try member.text("name"), try member.text("state"),
                try member.flag("in_ring") ? "yes" : "no", try member.text("client"),
                try member.text("peer"), try member.text("zone"),
                "\(try member.number("weight", as: Int.self))",
                try member.flag("voter") ? "yes" : "no",
            ])
        }
        return (try whole(json), table)
    }

    // MARK: The ring

    private static func ring(
        _ json: JSONText
    ) throws(JSONProblem) -> ([(name: String, value: String)], Table) {
        var table = Table([
            .init("NAME"), .init("WEIGHT", .right), .init("ZONE"), .init("ARCS", .right),
            .init("SHARE", .right),
        ])
        for member in try json.elements("members") {
            table.append([
                try member.text("name"), "\(try member.number("weight", as: Int.self))",
                try member.text("zone"), "\(try member.number("arcs", as: Int.self))",
                percentage(try member.number("share")),
            ])
        }
        let more = [
            ("placement", try json.text("placement")),
            ("arcs", "\(try json.number("arcs", as: Int.self))"),
            ("overrides", "\(try json.number("overrides", as: Int.self))"),
        ]
        return (try whole(json) + more, table)
    }

    private static func locations(_ json: JSONText) throws(JSONProblem) -> Table {
        var table = Table([
            .init("KEY"), .init("POSITION"), .init("OWNER"), .init("COPIES"),
        ])
        for key in try json.elements("keys") {
            table.append([
                try key.text("key"), try key.optionalText("position") ?? "-",
                try key.text("owner"), try key.texts("copies").joined(separator: ", "),
            ])
        }
        return table
    }

    // MARK: Raft, events, changes

    private static func raft(
        _ json: JSONText
    ) throws(JSONProblem) -> ([(name: String, value: String)], Table?) {
        func number(_ name: String) throws(JSONProblem) -> String {
            "\(try json.number(name, as: Int.self))"
        }
        let lines = [
            ("node", printable(try json.text("node"))), ("role", try json.text("role")),
            ("term", try number("term")),
            (
                "log",
                "committed \(try number("commit_index")) of \(try number("last_index")), snapshot"
                    + " at \(try number("snapshot_index"))"
            ),
            ("voters", printable(try json.texts("voters").joined(separator: ", "))),
            ("learners", printable(try json.texts("learners").joined(separator: ", "))),
            ("disk", try json.flag("has_disk") ? "yes" : "no: this node does not vote"),
        ]
        let followers = try json.elements("followers")
        guard !followers.isEmpty else { return (try whole(json) + lines, nil) }
        var table = Table([
            .init("FOLLOWER"), .init("VOTES"), .init("MATCHES", .right),
            .init("SILENT MS", .right), .init("SNAPSHOT"),
        ])
        for follower in followers {
            table.append([
                try follower.text("name"), try follower.flag("voter") ? "yes" : "no",
                "\(try follower.number("match_index", as: Int.self))",
                "\(try follower.number("silent_ms", as: Int.self))",
                try follower.flag("installing") ? "installing" : "",
            ])
        }
        return (try whole(json) + lines, table)
    }

    private static func events(_ json: JSONText) throws(JSONProblem) -> Table {
        var table = Table([.init("TIME (UTC)"), .init("EVENT")])
        for event in try json.elements("events") {
            table.append([
                timeOfDay(try event.number("time_unix_s")), try event.text("text"),
            ])
        }
        return table
    }

    private static func change(
        _ json: JSONText
    ) throws(JSONProblem) -> [(name: String, value: String)] {
        if let leaving = try? json.text("leaving") { return [("leaving", printable(leaving))] }
        return [("done, epoch", "\(try json.number("epoch", as: Int.self))")]
    }
}
