// What finding hot keys costs: the request path from line to reply, with a detector and without, in
// turn.
import DataPlane
import Glibc
import HotKeys
import MemcacheProtocol
import Primitives
import Storage

struct HotKeyBenchmark {
    let items: Int
    private let parser = RequestParser()
    /// Requests of one measured stretch; with and without the detector by turns.
    private static let stretch = 100_000
    private static let rounds = 100
    /// Sub-windows before anything is measured.
    private static let reportsBefore = 3
    private static let depth = 16
    private static let keysPerGet = 50

    init(items: Int) {
        self.items = items
    }

    /// Pipelines of 16 and gets of 50 keys, uniform and Zipf 1.2.
    func run() {
        let memory = BenchMemory(limitBytes: items * 200 + (16 << 20), segmentBytes: 256 << 10)
        var shard = ShardInstance(store: memory.makeStore(), epoch: 0)
        store(&shard)
        for exponent in [0, 1.2] {
            let ranks = Self.ranks(items, exponent)
            let name = exponent == 0 ? "uniform" : "Zipf \(exponent)"
            measure("depth 16, \(name)", &shard, Self.lines(ranks, keys: 1, Self.depth))
            measure("get of 50, \(name)", &shard, Self.lines(ranks, keys: Self.keysPerGet, 1))
        }
    }

    private func store(_ shard: inout ShardInstance) {
        var reply = ReplyBuffer(capacity: 64)
        let value = [UInt8](repeating: 0x76, count: 100)
        for number in 0..<items {
            let line = Array("set \(Self.key(number)) 0 0 100\r\n".utf8)
            var command = Command(verb: .get, lineCount: 0)
            guard parser.parse(line.span.bytes, from: 0, into: &command) == .complete else {
                fatalError("a benchmark's line is wrong")
            }
            let key = line.span.bytes.extracting(command.key)
            shard.execute(
                command, line: line.span.bytes, key: key, hash: KeyHash(of: key),
                value: value.span.bytes, at: Self.now, reply: &reply)
            reply.removeAll()
        }
    }

    private static let now = ClockReading(
        instant: Instant(nanoseconds: 5_000_000_000), unixSeconds: 1_700_000_000)

    private static func key(_ number: Int) -> String { "key:\(100_000_000 + number)" }

    /// Key numbers as the load draws them.
    private static func ranks(_ items: Int, _ exponent: Double) -> [Int] {
        var random = SeededGenerator(seed: 7)
        guard exponent > 0 else {
            return (0..<stretch).map { _ in Int(random.next() % UInt64(items)) }
        }
        var sum = 0.0
        let cumulative = (1...items).map { rank in
            sum += pow(Double(rank), -exponent)
            return sum
        }
        return (0..<stretch).map { _ in
            let point = Double(random.next() >> 11) * 0x1p-53 * sum
            var (low, high) = (0, items - 1)
            while low < high {
                let middle = (low + high) / 2
                if cumulative[middle] < point { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// What is received at once: `depth` lines of `keys` keys each.
    private static func lines(_ ranks: [Int], keys: Int, _ depth: Int) -> [[UInt8]] {
        stride(from: 0, to: ranks.count - keys * depth + 1, by: keys * depth).map { start in
            (0..<depth).flatMap { line in
                let first = start + line * keys
                let names = ranks[first..<first + keys].map(key).joined(separator: " ")
                return Array("get \(names)\r\n".utf8)
            }
        }
    }

    private func measure(_ name: String, _ shard: inout ShardInstance, _ received: [[UInt8]]) {
        let began = Instant(nanoseconds: nanoseconds() / 2)
        var detector = HotKeyDetector(secret: 11, seed: 3, at: began)
        var (with, without) = ([Double](), [Double]())
        var end = nanoseconds() + HotKeyDetector.subWindowNanoseconds
        var (period, reports, round) = (1.0, 0, 0)
        while round < Self.rounds {
            let plain = pass(&shard, received, &detector, isOn: false)
            let detecting = pass(&shard, received, &detector, isOn: true)
            // The first reports bring caches and sampling to where they stay.
            if reports >= Self.reportsBefore {
                without.append(plain)
                with.append(detecting)
                round += 1
            }
            if nanoseconds() >= end {
                // Half of the time went into passes without the detector: its clock runs half as
                // fast, so that it sees the rate of a loop that does nothing else.
                let report = detector.endSubWindow(at: Instant(nanoseconds: end / 2))
                period = report.samplingPeriod
                reports += 1
                end += HotKeyDetector.subWindowNanoseconds
            }
        }
        let ratios = zip(with, without).map { $0 / $1 }.sorted()
        let median = ratios[ratios.count / 2]
        let off = without.sorted()[without.count / 2]
        print(
            "\(name): \((off * 10).rounded() / 10) ns a key without,"
                + " \(((median - 1) * 1000).rounded() / 10) % more with (1 in \(period) sampled)")
    }

    /// Executes everything once; gives nanoseconds a key.
    @inline(never)
    private func pass(
        _ shard: inout ShardInstance, _ received: [[UInt8]], _ detector: inout HotKeyDetector,
        isOn: Bool
    ) -> Double {
        var reply = ReplyBuffer(capacity: 64 << 10)
        var count = 0
        let start = threadNanoseconds()
        for bytes in received {
            count += execute(bytes.span.bytes, &shard, &detector, isOn: isOn, &reply)
            reply.removeAll()
        }
        return Double(threadNanoseconds() - start) / Double(count)
    }

    @inline(__always)
    private func execute(
        _ bytes: RawSpan, _ shard: inout ShardInstance, _ detector: inout HotKeyDetector,
        isOn: Bool, _ reply: inout ReplyBuffer
    ) -> Int {
        var command = Command(verb: .get, lineCount: 0)
        var (offset, count) = (0, 0)
        while offset < bytes.byteCount,
            parser.parse(bytes, from: offset, into: &command) == .complete
        {
            offset += command.lineCount
            var keys = MemcacheProtocol.KeyList(command)
            while let range = keys.next(in: bytes) {
                let key = bytes.extracting(range)
                let hash = KeyHash(of: key)
                let isSample = isOn && detector.countDown()
                let before = reply.count
                shard.retrieve(.get, key: key, hash: hash, exptime: 0, at: Self.now, reply: &reply)
                if isSample {
                    let replied = reply.count - before
                    detector.record(
                        KeySample(
                            hash: hash.value, isWrite: false, isHit: replied > 0,
                            byteCount: replied, client: 1), key: key)
                }
                count += 1
            }
        }
        return count
    }
}
