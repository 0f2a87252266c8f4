// Entries and members in Protobuf's wire format: the same in messages and on disk.

import Primitives

extension RaftInstance.Entry {
    func write(_ writer: inout ProtobufWriter) {
        writer.varints(term, index)
        switch payload {
        case .noOperation: writer.message(field: 3) { _ in }
        case .command(let bytes): writer.presentBytes(bytes, field: 4)
        case .configuration(let members): writer.message(field: 5) { members.write(&$0) }
        }
    }

    /// Reads an entry.
    ///
    /// One whose payload this version does not know is an error: skipped, it would be applied as
    /// nothing here and as something elsewhere.
    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        var term: UInt64 = 0
        var index: UInt64 = 0
        var payload: Payload?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: term = try reader.varint(field)
            case 2: index = try reader.varint(field)
            case 3:
                _ = try reader.message(field)
                payload = .noOperation
            case 4: payload = .command(try reader.bytes(field, limit: WireLimits.payloadBytes))
            case 5: payload = .configuration(try RaftInstance.Configuration(field, &reader))
            default: try reader.skip(field)
            }
        }
        guard let payload else { throw .missingField(field: 3, offset: reader.offset) }
        self.init(term: term, index: index, payload: payload)
    }
}

extension [RaftInstance.Entry] {
    /// Reads one more element of a repeated field of entries.
    mutating func appendEntry(
        _ field: ProtobufField, _ reader: inout ProtobufReader
    ) throws(ProtobufError) {
        guard count < WireLimits.entries else {
            throw .beyondLimit(
                field: field.number, count: UInt64(count) + 1, limit: WireLimits.entries,
                offset: reader.offset)
        }
        var content = try reader.message(field)
        append(try RaftInstance.Entry(&content))
    }
}

extension RaftInstance.Configuration {
    func write(_ writer: inout ProtobufWriter) {
        writer.packedFixed64(voters.map(\.value), field: 1)
        writer.packedFixed64(learners.map(\.value), field: 2)
    }

    init(
        _ field: ProtobufField, _ reader: inout ProtobufReader
    ) throws(ProtobufError) {
        var content = try reader.message(field)
        var voters: [UInt64] = []
        var learners: [UInt64] = []
        while let field = try content.nextField() {
            switch field.number {
            case 1: try content.fixed64s(field, into: &voters, limit: WireLimits.members)
            case 2: try content.fixed64s(field, into: &learners, limit: WireLimits.members)
            default: try content.skip(field)
            }
        }
        self.init(voters: voters.map { NodeID($0) }, learners: learners.map { NodeID($0) })
    }
}
