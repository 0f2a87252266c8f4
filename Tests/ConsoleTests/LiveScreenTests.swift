import Testing

@testable import Console

/// A node's answer to `kiln top`, with keys and rates of the test's choice.
func liveAnswer(_ keys: [(name: String, operations: Double)], events: [String] = []) throws
    -> LiveSnapshot
{
    let list = keys.enumerated().map { index, key in
        """
        {"rank":\(index + 1),"key":"\(key.name)","ops_per_s":\(key.operations),"error":3,\
        "share":0.25,"reads_per_s":\(key.operations * 0.9),"writes_per_s":\(key.operations * 0.1),\
        "bytes_per_s":\(1000 - index),"value_bytes":100,"ttl_s":null,"owner":"n1","copies":["n2"],\
        "state":"hot"}
        """
    }
    let happened = events.map { "{\"time_unix_s\":3661,\"text\":\"\($0)\"}" }
    let text = """
        {"schema_version":1,"window_ms":1000,"time_unix_s":45296,"nodes":[{"name":"n1",\
        "state":"alive","ops_per_s":1000,"hit_ratio":0.5,"connections":7,"bytes":1048576,\
        "limit_bytes":67108864,"loops":[{"busy":0.25},{"busy":0.5}]}],\
        "hot_keys":[\(list.joined(separator: ","))],"events":[\(happened.joined(separator: ","))]}
        """
    return try LiveSnapshot(try JSONText(parsing: Array(text.utf8)))
}

struct LiveScreenTests {
    private func state(_ count: Int = 3) throws -> LiveState {
        var state = LiveState(server: "127.0.0.1:11211")
        state.update(
            try liveAnswer(
                (1...count).map { ("key:\($0)", Double(1000 - $0)) },
                events: ["promote key:1: heat"]))
        return state
    }

    @Test("the whole screen of 80x24, to the letter")
    func drawsAScreen() throws {
        let drawn = LiveScreen(columns: 80, lines: 24, styled: false).draw(try state())
        let shown = drawn.map { line in
            var line = line
            while line.last == " " { line.removeLast() }
            // The full block of a trend, in a line of this file's width.
            return line.last == "\u{2588}" ? line.dropLast() + "#" : line
        }
        let expected = [
            "kiln top  127.0.0.1:11211  12:34:56  window 1.0 s  by ops",
            "n1 [########........] 50.0 %  1000/s  hits 50.0 %  1.00 MiB of 64.0 MiB  7 conns",
            "",
            "  # KEY                       OPS/S   SHARE     R/W   BYTES/S STATE        TREND",
            "  1 key:1                       999  25.0 %   90/10  0.98 KiB hot              #",
            "  2 key:2                       998  25.0 %   90/10     999 B hot              #",
            "  3 key:3                       997  25.0 %   90/10     998 B hot              #",
        ]
        #expect(Array(shown.prefix(7)) == expected)
        #expect(shown[22] == "01:01:01  promote key:1: heat")
        #expect(shown[23] == "q quit  s/o/b/w sort  / filter  p pause  enter detail  ? help")
    }

    @Test(
        "any size gets exactly its lines, none too long",
        arguments: [(80, 24), (200, 50), (40, 8), (41, 9), (120, 16), (20, 5), (300, 100), (1, 1)])
    func fitsAnySize(columns: Int, lines: Int) throws {
        var states = [LiveState(server: "s"), try state(), try state(300)]
        states[1].press(.character("?"))
        var detail = try state()
        detail.press(.enter)
        states.append(detail)
        for state in states {
            let drawn = LiveScreen(columns: columns, lines: lines, styled: false).draw(state)
            #expect(drawn.count == lines)
            #expect(drawn.allSatisfy { $0.count <= columns })
        }
    }

    @Test("a wide screen has the columns that a narrow one leaves out")
    func addsColumns() throws {
        let wide = LiveScreen(columns: 200, lines: 50, styled: false).draw(try state())
        for word in ["+-", "SIZE", "TTL", "OWNER", "BYTES/S"] {
            #expect(wide.contains { $0.contains(word) }, "\(word)")
        }
    }

    @Test("colours are used where they are wanted, and only there")
    func usesColours() throws {
        let plain = LiveScreen(columns: 80, lines: 24, styled: false).draw(try state())
        #expect(!plain.contains { $0.contains("\u{1B}") })
        let styled = LiveScreen(columns: 80, lines: 24, styled: true).draw(try state())
        #expect(styled.contains { $0.contains("\u{1B}[31m") })
    }

    @Test("a key that holds control characters moves no cursor")
    func showsKeysSafely() throws {
        var state = LiveState(server: "s")
        state.update(try liveAnswer([("a\\u001b[2Jb", 10)]))
        let drawn = LiveScreen(columns: 80, lines: 24, styled: false).draw(state)
        #expect(!drawn.contains { $0.contains("\u{1B}") })
        #expect(drawn.contains { $0.contains("a\\u{1b}[2Jb") })
    }

    @Test("the selected row is always among those that are shown")
    func scrolls() throws {
        var state = try state(100)
        for _ in 0..<60 { state.press(.down) }
        let drawn = LiveScreen(columns: 80, lines: 24, styled: true).draw(state)
        #expect(drawn.contains { $0.contains("\u{1B}[7m") && $0.contains("key:61 ") })
    }

    @Test("what a node did not answer is said, and taken back with the next answer")
    func showsProblems() throws {
        var state = try state()
        state.problem = "cannot connect"
        let last = LiveScreen(columns: 80, lines: 24, styled: false).draw(state).last
        #expect(last?.hasPrefix("cannot connect") == true)
        state.update(try liveAnswer([]))
        let drawn = LiveScreen(columns: 80, lines: 24, styled: false).draw(state)
        #expect(drawn.last?.hasPrefix("q quit") == true)
        #expect(drawn.contains("  no hot keys"))
    }
}

struct LiveStateTests {
    private func state() throws -> LiveState {
        var state = LiveState(server: "s")
        state.update(try liveAnswer([("user:1", 30), ("page:2", 20), ("user:3", 10)]))
        return state
    }

    @Test("keys choose the order")
    func sorts() throws {
        var state = try state()
        #expect(state.rows.map(\.key) == ["user:1", "page:2", "user:3"])
        state.press(.character("b"))
        #expect(state.order == .bytes)
        state.press(.character("s"))
        #expect(state.order == .writes)
        state.press(.character("s"))
        #expect(state.order == .operations)
        state.press(.character("w"))
        #expect(state.order == .writes && state.rows.first?.key == "user:1")
    }

    @Test("a filter is typed, mended, kept and taken away")
    func filters() throws {
        var state = try state()
        for key in LiveKey.keys(in: Array("/usexr".utf8)) { state.press(key) }
        #expect(state.isEditingFilter && state.filter == "usexr" && state.rows.isEmpty)
        state.press(.backspace)
        state.press(.backspace)
        state.press(.character("r"))
        // A `q` in a filter is a letter.
        state.press(.character("q"))
        #expect(!state.hasEnded && state.filter == "userq")
        state.press(.backspace)
        state.press(.enter)
        #expect(state.rows.map(\.key) == ["user:1", "user:3"] && !state.isEditingFilter)
        state.press(.escape)
        #expect(state.rows.count == 3)
    }

    @Test("a filter has a longest length")
    func boundsFilters() throws {
        var state = try state()
        state.press(.character("/"))
        for _ in 0..<2000 { state.press(.character("x")) }
        #expect(state.filter.count == LiveState.filterLimit)
    }

    @Test("a paused screen keeps what it shows")
    func pauses() throws {
        var state = try state()
        state.press(.character("p"))
        state.update(try liveAnswer([("other", 1)]))
        #expect(state.rows.count == 3)
        state.press(.character(" "))
        state.update(try liveAnswer([("other", 1)]))
        #expect(state.rows.map(\.key) == ["other"])
    }

    @Test("trends keep the last eight answers of the keys that are listed")
    func keepsTrends() throws {
        var state = try state()
        for value in 1...10 { state.update(try liveAnswer([("user:1", Double(value))])) }
        #expect(state.trends == ["user:1": [3, 4, 5, 6, 7, 8, 9, 10]])
    }

    @Test("q and ctrl-C leave; any key leaves an overlay")
    func leaves() throws {
        var state = try state()
        state.press(.enter)
        #expect(state.overlay == .detail(key: "user:1"))
        state.press(.character("x"))
        #expect(state.overlay == .none && !state.hasEnded)
        state.press(.character("?"))
        #expect(state.overlay == .help)
        state.press(.interrupt)
        #expect(state.hasEnded)
    }

    @Test(
        "keys as terminals send them",
        arguments: [
            ("\u{1B}[A", [LiveKey.up]), ("\u{1B}[Bj", [.down, .character("j")]),
            ("\u{1B}", [.escape]), ("\u{1B}[5~\u{1B}[6~", [.pageUp, .pageDown]),
            ("\r", [.enter]), ("\u{7F}", [.backspace]), ("\u{3}", [.interrupt]),
            ("\u{1B}[1;5Cx", [.character("x")]), ("\u{1B}[", [.escape, .character("[")]),
        ])
    func readsKeys(text: String, keys: [LiveKey]) {
        #expect(LiveKey.keys(in: Array(text.utf8)) == keys)
    }
}
