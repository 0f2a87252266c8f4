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

    /// The topology after a flush: nothing stored so far counts any more, and all else stays.
    ///
    /// - Throws: ``PlacementError/epochOutOfRange(epoch:limit:)`` after the last epoch.
    public func flushed() throws(PlacementError) -> Topology {
        let bound = Version(epoch: epoch + 1, counter: 0)
        let unfinished = try Topology(
            epoch: epoch + 1, ring: ring, members: members, overrides: overrides, records: records)
        return try unfinished.recording(
            records.map { ArcRecord($0.mark, epoch: $0.epoch, minVersion: bound) })
    }

    /// The same topology under the next epoch: for a node whose version counter is running out.
    ///
    /// - Throws: ``PlacementError/epochOutOfRange(epoch:limit:)`` after the last epoch.
    public func renewed() throws(PlacementError) -> Topology {
        try Topology(
            epoch: epoch + 1, ring: ring, members: members, overrides: overrides, records: records)
    }

    /// The topology in which the arc that `mark` lies in is cut there, both parts with their owner;
    /// nil where it is cut there already.
    ///
    /// - Throws: ``PlacementError`` where the mark is of another kind of ring, or past a limit.
    public func split(at mark: ArcMark) throws(PlacementError) -> Topology? {
        let layout = try ArcLayout(self)
        guard layout.marks[layout.index(covering: mark)] != mark else { return nil }
        let owner = members[layout.owners[layout.index(covering: mark)]].id
        return try changing(overrides: overrides + [Override(mark, owner: owner)])
    }

    /// The members that own less in `after` than here, or are in another life there: in ascending
    /// order.
    ///
    /// - Throws: ``PlacementError`` where one of the two has no table; one that was checked has.
    public func losers(to after: Topology) throws(PlacementError) -> [NodeID] {
        let (before, later) = (try ArcLayout(self), try ArcLayout(after))
        var losers: [NodeID] = []
        for mark in ArcLayout.union(before.marks, later.marks) {
            let former = members[before.owners[before.index(covering: mark)]]
            let owner = after.members[later.owners[later.index(covering: mark)]]
            guard former.id != owner.id || former.incarnation != owner.incarnation,
                !losers.contains(former.id)
            else { continue }
            losers.append(former.id)
        }
        return losers.sorted()
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
