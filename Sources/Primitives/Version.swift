// The number that decides which of two values of a key is newer.

/// The version of an item: 26 bits of ownership epoch, then 37 bits of a per-shard counter.
///
/// Versions of one key only ever rise: a shard mints them one after another, and a new owner's
/// epoch is higher than the one before. It is also the CAS unique that clients see, so it is never
/// 0.
public struct Version: Comparable, Hashable, Sendable {
    /// Bits of the counter within one ownership epoch.
    public static let counterBits: UInt64 = 37

    /// The highest counter value before a shard has to ask for a new ownership epoch.
    public static let counterLimit: UInt64 = 1 << 36

    /// The highest ownership epoch.
    public static let epochLimit: UInt64 = (1 << 26) - 1

    /// The 63-bit number.
    public var value: UInt64

    /// Wraps a stored version.
    @inlinable
    public init(value: UInt64) {
        self.value = value
    }

    /// Composes a version.
    ///
    /// - Precondition: Both numbers fit their fields.
    @inlinable
    public init(epoch: UInt64, counter: UInt64) {
        precondition(
            epoch <= Self.epochLimit && counter < 1 << Self.counterBits,
            "version out of range: epoch \(epoch), counter \(counter)")
        value = epoch << Self.counterBits | counter
    }

    /// Whether `lhs` is older than `rhs`.
    @inlinable
    public static func < (lhs: Version, rhs: Version) -> Bool {
        lhs.value < rhs.value
    }
}
