// Ranges against a plain comparison of bytes, and what they refuse.
import Primitives
import Testing

@testable import Placement

private func index(_ map: RangeMap, _ key: [UInt8]) -> Int { map.index(ofKey: key.span.bytes) }

/// How many boundaries are not after the key, counted one by one.
private func counted(_ splits: [[UInt8]], _ key: [UInt8]) -> Int {
    splits.count { !key.lexicographicallyPrecedes($0) }
}

@Test("a range begins with its boundary and ends before the next")
func rangesAreHalfOpen() throws {
    let map = try RangeMap(["m", "c"].map { Array($0.utf8) })
    for (key, expected) in [
        ("a", 0), ("bzzz", 0), ("c", 1), ("c\0", 1), ("lzz", 1), ("m", 2), ("zz", 2), ("", 0),
    ] {
        #expect(index(map, Array(key.utf8)) == expected, "\(key)")
    }
    #expect(index(try RangeMap([]), Array("any".utf8)) == 0)
}

/// Texts over few bytes, zero and 255 among them, so that they share beginnings and differ in
/// length only.
private func randomText(_ random: inout SeededGenerator, _ head: [UInt8], _ count: Int) -> [UInt8] {
    head + (0..<count).map { _ in [0, 1, 0x61, 0xFF][Int.random(in: 0..<4, using: &random)] }
}

@Test("the search finds what a plain comparison finds", arguments: UInt64(0)..<60)
func searchAgreesWithComparison(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let head = Array("a-common-prefix/".utf8.prefix(Int(seed % 17)))
    // Long middles put groups of boundaries beyond what the digest tells apart.
    let middles = [[], [UInt8](repeating: 7, count: 9), [UInt8](repeating: 7, count: 30)]
    var splits: [[UInt8]] = []
    for _ in 0..<Int.random(in: 1...80, using: &random) {
        let middle = middles[Int.random(in: 0..<3, using: &random)]
        let text = randomText(&random, head + middle, Int.random(in: 0...11, using: &random))
        if !text.isEmpty, !splits.contains(text) { splits.append(text) }
    }
    let map = try RangeMap(splits)
    #expect(map.splits.count == splits.count)
    var keys: [[UInt8]] = [[], [0], [0xFF]] + ["a-common", "a-d", "a-b"].map { Array($0.utf8) }
    for split in splits {
        keys += [split, split + [0], split.dropLast(), split.dropLast() + [0xFF]]
    }
    for middle in middles {
        for _ in 0..<50 {
            keys.append(randomText(&random, head + middle, Int.random(in: 0...14, using: &random)))
        }
    }
    for key in keys { #expect(index(map, key) == counted(splits, key), "\(key)") }
}

@Test("boundaries as long as keys can be, and no longer, and only once")
func boundaryLimits() throws {
    let longest = [UInt8](repeating: 0x78, count: 250)
    let map = try RangeMap([longest])
    #expect(index(map, Array(longest.dropLast())) == 0 && index(map, longest) == 1)
    #expect(throws: PlacementError.splitLengthOutOfRange(count: 251, limit: 250)) {
        try RangeMap([longest + [0]])
    }
    #expect(throws: PlacementError.splitLengthOutOfRange(count: 0, limit: 250)) {
        try RangeMap([[]])
    }
    #expect(throws: PlacementError.splitsOutOfOrder(.boundary([1]))) {
        try RangeMap([[1], [0], [1]])
    }
    let most = (0..<RangeMap.splitLimit).map { [UInt8($0 >> 8), UInt8($0 & 255)] }
    #expect(index(try RangeMap(most), [0x12, 0x34]) == 0x1235)
    #expect(throws: PlacementError.tooManySplits(count: 65_537, limit: 65_536)) {
        try RangeMap(most + [[1, 2, 3]])
    }
}
