import Glibc
import Testing

/// What a client is told when the owner of its key does not answer.
@Suite(.serialized) struct UnreachableOwnerTests {
    private static let plainReads = ["get k": "END", "gets k": "END", "mg k v": "EN"]
    private static let others = [
        "set k 0 0 1\r\n1", "add k 0 0 1\r\n1", "delete k", "incr k 1", "touch k 0", "gat 0 k",
        "ms k 1\r\n1", "md k", "ma k", "mg k N30 v", "mg k T0", "mg k R5 v",
    ]

    private func checkAnswers(_ client: TextClient, _ words: String) throws {
        for (command, reply) in Self.plainReads {
            #expect(try client.ask(command) == reply, "\(command)")
        }
        for command in Self.others {
            #expect(try client.ask(command) == "SERVER_ERROR \(words)", "\(command)")
        }
    }

    @Test func aStoppedOwnerIsGivenUpAfterASecond() throws {
        let cluster = try NodeCluster(weights: [0, 1])
        let client = try cluster.client(0)
        #expect(try client.ask("set k 0 0 1\r\n1") == "STORED")
        cluster.nodes[1].signal(SIGSTOP)
        var status: Int32 = 0
        waitpid(cluster.nodes[1].processIdentifier, &status, WUNTRACED)
        let start = time(nil)
        #expect(try client.ask("set k 0 0 1\r\n2") == "SERVER_ERROR outcome unknown")
        #expect(time(nil) - start <= 3)
        try checkAnswers(client, "owner unreachable")
        cluster.nodes[1].signal(SIGCONT)
        try cluster.awaitOwners(through: cluster.nodes[0])
        #expect(try client.list("get k") == ["VALUE k 0 1", "1"], "what came late is not executed")
    }

    @Test func aKilledOwnerIsFoundAgain() throws {
        let cluster = try NodeCluster(weights: [0, 1])
        let client = try cluster.client(0)
        let leaving = try cluster.client(0)
        #expect(try client.ask("set k 0 0 1\r\n1") == "STORED")
        cluster.nodes[1].signal(SIGKILL)
        _ = cluster.nodes[1].wait()
        usleep(300_000)
        try checkAnswers(client, "owner unreachable")
        try leaving.send("set k 0 0 1 noreply\r\n1\r\n")
        #expect(try leaving.line() == nil, "a refused write without answer ends the connection")
        try cluster.restart(1)
        try cluster.awaitOwners(through: cluster.nodes[0])
        #expect(try client.ask("set k 0 0 1\r\n1") == "STORED")
    }

    @Test func strangersAreRefusedAndTheNodeServesOn() throws {
        let cluster = try NodeCluster(weights: [1, 1])
        for garbage in [
            "get k\r\n" + String(repeating: "x", count: 40), String(repeating: "\u{0}", count: 64),
            "\u{0}\u{0}\u{0}\u{0}\u{4}\u{0}\u{1}\u{0}" + String(repeating: "\u{0}", count: 24),
        ] {
            let stranger = try TextClient(port: cluster.nodes[0].peerPort)
            try stranger.send(garbage)
            while let line = try stranger.line() { #expect(!line.hasPrefix("VALUE")) }
        }
        #expect(try cluster.client(0).ask("version").hasPrefix("VERSION"))
        try cluster.awaitOwners(through: cluster.nodes[1])
    }

    @Test func aNodeOfAnotherClusterGetsNowhere() throws {
        let cluster = try NodeCluster(weights: [1, 1])
        let other = try NodeCluster(weights: [1])
        other.nodes[0].signal(SIGKILL)
        _ = other.nodes[0].wait()
        let stranger = try NodeProcess(
            """
            -t 1 --node-name n0 --peer-listen 127.0.0.1:0 --data-dir \(other.directory)/n0 \
            --join 127.0.0.1:\(cluster.nodes[0].peerPort)
            """)
        usleep(2_500_000)
        let lists = [try cluster.client(0), try TextClient(to: stranger)].map { client in
            (try? client.list("config get cluster")) ?? []
        }
        #expect(lists[0].joined().split(separator: "|").count == 5, "two nodes: \(lists[0])")
        #expect(lists[1].joined().split(separator: "|").count == 3, "one node: \(lists[1])")
        #expect(try TextClient(to: stranger).ask("set k 0 0 1\r\n1") == "STORED")
        #expect(try cluster.client(1).list("get k") == [])
    }
}
