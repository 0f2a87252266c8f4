import Glibc
import Testing

/// What a client sees through a node that owns other keys, or none.
@Suite(.serialized) struct ForwardingTests {
    /// One of every command on one key, with the flags that shape its reply.
    private static let commands = """
        get k|set k 5 0 3|abc|add k 0 0 1|x|replace k 7 0 4|abcd|append k 0 0 1|e|prepend k 0 0 1|z
        get k|touch k 0|touch no 0|delete no|incr k 1|set n 0 0 2|10|incr n 5|decr n 3|get n
        set n 0 0 1 noreply|7|get n|incr n 1 noreply|get n|gat 0 n|gat 0 no|delete n|get n|get a b k
        mg k|mg k v|mg k s v t f k O9 q|mg no|mg no v q|mg no k O1|mg vivify N30 v t|mg vivify v t
        ms m 2 T0 F3 O7|hi|mg m v f|ms m 2 q|yo|ms m 2 MA|ab|mg m v|md m q|md m|md no O2
        ma c N0 J5 v|ma c D2 v|ma c MD v|ma no v|mg azE= b v|get k extra
        mn|cas k 0 0 1 1|y|set k 0 0 1 x|incr k x|ms azE= 2 b|hi|mg azE= b k v|md azE= b|bogus|mn
        """.split(whereSeparator: { $0 == "|" || $0 == "\n" }).map { $0 + "\r\n" }.joined()

    private func run(_ script: String, on client: TextClient) throws -> [String] {
        try client.send(script + "version\r\n")
        var lines: [String] = []
        while let line = try client.line(), !line.hasPrefix("VERSION") { lines.append(line) }
        return lines
    }

    @Test func everyCommandGivesTheSameBytesAsOnItsOwner() throws {
        let alone = try NodeProcess("-t 1")
        let expected = try run(Self.commands, on: TextClient(to: alone))
        let split = try NodeCluster(weights: [1, 1, 1])
        #expect(expected.count > 40 && expected.last == "MN", "the script ran to its end")
        let through = try run(Self.commands, on: split.client(0))
        #expect(through == expected)
        let owned = try NodeCluster(weights: [0, 1])
        #expect(try run(Self.commands, on: owned.client(0)) == expected)
    }

    @Test func aPipelineOfLocalAndOtherKeysKeepsItsOrder() throws {
        let cluster = try NodeCluster(weights: [1, 1, 1], threads: 2)
        let writer = try cluster.client(1)
        for key in 0..<300 {
            #expect(try writer.ask("set k\(key) 0 0 4\r\n\(key + 1000)") == "STORED")
        }
        for node in 0..<3 {
            let client = try cluster.client(node)
            try client.send((0..<300).map { "mg k\($0) v\r\nmn\r\n" }.joined())
            for key in 0..<300 {
                #expect(try client.line() == "VA 4")
                #expect(try client.line() == "\(key + 1000)")
                #expect(try client.line() == "MN")
            }
        }
    }

    @Test func aRetrievalOfManyKeysIsJoined() throws {
        let cluster = try NodeCluster(weights: [1, 1, 1])
        let client = try cluster.client(2)
        for key in 0..<100 { _ = try client.ask("set k\(key) 0 0 3\r\n\(key + 100)") }
        let line = "get " + (0..<200).map { "k\($0)" }.joined(separator: " ")
        for node in 0..<3 {
            let lines = try cluster.client(node).list(line)
            let values = Set(lines.filter { !$0.hasPrefix("VALUE") })
            #expect(lines.count == 200 && values.count == 100, "node \(node)")
        }
    }

    @Test func aWriteWithoutAnswerIsSeenByTheNextRead() throws {
        let cluster = try NodeCluster(weights: [1, 1])
        let client = try cluster.client(0)
        for round in 0..<500 {
            let key = "k\(round % 17)"
            try client.send("set \(key) 0 0 5 noreply\r\n\(round + 10000)\r\nget \(key)\r\n")
            #expect(try client.line() == "VALUE \(key) 0 5")
            #expect(try client.line() == "\(round + 10000)")
            #expect(try client.line() == "END")
            try client.send("delete \(key) noreply\r\nadd \(key) 0 0 1\r\n1\r\n")
            #expect(try client.line() == "STORED")
        }
    }

    @Test(arguments: [100_000, 1_000_000]) func largeValuesGoBothWays(count: Int) throws {
        let cluster = try NodeCluster(weights: [0, 1])
        let client = try cluster.client(0)
        let value = String(repeating: "0123456789", count: count / 10)
        #expect(try client.ask("set big 0 0 \(count)\r\n\(value)") == "STORED")
        for node in 0..<2 {
            let lines = try cluster.client(node).list("get big")
            #expect(lines == ["VALUE big 0 \(count)", value])
        }
        try client.send("get big\r\nget no\r\nget big\r\n")
        #expect(try client.line() == "VALUE big 0 \(count)")
        #expect(try client.line() == value)
        #expect(try client.line() == "END")
        #expect(try client.line() == "END")
        #expect(try client.line() == "VALUE big 0 \(count)")
    }

    /// 1,500 answers of 20 KB are far above what a queue keeps: its commands wait, none is lost.
    @Test func aClientThatDoesNotReadWaitsAndLosesNothing() throws {
        let cluster = try NodeCluster(weights: [1, 1])
        let setter = try cluster.client(0)
        let value = String(repeating: "v", count: 20_000)
        for key in 0..<4 { _ = try setter.ask("set k\(key) 0 0 20000\r\n\(value)") }
        let client = try TextClient(
            port: cluster.nodes[0].port, receiveBytes: 4096, keeping: cluster.nodes[0])
        try client.send((0..<1500).map { "get k\($0 % 4)\r\n" }.joined())
        usleep(300_000)
        #expect(cluster.nodes[0].residentKilobytes() < 200_000)
        for round in 0..<1500 {
            let lines = [try client.line(), try client.line(), try client.line()]
            try #require(
                lines[0] == "VALUE k\(round % 4) 0 20000" && lines[1]?.count == 20_000
                    && lines[2] == "END",
                "\(round): \(lines.map { $0.map { "\($0.count) \($0.prefix(30))" } ?? "none" })")
        }
    }

    @Test func manyMoreCommandsThanMayWaitAreAllAnswered() throws {
        let cluster = try NodeCluster(weights: [0, 1])
        let client = try cluster.client(0)
        _ = try client.ask("set n 0 0 1\r\n0")
        try client.send(String(repeating: "incr n 1\r\n", count: 20_000))
        client.finishSending()
        for round in 1...20_000 { #expect(try client.line() == "\(round)") }
        #expect(try client.line() == nil, "it had said that nothing more comes")
    }

    @Test func aClientThatLeavesWhileAnswersAreOutHarmsNobody() throws {
        let cluster = try NodeCluster(weights: [0, 1])
        for _ in 0..<50 {
            let client = try cluster.client(0)
            try client.send(String(repeating: "get k\r\n", count: 500))
        }
        // More is under way than a link takes at once: what is too much was refused, not kept.
        try cluster.awaitOwners(through: cluster.nodes[0])
        #expect(try cluster.client(0).ask("set k 0 0 1\r\n1") == "STORED")
    }
}
