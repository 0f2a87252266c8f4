// The ring that stock clients compute for themselves. A cluster placed by it is reached with no
// hop: the client's own choice of a server is the owner.
//
// libmemcached's weighted ketama, exactly: the points of a server come from MD5 digests of its
// name, four to a digest, and a key belongs to the first point at or after its position, going
// round. Rounding is part of the agreement: the share of a server is computed in single precision,
// so that now and then one of n equal servers gets 39 digests and not 40.

/// A consistent hash ring as libmemcached builds it with `MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`
/// (`ketama_weighted` in its clients).
///
/// Consistent hashing is Karger et al., STOC 1997; the construction is that of libketama, as
/// libmemcached 1.1.4 has it. Building takes a sort of at most 160 points a server. A look-up
/// takes one MD5 of the key (120 ns up to 55 bytes) and, on average, less than two steps from a
/// table of buckets (10 ns); it allocates nothing.
public struct KetamaRing: Sendable {
    /// A server as clients name it.
    public struct Server: Equatable, Sendable {
        /// The name or address exactly as clients are given it: it is what is hashed.
        public var host: String

        /// The port, 1 through 65535.
        public var port: Int

        /// Its share in relation to the others'; 0 keeps it out of the ring.
        public var weight: Int

        /// Names a server.
        public init(host: String, port: Int, weight: Int = 1) {
            self.host = host
            self.port = port
            self.weight = weight
        }
    }

    /// Servers of one ring: 163,840 points, 1.3 MB.
    public static let serverLimit = 1_024

    /// The highest weight: far below 2^24, so that single precision holds any weight exactly.
    public static let weightLimit = 1_000_000

    /// Bytes of a host name, as long as any name in the DNS (RFC 1035, section 2.3.4).
    public static let hostLimit = 255

    /// Points in order of position, then of server.
    private let points: [Point]
    /// For each bucket of positions, the first point that is not before it.
    private let firstPoints: [UInt32]
    /// A position shifted right by this is its bucket.
    private let bucketShift: UInt32

    /// Builds the ring.
    ///
    /// A server of weight 0 owns nothing and does not count. (libmemcached would take 0 as 1;
    /// a client is not told of such servers.) Where two points fall together, the server that
    /// stands first in the list has the keys, as in libmemcached: a server named twice is one
    /// server with a larger share of points that lie in the same places.
    ///
    /// - Parameter servers: The servers in the order in which clients list them.
    /// - Throws: ``PlacementError/noServers``, ``PlacementError/tooManyServers(count:limit:)``,
    ///   ``PlacementError/noWeight``, or what is out of range about one of them.
    public init(_ servers: [Server]) throws(PlacementError) {
        try Self.check(servers)
        points = Self.points(of: servers)
        assert(!points.isEmpty, "a ring of \(servers.count) servers has no point")
        // At least one bucket a point: then few buckets hold more than two.
        let bits = UInt32(Int.bitWidth - (points.count - 1).leadingZeroBitCount)
        bucketShift = 32 - bits
        firstPoints = Self.firstPoints(of: points, bits: bits)
    }

    /// Where a key lies on the ring: the first 4 bytes of its MD5, little endian.
    public static func position(of key: RawSpan) -> UInt32 {
        MD5Digest(of: key).words.a
    }

    /// The server that owns `key`, as an index into the list given to ``init(_:)``.
    public func serverIndex(forKey key: RawSpan) -> Int {
        serverIndex(at: Self.position(of: key))
    }

    /// The server that owns `position`: that of the first point at or after it.
    public func serverIndex(at position: UInt32) -> Int {
        var index = Int(firstPoints[Int(position >> bucketShift)])
        while index < points.count {
            if points[index].position >= position { return Int(points[index].server) }
            index &+= 1
        }
        return Int(points[0].server)
    }
}

extension KetamaRing {
    /// A place on the ring, and the server that owns what lies between it and the one before.
    struct Point: Comparable {
        var position: UInt32
        var server: UInt32

        static func < (lhs: Point, rhs: Point) -> Bool {
            (lhs.position, lhs.server) < (rhs.position, rhs.server)
        }
    }

    /// What libmemcached calls the default port: a server on it is hashed without its port.
    fileprivate static let defaultPort = 11_211
    /// Points a server has on average.
    private static let pointsPerServer: Float = 160

    /// Whether the list of servers can make a ring.
    private static func check(_ servers: [Server]) throws(PlacementError) {
        guard !servers.isEmpty else { throw .noServers }
        guard servers.count <= serverLimit else {
            throw .tooManyServers(count: servers.count, limit: serverLimit)
        }
        for server in servers { try server.check() }
        guard servers.contains(where: { $0.weight > 0 }) else { throw .noWeight }
    }

    /// All points of `servers`, in order.
    static func points(of servers: [Server]) -> [Point] {
        let members = servers.filter { $0.weight > 0 }
        let totalWeight = members.reduce(0) { $0 + $1.weight }
        var points: [Point] = []
        points.reserveCapacity(members.count * Int(pointsPerServer))
        for (index, server) in servers.enumerated() where server.weight > 0 {
            let digests = digestCount(
                weight: server.weight, totalWeight: totalWeight, servers: members.count)
            server.appendPoints(digests: digests, server: UInt32(index), to: &points)
        }
        points.sort()
        return points
    }

    /// How many digests, of four points each, a server's name yields.
    ///
    /// In single precision and in libmemcached's order of operations: another order would round
    /// another way for some shares, and the rings would differ.
    static func digestCount(weight: Int, totalWeight: Int, servers: Int) -> Int {
        let share = Float(weight) / Float(totalWeight)
        let digests = share * pointsPerServer / 4 * Float(servers) + 0.0000000001
        return Int(digests)  // Cut off: as rounding down, for what is never negative.
    }

    /// The first point at or after the beginning of every bucket.
    private static func firstPoints(of points: [Point], bits: UInt32) -> [UInt32] {
        var table: [UInt32] = []
        table.reserveCapacity(1 << Int(bits))
        var index = 0
        for bucket in 0..<UInt64(1) << UInt64(bits) {
            let start = bucket << UInt64(32 - bits)
            while index < points.count && UInt64(points[index].position) < start { index += 1 }
            table.append(UInt32(index))
        }
        return table
    }
}

extension KetamaRing.Server {
    /// Throws what is out of range.
    fileprivate func check() throws(PlacementError) {
        guard (1...KetamaRing.hostLimit).contains(host.utf8.count) else {
            throw .hostLengthOutOfRange(count: host.utf8.count, limit: KetamaRing.hostLimit)
        }
        guard (1...65_535).contains(port) else {
            throw .portOutOfRange(server: host, port: port)
        }
        guard (0...KetamaRing.weightLimit).contains(weight) else {
            throw .weightOutOfRange(
                server: "\(host):\(port)", weight: weight, limit: KetamaRing.weightLimit)
        }
    }

    /// Appends the four points of each digest of this server's name and a running number.
    fileprivate func appendPoints(
        digests: Int, server: UInt32, to points: inout [KetamaRing.Point]
    ) {
        let name = port == KetamaRing.defaultPort ? host : "\(host):\(port)"
        for number in 0..<digests {
            let digest = MD5Digest(of: Array("\(name)-\(number)".utf8).span.bytes).words
            for position in [digest.a, digest.b, digest.c, digest.d] {
                points.append(KetamaRing.Point(position: position, server: server))
            }
        }
    }
}
