// All shards of a node, and the memory they live on.
internal import CIntrinsics
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Primitives
internal import Storage
internal import Synchronization

/// One shard and its lock; lives at a fixed address.
struct ShardCell: ~Copyable {
    /// Guards ``shard``, where the node has more than one loop.
    let lock = Mutex(())
    var shard: ShardInstance

    init(_ shard: consuming ShardInstance) {
        self.shard = shard
    }
}

/// The pool behind its lock; shards take a segment a few times a second, not per request.
final class SharedPool: Sendable {
    private let pool: Mutex<SegmentPool>
    private let segments: UInt
    private let segmentBytes: Int

    init(_ pool: SegmentPool, segments: UInt) {
        self.segments = segments
        segmentBytes = pool.segmentBytes
        self.pool = Mutex(pool)
    }

    /// A shard's way to the pool.
    func source(shard: Int) -> SegmentSource {
        SegmentSource(
            acquire: { count in
                self.change { $0.acquire(count, shard: shard) }
            },
            release: { first, count in
                self.change { $0.release(first, count: count, shard: shard) }
            },
            charge: { bytes in self.charge(bytes) },
            isOvercommitted: { self.pool.withLock { $0.isOvercommitted } })
    }

    func charge(_ bytes: Int) {
        pool.withLock { $0.charge(bytes) }
    }

    var limitBytes: Int {
        get { pool.withLock { $0.limitBytes } }
        set { pool.withLock { $0.limitBytes = newValue } }
    }

    /// Changes the pool, and gives the pages it has dropped back to the system before anybody uses
    /// them.
    private func change<R: Sendable>(_ body: (inout SegmentPool) -> R) -> R {
        pool.withLock { pool in
            let result = body(&pool)
            guard pool.hasDropped else { return result }
            for slots in pool.takeDropped() {
                let start = segments + UInt(slots.lowerBound * segmentBytes)
                madvise(
                    UnsafeMutableRawPointer(bitPattern: start), slots.count * segmentBytes,
                    MADV_DONTNEED)
            }
            return result
        }
    }
}

/// The way to each shard of a node.
///
/// `@unchecked Sendable`: the cells never move, are created before the first loop starts and live
/// as long as the process; each is only touched under its own lock.
struct ShardAccess: @unchecked Sendable {
    let count: Int
    let cells: UnsafeMutableRawPointer
    /// Whether one loop has all shards to itself: it needs no locks then.
    let isSingleLoop: Bool
    let probes: UnsafePointer<IndexProbe>
    let secret: UInt64

    /// Bytes from one cell to the next: whole pairs of cache lines, as processors fetch two.
    static let cellBytes = (MemoryLayout<ShardCell>.size + 127) & ~127

    @inline(__always)
    private func cell(_ number: Int) -> UnsafeMutablePointer<ShardCell> {
        (cells + number &* Self.cellBytes).assumingMemoryBound(to: ShardCell.self)
    }

    /// Fetches a shard's lock and counters, which another loop may have used last, ahead of
    /// ``withShard(_:_:)``.
    @inline(__always)
    func prefetch(_ number: Int) {
        if isSingleLoop { return }
        kiln_prefetch_write(cells + number &* Self.cellBytes)
    }

    /// The shard of a key: bits of the mixed hash that neither index nor tag uses much.
    @inline(__always)
    func shard(of hash: KeyHash) -> Int {
        Int(truncatingIfNeeded: hash.mixed(with: secret) &>> 40) & (count &- 1)
    }

    @inline(__always)
    func withShard<R: ~Copyable>(_ number: Int, _ body: (inout ShardInstance) -> sending R)
        -> sending R
    {
        let cell = cell(number)
        if isSingleLoop { return body(&cell.pointee.shard) }
        return cell.pointee.lock.withLock { _ in body(&cell.pointee.shard) }
    }
}

/// All shards of a node, and the memory they live on.
struct ShardTable: Sendable {
    /// What loops use; a flat value, so that reaching a shard counts no references.
    let access: ShardAccess
    let pool: SharedPool
    let memories: [StoreMemory]
    let segmentBytes: Int

    /// The ownership epoch of a node that is alone: CAS uniques then begin at 1, as some clients
    /// read 32 bits.
    private static let loneEpoch: UInt64 = 0
    /// Segments are at most this large: merging a few must not hold a shard's lock for long.
    private static let largestSegmentBytes = 256 << 10
    private static let smallestSegmentBytes = 32 << 10
    /// Address space reserved for segments, as a multiple of the memory limit, so that neighbouring
    /// slots for large values are found without moving anything.
    private static let addressSpaceFactor = 4

    init(_ configuration: NodeConfiguration) throws(NodeError) {
        var shards = 4
        while shards < configuration.threads * 4 { shards *= 2 }
        let limit = configuration.memoryLimitBytes
        var bytes = Self.largestSegmentBytes
        while bytes > Self.smallestSegmentBytes && bytes > limit / (64 * shards) { bytes /= 2 }
        segmentBytes = bytes
        let slots = min(limit / bytes * Self.addressSpaceFactor + 64, 1 << 24 - 1)
        let segments = try Self.reserveAligned((slots + 1) * bytes)
        kiln_prefer_huge_pages(
            UnsafeMutableRawPointer(bitPattern: segments), UInt((slots + 1) * bytes))
        let infos = try Self.reserve((slots + 1) * StoreMemory.infoBytes)
        pool = SharedPool(
            SegmentPool(
                limitBytes: limit, segmentBytes: bytes, slotCount: slots, shardCount: shards),
            segments: segments)
        let secret = UInt64.random(in: 1...UInt64.max)
        let cells = UnsafeMutableRawPointer.allocate(
            byteCount: shards * ShardAccess.cellBytes, alignment: 128)
        let probes = UnsafeMutablePointer<IndexProbe>.allocate(capacity: shards)
        // A shard may hold twice its fair share of items; of the smallest there are two to an index
        // word.
        let indexBytes = max(1 << 20, limit / shards)
        var memories: [StoreMemory] = []
        for shard in 0..<shards {
            let memory = StoreMemory(
                segments: segments, infos: infos,
                index: try Self.reserveAligned(indexBytes), indexBytes: indexBytes,
                overflow: try Self.reserve(indexBytes), overflowBytes: indexBytes,
                geometry: try Self.reserve(4096))
            memories.append(memory)
            let settings = StoreConfiguration(
                segmentBytes: bytes, itemSizeLimit: configuration.itemSizeLimitBytes,
                secret: secret, evicts: configuration.evicts, shareBytes: limit / shards)
            let store = Store(
                configuration: settings, memory: memory, source: pool.source(shard: shard))
            (probes + shard).initialize(to: store.probe)
            (cells + shard * ShardAccess.cellBytes).assumingMemoryBound(to: ShardCell.self)
                .initialize(
                    to: ShardCell(ShardInstance(store: store, epoch: Self.loneEpoch, index: shard)))
        }
        self.memories = memories
        access = ShardAccess(
            count: shards, cells: cells, isSingleLoop: configuration.threads == 1,
            probes: UnsafePointer(probes),
            secret: secret)
    }

    private static func reserve(_ bytes: Int) throws(NodeError) -> UInt {
        guard let address = kiln_reserve(UInt(bytes)) else {
            throw .cannotReserveMemory(bytes: bytes)
        }
        return UInt(bitPattern: address)
    }

    private static let hugePageBytes = 2 << 20

    /// Address space that begins where a huge page may.
    private static func reserveAligned(_ bytes: Int) throws(NodeError) -> UInt {
        let start = try reserve(bytes + hugePageBytes)
        return (start + UInt(hugePageBytes) - 1) & ~UInt(hugePageBytes - 1)
    }

    /// Turns the parts of the indexes that are full into huge pages, one at a time.
    ///
    /// Asking for huge pages beforehand would take two megabytes where a small index needs a few
    /// pages.
    ///
    /// - Parameter done: Huge pages made so far, by shard.
    func collapseIndexes(_ done: inout [Int]) {
        for shard in 0..<count {
            let full = memories[shard].indexBytesInUse / Self.hugePageBytes
            while done[shard] < full {
                let start = memories[shard].index + UInt(done[shard] * Self.hugePageBytes)
                // Where the system has no huge page to give, small ones serve.
                _ = kiln_collapse(
                    UnsafeMutableRawPointer(bitPattern: start), UInt(Self.hugePageBytes))
                done[shard] += 1
            }
        }
    }

    var count: Int { access.count }

    func withShard<R: ~Copyable>(_ number: Int, _ body: (inout ShardInstance) -> sending R)
        -> sending R
    {
        access.withShard(number, body)
    }
}
