/// The version of every JSON report here; it rises when a key changes its name or meaning.
public let reportSchemaVersion = 1

/// What `kiln stats` shows.
public struct StatisticsReport: Sendable {
    private let server: String
    private let group: String
    private let statistics: [Statistic]

    /// A report of one `stats` reply.
    public init(server: ServerAddress, group: String, statistics: [Statistic]) {
        self.server = server.description
        self.group = group
        self.statistics = statistics
    }

    /// Names and values in two columns.
    public func table(styled: Bool) -> String {
        var table = Table([.init("NAME"), .init("VALUE")])
        for statistic in statistics { table.append([statistic.name, statistic.value]) }
        return table.text(styled: styled)
    }

    /// `{"schema_version", "server", "group", "stats": {name: value}}`, numbers as numbers.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("server", .string(server)),
            ("group", .string(group)),
            ("stats", .object(statistics.map { ($0.name, Self.value($0.value)) })),
        ])
    }

    /// A number where memcached printed one: an integer, or seconds with six decimals.
    static func value(_ text: String) -> JSONText {
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        let isCanonical = parts[0] == "0" || parts[0].first != "0"
        let isNumber =
            isCanonical && parts.count <= 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
            && (parts.count == 1 || parts[1].utf8.count == 6)
        return isNumber ? .number(text) : .string(text)
    }
}

/// What `kiln get` shows.
public struct FetchReport: Sendable {
    private let server: String
    private let results: [(key: String, item: FetchedItem?)]

    /// A report of what was found under each key, in the order asked.
    public init(server: ServerAddress, results: [(key: String, item: FetchedItem?)]) {
        self.server = server.description
        self.results = results
    }

    /// One row per key; a miss says so.
    public func table(styled: Bool) -> String {
        var table = Table([
            .init("KEY"), .init("FOUND"), .init("FLAGS", .right), .init("BYTES", .right),
            .init("VALUE"),
        ])
        for (key, item) in results {
            if let item {
                table.append(printable: [
                    printable(key), "yes", String(item.flags), String(item.value.count),
                    printable(item.value),
                ])
            } else {
                table.append([key, "no", "-", "-", "-"])
            }
        }
        return table.text(styled: styled)
    }

    /// `{"schema_version", "server", "items": [{"key", "found", "flags", "bytes", "cas",
    /// "encoding", "value"}]}`.
    ///
    /// `encoding` is `utf8`, or `base64` where the value is not valid UTF-8; all but the first two
    /// members are null for a miss.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("server", .string(server)),
            ("items", .array(results.map { Self.element($0.key, $0.item) })),
        ])
    }

    private static func element(_ key: String, _ item: FetchedItem?) -> JSONText {
        let text = item.flatMap { String(validating: $0.value, as: UTF8.self) }
        let encoded = item.map { JSONText.string(text ?? base64($0.value)) }
        return .object([
            ("key", .string(key)),
            ("found", .boolean(item != nil)),
            ("flags", item.map { .integer($0.flags) } ?? .null),
            ("bytes", item.map { .integer($0.value.count) } ?? .null),
            ("cas", item.map { .integer($0.cas) } ?? .null),
            ("encoding", item == nil ? .null : .string(text == nil ? "base64" : "utf8")),
            ("value", encoded ?? .null),
        ])
    }
}

/// What `kiln set` and `kiln delete` show: each key and what became of it.
public struct ChangeReport: Sendable {
    private let server: String
    private let results: [(key: String, status: String)]

    /// A report of changes, in the order asked.
    public init(server: ServerAddress, results: [(key: String, status: String)]) {
        self.server = server.description
        self.results = results
    }

    /// One row per key.
    public func table(styled: Bool) -> String {
        var table = Table([.init("KEY"), .init("STATUS")])
        for (key, status) in results { table.append([key, status]) }
        return table.text(styled: styled)
    }

    /// `{"schema_version", "server", "items": [{"key", "status"}]}`; a status is `stored`,
    /// `deleted` or `not_found`.
    public var json: JSONText {
        .object([
            ("schema_version", .integer(reportSchemaVersion)),
            ("server", .string(server)),
            (
                "items",
                .array(
                    results.map {
                        .object([("key", .string($0.key)), ("status", .string($0.status))])
                    })
            ),
        ])
    }
}

/// Base64 with padding (RFC 4648, section 4).
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var word = 0
        for index in 0..<3 {
            word = word << 8 | (index < group.count ? Int(group[start + index]) : 0)
        }
        for index in 0..<4 {
            let isPadding = index > group.count
            text.append(isPadding ? UInt8(ascii: "=") : alphabet[word >> (18 - 6 * index) & 63])
        }
    }
    return String(decoding: text, as: UTF8.self)
}
