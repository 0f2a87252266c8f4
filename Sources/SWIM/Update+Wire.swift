// Updates in Protobuf's wire format; the schema is Update in proto/swim.proto.

import Primitives

extension SWIMInstance.Update {
    /// What ``wireBytesBound`` is at least.
    static var wireBytesMinimum: Int { 37 }

    /// Bytes of this update in a message, at most; found without writing it.
    var wireBytesBound: Int {
        // Key and length 3, id 9, incarnation 10, life 11, status 2, the accusers' key and length
        // 2.
        var bound = Self.wireBytesMinimum + 8 * accusers.count
        if let metadata {
            // Key and length 3, five texts with key and length 3 each, weight 6.
            bound += 24 + metadata.textBytes
        }
        return bound
    }

    func write(_ writer: inout ProtobufWriter) {
        writer.fixed64(id.value, field: 1)
        writer.varint(incarnation, field: 2)
        writer.varint(life, field: 3)
        writer.varint(UInt64(status.rawValue), field: 4)
        writer.packedFixed64(accusers.map(\.value), field: 5)
        if let metadata { writer.message(field: 6) { metadata.write(&$0) } }
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        var status: SWIMInstance.Status?
        var accusers: [UInt64] = []
        self.init(id: NodeID(0), incarnation: 0, life: 0, status: .alive)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: id = NodeID(try reader.fixed64(field))
            case 2: incarnation = UInt64(try reader.int(field, limit: Int(Self.incarnationLimit)))
            case 3: life = try reader.varint(field)
            case 4: status = try SWIMInstance.Status(field, &reader)
            case 5: try reader.fixed64s(field, into: &accusers, limit: Self.accuserLimit)
            case 6:
                var content = try reader.message(field)
                metadata = try SWIMInstance.Metadata(&content)
            default: try reader.skip(field)
            }
        }
        guard let status else { throw .missingField(field: 4, offset: reader.offset) }
        self.status = status
        self.accusers = accusers.map { NodeID($0) }
    }
}

extension SWIMInstance.Metadata {
    func write(_ writer: inout ProtobufWriter) {
        writer.string(name, field: 1)
        writer.string(peer.text, field: 2)
        writer.string(client.text, field: 3)
        writer.string(http.text, field: 4)
        writer.string(zone, field: 5)
        writer.varint(UInt64(weight), field: 6)
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(name: "", peer: "", weight: 0)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: name = try reader.string(field, limit: Self.limitBytes)
            case 2: peer = try SWIMInstance.Address(field, &reader)
            case 3: client = try SWIMInstance.Address(field, &reader)
            case 4: http = try SWIMInstance.Address(field, &reader)
            case 5: zone = try reader.string(field, limit: Self.limitBytes)
            case 6: weight = UInt32(try reader.int(field, limit: Int(Self.weightLimit)))
            default: try reader.skip(field)
            }
        }
        guard textBytes <= Self.limitBytes else {
            throw .beyondLimit(
                field: 1, count: UInt64(textBytes), limit: Self.limitBytes, offset: reader.offset)
        }
    }
}

extension SWIMInstance.Address {
    init(_ field: ProtobufField, _ reader: inout ProtobufReader) throws(ProtobufError) {
        self.init(try reader.string(field, limit: Self.limitBytes))
    }
}

extension SWIMInstance.Status {
    init(_ field: ProtobufField, _ reader: inout ProtobufReader) throws(ProtobufError) {
        let value = try reader.varint(field)
        guard let code = UInt8(exactly: value), let status = Self(rawValue: code) else {
            throw .outOfRange(field: field.number, value: value, offset: reader.offset)
        }
        self = status
    }
}
