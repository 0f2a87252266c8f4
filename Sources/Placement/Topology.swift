// The one value from which everyone works out who owns what.
public import Primitives

/// A cluster at one epoch: its members, its ring, where the table differs from the ring, and since
/// when each arc is owned as it is.
///
/// Equal topologies give equal tables on every node. Each change makes a new one with the next
/// epoch (``changing(members:overrides:splits:arrived:)`` and its like); the coordinator decides
/// which of them become true.
public struct Topology: Equatable, Sendable {
    /// Most overrides: enough to split every arc of 100 nodes four times over.
    public static let overrideLimit = 1 << 16
    /// Most records; past it neighbours are joined (``ArcRecord``), which costs misses, nothing
    /// else.
    public static let recordLimit = 1 << 17

    /// Which table of the cluster this is.
    public let epoch: UInt64
    /// How keys are placed.
    public let ring: RingSettings
    /// The members in order of their names.
    public let members: [Member]
    /// Arcs that differ from the ring, in order of their marks.
    public let overrides: [Override]
    /// The past of all arcs, in order of their marks; never empty.
    public let records: [ArcRecord]

    /// A new cluster.
    ///
    /// - Throws: ``PlacementError`` where the parts make no table.
    public init(
        founding members: [Member], ring: RingSettings = RingSettings()
    ) throws(PlacementError) {
        let first = ArcRecord(ring.firstMark, startingAt: 1)
        try self.init(epoch: 1, ring: ring, members: members, overrides: [], records: [first])
    }

    /// Puts a topology together from its parts, in any order.
    ///
    /// - Throws: ``PlacementError`` where they make no table, contradict each other or pass a
    ///   limit.
    public init(
        epoch: UInt64, ring: RingSettings, members: [Member], overrides: [Override],
        records: [ArcRecord]
    ) throws(PlacementError) {
        self.epoch = epoch
        self.ring = ring
        self.members = members.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        self.overrides = overrides.sorted { $0.mark < $1.mark }
        self.records = records.sorted { $0.mark < $1.mark }
        guard (1...Version.epochLimit).contains(epoch) else {
            throw .epochOutOfRange(epoch: epoch, limit: Version.epochLimit)
        }
        try checkMembers()
        try checkOverrides()
        try checkRecords()
    }

    /// The index of the member with this number.
    public func memberIndex(of id: NodeID) -> Int? {
        members.firstIndex { $0.id == id }
    }
}

extension Topology {
    private func checkMembers() throws(PlacementError) {
        _ = try HashRing(members, ring)
        for (member, next) in zip(members, members.dropFirst()) where member.name == next.name {
            throw .duplicateMember(name: member.name)
        }
        let byID = members.sorted { $0.id < $1.id }
        for (member, next) in zip(byID, byID.dropFirst()) where member.id == next.id {
            throw .duplicateMember(name: next.name)
        }
    }

    private func checkOverrides() throws(PlacementError) {
        guard overrides.count <= Self.overrideLimit else {
            throw .tooManyOverrides(count: overrides.count, limit: Self.overrideLimit)
        }
        for item in overrides {
            guard item.replicas.count <= Override.replicaLimit else {
                throw .tooManyReplicas(item.mark, limit: Override.replicaLimit)
            }
        }
        try checkMarks(overrides.map(\.mark))
    }

    private func checkRecords() throws(PlacementError) {
        guard let first = records.first else { throw .incompleteRecords }
        guard records.count <= Self.recordLimit else {
            throw .tooManyRecords(count: records.count, limit: Self.recordLimit)
        }
        guard ring.kind != .range || first.mark == ring.firstMark else { throw .incompleteRecords }
        for record in records {
            // An arc with a bound above the table's epoch could never hold an item.
            guard (1...epoch).contains(record.epoch),
                record.minVersion.value >> Version.counterBits <= epoch
            else { throw .recordOutOfRange(record.mark, epoch: record.epoch) }
        }
        try checkMarks(records.map(\.mark))
    }

    /// Throws when marks, which are in order, are of another kind than the ring's, or not distinct.
    private func checkMarks(_ marks: [ArcMark]) throws(PlacementError) {
        for mark in marks {
            switch mark {
            case .position where ring.kind != .range: continue
            case .boundary(let bytes) where ring.kind == .range:
                guard bytes.count <= RangeMap.splitBytesLimit else {
                    throw .splitLengthOutOfRange(
                        count: bytes.count, limit: RangeMap.splitBytesLimit)
                }
            default: throw .foreignMark(mark)
            }
        }
        for (mark, next) in zip(marks, marks.dropFirst()) where mark == next {
            throw .duplicateMark(mark)
        }
    }
}

extension RingSettings {
    /// A mark that every ring of this kind can have, the last or the first of all.
    var firstMark: ArcMark {
        kind == .range ? .boundary([]) : .position(.max)
    }
}
