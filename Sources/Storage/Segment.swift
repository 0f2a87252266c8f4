// What a store knows of each of its segments, and the queues it keeps them in.

/// What a segment is doing.
enum SegmentState: UInt8 {
    /// Nobody's, or kept for the next use.
    case free
    /// Items are being appended.
    case open
    /// Full; in the queue of its class.
    case sealed
}

/// One entry of the info table; at most ``StoreMemory/infoBytes`` long.
struct SegmentInfo {
    /// Bytes appended so far.
    var usedBytes: UInt32 = 0
    /// Slots of this segment; more than 1 for a value larger than a segment.
    var runCount: UInt32 = 1
    /// Bytes of items that still count.
    var liveBytes: Int = 0
    /// Items that still count.
    var liveItems: UInt32 = 0
    /// Sends and uploads that need the bytes to stay where they are.
    var pins: UInt32 = 0
    /// Neighbours in the class's queue; 0 for none.
    var next: UInt32 = 0
    var previous: UInt32 = 0
    /// Rises with every sealing: the oldest segment has the lowest.
    var sequence: UInt64 = 0
    /// The highest version of its items.
    var maxVersion: UInt64 = 0
    /// The latest end of its items; meaningless where ``hasImmortal``.
    var maxExpiryTick: UInt32 = 0
    /// Whether one of its items has no end.
    var hasImmortal = false
    var ttlClass: UInt8 = 0
    var state = SegmentState.free
    /// Whether its items have stood an eviction; the others are on probation.
    var isMain = false

    /// The queue it belongs to: the classes' fresh segments first, then their main ones.
    var queue: Int { Int(ttlClass) + (isMain ? TTLClass.count : 0) }
}

/// Classes of time to live: items that end about the same time share segments (Segcache, section
/// 4.2).
enum TTLClass {
    /// Class 0 has no end; then four classes to a doubling, up to 2^30 seconds.
    static let count = 128

    static func of(_ expiry: Expiry, nowTick: Int64) -> Int {
        guard expiry.tick != 0 else { return 0 }
        let seconds = max(1, (Int64(expiry.tick) - nowTick) / Expiry.ticksPerSecond)
        let log = 63 - seconds.leadingZeroBitCount
        let fraction =
            log >= 2 ? Int(seconds >> Int64(log - 2)) & 3 : Int(seconds << Int64(2 - log)) & 3
        return min(count - 1, 1 + log * 4 + fraction)
    }
}

/// The sealed segments of one class, oldest first: a list through the info table.
struct SegmentQueue {
    var head: UInt32 = 0
    var tail: UInt32 = 0

    mutating func append(_ slot: UInt32, _ infos: UnsafeMutablePointer<SegmentInfo>) {
        infos[Int(slot)].previous = tail
        infos[Int(slot)].next = 0
        if tail == 0 { head = slot } else { infos[Int(tail)].next = slot }
        tail = slot
    }

    mutating func remove(_ slot: UInt32, _ infos: UnsafeMutablePointer<SegmentInfo>) {
        let info = infos[Int(slot)]
        if info.previous == 0 {
            head = info.next
        } else {
            infos[Int(info.previous)].next = info.next
        }
        if info.next == 0 {
            tail = info.previous
        } else {
            infos[Int(info.next)].previous = info.previous
        }
        infos[Int(slot)].next = 0
        infos[Int(slot)].previous = 0
    }
}

/// A segment that items of one class are being appended to.
struct OpenSegment {
    var slot: UInt32 = 0
    var ttlClass: UInt8 = 0
    var isMain = false
}
