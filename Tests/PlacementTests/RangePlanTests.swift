// Ranges that grow from one, split at the median of what is in them, and levelled.
import Primitives
import Testing

@testable import Placement

/// A cluster of ranges that is filled by keys with a long common beginning.
private struct FillingCluster {
    var topology: Topology
    var keys: [[UInt8]] = []

    init(_ nodes: Int) throws {
        topology = try Topology(founding: members(nodes), ring: RingSettings(.range))
    }

    /// For every range, the keys in it; all keys are in order.
    func contents() throws -> [ArraySlice<[UInt8]>] {
        let table = try topology.table
        var ends = [Int](repeating: 0, count: table.arcCount)
        for key in keys { ends[Int(table.route(key).arc)] += 1 }
        for arc in 1..<max(1, ends.count) { ends[arc] += ends[arc - 1] }
        return ends.indices.map { keys[($0 > 0 ? ends[$0 - 1] : 0)..<ends[$0]] }
    }

    /// Splits every range that holds more than 10,000 keys, then levels the members.
    mutating func rebalance() throws {
        while case let full = try contents().filter({ $0.count > 10_000 }), !full.isEmpty {
            let splits = (topology.ring.splits + full.map { $0[$0.startIndex + $0.count / 2] })
                .sorted { $0.lexicographicallyPrecedes($1) }
            let plan = try OverridePlan(topology, splits: splits)
            #expect(plan.moves.isEmpty)
            topology = try topology.changing(overrides: plan.overrides, splits: splits)
        }
        var plan = try OverridePlan(topology, loads: try contents().map { UInt64($0.count) })
        plan.balance(.even)
        topology = try topology.changing(overrides: plan.overrides)
    }

    func counts() throws -> [Int] {
        let table = try topology.table
        var counts = [Int](repeating: 0, count: topology.members.count)
        for key in keys { counts[Int(table.route(key).owner)] += 1 }
        return counts
    }
}

@Test("100,000 keys that share 20 bytes: every node has between half and one and a half its share")
func rangesSpread() throws {
    for nodes in [3, 5] {
        var cluster = try FillingCluster(nodes)
        // Numbers of equal length are in the order of their digits.
        var random = SeededGenerator(seed: UInt64(nodes))
        let numbers = (0..<100_000).map { _ in 1_000_000_000 + random.next() % 9_000_000_000 }
        let keys = numbers.sorted().map { Array("customers/europe/de/\($0)".utf8) }
        cluster.keys = stride(from: 0, to: keys.count, by: 2).map { keys[$0] }
        try cluster.rebalance()
        cluster.keys = keys
        try cluster.rebalance()
        let fair = 100_000 / Double(nodes)
        let counts = try cluster.counts()
        for count in counts {
            #expect((0.5...1.5).contains(Double(count) / fair), "\(counts)")
        }
        #expect(cluster.topology.ring.splits.count >= 10)
        print("ranges, \(nodes) nodes: \(counts)")
    }
}

@Test("a range that nobody can take without being the fullest stays where it is")
func rangesThatStay() throws {
    let topology = try Topology(
        founding: members(2), ring: RingSettings(.range, splits: [[0x40], [0x80]]))
    var plan = try OverridePlan(topology, loads: [100, 0, 0])
    plan.balance(.bounded)
    #expect(plan.moves.isEmpty && plan.loads.max() == 100)
    plan = try OverridePlan(topology, loads: [100, 60, 60])
    plan.balance(.bounded)
    #expect(plan.loads.max() == 120)
    // Weight counts: three quarters and one quarter are even.
    let list = [member("node-0", weight: 3), member("node-1")]
    plan = try OverridePlan(topology, members: list, loads: [40, 20, 20])
    plan.balance(.even)
    #expect(plan.loads == [60, 20])
}
