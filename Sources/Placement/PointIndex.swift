// Finds the first of many sorted positions that is not before another, without a search.

/// For equal parts of all positions, where in a sorted list their first member stands.
///
/// Positions are hashes, so a list of n of them has about one in each of n parts, and a look-up
/// takes less than two steps on average whatever n is.
struct PointIndex: Equatable, Sendable {
    /// A position shifted right by this is its part.
    let shift: UInt64
    /// For each part, the index of the first position that is not before it.
    let first: [UInt32]

    /// Indexes `positions`, which are in order.
    init(_ positions: [UInt64]) {
        let bits = max(1, Int.bitWidth - max(1, positions.count - 1).leadingZeroBitCount)
        let shift = UInt64(64 - bits)
        var first: [UInt32] = []
        first.reserveCapacity(1 << bits)
        var index = 0
        for part in 0..<UInt64(1) << UInt64(bits) {
            while index < positions.count, positions[index] < part &<< shift { index += 1 }
            first.append(UInt32(index))
        }
        self.shift = shift
        self.first = first
    }

    /// Where to begin to look for `position`.
    @inline(__always)
    func start(_ position: UInt64) -> Int {
        Int(first[Int(truncatingIfNeeded: position &>> shift)])
    }
}
