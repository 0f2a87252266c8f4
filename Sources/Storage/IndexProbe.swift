// Cache lines fetched before the lock is taken: where most of the data path's speed comes from.
internal import CIntrinsics
public import Primitives

/// Fetches the cache lines that a look-up is about to need, without the shard's lock.
///
/// It only guesses: it reads single words that others may be changing, takes no decision, and never
/// touches an address outside the store's ranges. A wrong guess costs one useless cache line.
public struct IndexProbe: Sendable {
    private let index: UInt
    private let segments: UInt
    private let geometry: UInt
    private let segmentShift: UInt64
    private let secret: UInt64

    init(memory: StoreMemory, segmentBytes: Int, secret: UInt64) {
        index = memory.index
        segments = memory.segments
        geometry = memory.geometry
        segmentShift = UInt64(segmentBytes.trailingZeroBitCount)
        self.secret = secret
    }

    @inline(__always)
    private func bucket(_ mixed: UInt64) -> UnsafePointer<UInt64>? {
        guard let words = UnsafePointer<UInt64>(bitPattern: geometry) else { return nil }
        let shape = kiln_load_relaxed(words)
        let mask = 1 &<< (shape & 63) &- 1
        var number = mixed & mask
        if number < shape &>> 6 { number = mixed & (mask &<< 1 | 1) }
        return UnsafePointer(bitPattern: index &+ UInt(number &* UInt64(Index.bucketBytes)))
    }

    /// Fetches the hash's index bucket.
    public func prefetchBucket(_ hash: KeyHash) {
        if let words = bucket(hash.mixed(with: secret)) { kiln_prefetch_write(words) }
    }

    /// Fetches the item that the bucket's tags point to; call it some requests after
    /// ``prefetchBucket(_:)``.
    public func prefetchItem(_ hash: KeyHash) {
        let mixed = hash.mixed(with: secret)
        guard let words = bucket(mixed) else { return }
        let tag = Index.tag(mixed)
        for slot in 0..<Index.wordsPerBucket {
            let word = kiln_load_relaxed(words + slot)
            guard (word ^ tag) >> 52 == 0 else { continue }
            let position = ItemPosition(word: word)
            if position.slot == 0 { continue }
            let address =
                segments &+ UInt(position.slot) &<< UInt(segmentShift) &+ UInt(position.offset)
            if let item = UnsafeRawPointer(bitPattern: address) {
                kiln_prefetch(item)
                kiln_prefetch(item + 64)
                kiln_prefetch(item + 128)
            }
            return
        }
    }
}
