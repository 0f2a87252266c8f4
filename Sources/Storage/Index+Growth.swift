// The index grows by one bucket at a time, and is walked bucket by bucket.
internal import CIntrinsics

extension Index {
    var wantsToGrow: Bool {
        itemCount &* 2 > bucketCount &* Self.doubledLoad && bucketCount < bucketLimit
    }

    /// The positions in the bucket that is split next, so that their keys can be fetched ahead of
    /// time.
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
    /// - Parameter mixedHash: The mixed hash of the key at a position; the index keeps 12 bits of
    ///   it only.
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
