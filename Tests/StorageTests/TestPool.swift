// Memory for stores under test: a pool behind a lock, as the shell has it, that spoils what is
// given back.
import Glibc
import Primitives
import Storage
import Synchronization

/// The memory of some shards, and the pool they share.
///
/// A slot is filled with a pattern when it is handed out and when it comes back, so that a store
/// that expects zeros, or reads what it has given away, fails its test.
final class TestPool: Sendable {
    let pool: Mutex<SegmentPool>
    let segmentBytes: Int
    let slotCount: Int
    private let segments: UInt
    private let infos: UInt

    init(limitBytes: Int, segmentBytes: Int, slotCount: Int? = nil, shardCount: Int = 1) {
        let slotCount = slotCount ?? limitBytes / segmentBytes * 2 + 64
        self.segmentBytes = segmentBytes
        self.slotCount = slotCount
        pool = Mutex(
            SegmentPool(
                limitBytes: limitBytes, segmentBytes: segmentBytes, slotCount: slotCount,
                shardCount: shardCount))
        segments = Self.zeroed((slotCount + 1) * segmentBytes)
        infos = Self.zeroed((slotCount + 1) * StoreMemory.infoBytes)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(bitPattern: segments), (slotCount + 1) * segmentBytes)
        munmap(UnsafeMutableRawPointer(bitPattern: infos), (slotCount + 1) * StoreMemory.infoBytes)
    }

    /// Reserved addresses that read as zero; those of indexes are never given back.
    static func zeroed(_ bytes: Int) -> UInt {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let address, address != MAP_FAILED else { fatalError("no \(bytes) bytes to test on") }
        return UInt(bitPattern: address)
    }

    func makeStore(
        shard: Int = 0, itemSizeLimit: Int = 1 << 20, evicts: Bool = true, secret: UInt64 = 42,
        indexBytes: Int = 64 << 20, overflowBytes: Int = 16 << 20
    ) -> Store {
        let memory = StoreMemory(
            segments: segments, infos: infos, index: Self.zeroed(indexBytes),
            indexBytes: indexBytes, overflow: Self.zeroed(overflowBytes),
            overflowBytes: overflowBytes, geometry: Self.zeroed(4096))
        let configuration = StoreConfiguration(
            segmentBytes: segmentBytes, itemSizeLimit: itemSizeLimit, secret: secret,
            evicts: evicts)
        return Store(configuration: configuration, memory: memory, source: source(shard))
    }

    private func source(_ shard: Int) -> SegmentSource {
        SegmentSource(
            acquire: { [self] count in
                let slot = pool.withLock { pool in
                    defer { spoil(pool.takeDropped()) }
                    return pool.acquire(count, shard: shard)
                }
                if let slot { spoil([Int(slot)..<Int(slot) + count]) }
                return slot
            },
            release: { [self] first, count in
                spoil([Int(first)..<Int(first) + count])
                pool.withLock { $0.release(first, count: count, shard: shard) }
            },
            charge: { [self] bytes in pool.withLock { $0.charge(bytes) } },
            isOvercommitted: { [self] in pool.withLock { $0.isOvercommitted } })
    }

    /// Ranges longer than a few segments are spoilt at both ends only: a test of 100 MB should not
    /// take a minute.
    private func spoil(_ ranges: [Range<Int>]) {
        for range in ranges {
            let start = UnsafeMutableRawPointer(
                bitPattern: segments + UInt(range.lowerBound * segmentBytes))
            guard let start else { continue }
            if range.count <= 8 {
                memset(start, 0xA5, range.count * segmentBytes)
            } else {
                memset(start, 0xA5, segmentBytes)
                memset(start + (range.count - 1) * segmentBytes, 0xA5, segmentBytes)
            }
        }
    }

    var usedSlots: Int { pool.withLock { $0.usedSlots } }
}

/// A clock that a test moves on.
struct TestClock {
    var now = Instant(nanoseconds: 0)

    mutating func advance(milliseconds: Int64) {
        now.nanoseconds += milliseconds * 1_000_000
    }

    mutating func advance(seconds: Int64) {
        advance(milliseconds: seconds * 1000)
    }
}
