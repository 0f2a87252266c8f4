// Which items of a segment survive an eviction.

/// The cutoff that keeps the items worth most within a budget of bytes.
struct MergeChoice {
    /// Bytes by rank.
    typealias Histogram = InlineArray<64, Int>

    /// Items of a higher rank stay, those of a lower one go, and of those in between ``tieBytes``
    /// stay.
    private var cutoff = 0
    private var tieBytes = 0
    /// Bytes that may stay whatever the histogram said: it may come from a sample.
    private var limit: Int

    /// Finds the rank at which the budget is used up; items that nobody read never stay.
    init(_ bytesByRank: Histogram, budget: Int) {
        limit = budget + budget / 4
        var rest = budget
        for rank in stride(from: 63, through: 1, by: -1) {
            guard bytesByRank[rank] <= rest else {
                cutoff = rank
                tieBytes = rest
                return
            }
            rest -= bytesByRank[rank]
        }
    }

    /// Whether an item stays; asked once for each.
    mutating func keeps(_ frequency: Int, bytes: Int) -> Bool {
        let rank = Self.rank(frequency, bytes: bytes)
        guard limit >= bytes else { return false }
        if rank <= cutoff {
            guard rank == cutoff && tieBytes >= bytes else { return false }
            tieBytes -= bytes
        }
        limit -= bytes
        return true
    }

    /// What an item is worth: 0 where nobody read it, else its frequency by the square root of its
    /// bytes.
    ///
    /// In steps of a quarter of a doubling. Dividing by all of the bytes would empty the cache of
    /// large values.
    @inline(__always)
    static func rank(_ frequency: Int, bytes: Int) -> Int {
        guard frequency > 0 else { return 0 }
        return max(1, min(63, 41 + quarterLog(frequency) - quarterLog(bytes) / 2))
    }

    /// Four times the logarithm to base 2, fractions linear.
    @inline(__always)
    private static func quarterLog(_ number: Int) -> Int {
        let log = 63 - number.leadingZeroBitCount
        return log * 4 + ((number << 2) >> log & 3)
    }
}
