// The table against a walk over all arcs, and what it says of each.
import Primitives
import Testing

@testable import Placement

/// Who owns a position, worked out from the parts of a topology alone.
private func walked(_ topology: Topology, _ position: UInt64) throws -> String {
    let ring = try HashRing(topology.members, topology.ring)
    let owners = topology.members.filter { $0.weight > 0 }
    var ends = ring.points.map { ($0.position, topology.members[$0.member].name) }
    for item in topology.overrides {
        guard case .position(let end) = item.mark else { continue }
        guard let owner = owners.first(where: { $0.id == item.owner }) else { continue }
        ends.removeAll { $0.0 == end }
        ends.append((end, owner.name))
    }
    ends.sort { $0.0 < $1.0 }
    return try #require(ends.first { $0.0 >= position } ?? ends.first).1
}

/// Overrides at the ring's points, between them, and at both ends of the numbers.
private func randomOverrides(_ topology: Topology, seed: UInt64) throws -> [Override] {
    var random = SeededGenerator(seed: seed)
    let points = try HashRing(topology.members, topology.ring).points
    var marks: [UInt64] = [0, .max, 1, .max - 1]
    for _ in 0..<10 {
        marks.append(points[Int.random(in: points.indices, using: &random)].position)
    }
    for _ in 0..<10 { marks.append(random.next()) }
    return Set(marks).sorted().map { mark in
        let owner = topology.members[Int.random(in: topology.members.indices, using: &random)].id
        return Override(.position(mark), owner: owner)
    }
}

@Test("the table finds what a walk over all arcs finds", arguments: UInt64(0)..<12)
func tableAgreesWithAWalk(seed: UInt64) throws {
    let list = members(Int(seed % 4) + 1) + [member("router", weight: 0)]
    let settings = RingSettings(virtualNodes: [1, 3, 40][Int(seed % 3)])
    let founded = try Topology(founding: list, ring: settings)
    let topology = try founded.changing(overrides: try randomOverrides(founded, seed: seed))
    let table = try topology.table
    let marks = (0..<table.arcCount).compactMap { index -> UInt64? in
        guard case .positions(_, let last) = table.arc(index) else { return nil }
        return last
    }
    #expect(marks == marks.sorted() && Set(marks).count == table.arcCount)
    for position in marks.flatMap({ [$0 &- 1, $0, $0 &+ 1] }) + [0, .max] {
        let route = table.route(at: position)
        let owner = topology.members[Int(route.owner)].name
        #expect(try owner == walked(topology, position))
        #expect(table.arc(Int(route.arc)).contains(.position(position)))
        #expect(table.owner(ofArc: Int(route.arc)) == Int(route.owner))
    }
}

@Test("the example of docs/placement.md")
func exampleOfTheGuide() throws {
    let settings = RingSettings(virtualNodes: 2)
    let founded = try Topology(founding: members(["a", "b", "c"]), ring: settings)
    let points = try HashRing(founded.members, settings).points
    #expect(
        points.map(\.position) == [
            0x2c32_2a05_0219_1e14, 0x38f7_60f4_1870_37a0, 0x62a0_8e11_3fb1_cd0c,
            0xbab6_f4cd_4b99_e0f3, 0xc098_6cb9_2029_c8f5, 0xcfc4_f99b_6007_a662,
        ])
    #expect(points.map(\.member) == [2, 0, 2, 0, 1, 1])
    let keys = ["user:1", "user:2", "user:42", "user:14"]
    let without = try Topology(founding: members(["a", "b"]), ring: settings)
    let cut = try founded.changing(overrides: [Override(.position(1 << 63), owner: id("b"))])
    for (topology, owners) in [
        (founded, ["c", "a", "a", "c"]), (without, ["a", "a", "a", "a"]),
        (cut, ["c", "b", "a", "c"]),
    ] {
        let table = try topology.table
        #expect(keys.map { table.owner(of: $0) } == owners)
    }
}

@Test("what lies behind the last mark belongs to the first arc, and so does its record")
func theRingIsRound() throws {
    let records = [
        ArcRecord(.position(10), startingAt: 1), ArcRecord(.position(1 << 62), startingAt: 2),
    ]
    #expect(records.index(covering: .position(11)) == 1)
    #expect(records.index(covering: .position(.max)) == 0)
    let topology = try Topology(
        epoch: 2, ring: RingSettings(virtualNodes: 2), members: members(2), overrides: [],
        records: records)
    let table = try topology.table
    let last = try #require(try HashRing(topology.members, topology.ring).points.last).position
    let (behind, first) = (table.route(at: last &+ 1), table.route(at: 0))
    #expect(behind == first && behind.arc == 0 && table.arcEpoch(behind) == 1)
    #expect(table.route(at: .max) == first)
    #expect(table.arcEpoch(table.route(at: 11)) == 2)
}

@Test("an override of an owner that is lost or without weight does not count")
func voidOverrides() throws {
    let list = members(3) + [member("router", weight: 0)]
    let founded = try Topology(founding: list)
    let overrides = [
        Override(.position(1 << 60), owner: id("nobody")),
        Override(.position(1 << 61), owner: id("router")),
    ]
    let table = try founded.changing(overrides: overrides).table
    for number in 0..<1_000 {
        #expect(try table.owner(of: "\(number)") == founded.table.owner(of: "\(number)"))
    }
    #expect(try table.arcCount == founded.table.arcCount)
}

@Test("a newcomer has its part of an override's arc, and the rest stays")
func overridesHoldByPosition() throws {
    let founded = try Topology(founding: members(2))
    // Every arc goes to the first member.
    let marks = try HashRing(founded.members, founded.ring).points.map(\.position)
    let all = marks.map { Override(.position($0), owner: id("node-0")) }
    let held = try founded.changing(overrides: all)
    #expect(try areClose(held.shares, [1, 0]))
    let joined = try held.changing(members: members(3))
    let naive = try Topology(founding: members(3)).shares
    let shares = try joined.shares
    #expect(abs(shares[2] - naive[2]) < 1e-9 && shares[1] == 0)
    // And when the points' own member leaves, the overrides go on holding.
    let gone = try held.changing(members: [member("node-0"), member("node-9", weight: 1)])
    let back = try gone.table
    for mark in marks where try founded.table.route(at: mark).owner == 1 {
        #expect(back.topology.members[Int(back.route(at: mark).owner)].name == "node-0")
    }
}

@Test("replicas belong to their arc, its parts, and never to its owner")
func replicas() throws {
    let founded = try Topology(founding: members(3))
    let list = try HashRing(founded.members, founded.ring).points
    let (point, before) = (list[200], list[199])
    let others = (0..<3).filter { $0 != point.member }
    let ids = founded.members.map(\.id) + [id("nobody")]
    let topology = try founded.changing(overrides: [
        Override(.position(point.position), replicas: ids)
    ])
    let table = try topology.table
    let route = table.route(at: point.position)
    #expect(table.replicaCount(route) == 2)
    #expect((0..<2).map { table.replica($0, route) }.sorted() == others)
    #expect(table.route(at: before.position &+ 1) == route)
    #expect(table.replicaCount(table.route(at: before.position)) == 0)
    #expect(table.replicaCount(table.route(at: point.position &+ 1)) == 0)
}

@Test("ranges have owners by their boundaries' hashes, and overrides may split them")
func rangeTable() throws {
    let splits = ["g", "n", "t"].map { Array($0.utf8) }
    let founded = try Topology(
        founding: members(4), ring: RingSettings(.range, splits: splits))
    let ring = try HashRing(founded.members, RingSettings())
    let table = try founded.table
    #expect(table.arcCount == 4)
    for (key, boundary) in [("a", ""), ("g", "g"), ("mzz", "g"), ("n", "n"), ("zz", "t"), ("", "")]
    {
        let hash = KeyHash(of: Array(boundary.utf8).span.bytes)
        #expect(Int(table.route(key).owner) == ring.member(at: hash.value))
        #expect(table.arc(Int(table.route(key).arc)).mark == .boundary(Array(boundary.utf8)))
    }
    #expect(table.arc(0) == .keys(from: [], to: Array("g".utf8)))
    #expect(table.arc(3) == .keys(from: Array("t".utf8), to: nil))
    // "p" cuts the range of "n" in two: the second part goes to another owner.
    let owner = (Int(table.route("n").owner) + 1) % 4
    let cut = try founded.changing(
        overrides: [Override(.boundary(Array("p".utf8)), owner: founded.members[owner].id)]).table
    #expect(cut.arcCount == 5 && cut.route("n").owner == table.route("n").owner)
    #expect(Int(cut.route("p").owner) == owner && Int(cut.route("szz").owner) == owner)
    #expect(cut.route("t").owner == table.route("t").owner)
    #expect(table.position(of: [UInt8]().span.bytes, KeyHash(value: 3)) == nil)
}

@Test("a node knows what is its own, and what its lease and hot keys are")
func ownTable() throws {
    let topology = try Topology(founding: members(3))
    let table = try RoutingTable(
        topology, for: id("node-1"), serveLeaseEnd: Instant(nanoseconds: 7))
    #expect(table.ownIndex == 1 && table.epoch == 1)
    for number in 0..<100 {
        let route = table.route("\(number)")
        #expect(table.isOwn(route) == (route.owner == 1))
    }
    let stranger = try RoutingTable(topology, for: id("nobody"))
    #expect((0..<100).allSatisfy { !stranger.isOwn(stranger.route("\($0)")) })
    let extended = table.extended(serveLeaseEnd: Instant(nanoseconds: 9))
    #expect(extended.serveLeaseEnd == Instant(nanoseconds: 9) && extended.slots == table.slots)
    let hot = try HotSet([HotSet.Key(KeyHash(value: 5), holders: [0, 2])])
    #expect(table.advised(hot).hotSet.index(of: KeyHash(value: 5)) == 0)
    #expect(table.hotSet.index(of: KeyHash(value: 5)) == nil)
}

@Test("a table of the most members and one of a single point")
func tableSizes() throws {
    let single = try Topology(founding: members(1), ring: RingSettings(virtualNodes: 1))
    let table = try single.changing(overrides: []).table
    for position in [0, 1, .max, UInt64(1) << 63] { #expect(table.route(at: position).owner == 0) }
    #expect(try single.shares == [1])
    let most = try Topology(founding: members(1_024), ring: RingSettings(virtualNodes: 4)).table
    let owners = Set((0..<20_000).map { most.route("\($0)").owner })
    #expect(owners.count > 950)
}

@Test("the hot set knows its keys and no others")
func hotSet() throws {
    // Hashes that begin their search in the same place.
    let hashes = (0..<500).map { KeyHash(value: UInt64($0) << 40 | 7) }
    let set = try HotSet(
        hashes.map { HotSet.Key($0, holders: [1]) } + [HotSet.Key(hashes[3], holders: [2])])
    #expect(set.keys.count == 500)
    for (index, hash) in hashes.enumerated() { #expect(set.index(of: hash) == index) }
    #expect(set.index(of: KeyHash(value: 7 | 1 << 63)) == nil)
    #expect(set.index(of: KeyHash(value: 0)) == nil && set.keys[3].holders == [1])
    #expect(HotSet().index(of: KeyHash(value: 0)) == nil)
    let most = (0..<HotSet.limit).map { HotSet.Key(KeyHash(value: UInt64($0)), holders: []) }
    #expect(try HotSet(most).index(of: KeyHash(value: 16_383)) == 16_383)
    #expect(throws: PlacementError.tooManyHotKeys(count: 16_385, limit: 16_384)) {
        try HotSet(most + [HotSet.Key(KeyHash(value: .max), holders: [])])
    }
}
