// Placement by the order of keys, for clusters whose keys are read in ranges or by prefix.
//
// Keys of one application tend to share a beginning, so the boundaries' common prefix is compared
// once, and the search goes over the 8 bytes that follow it as one number. Only boundaries that
// agree in those, too, are compared as a whole.

/// Boundaries between ranges of keys, searched by key.
///
/// A range goes from its boundary, with it, to the next, without it; the first has no boundary
/// before it. A look-up compares the prefix and takes log2 of the number of boundaries steps; it
/// allocates nothing.
public struct RangeMap: Equatable, Sendable {
    /// Most boundaries.
    public static let splitLimit = 1 << 16
    /// Most bytes of a boundary: as long as a key can be.
    public static let splitBytesLimit = 250
    private static let digestBytes = 8

    /// The boundaries in order.
    public let splits: [[UInt8]]
    /// What all boundaries begin with.
    private let prefix: [UInt8]
    /// For each boundary the bytes behind the prefix, big endian, zeros after its end.
    ///
    /// Where two differ, they are in the order of what they stand for.
    private let digests: [UInt64]

    /// Takes the boundaries, in any order; none make one range of all keys.
    ///
    /// - Throws: ``PlacementError`` where one is empty, too long or named twice.
    public init(_ splits: [[UInt8]]) throws(PlacementError) {
        let sorted = splits.sorted { $0.lexicographicallyPrecedes($1) }
        try Self.check(sorted)
        self.init(checked: sorted)
    }

    init(checked splits: [[UInt8]]) {
        self.splits = splits
        // Of sorted texts the first and the last differ soonest.
        let ends = zip(splits.first ?? [], splits.last ?? [])
        let prefix = ends.prefix { $0 == $1 }.map(\.0)
        digests = splits.map { Self.digest(of: $0.span.bytes, from: prefix.count) }
        self.prefix = prefix
    }

    /// Throws what is wrong with boundaries that should be in order.
    static func check(_ splits: [[UInt8]]) throws(PlacementError) {
        guard splits.count <= splitLimit else {
            throw .tooManySplits(count: splits.count, limit: splitLimit)
        }
        for split in splits {
            guard (1...splitBytesLimit).contains(split.count) else {
                throw .splitLengthOutOfRange(count: split.count, limit: splitBytesLimit)
            }
        }
        for (split, next) in zip(splits, splits.dropFirst()) {
            guard split.lexicographicallyPrecedes(next) else {
                throw .splitsOutOfOrder(.boundary(next))
            }
        }
    }

    /// How many boundaries are not after `key`: the index of its range.
    public func index(ofKey key: RawSpan) -> Int {
        switch Self.compare(key, prefix, through: prefix.count) {
        case .before: return 0
        case .after: return splits.count
        case .equal: break
        }
        let digest = Self.digest(of: key, from: prefix.count)
        var (low, high) = (0, digests.count)
        while low < high {
            let middle = (low &+ high) &>> 1
            if isSplit(middle, notAfter: key, digest) { low = middle &+ 1 } else { high = middle }
        }
        return low
    }
}

extension RangeMap {
    private enum Order {
        case before, equal, after
    }

    /// Whether a boundary is `key` or before it, where both begin with the prefix.
    private func isSplit(_ index: Int, notAfter key: RawSpan, _ digest: UInt64) -> Bool {
        if digests[index] != digest { return digests[index] < digest }
        return Self.compare(key, splits[index], through: .max) != .before
    }

    /// Where the first `limit` bytes of `key` are in the order of bytes, seen from `other`.
    private static func compare(_ key: RawSpan, _ other: [UInt8], through limit: Int) -> Order {
        let count = min(key.byteCount, limit)
        for offset in 0..<min(count, other.count) {
            let byte = key.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            if byte != other[offset] { return byte < other[offset] ? .before : .after }
        }
        if count == other.count { return .equal }
        return count < other.count ? .before : .after
    }

    /// The 8 bytes of `key` from `start` on.
    private static func digest(of key: RawSpan, from start: Int) -> UInt64 {
        if key.byteCount >= start &+ digestBytes {
            let word = key.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
            return UInt64(bigEndian: word)
        }
        var word: UInt64 = 0
        for offset in 0..<digestBytes {
            let place = start &+ offset
            guard place < key.byteCount else {
                return word &<< UInt64(8 &* (digestBytes &- offset))
            }
            word = word &<< 8 | UInt64(key.unsafeLoad(fromByteOffset: place, as: UInt8.self))
        }
        return word
    }
}
