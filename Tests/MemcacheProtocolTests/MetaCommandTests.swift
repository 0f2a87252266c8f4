// mg, ms, md, ma, mn, me and every flag.

import MemcacheProtocol
import Testing

private let longKey = times(251, "k")
private let longOpaque = "O" + times(32, "o")

struct MetaCommandTests {
    @Test(arguments: [
        ("mg", Verb.metaGet, ""), ("ms", .metaSet, " 5"), ("md", .metaDelete, ""),
        ("ma", .metaArithmetic, ""),
    ])
    func parsesEveryFlag(word: String, verb: Verb, length: String) {
        let mode = verb == .metaArithmetic ? "D" : "A"
        let first = "v k q s t c f l h u x I P5 L7"
        let second = "Oopaque T30 N-1 R60 C12 E13 D14 J15 M\(mode) F4294967296 b"
        let one = Parsed("\(word) Zm9v\(length) \(first)\r\n")
        #expect(one.status == .complete)
        #expect(one.command.verb == verb)
        #expect(one.key == "Zm9v")
        #expect(one.flags == first.split(separator: " ").map(String.init))
        for flag in first.unicodeScalars where flag.properties.isAlphabetic {
            #expect(one.command.meta.has(flag), "\(flag)")
        }
        #expect(one.command.noreply)
        #expect(!one.command.meta.has("b"))

        let two = Parsed("\(word) Zm9v\(length)   \(second)  \n")
        #expect(two.status == .complete)
        #expect(two.flags == second.split(separator: " ").map(String.init))
        let meta = two.command.meta
        #expect(meta.keyIsBase64 && !meta.isQuiet && !two.command.noreply)
        #expect(meta.exptime == 30)
        #expect(meta.vivifyExptime == -1)
        #expect(meta.recacheTime == 60)
        #expect(meta.compareCAS == 12)
        #expect(meta.newCAS == 13)
        #expect(meta.delta == 14)
        #expect(meta.initialValue == 15)
        #expect(meta.mode == mode.utf8.first)
        if verb == .metaSet {
            #expect(two.command.valueCount == 5)
            #expect(two.command.exptime == 30)
            #expect(two.command.clientFlags == 0)
        }
    }

    @Test func noFlags() {
        let parsed = Parsed("mg k\r\n")
        #expect(parsed.status == .complete)
        #expect(parsed.flags.isEmpty)
        #expect(parsed.command.meta == MetaArguments())
        #expect(parsed.command.meta.delta == 1)
        #expect(Parsed("ms k 0\r\n").command.valueCount == 0)
        #expect(Parsed("ms k 5 F77 T9\r\n").command.clientFlags == 77)
    }

    @Test("mn takes any words, me a key")
    func noopAndDebug() {
        #expect(Parsed("mn\r\n").command.verb == .metaNoop)
        #expect(Parsed("mn extra\r\n").status == .complete)
        let debug = Parsed("me Zm9v b\r\n")
        #expect(debug.status == .complete)
        #expect(debug.command.verb == .metaDebug)
        #expect(debug.key == "Zm9v")
        #expect(debug.command.meta.keyIsBase64)
        #expect(Parsed("me k x\r\n").status == .complete)
        #expect(!Parsed("me k x\r\n").command.meta.keyIsBase64)
    }

    @Test(arguments: [UInt8(ascii: "E"), 65, 80, 82, 83])
    func setModes(mode: UInt8) {
        let parsed = Parsed(Array("ms k 1 M".utf8) + [mode, 13, 10])
        #expect(parsed.status == .complete)
        #expect(parsed.command.meta.mode == mode)
    }

    @Test(arguments: Array("ID+-".utf8))
    func arithmeticModes(mode: UInt8) {
        let parsed = Parsed(Array("ma k M".utf8) + [mode, 13, 10])
        #expect(parsed.status == .complete)
        #expect(parsed.command.meta.mode == mode)
    }

    @Test(arguments: [
        Refusal("mg\r\n", .wrongWordCount), Refusal("mg \(longKey)\r\n", .keyTooLong),
        Refusal("mg k v v\r\n", .duplicateFlag), Refusal("mg k zz\r\n", .invalidFlag),
        Refusal("mg k \u{80}\r\n", .duplicateFlag), Refusal("mg k \u{7F}\r\n", .duplicateFlag),
        Refusal("mg k ~\r\n", .invalidFlag), Refusal("mg k S5\r\n", .invalidFlag),
        Refusal("mg k W\r\n", .invalidFlag), Refusal("mg k 1\r\n", .invalidFlag),
        Refusal("mg k T\r\n", .badFlagNumber), Refusal("mg k Tabc\r\n", .badFlagNumber),
        Refusal("mg k N\r\n", .badFlagNumber), Refusal("mg k R1x\r\n", .badFlagNumber),
        Refusal("mg k C\r\n", .badFlagNumber), Refusal("mg k E-1\r\n", .badFlagNumber),
        Refusal("mg k F\r\n", .badFormat), Refusal("mg k Fabc\r\n", .badFormat),
        Refusal("mg k D\r\n", .invalidDeltaFlag), Refusal("mg k Jx\r\n", .invalidInitialFlag),
        Refusal("mg k M\r\n", .modeLength), Refusal("mg k MAB\r\n", .modeLength),
        Refusal("mg k Tx M\r\n", .modeLength), Refusal("mg k M Tx\r\n", .badFlagNumber),
        Refusal("mg k Tx Fx\r\n", .badFlagNumber), Refusal("mg k Tx v v\r\n", .duplicateFlag),
        Refusal("mg k Tx z\r\n", .invalidFlag), Refusal("mg k \(longOpaque)\r\n", .opaqueTooLong),
        Refusal("mg k \(longOpaque) Tx\r\n", .badFlagNumber),
        // A quiet command hears of its errors.
        Refusal("mg k q \(longOpaque)\r\n", .opaqueTooLong),
        Refusal("ma k q \(longOpaque)\r\n", .opaqueTooLong),
        Refusal("md k q z\r\n", .invalidOrDuplicateFlag),
        Refusal("mg k q Tx\r\n", .badFlagNumber),
        Refusal("mg key b\r\n", .keyNotBase64), Refusal("mg Zm9= b\r\n", .keyNotBase64),
        Refusal("mg k \(times(18, "v "))\r\n", .tooManyReadFlags),
        Refusal("mg k \(times(17, "v "))\r\n", .duplicateFlag),
        Refusal("md\r\n", .wrongWordCount), Refusal("md \(longKey)\r\n", .keyTooLong),
        Refusal("md k v v\r\n", .invalidOrDuplicateFlag),
        Refusal("md k z\r\n", .invalidOrDuplicateFlag),
        Refusal("md k Cx\r\n", .invalidOrDuplicateFlag),
        Refusal("md k b\r\n", .invalidOrDuplicateFlag),
        Refusal("md k \(longOpaque)\r\n", .opaqueTooLong),
        Refusal("md k \(times(18, "v "))\r\n", .tooManyFlags),
        Refusal("ma\r\n", .wrongWordCount), Refusal("ma \(longKey)\r\n", .keyTooLong),
        Refusal("ma k Dabc\r\n", .invalidOrDuplicateFlag),
        Refusal("ma k MZ\r\n", .invalidArithmeticMode),
        Refusal("ma k MA\r\n", .invalidArithmeticMode),
        Refusal("ma k \(longOpaque) MZ\r\n", .invalidArithmeticMode),
        Refusal("ma k \(longOpaque)\r\n", .opaqueTooLong),
        Refusal("ma k \(times(18, "v "))\r\n", .tooManyFlags),
        Refusal("me\r\n", .badFormat), Refusal("me \(longKey)\r\n", .keyTooLong),
        Refusal("me k b\r\n", .badFormat),
    ])
    func refuses(_ refusal: Refusal) {
        refusal.check()
    }

    @Test(arguments: [
        Refusal("ms\r\n", .wrongWordCount), Refusal("ms k\r\n", .badFormat),
        Refusal("ms k abc\r\n", .badLength, .close), Refusal("ms k -1\r\n", .badLength, .close),
        Refusal("ms k S5\r\n", .badLength, .close), Refusal("ms k T30 5\r\n", .badLength, .close),
        Refusal("ms k 2147483646\r\n", .badLength, .close),
        Refusal("ms \(longKey) x\r\n", .keyTooLong, .close),
        Refusal("ms \(longKey) 5\r\n", .keyTooLong, .skipValue),
        Refusal("ms k 1048577\r\n", .valueTooLarge, .skipValue),
        Refusal("ms k 5 v v\r\n", .duplicateFlag, .skipValue),
        Refusal("ms k 5 z\r\n", .invalidFlag, .skipValue),
        Refusal("ms k 5 Fx q\r\n", .badFormat, .skipValue),
        Refusal("ms k 5 Mxx\r\n", .modeLength, .skipValue),
        Refusal("ms k 5 MZ\r\n", .invalidSetMode, .skipValue),
        Refusal("ms k 5 MI\r\n", .invalidSetMode, .skipValue),
        Refusal("ms k 5 \(longOpaque) MZ\r\n", .invalidSetMode, .skipValue),
        Refusal("ms k 5 \(longOpaque)\r\n", .opaqueTooLong, .skipValue),
        Refusal("ms k 5 b\r\n", .keyNotBase64, .skipValue),
        Refusal("ms k 5 \(times(17, "v "))\r\n", .tooManyFlags, .skipValue),
        Refusal("ms k x \(times(17, "v "))\r\n", .tooManyFlags, .close),
        Refusal("ms k 5 \(times(16, "v "))\r\n", .duplicateFlag, .skipValue),
    ])
    func refusesSet(_ refusal: Refusal) {
        refusal.check()
        if refusal.recovery == .skipValue {
            #expect([5, 1_048_577].contains(Parsed(refusal.line).command.valueCount))
        }
    }

    @Test("an opaque token of 31 bytes and its letter is allowed, and comes back whole")
    func opaque() {
        let parsed = Parsed("mg k O\(times(31, "o")) k\r\n")
        #expect(parsed.status == .complete)
        #expect(parsed.flags == ["O" + times(31, "o"), "k"])
    }
}
