// What one shard has done, in memcached's terms; `stats` adds the shards up.

/// Counters of one shard since start or the last reset.
///
/// Names and meanings are those of memcached's `stats`. What concerns items as such is in
/// `StoreStatistics`.
public struct ShardCounters: Equatable, Sendable {
    /// Keys asked for by `get`, `gets` and `mg`.
    public var cmdGet: UInt64 = 0
    /// Storage commands whose data block arrived, successful or not.
    public var cmdSet: UInt64 = 0
    /// Keys touched by `touch`, `gat`, `gats` and a hit of `mg` with `T`, found or not.
    public var cmdTouch: UInt64 = 0
    /// `me` commands: all that memcached counts here.
    public var cmdMeta: UInt64 = 0
    /// Keys of `cmdGet` that were found.
    public var getHits: UInt64 = 0
    /// Keys of `cmdGet` that were not found.
    public var getMisses: UInt64 = 0
    /// Look-ups that found an item whose time was up.
    public var getExpired: UInt64 = 0
    /// Look-ups that found an item that `flush_all` had ended.
    public var getFlushed: UInt64 = 0
    /// Items deleted by `delete` and `md`.
    public var deleteHits: UInt64 = 0
    /// Deletions that found nothing, or another CAS.
    public var deleteMisses: UInt64 = 0
    /// Increments of an item that was there.
    public var incrHits: UInt64 = 0
    /// Increments that found nothing.
    public var incrMisses: UInt64 = 0
    /// Decrements of an item that was there.
    public var decrHits: UInt64 = 0
    /// Decrements that found nothing.
    public var decrMisses: UInt64 = 0
    /// Compare-and-swaps that stored.
    public var casHits: UInt64 = 0
    /// Compare-and-swaps that found nothing.
    public var casMisses: UInt64 = 0
    /// Compare-and-swaps that found another CAS.
    public var casBadval: UInt64 = 0
    /// Keys of `cmdTouch` that were found.
    public var touchHits: UInt64 = 0
    /// Keys of `cmdTouch` that were not found.
    public var touchMisses: UInt64 = 0
    /// Values refused because of their size.
    public var storeTooLarge: UInt64 = 0
    /// Values refused for want of memory.
    public var storeNoMemory: UInt64 = 0

    /// All zero.
    public init() {}

    /// Adds what `other` counted.
    public mutating func add(_ other: ShardCounters) {
        cmdGet &+= other.cmdGet
        cmdSet &+= other.cmdSet
        cmdTouch &+= other.cmdTouch
        cmdMeta &+= other.cmdMeta
        getHits &+= other.getHits
        getMisses &+= other.getMisses
        getExpired &+= other.getExpired
        getFlushed &+= other.getFlushed
        deleteHits &+= other.deleteHits
        deleteMisses &+= other.deleteMisses
        incrHits &+= other.incrHits
        incrMisses &+= other.incrMisses
        decrHits &+= other.decrHits
        decrMisses &+= other.decrMisses
        casHits &+= other.casHits
        casMisses &+= other.casMisses
        casBadval &+= other.casBadval
        touchHits &+= other.touchHits
        touchMisses &+= other.touchMisses
        storeTooLarge &+= other.storeTooLarge
        storeNoMemory &+= other.storeNoMemory
    }

    /// Takes off what `base` had counted already: what is left has been counted since.
    public mutating func subtract(_ base: ShardCounters) {
        cmdGet &-= base.cmdGet
        cmdSet &-= base.cmdSet
        cmdTouch &-= base.cmdTouch
        cmdMeta &-= base.cmdMeta
        getHits &-= base.getHits
        getMisses &-= base.getMisses
        getExpired &-= base.getExpired
        getFlushed &-= base.getFlushed
        deleteHits &-= base.deleteHits
        deleteMisses &-= base.deleteMisses
        incrHits &-= base.incrHits
        incrMisses &-= base.incrMisses
        decrHits &-= base.decrHits
        decrMisses &-= base.decrMisses
        casHits &-= base.casHits
        casMisses &-= base.casMisses
        casBadval &-= base.casBadval
        touchHits &-= base.touchHits
        touchMisses &-= base.touchMisses
        storeTooLarge &-= base.storeTooLarge
        storeNoMemory &-= base.storeNoMemory
    }
}
