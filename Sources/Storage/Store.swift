// One shard's items: an index over append-only segments, after Segcache (Yang, Yue and Rashmi, NSDI
// 2021).
internal import CIntrinsics
public import Primitives

/// The items of one shard.
///
/// Items are appended to the open segment of their time-to-live class and found through a
/// linear-hashing index. Segments of ended items are freed whole; when memory runs out, the oldest
/// segments of a class are merged into fewer, keeping the items read most (section 4.4 of the
/// paper). Expiry is exact per item.
///
/// Reading calls are `mutating`, too: a call that only borrows `self` would be handed a copy of its
/// fields.
///
/// A store is used by one thread at a time. Looking up allocates nothing; storing allocates nothing
/// but segments of the pool.
public struct Store: ~Copyable {
    /// Values from here up are worth sending from where they lie.
    public static let pinnableBytes = 16 << 10

    /// Classes that may have an open segment at a time; a rarer class shares a neighbour's.
    static let openLimit = 16

    /// Reads of an item that are counted between two turns of eviction.
    static let frequencyLimit = 15

    /// Items below this version are misses: set by a flush.
    public var minVersion = Version(value: 0) {
        didSet { floor = max(floor, minVersion) }
    }

    /// Items below this version are misses to the command at hand; never below ``minVersion``.
    ///
    /// The arcs of a cluster have bounds of their own, so whoever executes a command on a key sets
    /// its arc's first.
    public private(set) var floor = Version(value: 0)

    /// Sets the bound of the arc that the next command's key lies in.
    @inline(__always)
    public mutating func setFloor(_ version: Version) { floor = max(version, minVersion) }

    let configuration: StoreConfiguration
    let source: SegmentSource
    let memory: StoreMemory
    let segments: UnsafeMutableRawPointer
    let infos: UnsafeMutablePointer<SegmentInfo>
    let segmentShift: Int
    var index: Index
    var queues: [SegmentQueue]
    var open = InlineArray<16, OpenSegment>(repeating: OpenSegment())
    /// The place in ``open`` that was appended to last.
    var latestOpen = 0
    /// Where merges copy to.
    var targets = InlineArray<8, OpenSegment>(repeating: OpenSegment())
    /// Slots of sealed segments whose items have stood an eviction.
    var mainSlots = 0
    /// Rises whenever items other than the one being stored may have moved.
    var moves: UInt64 = 0
    /// Where the sweep for ended segments goes on.
    var sweepSlot: UInt32 = 0
    var sweepQueue = 0
    var extents = ExtentStack()
    /// Large items that eviction has spared in a row.
    var spared = 0
    var spareSlots: [UInt32] = []
    var nextSequence: UInt64 = 1
    var usedBytes = 0
    var counts = StoreStatistics()
    var chargedIndexBytes = 0
    var evictionLog: EvictionLog?

    /// Creates an empty store on `memory`.
    public init(configuration: StoreConfiguration, memory: StoreMemory, source: SegmentSource) {
        self.configuration = configuration
        self.memory = memory
        self.source = source
        segments = UnsafeMutableRawPointer(memory.words(memory.segments))
        precondition(MemoryLayout<SegmentInfo>.stride <= StoreMemory.infoBytes, "an info has grown")
        infos = UnsafeMutableRawPointer(memory.words(memory.infos)).assumingMemoryBound(
            to: SegmentInfo.self)
        segmentShift = configuration.segmentBytes.trailingZeroBitCount
        index = Index(memory: memory.indexMemory)
        queues = Array(repeating: SegmentQueue(), count: TTLClass.count * 2)
        spareSlots.reserveCapacity(Self.spareLimit)
    }

    /// Largest item, in bytes of key, value and header.
    public var itemSizeLimit: Int { configuration.itemSizeLimit }

    /// What fetches this store's cache lines ahead of its lock.
    public var probe: IndexProbe {
        IndexProbe(
            memory: memory, segmentBytes: configuration.segmentBytes, secret: configuration.secret)
    }

    /// Counters and sizes.
    public var statistics: StoreStatistics {
        var all = counts
        all.items = index.itemCount
        all.deadBytes = usedBytes - counts.liveBytes
        all.indexBytes = index.bytes
        return all
    }

    // MARK: Addresses

    @inline(__always)
    func layout(at position: ItemPosition) -> ItemLayout {
        ItemLayout(segments + (Int(position.slot) &<< segmentShift &+ position.offset))
    }

    @inline(__always)
    func info(_ slot: UInt32) -> UnsafeMutablePointer<SegmentInfo> {
        infos + Int(slot)
    }

    @inline(__always)
    func mixed(_ hash: KeyHash) -> UInt64 { hash.mixed(with: configuration.secret) }

    func mixedHash(of layout: ItemLayout) -> UInt64 {
        mixed(KeyHash(of: layout.key.bytes))
    }

    static func second(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000_000)
    }

    // MARK: Looking

    /// The key's item, ended or not.
    @inline(__always)
    func locate(_ key: UnsafeRawBufferPointer, _ mixed: UInt64) -> Item? {
        guard let word = index.find(mixed, where: { layout(at: $0).hasKey(key) }) else {
            return nil
        }
        return Item(layout: layout(at: Index.position(word)), word: word)
    }

    @inline(__always)
    func isServed(_ layout: ItemLayout, at now: Instant) -> Bool {
        layout.version >= minVersion && !layout.expiry.hasPassed(at: now)
    }

    /// Whether the command at hand finds the item: its arc's bound counts, too.
    @inline(__always)
    private func isFound(_ layout: ItemLayout, at now: Instant) -> Bool {
        layout.version >= floor && !layout.expiry.hasPassed(at: now)
    }

    /// The key's item; nil where there is none, it has ended, or it was flushed.
    public mutating func find(_ key: RawSpan, hash: KeyHash, at now: Instant) -> Item? {
        key.withUnsafeBytes { bytes in
            guard let item = locate(bytes, mixed(hash)), isFound(item.layout, at: now) else {
                return nil
            }
            return item
        }
    }

    /// Why ``find(_:hash:at:)`` just answered nil.
    public mutating func absence(of key: RawSpan, hash: KeyHash, at now: Instant) -> Absence {
        key.withUnsafeBytes { bytes in
            guard let item = locate(bytes, mixed(hash)) else { return .unknown }
            return item.layout.version < floor ? .flushed : .expired
        }
    }

    /// Notes that a client read the item: what eviction goes by.
    ///
    /// The count ends at ``frequencyLimit``: counting on was measured to keep nothing longer that
    /// matters.
    public mutating func noteRead(_ item: Item, at now: Instant) {
        item.layout.noteRead(second: Self.second(now))
        let frequency = Index.frequency(item.word)
        guard frequency < Self.frequencyLimit else { return }
        Index.setFrequency(item.word, frequency &+ 1)
    }

    /// Everything set on the item besides its value.
    public mutating func attributes(of item: Item) -> ItemAttributes { item.layout.attributes }

    /// Bytes of the value.
    public mutating func valueCount(of item: Item) -> Int { item.layout.valueCount }

    /// The value's bytes.
    @_lifetime(&self)
    public mutating func value(of item: Item) -> RawSpan {
        let layout = item.layout
        let span = RawSpan(_unsafeStart: layout.valueStart, byteCount: layout.valueCount)
        return _overrideLifetime(span, mutating: &self)
    }

    /// The key's bytes.
    @_lifetime(borrow self)
    public func key(of item: Item) -> RawSpan {
        let layout = item.layout
        let span = RawSpan(_unsafeStart: layout.keyStart, byteCount: layout.keyCount)
        return _overrideLifetime(span, borrowing: self)
    }

    /// Whether a client has read the item since it was stored.
    public func wasFetched(_ item: Item) -> Bool { item.layout.wasFetched }

    /// Seconds since the item was stored or last read, to within a minute for reads, as in
    /// memcached.
    public func secondsSinceAccess(_ item: Item, at now: Instant) -> Int64 {
        max(0, Int64(Self.second(now)) - Int64(item.layout.accessSecond))
    }
}

/// Why a key has no item to serve.
public enum Absence: Equatable, Sendable {
    /// Nothing is stored, or it was evicted.
    case unknown
    /// Its item has ended.
    case expired
    /// Its item is older than the last flush.
    case flushed
}
