// One pool of memory for all shards: who holds how many segments, and which ones are free.

/// Hands out segments of one reserved range of addresses to the shards, within one memory limit.
///
/// A slot is a segment-sized piece of the range. The range is larger than the limit, so that a run
/// of neighbouring slots (for a value larger than a segment) is found without moving anything. A
/// slot is *backed* once it has been handed out: it may hold pages of real memory, until the shell
/// drops them (``takeDropped()``). Slots are numbered from 1. Every call costs O(slots / 64) at the
/// worst.
public struct SegmentPool: Sendable {
    /// The bytes of all segments, indexes and connection buffers may not exceed this.
    public var limitBytes: Int
    /// Bytes of a segment.
    public let segmentBytes: Int
    /// Bytes charged for memory that is not in segments (indexes, connection buffers).
    public private(set) var chargedBytes = 0
    /// Slots in use.
    public private(set) var usedSlots = 0

    private let slotCount: Int
    private let floorPerShard: Int
    private var used: [UInt64]  // Bit per slot.
    private var backed: [UInt64]
    private var backedSlots = 0
    private var held: [Int]  // Slots per shard.
    private var dropped: [Range<Int>] = []
    private var searchStart = 0

    /// Creates a pool.
    ///
    /// - Parameters:
    ///   - limitBytes: The memory limit.
    ///   - segmentBytes: Bytes of a segment, a power of two.
    ///   - slotCount: Slots of the reserved range.
    ///   - shardCount: Shards that draw from the pool; each is sure of a quarter of its fair share.
    public init(limitBytes: Int, segmentBytes: Int, slotCount: Int, shardCount: Int) {
        precondition(segmentBytes.nonzeroBitCount == 1, "\(segmentBytes) is no power of two")
        self.limitBytes = limitBytes
        self.segmentBytes = segmentBytes
        self.slotCount = slotCount
        floorPerShard = max(4, limitBytes / segmentBytes / shardCount / 4)
        let words = (slotCount + 1 + 63) / 64
        used = Array(repeating: 0, count: words)
        backed = Array(repeating: 0, count: words)
        used[0] = 1  // Slot 0 is never handed out: an index word of 0 is an empty one.
        held = Array(repeating: 0, count: shardCount)
    }

    /// Whether the shards hold more than the limit allows, because something else was charged
    /// since.
    public var isOvercommitted: Bool {
        usedSlots * segmentBytes + chargedBytes > limitBytes
    }

    /// Notes `bytes` more (or fewer) of memory outside segments.
    public mutating func charge(_ bytes: Int) {
        chargedBytes += bytes
        assert(chargedBytes >= 0, "more was given back than charged: \(chargedBytes)")
    }

    /// Takes `count` neighbouring slots for a shard and answers the first, or nil when the limit is
    /// reached.
    public mutating func acquire(_ count: Int, shard: Int) -> UInt32? {
        let wanted = (usedSlots + count) * segmentBytes + chargedBytes
        guard wanted <= limitBytes || held[shard] + count <= floorPerShard else { return nil }
        guard let first = findRun(count) else { return nil }
        makeRoom(for: first..<first + count)
        for slot in first..<first + count {
            used[slot >> 6] |= 1 << UInt64(slot & 63)
            if backed[slot >> 6] >> UInt64(slot & 63) & 1 == 0 {
                backed[slot >> 6] |= 1 << UInt64(slot & 63)
                backedSlots += 1
            }
        }
        usedSlots += count
        held[shard] += count
        return UInt32(first)
    }

    /// Gives `count` slots from `first` on back.
    public mutating func release(_ first: UInt32, count: Int, shard: Int) {
        for slot in Int(first)..<Int(first) + count {
            precondition(
                used[slot >> 6] >> UInt64(slot & 63) & 1 == 1, "slot \(slot) is free already")
            used[slot >> 6] &= ~(1 << UInt64(slot & 63))
        }
        usedSlots -= count
        held[shard] -= count
        searchStart = min(searchStart, Int(first) >> 6)
        dropExcess(keeping: 0..<0, needed: 0)
    }

    /// The slots whose pages the shell must give back to the system before anything else is done.
    public mutating func takeDropped() -> [Range<Int>] {
        defer { dropped.removeAll(keepingCapacity: true) }
        return dropped
    }

    /// Whether ``takeDropped()`` has anything to tell.
    public var hasDropped: Bool { !dropped.isEmpty }

    private func isFree(_ slot: Int) -> Bool {
        used[slot >> 6] >> UInt64(slot & 63) & 1 == 0
    }

    /// First fit from the low end, so that slots already backed are used again first.
    private mutating func findRun(_ count: Int) -> Int? {
        while searchStart < used.count && used[searchStart] == ~0 { searchStart += 1 }
        var slot = searchStart << 6
        var run = 0
        while slot <= slotCount {
            if slot & 63 == 0 && used[slot >> 6] == ~0 {
                run = 0
                slot += 64
                continue
            }
            run = isFree(slot) ? run + 1 : 0
            if run == count { return slot - count + 1 }
            slot += 1
        }
        return nil
    }

    /// Drops free backed slots when the wanted ones would lift real memory above the limit.
    private mutating func makeRoom(for wanted: Range<Int>) {
        let fresh = wanted.reduce(into: 0) { total, slot in
            total += backed[slot >> 6] >> UInt64(slot & 63) & 1 == 0 ? 1 : 0
        }
        if fresh > 0 { dropExcess(keeping: wanted, needed: fresh) }
    }

    private mutating func dropExcess(keeping wanted: Range<Int>, needed: Int) {
        let allowed = max(0, limitBytes - chargedBytes) / segmentBytes
        var excess = backedSlots + needed - max(allowed, usedSlots)
        guard excess > 0 && backedSlots > usedSlots else { return }
        for word in stride(from: used.count - 1, through: 0, by: -1) where excess > 0 {
            var candidates = backed[word] & ~used[word]
            while candidates != 0 && excess > 0 {
                let bit = 63 - candidates.leadingZeroBitCount
                candidates &= ~(1 << UInt64(bit))
                let slot = word << 6 + bit
                if wanted.contains(slot) { continue }
                backed[word] &= ~(1 << UInt64(bit))
                backedSlots -= 1
                excess -= 1
                dropped.append(slot..<slot + 1)
            }
        }
    }
}
