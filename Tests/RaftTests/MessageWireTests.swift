import Primitives
import Raft
import Testing

/// Messages as bytes: round trips, every cut, unknown fields, limits.
@Suite struct MessageWireTests {
    static let configuration = RaftInstance.Configuration(
        voters: [NodeID(1), NodeID(.max)], learners: [NodeID(0), NodeID(7)])

    static let entries = [
        Entry(term: 1, index: 2, payload: .noOperation),
        Entry(term: .max, index: 3, payload: .command([])),
        Entry(term: 3, index: .max, payload: .command([0, 255, 1])),
        Entry(term: 4, index: 5, payload: .configuration(configuration)),
        Entry(term: 4, index: 6, payload: .configuration(RaftInstance.Configuration())),
    ]

    static let request = RaftInstance.RequestID(session: .max, sequence: 300)

    static let bodies: [Message.Body] =
        [
            .preVoteRequest(RaftInstance.VoteRequest(lastIndex: 5, lastTerm: 6)),
            .preVoteResponse(granted: true), .preVoteResponse(granted: false),
            .voteRequest(
                RaftInstance.VoteRequest(lastIndex: 5, lastTerm: .max, isTransfer: true)),
            .voteResponse(granted: true),
            .append(
                RaftInstance.Append(
                    previousIndex: 1, previousTerm: 1, entries: entries, commitIndex: 400)),
            .append(
                RaftInstance.Append(
                    previousIndex: 0, previousTerm: 0, entries: [], commitIndex: 0)),
            .appendResponse(.accepted(match: 0)), .appendResponse(.accepted(match: 9)),
            .appendResponse(
                .rejected(previous: 4, conflictTerm: 0, conflictIndex: 2, lastIndex: 1)),
            .heartbeat(commitIndex: 1 << 40, round: 1), .heartbeat(commitIndex: 0, round: 0),
            .heartbeatResponse(round: 7, agreedIndex: 0),
            .snapshotChunk(
                RaftInstance.SnapshotChunk(
                    index: 9, term: 2, configuration: configuration, totalBytes: 5, offset: 2,
                    data: [1, 2, 3])),
            .snapshotResponse(index: 9, chunkOffset: 2, received: 5), .timeoutNow,
            .proposal(request, .command([9])), .proposal(request, .command([])),
            .proposalResponse(request, .appended(term: 3, index: 4)),
            .proposalResponse(request, .unknown), .readRequest(request),
            .readResponse(request, index: 0), .readResponse(request, index: nil),
        ]
        + RaftInstance.Rejection.allCases.map { .proposalResponse(request, .rejected($0)) }
        + [.addLearner(NodeID(0)), .promote(NodeID(3)), .demote(NodeID(4)), .remove(NodeID(5))]
        .map { .proposal(request, .change($0)) }

    static let messages = bodies.map { Message(term: 0x1_0000, body: $0) }

    @Test func everyMessageComesBack() throws {
        for message in Self.messages {
            #expect(try Message(protobuf: message.protobuf) == message)
        }
        let zero = Message(term: 0, body: .timeoutNow)
        #expect(try Message(protobuf: zero.protobuf) == zero)
    }

    /// A cut message is an error or a shorter message, and never a crash.
    @Test func everyCutIsSurvived() {
        for message in Self.messages {
            let bytes = message.protobuf
            for count in 0..<bytes.count {
                do {
                    let shorter = try Message(protobuf: Array(bytes.prefix(count)))
                    Issue.record("\(message) cut at \(count) is \(shorter)")
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    /// A newer version may add fields to any message; here each nested one gets some.
    @Test func unknownFieldsAreSkipped() throws {
        var unknown = ProtobufWriter()
        unknown.varint(5, field: 100)
        unknown.bytes([1, 2], field: 101)
        for message in Self.messages {
            #expect(
                try Message(protobuf: unknown.bytes + message.protobuf + unknown.bytes) == message)
            let body = try Self.addToBody(message.protobuf, unknown.bytes)
            #expect(try Message(protobuf: body) == message)
        }
    }

    /// The message with `extra` at the end of the field that holds its body.
    private static func addToBody(_ bytes: [UInt8], _ extra: [UInt8]) throws -> [UInt8] {
        var reader = ProtobufReader(bytes)
        var writer = ProtobufWriter()
        while let field = try reader.nextField() {
            if field.number == 1 {
                writer.varint(try reader.varint(field), field: 1)
            } else {
                let body = try reader.bytes(field, limit: .max)
                writer.presentBytes(body + extra, field: field.number)
            }
        }
        return writer.bytes
    }

    /// An entry of a kind that is not known must not pass for one that does nothing.
    @Test func anEntryOfAnUnknownKindIsAnError() {
        var writer = ProtobufWriter()
        writer.message(field: 6) { append in
            append.message(field: 4) { entry in
                entry.varint(1, field: 1)
                entry.varint(2, field: 2)
                entry.bytes([1], field: 6)
            }
        }
        #expect(throws: ProtobufError.self) { try Message(protobuf: writer.bytes) }
        #expect(throws: ProtobufError.self) { try Message(protobuf: [0x08, 1]) }
    }

    @Test func countsAndSizesAreLimited() {
        var many = ProtobufWriter()
        many.message(field: 6) { append in
            for _ in 0...WireLimits.entries {
                append.message(field: 4) { entry in entry.message(field: 3) { _ in } }
            }
        }
        #expect(
            throws: ProtobufError.beyondLimit(
                field: 4, count: UInt64(WireLimits.entries) + 1, limit: WireLimits.entries,
                offset: many.bytes.count - 3)
        ) { try Message(protobuf: many.bytes) }
        var chunk = ProtobufWriter()
        chunk.message(field: 10) { body in
            body.bytes([UInt8](repeating: 0, count: WireLimits.chunkBytes + 1), field: 6)
        }
        #expect(throws: ProtobufError.self) { try Message(protobuf: chunk.bytes) }
        var members = ProtobufWriter()
        members.message(field: 10) { body in
            body.message(field: 3) { configuration in
                configuration.packedFixed64(
                    (0...UInt64(WireLimits.members)).map { $0 }, field: 1)
            }
        }
        #expect(throws: ProtobufError.self) { try Message(protobuf: members.bytes) }
    }

    @Test func randomBytesNeverCrash() {
        var random = SeededGenerator(seed: 3)
        for message in Self.messages {
            for _ in 0..<200 {
                var bytes = message.protobuf
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let position = Int.random(in: 0..<bytes.count, using: &random)
                    bytes[position] = UInt8.random(in: 0...255, using: &random)
                }
                if let read = try? Message(protobuf: bytes) {
                    _ = read.protobuf
                }
            }
        }
    }

    /// Terms and indices from which one cannot count on.
    @Test func numbersBeyondAllReasonAreNotTaken() throws {
        var server = try lone(2, of: 3)
        var effects: [Effect] = []
        let append = RaftInstance.Append(
            previousIndex: .max, previousTerm: 1,
            entries: [Entry(term: 1, index: 0, payload: .noOperation)], commitIndex: .max)
        let chunk = RaftInstance.SnapshotChunk(
            index: .max, term: 1, configuration: Self.configuration, totalBytes: 0, offset: 0,
            data: [])
        for (term, body) in [
            (.max, .heartbeat(commitIndex: 1, round: 1)), (1, .append(append)),
            (1, .snapshotChunk(chunk)), (1, .heartbeat(commitIndex: .max, round: .max)),
        ] as [(UInt64, Message.Body)] {
            let message = Message(term: term, body: body)
            server.step(.received(message, from: NodeID(1)), at: at(1), effects: &effects)
        }
        #expect(server.term == 1 && server.lastIndex == 1 && server.commitIndex == 1)
    }

    /// What a stranger can send must not crash a server, whatever it is.
    @Test func noMessageCrashesAServer() throws {
        var random = SeededGenerator(seed: 4)
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        let follower = try #require(cluster.ids.first { $0 != leader })
        var servers = [cluster[leader], cluster[follower]]
        var now = cluster.now
        var effects: [Effect] = []
        for message in Self.messages {
            for _ in 0..<100 {
                var bytes = message.protobuf
                let position = Int.random(in: 0..<bytes.count, using: &random)
                bytes[position] = UInt8.random(in: 0...255, using: &random)
                guard var read = try? Message(protobuf: bytes) else { continue }
                if Bool.random(using: &random) { read.term = servers[0].term }
                now = now.advanced(by: .milliseconds(1))
                let sender = cluster.ids[Int.random(in: 0..<3, using: &random)]
                for index in servers.indices {
                    servers[index].step(.received(read, from: sender), at: now, effects: &effects)
                }
                effects = []
            }
        }
    }
}
