import Foundation
import Primitives
import SWIM
import Testing

/// Google's compiler reads what we write by proto/swim.proto, and we read what it writes.
@Suite struct ProtocTests {
    private static let schemas: String = {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return "/\(root)/proto"
    }()

    /// Runs protoc with this option and this input.
    private static func protoc(_ option: String, _ input: [UInt8]) throws -> [UInt8] {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "kiln-swim-protoc-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let inputFile = folder.appending(path: "input")
        let outputFile = folder.appending(path: "output")
        try Data(input).write(to: inputFile)
        try Data().write(to: outputFile)
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["protoc", "--proto_path=\(schemas)", option, "swim.proto"]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "protoc: is protobuf-compiler installed?")
        return Array(try Data(contentsOf: outputFile))
    }

    @Test("messages of all kinds pass through protoc and come back the same")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 7)
        var kinds: Set<String> = []
        for _ in 0..<60 {
            let message = WireTests.randomMessage(&random)
            kinds.insert(String("\(message.body)".prefix { $0 != "(" }))
            let text = try Self.protoc("--decode=kiln.swim.v1.Message", message.protobuf)
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
                // protoc shows a field that the schema lacks by its number.
                let first = line.first { $0 != " " }
                #expect(first?.isNumber != true, "not in the schema: \(line) of \(message)")
            }
            let bytes = try Self.protoc("--encode=kiln.swim.v1.Message", text)
            #expect(try SWIMInstance.Message(protobuf: bytes) == message)
        }
        #expect(kinds.count == 8, "\(kinds)")
    }

    @Test("the schema's names mean what ours mean")
    func names() throws {
        let text = """
            version: 1 least_version: 1 sender: 1 life: 2 cluster: 3 load: 4
            ping_request { sequence: 5 target: 6 address: "six:1" }
            updates {
              id: 7 incarnation: 8 life: 9 status: STATUS_SUSPECT accusers: 10 accusers: 11
              metadata {
                name: "n" peer: "p:1" client: "c:1" http: "h:1" zone: "z" weight: 12
              }
            }
            updates { id: 13 status: STATUS_LEFT }
            """
        let bytes = try Self.protoc("--encode=kiln.swim.v1.Message", Array(text.utf8))
        let expected = SWIMInstance.Message(
            sender: NodeID(1), life: 2, cluster: 3, load: 4,
            body: .pingRequest(sequence: 5, target: NodeID(6), address: "six:1"),
            updates: [
                .init(
                    id: NodeID(7), incarnation: 8, life: 9, status: .suspect,
                    accusers: [NodeID(10), NodeID(11)],
                    metadata: .init(
                        name: "n", peer: "p:1", client: "c:1", http: "h:1", zone: "z",
                        weight: 12)),
                .init(id: NodeID(13), incarnation: 0, life: 0, status: .left),
            ])
        #expect(try SWIMInstance.Message(protobuf: bytes) == expected)
    }
}
