// Plans: bounds that hold, the least that moves, and overrides that say what the plan says.
import Primitives
import Testing

@testable import Placement

/// Loads for the arcs of a table: skewed, with a few that are heavy.
private func randomLoads(_ topology: Topology, seed: UInt64) throws -> [UInt64] {
    var random = SeededGenerator(seed: seed)
    return (0..<(try topology.table.arcCount)).map { _ in
        let exponent = Int.random(in: 0..<14, using: &random)
        return UInt64.random(in: 0..<(1 << exponent), using: &random) + 1
    }
}

/// How much is above the caps and how much below the floors, of loads that are fair by weight.
private func outside(
    _ loads: [UInt64], _ members: [Member], _ bounds: LoadBounds
) -> (above: UInt64, below: UInt64) {
    let total = Double(loads.reduce(0, +))
    let weights = Double(members.reduce(0) { $0 + $1.weight })
    var (above, below) = (0.0, 0.0)
    for (load, member) in zip(loads, members) {
        let fair = total * Double(member.weight) / weights
        above += max(0, Double(load) - (fair * Double(bounds.capPercent) / 100).rounded(.up))
        below += max(0, (fair * Double(bounds.floorPercent) / 100).rounded(.down) - Double(load))
    }
    return (UInt64(above), UInt64(below))
}

@Test(
    "no member is above its cap or below its floor, and the least moves", arguments: UInt64(0)..<16)
func boundsHold(seed: UInt64) throws {
    let list = members(Int(seed % 7) + 2).enumerated().map { index, item in
        member(item.name, weight: seed % 2 == 0 ? 1 : index % 3)
    }
    let topology = try Topology(founding: list)
    let loads = try randomLoads(topology, seed: seed)
    for bounds in [LoadBounds.bounded, .even, LoadBounds(capPercent: 100, floorPercent: 100)] {
        var plan = try OverridePlan(topology, loads: loads)
        let before = outside(plan.loads, topology.members, bounds)
        plan.balance(bounds)
        let after = outside(plan.loads, topology.members, bounds)
        #expect(after == (0, 0), "\(bounds): \(plan.loads)")
        #expect(plan.loads.reduce(0, +) == loads.reduce(0, +))
        let moved = plan.moves.reduce(0) { $0 + $1.load }
        #expect(moved == max(before.above, before.below), "\(bounds)")
        // A second run finds nothing to do.
        let overrides = plan.overrides
        plan.balance(bounds)
        #expect(plan.overrides == overrides)
    }
}

@Test("the overrides give every piece the owner that the plan says", arguments: UInt64(0)..<8)
func overridesSayThePlan(seed: UInt64) throws {
    let founded = try Topology(founding: members(4))
    var first = try OverridePlan(founded, loads: try randomLoads(founded, seed: seed))
    first.balance(.even)
    let topology = try founded.changing(overrides: first.overrides)
    // On top of those, with one member more and one less.
    let list = members(5).filter { $0.name != "node-1" }
    var plan = try OverridePlan(
        topology, members: list, loads: try randomLoads(topology, seed: seed))
    plan.balance(.bounded)
    let table = try topology.changing(members: list, overrides: plan.overrides).table
    for piece in plan.pieces {
        guard case .position(let end) = piece.mark else { continue }
        #expect(Int(table.route(at: end).owner) == piece.owner)
        #expect(Int(table.route(at: piece.start &+ 1).owner) == piece.owner)
    }
    for move in plan.moves {
        guard case .positions(let before, let last) = move.arc else { continue }
        let old = try topology.table
        for position in [before &+ 1, last] {
            #expect(topology.members[Int(old.route(at: position).owner)].id == move.from)
            #expect(table.topology.members[Int(table.route(at: position).owner)].id == move.to)
        }
    }
}

@Test("a plan without balancing keeps every owner, whoever joins or gets another weight")
func plansKeepOwners() throws {
    let founded = try Topology(founding: members(3))
    let list = members(["node-0", "node-1", "node-2", "node-3"]).map { item in
        member(item.name, weight: item.name == "node-2" ? 4 : 1)
    }
    let plan = try OverridePlan(founded, members: list)
    let topology = try founded.changing(members: list, overrides: plan.overrides)
    #expect(plan.moves.isEmpty && topology.records == founded.records)
    #expect(try areClose(topology.shares, founded.shares + [0]))
    // Without a change there is nothing to override.
    #expect(try OverridePlan(founded).overrides.isEmpty)
    // And the overrides vanish with the reason for them.
    #expect(try OverridePlan(topology, members: members(3)).overrides.isEmpty)
}

@Test("a member whose weight is taken away hands over all it has, and its heirs are not overloaded")
func drain() throws {
    let founded = try Topology(founding: members(5))
    let list = members(5).map { member($0.name, weight: $0.name == "node-2" ? 0 : 1) }
    var plan = try OverridePlan(founded, members: list)
    #expect(plan.loads[2] == 0 && plan.moves.allSatisfy { $0.from == id("node-2") })
    plan.balance(.even)
    let topology = try founded.changing(members: list, overrides: plan.overrides)
    let shares = try topology.shares
    #expect(shares[2] == 0)
    for share in shares where share > 0 { #expect((0.9499...1.0501).contains(share * 4)) }
    let drained = plan.moves.filter { $0.from == id("node-2") }.reduce(0) { $0 + $1.load }
    #expect(abs(Double(drained) / 0x1p48 - (try founded.shares[2])) < 1e-9)
}

@Test("replicas stay with their arcs")
func plansKeepReplicas() throws {
    let founded = try Topology(founding: members(4))
    let point = try HashRing(founded.members, founded.ring).points[77]
    let copies = [id("node-0"), id("node-3")]
    let replicated = try founded.changing(
        overrides: [Override(.position(point.position), replicas: copies)])
    let plan = try OverridePlan(replicated, members: members(5))
    let item = try #require(plan.overrides.first { $0.mark == .position(point.position) })
    #expect(item.replicas == copies)
    // An override that only keeps replicas off a part of the arc is still needed.
    let part = Override(.position(point.position - 1_000_000))
    let cut = try founded.changing(overrides: replicated.overrides + [part])
    let kept = try OverridePlan(cut)
    #expect(kept.overrides == cut.overrides)
    #expect(try OverridePlan(try founded.changing(overrides: [part])).overrides.isEmpty)
}

@Test("under ketama nothing is balanced, and owners can still be kept")
func ketamaPlan() throws {
    let founded = try Topology(founding: members(4), ring: RingSettings(.ketama))
    var plan = try OverridePlan(founded, loads: try randomLoads(founded, seed: 1))
    plan.balance(.even)
    #expect(plan.overrides.isEmpty && plan.moves.isEmpty)
    let kept = try OverridePlan(founded, members: members(5))
    let topology = try founded.changing(members: members(5), overrides: kept.overrides)
    #expect(topology.records == founded.records && !kept.overrides.isEmpty)
}

@Test("an arc of one position is not cut, and a load beyond all limits is cut to the limit")
func extremeLoads() throws {
    let founded = try Topology(founding: members(2))
    let hot = UInt64(1) << 63
    let topology = try founded.changing(
        overrides: [Override(.position(hot - 1)), Override(.position(hot))])
    let table = try topology.table
    var loads = [UInt64](repeating: 1, count: table.arcCount)
    let arc = Int(table.route(at: hot).arc)
    #expect(table.arc(arc) == .positions(after: hot - 1, through: hot))
    loads[arc] = .max
    var plan = try OverridePlan(topology, loads: loads)
    plan.balance(.bounded)
    let next = try topology.changing(overrides: plan.overrides).table
    #expect(next.route(at: hot).owner == table.route(at: hot).owner)
    // All else has gone to the other member, which is still far from its share.
    #expect(plan.loads.min().map { $0 > 200 } == true && plan.loads.max() == OverridePlan.loadLimit)
    let idle = [UInt64](repeating: 0, count: table.arcCount)
    var still = try OverridePlan(topology, loads: idle)
    still.balance(.even)
    #expect(still.moves.isEmpty)
}

@Test("a plan is the same however its topology was put together")
func plansAreDeterministic() throws {
    let list = members(6, zones: ["x", "y"])
    let topology = try Topology(founding: list)
    let loads = try randomLoads(topology, seed: 9)
    var plan = try OverridePlan(topology, loads: loads)
    plan.balance(.even)
    let shuffled = try Topology(
        epoch: 1, ring: RingSettings(), members: list.reversed(), overrides: [],
        records: topology.records)
    var other = try OverridePlan(shuffled, loads: loads)
    other.balance(.even)
    #expect(plan.overrides == other.overrides && plan.moves == other.moves)
    // What it comes to must stay what it was: nodes of two releases work it out side by side.
    let digest = plan.overrides.reduce(UInt64(0)) { sum, item in
        guard case .position(let end) = item.mark, let owner = item.owner else { return sum }
        return (sum ^ end).multipliedReportingOverflow(by: 0x9E37_79B9_7F4A_7C15).partialValue
            &+ owner.value
    }
    #expect(plan.overrides.count == 11)
    #expect(digest == 8_435_927_699_294_128_612)
}
