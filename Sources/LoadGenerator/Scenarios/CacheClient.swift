// The few commands that scenarios need, in either protocol.

/// A blocking client of one server that reads what it gets.
struct CacheClient: ~Copyable {
    /// What a read found.
    struct Found: Equatable {
        var value: [UInt8]
        /// The CAS unique; 0 when it was not asked for.
        var cas: UInt64
    }

    /// What a read with a fill lease found.
    enum LeaseReply: Equatable {
        /// A value, possibly a stale one.
        case value(isStale: Bool)
        /// Nothing; this client is to fill it, under this token.
        case won(token: UInt64)
        /// Nothing; another client fills it.
        case lost
    }

    private let wire: WireProtocol
    private let server: String
    private var connection: LineConnection

    /// Connects to `server`.
    init(to server: ServerEndpoint, wire: WireProtocol) throws(LoadError) {
        self.wire = wire
        self.server = server.name
        connection = try LineConnection(to: server)
    }

    /// The value under `key` and its CAS unique; nil for a miss.
    mutating func get(_ key: String) throws(LoadError) -> Found? {
        try connection.send(wire == .text ? "gets \(key)\r\n" : "mg \(key) v c\r\n")
        let line = try reply()
        let words = line.split(separator: " ")
        switch wire {
        case .text:
            if line == "END" { return nil }
            guard words.count == 5, words[0] == "VALUE", words[1] == key, let count = Int(words[3]),
                let cas = UInt64(words[4]), (0...LoadSettings.valueLimitBytes).contains(count)
            else { throw unexpected(line) }
            let value = try connection.readBlock(count)
            let end = try connection.readLine()
            guard end == "END" else { throw unexpected(end) }
            return Found(value: value, cas: cas)
        case .meta:
            if line == "EN" { return nil }
            guard words.count >= 3, words[0] == "VA", let count = Int(words[1]),
                let cas = number("c", words), (0...LoadSettings.valueLimitBytes).contains(count)
            else { throw unexpected(line) }
            return Found(value: try connection.readBlock(count), cas: cas)
        }
    }

    /// Stores `value`; nil when the server stored it, else its refusal.
    mutating func set(
        _ key: String, _ value: [UInt8], ttlSeconds: Int
    ) throws(LoadError) -> String? {
        let head =
            wire == .text
            ? "set \(key) 0 \(ttlSeconds) \(value.count)"
            : "ms \(key) \(value.count) T\(ttlSeconds)"
        return try store(head, value)
    }

    /// Stores `value` if the CAS unique is still `cas`; nil when the server stored it.
    mutating func compareAndSet(
        _ key: String, _ value: [UInt8], cas: UInt64, ttlSeconds: Int
    ) throws(LoadError) -> String? {
        let head =
            wire == .text
            ? "cas \(key) 0 \(ttlSeconds) \(value.count) \(cas)"
            : "ms \(key) \(value.count) T\(ttlSeconds) C\(cas)"
        return try store(head, value)
    }

    /// Deletes `key`; nil when it is gone now, else the server's refusal.
    mutating func delete(_ key: String) throws(LoadError) -> String? {
        try connection.send(wire == .text ? "delete \(key)\r\n" : "md \(key)\r\n")
        let line = try reply(throwingErrors: false)
        return ["DELETED", "NOT_FOUND", "HD", "NF"].contains(line) ? nil : line
    }

    /// Reads `key` and, where it is missing, asks for the right to fill it for `leaseSeconds`.
    mutating func getWithLease(
        _ key: String, leaseSeconds: Int
    ) throws(LoadError) -> LeaseReply {
        try connection.send("mg \(key) v c N\(leaseSeconds)\r\n")
        let line = try reply()
        let words = line.split(separator: " ")
        // A server that knows no leases answers a plain miss: whoever reads it has to fill.
        if line == "EN" { return .won(token: 0) }
        guard words.count >= 2, words[0] == "VA", let count = Int(words[1]),
            (0...LoadSettings.valueLimitBytes).contains(count)
        else { throw unexpected(line) }
        _ = try connection.readBlock(count)
        if words.contains("W") { return .won(token: number("c", words) ?? 0) }
        if words.contains("Z") && count == 0 { return .lost }
        return .value(isStale: words.contains("X"))
    }

    private mutating func store(_ head: String, _ value: [UInt8]) throws(LoadError) -> String? {
        try connection.send(Array("\(head)\r\n".utf8) + value + [13, 10])
        let line = try reply(throwingErrors: false)
        return line == "STORED" || line == "HD" ? nil : line
    }

    /// One reply line.
    ///
    /// A read's error line is thrown; a write's means it was refused.
    private mutating func reply(throwingErrors: Bool = true) throws(LoadError) -> String {
        let line = try connection.readLine()
        if throwingErrors, line.hasPrefix("ERROR") || line.contains("_ERROR") {
            throw unexpected(line)
        }
        return line
    }

    private func number(_ flag: Character, _ words: [Substring]) -> UInt64? {
        words.dropFirst(2).first { $0.first == flag }.flatMap { UInt64($0.dropFirst()) }
    }

    private func unexpected(_ line: String) -> LoadError {
        .unexpectedReply(server: server, reply: line)
    }
}

extension LineConnection {
    /// Sends all of `bytes`.
    func send(_ bytes: [UInt8]) throws(LoadError) {
        var failure: LoadError?
        bytes.withUnsafeBytes { buffer in
            do throws(LoadError) {
                try send(buffer)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
