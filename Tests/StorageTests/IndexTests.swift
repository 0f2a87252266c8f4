// Linear hashing: growth, chains, floods and ghosts, on made-up hashes.
import Primitives
import Testing

@testable import Storage

/// An index whose items are numbers: item `n` lies at slot `n / 1000 + 1`, offset `n % 1000 * 4`.
final class IndexBed {
    var index: Index
    var time: UInt64 = 0
    var memory: UInt64 = 100

    init(buckets: Int = 1 << 20, overflow: Int = 1 << 18) {
        let memory = StoreMemory(
            segments: 0, infos: 0, index: TestPool.zeroed(buckets * 64), indexBytes: buckets * 64,
            overflow: TestPool.zeroed(overflow * 64), overflowBytes: overflow * 64,
            geometry: TestPool.zeroed(4096))
        index = Index(memory: memory.indexMemory)
    }

    static func hash(_ number: Int) -> UInt64 {
        var random = SeededGenerator(seed: UInt64(number))
        return random.next()
    }

    static func position(_ number: Int) -> ItemPosition {
        ItemPosition(slot: UInt32(number / 1000 + 1), offset: number % 1000 * 4)
    }

    static func number(_ position: ItemPosition) -> Int {
        (Int(position.slot) - 1) * 1000 + position.offset / 4
    }

    func insert(_ number: Int) -> Bool {
        let hash = Self.hash(number)
        return index.insert(hash, Self.position(number), at: time, memory: memory) != nil
    }

    func grow() {
        while index.wantsToGrow { index.grow { Self.hash(Self.number($0)) } }
    }

    func finds(_ number: Int) -> Bool {
        index.find(Self.hash(number), at: Self.position(number)) != nil
    }
}

struct IndexTests {
    @Test("every item is found after every split, up to 100,000 items")
    func growth() {
        let bed = IndexBed()
        var next = 1
        for number in 0..<100_000 {
            #expect(bed.insert(number))
            bed.grow()
            if number == next {
                for other in 0...number where !bed.finds(other) {
                    Issue.record("item \(other) is lost at \(number) items")
                }
                next = next * 3 / 2 + 1
            }
        }
        #expect(bed.index.itemCount == 100_000)
        #expect(!bed.finds(100_001))
        let perItem = Double(bed.index.bytes) / 100_000
        #expect(perItem < 14.5, "\(perItem) bytes of index per item")
        var walked = 0
        for bucket in 0..<bed.index.bucketCount {
            bed.index.forEach(bucket: bucket) { _ in walked += 1 }
        }
        #expect(walked == 100_000)
    }

    @Test("a million items from 64 buckets on")
    func million() {
        let bed = IndexBed()
        for number in 0..<1_000_000 {
            if !bed.insert(number) { Issue.record("no room for \(number)") }
            bed.grow()
        }
        for number in 0..<1_000_000 where !bed.finds(number) {
            Issue.record("item \(number) is lost")
        }
        #expect(bed.index.itemCount == 1_000_000)
    }

    @Test("an index that may not grow refuses items once its chains are full, and finds the others")
    func bounded() {
        let bed = IndexBed(buckets: 64, overflow: 1 << 10)
        var stored: [Int] = []
        for number in 0..<5000 {
            if bed.insert(number) { stored.append(number) }
            bed.grow()
        }
        #expect(bed.index.bucketCount == 64)
        #expect(stored.count > 64 * 30 && stored.count <= 64 * 43)
        #expect(stored.allSatisfy { bed.finds($0) })
    }

    @Test("without overflow buckets a chain has eight items")
    func noOverflow() {
        let bed = IndexBed(buckets: 64, overflow: 1)
        let stored = (0..<5000).filter { bed.insert($0) }
        #expect(stored.count <= 64 * 8 && stored.count > 64 * 7)
        #expect(stored.allSatisfy { bed.finds($0) })
    }

    @Test("overflow buckets are used again after splits")
    func overflowReuse() {
        let bed = IndexBed()
        for number in 0..<300_000 {
            #expect(bed.insert(number))
            bed.grow()
        }
        let overflow = bed.index.bytes / 64 - bed.index.bucketCount
        #expect(overflow < bed.index.bucketCount / 4, "\(overflow) overflow buckets")
    }

    @Test("removed words are used again and leave nothing behind")
    func removal() {
        let bed = IndexBed()
        for number in 0..<20_000 {
            #expect(bed.insert(number))
            bed.grow()
        }
        for number in stride(from: 0, to: 20_000, by: 2) {
            guard let word = bed.index.find(IndexBed.hash(number), at: IndexBed.position(number))
            else {
                Issue.record("item \(number) is lost")
                continue
            }
            bed.index.remove(word)
        }
        #expect(bed.index.itemCount == 10_000)
        for number in 0..<20_000 { #expect(bed.finds(number) == (number % 2 == 1)) }
        let bytes = bed.index.bytes
        for number in stride(from: 0, to: 20_000, by: 2) { #expect(bed.insert(number)) }
        #expect(bed.index.bytes <= bytes + 64 * 64)
    }

    @Test(
        "an evicted key's ghost gives it a first read when it comes back in time",
        arguments: [5, 100, 101])
    func ghosts(age: UInt64) {
        let bed = IndexBed()
        bed.time = (1 << 20) - 3  // The time wraps on the way.
        #expect(bed.insert(7))
        let word = bed.index.find(IndexBed.hash(7), at: IndexBed.position(7))
        guard let word else {
            Issue.record("item 7 is lost")
            return
        }
        bed.index.bury(word, at: bed.time)
        #expect(bed.index.itemCount == 0)
        #expect(!bed.finds(7))
        #expect(bed.index.find(IndexBed.hash(7), where: { _ in true }) == nil)
        bed.time += age
        let fresh = bed.index.insert(
            IndexBed.hash(7), IndexBed.position(8), at: bed.time, memory: bed.memory)
        #expect(fresh == word, "the ghost's word is used")
        #expect(fresh.map { Index.frequency($0) } == (age <= 100 ? 1 : 0))
    }

    @Test("ghosts never cost an item its place, and the oldest goes first")
    func crowdedGhosts() {
        let bed = IndexBed()
        // Eight keys of one bucket with tags of their own.
        let hashes = (1...12).map { UInt64($0) << 52 | 5 }
        for (number, hash) in hashes.prefix(8).enumerated() {
            let word = bed.index.insert(hash, IndexBed.position(number), at: 0, memory: 9)
            if let word, number < 3 { bed.index.bury(word, at: UInt64(10 + number)) }
        }
        #expect(bed.index.bytes == (64 + 1) * 64)
        for number in 8..<11 {
            _ = bed.index.insert(hashes[number], IndexBed.position(number), at: 20, memory: 9)
        }
        #expect(bed.index.bytes == (64 + 1) * 64, "no overflow bucket while there are ghosts")
        #expect(bed.index.itemCount == 8)
        _ = bed.index.insert(hashes[11], IndexBed.position(11), at: 20, memory: 9)
        #expect(bed.index.bytes == (64 + 2) * 64)
        for number in 3..<12 {
            #expect(bed.index.find(hashes[number], at: IndexBed.position(number)) != nil)
        }
    }
}
