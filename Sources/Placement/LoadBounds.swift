// How even is even enough.

/// What a node's load may be, in percent of its fair share: the part of all load that its weight is
/// of all weights.
public struct LoadBounds: Hashable, Sendable {
    /// No node has more, rounded up.
    public let capPercent: Int
    /// No node has less, rounded down.
    public let floorPercent: Int

    /// Consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam, SODA 2018) with
    /// c = 1.25: few arcs move, and nobody has more than a quarter above its share.
    public static let bounded = LoadBounds(capPercent: 125, floorPercent: 0)
    /// Shares of the ring itself, which stand still: a twentieth to either side.
    public static let even = LoadBounds(capPercent: 105, floorPercent: 95)

    /// Sets the bounds.
    ///
    /// - Precondition: 0 <= `floorPercent` <= 100 <= `capPercent` <= 10,000.
    public init(capPercent: Int, floorPercent: Int) {
        precondition(
            (100...10_000).contains(capPercent) && (0...100).contains(floorPercent),
            "no node can be within \(floorPercent) % and \(capPercent) % of its share")
        self.capPercent = capPercent
        self.floorPercent = floorPercent
    }
}
