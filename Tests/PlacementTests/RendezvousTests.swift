// Hot copies: distinct holders, other zones first, evenly dealt, hardly moved.
import Primitives
import Testing

@testable import Placement

private func holders(
    _ number: Int, _ count: Int, _ members: [Member], owner: Int = 0
) -> [String] {
    let hash = KeyHash(of: Array("hot:\(number)".utf8).span.bytes)
    return Rendezvous.holders(of: hash, owner: owner, count: count, members: members)
        .map { members[$0].name }
}

@Test("copies lie on other nodes than the owner, each once, as many as there are")
func holdersAreDistinct() {
    let list = members(5) + [member("router", weight: 0)]
    for number in 0..<200 {
        let all = holders(number, 9, list)
        #expect(all.sorted() == list.dropFirst().map(\.name).sorted())
        for count in 0...5 {
            #expect(holders(number, count, list) == all.prefix(count).map(\.self))
        }
    }
    #expect(holders(1, 3, members(1)).isEmpty)
}

@Test("copies lie in other zones than the owner's while there are some")
func zonesComeFirst() {
    let list = members(9, zones: ["x", "y", "z"])
    for number in 0..<200 {
        let zones = holders(number, 8, list).map {
            $0.last.flatMap(\.wholeNumberValue).map { $0 % 3 }
        }
        #expect(Set(zones.prefix(2)) == [1, 2])
        #expect(Set(zones.dropFirst(2).prefix(3)) == [0, 1, 2])
    }
}

@Test("every node holds as many copies as the others")
func holdersAreEven() {
    let list = members(11)
    var counts = [String: Int]()
    for number in 0..<5_000 {
        for name in holders(number, 2, list) { counts[name, default: 0] += 1 }
    }
    // 1,000 for each of ten; the deviation is 30.
    #expect(counts.count == 10)
    #expect(counts.values.allSatisfy { (850...1_150).contains($0) }, "\(counts)")
}

@Test("a node that leaves changes only the copies it held")
func holdersHardlyMove() {
    let list = members(8)
    let fewer = list.filter { $0.name != "node-5" }
    for number in 0..<500 {
        let (before, after) = (holders(number, 3, list), holders(number, 3, fewer))
        #expect(after.prefix(2) == before.filter { $0 != "node-5" }.prefix(2))
        #expect(before.contains("node-5") || before == after)
        // One more copy is added to those that are there.
        #expect(holders(number, 4, list).prefix(3).elementsEqual(before))
    }
}
