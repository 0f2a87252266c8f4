// set and its family, incr, decr, touch, delete.

import MemcacheProtocol
import Testing

/// A line and how it is refused.
struct Refusal: Sendable, CustomTestStringConvertible {
    let line: String
    let reason: ProtocolError.Reason
    let recovery: ProtocolError.Recovery
    let isSilent: Bool
    var testDescription: String { String(line.debugDescription.prefix(70)) }

    init(
        _ line: String, _ reason: ProtocolError.Reason,
        _ recovery: ProtocolError.Recovery = .skipLine, silent: Bool = false
    ) {
        self.line = line
        self.reason = reason
        self.recovery = recovery
        isSilent = silent
    }

    /// Parses the line and compares.
    func check() {
        let parsed = Parsed(line)
        #expect(parsed.status == .failed(ProtocolError(reason, recovery)))
        #expect(parsed.command.noreply == isSilent)
        if recovery != .close || parsed.error?.reply.utf8CodeUnitCount ?? 0 > 0 {
            #expect(parsed.command.lineCount == line.utf8.count)
        }
    }
}

private let longKey = times(251, "k")

struct ClassicCommandTests {
    @Test(arguments: [
        ("set", Verb.set), ("add", .add), ("replace", .replace), ("append", .append),
        ("prepend", .prepend),
    ])
    func parsesStorage(word: String, verb: Verb) {
        let parsed = Parsed("\(word) some:key 42 -7 100\r\nhello")
        #expect(parsed.status == .complete)
        var expected = Command(verb: verb, lineCount: word.utf8.count + 21)
        expected.key = (word.utf8.count + 1)..<(word.utf8.count + 9)
        expected.clientFlags = 42
        expected.exptime = -7
        expected.valueCount = 100
        #expect(parsed.command == expected)

        let quiet = Parsed("  \(word)   some:key 42  -7 100   noreply \n")
        #expect(quiet.status == .complete)
        #expect(quiet.command.noreply)
        #expect(quiet.key == "some:key")
        #expect(quiet.command.valueCount == 100)
    }

    @Test func parsesCas() {
        let parsed = Parsed("cas k 1 2 3 18446744073709551615\r\n")
        #expect(parsed.status == .complete)
        #expect(parsed.command.verb == .cas)
        #expect(parsed.command.number == .max)
        #expect(parsed.command.valueCount == 3)
        #expect(!parsed.command.noreply)
        #expect(Parsed("cas k 1 2 3 4 noreply\r\n").command.noreply)
    }

    @Test("a word in the place of noreply that is another is ignored, as memcached does")
    func ignoresOtherLastWord() {
        let parsed = Parsed("set k 0 0 1 norepl\r\n")
        #expect(parsed.status == .complete)
        #expect(!parsed.command.noreply)
        #expect(!Parsed("incr k 1 x\r\n").command.noreply)
    }

    @Test(arguments: [
        Refusal("set\r\n", .wrongWordCount), Refusal("set k\r\n", .wrongWordCount),
        Refusal("set k 0 0\r\n", .wrongWordCount), Refusal("cas k 0 0 1\r\n", .wrongWordCount),
        Refusal("set k 0 0 1 noreply x\r\n", .wrongWordCount, .close),
        Refusal("set k with space 0 0 5\r\n", .wrongWordCount, .close),
        Refusal("cas k 0 0 1 2 noreply x\r\n", .wrongWordCount, .close),
        Refusal("set k abc 0 5\r\n", .badNumber, .close),
        Refusal("set a b 0 0 5\r\n", .badNumber, .close),
        Refusal("set k 0 abc 5\r\n", .badNumber, .close),
        Refusal("set k -1 0 5\r\n", .badNumber, .close),
        Refusal("set k 5x 0 5\r\n", .badNumber, .close),
        Refusal("set k 99999999999999999999 0 1\r\n", .badNumber, .close),
        Refusal("set k 0 99999999999999999999 1\r\n", .badNumber, .close),
        Refusal("set k 0 0 abc\r\n", .badLength, .close),
        Refusal("set k 0 0 -1\r\n", .badLength, .close),
        Refusal("set k 0 0 2147483646\r\n", .badLength, .close),
        Refusal("set k 0 0 4294967297\r\n", .badLength, .close),
        Refusal("cas k 0 0 1 abc\r\n", .badNumber, .close),
        Refusal("cas k 0 0 1 -1\r\n", .badNumber, .close),
        Refusal("cas k 0 0 1 noreply\r\n", .badNumber, .close, silent: true),
        Refusal("set \(longKey) 0 0 5\r\n", .keyTooLong, .skipValue),
        Refusal("set \(longKey) 0 0 5 noreply\r\n", .keyTooLong, .skipValue, silent: true),
        Refusal("set \(longKey) 0 0 x\r\n", .keyTooLong, .close),
        Refusal("set \(longKey) x 0 5\r\n", .keyTooLong, .close),
        Refusal("set k x 0 5 noreply\r\n", .badNumber, .close, silent: true),
        Refusal("set k 0 0 noreply\r\n", .badLength, .close, silent: true),
        Refusal("set k 0 0 1048577\r\n", .valueTooLarge, .skipValue),
        Refusal("append k 0 0 2147483645 noreply\r\n", .valueTooLarge, .skipValue, silent: true),
        Refusal("set a\0b 0 0 1\r\n", .wrongWordCount),
    ])
    func refusesStorage(_ refusal: Refusal) {
        refusal.check()
    }

    @Test("after a value that is too large, verb, key and length are there: the old item has to go")
    func tooLargeNamesItsKey() {
        let parsed = Parsed(
            "set some:key 0 0 11\r\n", limits: ProtocolLimits(valueBytes: 10))
        #expect(parsed.error?.reason == .valueTooLarge)
        #expect(parsed.error?.swallowsValue == true)
        #expect(parsed.command.verb == .set)
        #expect(parsed.key == "some:key")
        #expect(parsed.command.valueCount == 11)
        #expect(parsed.command.lineCount == 21)
        let meta = Parsed("ms k 11 MA q\r\n", limits: ProtocolLimits(valueBytes: 10))
        #expect(meta.error == ProtocolError(.valueTooLarge, .skipValue))
        #expect(meta.key == "k")
        #expect(meta.command.valueCount == 11)
        #expect(meta.command.meta.mode == UInt8(ascii: "A"))
        #expect(!meta.command.noreply)
    }

    @Test(arguments: [("incr", Verb.incr), ("decr", .decr)])
    func parsesArithmetic(word: String, verb: Verb) {
        for (operand, number) in [
            ("1", UInt64(1)), ("18446744073709551615", .max), ("+2", 2), ("007", 7), ("-0", 0),
            ("-18446744073709551615", 1), ("5\t", 5), ("5\tabc", 5), ("\t5", 5),
            ("00000000000000000000000000000005", 5),
        ] {
            let parsed = Parsed("\(word) k \(operand)\r\n")
            #expect(parsed.status == .complete, "\(operand)")
            #expect(parsed.command.verb == verb)
            #expect(parsed.command.number == number, "\(operand)")
            #expect(parsed.key == "k")
        }
        #expect(Parsed("\(word) k 1 noreply\r\n").command.noreply)
        #expect(Parsed("\(word) noreply 1\r\n").key == "noreply")
        #expect(Parsed("\(word) k 5\r\r\n").command.number == 5)
    }

    @Test(arguments: [
        Refusal("incr\r\n", .wrongWordCount), Refusal("incr k\r\n", .wrongWordCount),
        Refusal("decr k 1 2 3\r\n", .wrongWordCount), Refusal("incr k abc\r\n", .invalidDelta),
        Refusal("incr k -1\r\n", .invalidDelta), Refusal("incr k 1a\r\n", .invalidDelta),
        Refusal("incr k 18446744073709551616\r\n", .invalidDelta),
        Refusal("incr k +\r\n", .invalidDelta), Refusal("incr k -\r\n", .invalidDelta),
        Refusal("incr k \t\r\n", .invalidDelta), Refusal("incr k +-5\r\n", .invalidDelta),
        Refusal("decr k abc noreply\r\n", .invalidDelta, silent: true),
        Refusal("incr k noreply\r\n", .invalidDelta, silent: true),
        Refusal("incr \(longKey) 1\r\n", .keyTooLong),
        Refusal("touch\r\n", .wrongWordCount), Refusal("touch k\r\n", .wrongWordCount),
        Refusal("touch k 1 2 3\r\n", .wrongWordCount),
        Refusal("touch k abc\r\n", .invalidExptime),
        Refusal("touch k noreply\r\n", .invalidExptime, silent: true),
        Refusal("touch k 9223372036854775808\r\n", .invalidExptime),
        Refusal("touch \(longKey) 1\r\n", .keyTooLong),
        Refusal("delete\r\n", .wrongWordCount), Refusal("delete k 0 0 0\r\n", .wrongWordCount),
        Refusal("delete k 5\r\n", .deleteUsage), Refusal("delete k 00\r\n", .deleteUsage),
        Refusal("delete k 0 x\r\n", .deleteUsage),
        Refusal("delete k noreply 0\r\n", .deleteUsage),
        Refusal("delete k 5 noreply\r\n", .deleteUsage, silent: true),
        Refusal("delete \(longKey)\r\n", .keyTooLong),
        Refusal("delete \(longKey) 5\r\n", .deleteUsage),
        Refusal("delete \(longKey) noreply\r\n", .keyTooLong, silent: true),
    ])
    func refusesOneKeyCommands(_ refusal: Refusal) {
        refusal.check()
    }

    @Test func parsesTouch() {
        for (word, exptime) in [
            ("0", Int64(0)), ("-1", -1), ("+30", 30), ("4102444800", 4_102_444_800),
            ("-9223372036854775808", .min), ("9223372036854775807", .max),
        ] {
            let parsed = Parsed("touch k \(word)\r\n")
            #expect(parsed.status == .complete)
            #expect(parsed.command.verb == .touch)
            #expect(parsed.command.exptime == exptime)
        }
        #expect(Parsed("touch k 1 noreply\r\n").command.noreply)
    }

    @Test func parsesDelete() {
        for (tail, isQuiet) in [
            ("", false), (" ", false), (" 0", false), (" noreply", true), (" 0 noreply", true),
        ] {
            let parsed = Parsed("delete k\(tail)\r\n")
            #expect(parsed.status == .complete)
            #expect(parsed.command.verb == .delete)
            #expect(parsed.key == "k")
            #expect(parsed.command.noreply == isQuiet)
        }
    }

    @Test("client flags keep the low 32 bits, as memcached does")
    func flagsWrap() {
        for (word, flags) in [
            ("4294967295", UInt32.max), ("4294967296", 0), ("18446744073709551615", .max),
            ("+5", 5), ("-0", 0), ("007", 7),
        ] {
            #expect(Parsed("set k \(word) 0 1\r\n").command.clientFlags == flags, "\(word)")
        }
    }
}
