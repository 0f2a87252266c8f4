// Key hash -> where the item lies. Linear hashing (Litwin, VLDB 1980) over 64-byte buckets: the table grows
// by one bucket at a time, so no insert ever waits for a rehash and the load stays near its target.
//
// A bucket is eight words. A word of 0 is empty; otherwise
//
//   63..52 tag (never 0)   51..44 frequency   43..20 segment slot   19..0 offset in the segment / 4
//
// When a bucket overflows, its last word becomes a link (tag 0): the number of an overflow bucket. Chains are
// at most ``chainLimit`` buckets long: a flood of colliding keys evicts its own kind and slows nobody.
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

    private static let tagShift: UInt64 = 52
    private static let frequencyShift: UInt64 = 44
    static let frequencyMask: UInt64 = 0xFF << 44
    static let positionMask: UInt64 = (1 << 44) - 1

    private let base: Word
    private let overflowBase: Word
    private let bucketLimit: Int
    private let overflowLimit: Int
    /// Shared with ``IndexProbe``: low 6 bits the level, the rest the next bucket to split.
    private let geometry: Word
    private var levelMask: UInt64
    private var split = 0
    private var overflowUsed = 1  // Overflow bucket 0 is never used: a link of 0 would be an empty word.
    private var overflowFree: UInt64 = 0  // Head of the free list, linked by each bucket's first word.
    private(set) var itemCount = 0

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

    private func publishGeometry() {
        let level = UInt64(levelMask.nonzeroBitCount)
        kiln_store_relaxed(geometry, UInt64(split) << 6 | level)
    }

    @inline(__always)
    static func tag(_ mixed: UInt64) -> UInt64 {
        let tag = mixed >> tagShift
        return (tag == 0 ? 1 : tag) << tagShift
    }

    @inline(__always)
    private func bucketNumber(_ mixed: UInt64) -> Int {
        var number = mixed & levelMask
        if number < UInt64(split) { number = mixed & (levelMask &<< 1 | 1) }
        return Int(truncatingIfNeeded: number)
    }

    @inline(__always)
    private func bucket(_ number: Int) -> Word { base + number &* Self.wordsPerBucket }

    /// The next bucket of a chain, if `bucket` ends in a link.
    @inline(__always)
    private func next(after bucket: Word) -> Word? {
        let last = kiln_load_relaxed(bucket + 7)
        guard last != 0 && last >> Self.tagShift == 0 else { return nil }
        return overflowBase + Int(truncatingIfNeeded: last) &* Self.wordsPerBucket
    }

    static func isItem(_ word: UInt64) -> Bool { word >> tagShift != 0 }

    /// Calls `matches` for each word with the hash's tag until it answers true; that word's address.
    @inline(__always)
    func find(_ mixed: UInt64, where matches: (ItemPosition) -> Bool) -> Word? {
        let tag = Self.tag(mixed)
        var current = bucket(bucketNumber(mixed))
        while true {
            for position in 0..<Self.wordsPerBucket {
                let word = kiln_load_relaxed(current + position)
                if (word ^ tag) >> Self.tagShift == 0 && matches(ItemPosition(word: word)) {
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

    /// Adds an item that is not there yet; nil when its chain is at its limit.
    mutating func insert(_ mixed: UInt64, _ position: ItemPosition, frequency: Int = 0) -> Word? {
        let value = Self.tag(mixed) | UInt64(frequency) << Self.frequencyShift | position.bits
        guard let word = insert(value, chain: bucket(bucketNumber(mixed))) else { return nil }
        itemCount += 1
        return word
    }

    /// Puts `value` into the first free word of a chain, lengthening the chain where it is full.
    private mutating func insert(_ value: UInt64, chain: Word) -> Word? {
        var current = chain
        for _ in 0..<Self.chainLimit {
            for slot in 0..<Self.wordsPerBucket where kiln_load_relaxed(current + slot) == 0 {
                kiln_store_relaxed(current + slot, value)
                return current + slot
            }
            if let following = next(after: current) {
                current = following
                continue
            }
            return extend(current, with: value, chain: chain)
        }
        return nil
    }

    /// Links a new overflow bucket behind the full `last`; its displaced word and `value` go there.
    private mutating func extend(_ last: Word, with value: UInt64, chain: Word) -> Word? {
        guard chainLength(chain) < Self.chainLimit, let number = takeOverflow() else { return nil }
        let fresh = overflowBase + Int(number) * Self.wordsPerBucket
        kiln_store_relaxed(fresh, kiln_load_relaxed(last + 7))
        kiln_store_relaxed(fresh + 1, value)
        for slot in 2..<Self.wordsPerBucket { kiln_store_relaxed(fresh + slot, 0) }
        kiln_store_relaxed(last + 7, number)
        return fresh + 1
    }

    private func chainLength(_ chain: Word) -> Int {
        var length = 1
        var current = chain
        while let following = next(after: current) {
            length += 1
            current = following
        }
        return length
    }

    private mutating func takeOverflow() -> UInt64? {
        if overflowFree != 0 {
            let number = overflowFree
            overflowFree = kiln_load_relaxed(overflowBase + Int(number) * Self.wordsPerBucket)
            return number
        }
        guard overflowUsed < overflowLimit else { return nil }
        defer { overflowUsed += 1 }
        return UInt64(overflowUsed)
    }

    /// Empties a word of the index.
    mutating func remove(_ word: Word) {
        assert(Self.isItem(kiln_load_relaxed(word)), "an empty word or a link was removed")
        kiln_store_relaxed(word, 0)
        itemCount -= 1
    }

    /// The word that makes room in a chain at its limit: the least read one with the tag of `mixed`, so that
    /// a flood of colliding keys pushes its own kind out; without any such, the least read of all.
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

    // MARK: Growth

    var wantsToGrow: Bool {
        itemCount &* 2 > bucketCount &* Self.doubledLoad && bucketCount < bucketLimit
    }

    /// The positions in the bucket that is split next, so that their keys can be fetched ahead of time.
    @inline(__always)
    func forEachInNextSplit(_ body: (ItemPosition) -> Void) {
        let chain = bucket(split)
        for slot in 0..<Self.wordsPerBucket {
            let word = kiln_load_relaxed(chain + slot)
            if Self.isItem(word) { body(ItemPosition(word: word)) }
        }
    }

    /// Splits one bucket: at most `chainLimit` buckets are read and written.
    ///
    /// - Parameter mixedHash: The mixed hash of the key at a position; the index keeps 12 bits of it only.
    mutating func grow(mixedHash: (ItemPosition) -> UInt64) {
        let old = bucket(split)
        let newNumber = UInt64(split) | (levelMask + 1)
        let fresh = bucket(Int(newNumber))
        var words = InlineArray<48, UInt64>(repeating: 0)
        let count = drain(old, into: &words)
        for slot in 0..<Self.wordsPerBucket { kiln_store_relaxed(fresh + slot, 0) }
        let fullMask = levelMask << 1 | 1
        for position in 0..<count {
            let word = words[position]
            let number = mixedHash(ItemPosition(word: word)) & fullMask
            _ = insert(word, chain: number == newNumber ? fresh : old)
        }
        split += 1
        if split > Int(levelMask) {
            levelMask = fullMask
            split = 0
        }
        publishGeometry()
        kiln_prefetch_write(bucket(split))
        kiln_prefetch_write(bucket(split | Int(levelMask + 1)))
    }

    /// Takes every item word out of a chain and frees its overflow buckets.
    private mutating func drain(_ chain: Word, into words: inout InlineArray<48, UInt64>) -> Int {
        var count = 0
        var current: Word? = chain
        while let bucket = current {
            current = next(after: bucket)
            for slot in 0..<Self.wordsPerBucket {
                let word = kiln_load_relaxed(bucket + slot)
                if Self.isItem(word) {
                    words[count] = word
                    count += 1
                }
                kiln_store_relaxed(bucket + slot, 0)
            }
            if bucket != chain {
                kiln_store_relaxed(bucket, overflowFree)
                overflowFree = UInt64((bucket - overflowBase) / Self.wordsPerBucket)
            }
        }
        return count
    }

    // MARK: Walking

    /// Calls `body` with every item word of one bucket's chain.
    func forEach(bucket number: Int, _ body: (Word) -> Void) {
        var current: Word? = bucket(number)
        while let words = current {
            for slot in 0..<Self.wordsPerBucket where Self.isItem(kiln_load_relaxed(words + slot)) {
                body(words + slot)
            }
            current = next(after: words)
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
