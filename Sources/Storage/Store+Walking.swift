// Going through the items of a segment, in the order they were appended.
internal import CIntrinsics
internal import Primitives

/// A live item met on a walk.
struct WalkedItem {
    var layout: ItemLayout
    var position: ItemPosition
    var word: UnsafeMutablePointer<UInt64>
}

/// Items fetched ahead of their use: hashing one costs little, waiting for its index bucket costs
/// much.
struct WalkBatch {
    /// Enough to hide a cache miss behind the others, few enough to stay in the first-level cache.
    static let limit = 32

    var items = InlineArray<32, (offset: Int, mixed: UInt64)>(repeating: (0, 0))
    var count = 0
}

extension Store {
    /// Calls `body` with each live item of a segment; `body` may move or remove that item, not
    /// others.
    ///
    /// - Parameters:
    ///   - slot: The segment.
    ///   - stride: Of how many items one is taken, where it is not 1.
    ///   - body: What is done with an item.
    @inline(__always)
    mutating func walk(
        _ slot: UInt32, every stride: Int = 1, _ body: (inout Store, WalkedItem) -> Void
    ) {
        let end = Int(info(slot).pointee.usedBytes)
        var offset = 0
        var skipped = 0
        while offset < end {
            var batch = WalkBatch()
            while offset < end && batch.count < WalkBatch.limit {
                let layout = layout(at: ItemPosition(slot: slot, offset: offset))
                skipped += 1
                if skipped >= stride && layout.isLive {
                    skipped = 0
                    let mixed = mixedHash(of: layout)
                    index.prefetch(mixed)
                    batch.items[batch.count] = (offset, mixed)
                    batch.count += 1
                }
                offset += layout.bytes
            }
            for entry in 0..<batch.count {
                let position = ItemPosition(slot: slot, offset: batch.items[entry].offset)
                guard let word = index.find(batch.items[entry].mixed, at: position) else {
                    preconditionFailure("a live item at \(position) is missing from the index")
                }
                body(
                    &self, WalkedItem(layout: layout(at: position), position: position, word: word))
            }
        }
    }
}
