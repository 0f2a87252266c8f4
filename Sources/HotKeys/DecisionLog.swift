/// The last decisions of a ``PromotionPolicy``, each with its reason.
public struct DecisionLog: Sendable {
    /// Decisions kept.
    public static let limit = 1024

    private var ring: [PromotionPolicy.Decision] = []
    private var next = 0

    /// Nothing decided yet.
    public init() {}

    /// Keeps a decision; the oldest goes.
    public mutating func append(_ decision: PromotionPolicy.Decision) {
        if ring.count < Self.limit { ring.append(decision) } else { ring[next] = decision }
        next = (next + 1) % Self.limit
    }

    /// The newest decisions first; those on one key where `hash` is given.
    public func latest(_ count: Int, of hash: UInt64? = nil) -> [PromotionPolicy.Decision] {
        let older = ring.count < Self.limit ? ring[...] : ring[next...] + ring[..<next]
        return Array(older.reversed().lazy.filter { hash == nil || $0.hash == hash }.prefix(count))
    }
}
