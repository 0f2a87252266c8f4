// Consistent hashing: who owns what changes as little as it can when nodes come and go.
//
// Every node is thrown onto a circle many times over, by hashes of its name; a key lies on the same
// circle and belongs to the first node at or after its place (Karger et al., STOC 1997). A node
// that leaves hands its stretches to whoever stands behind them, one that joins cuts pieces out of
// others' stretches, and no key moves between two nodes that stay. Many points a node make the
// shares even: with 160 they differ by some 8 %.

import Primitives

/// The points of all members that own keys, in order, each with its member.
///
/// A pure function of names, weights and settings: the same on every node, machine and release.
public struct HashRing: Equatable, Sendable {
    /// A place on the ring: the end of an arc, and the member that owns the arc.
    public struct Point: Equatable, Sendable {
        /// Where it is; under ketama the 32 bits are the high ones.
        public var position: UInt64
        /// The owner, as an index into the members.
        public var member: Int
    }

    /// Points of one ring: 1,024 nodes of weight 1, and half as many again; 4 MB.
    public static let pointLimit = 1 << 18
    /// Members of one ring, also those of weight 0.
    public static let memberLimit = 1_024

    /// All points in order of position; no two have the same.
    public let points: [Point]

    /// Builds the ring of the members that have a weight.
    ///
    /// Where points of two members fall together, the one that stands first in the list owns the
    /// arc. Under `range` the ring is that of `xxh3`: a range lies where its boundary's hash is.
    ///
    /// - Throws: ``PlacementError`` when nobody would own anything, or a limit is passed.
    public init(_ members: [Member], _ settings: RingSettings) throws(PlacementError) {
        try settings.check()
        try Self.check(members)
        switch settings.kind {
        case .xxh3, .range:
            points = try Self.hashedPoints(of: members, settings.virtualNodes)
        case .ketama: points = Self.ketamaPoints(of: members)
        }
    }

    /// The member that owns `position`: that of the first point at or after it.
    public func member(at position: UInt64) -> Int {
        points[pointIndex(at: position)].member
    }

    /// Members in the order in which they follow `position` on the ring, the first of every zone
    /// before the second of any: the owner first, then where replicas go.
    ///
    /// No member comes twice; where fewer have a weight than are asked for, it is all of those.
    /// Walks the ring until it has met everyone: for building tables, not for requests.
    public func replicas(at position: UInt64, count: Int, of members: [Member]) -> [Int] {
        var order: [Int] = []
        var isMet = [Bool](repeating: false, count: members.count)
        let owners = members.count { $0.weight > 0 }
        let start = pointIndex(at: position)
        for step in points.indices where order.count < owners {
            let member = points[(start + step) % points.count].member
            if !isMet[member] { order.append(member) }
            isMet[member] = true
        }
        return Array(ZoneSpread.order(order, of: members).prefix(count))
    }

    /// The index of the first point at or after `position`, going round.
    func pointIndex(at position: UInt64) -> Int {
        var (low, high) = (0, points.count)
        while low < high {
            let middle = (low + high) / 2
            if points[middle].position < position { low = middle + 1 } else { high = middle }
        }
        return low < points.count ? low : 0
    }
}

extension HashRing {
    private static func check(_ members: [Member]) throws(PlacementError) {
        guard !members.isEmpty else { throw .noServers }
        guard members.count <= memberLimit else {
            throw .tooManyServers(count: members.count, limit: memberLimit)
        }
        for member in members { try member.check() }
        guard members.contains(where: { $0.weight > 0 }) else { throw .noWeight }
    }

    /// For every member, the hashes of its name and a running number, as many as its weight asks.
    private static func hashedPoints(
        of members: [Member], _ virtualNodes: Int
    ) throws(PlacementError) -> [Point] {
        let count = members.reduce(0) { $0 + $1.weight * virtualNodes }
        guard count <= pointLimit else { throw .tooManyPoints(count: count, limit: pointLimit) }
        var points: [Point] = []
        points.reserveCapacity(count)
        for (index, member) in members.enumerated() {
            for number in 0..<member.weight * virtualNodes {
                let text = Array("\(member.name)-\(number)".utf8)
                let position = KeyHash(of: text.span.bytes).value
                points.append(Point(position: position, member: index))
            }
        }
        points.sort { ($0.position, $0.member) < ($1.position, $1.member) }
        return distinct(points)
    }

    private static func ketamaPoints(of members: [Member]) -> [Point] {
        let servers = members.map {
            KetamaRing.Server(host: $0.client.host, port: $0.client.port, weight: $0.weight)
        }
        return distinct(
            KetamaRing.points(of: servers).map {
                Point(position: UInt64($0.position) &<< 32, member: Int($0.server))
            })
    }

    /// The points without those that have the position of one before.
    private static func distinct(_ points: [Point]) -> [Point] {
        var result: [Point] = []
        result.reserveCapacity(points.count)
        for point in points where result.last?.position != point.position { result.append(point) }
        return result
    }
}
