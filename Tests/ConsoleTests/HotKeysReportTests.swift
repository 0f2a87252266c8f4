import Testing

@testable import Console

struct HotKeysReportTests {
    private static let server = ServerAddress.network(host: "127.0.0.1", port: 11211)

    private static let answer = """
        {"schema_version":1,"window_ms":1000,"ops_per_s":344460.74,"bytes_per_s":41811419,\
        "sampling":4,"hot_keys":[{"rank":1,"key":"a%20b","keys":1,"ops_per_s":71534.7,\
        "error":1069.3,"share":0.208,"reads_per_s":70048,"writes_per_s":1486.4,"hits_per_s":1,\
        "misses_per_s":0,"bytes_per_s":8624483,"clients":11,"value_bytes":100,"ttl_s":60,\
        "owner":"n1","copies":[],"state":"hot","since":1795744077}]}
        """

    @Test("a list of hot keys as a table")
    func showsATable() throws {
        let report = try HotKeysReport(Array(Self.answer.utf8), server: Self.server)
        #expect(
            report.table(styled: false) == """
                #  KEY    OPS/S    +-   SHARE  READS/S  WRITES/S   BYTES/S   SIZE  TTL  STATE  OWNER
                1  a%20b  71535  1069  20.8 %    70048      1486  8.22 MiB  100 B  60s  hot    n1
                1 keys, 344461/s in all, over 1.0 s

                """)
        #expect(report.json.description == Self.answer)
    }

    @Test("an answer that is no list of hot keys is refused with what is missing")
    func refusesOtherAnswers() {
        for (text, missing) in [("{}", "window_ms"), ("[1", "a comma")] {
            let error = #expect(throws: ConsoleError.self) {
                _ = try HotKeysReport(Array(text.utf8), server: Self.server)
            }
            #expect(error.map { "\($0)".contains(missing) } == true)
        }
    }

    @Test("a key's story: what it is, the thresholds, the decisions")
    func tellsWhy() throws {
        let text = """
            {"schema_version":1,"key":"k","owner":"n1","mode":"on","state":"hot","heat":0.21,\
            "ops_per_s":500,"bytes_per_s":2000,"share":0.21,"write_share":0.02,"copies":1,\
            "flaps":2,"promote_heat":0.05,"promote_ops_per_s":200,"promote_bytes_per_s":2000000,\
            "write_share_limit":0.05,"decisions":[{"time_unix_s":61,"action":"promote",\
            "copies":1,"reason":"heat 21.0 %"}]}
            """
        let report = try WhyReport(Array(text.utf8), server: Self.server)
        #expect(
            report.table(styled: false) == """
                key         k
                owner       n1
                state       hot, flapped 2 times
                heat        21.0 % of a node's load (hot from 5.0 % on)
                rate        500/s (hot from 200/s on), 1.95 KiB/s (or 1.91 MiB/s)
                share       21.0 %
                writes      2.0 % (no copies above 5.0 %)
                served by   1
                mode        on
                decisions
                  00:01:01 UTC  promote, served by 1 (heat 21.0 %)

                """)
    }

    @Test("a question goes out as one line; an answer comes back as it was sent")
    func asks() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("VALUE kiln 0 2\r\n{}\r\nEND\r\n")
        #expect(try client.ask(["hotkeys", "n=5"]) == Array("{}".utf8))
        #expect(server.received() == "kiln hotkeys n=5\r\n")
        try server.answer("CLIENT_ERROR kiln: unknown verb\r\n")
        #expect(throws: ConsoleError.self) { _ = try client.ask(["x"]) }
    }

    @Test("a word that could smuggle in a second command is not sent")
    func refusesWords() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        for word in ["a b", "a\r\nflush_all", "", String(repeating: "x", count: 751)] {
            #expect(throws: ConsoleError.malformedWord(word)) { _ = try client.ask(["why", word]) }
        }
    }
}
