// Key hash -> where the item lies. Linear hashing (Litwin, VLDB 1980) over 64-byte buckets: the
// table grows by one bucket at a time, so no insert ever waits for a rehash and the load stays near
// its target.
//
// A bucket is eight words. A word of 0 is empty; otherwise
//
//   63..52 tag (never 0)   51..44 frequency   43..20 segment slot   19..0 offset in the segment / 4
//
// Words that would be empty remember what was evicted: a ghost has frequency 0, slot 0, and when it
// was evicted instead of an offset. It costs nothing, and its key, coming back, is known to be
// worth more than a new one.
//
// When a bucket overflows, its last word becomes a link (tag 0): the number of an overflow bucket.
// Chains are at most ``chainLimit`` buckets long: a flood of colliding keys evicts its own kind and
// slows nobody.
internal import CIntrinsics
internal import Primitives

/// A position in segment memory, as an index word holds it.
struct ItemPosition: Equatable {
    var slot: UInt32
    /// Bytes from the segment's beginning, a multiple of 4.
    var offset: Int

    @inline(__always)
    init(slot: UInt32, offset: Int) {
        self.slot = slot
        self.offset = offset
    }

    @inline(__always)
    init(word: UInt64) {
        slot = UInt32(truncatingIfNeeded: word >> 20) & 0xFF_FFFF
        offset = Int(truncatingIfNeeded: word & 0xF_FFFF) &* 4
    }

    @inline(__always)
    var bits: UInt64 { UInt64(slot) << 20 | UInt64(offset >> 2) }
}

/// The words of one index, and how it grows.
struct Index {
    typealias Word = UnsafeMutablePointer<UInt64>

    static let wordsPerBucket = 8
    static let bucketBytes = 64
    /// Buckets in one chain, the main one included.
    static let chainLimit = 6
    /// Items per bucket above which the table grows: 5.5, doubled to stay whole.
    static let doubledLoad = 11

    static let tagShift: UInt64 = 52
    static let frequencyShift: UInt64 = 44
    static let tagMask: UInt64 = 0xFFF << 52
    static let slotMask: UInt64 = 0xFF_FFFF << 20
    /// Bits of a ghost's eviction time.
    static let timeMask: UInt64 = (1 << 20) - 1
    static let frequencyMask: UInt64 = 0xFF << 44
    static let positionMask: UInt64 = (1 << 44) - 1

    let base: Word
    let overflowBase: Word
    let bucketLimit: Int
    let overflowLimit: Int
    /// Shared with ``IndexProbe``: low 6 bits the level, the rest the next bucket to split.
    let geometry: Word
    var levelMask: UInt64
    var split = 0
    /// Overflow bucket 0 is never used: a link of 0 would be an empty word.
    var overflowUsed = 1
    /// Head of the free list, linked by each bucket's first word.
    var overflowFree: UInt64 = 0
    var itemCount = 0

    /// Buckets a new index has.
    static let initialBuckets = 64

    init(memory: IndexMemory) {
        base = memory.buckets
        overflowBase = memory.overflow
        bucketLimit = memory.bucketLimit
        overflowLimit = memory.overflowLimit
        geometry = memory.geometry
        levelMask = UInt64(Self.initialBuckets - 1)
        publishGeometry()
    }

    /// Buckets in use, overflow buckets not counted.
    var bucketCount: Int { Int(levelMask) + 1 + split }

    /// Bytes of buckets that have been touched.
    var bytes: Int { (bucketCount + overflowUsed) * Self.bucketBytes }

    func publishGeometry() {
        let level = UInt64(levelMask.nonzeroBitCount)
        kiln_store_relaxed(geometry, UInt64(split) << 6 | level)
    }

    @inline(__always)
    static func tag(_ mixed: UInt64) -> UInt64 {
        let tag = mixed >> tagShift
        return (tag == 0 ? 1 : tag) << tagShift
    }

    @inline(__always)
    func bucketNumber(_ mixed: UInt64) -> Int {
        var number = mixed & levelMask
        if number < UInt64(split) { number = mixed & (levelMask &<< 1 | 1) }
        return Int(truncatingIfNeeded: number)
    }

    @inline(__always)
    func bucket(_ number: Int) -> Word { base + number &* Self.wordsPerBucket }

    /// The next bucket of a chain, if `bucket` ends in a link.
    @inline(__always)
    func next(after bucket: Word) -> Word? {
        let last = kiln_load_relaxed(bucket + 7)
        guard last != 0 && last >> Self.tagShift == 0 else { return nil }
        return overflowBase + Int(truncatingIfNeeded: last) &* Self.wordsPerBucket
    }

    /// Whether a word points to an item; a ghost, a link and an empty word don't.
    @inline(__always)
    static func isItem(_ word: UInt64) -> Bool { word >> tagShift != 0 && word & slotMask != 0 }

    /// Whether a word points to an item with this tag, in one comparison: a ghost is below slot 1.
    @inline(__always)
    static func isItem(_ word: UInt64, tagged tag: UInt64) -> Bool {
        (word ^ tag) &- (1 << 20) < (1 << tagShift) - (1 << 20)
    }

    /// Calls `matches` for each word with the hash's tag until it answers true; that word's
    /// address.
    @inline(__always)
    func find(_ mixed: UInt64, where matches: (ItemPosition) -> Bool) -> Word? {
        let tag = Self.tag(mixed)
        var current = bucket(bucketNumber(mixed))
        while true {
            for position in 0..<Self.wordsPerBucket {
                let word = kiln_load_relaxed(current + position)
                if Self.isItem(word, tagged: tag) && matches(ItemPosition(word: word)) {
                    return current + position
                }
            }
            guard let following = next(after: current) else { return nil }
            current = following
        }
    }

    /// The word that points to `position`, or nil.
    func find(_ mixed: UInt64, at position: ItemPosition) -> Word? {
        let wanted = position.bits
        let tag = Self.tag(mixed)
        var current = bucket(bucketNumber(mixed))
        while true {
            for slot in 0..<Self.wordsPerBucket {
                let word = kiln_load_relaxed(current + slot)
                if word & ~Self.frequencyMask == tag | wanted { return current + slot }
            }
            guard let following = next(after: current) else { return nil }
            current = following
        }
    }

    @inline(__always)
    func prefetch(_ mixed: UInt64) {
        kiln_prefetch_write(bucket(bucketNumber(mixed)))
    }

    // MARK: Words

    @inline(__always)
    static func frequency(_ word: Word) -> Int {
        Int(truncatingIfNeeded: (kiln_load_relaxed(word) & frequencyMask) >> frequencyShift)
    }

    @inline(__always)
    static func setFrequency(_ word: Word, _ frequency: Int) {
        let old = kiln_load_relaxed(word)
        kiln_store_relaxed(
            word, old & ~frequencyMask | UInt64(min(255, frequency)) << frequencyShift)
    }

    @inline(__always)
    static func setPosition(_ word: Word, _ position: ItemPosition) {
        kiln_store_relaxed(word, kiln_load_relaxed(word) & ~positionMask | position.bits)
    }

    @inline(__always)
    static func position(_ word: Word) -> ItemPosition {
        ItemPosition(word: kiln_load_relaxed(word))
    }

    // MARK: Changes

    /// Leaves a ghost where an item was evicted.
    mutating func bury(_ word: Word, at time: UInt64) {
        let old = kiln_load_relaxed(word)
        assert(Self.isItem(old), "an empty word or a link became a ghost")
        kiln_store_relaxed(word, old & Self.tagMask | time & Self.timeMask)
        itemCount -= 1
    }

    /// Empties a word of the index.
    mutating func remove(_ word: Word) {
        assert(Self.isItem(kiln_load_relaxed(word)), "an empty word or a link was removed")
        kiln_store_relaxed(word, 0)
        itemCount -= 1
    }

    /// The word that makes room in a chain at its limit: the least read one with the tag of
    /// `mixed`, so that a flood of colliding keys pushes its own kind out; without any such, the
    /// least read of all.
    func coldest(_ mixed: UInt64) -> Word? {
        let tag = Self.tag(mixed)
        var best: Word?
        var lowest = Int.max
        var current = bucket(bucketNumber(mixed))
        while true {
            for slot in 0..<Self.wordsPerBucket {
                let word = current + slot
                let value = kiln_load_relaxed(word)
                guard Self.isItem(value) else { continue }
                let isAlike = (value ^ tag) >> Self.tagShift == 0
                let rank = Self.frequency(word) + (isAlike ? 0 : 256)
                if rank < lowest {
                    lowest = rank
                    best = word
                }
            }
            guard let following = next(after: current) else { return best }
            current = following
        }
    }
}

/// The raw memory of one index; reserved by the shell, touched as the index grows.
struct IndexMemory {
    var buckets: UnsafeMutablePointer<UInt64>
    var bucketLimit: Int
    var overflow: UnsafeMutablePointer<UInt64>
    var overflowLimit: Int
    var geometry: UnsafeMutablePointer<UInt64>
}
