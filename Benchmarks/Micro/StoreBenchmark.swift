// Nanoseconds per operation on items of a 10-byte key and a 100-byte value.
import Primitives
import Storage

struct StoreBenchmark {
    let items: Int
    private let now = Instant(nanoseconds: 5_000_000_000)
    private let value = [UInt8](repeating: 0x76, count: 100)

    init(items: Int) {
        self.items = items
    }

    private func memoryFor(_ bytes: Int) -> BenchMemory {
        BenchMemory(limitBytes: bytes, segmentBytes: 256 << 10)
    }

    private func fill(_ store: inout Store, from first: Int = 0) {
        for number in 0..<items { set(&store, first + number, value.span.bytes) }
    }

    @inline(__always)
    private func set(_ store: inout Store, _ number: Int, _ value: RawSpan) {
        let key = BenchKey(number)
        let span = key.span
        do {
            let attributes = ItemAttributes(version: Version(value: UInt64(number) + 1))
            try store.put(
                span, hash: KeyHash(of: span), value: value, attributes: attributes, at: now)
        } catch {
            fatalError("\(error)")
        }
    }

    private func report(_ name: String, _ count: Int, _ start: Int64) {
        let each = Double(nanoseconds() - start) / Double(count)
        print("\(name): \((each * 10).rounded() / 10) ns")
    }

    /// Random look-ups over all items: mostly cache misses.
    func find() {
        let memory = memoryFor(items * 200 + (16 << 20))
        var store = memory.makeStore()
        fill(&store)
        var random = SeededGenerator(seed: 1)
        let count = 4_000_000
        let start = nanoseconds()
        var found = 0
        for _ in 0..<count {
            let key = BenchKey(Int(random.next() % UInt64(items)))
            let span = key.span
            if let item = store.find(span, hash: KeyHash(of: span), at: now) {
                store.noteRead(item, at: now)
                found += 1
            }
        }
        report("find + noteRead, \(items) items, \(found) found", count, start)
    }

    /// Look-ups of 100 items that stay in the processor's cache, hashed beforehand.
    func findHot() {
        let memory = memoryFor(items * 200 + (16 << 20))
        var store = memory.makeStore()
        fill(&store)
        let keys = (0..<100).map { BenchKey($0) }
        let hashes = keys.map { KeyHash(of: $0.span) }
        let count = items * 20
        var start = nanoseconds()
        var found = 0
        for turn in 0..<count / 100 {
            _ = turn
            for position in 0..<100 {
                let item = store.find(keys[position].span, hash: hashes[position], at: now)
                if item != nil { found += 1 }
            }
        }
        report("find, hot, \(found) found", count, start)
        start = nanoseconds()
        for _ in 0..<count / 100 {
            for position in 0..<100 {
                let item = store.find(keys[position].span, hash: hashes[position], at: now)
                if let item { store.noteRead(item, at: now) }
            }
        }
        report("find + noteRead, hot", count, start)
    }

    /// New items into an empty store.
    func put() {
        let memory = memoryFor(items * 200 + (16 << 20))
        var store = memory.makeStore()
        let start = nanoseconds()
        fill(&store)
        report("put new", items, start)
    }

    /// The same values again, in order, then at random, then with another size.
    func overwrite() {
        let memory = memoryFor(items * 200 + (16 << 20))
        var store = memory.makeStore()
        fill(&store)
        var start = nanoseconds()
        fill(&store)
        report("put in place, in order", items, start)
        start = nanoseconds()
        for _ in 0..<200 { for number in 0..<10_000 { set(&store, number, value.span.bytes) } }
        report("put in place, 10,000 hot items", 2_000_000, start)
        let shorter = value.span.extracting(0..<80)
        start = nanoseconds()
        for number in 0..<items { set(&store, number, shorter.bytes) }
        report("put of another size", items, start)
    }

    /// New items into a full store; also the longest single put.
    func evict() {
        for segmentKiB in [64, 256, 1024] {
            let memory = BenchMemory(limitBytes: items * 142, segmentBytes: segmentKiB << 10)
            var store = memory.makeStore()
            fill(&store)
            var random = SeededGenerator(seed: 3)
            var pauses: [Int64] = []
            let start = nanoseconds()
            for number in 0..<items {
                let key = BenchKey(Int(random.next() % UInt64(items)))
                let span = key.span
                if let item = store.find(span, hash: KeyHash(of: span), at: now) {
                    store.noteRead(item, at: now)
                }
                let before = threadNanoseconds()
                set(&store, items + number, value.span.bytes)
                let spent = threadNanoseconds() - before
                if spent > 20_000 { pauses.append(spent / 1000) }
            }
            report("find, then put with eviction, segments of \(segmentKiB) KiB", items, start)
            pauses.sort()
            let (middle, late) = (pauses[pauses.count / 2], pauses[pauses.count * 99 / 100])
            print(
                "\(pauses.count) puts above 20 us: median \(middle), 99 % \(late), longest"
                    + " \(pauses.last ?? 0) us")
            let statistics = store.statistics
            print("copied \(Int(statistics.copiedBytes) * 100 / (items * 128)) % of bytes put")
        }
    }

    /// Bytes per item, fresh and after every value has changed its size twice.
    func memory() {
        let memory = memoryFor(items * 300 + (16 << 20))
        var store = memory.makeStore()
        fill(&store)
        report("fresh", store)
        for count in [90, 100] {
            let other = value.span.extracting(0..<count)
            var random = SeededGenerator(seed: 9)
            for _ in 0..<items * 3 {
                set(&store, Int(random.next() % UInt64(items)), other.bytes)
            }
            report("rewritten at random with \(count) bytes", store)
        }
    }

    private func report(_ name: String, _ store: borrowing Store) {
        let statistics = store.statistics
        let bytes = statistics.slots * (256 << 10) + statistics.indexBytes
        let each = Double(bytes) / Double(statistics.items)
        print(
            "\(name): \((each * 10).rounded() / 10) B per item, index"
                + " \(Double(statistics.indexBytes * 10 / statistics.items) / 10) B, dead"
                + " \(statistics.deadBytes * 100 / (statistics.liveBytes + statistics.deadBytes)) %"
                + ", \(statistics.compactions) compactions")
    }
}
