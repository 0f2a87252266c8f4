// The memory of one store, without the shell: a pool that only one thread uses.
import Glibc
import Primitives
import Storage

/// One store's memory and pool.
final class BenchMemory: @unchecked Sendable {
    var pool: SegmentPool
    let segmentBytes: Int
    private let memory: StoreMemory

    init(limitBytes: Int, segmentBytes: Int) {
        let slots = limitBytes / segmentBytes * 2 + 64
        self.segmentBytes = segmentBytes
        pool = SegmentPool(
            limitBytes: limitBytes, segmentBytes: segmentBytes, slotCount: slots, shardCount: 1)
        let indexBytes = limitBytes
        memory = StoreMemory(
            segments: Self.zeroed((slots + 1) * segmentBytes),
            infos: Self.zeroed((slots + 1) * StoreMemory.infoBytes),
            index: Self.zeroed(indexBytes), indexBytes: indexBytes,
            overflow: Self.zeroed(indexBytes), overflowBytes: indexBytes,
            geometry: Self.zeroed(4096))
    }

    static func zeroed(_ bytes: Int) -> UInt {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let address = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let address, address != MAP_FAILED else { fatalError("no \(bytes) bytes of memory") }
        madvise(address, bytes, MADV_HUGEPAGE)
        return UInt(bitPattern: address)
    }

    func makeStore(itemSizeLimit: Int = 1 << 20) -> Store {
        let configuration = StoreConfiguration(
            segmentBytes: segmentBytes, itemSizeLimit: itemSizeLimit, secret: 0x1234_5678,
            evicts: true)
        return Store(
            configuration: configuration, memory: memory,
            source: SegmentSource(
                acquire: { [self] in pool.acquire($0, shard: 0) },
                release: { [self] in pool.release($0, count: $1, shard: 0) },
                charge: { [self] in pool.charge($0) },
                isOvercommitted: { [self] in pool.isOvercommitted }))
    }
}

/// Nanoseconds of the monotonic clock.
func nanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// Nanoseconds this thread has run: what a pause costs on a machine that others share.
func threadNanoseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// A 10-byte key made from a number.
struct BenchKey {
    private var bytes = InlineArray<10, UInt8>(repeating: 0x6B)

    init(_ number: Int) {
        var rest = number
        for position in stride(from: 9, through: 1, by: -1) {
            bytes[position] = UInt8(truncatingIfNeeded: 48 + rest & 15)
            rest >>= 4
        }
    }

    var span: RawSpan {
        @_lifetime(borrow self)
        borrowing get { bytes.span.bytes }
    }
}
