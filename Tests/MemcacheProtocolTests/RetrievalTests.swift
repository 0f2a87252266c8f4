// get, gets, gat, gats.

import MemcacheProtocol
import Testing

struct RetrievalTests {
    /// A line and the keys it asks for.
    struct Case: Sendable, CustomTestStringConvertible {
        let line: String
        let verb: Verb
        let keys: [String]
        var exptime: Int64 = 0
        var testDescription: String { String(line.debugDescription.prefix(60)) }
    }

    @Test(arguments: [
        Case(line: "get key:123456\r\n", verb: .get, keys: ["key:123456"]),
        Case(line: "get a\n", verb: .get, keys: ["a"]),
        Case(line: "gets a b\r\n", verb: .gets, keys: ["a", "b"]),
        Case(line: "get   a  bb   ccc  \r\n", verb: .get, keys: ["a", "bb", "ccc"]),
        Case(line: "  get k  \r\n", verb: .get, keys: ["k"]),
        Case(line: "\(times(100, " "))get k\r\n", verb: .get, keys: ["k"]),
        Case(line: "\(times(101, " "))get k l\r\n", verb: .get, keys: ["k", "l"]),
        Case(line: "\(times(101, " "))gats 5 k\r\n", verb: .gats, keys: ["k"], exptime: 5),
        Case(line: "\(times(200, " "))gat 5\r\n", verb: .gat, keys: [], exptime: 5),
        Case(line: "gat 10 a b\r\n", verb: .gat, keys: ["a", "b"], exptime: 10),
        Case(line: "gats -1 a\r\n", verb: .gats, keys: ["a"], exptime: -1),
        Case(line: "  gats  -1  a \n", verb: .gats, keys: ["a"], exptime: -1),
        Case(line: "gat 10\r\n", verb: .gat, keys: [], exptime: 10),
        Case(line: "bget k l\r\n", verb: .get, keys: ["k", "l"]),
        Case(line: "get a\tb\r\n", verb: .get, keys: ["a\tb"]),
        Case(line: "get a\rb\r\n", verb: .get, keys: ["a\rb"]),
        Case(line: "get k\r\r\n", verb: .get, keys: ["k\r"]),
        Case(line: "get k\r \r\n", verb: .get, keys: ["k\r"]),
        Case(line: "get a\0b\r\n", verb: .get, keys: ["a"]),
        Case(line: "get a b\0 c d\n", verb: .get, keys: ["a", "b"]),
        Case(line: "gat 1\u{0} a\r\n", verb: .gat, keys: [], exptime: 1),
        Case(line: "get HTTP/1.1\r\n", verb: .get, keys: ["HTTP/1.1"]),
        Case(
            line: "get AmazonElastiCache:cluster\r\n", verb: .get,
            keys: ["AmazonElastiCache:cluster"]),
        Case(line: "get \(times(250, "k"))\r\n", verb: .get, keys: [times(250, "k")]),
        Case(line: "get \u{1}\u{7F} \r\n", verb: .get, keys: ["\u{1}\u{7F}"]),
        Case(
            line: "get \(times(900, "key "))z\r\n", verb: .get,
            keys: Array(repeating: "key", count: 900) + ["z"]),
    ])
    func parsesKeys(_ expected: Case) {
        let parsed = Parsed(expected.line)
        #expect(parsed.status == .complete)
        #expect(parsed.command.verb == expected.verb)
        #expect(parsed.keys == expected.keys)
        #expect(parsed.key == expected.keys.first ?? "")
        #expect(parsed.command.exptime == expected.exptime)
        #expect(parsed.command.lineCount == expected.line.utf8.count)
        #expect(!parsed.command.continues)
    }

    /// A line and its error.
    struct Failure: Sendable, CustomTestStringConvertible {
        let line: String
        let reason: ProtocolError.Reason
        var recovery: ProtocolError.Recovery = .skipLine
        var testDescription: String { String(line.debugDescription.prefix(60)) }
    }

    @Test(arguments: [
        Failure(line: "get\r\n", reason: .wrongWordCount),
        Failure(line: "get \r\n", reason: .wrongWordCount),
        Failure(line: "get  \n", reason: .wrongWordCount),
        Failure(line: "gets\n", reason: .wrongWordCount),
        Failure(line: "gats  \r\n", reason: .wrongWordCount),
        Failure(line: "gat\r\n", reason: .wrongWordCount),
        Failure(line: "bget\r\n", reason: .wrongWordCount),
        Failure(line: "get \0k\r\n", reason: .wrongWordCount),
        Failure(line: "gat abc k\r\n", reason: .invalidExptime),
        Failure(line: "gat k\r\n", reason: .invalidExptime),
        Failure(line: "gats 99999999999999999999 k\r\n", reason: .invalidExptime),
        Failure(line: "get \(times(251, "k"))\r\n", reason: .keyTooLong),
        Failure(line: "get a \(times(251, "k")) b\r\n", reason: .keyTooLong),
        Failure(line: "gat 0 a \(times(251, "k")) b\r\n", reason: .keyTooLong),
        Failure(line: "bget a \(times(251, "k")) b\r\n", reason: .keyTooLong),
        Failure(line: "get \(times(251, "k"))\0\r\n", reason: .keyTooLong),
        Failure(line: "get \(times(8_200, "k"))", reason: .keyTooLong, recovery: .close),
        Failure(line: "get \(times(8_200, " "))", reason: .lineTooLong, recovery: .close),
        Failure(line: "gat \(times(8_200, " "))", reason: .lineTooLong, recovery: .close),
        Failure(line: "gat 5\(times(8_200, " "))", reason: .lineTooLong, recovery: .close),
        Failure(line: "gat x\(times(8_200, " "))", reason: .invalidExptime, recovery: .close),
        Failure(line: "get a\0\(times(8_200, " "))", reason: .badFormat, recovery: .close),
    ])
    func refuses(_ expected: Failure) {
        let parsed = Parsed(expected.line)
        #expect(parsed.status == .failed(ProtocolError(expected.reason, expected.recovery)))
        if expected.recovery == .skipLine {
            #expect(parsed.command.lineCount == expected.line.utf8.count)
        }
    }

    @Test("a line longer than the window comes in parts, and all its keys arrive once and in order")
    func comesInParts() {
        let keys = (0..<100_000).map { "key:\($0)" }
        for verb in ["get", "gats 7"] {
            let bytes = Array("\(verb) \(keys.joined(separator: " "))\r\nversion\r\n".utf8)
            let (found, end, calls) = collect(bytes)
            #expect(found == keys)
            #expect(end == bytes.count - 9)
            // Each call reads one window; what it hands out is at least the window less one key.
            let least = ProtocolLimits.retrievalWindowBytes - ProtocolLimits.keyBytes - 1
            #expect(calls <= bytes.count / least + 1)
        }
    }

    @Test("a megabyte of spaces between two keys is walked once")
    func walksSpacesOnce() {
        let bytes = Array("get a\(times(1 << 20, " "))b\r\n".utf8)
        let (found, end, calls) = collect(bytes)
        #expect(found == ["a", "b"])
        #expect(end == bytes.count)
        #expect(calls <= bytes.count / ProtocolLimits.retrievalWindowBytes + 2)
    }

    @Test("a carriage return at the end of a window is no part of a 250-byte key")
    func carriageReturnAtTheCut() {
        let key = times(250, "k")
        let filler = ProtocolLimits.retrievalWindowBytes - 4 - 250 - 1
        let bytes = Array("get a\(times(filler - 1, " "))\(key)\r\n".utf8)
        #expect(bytes[ProtocolLimits.retrievalWindowBytes - 1] == UInt8(ascii: "\r"))
        let (found, end, _) = collect(bytes)
        #expect(found == ["a", key])
        #expect(end == bytes.count)
    }

    @Test("an over-long key after the first part closes or skips the line, never desynchronises")
    func longKeyInALaterPart() {
        let start = Array("get \(times(3_000, "abc ")) \(times(251, "k"))".utf8)
        for (tail, recovery) in [
            (" z\r\n", ProtocolError.Recovery.skipLine), (times(9_000, "k"), .close),
        ] {
            let bytes = start + Array(tail.utf8)
            var command = Command(verb: .quit, lineCount: 0)
            let parser = RequestParser()
            #expect(parser.parse(bytes.span.bytes, from: 0, into: &command) == .complete)
            #expect(command.continues)
            let next = command.lineCount
            let status = parser.parseContinuation(
                bytes.span.bytes, from: next, of: .get, into: &command)
            #expect(status == .failed(ProtocolError(.keyTooLong, recovery)))
            if recovery == .skipLine { #expect(next + command.lineCount == bytes.count) }
        }
    }

    /// All keys of a line, where it ends, and how many calls that took.
    private func collect(_ bytes: [UInt8]) -> (keys: [String], end: Int, calls: Int) {
        var command = Command(verb: .quit, lineCount: 0)
        let parser = RequestParser()
        var status = parser.parse(bytes.span.bytes, from: 0, into: &command)
        let verb = command.verb
        var keys: [String] = []
        var position = 0
        var calls = 1
        while status == .complete {
            var list = KeyList(command)
            while let key = list.next(in: bytes.span.bytes) {
                keys.append(String(decoding: bytes[key], as: UTF8.self))
            }
            position += command.lineCount
            if !command.continues { break }
            calls += 1
            status = parser.parseContinuation(
                bytes.span.bytes, from: position, of: verb, into: &command)
        }
        return (keys, position, calls)
    }
}
