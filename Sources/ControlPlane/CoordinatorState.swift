// The state machine under the log: the cluster's table, changed by one command after another.

public import Placement
import Primitives

/// What all nodes agree on.
///
/// Equal logs give equal states: what is applied is a pure function of state and command.
public struct CoordinatorState: Equatable, Sendable {
    /// Which cluster it is; 0 for a node that has not joined one.
    public private(set) var cluster: UInt64 = 0
    /// Members, ring, overrides and the past of all arcs; nil before the cluster is founded.
    public private(set) var topology: Topology?

    /// The state of a node that knows nothing yet.
    public init() {}

    /// The state in which a cluster begins.
    ///
    /// - Throws: ``PlacementError`` where `founder` alone makes no table: it has to own keys.
    public init(
        founding cluster: UInt64, _ founder: Member, _ ring: RingSettings
    ) throws(PlacementError) {
        self.cluster = cluster
        topology = try Topology(founding: [founder], ring: ring)
    }

    /// Applies a command.
    public mutating func apply(_ command: Command) -> Outcome {
        guard let topology else { return .unchanged(.noCluster) }
        do throws(PlacementError) {
            guard let next = try topology.after(command) else { return .unchanged(.outdated) }
            self.topology = next
            return .changed(epoch: next.epoch)
        } catch { return .unchanged(.impossible) }
    }
}

extension Topology {
    /// The topology after `command`; nil where it changes nothing.
    fileprivate func after(_ command: Command) throws(PlacementError) -> Topology? {
        switch command {
        case .join(let member):
            guard !members.contains(member) else { return nil }
            if let present = memberIndex(of: member.id) {
                // A life that began later has come first.
                guard members[present].incarnation <= member.incarnation else { return nil }
            }
            return try changing(members: members.filter { $0.id != member.id } + [member])
        case .remove(let id, let life, _):
            guard let index = memberIndex(of: id), members[index].incarnation == life else {
                return nil
            }
            return try changing(members: members.filter { $0.id != id })
        case .flush: return try flushed()
        case .renew: return try renewed()
        case .split(let mark): return try split(at: mark)
        }
    }
}

// In Protobuf's wire format; the schema is CoordinatorState in proto/control.proto.
extension CoordinatorState {
    /// The state as the bytes of a snapshot.
    public var protobuf: [UInt8] {
        var writer = ProtobufWriter(capacity: 1_024)
        writer.fixed64(cluster, field: 1)
        if let topology { writer.bytes(topology.protobuf, field: 2) }
        return writer.bytes
    }

    /// Reads a snapshot; no bytes are the state of a node that knows nothing.
    ///
    /// - Throws: ``PlacementError`` where the bytes are no state.
    public init(snapshot bytes: [UInt8]) throws(PlacementError) {
        var reader = ProtobufReader(bytes)
        var content: [UInt8]?
        do throws(ProtobufError) {
            while let field = try reader.nextField() {
                switch field.number {
                case 1: cluster = try reader.fixed64(field)
                case 2: content = try reader.bytes(field, limit: bytes.count)
                default: try reader.skip(field)
                }
            }
        } catch { throw .unreadable(error) }
        if let content { topology = try Topology(protobuf: content) }
    }
}
