import Testing

/// Clients that ask for more than they read, or announce more than they send.
@Suite struct PressureTests {
    @Test("a long get is answered in full, piece by piece as the client reads")
    func longGet() throws {
        let node = try NodeProcess("-t 1 -m 64")
        let client = try TextClient(port: node.port)
        let value = String(repeating: "v", count: 16_000)
        #expect(try client.ask("set a 0 0 16000\r\n" + value) == "STORED")
        let before = node.residentKilobytes()
        let reader = try TextClient(port: node.port, receiveBytes: 16 << 10)
        let keys = 1_500
        try reader.send("get" + String(repeating: " a", count: keys) + "\r\nmn\r\n")
        try client.awaitStatistic("kiln_blocked_connections") { $0 == 1 }
        // The reply is 24 MB; unread, no more of it exists than a few batches.
        #expect(node.residentKilobytes() - before < 8 << 10)
        for _ in 0..<keys {
            #expect(try reader.line() == "VALUE a 0 16000")
            #expect(try reader.line() == value)
        }
        #expect(try reader.line() == "END")
        #expect(try reader.line() == "MN")
    }

    @Test("what follows a statistic of many lines waits for its end, data blocks too")
    func pipelineBehindStream() throws {
        let node = try NodeProcess("-t 2")
        let client = try TextClient(port: node.port)
        let long = String(repeating: "k", count: 251)
        let smuggled = "set smuggled 0 0 1\r\nx"
        try client.send(
            "stats conns\r\nset \(long) 0 0 \(smuggled.utf8.count)\r\n\(smuggled)\r\n"
                + "stats conns\r\nget smuggled\r\nmn\r\n")
        while try client.line() != "END" {}
        #expect(try client.line() == "CLIENT_ERROR bad command line format")
        while try client.line() != "END" {}
        #expect(try client.line() == "END")
        #expect(try client.line() == "MN")
    }

    @Test("half-sent values take a bounded share of memory and cost no stored item")
    func halfSentValues() throws {
        let node = try NodeProcess("-t 1 -m 16 -c 1000")
        let client = try TextClient(port: node.port)
        for number in 0..<100 { #expect(try client.ask("set k\(number) 0 0 1\r\nx") == "STORED") }
        let part = String(repeating: "v", count: 60_000)
        var senders: [TextClient] = []
        for _ in 0..<400 {
            let sender = try TextClient(port: node.port)
            // The node may refuse in the middle: that is the point.
            try? sender.send("set big 0 0 64000\r\n")
            try? sender.send(part)
            senders.append(sender)
        }
        #expect(try client.ask("mn") == "MN")
        #expect(node.residentKilobytes() < 64 << 10)
        #expect(try client.statistic("curr_items") == 100)
        #expect(try client.statistic("evictions") == 0)
        withExtendedLifetime(senders) {}
    }

    @Test("clients that never read large values keep nobody from storing")
    func unreadLargeValues() throws {
        let node = try NodeProcess("-t 1 -m 64")
        let client = try TextClient(port: node.port)
        let value = String(repeating: "v", count: 30_000)
        for number in 0..<200 {
            #expect(try client.ask("set k\(number) 0 0 30000\r\n" + value) == "STORED")
        }
        var readers: [TextClient] = []
        for _ in 0..<4 {
            let reader = try TextClient(port: node.port, receiveBytes: 16 << 10)
            var gets = ""
            for number in 0..<200 { gets += "get k\(number)\r\n" }
            try reader.send(gets)
            readers.append(reader)
        }
        try client.awaitStatistic("kiln_blocked_connections") { $0 == 4 }
        for number in 0..<3_000 {
            #expect(try client.ask("set n\(number) 0 0 30000\r\n" + value) == "STORED")
        }
        for reader in readers {
            #expect(try reader.line() == "VALUE k0 0 30000")
            #expect(try reader.line() == value)
        }
    }
}
