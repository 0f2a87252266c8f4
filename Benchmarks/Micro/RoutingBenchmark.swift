// Nanoseconds to find a key's owner, by kind of ring and number of nodes; hashing is not counted,
// as the hash is there anyway, but ketama's MD5 is.
import Placement
import Primitives

struct RoutingBenchmark {
    /// Keys that are looked up in turn: more than caches keep apart from the table.
    private static let keyCount = 1 << 16
    private static let rounds = 100
    private static let keyBytes = "key:1000000".utf8.count
    private let keys: [[UInt8]]
    /// The keys one behind the other.
    private let allKeys: [UInt8]
    private let hashes: [KeyHash]

    init() {
        keys = (0..<Self.keyCount).map { Array("key:\(1_000_000 + $0)".utf8) }
        allKeys = keys.flatMap { $0 }
        hashes = keys.map { KeyHash(of: $0.span.bytes) }
    }

    /// 3, 16 and 100 nodes of weight 1, plain and with overrides.
    func run() {
        do throws(PlacementError) {
            for nodes in [3, 16, 100] {
                try measure("xxh3, \(nodes) nodes", nodes, RingSettings())
                try measure("ketama, \(nodes) nodes", nodes, RingSettings(.ketama))
                let splits = (1..<4 * nodes).map { keys[$0 * Self.keyCount / (4 * nodes)] }
                let ranges = RingSettings(.range, splits: splits)
                try measure("range, \(nodes) nodes, \(4 * nodes) ranges", nodes, ranges)
            }
            try plans()
        } catch { fatalError("\(error)") }
    }

    private func topology(_ nodes: Int, _ settings: RingSettings) throws(PlacementError) -> Topology
    {
        let members = (0..<nodes).map { number in
            let address = NodeAddress(host: "node-\(number)", port: 11_211)
            return Member(name: "node-\(number)", client: address, peer: address)
        }
        return try Topology(founding: members, ring: settings)
    }

    private func measure(
        _ name: String, _ nodes: Int, _ settings: RingSettings
    ) throws(PlacementError) {
        var topology = try topology(nodes, settings)
        var plan = try OverridePlan(topology)
        plan.balance(.even)
        topology = try topology.changing(overrides: plan.overrides)
        let table = try RoutingTable(topology, for: topology.members[0].id)
        // The best of many rounds: what it costs when nobody else has the processor.
        var best = Int64.max
        var own = 0
        for _ in 0..<Self.rounds {
            let start = threadNanoseconds()
            own = lookUpAll(table)
            best = min(best, threadNanoseconds() - start)
        }
        precondition((1..<Self.keyCount).contains(own), "a node owns no key, or all")
        let tenths = (Double(best) / Double(Self.keyCount) * 10).rounded() / 10
        print("route \(name), \(table.arcCount) arcs: \(tenths) ns")
    }

    /// Looks up every key with its owner and its bound; counts those that are the node's own.
    @inline(never)
    private func lookUpAll(_ table: RoutingTable) -> Int {
        var own = 0
        var versions: UInt64 = 0
        let bytes = allKeys.span.bytes
        for index in hashes.indices {
            let start = index &* Self.keyBytes
            let key = bytes.extracting(start..<start &+ Self.keyBytes)
            let route = table.route(key, hashes[index])
            own &+= table.isOwn(route) ? 1 : 0
            versions |= table.minVersion(route).value
        }
        return versions > 0 ? own : 0
    }

    /// How long it takes to make a table and to even out a large ring.
    private func plans() throws(PlacementError) {
        for nodes in [3, 100, 1_000] {
            let topology = try topology(nodes, RingSettings())
            let start = threadNanoseconds()
            _ = try RoutingTable(topology, for: NodeID(0))
            let middle = threadNanoseconds()
            var plan = try OverridePlan(topology)
            plan.balance(.even)
            let count = plan.overrides.count
            let end = threadNanoseconds()
            print(
                "table of \(nodes) nodes: \((middle - start) / 1_000) us,"
                    + " plan with \(count) overrides: \((end - middle) / 1_000) us")
        }
    }
}
