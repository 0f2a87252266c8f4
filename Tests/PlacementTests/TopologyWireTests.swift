// Topologies as bytes: round trips, every cut, damage, limits, and Google's own compiler.
import Foundation
import Primitives
import Testing

@testable import Placement

@Suite struct TopologyWireTests {
    /// One with everything in it, and one of ranges.
    static func samples() throws -> [Topology] {
        var list = members(3, zones: ["x", "", "y"]) + [member("router", weight: 0)]
        list[0].http = NodeAddress(host: "::1", port: 31_211)
        list[1].id = NodeID(0)
        list[1].incarnation = .max
        let ring = RingSettings(virtualNodes: 3)
        let overrides = [
            Override(.position(0), owner: NodeID(0), replicas: [list[0].id, list[2].id]),
            Override(.position(1 << 63), replicas: [NodeID(.max)]),
            Override(.position(.max), owner: list[2].id),
        ]
        let founded = try Topology(founding: Array(list.dropFirst()), ring: ring)
        let ranges = try Topology(
            founding: members(2),
            ring: RingSettings(.range, splits: [[0], [0xFF], [0xFF, 1]]))
        return [
            try Topology(founding: members(1)), founded,
            try founded.changing(members: list, overrides: overrides),
            try ranges.changing(overrides: [Override(.boundary([]), owner: id("node-1"))]),
            try Topology(founding: members(2), ring: RingSettings(.ketama)),
        ]
    }

    @Test func everyTopologyComesBack() throws {
        for topology in try Self.samples() {
            #expect(try Topology(protobuf: topology.protobuf) == topology)
        }
    }

    /// Cut between two members or records it can be a shorter topology, but never a crash.
    @Test func everyCutIsSurvived() throws {
        for topology in try Self.samples() {
            let bytes = topology.protobuf
            var failures = 0
            for count in 0..<bytes.count {
                do throws(PlacementError) {
                    let shorter = try Topology(protobuf: Array(bytes.prefix(count)))
                    #expect(shorter != topology)
                } catch {
                    #expect(!error.description.isEmpty)
                    failures += 1
                }
            }
            #expect(failures >= bytes.count * 9 / 10)
        }
    }

    @Test func unknownFieldsAreSkipped() throws {
        var unknown = ProtobufWriter()
        unknown.varint(5, field: 100)
        unknown.bytes([1, 2], field: 101)
        for topology in try Self.samples() {
            let bytes = unknown.bytes + topology.protobuf + unknown.bytes
            #expect(try Topology(protobuf: bytes) == topology)
        }
    }

    /// Whatever is read makes a table in which every key has an owner.
    @Test func damageIsFoundOrHarmless() throws {
        var random = SeededGenerator(seed: 3)
        var tables = 0
        for topology in try Self.samples().dropFirst() {
            for _ in 0..<400 {
                var bytes = topology.protobuf
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let position = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[position] = UInt8.random(in: 0...255, using: &random)
                }
                guard let read = try? Topology(protobuf: bytes) else { continue }
                let table = try read.table
                for number in 0..<5 {
                    let owner = Int(table.route("\(number)").owner)
                    #expect(read.members[owner].weight > 0)
                }
                #expect(try Topology(protobuf: read.protobuf) == read)
                tables += 1
            }
        }
        #expect(tables > 100)
    }

    /// The topology that `body` writes around a valid ring.
    private func error(_ body: (inout ProtobufWriter) -> Void) -> PlacementError? {
        var writer = ProtobufWriter()
        writer.varint(1, field: 1)
        writer.message(field: 2) { ring in
            ring.varint(1, field: 1)
            ring.varint(1, field: 2)
        }
        body(&writer)
        do throws(PlacementError) {
            _ = try Topology(protobuf: writer.bytes)
            return nil
        } catch {
            return error
        }
    }

    /// Whether a list is refused for its length, with the limit it has.
    private func isBeyond(_ error: PlacementError?, field: Int, _ limit: Int) -> Bool {
        guard case .unreadable(.beyondLimit(field, _, limit, _)) = error else { return false }
        return true
    }

    @Test func listsAndTextsAreLimited() {
        let members = error { writer in
            for _ in 0...HashRing.memberLimit { writer.message(field: 3) { _ in } }
        }
        #expect(isBeyond(members, field: 3, 1_024))
        let mark: (inout ProtobufWriter) -> Void = { item in
            item.message(field: 1) { $0.presentFixed64(0, field: 1) }
        }
        let overrides = error { writer in
            for _ in 0...Topology.overrideLimit { writer.message(field: 4, mark) }
        }
        #expect(isBeyond(overrides, field: 4, 65_536))
        let records = error { writer in
            for _ in 0...Topology.recordLimit { writer.message(field: 5, mark) }
        }
        #expect(isBeyond(records, field: 5, 131_072))
        let splits = error { writer in
            writer.message(field: 2) { ring in
                for _ in 0...RangeMap.splitLimit { ring.presentBytes([], field: 3) }
            }
        }
        #expect(isBeyond(splits, field: 3, 65_536))
        let replicas = error { writer in
            writer.message(field: 4) { item in
                mark(&item)
                item.packedFixed64((0..<17).map { UInt64($0) }, field: 3)
            }
        }
        #expect(isBeyond(replicas, field: 3, 16))
        let name = error { writer in
            writer.message(field: 3) { $0.string(String(repeating: "n", count: 256), field: 2) }
        }
        #expect(isBeyond(name, field: 2, 255))
        #expect(error { _ in } == .noServers)
    }

    @Test func aRingOfAnUnknownKindIsAnError() {
        for kind in [0, 4, 1 << 40] as [UInt64] {
            let found = error { writer in
                writer.message(field: 2) { $0.presentVarint(kind, field: 1) }
            }
            guard case .unreadable(.outOfRange(1, kind, _)) = found else {
                Issue.record("kind \(kind): \(String(describing: found))")
                continue
            }
        }
    }

    /// protoc finds every field in the schema and writes what we can read.
    @Test func topologiesPassThroughProtoc() throws {
        for topology in try Self.samples() {
            let text = try protoc(["--decode=kiln.placement.v1.Topology"], topology.protobuf)
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
                let first = line.first { $0 != " " }
                #expect(first?.isNumber != true, "not in the schema: \(line)")
            }
            let bytes = try protoc(["--encode=kiln.placement.v1.Topology"], text)
            #expect(try Topology(protobuf: bytes) == topology)
        }
    }

    /// What a field means is in its number: the schema's names must stand for the same.
    @Test func theSchemaNamesWhatWeMean() throws {
        let text = """
            epoch: 9
            ring { kind: KIND_RANGE virtual_nodes: 7 splits: "m" }
            members {
              id: 5 name: "a" incarnation: 2 weight: 3 zone: "z"
              client { host: "c" port: 1 } peer { host: "p" port: 2 } http { host: "h" port: 3 }
            }
            overrides { mark { boundary: "q" } owner: 5 replicas: 6 }
            records { mark { boundary: "" } epoch: 8 min_version: 4 }
            """
        let bytes = try protoc(["--encode=kiln.placement.v1.Topology"], Array(text.utf8))
        let only = Member(
            name: "a", id: NodeID(5), incarnation: 2, weight: 3, zone: "z",
            client: NodeAddress(host: "c", port: 1), peer: NodeAddress(host: "p", port: 2),
            http: NodeAddress(host: "h", port: 3))
        let expected = try Topology(
            epoch: 9, ring: RingSettings(.range, virtualNodes: 7, splits: [Array("m".utf8)]),
            members: [only],
            overrides: [
                Override(.boundary(Array("q".utf8)), owner: NodeID(5), replicas: [NodeID(6)])
            ],
            records: [ArcRecord(.boundary([]), epoch: 8, minVersion: Version(value: 4))])
        #expect(try Topology(protobuf: bytes) == expected)
    }

    /// Runs protoc on the schema with these arguments and this input.
    private func protoc(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("kiln-protoc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let inputFile = folder.appendingPathComponent("input")
        let outputFile = folder.appendingPathComponent("output")
        try Data(input).write(to: inputFile)
        try Data().write(to: outputFile)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            ["protoc", "--proto_path=\(root)/proto"] + arguments + ["topology.proto"]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "protoc: is protobuf-compiler installed?")
        return Array(try Data(contentsOf: outputFile))
    }
}
