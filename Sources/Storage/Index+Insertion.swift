// A new item takes a ghost's word or an empty one of its chain, or lengthens the chain.
internal import CIntrinsics

extension Index {
    /// Adds an item that is not there yet; nil when its chain is at its limit.
    ///
    /// An item whose ghost is at most `memory` old begins as read once.
    ///
    /// - Parameters:
    ///   - mixed: The mixed hash of its key.
    ///   - position: Where it lies.
    ///   - time: What ``bury(_:at:)`` would be told now.
    ///   - memory: The age up to which a ghost counts.
    /// - Returns: Its word.
    mutating func insert(
        _ mixed: UInt64, _ position: ItemPosition, at time: UInt64, memory: UInt64
    ) -> Word? {
        let tag = Self.tag(mixed)
        let chain = bucket(bucketNumber(mixed))
        let place = findPlace(chain, tag: tag, at: time)
        let isKnown = place.ghostAge <= memory
        let value = tag | (isKnown ? 1 : 0) << Self.frequencyShift | position.bits
        if let word = place.word {
            kiln_store_relaxed(word, value)
            itemCount += 1
            return word
        }
        guard let word = extend(place.last, with: value, chain: chain) else { return nil }
        itemCount += 1
        return word
    }

    /// Where a new item's word may go.
    private struct Place {
        /// The last bucket looked at.
        var last: Word
        /// The key's own ghost, or the first empty word, or the oldest ghost.
        var word: Word?
        /// Age of the key's own ghost; endless without one.
        var ghostAge = UInt64.max
    }

    @inline(__always)
    private func findPlace(_ chain: Word, tag: UInt64, at time: UInt64) -> Place {
        var place = Place(last: chain)
        var oldest: Word?
        var oldestAge: UInt64 = 0
        while true {
            for slot in 0..<Self.wordsPerBucket {
                let word = kiln_load_relaxed(place.last + slot)
                if word == 0 {
                    if place.word == nil { place.word = place.last + slot }
                    continue
                }
                if Self.isItem(word) || word >> Self.tagShift == 0 { continue }
                let age = (time &- word) & Self.timeMask
                if (word ^ tag) >> Self.tagShift == 0 {
                    return Place(last: place.last, word: place.last + slot, ghostAge: age)
                }
                if age >= oldestAge {
                    oldestAge = age
                    oldest = place.last + slot
                }
            }
            guard let following = next(after: place.last) else { break }
            place.last = following
        }
        place.word = place.word ?? oldest
        return place
    }

    /// Puts `value` into the first empty word of a chain without ghosts, lengthening it where it is
    /// full.
    mutating func insert(_ value: UInt64, chain: Word) -> Word? {
        var current = chain
        while true {
            for slot in 0..<Self.wordsPerBucket where kiln_load_relaxed(current + slot) == 0 {
                kiln_store_relaxed(current + slot, value)
                return current + slot
            }
            guard let following = next(after: current) else {
                return extend(current, with: value, chain: chain)
            }
            current = following
        }
    }

    /// Links a new overflow bucket behind the full `last`; its displaced word and `value` go there.
    ///
    /// Only when every word of the chain is an item or a link.
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
}
