// From one table to the next: what each arc's past says after the change.
public import Primitives

extension Topology {
    /// The topology after a change of members, overrides or boundaries.
    ///
    /// Where an arc's owner changes, also to another life of the same node, the arc gets the new
    /// epoch, and what was stored in it before does not count. Only for `arrived` arcs, whose data
    /// the new owner was sent, it still does.
    ///
    /// - Throws: ``PlacementError`` where the parts make no table, or after the last epoch.
    public func changing(
        members: [Member]? = nil, overrides: [Override]? = nil, splits: [[UInt8]]? = nil,
        arrived: [Arc] = []
    ) throws(PlacementError) -> Topology {
        var ring = ring
        ring.splits = splits ?? ring.splits
        let unfinished = try Topology(
            epoch: epoch + 1, ring: ring, members: members ?? self.members,
            overrides: overrides ?? self.overrides, records: records)
        let (before, after) = (try ArcLayout(self), try ArcLayout(unfinished))
        // With the ends of what arrived among the marks, none of their arcs is only partly in it.
        let ends = arrived.flatMap(\.marks).sorted()
        let updated = ArcLayout.union(before.marks, after.marks, ends).map { mark in
            let record = records[records.index(covering: mark)]
            let former = self.members[before.owners[before.index(covering: mark)]]
            let owner = unfinished.members[after.owners[after.index(covering: mark)]]
            if former.id == owner.id, former.incarnation == owner.incarnation {
                return ArcRecord(mark, epoch: record.epoch, minVersion: record.minVersion)
            }
            guard arrived.contains(where: { $0.contains(mark) }) else {
                return ArcRecord(mark, startingAt: epoch + 1)
            }
            return ArcRecord(mark, epoch: epoch + 1, minVersion: record.minVersion)
        }
        return try unfinished.recording(updated)
    }

    /// The topology after a flush: all arcs begin anew, with the same owners.
    ///
    /// - Throws: ``PlacementError/epochOutOfRange(epoch:limit:)`` after the last epoch.
    public func flushed() throws(PlacementError) -> Topology {
        try Topology(
            epoch: epoch + 1, ring: ring, members: members, overrides: overrides,
            records: [ArcRecord(ring.firstMark, startingAt: epoch + 1)])
    }

    /// The topology in which `owner` owns its arcs from a new epoch on, with all they hold: for a
    /// node whose version counter is running out.
    ///
    /// - Throws: ``PlacementError/epochOutOfRange(epoch:limit:)`` after the last epoch.
    public func renewing(_ owner: NodeID) throws(PlacementError) -> Topology {
        let layout = try ArcLayout(self)
        let unfinished = try Topology(
            epoch: epoch + 1, ring: ring, members: members, overrides: overrides, records: records)
        let updated = layout.marks.indices.map { index in
            let mark = layout.marks[index]
            var record = records[records.index(covering: mark)]
            record.mark = mark
            if members[layout.owners[index]].id == owner { record.epoch = epoch + 1 }
            return record
        }
        return try unfinished.recording(updated)
    }

    /// This topology with other records, neighbours that agree made one.
    private func recording(_ records: [ArcRecord]) throws(PlacementError) -> Topology {
        try Topology(
            epoch: epoch, ring: ring, members: members, overrides: overrides,
            records: ArcRecord.compact(records, limit: Self.recordLimit))
    }
}

extension ArcRecord {
    /// `records`, which cover everything and are in order, as few as say the same; while they are
    /// more than `limit`, pairs of neighbours become one with the higher of their bounds.
    ///
    /// A bound that is too high is safe: an item that could be served is a miss.
    static func compact(_ records: [ArcRecord], limit: Int) -> [ArcRecord] {
        var result = merged(records) { $0.agrees(with: $1) }
        while result.count > limit {
            var isSecond = false
            result = merged(result) { _, _ in
                isSecond.toggle()
                return isSecond
            }
        }
        return result
    }

    /// One record for each run of neighbours that `belong` together.
    private static func merged(
        _ records: [ArcRecord], _ belong: (ArcRecord, ArcRecord) -> Bool
    ) -> [ArcRecord] {
        var result: [ArcRecord] = []
        for record in records {
            guard let last = result.last, belong(last, record) else {
                result.append(record)
                continue
            }
            // On a ring a stretch is named by its end, under `range` by its beginning.
            var joined = record
            if case .boundary = record.mark { joined.mark = last.mark }
            joined.epoch = max(last.epoch, record.epoch)
            joined.minVersion = max(last.minVersion, record.minVersion)
            result[result.count - 1] = joined
        }
        return result
    }
}
