// Space of large values that were replaced or removed, used again for the next one of the same
// size.
//
// Segments are append-only for small items: dead bytes add up and are merged away. For large values
// that would mean copying their neighbours again and again, so the latest few places are
// remembered.
internal import Primitives

/// The place of a dead item.
struct Extent {
    var position = ItemPosition(slot: 0, offset: 0)
    var bytes = 0
}

/// The places that were given up last, newest on top.
struct ExtentStack {
    /// More than a turn of large uploads gives up at once; few enough to be searched.
    static let limit = 32

    private var extents = InlineArray<32, Extent>(repeating: Extent())
    private(set) var count = 0

    /// Remembers a place; the oldest one is forgotten where there are too many.
    mutating func push(_ extent: Extent) {
        if count == Self.limit { remove(at: 0) }
        extents[count] = extent
        count += 1
    }

    /// Takes out the newest place that `fits`.
    mutating func take(where fits: (Extent) -> Bool) -> Extent? {
        for entry in stride(from: count - 1, through: 0, by: -1) where fits(extents[entry]) {
            let extent = extents[entry]
            remove(at: entry)
            return extent
        }
        return nil
    }

    /// Forgets the places in a segment that is used anew.
    mutating func removeAll(in slot: UInt32) {
        for entry in stride(from: count - 1, through: 0, by: -1)
        where extents[entry].position.slot == slot {
            remove(at: entry)
        }
    }

    private mutating func remove(at entry: Int) {
        for following in entry + 1..<max(count, entry + 1) {
            extents[following - 1] = extents[following]
        }
        count -= 1
    }
}

extension Store {
    /// A dead item's place of just this size, in a segment of the class that nothing pins.
    mutating func reuse(_ bytes: Int, ttlClass: Int) -> ItemPosition? {
        guard bytes >= Self.pinnableBytes && extents.count > 0 else { return nil }
        let infos = infos
        let extent = extents.take { extent in
            guard extent.bytes == bytes else { return false }
            let info = infos[Int(extent.position.slot)]
            return info.pins == 0 && Int(info.ttlClass) == ttlClass
        }
        return extent?.position
    }
}
