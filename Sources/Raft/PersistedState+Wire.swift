// Vote and snapshot as their files hold them; see proto/raft.proto.

import Primitives

extension RaftInstance.HardState {
    /// The whole content of the vote's file.
    public var framed: [UInt8] {
        var writer = ProtobufWriter(capacity: 32)
        writer.varint(term, field: 1)
        if let vote { writer.presentFixed64(vote.value, field: 2) }
        return RecordFrame.encode(writer.bytes)
    }

    /// Reads the content of the vote's file.
    ///
    /// - Throws: ``RaftError`` when it is not what was written: the file is replaced as one, so a
    ///   crash is no excuse.
    public init(framed bytes: [UInt8]) throws(RaftError) {
        self.init()
        var reader = ProtobufReader(try RecordFrame.onlyRecord(of: bytes))
        do throws(ProtobufError) {
            while let field = try reader.nextField() {
                switch field.number {
                case 1: term = try reader.varint(field)
                case 2: vote = NodeID(try reader.fixed64(field))
                default: try reader.skip(field)
                }
            }
        } catch { throw .unreadableRecord(offset: 0, error) }
    }
}

extension RaftInstance.Snapshot {
    /// The whole content of the snapshot's file.
    public var framed: [UInt8] {
        var writer = ProtobufWriter(capacity: data.count + 64)
        writer.varints(index, term)
        writer.message(field: 3) { configuration.write(&$0) }
        writer.bytes(data, field: 4)
        return RecordFrame.encode(writer.bytes)
    }

    /// Reads the content of the snapshot's file.
    ///
    /// - Throws: ``RaftError`` when it is not what was written: the file is replaced as one, so a
    ///   crash is no excuse.
    public init(framed bytes: [UInt8]) throws(RaftError) {
        self.init()
        var reader = ProtobufReader(try RecordFrame.onlyRecord(of: bytes))
        do throws(ProtobufError) {
            while let field = try reader.nextField() {
                switch field.number {
                case 1: index = try reader.varint(field)
                case 2: term = try reader.varint(field)
                case 3: configuration = try RaftInstance.Configuration(field, &reader)
                case 4: data = try reader.bytes(field, limit: bytes.count)
                default: try reader.skip(field)
                }
            }
        } catch { throw .unreadableRecord(offset: 0, error) }
    }
}

extension RecordFrame {
    /// The content of a file that is one record.
    fileprivate static func onlyRecord(of bytes: [UInt8]) throws(RaftError) -> [UInt8] {
        guard case .record(let content) = read(bytes, at: 0),
            content.upperBound + footBytes == bytes.count
        else { throw .damagedRecord(offset: 0) }
        return Array(bytes[content])
    }
}
