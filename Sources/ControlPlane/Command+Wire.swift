// Commands in Protobuf's wire format; the schema is Command in proto/control.proto.

import Placement
public import Primitives

extension Command {
    /// The command as bytes.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        switch self {
        case .join(let member): writer.message(field: 1) { member.writeAlone(&$0) }
        case .remove(let id, let life, let departure):
            writer.message(field: 2) { inner in
                inner.fixed64(id.value, field: 1)
                inner.varint(life, field: 2)
                inner.varint(UInt64(departure.rawValue), field: 3)
            }
        case .flush: writer.message(field: 3) { _ in }
        case .renew: writer.message(field: 4) { _ in }
        case .split(let mark): writer.message(field: 5) { mark.writeAlone(&$0) }
        }
        return writer.bytes
    }

    /// Reads a command that a leader wrote.
    ///
    /// - Throws: ``ProtobufError`` when the bytes are none, or one of a later release.
    public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        var command: Command?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: command = .join(try Member(alone: field, &reader))
            case 2: command = try Self.removal(field, &reader)
            case 3:
                try reader.skip(field)
                command = .flush
            case 4:
                try reader.skip(field)
                command = .renew
            case 5: command = .split(try ArcMark(alone: field, &reader))
            default: try reader.skip(field)
            }
        }
        guard let command else { throw .missingField(field: 1, offset: bytes.count) }
        self = command
    }

    private static func removal(
        _ field: ProtobufField, _ outer: inout ProtobufReader
    ) throws(ProtobufError) -> Command {
        var reader = try outer.message(field)
        var (id, life, departure) = (NodeID(0), UInt64(0), Departure.died)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: id = NodeID(try reader.fixed64(field))
            case 2: life = try reader.varint(field)
            case 3:
                let value = try reader.varint(field)
                // One of a later release is a removal all the same.
                departure = UInt8(exactly: value).flatMap { Departure(rawValue: $0) } ?? .died
            default: try reader.skip(field)
            }
        }
        return .remove(id, life: life, departure)
    }
}
