// Limits, floods, large values and the end of items: what random operations meet too rarely.
import Primitives
import Synchronization
import Testing

@testable import Storage

/// A store with its pool, a clock and a version counter.
struct StoreBed: ~Copyable {
    let pool: TestPool
    var store: Store
    var clock = TestClock()
    var counter: UInt64 = 0

    init(
        limitBytes: Int, segmentBytes: Int = 32 << 10, shardCount: Int = 1,
        itemSizeLimit: Int = 1 << 20, evicts: Bool = true
    ) {
        pool = TestPool(
            limitBytes: limitBytes, segmentBytes: segmentBytes, shardCount: shardCount)
        store = pool.makeStore(itemSizeLimit: itemSizeLimit, evicts: evicts)
    }

    mutating func attributes(seconds: Int64 = 0) -> ItemAttributes {
        counter += 1
        var attributes = ItemAttributes(version: Version(epoch: 1, counter: counter))
        if seconds > 0 { attributes.expiry = Expiry(after: seconds, from: clock.now) }
        return attributes
    }

    /// Stores `count` bytes under a key; the error, if any.
    @discardableResult
    mutating func set(_ key: String, _ count: Int, seconds: Int64 = 0) -> StoreError? {
        let value = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
        let attributes = attributes(seconds: seconds)
        do {
            try store.set(Array(key.utf8), value, attributes, at: clock.now)
            return nil
        } catch {
            return error
        }
    }

    func count(_ key: String) -> Int? {
        guard let layout = store.peek(key, at: clock.now)?.layout else { return nil }
        let value = UnsafeRawBufferPointer(start: layout.valueStart, count: layout.valueCount)
        for position in [0, value.count / 2, value.count - 1] where position >= 0 {
            if value[position] != UInt8(truncatingIfNeeded: value.count) {
                Issue.record("a byte of \(key) is \(value[position])")
            }
        }
        return value.count
    }

    mutating func read(_ key: String) {
        guard let item = store.item(Array(key.utf8), at: clock.now) else { return }
        store.noteRead(item, at: clock.now)
    }
}

struct StoreTests {
    // MARK: Large values

    @Test("values up to 100 MB lie in runs of segments and give everything back")
    func largeValues() {
        var bed = StoreBed(limitBytes: 256 << 20, segmentBytes: 1 << 20, itemSizeLimit: 128 << 20)
        for count in [1 << 20, (1 << 20) - 20, 3 << 20, 50_000_000, 100 << 20] {
            let error = bed.set("large", count)
            #expect(error == nil)
            let found = bed.count("large")
            #expect(found == count)
        }
        bed.store.checkInvariants(pool: bed.pool)
        if let item = bed.store.item(Array("large".utf8), at: bed.clock.now) {
            bed.store.remove(item)
        }
        bed.store.checkInvariants(pool: bed.pool)
        #expect(bed.store.statistics.items == 0)
        #expect(bed.pool.usedSlots <= Store.spareLimit + 1)
    }

    @Test("a large value evicts what it needs, other large values included")
    func largeEviction() {
        var bed = StoreBed(limitBytes: 8 << 20, itemSizeLimit: 6 << 20)
        for number in 0..<40_000 { bed.set("small \(number)", 100) }
        for number in 0..<20 {
            let error = bed.set("large \(number)", 3_000_000)
            #expect(error == nil)
            for _ in 0..<20 { bed.read("large \(number)") }
            bed.set("small after \(number)", 100)
        }
        bed.store.checkInvariants(pool: bed.pool)
        let last = bed.count("large 19")
        #expect(last == 3_000_000)
        // All were read often: the older ones had to go nevertheless.
        let error = bed.set("larger", 5_000_000)
        #expect(error == nil)
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("a value larger than all memory is refused, and the store serves on")
    func largerThanMemory() {
        var bed = StoreBed(limitBytes: 4 << 20, itemSizeLimit: 100 << 20)
        for number in 0..<1000 { bed.set("small \(number)", 100) }
        let error = bed.set("large", 50 << 20)
        #expect(error == .outOfMemory)
        #expect(bed.store.statistics.outOfMemory == 1)
        bed.store.checkInvariants(pool: bed.pool)
        let again = bed.set("small", 100)
        #expect(again == nil)
        let found = bed.count("small")
        #expect(found == 100)
    }

    @Test("the item size limit counts key, value and header")
    func sizeLimit() {
        var bed = StoreBed(limitBytes: 8 << 20, itemSizeLimit: 100_000)
        let fits = bed.set("key1", 100_000 - 16 - 4 - 4)  // Longer than 65,535: four more bytes.
        #expect(fits == nil)
        let error = bed.set("key1", 100_000 - 16 - 4 - 4 + 1)
        #expect(error == .tooLarge(bytes: 100_004, limit: 100_000))
        let found = bed.count("key1")
        #expect(found == 100_000 - 24, "the old value stays")
        #expect(bed.store.statistics.outOfMemory == 0)
    }

    @Test("under pinned large values, smaller ones are evicted, and nothing else is touched")
    func pins() throws {
        var bed = StoreBed(limitBytes: 2 << 20)
        var pins: [PinnedValue] = []
        for number in 0..<40 {
            bed.set("pinned \(number)", 20_000)
            if let item = bed.store.item(Array("pinned \(number)".utf8), at: bed.clock.now) {
                pins.append(bed.store.pin(item))
            }
        }
        var refused = 0
        for number in 0..<60_000 where bed.set("small \(number)", 100) != nil { refused += 1 }
        #expect(refused == 0)
        for number in 0..<40 { bed.set("pinned \(number)", 20_000 - number) }
        for pin in pins {
            #expect(pin.bytes.allSatisfy { $0 == UInt8(truncatingIfNeeded: 20_000) })
        }
        bed.store.checkInvariants(pool: bed.pool)
        for pin in pins { bed.store.unpin(pin.token) }
        bed.store.checkInvariants(pool: bed.pool)
    }

    // MARK: Memory

    @Test(
        "without eviction a full store refuses, keeps what it has, and takes again after removals")
    func noEviction() {
        var bed = StoreBed(limitBytes: 1 << 20, evicts: false)
        var stored = 0
        while bed.set("key \(stored)", 100) == nil { stored += 1 }
        #expect(stored > 6000)
        #expect(bed.store.statistics.evictions == 0)
        for number in 0..<stored where bed.count("key \(number)") != 100 {
            Issue.record("key \(number) vanished")
        }
        for number in 0..<stored / 2 {
            if let item = bed.store.item(Array("key \(number)".utf8), at: bed.clock.now) {
                bed.store.remove(item)
            }
        }
        var again = 0
        while again < stored && bed.set("new \(again)", 100) == nil { again += 1 }
        #expect(again > stored * 4 / 10, "\(again) of \(stored / 2) fit again")
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("four shards share one mebibyte, and each keeps serving new items")
    func minimum() {
        let pool = TestPool(limitBytes: 1 << 20, segmentBytes: 32 << 10, shardCount: 4)
        let clock = TestClock()
        var counter: UInt64 = 0
        var first = pool.makeStore(shard: 0)
        for number in 0..<20_000 {
            counter += 1
            let key = Array("key \(number)".utf8)
            let attributes = ItemAttributes(version: Version(epoch: 1, counter: counter))
            do {
                try first.set(key, key, attributes, at: clock.now)
            } catch { Issue.record("\(error) in the first shard") }
        }
        for shard in 1..<4 {
            var store = pool.makeStore(shard: shard)
            for number in 0..<20_000 {
                counter += 1
                let key = Array("key \(number)".utf8)
                let attributes = ItemAttributes(version: Version(epoch: 1, counter: counter))
                do {
                    try store.set(key, key, attributes, at: clock.now)
                } catch { Issue.record("\(error) in shard \(shard)") }
                if store.value(key, at: clock.now) != key { Issue.record("a fresh key is gone") }
            }
            store.checkInvariants()
            #expect(store.statistics.slots >= 4)
        }
        // The first took all there was, and gives back what the others are sure of.
        while first.maintain(at: clock.now) {}
        #expect(!pool.pool.withLock { $0.isOvercommitted })
        #expect(pool.usedSlots <= 32)
        first.checkInvariants()
    }

    @Test("a store gives back what the pool has promised elsewhere, the least read first")
    func overcommitted() {
        var bed = StoreBed(limitBytes: 4 << 20)
        for number in 0..<20_000 {
            bed.set("key \(number)", 100)
            if number % 10 == 0 { bed.read("key \(number)") }
        }
        bed.pool.pool.withLock { $0.limitBytes = 2 << 20 }
        while bed.store.maintain(at: bed.clock.now) {}
        #expect(!bed.pool.pool.withLock { $0.isOvercommitted })
        bed.store.checkInvariants(pool: bed.pool)
        let hot = (0..<2000).count { bed.count("key \($0 * 10)") != nil }
        #expect(hot > 1900, "\(hot) of 2000 items that were read are left")
    }

    @Test("rewriting everything in other sizes leaves at most an eighth of dead bytes")
    func deadBytes() {
        var bed = StoreBed(limitBytes: 32 << 20)
        var random = SeededGenerator(seed: 5)
        for number in 0..<50_000 { bed.set("key \(number)", 100) }
        let slots = bed.store.statistics.slots
        for round in 1...3 {
            for _ in 0..<50_000 {
                bed.set("key \(random.next() % 50_000)", 100 + round * 4)
            }
            let statistics = bed.store.statistics
            let slack = 5 * (32 << 10)
            #expect(
                statistics.deadBytes <= (statistics.liveBytes + statistics.deadBytes) / 8 + slack)
        }
        #expect(bed.store.statistics.slots <= slots * 4 / 3)
        #expect(bed.store.statistics.evictions == 0)
        bed.store.checkInvariants(pool: bed.pool)
    }

    // MARK: Floods

    @Test("100,000 keys of one hash push out their own kind only, and stay cheap")
    func collisions() throws {
        var bed = StoreBed(limitBytes: 32 << 20)
        for number in 0..<5000 { bed.set("key \(number)", 10) }
        let flood = KeyHash(value: 0xDEAD_BEEF)
        for number in 0..<100_000 {
            let key = Array("flood \(number)".utf8)
            let attributes = bed.attributes()
            try bed.store.put(
                key.span.bytes, hash: flood, value: key.span.bytes, attributes: attributes,
                at: bed.clock.now)
        }
        for number in 0..<5000 where bed.count("key \(number)") != 10 {
            Issue.record("key \(number) was pushed out by the flood")
        }
        let statistics = bed.store.statistics
        #expect(statistics.items - 5000 <= 43 && statistics.items > 5030)
        #expect(statistics.chainEvictions >= 99_950)
        let last = Array("flood 99999".utf8)
        #expect(bed.store.find(last.span.bytes, hash: flood, at: bed.clock.now) != nil)
    }

    // MARK: Ends

    @Test("ended items' memory comes back untouched, a bounded piece at a time")
    func endedSegments() {
        var bed = StoreBed(limitBytes: 8 << 20)
        for number in 0..<20_000 { bed.set("key \(number)", 100, seconds: 10) }
        for number in 0..<2000 { bed.set("stays \(number)", 100) }
        let full = bed.store.statistics
        bed.clock.advance(seconds: 9)
        var calls = 0
        while bed.store.maintain(at: bed.clock.now) { calls += 1 }
        #expect(calls == 0, "nothing has ended")
        bed.clock.advance(seconds: 2)
        var most = 0
        while true {
            let before = bed.store.statistics.items
            let isMore = bed.store.maintain(at: bed.clock.now)
            most = max(most, before - bed.store.statistics.items)
            if !isMore { break }
            calls += 1
        }
        let left = bed.store.statistics
        #expect(left.items == 2000)
        #expect(left.slots < full.slots / 4)
        #expect(most <= (32 << 10) / ItemLayout.smallestBytes, "one segment a call")
        #expect(calls >= full.slots * 3 / 4)
        #expect(left.reclaimed == 20_000 && left.expiredUnfetched == 20_000)
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("an item touched to live longer does not keep the segments behind it")
    func outOfTurn() throws {
        var bed = StoreBed(limitBytes: 8 << 20)
        for number in 0..<20_000 { bed.set("key \(number)", 100, seconds: 10) }
        let name = Array("key 0".utf8)
        guard let item = bed.store.item(name, at: bed.clock.now) else {
            Issue.record("key 0 is gone")
            return
        }
        let attributes = bed.attributes(seconds: 100_000)
        try bed.store.setAttributes(
            item, name.span.bytes, hash: KeyHash(of: name.span.bytes), to: attributes,
            at: bed.clock.now)
        bed.clock.advance(seconds: 11)
        for _ in 0..<1000 { _ = bed.store.maintain(at: bed.clock.now) }
        #expect(bed.store.statistics.slots <= Store.spareLimit + 2)
        let left = bed.count("key 0")
        #expect(left == 100)
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("flushed segments come back as ended ones do")
    func flush() {
        var bed = StoreBed(limitBytes: 8 << 20)
        for number in 0..<20_000 { bed.set("key \(number)", 100) }
        bed.store.minVersion = bed.attributes().version
        #expect(bed.count("key 19999") == nil)
        let name = Array("key 19999".utf8)
        let absence = bed.store.absence(
            of: name.span.bytes, hash: KeyHash(of: name.span.bytes), at: bed.clock.now)
        #expect(absence == .flushed)
        while bed.store.maintain(at: bed.clock.now) {}
        #expect(bed.store.statistics.items == 0)
        #expect(bed.store.statistics.evictions == 0)
        bed.set("new", 10)
        let found = bed.count("new")
        #expect(found == 10)
    }

    @Test("with more classes of time to live than open segments, all items are served to their end")
    func manyClasses() {
        var bed = StoreBed(limitBytes: 8 << 20)
        let times: [Int64] = (0..<28).map { 1 << $0 }
        for turn in 0..<50 {
            for seconds in times { bed.set("ends \(seconds) \(turn)", 100, seconds: seconds) }
            bed.set("stays \(turn)", 100)
        }
        bed.clock.advance(seconds: 100)
        for _ in 0..<100 { _ = bed.store.maintain(at: bed.clock.now) }
        for turn in 0..<50 {
            for seconds in times {
                let isThere = bed.count("ends \(seconds) \(turn)") != nil
                if isThere != (seconds > 100) { Issue.record("\(seconds) s") }
            }
            if bed.count("stays \(turn)") == nil { Issue.record("an item without end is gone") }
        }
        bed.store.checkInvariants(pool: bed.pool)
    }

    // MARK: Watching

    @Test("evictions are recorded while somebody watches, up to a limit")
    func evictionLog() {
        var bed = StoreBed(limitBytes: 1 << 20)
        bed.store.recordsEvictions = true
        for number in 0..<30_000 {
            bed.set("key \(number)", 100, seconds: number == 0 ? 500 : 0)
        }
        let first = bed.store.takeEvictions()
        #expect(first.records.count == EvictionLog.limit)
        #expect(first.records.count + first.skipped == Int(bed.store.statistics.evictions))
        #expect(first.records[0].bytes >= 120 && !first.records[0].wasFetched)
        #expect(first.records.allSatisfy { $0.key.starts(with: "key ".utf8) })
        let second = bed.store.takeEvictions()
        #expect(second.records.isEmpty && second.skipped == 0)
        bed.store.recordsEvictions = false
        for number in 0..<10_000 { bed.set("other \(number)", 100) }
        #expect(bed.store.takeEvictions().records.isEmpty)
    }

    @Test("items that are read stay longer than items that are not")
    func evictionByReads() {
        var bed = StoreBed(limitBytes: 2 << 20)
        for round in 0..<20 {
            for number in 0..<2000 {
                bed.read("hot \(number)")
                if bed.count("hot \(number)") == nil { bed.set("hot \(number)", 100) }
            }
            for number in 0..<3000 { bed.set("cold \(round) \(number)", 100) }
        }
        let hot = (0..<2000).count { bed.count("hot \($0)") != nil }
        #expect(hot > 1900, "\(hot) of 2000 are left")
        bed.store.checkInvariants(pool: bed.pool)
    }
}
