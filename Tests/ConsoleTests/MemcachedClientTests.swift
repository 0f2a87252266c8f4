import Testing

@testable import Console

@Suite struct MemcachedClientTests {
    @Test func fetchesAnItem() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("VALUE foo 7 5 12\r\na\r\nbc\r\nEND\r\n")
        let item = try client.fetch("foo")
        #expect(item == FetchedItem(key: "foo", flags: 7, cas: 12, value: Array("a\r\nbc".utf8)))
        #expect(server.received() == "gets foo\r\n")
    }

    @Test func readsAValueLongerThanItsBuffer() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        let value = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try server.answer(
            Array("VALUE k 0 100000 1\r\n".utf8) + value + Array("\r\nEND\r\nDELETED\r\n".utf8))
        #expect(try client.fetch("k")?.value == value)
        #expect(try client.delete("k"))
    }

    @Test func aMissIsNil() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("END\r\n")
        #expect(try client.fetch("foo") == nil)
    }

    @Test func storesAndDeletes() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("STORED\r\nDELETED\r\nNOT_FOUND\r\n")
        try client.store("k", value: Array("v".utf8), flags: 3, ttlSeconds: 60)
        #expect(try client.delete("k"))
        #expect(try !client.delete("k"))
        #expect(server.received() == "set k 3 60 1\r\nv\r\ndelete k\r\ndelete k\r\n")
    }

    @Test("groups that answer in lines of their own, or without an end")
    func readsOtherStatistics() throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("PREFIX a get 1 hit 0 set 0 del 0\r\nEND\r\nITEM k [1 b; 0 s]\r\nEND\r\n")
        #expect(
            try client.statistics("detail dump")
                == [Statistic(name: "a", value: "get 1 hit 0 set 0 del 0")])
        #expect(
            try client.statistics("cachedump 1 0") == [Statistic(name: "k", value: "[1 b; 0 s]")])
        try server.answer("STAT sizes_status enabled\r\n")
        #expect(
            try client.statistics("sizes_enable")
                == [Statistic(name: "sizes_status", value: "enabled")])
    }

    @Test(arguments: [("", "stats\r\n"), ("items", "stats items\r\n")])
    func readsStatistics(_ group: String, _ request: String) throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer("STAT pid 12\r\nSTAT version 1.6 x\r\nSTAT empty \r\nEND\r\n")
        #expect(
            try client.statistics(group) == [
                Statistic(name: "pid", value: "12"), Statistic(name: "version", value: "1.6 x"),
                Statistic(name: "empty", value: ""),
            ])
        #expect(server.received() == request)
    }

    struct BadReply: Sendable {
        var reply: String
        var isRefusal = false
    }

    @Test(arguments: [
        BadReply(reply: "ERROR\r\n", isRefusal: true),
        BadReply(reply: "SERVER_ERROR out of memory\r\n", isRefusal: true),
        BadReply(reply: "CLIENT_ERROR bad command line format\r\n", isRefusal: true),
        BadReply(reply: "HTTP/1.1 400 Bad Request\r\n"),
        BadReply(reply: "VALUE other 0 1 1\r\nx\r\nEND\r\n"),
        BadReply(reply: "VALUE k 0 99999999999999999999 1\r\n"),
        BadReply(reply: "VALUE k 0 -1 1\r\n\r\nEND\r\n"),
        BadReply(reply: "VALUE k 0 1 1\r\nxyzEND\r\n"),
        BadReply(reply: String(repeating: "x", count: 130_000)),
    ])
    func refusesAReplyThatIsNone(_ bad: BadReply) throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer(bad.reply)
        var caught: ConsoleError?
        do throws(ConsoleError) { _ = try client.fetch("k") } catch { caught = error }
        switch caught {
        case .refused: #expect(bad.isRefusal)
        case .unexpectedReply: #expect(!bad.isRefusal)
        default: Issue.record("\(String(describing: caught))")
        }
        #expect(caught?.exitCode == 1)
    }

    @Test(arguments: ["", "VALUE k 0 1", "VALUE k 0 9 1\r\nabc", "VALUE k 0 1 1\r\nx\r\n"])
    func aReplyCutShortIsALostConnection(_ reply: String) throws {
        let server = try ScriptedServer()
        var client = try MemcachedClient(to: .unix(path: server.path))
        try server.answer(reply, thenClose: true)
        var caught: ConsoleError?
        do throws(ConsoleError) { _ = try client.fetch("k") } catch { caught = error }
        #expect(caught?.exitCode == 75, "\(String(describing: caught))")
    }

    @Test(arguments: ["", "a b", "a\r\nflush_all", "a\u{7F}", String(repeating: "k", count: 251)])
    func refusesAKeyThatCouldSmuggle(_ key: String) {
        #expect(throws: ConsoleError.malformedKey(key)) { try MemcachedClient.check(key) }
    }

    @Test(arguments: ["a", "ключ", String(repeating: "k", count: 250)])
    func takesEveryLegalKey(_ key: String) throws {
        try MemcachedClient.check(key)
    }

    @Test func nobodyThereIsExitCode69() {
        var caught: ConsoleError?
        do throws(ConsoleError) {
            _ = try MemcachedClient(to: .unix(path: "/tmp/kiln-no-such-socket"))
        } catch { caught = error }
        #expect(caught?.exitCode == 69)
    }
}
