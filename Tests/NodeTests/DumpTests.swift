import Testing

@Suite struct DumpTests {
    /// Stores `count` items under keys of 200 characters that a dump shows as 600, without waiting
    /// for replies.
    private static func fill(_ client: TextClient, count: Int) throws {
        let padding = String(repeating: "!", count: 194)
        for start in stride(from: 0, to: count, by: 500) {
            var commands = ""
            for key in start..<min(start + 500, count) {
                commands += "set \(100_000 + key)\(padding) 0 0 1 noreply\r\nx\r\n"
            }
            try client.send(commands)
        }
        #expect(try client.ask("mn") == "MN")
    }

    @Test("metadump lists each item with what is known of it")
    func metadump() throws {
        let client = try TextClient(to: try NodeProcess("-t 2"))
        #expect(try client.ask("set a:b 5 0 3\r\nabc") == "STORED")
        #expect(try client.ask("set c 0 100 1\r\nx") == "STORED")
        #expect(try client.list("get a:b").count == 2)
        let cas = try client.ask("mg a:b c").dropFirst(4)
        let now = try #require(try client.statistic("time"))
        let lines = try client.list("lru_crawler metadump all").sorted()
        try #require(lines.count == 2)
        let first = Self.fields(lines[0])
        #expect(first.map(\.0) == ["key", "exp", "la", "cas", "fetch", "cls", "size"])
        let values = first.map(\.1)
        #expect(values[0] == "a%3Ab" && values[1] == "-1")
        #expect(values[3] == cas && values[4] == "yes" && values[5] == "1")
        // What memcached counts: its header, the CAS, key and value with their ends, and flags.
        let size: Int = 48 + 8 + 3 + 1 + 4 + 3 + 2
        #expect(values[6] == String(size))
        #expect(abs((Int(values[2]) ?? 0) - now) <= 2)
        let second = Self.fields(lines[1]).map(\.1)
        #expect(second[0] == "c" && second[4] == "no")
        #expect(abs((Int(second[1]) ?? 0) - now - 100) <= 2)
    }

    private static func fields(_ line: String) -> [(String, String)] {
        line.split(separator: " ").map { word in
            let parts = word.split(separator: "=", maxSplits: 1)
            return (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        }
    }

    @Test("every class and spelling of a dump")
    func forms() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.ask("set plain 0 0 1\r\nx") == "STORED")
        // The key is the byte 1.
        #expect(try client.ask("ms AQ== 1 b\r\nx") == "HD")
        for classes in ["all", "hash", "1", "1,2"] {
            #expect(try client.list("lru_crawler metadump \(classes)").count == 2, "\(classes)")
        }
        #expect(try client.list("lru_crawler metadump 2").isEmpty)
        let commands = try client.list("lru_crawler mgdump all", until: "EN")
        #expect(commands.sorted() == ["mg AQ== b", "mg plain"])
        for command in commands { #expect(try client.ask(command) == "HD") }
        #expect(try client.list("stats cachedump 2 0").isEmpty)
        #expect(try client.list("stats cachedump 1 1").count == 1)
        #expect(try client.list("stats cachedump 1 0").contains("ITEM plain [1 b; 0 s]"))
    }

    @Test("commands behind a dump wait for its end; a dump behind commands is refused")
    func pipelining() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.ask("set a 0 0 1\r\nx") == "STORED")
        try client.send("lru_crawler metadump all\r\nmn\r\nget a\r\n")
        let lines = try (0..<6).map { _ in try client.line() ?? "" }
        #expect(
            lines[0].hasPrefix("key=a ") && lines[1...] == ["END", "MN", "VALUE a 0 1", "x", "END"])
        #expect(
            try client.list("mn\r\nlru_crawler metadump all") == [
                "MN", "ERROR cannot pipeline other commands before metadump",
            ])
    }

    @Test(
        "a dump to a client that reads late takes bounded memory, holds nobody up and is complete")
    func slowReader() throws {
        let node = try NodeProcess("-t 1 -m 256")
        let client = try TextClient(port: node.port)
        let count = 24_000
        try Self.fill(client, count: count)
        let before = node.residentKilobytes()
        let reader = try TextClient(port: node.port, receiveBytes: 64 << 10)
        // Some 16 MB, more than two sockets hold.
        try reader.send("lru_crawler metadump all\r\n")
        try client.awaitStatistic("kiln_blocked_connections") { $0 == 1 }
        #expect(try client.statistic("lru_crawler_running") == 1)
        #expect(try client.ask("set during 0 0 1\r\nx") == "STORED")
        #expect(node.residentKilobytes() - before < 4096)
        var keys: Set<Substring> = []
        while let line = try reader.line(), line != "END" {
            keys.insert(line.dropFirst(4).prefix { $0 != " " })
        }
        #expect(keys.subtracting(["during"]).count == count)
        #expect(try reader.ask("mn") == "MN")
        try client.awaitStatistic("lru_crawler_running") { $0 == 0 }
    }

    @Test("more dumps than the limit are told so, and a client that leaves gives its place back")
    func limit() throws {
        let node = try NodeProcess("-t 2 -m 256")
        let client = try TextClient(port: node.port)
        try Self.fill(client, count: 24_000)
        var readers: [TextClient] = []
        for _ in 0..<8 {
            let reader = try TextClient(port: node.port, receiveBytes: 64 << 10)
            #expect(try reader.ask("lru_crawler metadump all").hasPrefix("key="))
            readers.append(reader)
        }
        #expect(
            try client.ask("lru_crawler metadump all")
                == "BUSY currently processing crawler request")
        readers.removeLast()
        let deadline = 10_000
        for attempt in 0..<deadline {
            let first = try client.ask("lru_crawler metadump all")
            if first.hasPrefix("key=") { break }
            try #require(attempt < deadline - 1)
        }
    }

    @Test("-X switches dumps off")
    func dumpsOff() throws {
        let client = try TextClient(to: try NodeProcess("-t 1 -X"))
        #expect(try client.ask("lru_crawler metadump all") == "ERROR metadump not allowed")
        #expect(try client.ask("lru_crawler mgdump all") == "ERROR key dump not allowed")
        #expect(try client.ask("stats cachedump 1 0") == "CLIENT_ERROR stats cachedump not allowed")
    }

    @Test("lru_crawler disable switches dumps off until enabled again")
    func disabling() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.ask("lru_crawler disable") == "OK")
        #expect(try client.ask("lru_crawler metadump all") == "CLIENT_ERROR lru crawler disabled")
        #expect(try client.ask("lru_crawler enable") == "OK")
        #expect(try client.list("lru_crawler metadump all").isEmpty)
    }
}
