// One hash per key and request; ring, shard, index and sketch each take other bits of it.
internal import CXXHash

/// The XXH3-64 hash of a key's bytes (seed 0), the same on every node and in every release.
///
/// The ring uses it as it is. Everything that lives inside one process mixes in a secret first
/// (``mixed(with:)``), so that nobody outside can aim keys at one bucket.
public struct KeyHash: Hashable, Sendable {
    /// The hash itself.
    public var value: UInt64

    /// Wraps a hash computed elsewhere.
    @inlinable
    public init(value: UInt64) {
        self.value = value
    }

    /// Hashes `key`; about 5 ns for a key of 16 bytes.
    public init(of key: RawSpan) {
        value = key.withUnsafeBytes { bytes in
            kiln_xxh3_64(bytes.baseAddress, UInt(bytes.count))
        }
    }

    /// The hash combined with a per-process secret: one xor, one multiplication, one fold.
    @inlinable
    public func mixed(with secret: UInt64) -> UInt64 {
        let product = (value ^ secret).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }
}
