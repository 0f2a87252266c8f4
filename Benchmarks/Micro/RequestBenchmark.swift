// Nanoseconds per request without a network: parsing alone, and parsing with execution and reply.
import DataPlane
import MemcacheProtocol
import Primitives
import Storage

struct RequestBenchmark {
    let items: Int
    private let now = ClockReading(
        instant: Instant(nanoseconds: 5_000_000_000), unixSeconds: 1_700_000_000)
    private let parser = RequestParser()
    private static let rounds = 2_000_000
    private static let keysPerGet = 50

    init(items: Int) {
        self.items = items
    }

    /// Each kind of line, parsed over and over.
    func parse() {
        let keys = (0..<Self.keysPerGet).map { "key:\($0 + 1000)" }.joined(separator: " ")
        let lines = [
            ("get", "get key:123456\r\n"), ("get of 50 keys", "get \(keys)\r\n"),
            ("mg v", "mg key:123456 v\r\n"),
            ("mg with arguments", "mg key:123456 v t f O12 N30\r\n"),
            ("set", "set key:123456 0 0 100\r\n"), ("ms", "ms key:123456 100 T60 F5\r\n"),
            ("delete", "delete key:123456\r\n"), ("incr", "incr key:123456 5\r\n"),
        ]
        for (name, line) in lines {
            let bytes = Array(line.utf8)
            var command = Command(verb: .get, lineCount: 0)
            var parsed = 0
            let start = nanoseconds()
            for _ in 0..<Self.rounds
            where parser.parse(bytes.span.bytes, from: 0, into: &command) == .complete {
                parsed += command.lineCount
            }
            report("parse \(name)", Self.rounds, start)
            precondition(parsed == bytes.count * Self.rounds, "\(name) was not parsed")
        }
    }

    /// A `get`, an `mg` and a `set` from line to reply, keys at random: mostly cache misses.
    func requests() {
        let memory = BenchMemory(limitBytes: items * 200 + (16 << 20), segmentBytes: 256 << 10)
        var shard = ShardInstance(store: memory.makeStore(), epoch: 0)
        var reply = ReplyBuffer(capacity: 64 << 10)
        let value = [UInt8](repeating: 0x76, count: 100)
        for number in 0..<items { run(&shard, "set", number, " 0 0 100\r\n", value, &reply) }
        for (verb, tail) in [("get", "\r\n"), ("mg", " v\r\n"), ("set", " 0 0 100\r\n")] {
            var random = SeededGenerator(seed: 1)
            let lines = (0..<Self.sampleLines).map { _ in
                Array("\(verb) \(Self.key(Int(random.next() % UInt64(items))))\(tail)".utf8)
            }
            let start = nanoseconds()
            for line in lines { execute(&shard, line, value, &reply) }
            report("\(verb), \(items) items", lines.count, start)
        }
    }

    private static let sampleLines = 500_000

    private static func key(_ number: Int) -> String { "key:\(100_000_000 + number)" }

    private func run(
        _ shard: inout ShardInstance, _ verb: String, _ number: Int, _ tail: String,
        _ value: [UInt8],
        _ reply: inout ReplyBuffer
    ) {
        execute(&shard, Array("\(verb) \(Self.key(number))\(tail)".utf8), value, &reply)
    }

    @inline(__always)
    private func execute(
        _ shard: inout ShardInstance, _ line: [UInt8], _ value: [UInt8], _ reply: inout ReplyBuffer
    ) {
        var command = Command(verb: .get, lineCount: 0)
        let bytes = line.span.bytes
        guard parser.parse(bytes, from: 0, into: &command) == .complete else {
            fatalError("a benchmark's line is wrong")
        }
        let key = bytes.extracting(command.key)
        let hash = KeyHash(of: key)
        if command.verb == .get {
            shard.retrieve(.get, key: key, hash: hash, exptime: 0, at: now, reply: &reply)
        } else {
            shard.execute(
                command, line: bytes, key: key, hash: hash, value: value.span.bytes, at: now,
                reply: &reply)
        }
        precondition(reply.count > 2, "no reply")
        reply.removeAll()
    }

    private func report(_ name: String, _ count: Int, _ start: Int64) {
        let each = Double(nanoseconds() - start) / Double(count)
        print("\(name): \((each * 10).rounded() / 10) ns")
    }
}
