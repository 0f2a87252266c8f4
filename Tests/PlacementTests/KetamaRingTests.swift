// Ketama against libmemcached's own answers, and what it refuses.
import Testing

@testable import Placement

private typealias Server = KetamaRing.Server

/// A line `HOST|PORT|WEIGHT ...`, as Golden/ketama.c writes it.
private func servers(_ line: String) throws -> [Server] {
    try line.split(separator: " ").map { text in
        let parts = text.split(separator: "|")
        try #require(parts.count == 3)
        return Server(
            host: String(parts[0]), port: try #require(Int(parts[1])),
            weight: try #require(Int(parts[2])))
    }
}

private func owner(of key: String, in ring: KetamaRing) -> Int {
    ring.serverIndex(forKey: Array(key.utf8).span.bytes)
}

@Test("every key goes where libmemcached sends it")
func agreesWithLibmemcached() throws {
    let golden = try GoldenFile("ketama.txt")
    let (keys, lists, answers) = (golden["key"], golden["servers"], golden["owners"])
    #expect(keys.count == 600 && lists.count == 42 && answers.count == 42)
    for (list, answer) in zip(lists, answers) {
        let ring = try KetamaRing(try servers(list))
        let ours = keys.map { String(owner(of: $0, in: ring), radix: 36) }.joined()
        #expect(ours == answer, "\(list)")
    }
}

@Test("single precision decides how many digests a server gets")
func digestCounts() {
    let equal = (1...64).map {
        KetamaRing.digestCount(weight: 1, totalWeight: $0, servers: $0)
    }
    // The shares that single precision rounds down: a ring built with exact shares would differ.
    for (index, count) in equal.enumerated() {
        #expect(count == ([25, 47, 50, 55, 61].contains(index + 1) ? 39 : 40))
    }
    #expect(KetamaRing.digestCount(weight: 1, totalWeight: 1_031, servers: 3) == 0)
    #expect(KetamaRing.digestCount(weight: 600, totalWeight: 4_300, servers: 8) == 44)
}

@Test("the position of a key is the first 4 bytes of its MD5, little endian")
func positionIsLittleEndian() {
    // MD5("abc") begins with 90 01 50 98.
    #expect(KetamaRing.position(of: Array("abc".utf8).span.bytes) == 0x9850_0190)
}

@Test("the table of buckets finds the same point as a walk from the first")
func bucketsAgreeWithAWalk() throws {
    let list = (1...7).map { Server(host: "n\($0)", port: 11_211, weight: $0) }
    let ring = try KetamaRing(list)
    let points = KetamaRing.points(of: list)
    let edges: [UInt32] = points.flatMap { [$0.position &- 1, $0.position, $0.position &+ 1] }
    for position in edges + [0, .max] {
        let walked = points.first { $0.position >= position } ?? points[0]
        #expect(ring.serverIndex(at: position) == Int(walked.server))
    }
}

@Test("a server of weight 0 owns nothing and changes nothing for the others")
func weightZero() throws {
    let without = try KetamaRing([
        Server(host: "a", port: 11_211, weight: 2), Server(host: "b", port: 11_212),
    ])
    let with = try KetamaRing([
        Server(host: "a", port: 11_211, weight: 2),
        Server(host: "router", port: 11_211, weight: 0),
        Server(host: "b", port: 11_212),
    ])
    for number in 0..<1_000 {
        let expected = owner(of: "k\(number)", in: without) == 0 ? 0 : 2
        #expect(owner(of: "k\(number)", in: with) == expected)
    }
}

@Test("a ring of as many servers as are allowed, and no more")
func serverLimit() throws {
    let most = (1...KetamaRing.serverLimit).map { Server(host: "n\($0)", port: 11_211) }
    let ring = try KetamaRing(most)
    #expect((0..<10_000).allSatisfy { most.indices.contains(owner(of: "\($0)", in: ring)) })
    #expect(throws: PlacementError.tooManyServers(count: 1_025, limit: 1_024)) {
        try KetamaRing(most + [Server(host: "one-more", port: 11_211)])
    }
}

@Test("lists that make no ring are refused")
func refusals() {
    func error(_ servers: [Server]) -> PlacementError? {
        do throws(PlacementError) {
            _ = try KetamaRing(servers)
            return nil
        } catch {
            return error
        }
    }
    #expect(error([]) == .noServers)
    #expect(error([Server(host: "a", port: 1, weight: 0)]) == .noWeight)
    let limit = KetamaRing.weightLimit
    for weight in [-1, limit + 1, .max, .min] {
        #expect(
            error([Server(host: "a", port: 1, weight: weight)])
                == .weightOutOfRange(server: "a:1", weight: weight, limit: limit))
    }
    #expect(error([Server(host: "a", port: 1, weight: limit)]) == nil)
    for port in [-1, 0, 65_536] {
        #expect(error([Server(host: "a", port: port)]) == .portOutOfRange(server: "a", port: port))
    }
    for count in [0, 256] {
        #expect(
            error([Server(host: String(repeating: "h", count: count), port: 1)])
                == .hostLengthOutOfRange(count: count, limit: 255))
    }
    let longest = String(repeating: "h", count: 255)
    #expect(error([Server(host: longest, port: 65_535)]) == nil)
}
