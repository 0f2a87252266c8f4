import Testing

@Suite struct GeneralStatisticsTests {
    /// memcached's names that mean something here, in memcached's order, then Kiln's own.
    static let names = """
        pid uptime time version pointer_size rusage_user rusage_system max_connections
        curr_connections total_connections rejected_connections connection_structures reserved_fds
        cmd_get cmd_set cmd_flush cmd_touch cmd_meta get_hits get_misses get_expired get_flushed
        delete_misses delete_hits incr_misses incr_hits decr_misses decr_hits cas_misses cas_hits
        cas_badval touch_hits touch_misses store_too_large store_no_memory auth_cmds auth_errors
        bytes_read bytes_written limit_maxbytes accepting_conns listen_disabled_num
        time_in_listen_disabled_us threads conn_yields hash_power_level hash_bytes hash_is_expanding
        lru_crawler_running lru_crawler_starts log_worker_dropped log_worker_written
        log_watcher_skipped log_watcher_sent log_watchers bytes curr_items total_items
        expired_unfetched evicted_unfetched evicted_active evictions reclaimed crawler_reclaimed
        crawler_items_checked direct_reclaims kiln_version kiln_shards kiln_segment_bytes
        kiln_segments kiln_dead_bytes kiln_pending_bytes kiln_buffer_bytes kiln_merges
        kiln_compactions kiln_segments_expired kiln_chain_evictions kiln_protocol_errors
        kiln_blocked_connections kiln_turns kiln_keys kiln_longest_turn_us index_growth_pause_max_us
        """.split { $0 == " " || $0 == "\n" }.map(String.init)

    @Test("stats has memcached's names, in memcached's order and with its types")
    func namesAndTypes() throws {
        let client = try TextClient(to: try NodeProcess("-t 2"))
        let statistics = try client.statistics()
        #expect(statistics.map(\.name) == Self.names)
        for (name, value) in statistics {
            switch name {
            case "version", "kiln_version":
                #expect(!value.isEmpty)
            case "rusage_user", "rusage_system":
                let parts = value.split(separator: ".")
                #expect(parts.count == 2 && parts.last?.count == 6, "\(name) \(value)")
            default:
                #expect(UInt64(value) != nil, "\(name) \(value)")
            }
        }
    }

    struct Step: CustomTestStringConvertible {
        let command: String
        let reply: String
        let change: [String: Int]
        var testDescription: String { command }
    }

    /// Commands in order, each with all counters that it changes.
    static let steps: [Step] = [
        Step(command: "get a", reply: "END", change: ["cmd_get": 1, "get_misses": 1]),
        Step(
            command: "set a 0 0 1\r\n5", reply: "STORED",
            change: ["cmd_set": 1, "total_items": 1, "curr_items": 1]),
        Step(command: "get a", reply: "VALUE a 0 1", change: ["cmd_get": 1, "get_hits": 1]),
        Step(command: "add a 0 0 1\r\n5", reply: "NOT_STORED", change: ["cmd_set": 1]),
        Step(command: "incr a 2", reply: "7", change: ["incr_hits": 1]),
        Step(command: "incr b 2", reply: "NOT_FOUND", change: ["incr_misses": 1]),
        Step(command: "decr a 2", reply: "5", change: ["decr_hits": 1]),
        Step(command: "decr b 2", reply: "NOT_FOUND", change: ["decr_misses": 1]),
        Step(
            command: "cas a 0 0 1 1\r\n5", reply: "EXISTS",
            change: ["cmd_set": 1, "cas_badval": 1]),
        Step(
            command: "cas b 0 0 1 1\r\n5", reply: "NOT_FOUND",
            change: ["cmd_set": 1, "cas_misses": 1]),
        Step(command: "touch a 0", reply: "TOUCHED", change: ["cmd_touch": 1, "touch_hits": 1]),
        Step(
            command: "touch b 0", reply: "NOT_FOUND", change: ["cmd_touch": 1, "touch_misses": 1]),
        Step(command: "delete b", reply: "NOT_FOUND", change: ["delete_misses": 1]),
        Step(command: "delete a", reply: "DELETED", change: ["delete_hits": 1, "curr_items": -1]),
        Step(
            command: "set c 0 0 2000000\r\n" + String(repeating: "x", count: 2_000_000),
            reply: "SERVER_ERROR object too large for cache",
            change: ["store_too_large": 1, "kiln_protocol_errors": 1]),
        Step(command: "me a", reply: "EN", change: ["cmd_meta": 1]),
        Step(command: "flush_all", reply: "OK", change: ["cmd_flush": 1]),
        Step(command: "nonsense", reply: "ERROR", change: ["kiln_protocol_errors": 1]),
    ]

    /// Counters that a known command must leave alone unless its step says otherwise.
    static let watched = Set(
        names.filter { name in
            ["cmd_", "get_", "delete_", "incr_", "decr_", "cas_", "touch_", "store_"].contains {
                name.hasPrefix($0)
            } || ["curr_items", "total_items", "evictions", "kiln_protocol_errors"].contains(name)
        })

    @Test("each command changes its counters and no others")
    func counters() throws {
        let client = try TextClient(to: try NodeProcess("-t 2"))
        var before = try Self.counters(client)
        for step in Self.steps {
            #expect(try client.ask(step.command) == step.reply, "\(step.command.prefix(40))")
            if step.reply.hasPrefix("VALUE") { _ = try (client.line(), client.line()) }
            let after = try Self.counters(client)
            for name in Self.watched.sorted() {
                let change = after[name, default: 0] - before[name, default: 0]
                // Arithmetic may count as an item stored.
                if name == "total_items" && step.command.contains("cr a") { continue }
                #expect(
                    change == step.change[name, default: 0],
                    "\(name) changed by \(change) at \(step.command.prefix(40))")
            }
            before = after
        }
    }

    private static func counters(_ client: TextClient) throws -> [String: Int] {
        Dictionary(
            uniqueKeysWithValues: try client.statistics().map { ($0.name, Int($0.value) ?? 0) })
    }

    @Test("stats reset begins counts anew and leaves sizes")
    func reset() throws {
        let node = try NodeProcess("-t 2")
        let client = try TextClient(port: node.port)
        #expect(try client.ask("set a 0 0 1\r\nx") == "STORED")
        #expect(try client.list("get a").count == 2)
        #expect(try client.ask("stats reset") == "RESET")
        let after = try Self.counters(client)
        for name in ["cmd_get", "get_hits", "cmd_set", "total_items", "total_connections"] {
            #expect(after[name] == 0, "\(name)")
        }
        #expect(after["curr_items"] == 1)
        #expect(after["curr_connections"] == 1)
        #expect(try client.list("get a").count == 2)
        #expect(try client.statistic("get_hits") == 1)
    }

    @Test("stats latency counts each group's commands and orders its quantiles")
    func latencies() throws {
        let client = try TextClient(to: try NodeProcess("-t 1"))
        #expect(try client.statistics("latency").isEmpty)
        for _ in 0..<3 { #expect(try client.ask("set a 0 0 1\r\nx") == "STORED") }
        #expect(try client.list("get a").count == 2)
        let latencies = Dictionary(
            uniqueKeysWithValues: try client.statistics("latency").map {
                ($0.name, Int($0.value) ?? -1)
            })
        #expect(latencies["latency:set:count"] == 3)
        #expect(latencies["latency:get:count"] == 1)
        let quantiles = ["p50_us", "p99_us", "p999_us", "max_us"].map {
            latencies["latency:set:" + $0] ?? -1
        }
        #expect(quantiles == quantiles.sorted() && quantiles[0] > 0)
        #expect(latencies["latency:delete:count"] == nil)
    }
}
