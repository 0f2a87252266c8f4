// Epochs, records of arcs, and what a topology refuses.
import Primitives
import Testing

@testable import Placement

@Test("whoever gets an arc gets it anew; whoever keeps one keeps all that is in it")
func changesOfOwner() throws {
    let founded = try Topology(founding: members(3))
    #expect(founded.records == [ArcRecord(.position(.max), startingAt: 1)])
    let joined = try founded.changing(members: members(4))
    let left = try joined.changing(members: members(4).filter { $0.name != "node-1" })
    #expect(joined.epoch == 2 && left.epoch == 3)
    var random = SeededGenerator(seed: 1)
    let (first, second, third) = (try founded.table, try joined.table, try left.table)
    var seen = Set<UInt64>()
    for _ in 0..<3_000 {
        let position = random.next()
        let owners = [first, second, third].map { table in
            table.topology.members[Int(table.route(at: position).owner)].id
        }
        let epoch: UInt64 = owners[1] != owners[2] ? 3 : owners[0] != owners[1] ? 2 : 1
        let route = third.route(at: position)
        #expect(third.arcEpoch(route) == epoch)
        #expect(third.minVersion(route) == Version(epoch: epoch, counter: 0))
        seen.insert(epoch)
    }
    #expect(seen == [1, 2, 3])
    // Nothing that says nothing is kept.
    for (one, next) in zip(left.records, left.records.dropFirst()) {
        #expect(!one.agrees(with: next))
    }
}

@Test("a node that comes back with a new incarnation does not inherit its own arcs")
func newIncarnation() throws {
    let founded = try Topology(founding: members(2))
    let restarted = try founded.changing(
        members: [member("node-0", incarnation: 2), member("node-1")])
    let table = try restarted.table
    for number in 0..<500 {
        let route = table.route("\(number)")
        #expect(table.arcEpoch(route) == (route.owner == 0 ? 2 : 1))
    }
}

@Test("what was handed over still counts, and only that")
func arrivedArcs() throws {
    let founded = try Topology(founding: members(1))
    let pinned = try OverridePlan(founded, members: members(2)).overrides
    let held = try founded.changing(members: members(2), overrides: pinned)
    #expect(held.records == founded.records)
    #expect(try areClose(held.shares, [1, 0]))
    // The newcomer gets all that the ring gives it, and was sent what lies in one quarter.
    let quarter = UInt64(1) << 62
    let arrived = Arc.positions(after: quarter, through: 2 * quarter)
    let table = try held.changing(overrides: [], arrived: [arrived]).table
    var random = SeededGenerator(seed: 3)
    let edges = [quarter, quarter + 1, 2 * quarter, 2 * quarter + 1]
    var kinds = Set<UInt64>()
    for position in edges + (0..<2_000).map({ _ in random.next() }) {
        let route = table.route(at: position)
        let isMoved = route.owner == 1
        let isNew = isMoved && !(quarter + 1...2 * quarter).contains(position)
        #expect(table.arcEpoch(route) == (isMoved ? 3 : 1))
        #expect(table.minVersion(route) == Version(epoch: isNew ? 3 : 1, counter: 0))
        kinds.insert((isMoved ? 1 : 0) + (isNew ? 2 : 0))
    }
    #expect(kinds == [0, 1, 3])
}

@Test("a flush ends what was stored and changes no owner; a renewal changes the epoch alone")
func flushAndRenewal() throws {
    let topology = try Topology(founding: members(3)).changing(members: members(4))
    let renewed = try topology.renewed()
    #expect(renewed.epoch == topology.epoch + 1 && renewed.records == topology.records)
    let flushed = try renewed.flushed()
    let (before, after) = (try topology.table, try flushed.table)
    for number in 0..<500 {
        let (old, new) = (before.route("\(number)"), after.route("\(number)"))
        #expect(old.owner == new.owner && before.arcEpoch(old) == after.arcEpoch(new))
        #expect(after.minVersion(new) == Version(epoch: flushed.epoch, counter: 0))
    }
    #expect(flushed.members == renewed.members && flushed.overrides == renewed.overrides)
    #expect(try topology.losers(to: flushed) == [], "nobody has to stop serving anything")
}

@Test("who loses arcs by a change: those that owned what a newcomer has, or began another life")
func losers() throws {
    let topology = try Topology(founding: members(3))
    let ids = members(3).map(\.id).sorted()
    let joined = try topology.changing(members: members(4))
    #expect(try topology.losers(to: joined) == ids)
    let left = try joined.changing(members: members(3))
    #expect(try joined.losers(to: left) == [id("node-3")])
    var again = members(3)
    again[1].incarnation = 2
    #expect(try topology.losers(to: topology.changing(members: again)) == [id("node-1")])
    #expect(try topology.losers(to: topology) == [])
}

@Test("an arc that is cut keeps its owner on both sides, and is cut once")
func cut() throws {
    let topology = try Topology(founding: members(3))
    let table = try topology.table
    let mark = ArcMark.position(0x1234_5678_9ABC_DEF0)
    let split = try #require(try topology.split(at: mark))
    #expect(try split.table.arcCount == table.arcCount + 1)
    #expect(try topology.losers(to: split) == [] && split.losers(to: topology) == [])
    #expect(try split.split(at: mark) == nil)
}

@Test("a range that is split keeps its owner and its past")
func splitRange() throws {
    let (first, second) = (Array("h".utf8), Array("p".utf8))
    let founded = try Topology(founding: members(5), ring: RingSettings(.range, splits: [first]))
    let splits = [first, second]
    let plan = try OverridePlan(founded, splits: splits)
    let split = try founded.changing(overrides: plan.overrides, splits: splits)
    let table = try split.table
    #expect(table.arcCount == 3 && plan.moves.isEmpty)
    #expect(table.owner(of: "z") == table.owner(of: "i"))
    #expect(split.records == founded.records)
    // And each part can go its own way.
    let other = try #require(split.members.first { $0.name != table.owner(of: "z") })
    let moved = try split.changing(overrides: [Override(.boundary(second), owner: other.id)])
    #expect(try moved.table.owner(of: "z") == other.name)
    #expect(moved.records.map(\.epoch) == [1, 3])
}

@Test("more records than fit are joined, at the cost of misses only")
func recordsAreCompacted() {
    for range in [false, true] {
        let list = (0..<1_000).map { number in
            let mark: ArcMark =
                range
                ? .boundary(number == 0 ? [] : [UInt8(number >> 8), UInt8(number & 255)])
                : .position(UInt64(number))
            return ArcRecord(
                mark, epoch: UInt64(number % 7 + 1),
                minVersion: Version(epoch: UInt64(number % 5 + 1), counter: 0))
        }
        let joined = ArcRecord.compact(list, limit: 300)
        #expect(joined.count == 250)
        for record in list {
            let found = joined[joined.index(covering: record.mark)]
            #expect(found.epoch >= record.epoch && found.minVersion >= record.minVersion)
        }
        #expect(ArcRecord.compact(list, limit: 1_000) == list)
    }
}

@Test("topologies that contradict themselves are refused")
func refusedTopologies() throws {
    func error(
        epoch: UInt64 = 5, ring: RingSettings = RingSettings(), members list: [Member] = members(2),
        overrides: [Override] = [], records: [ArcRecord]? = nil
    ) -> PlacementError? {
        do throws(PlacementError) {
            _ = try Topology(
                epoch: epoch, ring: ring, members: list, overrides: overrides,
                records: records ?? [ArcRecord(ring.firstMark, startingAt: 1)])
            return nil
        } catch {
            return error
        }
    }
    #expect(error() == nil)
    let limit = Version.epochLimit
    #expect(error(epoch: 0) == .epochOutOfRange(epoch: 0, limit: limit))
    #expect(error(epoch: limit + 1) == .epochOutOfRange(epoch: limit + 1, limit: limit))
    #expect(error(epoch: limit) == nil)
    #expect(error(members: members(["a", "a"])) == .duplicateMember(name: "a"))
    var twin = member("b")
    twin.id = id("a")
    #expect(error(members: [member("a"), twin]) == .duplicateMember(name: "b"))
    #expect(error(records: []) == .incompleteRecords)
    #expect(
        error(ring: RingSettings(.range), records: [ArcRecord(.boundary([1]), startingAt: 1)])
            == .incompleteRecords)
    let mark = ArcMark.position(3)
    #expect(error(records: [ArcRecord(mark, startingAt: 6)]) == .recordOutOfRange(mark, epoch: 6))
    let future = ArcRecord(mark, epoch: 4, minVersion: Version(epoch: 6, counter: 0))
    #expect(error(records: [future]) == .recordOutOfRange(mark, epoch: 4))
    #expect(error(overrides: [Override(mark), Override(mark)]) == .duplicateMark(mark))
    #expect(error(overrides: [Override(.boundary([1]))]) == .foreignMark(.boundary([1])))
    #expect(error(ring: RingSettings(.range), overrides: [Override(mark)]) == .foreignMark(mark))
    let copies = [NodeID](repeating: id("a"), count: 17)
    #expect(
        error(overrides: [Override(mark, replicas: copies)]) == .tooManyReplicas(mark, limit: 16))
    let many = (0...UInt64(Topology.overrideLimit)).map { Override(.position($0)) }
    #expect(error(overrides: many) == .tooManyOverrides(count: 65_537, limit: 65_536))
    let long = [UInt8](repeating: 1, count: 251)
    #expect(
        error(ring: RingSettings(.range), overrides: [Override(.boundary(long))])
            == .splitLengthOutOfRange(count: 251, limit: 250))
}
