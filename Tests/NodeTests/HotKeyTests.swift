import Glibc
import Testing

@Suite struct HotKeyTests {
    /// The JSON that the node answers to `kiln <words>`.
    private func ask(_ words: String, _ client: TextClient) throws -> String {
        let head = try client.ask("kiln \(words)")
        guard head.hasPrefix("VALUE kiln 0 ") else { return head }
        let json = try #require(try client.line())
        #expect(Int(head.split(separator: " ")[3]) == json.utf8.count)
        #expect(try client.line() == "END")
        return json
    }

    /// Sends `rounds` rounds of gets in which `hot` of 10 are of one key, until `condition` holds.
    private func crowd(
        _ client: TextClient, hot: Int, key: String, until condition: () throws -> Bool
    ) throws {
        var sent = 0
        let deadline = time(nil) + 20
        while try !condition() {
            var pipeline = ""
            for number in 0..<40 {
                let isHot = number % 10 < hot
                pipeline += "get \(isHot ? key : "cold:\(sent &+ number)")\r\n"
            }
            sent += 40
            try client.send(pipeline + "mn\r\n")
            while try client.line() != "MN" {}
            guard time(nil) < deadline else { throw NodeTestError.timeout("the condition") }
        }
    }

    @Test("a key that gets half of the traffic is listed, promoted, explained and logged")
    func findsTheCrowd() throws {
        let node = try NodeProcess("-t 2")
        let (client, watcher) = (
            try TextClient(port: node.port), try TextClient(port: node.port)
        )
        #expect(try client.ask("set celebrity 0 100 5\r\nhello") == "STORED")
        try crowd(client, hot: 5, key: "celebrity") {
            try ask("hotkeys n=1", watcher).contains("\"state\":\"hot\"")
        }
        let list = try ask("hotkeys n=1", watcher)
        #expect(list.contains("\"key\":\"celebrity\""))
        #expect(list.contains("\"value_bytes\":5") && list.contains("\"owner\":\"127.0.0.1:"))
        let why = try ask("why celebrity", watcher)
        #expect(why.contains("\"state\":\"hot\"") && why.contains("\"action\":\"promote\""))
        #expect(try ask("top", watcher).contains("promote celebrity: heat"))
        let lines = try watcher.list("stats hotkeys")
        #expect(lines.contains("STAT hotkeys:1:key celebrity"))
        #expect(lines.contains("STAT hotkeys:mode on"))
        let history = try ask("hotkeys n=1 history=900", watcher)
        #expect(history.contains("celebrity") || history.contains("\"hot_keys\":[]"))
    }

    @Test("names are shown safely: what is not printable is percent-encoded")
    func encodesNames() throws {
        let node = try NodeProcess("-t 1")
        let (client, watcher) = (
            try TextClient(port: node.port), try TextClient(port: node.port)
        )
        // "\"é%" as a key: quotes are JSON's to escape, the rest is encoded here.
        try crowd(client, hot: 9, key: "\"\u{E9}%") {
            try ask("hotkeys n=1", watcher).contains("\"key\":\"\\\"%C3%A9%25\"")
        }
        #expect(try ask("why \"%C3%A9%25", watcher).contains("\"heat\":0"))
    }

    @Test("redacted names: a keyed hash, another one on another node; groups are refused")
    func redacts() throws {
        var names: [String] = []
        for _ in 0..<2 {
            let node = try NodeProcess("-t 1 --redact-keys")
            let (client, watcher) = (
                try TextClient(port: node.port), try TextClient(port: node.port)
            )
            try crowd(client, hot: 9, key: "secret-name") {
                try ask("hotkeys n=1", watcher).contains("\"key\":\"#")
            }
            let list = try ask("hotkeys n=1", watcher)
            #expect(!list.contains("secret-name"))
            let name = try #require(list.split(separator: "\"key\":\"").last?.prefix(17))
            names.append(String(name))
            #expect(try ask("hotkeys group=s*", watcher).hasPrefix("CLIENT_ERROR kiln: names are"))
            #expect(!(try watcher.list("stats hotkeys")).joined().contains("secret-name"))
            #expect(!(try ask("top", watcher)).contains("secret-name"))
        }
        #expect(names[0] != names[1])
    }

    @Test("looking changes nothing: an item is as old and as unread as before")
    func leavesNoTrace() throws {
        let node = try NodeProcess("-t 1")
        let (client, watcher) = (
            try TextClient(port: node.port), try TextClient(port: node.port)
        )
        // The item is listed for its writes; nobody reads it.
        #expect(try client.ask("set written 0 0 1\r\nx") == "STORED")
        var isListed = false
        let deadline = time(nil) + 20
        while !isListed && time(nil) < deadline {
            for _ in 0..<50 { #expect(try client.ask("set written 0 0 1\r\nx") == "STORED") }
            isListed = try ask("hotkeys n=1", watcher).contains("\"value_bytes\":1")
        }
        #expect(isListed)
        let hits = try watcher.statistic("get_hits")
        for _ in 0..<20 { _ = try ask("hotkeys", watcher) }
        let dump = try watcher.ask("me written")
        #expect(dump.contains("fetch=no"), "\(dump)")
        #expect(try watcher.statistic("get_hits") == hits)
    }

    @Test("switched off: nothing is counted, and the verbs say so")
    func canBeOff() throws {
        let node = try NodeProcess("-t 1 --hot-keys off")
        let client = try TextClient(port: node.port)
        for verb in ["hotkeys", "top", "why k"] {
            let answer = try ask(verb, client)
            #expect(answer == "CLIENT_ERROR kiln: hot keys are off (--hot-keys)")
        }
        #expect((try client.list("stats hotkeys")).contains("STAT hotkeys:mode off"))
    }

    @Test(
        "questions that make no sense get an error that says what does",
        arguments: [
            ("hotkeys n=0", "n: 1 through 1000"), ("hotkeys n=x", "n: 1 through 1000"),
            ("hotkeys sort=size", "sort: ops, bytes or writes"),
            ("hotkeys history=901", "history: 1 through 900 seconds"),
            ("hotkeys group=user", "group: prefixes that end in *, at most 64"),
            ("hotkeys what", "unknown word; n, sort, filter, group and history are known"),
            ("why", "why: one key, percent-encoded"),
            ("why %4", "why: a key of 1 through 250 bytes, percent-encoded"),
            ("top history=5", "top: n, sort and filter are known"),
            (
                "dance",
                "unknown verb; hotkeys, why, top, members, ring, raft, events, forget and leave are"
                    + " known"
            ),
        ])
    func refusesQuestions(words: String, reason: String) throws {
        let node = try NodeProcess("-t 1")
        let client = try TextClient(port: node.port)
        #expect(try ask(words, client) == "CLIENT_ERROR kiln: \(reason)")
        #expect(try client.ask("kiln") == "ERROR")
        #expect(try client.ask("version").hasPrefix("VERSION"))
    }

    @Test("a pipeline goes on behind an answer, in order")
    func keepsTheOrder() throws {
        let node = try NodeProcess("-t 2")
        let client = try TextClient(to: node)
        try client.send("set a 0 0 1\r\nx\r\nkiln hotkeys\r\nget a\r\nkiln top n=1\r\nmn\r\n")
        var lines: [String] = []
        while let line = try client.line(), line != "MN" {
            let words = line.split(separator: " ")
            lines.append(line.hasPrefix("{") ? "JSON" : words.prefix(2).joined(separator: " "))
        }
        #expect(
            lines == [
                "STORED", "VALUE kiln", "JSON", "END", "VALUE a", "x", "END", "VALUE kiln", "JSON",
                "END",
            ])
    }

    @Test("a list longer than what a loop looks up at a time comes whole")
    func listsManyKeys() throws {
        let node = try NodeProcess("-t 1")
        let (client, watcher) = (
            try TextClient(port: node.port), try TextClient(port: node.port)
        )
        let names = (0..<100).map { "many:\($0)" }
        let pipeline = names.map { "get \($0)\r\n" }.joined()
        var list = ""
        let deadline = time(nil) + 20
        while !list.contains("\"rank\":100,") && time(nil) < deadline {
            try client.send(pipeline + "mn\r\n")
            while try client.line() != "MN" {}
            list = try ask("hotkeys n=1000", watcher)
        }
        for name in names { #expect(list.contains("\"key\":\"\(name)\",")) }
        #expect(!list.contains("\"rank\":101,") && list.hasSuffix("]}"))
    }

    @Test("keys with a prefix are added up")
    func groups() throws {
        let node = try NodeProcess("-t 1")
        let (client, watcher) = (
            try TextClient(port: node.port), try TextClient(port: node.port)
        )
        try crowd(client, hot: 9, key: "user:1") {
            try ask("hotkeys n=1 group=user:*", watcher).contains("\"key\":\"user:*\"")
        }
        let list = try ask("hotkeys n=5 group=user:* filter=user", watcher)
        #expect(list.contains("\"keys\":1") && list.contains("\"value_bytes\":null"))
    }
}
