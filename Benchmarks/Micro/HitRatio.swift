// Hit ratios of the store against an exact LRU and S3-FIFO of the same memory, on made-up traces.
import Glibc
import Primitives
import Storage

/// Keys in the order they are asked for.
struct Workload {
    let name: String
    let population: Int
    let exponent: Double
    /// Share of requests that walk over other keys.
    var scanShare = 0.0
    /// Keys of that walk before it begins again; 0 for never.
    var scanCycle = 0
    /// Whether values have sizes between 20 B and 4 KB instead of 100 B.
    var isMixed = false
    /// Requests after which another tenth of the keys changes its popularity; 0 for never.
    var shiftEvery = 0

    func valueCount(_ key: Int) -> Int {
        guard isMixed else { return 100 }
        var random = SeededGenerator(seed: UInt64(key))
        let word = random.next()
        let scale = 20 << Int(word % 8)
        return scale + Int((word >> 8) % UInt64(scale))
    }
}

/// Draws keys of a workload.
struct KeyStream {
    private let workload: Workload
    private var random = SeededGenerator(seed: 11)
    private var alias: [Int32]
    private var threshold: [UInt32]
    private var keyOfRank: [Int32]
    private var scanned = 0
    private var drawn = 0

    init(_ workload: Workload) {
        self.workload = workload
        let count = workload.population
        var weights = (1...count).map { rank in 1 / power(Double(rank), workload.exponent) }
        let total = weights.reduce(0, +)
        for rank in 0..<count { weights[rank] *= Double(count) / total }
        alias = Array(repeating: 0, count: count)
        threshold = Array(repeating: UInt32.max, count: count)
        var small: [Int] = []
        var large: [Int] = []
        for rank in 0..<count {
            if weights[rank] < 1 { small.append(rank) } else { large.append(rank) }
        }
        while let low = small.popLast(), let high = large.last {
            threshold[low] = UInt32(weights[low] * 4_294_967_295)
            alias[low] = Int32(high)
            weights[high] -= 1 - weights[low]
            if weights[high] < 1 {
                large.removeLast()
                small.append(high)
            }
        }
        keyOfRank = (0..<Int32(count)).map { $0 }
        keyOfRank.shuffle(using: &random)
    }

    mutating func next() -> Int {
        drawn += 1
        if workload.shiftEvery > 0 && drawn % workload.shiftEvery == 0 { shift() }
        let word = random.next()
        if workload.scanShare > 0
            && Double(random.next() >> 32) < workload.scanShare * 4_294_967_296
        {
            scanned += 1
            if workload.scanCycle > 0 { scanned %= workload.scanCycle }
            return workload.population + scanned
        }
        let column = (Int(word >> 32) * workload.population) >> 32
        let isOwn = UInt32(truncatingIfNeeded: word) <= threshold[column]
        return Int(keyOfRank[isOwn ? column : Int(alias[column])])
    }

    /// A tenth of the most popular hundred, thousand and so on changes places with random keys.
    private mutating func shift() {
        for _ in 0..<workload.population / 10 {
            let rank = Int(random.next() % UInt64(workload.population))
            let other = Int(random.next() % UInt64(workload.population))
            keyOfRank.swapAt(rank, other)
        }
        var size = 100
        while size < workload.population {
            for _ in 0..<size / 10 {
                let rank = Int(random.next() % UInt64(size))
                let other = Int(random.next() % UInt64(workload.population))
                keyOfRank.swapAt(rank, other)
            }
            size *= 10
        }
    }
}

/// `base` to the power of `exponent`.
func power(_ base: Double, _ exponent: Double) -> Double {
    exp(exponent * log(base))
}

enum HitRatio {
    static let limitBytes = 16 << 20

    static var workloads: [Workload] {
        let fits = limitBytes / 142
        let few = limitBytes / 700
        return [
            Workload(name: "zipf 0.9", population: fits * 10, exponent: 0.9),
            Workload(name: "zipf 1.1", population: fits * 10, exponent: 1.1),
            Workload(
                name: "zipf 0.99 + scan 15 %", population: fits * 10, exponent: 0.99,
                scanShare: 0.15),
            Workload(
                name: "zipf 0.99 + loop 20 %", population: fits * 10, exponent: 0.99,
                scanShare: 0.2, scanCycle: fits * 2),
            Workload(name: "zipf 0.9, half fits", population: fits * 2, exponent: 0.9),
            Workload(name: "zipf 0.9 mixed", population: few * 10, exponent: 0.9, isMixed: true),
            Workload(name: "zipf 1.1 mixed", population: few * 10, exponent: 1.1, isMixed: true),
            Workload(
                name: "zipf 0.99 + scan mixed", population: few * 10, exponent: 0.99,
                scanShare: 0.15, isMixed: true),
            Workload(
                name: "zipf 0.9 shifting", population: fits * 10, exponent: 0.9,
                shiftEvery: 300_000),
            Workload(
                name: "zipf 1.1 shifting", population: fits * 10, exponent: 1.1,
                shiftEvery: 300_000),
        ]
    }

    static func run(filter: String) {
        print("workload: kiln | LRU, S3-FIFO of the same items | LRU of memcached's items | copied")
        for workload in workloads where filter.isEmpty || workload.name.contains(filter) {
            compare(workload)
        }
    }

    private static func compare(_ workload: Workload) {
        let requests = 6_000_000
        let keys =
            workload.population
            + max(workload.scanCycle, Int(Double(requests) * workload.scanShare * 1.01)) + 2
        let sizes = (0..<keys).map { Int32((26 + workload.valueCount($0) + 3) & ~3) }
        var stream = KeyStream(workload)
        let trace = (0..<requests).map { _ in Int32(stream.next()) }
        let half = requests / 2
        var lru = ExactLRU(limit: limitBytes, keys: keys)
        var heavy = ExactLRU(limit: limitBytes, keys: keys)
        var fifo = S3FIFO(limit: limitBytes, keys: keys)
        var hits = (0, 0, 0)
        for (number, key) in trace.enumerated() {
            let bytes = Int(sizes[Int(key)])
            let counts = number >= half
            if lru.access(Int(key), bytes + 14) && counts { hits.0 += 1 }
            if heavy.access(Int(key), bytes + 69) && counts { hits.1 += 1 }
            if fifo.access(Int(key), bytes + 14) && counts { hits.2 += 1 }
        }
        let kiln = simulate(trace, sizes, from: half)
        func percent(_ hits: Int) -> Double { Double(hits * 10_000 / half) / 100 }
        print(
            "\(workload.name): \(percent(kiln.hits)) | \(percent(hits.0)), \(percent(hits.2)) |"
                + " \(percent(hits.1)) | \(kiln.copied) %, longest \(kiln.longest) us, items"
                + " \(kiln.items)")
    }

    private static func simulate(_ trace: [Int32], _ sizes: [Int32], from half: Int)
        -> (hits: Int, copied: Int, longest: Int64, items: Int)
    {
        let memory = BenchMemory(limitBytes: limitBytes, segmentBytes: limitBytes / 64)
        var store = memory.makeStore()
        let value = [UInt8](repeating: 0x76, count: 8192)
        var hits = 0
        var putBytes = 0
        var longest: Int64 = 0
        var copiedBefore: UInt64 = 0
        for (number, key) in trace.enumerated() {
            let now = Instant(nanoseconds: Int64(number) * 10_000)
            let name = BenchKey(Int(key))
            let span = name.span
            let hash = KeyHash(of: span)
            if number == half {
                putBytes = 0
                copiedBefore = UInt64(store.statistics.copiedBytes)
            }
            if let item = store.find(span, hash: hash, at: now) {
                store.noteRead(item, at: now)
                if number >= half { hits += 1 }
                continue
            }
            let bytes = Int(sizes[Int(key)])
            putBytes += bytes
            let before = threadNanoseconds()
            do {
                try store.put(
                    span, hash: hash, value: value.span.extracting(0..<bytes - 26).bytes,
                    attributes: ItemAttributes(version: Version(value: UInt64(number) + 1)), at: now
                )
            } catch { fatalError("\(error)") }
            longest = max(longest, threadNanoseconds() - before)
        }
        let copied = Int(UInt64(store.statistics.copiedBytes) - copiedBefore)
        return (hits, copied * 100 / max(1, putBytes), longest / 1000, store.statistics.items)
    }
}
