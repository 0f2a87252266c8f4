// The ring: the same for ever, even shares, least disruption, distinct replicas.
import Primitives
import Testing

@testable import Placement

private let digits = Array("0123456789abcdefghijklmnopqrstuvwxyz")

private func goldenKey(_ number: Int) -> [UInt8] {
    switch number % 3 {
    case 0: Array("\(number)".utf8)
    case 1: Array("user:\(number):profile".utf8)
    default: Array("session/\(number)/\(String(repeating: "x", count: number % 240))".utf8)
    }
}

/// The owners of the golden file's keys, as its digits.
private func owners(_ topology: Topology) throws -> String {
    let table = try topology.table
    return String((0..<10_000).map { digits[Int(table.route(goldenKey($0)).owner)] })
}

private func goldenMembers(_ golden: GoldenFile) throws -> [Member] {
    try golden["member"].map { line in
        let words = line.split(separator: " ")
        return member(String(words[0]), weight: try #require(Int(words[1])))
    }
}

@Test("10,000 keys go where they have always gone")
func goldenOwners() throws {
    let golden = try GoldenFile("ring.txt")
    let overrides = try golden["override"].map { line in
        let words = line.split(separator: " ")
        let position = try #require(UInt64(words[0], radix: 16))
        return Override(.position(position), owner: id(String(words[1])))
    }
    #expect(overrides.count == 6)
    let founded = try Topology(founding: try goldenMembers(golden))
    let topology = try founded.changing(overrides: overrides)
    #expect(try owners(topology) == golden["owners"].first)
    #expect(try owners(founded) != golden["owners"].first)
}

@Test("10,000 keys go to the range they have always gone to")
func goldenRanges() throws {
    let golden = try GoldenFile("ring.txt")
    let splits = golden["split"].map { Array($0.utf8) }
    let overrides = golden["range-override"].map { line in
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        return Override(.boundary(Array(words[1].utf8)), owner: id(String(words[0])))
    }
    #expect(splits.count == 9 && overrides.count == 2)
    let topology = try Topology(
        founding: try goldenMembers(golden), ring: RingSettings(.range, splits: splits)
    ).changing(overrides: overrides)
    #expect(try owners(topology) == golden["range-owners"].first)
}

@Test("under ketama the table sends every key where stock clients do")
func ketamaTable() throws {
    let golden = try GoldenFile("ketama.txt")
    var checked = 0
    for (list, answer) in zip(golden["servers"], golden["owners"]) {
        var listed: [Member] = []
        for text in list.split(separator: " ") {
            let parts = text.split(separator: "|")
            let (port, weight) = (try #require(Int(parts[1])), try #require(Int(parts[2])))
            // Lists with weights beyond what members have, or the same server twice, are no
            // cluster.
            guard weight <= Member.weightLimit else { continue }
            let address = NodeAddress(host: String(parts[0]), port: port)
            let name = "\(digits[listed.count])"
            listed.append(Member(name: name, weight: weight, client: address, peer: address))
        }
        guard listed.count == list.split(separator: " ").count else { continue }
        let table = try Topology(founding: listed, ring: RingSettings(.ketama)).table
        let ours = golden["key"].map { digits[Int(table.route($0).owner)] }
        #expect(String(ours) == answer, "\(list)")
        checked += 1
    }
    #expect(checked >= 30)
}

/// Owners of many keys by name.
private func names(_ members: [Member], keys: Int = 10_000) throws -> [String] {
    let table = try Topology(founding: members).table
    return (0..<keys).map { table.owner(of: "key:\($0)") }
}

@Test("a member that leaves moves its own keys and no others", arguments: [2, 3, 10, 50])
func removalMovesOnlyItsOwn(count: Int) throws {
    let all = members(count)
    let before = try names(all)
    for gone in [0, count / 2, count - 1] {
        let after = try names(all.filter { $0.name != all[gone].name })
        for (old, new) in zip(before, after) { #expect(old == all[gone].name || old == new) }
    }
}

@Test("a member that joins takes its part, from everyone, and nothing else moves")
func additionMovesOnlyToTheNewcomer() throws {
    for count in [2, 5, 20] {
        let before = try names(members(count))
        let after = try names(members(count + 1))
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.1 == "node-\(count)" })
        // Keys are drawn, and so are the points: both deviate.
        let part = 1 / Double(count + 1)
        let deviation = part * (1 / 160.0 + 1 / (10_000 * part)).squareRoot()
        #expect(abs(Double(moved.count) / 10_000 - part) < 3 * deviation, "\(count)")
    }
}

@Test("shares of equal nodes deviate by about 1/sqrt(points)", arguments: [(160, 50), (1_000, 20)])
func shareDeviation(points: Int, count: Int) throws {
    let settings = RingSettings(virtualNodes: points)
    let shares = try Topology(founding: members(count), ring: settings).shares
    #expect(abs(shares.reduce(0, +) - 1) < 1e-9)
    let squares = shares.map { ($0 * Double(count) - 1) * ($0 * Double(count) - 1) }
    let deviation = (squares.reduce(0, +) / Double(count)).squareRoot()
    let expected = 1 / Double(points).squareRoot()
    #expect((0.7 * expected...1.3 * expected).contains(deviation), "\(deviation)")
}

@Test("a weight is a share, and 0 is none")
func weights() throws {
    let list = [
        member("a", weight: 1), member("b", weight: 2), member("c", weight: 5),
        member("router", weight: 0),
    ]
    let shares = try Topology(founding: list).shares
    for (share, weight) in zip(shares, [1, 2, 5]) {
        #expect(abs(share / (Double(weight) / 8) - 1) < 0.2, "\(shares)")
    }
    #expect(shares[3] == 0)
    #expect(try names(list, keys: 1_000) == names(Array(list.dropLast()), keys: 1_000))
    // More weight takes keys from others and gives none away.
    let heavier = try names([member("a", weight: 3)] + list.dropFirst())
    for (old, new) in zip(try names(list), heavier) { #expect(old == new || new == "a") }
}

@Test("replicas are distinct nodes, in distinct zones while there are some")
func replicasSpread() throws {
    let list = members(7, zones: ["x", "x", "x", "y", "y", "z", "z"])
    let ring = try HashRing(list, RingSettings())
    var random = SeededGenerator(seed: 5)
    for _ in 0..<500 {
        let position = random.next()
        let all = ring.replicas(at: position, count: 10, of: list)
        #expect(all.first == ring.member(at: position))
        #expect(all.sorted() == Array(0..<7))
        #expect(Set(all.prefix(3).map { list[$0].zone }).count == 3)
        // The second round of zones before the third.
        #expect(Set(all.prefix(6).map { list[$0].zone }.dropFirst(3)).count == 3)
        for count in 0...7 {
            #expect(
                ring.replicas(at: position, count: count, of: list) == all.prefix(count).map(\.self)
            )
        }
    }
    let alone = members(["only"]) + [member("router", weight: 0)]
    #expect(try HashRing(alone, RingSettings()).replicas(at: 9, count: 3, of: alone) == [0])
}

@Test("where points fall together the first member has the arc, and the other its own once it left")
func pointsThatFallTogether() throws {
    var twin = member("b")
    twin.client = member("a").client
    let ring = try HashRing([member("a"), twin], RingSettings(.ketama))
    #expect(ring.points.allSatisfy { $0.member == 0 })
    #expect(Set(ring.points.map(\.position)).count == ring.points.count)
    let alone = try HashRing([twin], RingSettings(.ketama)).points.map(\.position)
    #expect(alone == ring.points.map(\.position))
}

@Test("rings that are refused")
func ringLimits() throws {
    func error(_ members: [Member], _ settings: RingSettings = RingSettings()) -> PlacementError? {
        do throws(PlacementError) {
            _ = try HashRing(members, settings)
            return nil
        } catch {
            return error
        }
    }
    #expect(error([]) == .noServers)
    #expect(error([member("a", weight: 0)]) == .noWeight)
    #expect(
        error([member("a", weight: -1)]) == .weightOutOfRange(server: "a", weight: -1, limit: 100))
    #expect(error([member("a", weight: 101)]) != nil && error([member("a", weight: 100)]) == nil)
    #expect(error(members(1_024)) == nil)
    #expect(error(members(1_025)) == .tooManyServers(count: 1_025, limit: 1_024))
    #expect(
        error(members((0..<17).map { "n\($0)" }, weight: 100))
            == .tooManyPoints(count: 272_000, limit: 262_144))
    for name in ["", "two words", "a|b", "é", "a\n", String(repeating: "n", count: 256)] {
        #expect(error([member(name)]) == .invalidName(name))
        #expect(name.isEmpty || error([member("a", zone: name)]) == .invalidName(name))
    }
    var deaf = member("deaf")
    deaf.peer.port = 0
    #expect(error([deaf]) == .portOutOfRange(server: "deaf", port: 0))
    for count in [0, 1_025] {
        #expect(
            error(members(2), RingSettings(virtualNodes: count))
                == .virtualNodesOutOfRange(count: count, limit: 1_024))
    }
    #expect(error(members(2), RingSettings(.xxh3, splits: [[1]])) == .splitsWithoutRanges)
    #expect(
        error(members(2), RingSettings(.range, splits: [[2], [1]]))
            == .splitsOutOfOrder(.boundary([1])))
}
