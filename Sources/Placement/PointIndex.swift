// Finds the first of many sorted positions that is not before another, without a search.

/// For equal parts of all positions, where in a sorted list their first member stands.
///
/// Positions are hashes, so most parts have one of them or none, and a look-up takes less than two
/// steps on average, however many there are.
@usableFromInline
struct PointIndex: Equatable, Sendable {
    /// A position shifted right by this is its part.
    @usableFromInline let shift: UInt64
    /// For each part, the index of the first position that is not before it.
    @usableFromInline let first: [UInt32]

    /// Indexes `positions`, which are in order.
    init(_ positions: [UInt64]) {
        // Two to four parts for each position: with one to two, look-ups take half as long again,
        // since more of them guess wrong whether to go on.
        let bits = Int.bitWidth - max(1, positions.count - 1).leadingZeroBitCount + 1
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
    @inlinable
    func start(_ position: UInt64) -> Int {
        Int(first[Int(truncatingIfNeeded: position &>> shift)])
    }
}
