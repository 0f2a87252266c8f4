// What the past says about an arc, where the ring and the overrides say who owns it now.
public import Primitives

/// Since when an arc is owned as it is, and which items of it may still be served.
///
/// Records are kept apart from the ring's points, because neighbouring arcs merge when a member
/// leaves, and each part keeps its own past.
public struct ArcRecord: Hashable, Sendable, Marked {
    /// The stretch it holds for: up to the next record's on a ring, from it on under `range`.
    public var mark: ArcMark
    /// The epoch at which its owner became the owner: the ownership epoch of versions minted in it.
    public var epoch: UInt64
    /// An item with a version below this is a miss: it is from an earlier ownership or from before
    /// a flush.
    public var minVersion: Version

    /// Makes a record.
    public init(_ mark: ArcMark, epoch: UInt64, minVersion: Version) {
        self.mark = mark
        self.epoch = epoch
        self.minVersion = minVersion
    }

    /// The record of an arc whose owner begins with nothing at `epoch`.
    init(_ mark: ArcMark, startingAt epoch: UInt64) {
        self.init(mark, epoch: epoch, minVersion: Version(epoch: epoch, counter: 0))
    }

    /// Whether it says the same as `other`, wherever.
    func agrees(with other: ArcRecord) -> Bool {
        epoch == other.epoch && minVersion == other.minVersion
    }
}
