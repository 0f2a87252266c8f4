// Randomness that can be replayed.

/// A small random generator (SplitMix64: Steele, Lea and Flood, OOPSLA 2014) with its whole state
/// in one word: the same seed gives the same sequence, on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    @usableFromInline
    var state: UInt64

    /// Starts the sequence that belongs to `seed`.
    @inlinable
    public init(seed: UInt64) {
        state = seed
    }

    /// The next 64 bits.
    @inlinable
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z &>> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z &>> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z &>> 31)
    }
}
