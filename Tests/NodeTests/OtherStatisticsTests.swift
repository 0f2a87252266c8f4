import Testing

@Suite struct OtherStatisticsTests {
    @Test("stats settings tells what the node was given")
    func settings() throws {
        let node = try NodeProcess("-t 2 -m 32 -c 77 -I 2m -R 5 -b 99 -M")
        let client = try TextClient(port: node.port)
        let settings = Dictionary(
            uniqueKeysWithValues: try client.statistics("settings").map { ($0.name, $0.value) })
        let expected = [
            "maxbytes": "33554432", "maxconns": "77", "tcpport": "\(node.port)", "udpport": "0",
            "inter": "127.0.0.1", "verbosity": "0", "evictions": "off", "domain_socket": "NULL",
            "umask": "700", "num_threads": "2", "stat_key_prefix": ":", "detail_enabled": "no",
            "reqs_per_event": "5", "cas_enabled": "yes", "tcp_backlog": "99",
            "item_size_max": "2097152", "flush_enabled": "yes", "dump_enabled": "yes",
            "hash_algorithm": "xxh3", "idle_timeout": "0", "lru_crawler": "yes",
            "track_sizes": "no", "shutdown_command": "no",
        ]
        for (name, value) in expected { #expect(settings[name] == value, "\(name)") }
    }

    @Test("stats items and slabs describe one class, and nothing where there is nothing")
    func itemsAndSlabs() throws {
        let node = try NodeProcess("-t 1")
        let client = try TextClient(port: node.port)
        #expect(try client.statistics("items").isEmpty)
        #expect(try client.statistics("slabs").map(\.name) == ["active_slabs", "total_malloced"])
        for key in 0..<10 { #expect(try client.ask("set k\(key) 0 0 3\r\nabc") == "STORED") }
        #expect(try client.statistic("items:1:number", in: "items") == 10)
        let slabs = Dictionary(
            uniqueKeysWithValues: try client.statistics("slabs").map {
                ($0.name, Int($0.value) ?? -1)
            })
        #expect(slabs["1:used_chunks"] == 10)
        #expect(slabs["1:cmd_set"] == 10)
        #expect(slabs["active_slabs"] == 1)
        let (total, free) = (slabs["1:total_chunks"] ?? 0, slabs["1:free_chunks"] ?? 0)
        #expect(total - free == 10)
    }

    @Test("stats sizes is off until asked for, then counts every item")
    func sizes() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.list("stats sizes") == ["STAT sizes_status disabled"])
        #expect(try client.ask("stats sizes_enable") == "STAT sizes_status enabled")
        for key in 0..<5 { #expect(try client.ask("set k\(key) 0 0 3\r\nabc") == "STORED") }
        let large = String(repeating: "x", count: 900_000)
        #expect(try client.ask("set large 0 0 900000\r\n" + large) == "STORED")
        let sizes = try client.statistics("sizes")
        #expect(sizes.map(\.value) == ["5", "1"])
        #expect(sizes.first?.name == "32")
        let size = sizes.last.flatMap { Int($0.name) } ?? 0
        #expect(size % 32 == 0 && (900_000...900_064).contains(size))
        #expect(try client.ask("stats sizes_disable") == "STAT sizes_status disabled")
    }

    @Test("stats detail counts classic commands by prefix")
    func detail() throws {
        let client = try TextClient(to: try NodeProcess("-t 2"))
        #expect(try client.ask("set a:0 0 0 1\r\nx") == "STORED")
        #expect(try client.ask("stats detail on") == "OK")
        #expect(try client.list("get a:0 a:1").count == 2)
        #expect(try client.ask("set a:1 0 0 1\r\nx") == "STORED")
        #expect(try client.ask("set b:1 0 0 1\r\nx") == "STORED")
        #expect(try client.ask("set none 0 0 1\r\nx") == "STORED")
        #expect(try client.ask("delete a:1") == "DELETED")
        #expect(
            try client.list("stats detail dump") == [
                "PREFIX a get 2 hit 1 set 1 del 1", "PREFIX b get 0 hit 0 set 1 del 0",
            ])
        #expect(try client.ask("stats detail off") == "OK")
        #expect(try client.list("get a:0").count == 2)
        #expect(try client.list("stats detail dump").first == "PREFIX a get 2 hit 1 set 1 del 1")
    }

    @Test("stats detail keeps a bounded number of prefixes")
    func detailLimit() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.ask("stats detail on") == "OK")
        for prefix in 0..<5_000 { try client.send("delete p\(prefix):x noreply\r\n") }
        #expect(try client.list("stats detail dump").count == 4_096)
    }

    @Test("stats conns lists the connections of all loops, with their states")
    func connections() throws {
        let node = try NodeProcess("-t 2 -l 127.0.0.1")
        let clients = try (0..<5).map { _ in try TextClient(port: node.port) }
        for client in clients { #expect(try client.ask("mn") == "MN") }
        try clients[1].send("set a 0 0 10\r\nhalf")
        #expect(try clients[2].ask("watch") == "OK")
        let lines = try clients[0].statistics("conns")
        let fields = { (name: String) in lines.filter { $0.name.hasSuffix(":" + name) }.map(\.value)
        }
        #expect(fields("addr").count == 6)
        #expect(fields("listen_addr").allSatisfy { $0 == "tcp:127.0.0.1:\(node.port)" })
        let states = fields("state").sorted()
        #expect(states.filter { $0 == "conn_listening" }.count == 1)
        #expect(states.filter { $0 == "conn_parse_cmd" }.count == 1)
        #expect(states.filter { $0 == "conn_watch" }.count == 1)
        #expect(fields("secs_since_last_cmd").allSatisfy { (Int($0) ?? -1) >= 0 })
        #expect(Set(lines.map { $0.name.prefix { $0 != ":" } }).count == 6)
    }

    @Test("stats conns comes in pages, each connection once")
    func manyConnections() throws {
        let node = try NodeProcess("-t 2")
        // More than a page's worth on each loop.
        let clients = try (0..<900).map { _ in try TextClient(port: node.port) }
        for client in clients { #expect(try client.ask("mn") == "MN") }
        let peers = try clients[0].statistics("conns").filter { $0.name.hasSuffix(":listen_addr") }
        #expect(peers.count == 900)
        #expect(Set(peers.map(\.name)).count == 900)
        // The next command of the connection that asked is read again.
        #expect(try clients[0].ask("mn") == "MN")
    }

    @Test(
        "wrong words are refused as memcached refuses them",
        arguments: [
            ("stats foo", "ERROR"),
            ("stats detail", "CLIENT_ERROR usage: stats detail on|off|dump"),
            ("stats cachedump", "CLIENT_ERROR bad command line"),
            ("stats cachedump 1", "CLIENT_ERROR bad command line"),
            ("stats cachedump x 1", "CLIENT_ERROR bad command line format"),
            ("stats cachedump 64 1", "CLIENT_ERROR Illegal slab id"),
            ("lru_crawler", "ERROR"), ("lru_crawler metadump", "ERROR"),
            ("lru_crawler metadump 99", "BADCLASS invalid class id"),
            ("lru_crawler metadump x", "BADCLASS invalid class id"),
            ("lru_crawler sleep 1000001", "CLIENT_ERROR sleep must be one second or less"),
            ("lru_crawler tocrawl x", "CLIENT_ERROR bad command line format"),
            ("lru_crawler enable", "ERROR failed to start lru crawler thread"),
            ("lru_crawler crawl 77", "BADCLASS invalid class id"),
            ("lru_crawler crawl all", "OK"), ("lru_crawler sleep 10", "OK"),
            ("watch nothing", "ERROR"), ("watch fetchers nothing", "ERROR"),
        ])
    func refusals(command: String, reply: String) throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.ask(command) == reply)
        #expect(try client.ask("mn") == "MN")
    }
}
