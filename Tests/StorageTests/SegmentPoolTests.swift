// Who gets how many slots, where runs go, and what must be given back to the system.
import Storage
import Testing

/// A pool whose calls may stand inside an expectation.
final class PoolBox {
    var pool: SegmentPool

    init(_ pool: SegmentPool) { self.pool = pool }

    func acquire(_ count: Int, shard: Int) -> UInt32? { pool.acquire(count, shard: shard) }
    func release(_ first: UInt32, count: Int, shard: Int) {
        pool.release(first, count: count, shard: shard)
    }
    func charge(_ bytes: Int) { pool.charge(bytes) }
    func takeDropped() -> [Range<Int>] { pool.takeDropped() }
    var usedSlots: Int { pool.usedSlots }
    var hasDropped: Bool { pool.hasDropped }
    var isOvercommitted: Bool { pool.isOvercommitted }
}

struct SegmentPoolTests {
    static let segmentBytes = 32 << 10

    func pool(limit: Int, slots: Int = 200, shards: Int = 1) -> PoolBox {
        PoolBox(
            SegmentPool(
                limitBytes: limit * Self.segmentBytes, segmentBytes: Self.segmentBytes,
                slotCount: slots, shardCount: shards))
    }

    @Test("slots are handed out up to the limit, from 1, lowest first")
    func limit() {
        let pool = pool(limit: 10)
        for slot in 1...10 { #expect(pool.acquire(1, shard: 0) == UInt32(slot)) }
        #expect(pool.acquire(1, shard: 0) == nil)
        pool.release(3, count: 1, shard: 0)
        #expect(pool.acquire(1, shard: 0) == 3)
        #expect(pool.usedSlots == 10)
    }

    @Test("the range ends where it ends, whatever the limit says")
    func range() {
        let pool = pool(limit: 1000, slots: 70)
        for slot in 1...70 { #expect(pool.acquire(1, shard: 0) == UInt32(slot)) }
        #expect(pool.acquire(1, shard: 0) == nil)
        pool.release(69, count: 2, shard: 0)
        #expect(pool.acquire(3, shard: 0) == nil)
        #expect(pool.acquire(2, shard: 0) == 69)
    }

    @Test("a run takes the first gap that is long enough, across words of the map")
    func runs() {
        let pool = pool(limit: 150)
        for _ in 0..<100 { _ = pool.acquire(1, shard: 0) }
        for slot in [10, 11, 30, 31, 32, 62, 63, 64, 65] {
            pool.release(UInt32(slot), count: 1, shard: 0)
        }
        #expect(pool.acquire(4, shard: 0) == 62)
        #expect(pool.acquire(3, shard: 0) == 30)
        #expect(pool.acquire(3, shard: 0) == 101)
        #expect(pool.acquire(2, shard: 0) == 10)
        #expect(pool.acquire(60, shard: 0) == nil)  // Above the limit.
    }

    @Test("a shard is sure of its floor, even when others took everything")
    func floors() {
        let pool = pool(limit: 64, shards: 4)
        for _ in 0..<64 { _ = pool.acquire(1, shard: 0) }
        #expect(pool.acquire(1, shard: 0) == nil)
        for _ in 0..<4 { #expect(pool.acquire(1, shard: 3) != nil) }
        #expect(pool.acquire(1, shard: 3) == nil)
        #expect(pool.isOvercommitted)
        pool.release(1, count: 4, shard: 0)
        #expect(!pool.isOvercommitted)
    }

    @Test("other memory counts against the limit")
    func charges() {
        let pool = pool(limit: 20)
        pool.charge(15 * Self.segmentBytes + 1)
        for _ in 0..<4 { #expect(pool.acquire(1, shard: 0) != nil) }
        let floor = (0..<20).count { _ in pool.acquire(1, shard: 0) != nil }
        #expect(floor == 1, "the floor of 5 slots")
        #expect(pool.isOvercommitted)
        pool.charge(-Self.segmentBytes)
        #expect(!pool.isOvercommitted)
    }

    @Test(
        "real memory never exceeds the limit: free slots are dropped before fresh ones are backed")
    func dropped() {
        let pool = pool(limit: 10)
        for _ in 0..<10 { _ = pool.acquire(1, shard: 0) }
        for slot in stride(from: 1, through: 9, by: 2) {
            pool.release(UInt32(slot), count: 1, shard: 0)
        }
        #expect(!pool.hasDropped)
        // No gap is long enough, so 5 fresh slots are backed and the 5 free ones dropped.
        #expect(pool.acquire(5, shard: 0) == 11)
        let dropped = pool.takeDropped().flatMap { Array($0) }.sorted()
        #expect(dropped == [1, 3, 5, 7, 9])
        #expect(!pool.hasDropped && pool.takeDropped().isEmpty)
    }

    @Test("a lower limit drops free slots as they come back")
    func lowered() {
        let pool = pool(limit: 10)
        for _ in 0..<10 { _ = pool.acquire(1, shard: 0) }
        pool.pool.limitBytes = 4 * Self.segmentBytes
        #expect(pool.isOvercommitted)
        for slot in 5...10 { pool.release(UInt32(slot), count: 1, shard: 0) }
        #expect(!pool.isOvercommitted)
        #expect(pool.takeDropped().map(\.count).reduce(0, +) == 6)
        #expect(pool.acquire(1, shard: 0) == nil)
    }
}
