// Messages in Protobuf's wire format; the schema is Message in proto/control.proto.

public import Primitives
import Raft
import SWIM

extension Message {
    /// The message as bytes.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 128)
        writer.fixed64(sender.value, field: 1)
        writer.varint(life, field: 2)
        writer.fixed64(cluster, field: 3)
        switch body {
        case .swim(let message): writer.presentBytes(message.protobuf, field: 4)
        case .raft(let message): writer.presentBytes(message.protobuf, field: 5)
        case .leaseRequest(let request): writer.message(field: 6) { request.write(&$0) }
        case .leaseResponse(let response): writer.message(field: 7) { response.write(&$0) }
        }
        return writer.bytes
    }

    /// Reads a message that another node sent.
    ///
    /// - Throws: ``ProtobufError`` when the bytes are no message or break a limit.
    public init(protobuf bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        var (sender, life, cluster) = (NodeID(0), UInt64(0), UInt64(0))
        var body: Body?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: sender = NodeID(try reader.fixed64(field))
            case 2: life = try reader.varint(field)
            case 3: cluster = try reader.fixed64(field)
            case 4:
                let content = try reader.bytes(field, limit: bytes.count)
                body = .swim(try SWIMInstance.Message(protobuf: content))
            case 5:
                let content = try reader.bytes(field, limit: bytes.count)
                body = .raft(try RaftInstance.Message(protobuf: content))
            case 6: body = .leaseRequest(try LeaseRequest(field, &reader))
            case 7: body = .leaseResponse(try LeaseResponse(field, &reader))
            default: try reader.skip(field)
            }
        }
        guard let body else { throw .missingField(field: 4, offset: bytes.count) }
        self.init(sender: sender, life: life, cluster: cluster, body: body)
    }
}

extension LeaseRequest {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        writer.fixed64(UInt64(bitPattern: clock), field: 1)
        writer.varint(life, field: 2)
        writer.varint(installedEpoch, field: 3)
        writer.varint(settledEpoch, field: 4)
        writer.bool(mayVote, field: 5)
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        self.init(clock: 0, life: 0, installedEpoch: 0, settledEpoch: 0, mayVote: false)
        var reader = try outer.message(field)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: clock = Int64(bitPattern: try reader.fixed64(field))
            case 2: life = try reader.varint(field)
            case 3: installedEpoch = try reader.varint(field)
            case 4: settledEpoch = try reader.varint(field)
            case 5: mayVote = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
    }
}

extension LeaseResponse {
    /// The longest lease that is believed.
    static let millisecondsLimit = 600_000

    fileprivate func write(_ writer: inout ProtobufWriter) {
        writer.fixed64(UInt64(bitPattern: clock), field: 1)
        writer.varint(life, field: 2)
        writer.varint(UInt64(milliseconds), field: 3)
        writer.varint(settledEpoch, field: 4)
        writer.varint(spreadEpoch, field: 5)
        writer.bool(isNoVoter, field: 6)
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        // Nobody speaks again whom the leader did not tell to.
        self.init(
            clock: 0, life: 0, milliseconds: 0, settledEpoch: 0, spreadEpoch: 0, isNoVoter: false)
        var reader = try outer.message(field)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: clock = Int64(bitPattern: try reader.fixed64(field))
            case 2: life = try reader.varint(field)
            case 3: milliseconds = try reader.int(field, limit: Self.millisecondsLimit)
            case 4: settledEpoch = try reader.varint(field)
            case 5: spreadEpoch = try reader.varint(field)
            case 6: isNoVoter = try reader.bool(field)
            default: try reader.skip(field)
            }
        }
    }
}
