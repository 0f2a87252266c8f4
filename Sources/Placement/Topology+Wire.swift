// A topology in Protobuf's wire format; the schema is Topology in proto/topology.proto.
//
// What is read is checked as any topology is: a reader ends up with a table or with an error.
public import Primitives

extension Topology {
    /// The topology as bytes.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 64 * members.count + 32 * records.count)
        writer.varint(epoch, field: 1)
        writer.message(field: 2) { ring.write(&$0) }
        for member in members { writer.message(field: 3) { member.write(&$0) } }
        for item in overrides { writer.message(field: 4) { item.write(&$0) } }
        for record in records { writer.message(field: 5) { record.write(&$0) } }
        return writer.bytes
    }

    /// Reads a topology that another node wrote.
    ///
    /// Counts and lengths are compared with their limits before anything is kept.
    ///
    /// - Throws: ``PlacementError/unreadable(_:)`` when the bytes are no message, or what is wrong
    ///   with the topology they describe.
    public init(protobuf bytes: [UInt8]) throws(PlacementError) {
        let parts: TopologyParts
        do throws(ProtobufError) {
            parts = try TopologyParts(bytes)
        } catch { throw .unreadable(error) }
        try self.init(
            epoch: parts.epoch, ring: parts.ring, members: parts.members,
            overrides: parts.overrides, records: parts.records)
    }
}

/// What a message says, before it is known to make a topology.
private struct TopologyParts {
    var epoch: UInt64 = 0
    var ring = RingSettings()
    var members: [Member] = []
    var overrides: [Override] = []
    var records: [ArcRecord] = []

    init(_ bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        var isRingSet = false
        while let field = try reader.nextField() {
            switch field.number {
            case 1: epoch = try reader.varint(field)
            case 2:
                ring = try RingSettings(field, &reader)
                isRingSet = true
            case 3:
                try reader.expectRoom(in: members.count, limit: HashRing.memberLimit, field)
                members.append(try Member(field, &reader))
            case 4:
                try reader.expectRoom(in: overrides.count, limit: Topology.overrideLimit, field)
                overrides.append(try Override(field, &reader))
            case 5:
                try reader.expectRoom(in: records.count, limit: Topology.recordLimit, field)
                records.append(try ArcRecord(field, &reader))
            default: try reader.skip(field)
            }
        }
        guard isRingSet else { throw .missingField(field: 2, offset: bytes.count) }
    }
}

extension ProtobufReader {
    /// Throws when a list is full that `field` adds to.
    fileprivate func expectRoom(
        in count: Int, limit: Int, _ field: ProtobufField
    ) throws(ProtobufError) {
        guard count < limit else {
            throw .beyondLimit(
                field: field.number, count: UInt64(count) + 1, limit: limit, offset: offset)
        }
    }
}

extension RingSettings {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        writer.varint(UInt64(kind.rawValue), field: 1)
        writer.varint(UInt64(virtualNodes), field: 2)
        for split in splits { writer.presentBytes(split, field: 3) }
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        var reader = try outer.message(field)
        var kind: Kind?
        var (nodes, splits) = (0, [[UInt8]]())
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                let value = try reader.varint(field)
                kind = UInt8(exactly: value).flatMap { Kind(rawValue: $0) }
                // A kind of a later release places keys elsewhere: nothing may be done without it.
                guard kind != nil else {
                    throw .outOfRange(field: 1, value: value, offset: reader.offset)
                }
            case 2: nodes = try reader.int(field, limit: Self.virtualNodeLimit)
            case 3:
                try reader.expectRoom(in: splits.count, limit: RangeMap.splitLimit, field)
                splits.append(try reader.bytes(field, limit: RangeMap.splitBytesLimit))
            default: try reader.skip(field)
            }
        }
        guard let kind else { throw .missingField(field: 1, offset: reader.offset) }
        self.init(kind, virtualNodes: nodes, splits: splits)
    }
}

extension NodeAddress {
    fileprivate func write(field: Int, _ writer: inout ProtobufWriter) {
        writer.message(field: field) { address in
            address.string(host, field: 1)
            address.varint(UInt64(port), field: 2)
        }
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        self.init(host: "", port: 0)
        var reader = try outer.message(field)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: host = try reader.string(field, limit: Member.textLimit)
            case 2: port = try reader.int(field, limit: 65_535)
            default: try reader.skip(field)
            }
        }
    }
}

extension Member {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        writer.fixed64(id.value, field: 1)
        writer.string(name, field: 2)
        writer.varint(incarnation, field: 3)
        writer.varint(UInt64(weight), field: 4)
        writer.string(zone, field: 5)
        client.write(field: 6, &writer)
        peer.write(field: 7, &writer)
        http?.write(field: 8, &writer)
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        let nowhere = NodeAddress(host: "", port: 0)
        self.init(
            name: "", id: NodeID(0), incarnation: 0, weight: 0, client: nowhere, peer: nowhere)
        var reader = try outer.message(field)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: id = NodeID(try reader.fixed64(field))
            case 2: name = try reader.string(field, limit: Self.textLimit)
            case 3: incarnation = try reader.varint(field)
            case 4: weight = try reader.int(field, limit: Self.weightLimit)
            case 5: zone = try reader.string(field, limit: Self.textLimit)
            case 6: client = try NodeAddress(field, &reader)
            case 7: peer = try NodeAddress(field, &reader)
            case 8: http = try NodeAddress(field, &reader)
            default: try reader.skip(field)
            }
        }
    }
}

// Parts of a topology that stand alone in other messages.
extension Member {
    /// Writes the member's fields into a message of its own.
    public func writeAlone(_ writer: inout ProtobufWriter) { write(&writer) }

    /// Reads a member, which is not checked: a topology made with it is.
    ///
    /// - Throws: ``ProtobufError`` when the field holds none.
    public init(alone field: ProtobufField, _ reader: inout ProtobufReader) throws(ProtobufError) {
        try self.init(field, &reader)
    }
}

extension ArcMark {
    /// Writes the mark's fields into a message of its own.
    public func writeAlone(_ writer: inout ProtobufWriter) { writeFields(&writer) }

    /// Reads a mark.
    ///
    /// - Throws: ``ProtobufError`` when the field holds none.
    public init(alone field: ProtobufField, _ reader: inout ProtobufReader) throws(ProtobufError) {
        try self.init(field, &reader)
    }
}

extension ArcMark {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        writer.message(field: 1) { writeFields(&$0) }
    }

    fileprivate func writeFields(_ writer: inout ProtobufWriter) {
        switch self {
        case .position(let position): writer.presentFixed64(position, field: 1)
        case .boundary(let key): writer.presentBytes(key, field: 2)
        }
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        var reader = try outer.message(field)
        var mark: ArcMark?
        while let field = try reader.nextField() {
            switch field.number {
            case 1: mark = .position(try reader.fixed64(field))
            case 2: mark = .boundary(try reader.bytes(field, limit: RangeMap.splitBytesLimit))
            default: try reader.skip(field)
            }
        }
        guard let mark else { throw .missingField(field: 1, offset: reader.offset) }
        self = mark
    }
}

extension Override {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        mark.write(&writer)
        if let owner { writer.presentFixed64(owner.value, field: 2) }
        writer.packedFixed64(replicas.map(\.value), field: 3)
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        var reader = try outer.message(field)
        var (mark, owner) = (ArcMark?.none, NodeID?.none)
        var replicas: [UInt64] = []
        while let field = try reader.nextField() {
            switch field.number {
            case 1: mark = try ArcMark(field, &reader)
            case 2: owner = NodeID(try reader.fixed64(field))
            case 3: try reader.fixed64s(field, into: &replicas, limit: Self.replicaLimit)
            default: try reader.skip(field)
            }
        }
        guard let mark else { throw .missingField(field: 1, offset: reader.offset) }
        self.init(mark, owner: owner, replicas: replicas.map { NodeID($0) })
    }
}

extension ArcRecord {
    fileprivate func write(_ writer: inout ProtobufWriter) {
        mark.write(&writer)
        writer.varint(epoch, field: 2)
        writer.varint(minVersion.value, field: 3)
    }

    fileprivate init(_ field: ProtobufField, _ outer: inout ProtobufReader) throws(ProtobufError) {
        var reader = try outer.message(field)
        var (mark, epoch, version) = (ArcMark?.none, UInt64(0), UInt64(0))
        while let field = try reader.nextField() {
            switch field.number {
            case 1: mark = try ArcMark(field, &reader)
            case 2: epoch = try reader.varint(field)
            case 3: version = try reader.varint(field)
            default: try reader.skip(field)
            }
        }
        guard let mark else { throw .missingField(field: 1, offset: reader.offset) }
        self.init(mark, epoch: epoch, minVersion: Version(value: version))
    }
}
