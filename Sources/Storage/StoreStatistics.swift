// What a store counts.

/// Counters and sizes of one store; all are totals since it was created unless they say otherwise.
public struct StoreStatistics: Equatable, Sendable {
    /// Items stored now.
    public var items = 0
    /// Bytes of those items, headers and padding included.
    public var liveBytes = 0
    /// Bytes of segments that hold replaced or removed items now.
    public var deadBytes = 0
    /// Slots held now.
    public var slots = 0
    /// Bytes of the index now.
    public var indexBytes = 0
    /// Bytes reserved by uploads that are still arriving.
    public var pendingBytes = 0
    /// Items ever stored.
    public var totalItems: UInt64 = 0
    /// Items evicted before their end.
    public var evictions: UInt64 = 0
    /// Of those, items that had an end.
    public var evictedNonzero: UInt64 = 0
    /// Seconds since the last access of the item evicted last, at its eviction.
    public var evictedSeconds: UInt32 = 0
    /// Of those, items never read.
    public var evictedUnfetched: UInt64 = 0
    /// Of those, items read since they were last weighed.
    public var evictedActive: UInt64 = 0
    /// Items whose memory came back after their end.
    public var reclaimed: UInt64 = 0
    /// Of those, items never read.
    public var expiredUnfetched: UInt64 = 0
    /// Items evicted because their index chain was full.
    public var chainEvictions: UInt64 = 0
    /// Merges run to make room, and merges run to win back dead bytes.
    public var merges: UInt64 = 0
    /// Merges that only removed dead bytes.
    public var compactions: UInt64 = 0
    /// Bytes that merges of either kind have moved.
    public var copiedBytes: UInt64 = 0
    /// Segments freed because all their items had ended or were flushed.
    public var segmentsExpired: UInt64 = 0
    /// Requests refused for lack of memory.
    public var outOfMemory: UInt64 = 0

    /// All zero.
    public init() {}

    /// Adds another store's numbers.
    public mutating func add(_ other: StoreStatistics) {
        items += other.items
        liveBytes += other.liveBytes
        deadBytes += other.deadBytes
        slots += other.slots
        indexBytes += other.indexBytes
        pendingBytes += other.pendingBytes
        totalItems += other.totalItems
        evictions += other.evictions
        evictedNonzero += other.evictedNonzero
        evictedSeconds = max(evictedSeconds, other.evictedSeconds)
        evictedUnfetched += other.evictedUnfetched
        evictedActive += other.evictedActive
        reclaimed += other.reclaimed
        expiredUnfetched += other.expiredUnfetched
        chainEvictions += other.chainEvictions
        merges += other.merges
        compactions += other.compactions
        copiedBytes += other.copiedBytes
        segmentsExpired += other.segmentsExpired
        outOfMemory += other.outOfMemory
    }

    /// Takes what `base` had counted off the counters; sizes stay.
    public mutating func subtractCounts(of base: StoreStatistics) {
        totalItems &-= base.totalItems
        evictions &-= base.evictions
        evictedNonzero &-= base.evictedNonzero
        evictedUnfetched &-= base.evictedUnfetched
        evictedActive &-= base.evictedActive
        reclaimed &-= base.reclaimed
        expiredUnfetched &-= base.expiredUnfetched
        chainEvictions &-= base.chainEvictions
        merges &-= base.merges
        compactions &-= base.compactions
        segmentsExpired &-= base.segmentsExpired
        outOfMemory &-= base.outOfMemory
    }
}
