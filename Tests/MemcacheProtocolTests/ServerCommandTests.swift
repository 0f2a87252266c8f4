// Commands without a key, lines that are no command at all, and what every refusal is answered
// with.

import MemcacheProtocol
import Testing

struct ServerCommandTests {
    @Test(arguments: [
        ("version", Verb.version, []), ("version x", .version, ["x"]), ("quit", .quit, []),
        ("stats", .stats, []), ("stats  items ", .stats, ["items"]),
        ("stats cachedump 1 10", .stats, ["cachedump", "1", "10"]),
        ("shutdown", .shutdown, []), ("shutdown graceful", .shutdown, ["graceful"]),
        ("misbehave", .misbehave, []), ("refresh_certs", .refreshCerts, []),
        ("lru tune 10 25 0.1 2.0", .lru, ["tune", "10", "25", "0.1", "2.0"]),
        ("lru_crawler", .lruCrawler, []),
        ("lru_crawler metadump all", .lruCrawler, ["metadump", "all"]),
        ("slabs", .slabs, []), ("slabs reassign 1 2", .slabs, ["reassign", "1", "2"]),
        ("extstore item_size 5", .extstore, ["item_size", "5"]),
        ("watch", .watch, []), ("watch fetchers mutations", .watch, ["fetchers", "mutations"]),
        ("flush_all", .flushAll, []), ("verbosity 1", .verbosity, ["1"]),
        ("cache_memlimit 64", .cacheMemlimit, ["64"]),
        ("config get cluster", .configGet, ["get", "cluster"]),
        ("kiln hotkeys n=5", .kiln, ["hotkeys", "n=5"]),
        ("kiln why noreply", .kiln, ["why", "noreply"]),
    ])
    func parses(line: String, verb: Verb, words: [String]) {
        for end in ["\r\n", "\n", " \r\n"] {
            let parsed = Parsed(line + end)
            #expect(parsed.status == .complete)
            #expect(parsed.command.verb == verb)
            #expect(parsed.words == words)
            #expect(parsed.command.lineCount == (line + end).utf8.count)
            #expect(!parsed.command.noreply)
        }
    }

    @Test(arguments: [
        ("flush_all", Int64(0), false), ("flush_all 10", 10, false), ("flush_all -5", -5, false),
        ("flush_all noreply", 0, true), ("flush_all 10 noreply", 10, true),
        ("flush_all 0 5", 0, false),
    ])
    func flushAll(line: String, delay: Int64, isQuiet: Bool) {
        let parsed = Parsed(line + "\r\n")
        #expect(parsed.status == .complete)
        #expect(parsed.command.exptime == delay)
        #expect(parsed.command.noreply == isQuiet)
    }

    @Test func numbersAndNoreply() {
        #expect(Parsed("verbosity 2 noreply\r\n").command.number == 2)
        #expect(Parsed("verbosity 2 noreply\r\n").command.noreply)
        #expect(Parsed("cache_memlimit 1024 noreply\r\n").command.number == 1_024)
        #expect(Parsed("cache_memlimit 1024 noreply\r\n").command.noreply)
        #expect(Parsed("watch fetchers noreply\r\n").command.noreply)
        #expect(Parsed("lru temp_ttl 5 noreply\r\n").command.noreply)
        #expect(Parsed("slabs automove 1 noreply\r\n").command.noreply)
        #expect(!Parsed("slabs reassign 1 noreply\r\n").command.noreply)
        #expect(!Parsed("lru_crawler metadump noreply\r\n").command.noreply)
        #expect(!Parsed("stats noreply\r\n").command.noreply)
    }

    @Test(arguments: [
        Refusal("\r\n", .unknownCommand), Refusal("\n", .unknownCommand),
        Refusal(" \r\n", .unknownCommand), Refusal("\r\r\n", .unknownCommand),
        Refusal("\0\r\n", .unknownCommand), Refusal("a\r\n", .unknownCommand),
        Refusal("GET k\r\n", .unknownCommand), Refusal("Get k\r\n", .unknownCommand),
        Refusal("MG k\r\n", .unknownCommand), Refusal("mz k\r\n", .unknownCommand),
        Refusal("m k\r\n", .unknownCommand), Refusal("getx k\r\n", .unknownCommand),
        Refusal("get\tk\r\n", .unknownCommand), Refusal("getss k\r\n", .unknownCommand),
        Refusal("flush_al\r\n", .unknownCommand), Refusal("flush_alll\r\n", .unknownCommand),
        Refusal("debugtime 5\r\n", .unknownCommand), Refusal("x HTTP/\r\n", .unknownCommand),
        Refusal("config get\r\n", .wrongWordCount),
        Refusal("config set cluster\r\n", .unknownCommand),
        Refusal("config get other\r\n", .unknownCommand),
        Refusal("lru\r\n", .wrongWordCount), Refusal("extstore\r\n", .wrongWordCount),
        Refusal("flush_all 1 2 3\r\n", .wrongWordCount),
        Refusal("flush_all abc\r\n", .invalidExptime),
        Refusal("flush_all abc noreply\r\n", .invalidExptime, silent: true),
        Refusal("verbosity\r\n", .wrongWordCount), Refusal("verbosity 1 2 3\r\n", .wrongWordCount),
        Refusal("verbosity abc\r\n", .badNumber),
        Refusal("verbosity noreply\r\n", .badNumber, silent: true),
        Refusal("cache_memlimit\r\n", .wrongWordCount),
        Refusal("cache_memlimit x\r\n", .wrongWordCount),
        Refusal("cache_memlimit 1 2 3\r\n", .wrongWordCount),
        Refusal("GET / HTTP/1.1\r\n", .httpRequest, .close),
        Refusal("POST\r\n", .httpRequest, .close), Refusal("Host: x\r\n", .httpRequest, .close),
        Refusal("\u{0}\u{0}\n", .unknownCommand),
    ])
    func refuses(_ refusal: Refusal) {
        refusal.check()
    }

    @Test("a first byte of 0x80 closes at once, wherever it comes")
    func binaryProtocol() {
        #expect(Parsed([0x80]).error == ProtocolError(.binaryProtocol, .close))
        #expect(Parsed([0x80, 1, 0, 3]).error == ProtocolError(.binaryProtocol, .close))
        #expect(Parsed(" \u{80}\r\n").error == ProtocolError(.unknownCommand))
    }

    @Test("a line may have 2048 bytes before its line feed and not one more, ended or not")
    func lineLimit() {
        let limit = ProtocolLimits.lineBytes
        #expect(Parsed(times(limit, "a")).status == .needMore)
        #expect(Parsed(times(limit, "a") + "\n").error == ProtocolError(.unknownCommand))
        #expect(Parsed(times(limit + 1, "a")).error == ProtocolError(.lineTooLong, .close))
        #expect(Parsed(times(limit + 1, "a") + "\n").error == ProtocolError(.lineTooLong, .close))
        #expect(Parsed(times(limit, " ")).status == .needMore)
        #expect(Parsed(times(limit + 1, " ")).error == ProtocolError(.lineTooLong, .close))
        let set = "set k 0 0 1"
        #expect(Parsed(set + times(limit - set.utf8.count - 1, " ") + "\r\n").status == .complete)
        #expect(
            Parsed(set + times(limit - set.utf8.count, " ") + "\r\n").error?.reason == .lineTooLong)
        // Retrieval lines are exempt, unless too much white space comes first.
        #expect(Parsed("get \(times(4_000, "a "))").status == .needMore)
        #expect(Parsed("\(times(100, " "))get \(times(3_000, "a "))").status == .needMore)
        #expect(
            Parsed("\(times(101, " "))get \(times(3_000, "a "))").error?.reason == .lineTooLong)
    }

    @Test("every refusal has memcached's words and a text for the log")
    func replies() {
        let expected: [ProtocolError.Reason: String] = [
            .unknownCommand: "ERROR", .wrongWordCount: "ERROR",
            .badFormat: "CLIENT_ERROR bad command line format",
            .keyTooLong: "CLIENT_ERROR bad command line format",
            .badNumber: "CLIENT_ERROR bad command line format",
            .badLength: "CLIENT_ERROR bad command line format",
            .invalidExptime: "CLIENT_ERROR invalid exptime argument",
            .invalidDelta: "CLIENT_ERROR invalid numeric delta argument",
            .deleteUsage:
                "CLIENT_ERROR bad command line format.  Usage: delete <key> [noreply]",
            .valueTooLarge: "SERVER_ERROR object too large for cache",
            .duplicateFlag: "CLIENT_ERROR duplicate flag",
            .invalidFlag: "CLIENT_ERROR invalid flag",
            .invalidOrDuplicateFlag: "CLIENT_ERROR invalid or duplicate flag",
            .badFlagNumber: "CLIENT_ERROR bad token in command line format",
            .tooManyFlags: "CLIENT_ERROR options flags too long",
            .tooManyReadFlags: "CLIENT_ERROR options flags are too long",
            .keyNotBase64: "CLIENT_ERROR error decoding key",
            .opaqueTooLong: "CLIENT_ERROR opaque token too long",
            .modeLength: "CLIENT_ERROR incorrect length for M token",
            .invalidSetMode: "CLIENT_ERROR invalid mode for ms M token",
            .invalidArithmeticMode: "CLIENT_ERROR invalid mode for ma M token",
            .invalidDeltaFlag: "CLIENT_ERROR invalid numeric delta value",
            .invalidInitialFlag: "CLIENT_ERROR invalid numeric initial value",
            .lineTooLong: "", .binaryProtocol: "", .httpRequest: "",
        ]
        for reason in ProtocolError.Reason.allCases {
            let error = ProtocolError(reason)
            #expect("\(error.reply)" == expected[reason], "\(reason)")
            #expect(!error.description.isEmpty)
        }
    }
}
