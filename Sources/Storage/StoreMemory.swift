// The raw memory a store lives on. The shell reserves it; this room alone knows what lies where.
internal import CIntrinsics

/// The addresses of one shard's memory, as numbers, so that they can cross to the shard's thread.
///
/// All ranges must read as zero at first, stay mapped for as long as the store exists, and be used
/// by nobody else; segments and infos are shared by the stores of one pool.
public struct StoreMemory: Sendable {
    /// Start of the segments' range; slot `n` begins `n * segmentBytes` behind it.
    public var segments: UInt
    /// Start of the table of segment infos, ``infoBytes`` for each slot.
    public var infos: UInt
    /// Start of this shard's index, and how many bytes it may grow to.
    public var index: UInt
    /// Bytes reserved for the index.
    public var indexBytes: Int
    /// Start of this shard's overflow buckets.
    public var overflow: UInt
    /// Bytes reserved for overflow buckets.
    public var overflowBytes: Int
    /// A cache line for what ``IndexProbe`` reads without the shard's lock.
    public var geometry: UInt

    /// Bytes of one entry of the info table.
    public static let infoBytes = 64

    /// Collects the addresses.
    public init(
        segments: UInt, infos: UInt, index: UInt, indexBytes: Int, overflow: UInt,
        overflowBytes: Int,
        geometry: UInt
    ) {
        self.segments = segments
        self.infos = infos
        self.index = index
        self.indexBytes = indexBytes
        self.overflow = overflow
        self.overflowBytes = overflowBytes
        self.geometry = geometry
    }

    /// Bytes of the index that are in use; read without the shard's lock, so it may be a moment
    /// old.
    public var indexBytesInUse: Int {
        let shape = kiln_load_relaxed(words(geometry))
        return (1 << Int(shape & 63) + Int(shape >> 6)) * Index.bucketBytes
    }

    func words(_ address: UInt) -> UnsafeMutablePointer<UInt64> {
        guard let pointer = UnsafeMutablePointer<UInt64>(bitPattern: address) else {
            preconditionFailure("a store needs memory, got address 0")
        }
        return pointer
    }

    var indexMemory: IndexMemory {
        IndexMemory(
            buckets: words(index), bucketLimit: indexBytes / Index.bucketBytes,
            overflow: words(overflow), overflowLimit: overflowBytes / Index.bucketBytes,
            geometry: words(geometry))
    }
}

/// How a store reaches the pool that it shares with other shards.
public struct SegmentSource: Sendable {
    /// Takes a run of slots, or nil at the limit.
    public var acquire: @Sendable (_ count: Int) -> UInt32?
    /// Gives a run of slots back.
    public var release: @Sendable (_ first: UInt32, _ count: Int) -> Void
    /// Notes bytes of index memory.
    public var charge: @Sendable (_ bytes: Int) -> Void
    /// Whether the pool has handed out more than its limit allows by now.
    public var isOvercommitted: @Sendable () -> Bool

    /// Collects the four calls.
    public init(
        acquire: @escaping @Sendable (_ count: Int) -> UInt32?,
        release: @escaping @Sendable (_ first: UInt32, _ count: Int) -> Void,
        charge: @escaping @Sendable (_ bytes: Int) -> Void,
        isOvercommitted: @escaping @Sendable () -> Bool
    ) {
        self.acquire = acquire
        self.release = release
        self.charge = charge
        self.isOvercommitted = isOvercommitted
    }
}

/// What a store is told once.
public struct StoreConfiguration: Sendable {
    /// Bytes of a segment, a power of two from 32 KiB to 1 MiB.
    public var segmentBytes: Int
    /// Largest item: key, value and header (`-I`).
    public var itemSizeLimit: Int
    /// Mixed into every hash, so that nobody outside can aim at a bucket.
    public var secret: UInt64
    /// Whether items may be evicted (`-M` says no).
    public var evicts: Bool
    /// The shard's fair share of the memory; uploads may hold half of it, or of what the shard has.
    public var shareBytes: Int

    /// Collects the settings.
    public init(
        segmentBytes: Int, itemSizeLimit: Int, secret: UInt64, evicts: Bool, shareBytes: Int = 0
    ) {
        precondition(
            segmentBytes.nonzeroBitCount == 1 && segmentBytes >= 1 << 15 && segmentBytes <= 1 << 20,
            "a segment of \(segmentBytes) bytes; a power of two from 32 KiB to 1 MiB is needed")
        self.segmentBytes = segmentBytes
        self.itemSizeLimit = itemSizeLimit
        self.secret = secret
        self.evicts = evicts
        self.shareBytes = shareBytes
    }
}
