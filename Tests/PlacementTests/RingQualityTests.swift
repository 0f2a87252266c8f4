// How even the ring is by itself and after overrides, and what a newcomer takes: the figures are
// printed.
import Primitives
import Testing

@testable import Placement

private func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }

@Test("no node has more than 1.05 of the mean after overrides")
func ringQuality() throws {
    for (count, limit) in [(5, 1.15), (10, 1.2), (50, 1.3)] {
        let topology = try Topology(founding: members(count))
        let before = (try topology.shares.max() ?? 0) * Double(count)
        var plan = try OverridePlan(topology)
        plan.balance(.even)
        let shares = try topology.changing(overrides: plan.overrides).shares
        let after = (shares.max() ?? 0) * Double(count)
        let moved = plan.moves.reduce(0) { $0 + Double($1.load) } / 0x1p48
        print(
            "\(count) nodes: max/mean \(rounded(before)), after \(plan.overrides.count) overrides"
                + " that move \(rounded(moved * 100)) % it is \(rounded(after))")
        #expect(before < limit && after <= 1.05 + 1e-9)
        #expect((shares.min() ?? 0) * Double(count) >= 0.95 - 1e-9)
    }
}

/// What one newcomer does to a cluster whose shares are even.
private struct Joining {
    /// Its share of the bare ring, over its fair share.
    let bare: Double
    /// Its share after overrides, over its fair share.
    let balanced: Double

    init(_ count: Int, set: Int) throws {
        let names = members(count, prefix: "set\(set)-node")
        let newcomer = member("set\(set)-newcomer")
        let fair = 1 / Double(count + 1)
        let index = try #require(
            try Topology(founding: names + [newcomer]).memberIndex(of: newcomer.id))
        bare = try Topology(founding: names + [newcomer]).shares[index] / fair
        var first = try OverridePlan(try Topology(founding: names))
        first.balance(.even)
        let old = try Topology(founding: names).changing(overrides: first.overrides)
        var plan = try OverridePlan(old, members: names + [newcomer])
        plan.balance(.even)
        let new = try old.changing(members: names + [newcomer], overrides: plan.overrides)
        balanced = try new.shares[index] / fair
        #expect(plan.moves.allSatisfy { $0.to == newcomer.id }, "set \(set)")
        let (before, after) = (try old.table, try new.table)
        for number in 0..<200 {
            let (was, now) = (before.owner(of: "\(number)"), after.owner(of: "\(number)"))
            #expect(was == now || now == newcomer.name, "set \(set)")
        }
    }
}

@Test("a newcomer takes its fair share, from whoever has most, and no key moves between the others")
func newcomers() throws {
    let all = try (0..<100).map { try Joining(5, set: $0) }
    let bare = all.map(\.bare)
    let balanced = all.map(\.balanced)
    let mean = bare.reduce(0, +) / 100
    print(
        "a sixth node of 100 sets: mean \(rounded(mean)) of its fair share, from"
            + " \(rounded(bare.min() ?? 0)) to \(rounded(bare.max() ?? 0)); after overrides from"
            + " \(rounded(balanced.min() ?? 0)) to \(rounded(balanced.max() ?? 0))")
    #expect(abs(mean - 1) < 0.02)
    #expect(bare.allSatisfy { abs($0 - 1) < 0.25 })
    #expect(balanced.allSatisfy { abs($0 - 1) < 0.1 })
}
