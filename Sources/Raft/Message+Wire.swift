// Messages in Protobuf's wire format; the schema is Message in proto/raft.proto.

public import Primitives

extension RaftInstance.Message {
    /// The message as bytes.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        writer.varint(term, field: 1)
        write(&writer)
        return writer.bytes
    }

    /// Reads a message that another server sent.
    ///
    /// - Throws: ``ProtobufError`` when the bytes are no message or break a limit.
    public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        var term: UInt64 = 0
        var body: Body?
        while let field = try reader.nextField() {
            if field.number == 1 {
                term = try reader.varint(field)
            } else if (2...16).contains(field.number) {
                var content = try reader.message(field)
                body = try Body(number: field.number, &content)
            } else {
                try reader.skip(field)
            }
        }
        guard let body else { throw .missingField(field: 2, offset: bytes.count) }
        self.init(term: term, body: body)
    }

    private func write(_ writer: inout ProtobufWriter) {
        switch body {
        case .preVoteRequest(let request): writer.message(field: 2) { request.write(&$0) }
        case .preVoteResponse(let granted):
            writer.message(field: 3) { $0.bool(granted, field: 1) }
        case .voteRequest(let request): writer.message(field: 4) { request.write(&$0) }
        case .voteResponse(let granted): writer.message(field: 5) { $0.bool(granted, field: 1) }
        case .append(let append): writer.message(field: 6) { append.write(&$0) }
        case .appendResponse(let response): writer.message(field: 7) { response.write(&$0) }
        case .heartbeat(let commitIndex, let round):
            writer.message(field: 8) { $0.varints(commitIndex, round) }
        case .heartbeatResponse(let round, let agreedIndex):
            writer.message(field: 9) { $0.varints(round, agreedIndex) }
        case .snapshotChunk(let chunk): writer.message(field: 10) { chunk.write(&$0) }
        case .snapshotResponse(let index, let offset, let received):
            writer.message(field: 11) { $0.varints(index, UInt64(offset), UInt64(received)) }
        case .timeoutNow: writer.message(field: 12) { _ in }
        case .proposal(let request, let proposal):
            writer.message(field: 13) {
                request.write(field: 1, &$0)
                proposal.write(&$0)
            }
        case .proposalResponse(let request, let outcome):
            writer.message(field: 14) {
                request.write(field: 1, &$0)
                outcome.write(&$0)
            }
        case .readRequest(let request): request.write(field: 15, &writer)
        case .readResponse(let request, let index):
            writer.message(field: 16) {
                request.write(field: 1, &$0)
                if let index { $0.presentVarint(index, field: 2) }
            }
        }
    }
}

extension RaftInstance.Message.Body {
    /// Reads the body that field `number` of a message holds.
    fileprivate init(number: Int, _ reader: inout ProtobufReader) throws(ProtobufError) {
        switch number {
        case 2: self = .preVoteRequest(try RaftInstance.VoteRequest(&reader))
        case 3: self = .preVoteResponse(granted: try reader.varints(1)[0] != 0)
        case 4: self = .voteRequest(try RaftInstance.VoteRequest(&reader))
        case 5: self = .voteResponse(granted: try reader.varints(1)[0] != 0)
        case 6: self = .append(try RaftInstance.Append(&reader))
        case 7: self = .appendResponse(try RaftInstance.AppendResponse(&reader))
        case 8:
            let numbers = try reader.varints(2)
            self = .heartbeat(commitIndex: numbers[0], round: numbers[1])
        case 9:
            let numbers = try reader.varints(2)
            self = .heartbeatResponse(round: numbers[0], agreedIndex: numbers[1])
        case 10: self = .snapshotChunk(try RaftInstance.SnapshotChunk(&reader))
        case 11:
            let numbers = try reader.varints(3)
            let offset = try reader.int(numbers[1], field: 2)
            let received = try reader.int(numbers[2], field: 3)
            self = .snapshotResponse(
                index: numbers[0], chunkOffset: offset, received: received)
        case 12:
            _ = try reader.varints(0)
            self = .timeoutNow
        case 13: self = try Self.proposal(&reader)
        case 14: self = try Self.proposalResponse(&reader)
        case 15: self = .readRequest(try RaftInstance.RequestID(&reader))
        default: self = try Self.readResponse(&reader)
        }
    }

    private static func proposal(_ reader: inout ProtobufReader) throws(ProtobufError) -> Self {
        var request: RaftInstance.RequestID?
        var proposal: RaftInstance.Proposal?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: request = try RaftInstance.RequestID(field, &reader)
            case 2:
                proposal = .command(try reader.bytes(field, limit: WireLimits.payloadBytes))
            case 3: proposal = .change(.addLearner(NodeID(try reader.fixed64(field))))
            case 4: proposal = .change(.promote(NodeID(try reader.fixed64(field))))
            case 5: proposal = .change(.demote(NodeID(try reader.fixed64(field))))
            case 6: proposal = .change(.remove(NodeID(try reader.fixed64(field))))
            default: try reader.skip(field)
            }
        }
        guard let request else { throw .missingField(field: 1, offset: reader.offset) }
        guard let proposal else { throw .missingField(field: 2, offset: reader.offset) }
        return .proposal(request, proposal)
    }

    private static func proposalResponse(
        _ reader: inout ProtobufReader
    ) throws(ProtobufError) -> Self {
        var request: RaftInstance.RequestID?
        var outcome: RaftInstance.ProposalOutcome?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: request = try RaftInstance.RequestID(field, &reader)
            case 2:
                var content = try reader.message(field)
                let numbers = try content.varints(2)
                outcome = .appended(term: numbers[0], index: numbers[1])
            case 3:
                let value = try reader.varint(field)
                guard let code = UInt8(exactly: value),
                    let reason = RaftInstance.Rejection(rawValue: code)
                else { throw .outOfRange(field: 3, value: value, offset: reader.offset) }
                outcome = .rejected(reason)
            case 4:
                try reader.skip(field)
                outcome = .unknown
            default: try reader.skip(field)
            }
        }
        guard let request else { throw .missingField(field: 1, offset: reader.offset) }
        guard let outcome else { throw .missingField(field: 2, offset: reader.offset) }
        return .proposalResponse(request, outcome)
    }

    private static func readResponse(
        _ reader: inout ProtobufReader
    ) throws(ProtobufError) -> Self {
        var request: RaftInstance.RequestID?
        var index: RaftInstance.LogIndex?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: request = try RaftInstance.RequestID(field, &reader)
            case 2: index = try reader.varint(field)
            default: try reader.skip(field)
            }
        }
        guard let request else { throw .missingField(field: 1, offset: reader.offset) }
        return .readResponse(request, index: index)
    }
}
