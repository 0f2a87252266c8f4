// Who a node is: what it must find again after a restart.

import Placement
public import Primitives
import Raft

/// A node's name, its cluster, and which of its lives this is.
public struct Identity: Equatable, Sendable {
    /// The unique name; the node's number follows from it.
    public var name: String
    /// The cluster it belongs to; 0 while it belongs to none.
    public var cluster: UInt64
    /// This process: higher than those of earlier ones of the name.
    public var life: UInt64
    /// What the node last claimed in SWIM, or higher.
    public var incarnation: UInt64

    /// The node's number.
    public var id: NodeID { Member.id(ofName: name) }

    /// Names a life of a node.
    public init(name: String, cluster: UInt64 = 0, life: UInt64, incarnation: UInt64 = 1) {
        self.name = name
        self.cluster = cluster
        self.life = life
        self.incarnation = incarnation
    }
}

extension Identity {
    /// The identity as the bytes of a file, framed like a record of the log.
    public var framed: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        writer.string(name, field: 1)
        writer.fixed64(cluster, field: 2)
        writer.varint(life, field: 3)
        writer.varint(incarnation, field: 4)
        return RecordFrame.encode(writer.bytes)
    }

    /// Reads what ``framed`` wrote; nil where the bytes are anything else.
    public init?(framed bytes: [UInt8]) {
        guard case .record(let content) = RecordFrame.read(bytes, at: 0) else { return nil }
        self.init(name: "", life: 0)
        var reader = ProtobufReader(Array(bytes[content]))
        do throws(ProtobufError) {
            while let field = try reader.nextField() {
                switch field.number {
                case 1: name = try reader.string(field, limit: 255)
                case 2: cluster = try reader.fixed64(field)
                case 3: life = try reader.varint(field)
                case 4: incarnation = try reader.varint(field)
                default: try reader.skip(field)
                }
            }
        } catch { return nil }
    }
}
