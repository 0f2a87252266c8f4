import Glibc
import Testing

@Suite struct WatchTests {
    /// A line's fields behind its time and number, which must be there.
    private static func body(_ line: String?) throws -> String {
        let words = try #require(line).split(separator: " ")
        try #require(words.count > 2 && words[0].hasPrefix("ts=") && words[1].hasPrefix("gid="))
        let time = words[0].dropFirst(3).split(separator: ".")
        #expect(time.count == 2 && time.allSatisfy { Int($0) != nil })
        // Descriptors depend on what else is open.
        return words[2...].filter { !$0.hasPrefix("cfd=") }.joined(separator: " ")
    }

    @Test("fetchers and mutations are told of as memcached tells of them")
    func fetchersAndMutations() throws {
        let node = try NodeProcess("-t 2")
        let watcher = try TextClient(port: node.port)
        #expect(try watcher.ask("watch fetchers mutations") == "OK")
        let client = try TextClient(port: node.port)
        let steps: [(command: String, lines: [String])] = [
            ("get a:b", ["type=item_get key=a%3Ab status=not_found clsid=0 size=0"]),
            (
                "set k 0 100 3\r\nabc",
                [
                    "type=item_get key=k status=not_found clsid=0 size=0",
                    "type=item_store key=k status=stored cmd=set ttl=100 clsid=1 size=3",
                ]
            ),
            ("get k", ["type=item_get key=k status=found clsid=1 size=3"]),
            (
                "add k 0 0 1\r\nx",
                [
                    "type=item_get key=k status=found clsid=1 size=3",
                    "type=item_store key=k status=not_stored cmd=add ttl=0 clsid=1 size=1",
                ]
            ),
            ("mg k", ["type=item_get key=k status=found clsid=1 size=3"]),
            ("mg k v", ["type=item_get key=k status=found clsid=1 size=3"]),
            ("mg no v", ["type=item_get key=no status=not_found clsid=0 size=0"]),
            ("gets k", ["type=item_get key=k status=found clsid=1 size=3"]),
            ("gat 100 k", ["type=item_get key=k status=found clsid=1 size=3"]),
            (
                "append k 0 0 1\r\nx",
                [
                    "type=item_get key=k status=found clsid=1 size=3",
                    "type=item_store key=k status=stored cmd=append ttl=0 clsid=1 size=4",
                ]
            ),
            ("delete k", ["type=item_get key=k status=found clsid=1 size=4"]),
        ]
        for (command, lines) in steps {
            try client.send(command + "\r\n")
            for line in lines {
                let told = try Self.body(try watcher.line())
                // The time to live of an append is that of the item.
                let isAppend = told.contains("cmd=append")
                #expect(
                    isAppend ? told.contains("status=stored cmd=append") : told == line,
                    "\(command)")
            }
        }
    }

    @Test("a watcher on any loop hears of any other loop's commands at once")
    func otherLoops() throws {
        let node = try NodeProcess("-t 2")
        let watchers = try (0..<2).map { _ in try TextClient(port: node.port) }
        for watcher in watchers { #expect(try watcher.ask("watch") == "OK") }
        let clients = try (0..<2).map { _ in try TextClient(port: node.port) }
        for (number, client) in clients.enumerated() {
            var before = timeval()
            gettimeofday(&before, nil)
            #expect(try client.list("get from\(number)").isEmpty)
            for watcher in watchers {
                #expect(try Self.body(try watcher.line()).contains("key=from\(number) "))
            }
            var after = timeval()
            gettimeofday(&after, nil)
            let elapsed =
                (after.tv_sec - before.tv_sec) * 1_000_000 + after.tv_usec - before.tv_usec
            // A loop's tick is 100 ms: who waits for it has not been woken. The rest is for a busy
            // machine.
            #expect(elapsed < 1_000_000, "\(elapsed) microseconds")
        }
        // What a watcher says is nobody's command.
        try watchers[0].send("get a\r\n")
        #expect(try clients[0].list("get b").isEmpty)
        #expect(try Self.body(try watchers[1].line()).contains("key=b "))
    }

    @Test("evictions and deletions")
    func evictionsAndDeletions() throws {
        let node = try NodeProcess("-t 1 -m 8 -I 64k")
        let watcher = try TextClient(port: node.port)
        #expect(try watcher.ask("watch evictions deletions") == "OK")
        let client = try TextClient(port: node.port)
        #expect(try client.ask("set d 0 0 4\r\nabcd") == "STORED")
        #expect(try client.ask("delete d") == "DELETED")
        #expect(
            try Self.body(try watcher.line()) == "type=deleted key=d cmd=delete clsid=1 size=4")
        let value = String(repeating: "x", count: 10_000)
        for key in 0..<1_500 { try client.send("set k\(key) 0 0 10000 noreply\r\n\(value)\r\n") }
        #expect(try client.ask("mn") == "MN")
        let line = try Self.body(try watcher.line())
        #expect(line.hasPrefix("type=eviction key=k") && line.hasSuffix("clsid=1 size=10000"))
        #expect(line.contains(" fetch=no ttl=-1 la="))
        #expect(try #require(try client.statistic("evictions")) > 0)
    }

    @Test("connections come and go")
    func connectionEvents() throws {
        let node = try NodeProcess("-t 2")
        let watcher = try TextClient(port: node.port)
        #expect(try watcher.ask("watch connevents") == "OK")
        var client: TextClient? = try TextClient(port: node.port)
        let opened = try Self.body(try watcher.line())
        #expect(opened.hasPrefix("type=conn_new rip=127.0.0.1 rport="))
        #expect(opened.hasSuffix("transport=tcp"))
        #expect(try client?.ask("mn") == "MN")
        client = nil
        let closed = try Self.body(try watcher.line())
        #expect(closed.hasPrefix("type=conn_close rip=127.0.0.1 rport="))
        #expect(closed.hasSuffix("transport=tcp reason=normal"))
    }

    @Test("a watcher that does not read misses lines, is told how many, and holds nobody up")
    func slowWatcher() throws {
        let node = try NodeProcess("-t 2")
        let watcher = try TextClient(port: node.port, receiveBytes: 64 << 10)
        #expect(try watcher.ask("watch") == "OK")
        let client = try TextClient(port: node.port)
        let before = node.residentKilobytes()
        // Lines of 650 bytes, until some are missed: what two sockets hold is up to the system.
        let gets = String(
            repeating: "get " + String(repeating: "!", count: 200) + "\r\n", count: 200)
        var sent = 0
        while try client.statistic("log_watcher_skipped") == 0 {
            try #require(sent < 200_000)
            for _ in 0..<10 {
                try client.send(gets)
                for _ in 0..<200 { #expect(try client.line() == "END") }
                sent += 2_000
            }
        }
        // A sanitizer keeps what is freed for a while.
        if getenv("KILN_SANITIZER") == nil {
            #expect(node.residentKilobytes() - before < 8192)
        }
        var lines = 0
        var skipped: Int?
        while skipped == nil {
            let line = try #require(try watcher.line())
            lines += 1
            if line.hasPrefix("skipped=") { skipped = Int(line.dropFirst(8)) }
            // A line for each reading: the missed ones are told of with the next line that fits.
            if lines % 1_000 == 0 { #expect(try client.list("get next").isEmpty) }
        }
        #expect(try #require(skipped) > 0)
    }

    @Test("as many watchers as memcached allows, and a place is free again when one leaves")
    func limit() throws {
        let node = try NodeProcess("-t 2")
        var watchers = try (0..<20).map { _ in try TextClient(port: node.port) }
        for watcher in watchers { #expect(try watcher.ask("watch connevents") == "OK") }
        let client = try TextClient(port: node.port)
        #expect(try client.ask("watch") == "WATCHER_TOO_MANY log watcher limit reached")
        #expect(try client.statistic("log_watchers") == 20)
        watchers.removeLast()
        try client.awaitStatistic("log_watchers") { $0 == 19 }
        #expect(try client.ask("watch") == "OK")
    }

    @Test("-W switches watching off")
    func watchingOff() throws {
        let client = try TextClient(to: try NodeProcess("-t 1 -W"))
        #expect(try client.ask("watch fetchers") == "CLIENT_ERROR watch commands not allowed")
        #expect(try client.ask("mn") == "MN")
    }

    @Test("a large value that is received in pieces is told of, too")
    func upload() throws {
        let node = try NodeProcess("-t 1")
        let watcher = try TextClient(port: node.port)
        #expect(try watcher.ask("watch mutations") == "OK")
        let client = try TextClient(port: node.port)
        let value = String(repeating: "x", count: 500_000)
        #expect(try client.ask("set big 0 0 500000\r\n" + value) == "STORED")
        #expect(
            try Self.body(try watcher.line())
                == "type=item_store key=big status=stored cmd=set ttl=0 clsid=1 size=500000")
    }
}
