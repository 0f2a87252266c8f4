// Where a request goes: the one part of this room that every request passes through.
//
// A table is made off the data path, from a topology, and handed to the loops between turns. A
// look-up touches one word of the index, one or two slots of 16 bytes, and, for a key this node
// owns, the 16 bytes that say what may be served.
public import Primitives

/// The table of one epoch as one node uses it; immutable.
public struct RoutingTable: Sendable {
    /// What a look-up finds.
    public struct Route: Equatable, Sendable {
        /// The arc, as an index: what loads are counted by.
        public var arc: UInt32
        /// Its owner, as an index into the topology's members.
        public var owner: UInt32
    }

    /// The end of an arc, and where the rest about it is.
    @usableFromInline
    struct Slot: Equatable, Sendable {
        @usableFromInline var end: UInt64
        @usableFromInline var route: Route

        init(end: UInt64, route: Route) {
            self.end = end
            self.route = route
        }
    }

    /// What is needed of an arc only by its owner.
    @usableFromInline
    struct Record: Equatable, Sendable {
        @usableFromInline var minVersion: Version
        @usableFromInline var epoch: UInt32
        @usableFromInline var replicaCount: UInt32
    }

    /// What the table was made from.
    public let topology: Topology
    /// The topology's number: tables with equal epochs are equal.
    public let epoch: UInt64
    /// This node's place among the members; nil where it is none.
    public let ownIndex: Int?
    /// Arcs of this table.
    public let arcCount: Int
    /// Until when this node may serve what it owns.
    public private(set) var serveLeaseEnd: Instant
    /// The hot keys, and who may hold copies of them.
    public private(set) var hotSet: HotSet

    @usableFromInline let kind: RingSettings.Kind
    /// In order of their ends, then one for what lies behind the last.
    ///
    /// With it the search needs no bound. Under `range` they are one for each, without ends.
    @usableFromInline let slots: [Slot]
    @usableFromInline let index: PointIndex
    let ranges: RangeMap
    @usableFromInline let records: [Record]
    let marks: [ArcMark]
    @usableFromInline let replicaLists: [[Int]]

    /// Makes the table of `topology` for the node `own`.
    ///
    /// Sorts all points: a millisecond for each thousand members or so of weight 1 in a release.
    ///
    /// - Throws: ``PlacementError`` where the topology has none; one that was checked has.
    public init(
        _ topology: Topology, for own: NodeID, serveLeaseEnd: Instant = Instant(nanoseconds: 0),
        hotSet: HotSet = HotSet()
    ) throws(PlacementError) {
        let layout = try ArcLayout(topology)
        self.topology = topology
        self.serveLeaseEnd = serveLeaseEnd
        self.hotSet = hotSet
        epoch = topology.epoch
        ownIndex = topology.memberIndex(of: own)
        arcCount = layout.marks.count
        kind = topology.ring.kind
        marks = layout.marks
        slots = Self.slots(layout)
        index = PointIndex(layout.positions)
        ranges = RangeMap(checked: layout.boundaries)
        records = layout.marks.indices.map { index in
            let past = topology.records[topology.records.index(covering: layout.marks[index])]
            return Record(
                minVersion: past.minVersion, epoch: UInt32(past.epoch),
                replicaCount: UInt32(layout.replicas[index].count))
        }
        replicaLists = layout.replicas
    }

    /// Finds the arc and the owner of a key, whose hash the caller has anyway; allocates nothing.
    @inlinable
    public func route(_ key: RawSpan, _ hash: KeyHash) -> Route {
        if kind == .xxh3 { return route(at: hash.value) }
        return otherRoute(key)
    }

    /// Finds the arc and the owner of a position on the ring; not for `range`.
    @inlinable
    public func route(at position: UInt64) -> Route {
        assert(kind != .range, "ranges have no positions")
        var place = index.start(position)
        while slots[place].end < position { place &+= 1 }
        return slots[place].route
    }

    /// Where a key lies on the ring; nil under `range`.
    public func position(of key: RawSpan, _ hash: KeyHash) -> UInt64? {
        switch kind {
        case .xxh3: hash.value
        case .ketama: UInt64(KetamaRing.position(of: key)) &<< 32
        case .range: nil
        }
    }

    /// Whether this node owns what `route` says.
    @inlinable
    public func isOwn(_ route: Route) -> Bool { Int(route.owner) == ownIndex }

    /// Items of the arc below this version are misses.
    @inlinable
    public func minVersion(_ route: Route) -> Version { records[Int(route.arc)].minVersion }

    /// The epoch from which the arc's owner owns it.
    @inlinable
    public func arcEpoch(_ route: Route) -> UInt64 { UInt64(records[Int(route.arc)].epoch) }

    /// How many members besides the owner hold copies of the whole arc.
    @inlinable
    public func replicaCount(_ route: Route) -> Int { Int(records[Int(route.arc)].replicaCount) }

    /// A member that holds copies of the whole arc, as an index into the topology's members.
    @inlinable
    public func replica(_ number: Int, _ route: Route) -> Int {
        replicaLists[Int(route.arc)][number]
    }

    /// How many arcs each member owns and which part of all positions, in the members' order.
    ///
    /// Under `range`, where positions mean nothing, it is the part of all arcs.
    public var shares: [(arcs: Int, share: Double)] {
        var shares = topology.members.map { _ in (arcs: 0, share: 0.0) }
        for index in 0..<arcCount {
            let owner = Int(slots[index].route.owner)
            shares[owner].arcs += 1
            shares[owner].share +=
                kind == .range
                ? 1 / Double(arcCount)
                : Double(ArcLayout.length(index, of: marks)) / 0x1p64
        }
        return shares
    }

    /// The newest epoch at which this node became an arc's owner; 0 where it owns none.
    var newestOwnEpoch: UInt64 {
        var newest: UInt32 = 0
        for (slot, record) in zip(slots, records) where Int(slot.route.owner) == ownIndex {
            newest = max(newest, record.epoch)
        }
        return UInt64(newest)
    }

    /// The same table with another end of the serve lease; shares all else.
    public func extended(serveLeaseEnd: Instant) -> RoutingTable {
        var table = self
        table.serveLeaseEnd = serveLeaseEnd
        return table
    }

    /// The same table with other hot keys; shares all else.
    public func advised(_ hotSet: HotSet) -> RoutingTable {
        var table = self
        table.hotSet = hotSet
        return table
    }

    /// The arc with this index, written out.
    ///
    /// - Precondition: `index` is below ``arcCount``.
    public func arc(_ index: Int) -> Arc { ArcLayout.arc(index, of: marks) }

    /// The owner of the arc with this index, as an index into the topology's members.
    public func owner(ofArc index: Int) -> Int { Int(slots[index].route.owner) }
}

extension RoutingTable {
    /// The route of a key under `ketama`, where it takes an MD5, and under `range`.
    @usableFromInline
    func otherRoute(_ key: RawSpan) -> Route {
        if kind == .ketama { return route(at: UInt64(KetamaRing.position(of: key)) &<< 32) }
        return slots[ranges.index(ofKey: key)].route
    }

    private static func slots(_ layout: ArcLayout) -> [Slot] {
        var slots = layout.marks.indices.map { index in
            let route = Route(arc: UInt32(index), owner: UInt32(layout.owners[index]))
            guard case .position(let end) = layout.marks[index] else {
                return Slot(end: 0, route: route)
            }
            return Slot(end: end, route: route)
        }
        if let first = slots.first { slots.append(Slot(end: .max, route: first.route)) }
        return slots
    }
}

extension ArcLayout {
    /// The marks that are positions.
    fileprivate var positions: [UInt64] {
        marks.compactMap { mark in
            guard case .position(let position) = mark else { return nil }
            return position
        }
    }

    /// The marks that are boundaries, without the beginning of all keys.
    fileprivate var boundaries: [[UInt8]] {
        marks.compactMap { mark in
            guard case .boundary(let key) = mark, !key.isEmpty else { return nil }
            return key
        }
    }
}
