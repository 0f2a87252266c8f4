// Who holds the copies of a hot key.
public import Primitives

/// Highest random weight hashing (Thaler and Ravishankar, IEEE/ACM ToN 6(1), 1998): every node has
/// a score for every key, and the highest ones have it.
///
/// A node that leaves changes only the keys it held, and one more copy of a key is added to those
/// that are there. Weights don't count: a node that owns nothing can hold copies.
public enum Rendezvous {
    /// Members that hold copies of the key besides its owner, best first: other zones than the
    /// owner's first, then as many zones as possible.
    ///
    /// - Parameters:
    ///   - hash: The key.
    ///   - owner: Its owner, as an index into `members`.
    ///   - count: Copies wanted; there are fewer where there are fewer other members.
    ///   - members: All members.
    /// - Returns: Indices into `members`.
    public static func holders(
        of hash: KeyHash, owner: Int, count: Int, members: [Member]
    ) -> [Int] {
        guard count > 0 else { return [] }
        var scored: [(score: UInt64, index: Int)] = []
        scored.reserveCapacity(members.count)
        for (index, member) in members.enumerated() where index != owner {
            scored.append((score(hash, member.id), index))
        }
        scored.sort { ($0.score, members[$0.index].id) > ($1.score, members[$1.index].id) }
        let order = ZoneSpread.order(scored.map(\.index), of: members, taken: [owner])
        return Array(order.prefix(count))
    }

    /// How much a node is wanted for a key.
    private static func score(_ hash: KeyHash, _ node: NodeID) -> UInt64 {
        // Node numbers may be small and alike: they are spread before they meet the hash.
        var salt = SeededGenerator(seed: node.value)
        var mix = SeededGenerator(seed: hash.value ^ salt.next())
        return mix.next()
    }
}
