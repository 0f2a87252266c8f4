import Glibc
import Testing

@Suite struct LifecycleTests {
    @Test("an idle connection is closed, one that is used or watches is not")
    func idleTimeout() throws {
        let node = try NodeProcess("-t 1 --idle-timeout 1")
        let watcher = try TextClient(port: node.port)
        #expect(try watcher.ask("watch connevents") == "OK")
        let idle = try TextClient(port: node.port)
        #expect(try idle.ask("mn") == "MN")
        #expect(try #require(try watcher.line()).contains("type=conn_new"))
        #expect(try idle.line() == nil)
        #expect(try #require(try watcher.line()).contains("reason=idle_timeout"))
        let client = try TextClient(port: node.port)
        #expect(try client.statistic("idle_kicks") == 1)
    }

    @Test(
        "a connection above the limit is told so and closed; a place is free when one leaves"
    )
    func connectionLimit() throws {
        let node = try NodeProcess("-t 2 -c 3")
        var clients = try (0..<3).map { _ in try TextClient(port: node.port) }
        for client in clients { #expect(try client.ask("mn") == "MN") }
        let refused = try TextClient(port: node.port)
        #expect(try refused.line() == "ERROR Too many open connections")
        #expect(try refused.line() == nil)
        #expect(try clients[0].statistic("rejected_connections") == 1)
        #expect(try clients[0].statistic("curr_connections") == 3)
        clients.removeLast()
        try clients[0].awaitStatistic("curr_connections") { $0 == 2 }
        let next = try TextClient(port: node.port)
        #expect(try next.ask("mn") == "MN")
    }

    @Test("SIGTERM ends the node, its connections and a dump under way; the exit code is 0")
    func gracefulStop() throws {
        let node = try NodeProcess("-t 2")
        let client = try TextClient(port: node.port)
        let watcher = try TextClient(port: node.port)
        #expect(try client.ask("mn") == "MN")
        #expect(try watcher.ask("watch") == "OK")
        node.signal(SIGTERM)
        #expect(node.wait() == 0)
        #expect(try client.line() == nil)
        #expect(throws: NodeTestError.self) { try TextClient(port: node.port) }
    }

    @Test("replies that were on their way when SIGTERM came are delivered")
    func stopDelivers() throws {
        let node = try NodeProcess("-t 1")
        let client = try TextClient(port: node.port)
        let value = String(repeating: "x", count: 1_000_000)
        #expect(try client.ask("set a 0 0 1000000\r\n" + value) == "STORED")
        let reader = try TextClient(port: node.port, receiveBytes: 64 << 10)
        // 12 MB: more than two sockets hold.
        try reader.send("get" + String(repeating: " a", count: 12) + "\r\n")
        try client.awaitStatistic("kiln_blocked_connections") { $0 == 1 }
        node.signal(SIGTERM)
        #expect(try client.line() == nil)
        for _ in 0..<12 {
            #expect(try reader.line() == "VALUE a 0 1000000")
            #expect(try reader.line()?.utf8.count == 1_000_000)
        }
        #expect(try reader.line() == "END")
        #expect(try reader.line() == nil)
        #expect(node.wait() == 0)
    }

    @Test("a unix socket is served, listed, and removed at the end")
    func unixSocket() throws {
        let node = try NodeProcess("-t 2 -a 600", socketName: "socket")
        let path = node.directory + "/socket"
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let client = try TextClient(path: path)
        #expect(try client.ask("set a 0 0 1\r\nx") == "STORED")
        let lines = try client.statistics("conns").map(\.value)
        #expect(lines.contains("unix:\(path)"))
        #expect(lines.contains("conn_parse_cmd"))
        let settings = try client.statistics("settings")
        #expect(settings.contains { $0.name == "domain_socket" && $0.value == path })
        let watcher = try TextClient(path: path)
        #expect(try watcher.ask("watch connevents") == "OK")
        let other = try TextClient(path: path)
        #expect(try other.ask("mn") == "MN")
        let line = try #require(try watcher.line())
        #expect(line.contains("type=conn_new rip=unix rport=0 transport=local"))
        node.signal(SIGTERM)
        #expect(node.wait() == 0)
        #expect(lstat(path, &status) != 0)
    }

    @Test("several addresses are served at once")
    func severalAddresses() throws {
        let node = try NodeProcess("-t 2 -l 127.0.0.1 -l 127.0.0.2")
        try #require(node.ports.count == 2)
        let first = try TextClient(port: node.ports[0])
        let second = try TextClient(port: node.ports[1], host: "127.0.0.2")
        #expect(try first.ask("set a 0 0 1\r\nx") == "STORED")
        #expect(try second.list("get a").count == 2)
        let listening = try first.statistics("conns").filter { $0.value == "conn_listening" }
        #expect(listening.count == 2)
        #expect(try first.statistics("settings").contains { $0.value == "127.0.0.1,127.0.0.2" })
    }

    @Test("shutdown is refused unless allowed")
    func shutdownCommand() throws {
        let cautious = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try cautious.ask("shutdown") == "ERROR: shutdown not enabled")
        let node = try NodeProcess("-t 1 -A")
        let client = try TextClient(port: node.port)
        try client.send("shutdown\r\n")
        #expect(try client.line() == nil)
        #expect(node.wait() == 0)
    }

    @Test("an idle node sleeps")
    func idleNodeSleeps() throws {
        let node = try NodeProcess("-t 2")
        let client = try TextClient(port: node.port)
        let first = try #require(try client.statistic("kiln_turns"))
        let start = try #require(try client.statistic("uptime"))
        var questions = 2
        while try #require(try client.statistic("uptime")) < start + 2 {
            questions += 1
            var pause = timespec(tv_sec: 0, tv_nsec: 50_000_000)
            nanosleep(&pause, nil)
        }
        let turns = try #require(try client.statistic("kiln_turns")) - first
        // Two loops' ticks, ten a second each, and a turn per question.
        #expect(turns < questions + 2 * 3 * 12, "\(turns) turns for \(questions) questions")
    }
}
