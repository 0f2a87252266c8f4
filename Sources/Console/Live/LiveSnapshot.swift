/// What the live screen shows at one moment: a node's answer to `kiln top`.
struct LiveSnapshot: Equatable, Sendable {
    /// Load of one node.
    struct Node: Equatable, Sendable {
        /// Its name.
        var name: String
        /// `alive`, `suspect`, `dead` or `left`.
        var state: String
        /// Operations a second in the window.
        var operationsPerSecond: Double
        /// Hits among its reads, 0 through 1; nil without reads.
        var hitRatio: Double?
        /// Client connections.
        var connections: Int
        /// Memory used by items and buffers.
        var bytes: UInt64
        /// Memory it may use.
        var limitBytes: UInt64
        /// For each event loop, the share of the window in which it was busy, 0 through 1.
        var loops: [Double]
    }

    /// Something that happened: a decision, a member's change.
    struct Event: Equatable, Sendable {
        /// When, in seconds since 1970.
        var unixSeconds: Int64
        /// What, and why.
        var text: String
    }

    /// The time that rates are taken over.
    var windowMilliseconds: Int
    /// When the node answered, in seconds since 1970.
    var unixSeconds: Int64
    /// The nodes, in the answering node's order.
    var nodes: [Node]
    /// The hot keys, the hottest first.
    var rows: [HotKeyRow]
    /// The latest events, the newest first.
    var events: [Event]
}

extension LiveSnapshot {
    /// Reads the answer to `kiln top`.
    init(_ json: JSONText) throws(JSONProblem) {
        let version = try json.number("schema_version", as: Int.self)
        guard version == reportSchemaVersion else {
            throw JSONProblem("schema_version \(version) is not \(reportSchemaVersion)")
        }
        windowMilliseconds = try json.number("window_ms")
        unixSeconds = try json.number("time_unix_s")
        nodes = []
        rows = []
        events = []
        for element in try json.elements("nodes") { nodes.append(try Node(element)) }
        for element in try json.elements("hot_keys") { rows.append(try HotKeyRow(element)) }
        for element in try json.elements("events") { events.append(try Event(element)) }
    }
}

extension LiveSnapshot.Node {
    /// Reads an element of `nodes`.
    init(_ json: JSONText) throws(JSONProblem) {
        name = try json.text("name")
        state = try json.text("state")
        operationsPerSecond = try json.number("ops_per_s")
        hitRatio = try json.optionalNumber("hit_ratio")
        connections = try json.number("connections")
        bytes = try json.number("bytes")
        limitBytes = try json.number("limit_bytes")
        loops = []
        for element in try json.elements("loops") { loops.append(try element.number("busy")) }
    }
}

extension LiveSnapshot.Event {
    /// Reads an element of `events`.
    init(_ json: JSONText) throws(JSONProblem) {
        unixSeconds = try json.number("time_unix_s")
        text = try json.text("text")
    }
}
