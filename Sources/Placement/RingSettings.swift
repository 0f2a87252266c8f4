// How a cluster turns keys into places.

/// What decides where a key lies; the same for all nodes of a cluster.
public struct RingSettings: Hashable, Sendable {
    /// How the position of a key is found.
    public enum Kind: UInt8, CaseIterable, Sendable {
        /// XXH3, 64 bits, seed 0: the default.
        case xxh3 = 1
        /// The first 4 bytes of the key's MD5, on the ring that stock clients compute.
        case ketama
        /// The key itself, between boundaries in the order of their bytes.
        case range
    }

    /// Points of a node of weight 1.
    ///
    /// The shares of equal nodes then differ by 1/sqrt(160), 8 %;
    /// more points cost memory in every table, and overrides take out what is left.
    public static let defaultVirtualNodes = 160
    /// Most points for each unit of weight.
    public static let virtualNodeLimit = 1_024

    /// How positions are found.
    public var kind: Kind
    /// Points for each unit of weight; ketama has its own rule.
    public var virtualNodes: Int
    /// Under `range`, the keys that begin a new range, in order.
    public var splits: [[UInt8]]

    /// Describes a ring.
    public init(
        _ kind: Kind = .xxh3, virtualNodes: Int = defaultVirtualNodes, splits: [[UInt8]] = []
    ) {
        self.kind = kind
        self.virtualNodes = virtualNodes
        self.splits = splits
    }

    /// Throws what is out of range.
    func check() throws(PlacementError) {
        guard (1...Self.virtualNodeLimit).contains(virtualNodes) else {
            throw .virtualNodesOutOfRange(count: virtualNodes, limit: Self.virtualNodeLimit)
        }
        guard kind == .range else {
            guard splits.isEmpty else { throw .splitsWithoutRanges }
            return
        }
        try RangeMap.check(splits)
    }
}
