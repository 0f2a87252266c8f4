/// One line of a `stats` reply.
public struct Statistic: Equatable, Sendable {
    /// Its name, as the server spells it.
    public var name: String
    /// Its value, as the server spells it.
    public var value: String

    /// A statistic.
    public init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// What a `get` found.
public struct FetchedItem: Equatable, Sendable {
    /// The key asked for.
    public var key: String
    /// The client flags stored with the value.
    public var flags: UInt32
    /// The CAS unique.
    public var cas: UInt64
    /// The value.
    public var value: [UInt8]

    /// An item.
    public init(key: String, flags: UInt32, cas: UInt64, value: [UInt8]) {
        self.key = key
        self.flags = flags
        self.cas = cas
        self.value = value
    }
}

/// A blocking client of the memcached text protocol, for one command at a time.
public struct MemcachedClient: ~Copyable {
    /// The protocol's limit on a key.
    public static let keyLimitBytes = 250
    /// The most any server stores in one item: memcached's largest `-I`.
    public static let valueLimitBytes = 1 << 30

    private let server: String
    private var socket: ClientSocket

    /// Connects to the server at `address`.
    public init(to address: ServerAddress) throws(ConsoleError) {
        server = address.description
        socket = try ClientSocket(to: address)
    }

    /// What a line of statistics begins with: of any group, of `detail dump`, of `cachedump`.
    private static let statisticWords = ["STAT", "PREFIX", "ITEM"]

    /// The statistics of `group` (empty: the general ones), in the server's order.
    public mutating func statistics(_ group: String) throws(ConsoleError) -> [Statistic] {
        try send(line: group.isEmpty ? "stats" : "stats \(group)")
        var statistics: [Statistic] = []
        while true {
            let line = try replyLine()
            if line == "END" || line == "RESET" || line == "OK" { return statistics }
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count >= 2, Self.statisticWords.contains(String(words[0])) else {
                throw unexpected(line)
            }
            statistics.append(
                Statistic(name: String(words[1]), value: words.count > 2 ? String(words[2]) : ""))
            // These two answer with one line and no end, as memcached's do.
            if group == "sizes_enable" || group == "sizes_disable" { return statistics }
        }
    }

    /// The item under `key`, or nil.
    public mutating func fetch(_ key: String) throws(ConsoleError) -> FetchedItem? {
        try Self.check(key)
        try send(line: "gets \(key)")
        var found: FetchedItem?
        while true {
            let line = try replyLine()
            if line == "END" { return found }
            let words = line.split(separator: " ")
            guard words.count == 5, words[0] == "VALUE", found == nil, words[1] == key,
                let flags = UInt32(words[2]), let count = Int(words[3]), let cas = UInt64(words[4]),
                (0...Self.valueLimitBytes).contains(count)
            else { throw unexpected(line) }
            let value = try socket.readBlock(count)
            found = FetchedItem(key: key, flags: flags, cas: cas, value: value)
        }
    }

    /// Stores `value` under `key`; `ttlSeconds` counts as memcached counts (0: never expires).
    public mutating func store(
        _ key: String, value: [UInt8], flags: UInt32, ttlSeconds: Int
    ) throws(ConsoleError) {
        try Self.check(key)
        guard value.count <= Self.valueLimitBytes else {
            throw .valueTooLong(limitBytes: Self.valueLimitBytes)
        }
        var request = Array("set \(key) \(flags) \(ttlSeconds) \(value.count)\r\n".utf8)
        request += value
        request += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        try socket.send(request)
        let line = try replyLine()
        guard line == "STORED" else { throw unexpected(line) }
    }

    /// Deletes `key`; false when it was absent.
    public mutating func delete(_ key: String) throws(ConsoleError) -> Bool {
        try Self.check(key)
        try send(line: "delete \(key)")
        let line = try replyLine()
        switch line {
        case "DELETED": return true
        case "NOT_FOUND": return false
        default: throw unexpected(line)
        }
    }

    /// Throws unless `key` may stand in a request: anything else could smuggle in a second one.
    public static func check(_ key: String) throws(ConsoleError) {
        let isClean = key.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
        guard isClean, (1...keyLimitBytes).contains(key.utf8.count) else {
            throw .malformedKey(key)
        }
    }

    func send(line: String) throws(ConsoleError) {
        try socket.send(Array("\(line)\r\n".utf8))
    }

    /// One reply line; the protocol's error lines are thrown.
    mutating func replyLine() throws(ConsoleError) -> String {
        let line = String(decoding: try socket.readLine(), as: UTF8.self)
        let isError =
            line == "ERROR" || line.hasPrefix("ERROR ") || line.hasPrefix("CLIENT_ERROR")
            || line.hasPrefix("SERVER_ERROR")
        if isError { throw .refused(server: server, reply: line) }
        return line
    }

    /// The next `count` bytes of a reply, and the line end behind them.
    mutating func readBlock(_ count: Int) throws(ConsoleError) -> [UInt8] {
        try socket.readBlock(count)
    }

    func unexpected(_ line: String) -> ConsoleError {
        .unexpectedReply(server: server, reply: line)
    }
}
