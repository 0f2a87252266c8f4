import Foundation
import Primitives
import Raft
import Testing

/// Google's compiler reads what we write by proto/raft.proto, and we read what it writes.
@Suite struct ProtocTests {
    private static let root: String = {
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    }()

    /// Runs protoc with these arguments and this input.
    private static func protoc(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
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
            ["protoc", "--proto_path=\(root)/proto"] + arguments + ["raft.proto"]
        process.standardInput = try FileHandle(forReadingFrom: inputFile)
        process.standardOutput = try FileHandle(forWritingTo: outputFile)
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "protoc: is protobuf-compiler installed?")
        return Array(try Data(contentsOf: outputFile))
    }

    private static func throughProtoc(_ bytes: [UInt8], _ type: String) throws -> [UInt8] {
        let text = try protoc(["--decode=kiln.raft.v1.\(type)"], bytes)
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") {
            // protoc shows a field that the schema lacks by its number.
            let first = line.first { $0 != " " }
            #expect(first?.isNumber != true, "not in the schema: \(line) of \(bytes)")
        }
        return try protoc(["--encode=kiln.raft.v1.\(type)"], text)
    }

    @Test func messagesPassThroughProtoc() throws {
        for message in MessageWireTests.messages {
            let bytes = try Self.throughProtoc(message.protobuf, "Message")
            #expect(try Message(protobuf: bytes) == message)
        }
    }

    @Test func recordsPassThroughProtoc() throws {
        for record in [
            .start(previousIndex: 7, resets: true), .batch(MessageWireTests.entries),
        ] as [RaftInstance.LogRecord] {
            let content = Array(
                record.framed.dropFirst(RecordFrame.headBytes)
                    .dropLast(RecordFrame.footBytes))
            let bytes = try Self.throughProtoc(content, "LogRecord")
            #expect(try RaftInstance.LogRecord(protobuf: bytes) == record)
        }
        for state in [
            RaftInstance.HardState(term: 5, vote: NodeID(0)), RaftInstance.HardState(term: 6),
        ] {
            let content = Array(
                state.framed.dropFirst(RecordFrame.headBytes)
                    .dropLast(RecordFrame.footBytes))
            let bytes = RecordFrame.encode(try Self.throughProtoc(content, "HardState"))
            #expect(try RaftInstance.HardState(framed: bytes) == state)
        }
        let snapshot = RaftInstance.Snapshot(
            index: 9, term: 3, configuration: MessageWireTests.configuration, data: [1, 0, 255])
        let content = Array(
            snapshot.framed.dropFirst(RecordFrame.headBytes)
                .dropLast(RecordFrame.footBytes))
        let bytes = RecordFrame.encode(try Self.throughProtoc(content, "Snapshot"))
        #expect(try RaftInstance.Snapshot(framed: bytes) == snapshot)
    }

    /// What a field means is in its number: the schema's names must stand for the same.
    @Test func theSchemaNamesWhatWeMean() throws {
        let text = """
            term: 6
            append {
              previous_index: 10 previous_term: 5 commit_index: 9
              entries { term: 6 index: 11 command: "ab" }
              entries { term: 6 index: 12 configuration { voters: 1 voters: 2 learners: 3 } }
              entries { term: 6 index: 13 no_operation { } }
            }
            """
        let bytes = try Self.protoc(["--encode=kiln.raft.v1.Message"], Array(text.utf8))
        let members = RaftInstance.Configuration(
            voters: [NodeID(1), NodeID(2)], learners: [NodeID(3)])
        let append = RaftInstance.Append(
            previousIndex: 10, previousTerm: 5,
            entries: [
                Entry(term: 6, index: 11, payload: .command([97, 98])),
                Entry(term: 6, index: 12, payload: .configuration(members)),
                Entry(term: 6, index: 13, payload: .noOperation),
            ], commitIndex: 9)
        #expect(try Message(protobuf: bytes) == Message(term: 6, body: .append(append)))
    }
}
