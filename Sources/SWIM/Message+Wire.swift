// Messages in Protobuf's wire format; the schema is Message in proto/swim.proto.

public import Primitives

extension SWIMInstance.Message {
    /// The message as bytes.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 128)
        writer.varint(UInt64(SWIMInstance.WireLimits.version), field: 1)
        writer.varint(UInt64(SWIMInstance.WireLimits.version), field: 2)
        writer.fixed64(sender.value, field: 3)
        writer.varint(life, field: 4)
        writer.fixed64(cluster, field: 5)
        writer.varint(UInt64(load), field: 6)
        body.write(&writer)
        for update in updates { writer.message(field: 15) { update.write(&$0) } }
        return writer.bytes
    }

    /// Reads a message that another member sent.
    ///
    /// - Throws: ``Primitives/ProtobufError`` when the bytes are no message, break a limit, need a
    ///   later version, or have a body that this version does not know.
    public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
        guard bytes.count <= SWIMInstance.WireLimits.messageBytes else {
            throw .beyondLimit(
                field: 0, count: UInt64(bytes.count),
                limit: SWIMInstance.WireLimits.messageBytes, offset: 0)
        }
        var reader = ProtobufReader(bytes)
        var body: SWIMInstance.Body?
        self.init(sender: NodeID(0), life: 0, body: .gossip)
        while let field = try reader.nextField() {
            switch field.number {
            case 2: _ = try reader.int(field, limit: SWIMInstance.WireLimits.version)
            case 3: sender = NodeID(try reader.fixed64(field))
            case 4: life = try reader.varint(field)
            case 5: cluster = try reader.fixed64(field)
            case 6: load = UInt32(try reader.int(field, limit: Int(UInt32.max)))
            case 7...14:
                var content = try reader.message(field)
                body = try SWIMInstance.Body(number: field.number, &content)
            case 15: try readUpdate(field, &reader)
            default: try reader.skip(field)
            }
        }
        guard let body else { throw .missingField(field: 7, offset: bytes.count) }
        self.body = body
    }

    private mutating func readUpdate(
        _ field: ProtobufField, _ reader: inout ProtobufReader
    ) throws(ProtobufError) {
        let limit = SWIMInstance.WireLimits.updates
        guard updates.count < limit else {
            throw .beyondLimit(
                field: 15, count: UInt64(updates.count) + 1, limit: limit, offset: reader.offset)
        }
        var content = try reader.message(field, limit: SWIMInstance.WireLimits.updateBytes)
        updates.append(try SWIMInstance.Update(&content))
    }
}

extension SWIMInstance.Body {
    /// Bytes of a datagram with this body and no updates, at most.
    var datagramBytesBound: Int {
        // Versions 4, sender 9, life 11, cluster 9, load 6, the body's key and length 4, its
        // sequence 11 and target 9.
        let fixed = 63
        guard case .pingRequest(_, _, let address) = self else { return fixed }
        return fixed + 3 + address.text.utf8.count
    }

    func write(_ writer: inout ProtobufWriter) {
        switch self {
        case .ping(let sequence, let target):
            writer.message(field: 7) {
                $0.varint(sequence, field: 1)
                $0.fixed64(target.value, field: 2)
            }
        case .ack(let sequence): writer.message(field: 8) { $0.varint(sequence, field: 1) }
        case .nack(let sequence): writer.message(field: 9) { $0.varint(sequence, field: 1) }
        case .pingRequest(let sequence, let target, let address):
            writer.message(field: 10) {
                $0.varint(sequence, field: 1)
                $0.fixed64(target.value, field: 2)
                $0.string(address.text, field: 3)
            }
        case .gossip: writer.message(field: 11) { _ in }
        case .pushPullRequest: writer.message(field: 12) { _ in }
        case .pushPullResponse: writer.message(field: 13) { _ in }
        case .nameTaken: writer.message(field: 14) { _ in }
        }
    }

    /// Reads the body that field `number` of a message holds.
    init(number: Int, _ reader: inout ProtobufReader) throws(ProtobufError) {
        var sequence: UInt64 = 0
        var target = NodeID(0)
        var address = SWIMInstance.Address("")
        while let field = try reader.nextField() {
            switch (number, field.number) {
            case (7...10, 1): sequence = try reader.varint(field)
            case (7, 2), (10, 2): target = NodeID(try reader.fixed64(field))
            case (10, 3): address = try SWIMInstance.Address(field, &reader)
            default: try reader.skip(field)
            }
        }
        switch number {
        case 7: self = .ping(sequence: sequence, target: target)
        case 8: self = .ack(sequence: sequence)
        case 9: self = .nack(sequence: sequence)
        case 10: self = .pingRequest(sequence: sequence, target: target, address: address)
        case 11: self = .gossip
        case 12: self = .pushPullRequest
        case 13: self = .pushPullResponse
        default: self = .nameTaken
        }
    }
}
