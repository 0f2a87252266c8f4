// The parts of messages in Protobuf's wire format; see proto/raft.proto.

import Primitives

extension RaftInstance.VoteRequest {
    func write(_ writer: inout ProtobufWriter) {
        writer.varints(lastIndex, lastTerm, isTransfer ? 1 : 0)
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        let numbers = try reader.varints(3)
        self.init(lastIndex: numbers[0], lastTerm: numbers[1], isTransfer: numbers[2] != 0)
    }
}

extension RaftInstance.Append {
    func write(_ writer: inout ProtobufWriter) {
        writer.varints(previousIndex, previousTerm, commitIndex)
        for entry in entries { writer.message(field: 4) { entry.write(&$0) } }
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(previousIndex: 0, previousTerm: 0, entries: [], commitIndex: 0)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: previousIndex = try reader.varint(field)
            case 2: previousTerm = try reader.varint(field)
            case 3: commitIndex = try reader.varint(field)
            case 4: try entries.appendEntry(field, &reader)
            default: try reader.skip(field)
            }
        }
    }
}

extension RaftInstance.AppendResponse {
    func write(_ writer: inout ProtobufWriter) {
        switch self {
        case .accepted(let match): writer.presentVarint(match, field: 1)
        case .rejected(let previous, let conflictTerm, let conflictIndex, let lastIndex):
            writer.message(field: 2) {
                $0.varints(previous, conflictTerm, conflictIndex, lastIndex)
            }
        }
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        var response: Self?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: response = .accepted(match: try reader.varint(field))
            case 2:
                var content = try reader.message(field)
                let numbers = try content.varints(4)
                response = .rejected(
                    previous: numbers[0], conflictTerm: numbers[1], conflictIndex: numbers[2],
                    lastIndex: numbers[3])
            default: try reader.skip(field)
            }
        }
        guard let response else { throw .missingField(field: 1, offset: reader.offset) }
        self = response
    }
}

extension RaftInstance.SnapshotChunk {
    func write(_ writer: inout ProtobufWriter) {
        writer.varints(index, term)
        writer.message(field: 3) { configuration.write(&$0) }
        writer.varint(UInt64(totalBytes), field: 4)
        writer.varint(UInt64(offset), field: 5)
        writer.bytes(data, field: 6)
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(
            index: 0, term: 0, configuration: RaftInstance.Configuration(), totalBytes: 0,
            offset: 0, data: [])
        while let field = try reader.nextField() {
            switch field.number {
            case 1: index = try reader.varint(field)
            case 2: term = try reader.varint(field)
            case 3: configuration = try RaftInstance.Configuration(field, &reader)
            case 4: totalBytes = try reader.int(field)
            case 5: offset = try reader.int(field)
            case 6: data = try reader.bytes(field, limit: WireLimits.chunkBytes)
            default: try reader.skip(field)
            }
        }
    }
}

extension RaftInstance.RequestID {
    func write(field: Int, _ writer: inout ProtobufWriter) {
        writer.message(field: field) {
            $0.fixed64(session, field: 1)
            $0.varint(sequence, field: 2)
        }
    }

    init(
        _ field: ProtobufField, _ reader: inout ProtobufReader
    ) throws(ProtobufError) {
        var content = try reader.message(field)
        try self.init(&content)
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(session: 0, sequence: 0)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: session = try reader.fixed64(field)
            case 2: sequence = try reader.varint(field)
            default: try reader.skip(field)
            }
        }
    }
}

extension RaftInstance.Proposal {
    func write(_ writer: inout ProtobufWriter) {
        switch self {
        case .command(let bytes): writer.presentBytes(bytes, field: 2)
        case .change(.addLearner(let node)): writer.presentFixed64(node.value, field: 3)
        case .change(.promote(let node)): writer.presentFixed64(node.value, field: 4)
        case .change(.demote(let node)): writer.presentFixed64(node.value, field: 5)
        case .change(.remove(let node)): writer.presentFixed64(node.value, field: 6)
        }
    }
}

extension RaftInstance.ProposalOutcome {
    func write(_ writer: inout ProtobufWriter) {
        switch self {
        case .appended(let term, let index): writer.message(field: 2) { $0.varints(term, index) }
        case .rejected(let reason): writer.presentVarint(UInt64(reason.rawValue), field: 3)
        case .unknown: writer.message(field: 4) { _ in }
        }
    }
}

extension ProtobufWriter {
    /// Writes `values` as fields 1, 2, 3 ...
    mutating func varints(_ values: UInt64...) {
        for (position, value) in values.enumerated() { varint(value, field: position + 1) }
    }
}

extension ProtobufReader {
    /// Reads a message whose fields 1 through `count` are numbers.
    mutating func varints(_ count: Int) throws(ProtobufError) -> [UInt64] {
        var values = [UInt64](repeating: 0, count: count)
        while let field = try nextField() {
            if field.number <= count {
                values[field.number - 1] = try varint(field)
            } else {
                try skip(field)
            }
        }
        return values
    }

    /// `value` of field `field` as an offset.
    func int(_ value: UInt64, field: Int) throws(ProtobufError) -> Int {
        guard let number = Int(exactly: value) else {
            throw .outOfRange(field: field, value: value, offset: offset)
        }
        return number
    }
}
