// Properties of whole streams: cuts do not matter, prefixes wait, nothing traps, nothing is slow.

import MemcacheProtocol
import Primitives
import Testing

/// A connection without a socket: collects what a stream means, however it is cut.
private struct Session {
    private let parser = RequestParser()
    private var buffer: [UInt8] = []
    private var isClosed = false
    private var toSwallow = 0
    private var line: Verb?
    private(set) var events: [String] = []
    private(set) var parseCalls = 0

    /// Takes the next bytes of the stream.
    mutating func receive(_ bytes: ArraySlice<UInt8>) {
        buffer += bytes
        var position = 0
        while !isClosed {
            let dropped = min(toSwallow, buffer.count - position)
            position += dropped
            toSwallow -= dropped
            if toSwallow > 0 || position == buffer.count { break }
            var command = Command(verb: .quit, lineCount: 0)
            parseCalls += 1
            let status =
                if let verb = line {
                    parser.parseContinuation(
                        buffer.span.bytes, from: position, of: verb, into: &command)
                } else {
                    parser.parse(buffer.span.bytes, from: position, into: &command)
                }
            if status == .needMore { break }
            note(status, command)
            position += command.lineCount
        }
        buffer.removeFirst(position)
    }

    private mutating func note(_ status: ParseStatus, _ command: Command) {
        line = nil
        switch status {
        case .needMore: break
        case .complete:
            line = command.continues ? command.verb : nil
            var copy = command
            let text = [copy.key, copy.arguments].map {
                String(decoding: buffer[$0], as: UTF8.self)
            }
            // Offsets depend on the cuts, what is there does not.
            (copy.key, copy.arguments) = (0..<0, 0..<0)
            events.append("\(copy) \(text)")
            switch command.verb {
            case .set, .add, .replace, .append, .prepend, .cas, .metaSet:
                toSwallow = command.valueCount + 2
            default: break
            }
        case .failed(let error):
            events.append("\(error.reason) \(error.recovery) \(command.noreply)")
            if error.swallowsValue { toSwallow = command.valueCount + 2 }
            isClosed = error.closes
        }
    }
}

/// One valid line of every kind.
private let validLines = [
    "get key:1\r\n", "get a b  c\n", "  gets x y\r\n", "gat 10 a b\r\n", "gats -1 a\r\n",
    "gat 5\r\n",
    "set k 1 2 0\r\n", "add k 1 2 0 noreply\r\n", "cas k 1 2 0 77\r\n", "replace k 0 0 0\r\n",
    "append k 0 0 0\n", "prepend k 0 0 0 \r\n", "incr k 5\r\n", "decr k 5 noreply\r\n",
    "touch k 100\r\n", "delete k\r\n", "delete k 0 noreply\r\n", "mg k v t f c k Oabc q\r\n",
    "mg Zm9v b k\r\n", "ms k 0 T30 F5 MA\r\n", "md k I T5 q\r\n", "ma k D5 N10 J3 v MD\r\n",
    "mn\r\n", "me k\r\n", "version\r\n", "quit\r\n", "stats items\r\n", "flush_all 5 noreply\r\n",
    "verbosity 1\r\n", "watch fetchers\r\n", "lru tune 10 25 0.1 2.0\r\n", "shutdown graceful\r\n",
    "lru_crawler metadump all\r\n", "slabs automove 1\r\n", "cache_memlimit 64\r\n",
    "config get cluster\r\n", "bget k\r\n", "get k\r\r\n", "get a\rb\r\n", "get a\0b\r\n",
]

/// Lines and blocks, good and bad, that leave the connection open.
private let stream =
    validLines.joined()
    + "set k 0 0 5\r\nhe\r\nl\r\nset \(times(251, "k")) 0 0 6\r\nget a\n\r\n\r\n\n bogus\r\nget\r\n"
    + "ms k 7 v v\r\nversion\r\nset k 0 0 1048577 noreply\r\n\(times(300, "get x\r\n"))"

struct StreamTests {
    private func events(_ bytes: [UInt8], cuts: (Int) -> Int) -> (events: [String], calls: Int) {
        var session = Session()
        var position = 0
        while position < bytes.count {
            let next = min(bytes.count, position + max(1, cuts(position)))
            session.receive(bytes[position..<next])
            position = next
        }
        return (session.events, session.parseCalls)
    }

    @Test("every way to cut a stream gives the same commands")
    func splitInvariance() {
        var random = SeededGenerator(seed: 42)
        let long = "get \(times(2_500, "key:1 ")) \(times(700, "z "))\r\nmn\r\n"
        for text in [stream, long, "gat 7 \(long.dropFirst(4))", stream + "\u{80}"] {
            let bytes = Array(text.utf8)
            let whole = events(bytes) { _ in bytes.count }.events
            #expect(whole.count > 1)
            for size in [1, 2, 3, 7, 64, 1_000, 8_192] {
                // One byte at a time over a long line is a million window scans: too slow
                // unoptimised.
                if size < 64 && bytes.count > 10_000 { continue }
                #expect(events(bytes) { _ in size }.events == whole, "pieces of \(size)")
            }
            for _ in 0..<50 {
                let cut = events(bytes) { _ in Int.random(in: 1...500, using: &random) }
                #expect(cut.events == whole)
            }
        }
    }

    @Test("one cut at any place gives the same commands")
    func everySingleCut() {
        let bytes = Array(validLines.joined().utf8)
        let whole = events(bytes) { _ in bytes.count }.events
        for place in 1..<bytes.count {
            let cut = events(bytes) { $0 == 0 ? place : bytes.count }
            #expect(cut.events == whole, "cut at \(place)")
        }
    }

    @Test("every proper prefix of a valid line asks for more and touches nothing")
    func prefixesWait() {
        let untouched = Command(verb: .misbehave, lineCount: -7)
        for line in validLines {
            let bytes = Array(line.utf8)
            var command = untouched
            for count in 0..<bytes.count {
                let prefix = Array(bytes[..<count])
                let status = RequestParser().parse(prefix.span.bytes, from: 0, into: &command)
                #expect(status == .needMore, "\(line.debugDescription) cut at \(count)")
                #expect(command == untouched)
            }
            #expect(Parsed(bytes).status == .complete, "\(line.debugDescription)")
            #expect(Parsed(bytes).command.lineCount == bytes.count)
        }
    }

    @Test("where a line starts in the buffer does not matter")
    func offsets() {
        for line in validLines {
            let alone = Parsed(line)
            let shifted = Array(("\r\n" + times(13, "x") + line + "get z\r\n").utf8)
            var command = Command(verb: .quit, lineCount: 0)
            #expect(
                RequestParser().parse(shifted.span.bytes, from: 15, into: &command) == .complete)
            #expect(command.lineCount == line.utf8.count)
            #expect(shifted[command.key] == alone.bytes[alone.command.key])
            #expect(shifted[command.arguments] == alone.bytes[alone.command.arguments])
        }
    }

    @Test("200 000 mutated streams: no trap, ranges inside, progress every time")
    func mutations() {
        var random = SeededGenerator(seed: 2_026)
        let corpus = validLines.map { Array($0.utf8) }
        var outcomes = (complete: 0, needMore: 0, failed: 0)
        for _ in 0..<200_000 {
            var bytes = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutate(&bytes, corpus, &random)
            }
            switch check(bytes) {
            case .complete: outcomes.complete += 1
            case .needMore: outcomes.needMore += 1
            case .failed: outcomes.failed += 1
            }
        }
        // A loop that only ever sees one outcome tests nothing.
        #expect(min(outcomes.complete, outcomes.needMore, outcomes.failed) > 10_000)
    }

    private func mutate(
        _ bytes: inout [UInt8], _ corpus: [[UInt8]], _ random: inout SeededGenerator
    ) {
        let interesting: [UInt8] = [0, 9, 10, 13, 32, 45, 48, 57, 61, 127, 128, 255]
        let place = Int.random(in: 0...bytes.count, using: &random)
        let value =
            Bool.random(using: &random)
            ? interesting[Int.random(in: 0..<interesting.count, using: &random)]
            : UInt8.random(in: 0...255, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0 where place < bytes.count: bytes[place] = value
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2: bytes.insert(value, at: place)
        case 3: bytes.removeSubrange(place...)
        case 4:
            let run = Int.random(in: 1...300, using: &random)
            bytes.insert(contentsOf: repeatElement(value, count: run), at: place)
        default:
            let other = corpus[Int.random(in: 0..<corpus.count, using: &random)]
            bytes.replaceSubrange(place..., with: other[min(place, other.count)...])
        }
    }

    private func check(_ bytes: [UInt8]) -> ParseStatus {
        let parsed = Parsed(bytes)
        let command = parsed.command
        let all = 0..<bytes.count
        switch parsed.status {
        case .needMore: break
        case .failed(let error) where error.closes: break
        case .failed, .complete:
            let isInside =
                command.lineCount > 0 && command.lineCount <= bytes.count
                && bytes[command.lineCount - 1] == 10 && command.valueCount >= 0
                && command.key.clamped(to: all) == command.key
                && command.arguments.clamped(to: all) == command.arguments
            #expect(isInside, "\(bytes)")
        }
        if parsed.status == .complete {
            var flags = MetaFlagList(command)
            var keys = KeyList(command)
            var steps = 0
            while flags.next(in: bytes.span.bytes) != nil { steps += 1 }
            while let key = keys.next(in: bytes.span.bytes) {
                steps += 1
                if command.verb.rawValue <= Verb.gats.rawValue { #expect(key.count <= 250) }
            }
            #expect(steps <= bytes.count + 2)
            #expect(command.key.count <= 250)
        }
        return parsed.status
    }

    @Test("a long line is not read again and again: calls and windows, counted")
    func noQuadraticBlowUp() {
        let keys = (0..<100_000).map { "key:\($0)" }.joined(separator: " ")
        for text in ["get \(keys)\r\n", "get a\(times(1 << 20, " "))b\r\n", times(100_000, "\r\n")]
        {
            let bytes = Array(text.utf8)
            let pieces = events(bytes) { _ in 16_384 }
            // Each call reads at most one window and either consumes or waits for the next piece.
            let windows = bytes.count / (ProtocolLimits.retrievalWindowBytes - 251) + 2
            let lines = bytes.count { $0 == 10 }
            #expect(pieces.calls <= windows + lines + bytes.count / 16_384 + 2)
        }
    }
}
