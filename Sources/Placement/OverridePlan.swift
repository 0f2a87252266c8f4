// From how much each arc is asked for to the overrides that even it out.
//
// A plan is a list of pieces: the arcs of the table as it is, cut at the points of the members as
// they will be, each with its owner and its load. It begins with every piece where its data is.
// Balancing gives some pieces, or parts of them, to other owners; what is left is to write down
// where the outcome differs from the ring.
public import Primitives

/// Works out overrides for a topology: to keep every owner while members change, and to balance.
///
/// A pure function of topology, members and loads, the same on every node. Without a call of
/// ``balance(_:)`` nothing moves but what members leave behind that no longer own anything.
public struct OverridePlan: Sendable {
    /// An arc that goes from one member to another.
    public struct Move: Equatable, Sendable {
        /// What moves.
        public var arc: Arc
        /// Who owns it now.
        public var from: NodeID
        /// Who will.
        public var to: NodeID
        /// Its part of the load.
        public var load: UInt64
    }

    /// A part of the key space that is not cut any more, or not yet.
    struct Piece {
        var mark: ArcMark
        /// On a ring, the position before its first.
        var start: UInt64
        var load: UInt64
        /// Who has its data, where that is still a member.
        let origin: Int?
        var owner: Int
        /// Who owns it by the ring alone.
        let home: Int
        /// Whether its mark is there without an override.
        var isBase: Bool
    }

    /// The highest load that is counted of an arc: all arcs' fit into 64 bits.
    static let loadLimit: UInt64 = 1 << 44

    /// The topology with the members as they will be, overrides still as they are.
    let topology: Topology
    let ring: HashRing
    var pieces: [Piece]

    /// Begins a plan from `topology`.
    ///
    /// - Parameters:
    ///   - topology: The cluster as it is.
    ///   - members: The members as they will be; nil where they stay.
    ///   - splits: Under `range`, the boundaries as they will be; nil where they stay.
    ///   - loads: For each arc of the table of `topology` how much it is asked for, in any unit;
    ///     nil for its share of the ring, or one for each range.
    /// - Throws: ``PlacementError`` where the members make no table.
    /// - Precondition: there are as many loads as arcs.
    public init(
        _ topology: Topology, members: [Member]? = nil, splits: [[UInt8]]? = nil,
        loads: [UInt64]? = nil
    ) throws(PlacementError) {
        var settings = topology.ring
        settings.splits = splits ?? settings.splits
        let future = try Topology(
            epoch: topology.epoch, ring: settings, members: members ?? topology.members,
            overrides: topology.overrides, records: topology.records)
        let (before, after) = (try ArcLayout(topology), try ArcLayout(future))
        precondition(
            loads.map { $0.count == before.marks.count } ?? true,
            "\(loads?.count ?? 0) loads of \(before.marks.count) arcs")
        self.topology = future
        ring = after.ring
        pieces = Self.pieces(before, after, topology, future)
        share(loads, of: before)
    }

    /// Whether pieces can be cut where the load wants it; ranges only where keys say so.
    var isDivisible: Bool { topology.ring.kind == .xxh3 }

    /// The load of every member, in the order of the new topology's members.
    public var loads: [UInt64] {
        var loads = [UInt64](repeating: 0, count: topology.members.count)
        for piece in pieces { loads[piece.owner] += piece.load }
        return loads
    }

    /// The arcs whose data another member has than the one that will own them, in order.
    public var moves: [Move] {
        let sorted = pieces.sorted { $0.mark < $1.mark }
        let marks = sorted.map(\.mark)
        return sorted.indices.compactMap { index in
            let piece = sorted[index]
            guard let origin = piece.origin, origin != piece.owner else { return nil }
            return Move(
                arc: ArcLayout.arc(index, of: marks), from: topology.members[origin].id,
                to: topology.members[piece.owner].id, load: piece.load)
        }
    }

    /// The overrides that make the table what the plan says, as few as do.
    ///
    /// Replicas of arcs stay as they are.
    public var overrides: [Override] {
        let sorted = pieces.sorted { $0.mark < $1.mark }
        return sorted.indices.compactMap { index in
            let piece = sorted[index]
            let present = topology.overrides.index(of: piece.mark).map { topology.overrides[$0] }
            // What the piece would be part of, or take its owner from, without an override.
            let other = neighbour(of: index, in: sorted)
            let inherited = piece.isBase ? piece.home : other.owner
            let owner = piece.owner == inherited ? nil : topology.members[piece.owner].id
            let item = Override(piece.mark, owner: owner, replicas: present?.replicas ?? [])
            let keeps = present.map { !piece.isBase && hasReplicas(other.mark, besides: $0) }
            return owner != nil || !item.replicas.isEmpty || keeps == true ? item : nil
        }
    }
}

extension OverridePlan {
    /// The piece that takes over when the mark of the one at `index` is taken away.
    private func neighbour(of index: Int, in sorted: [Piece]) -> Piece {
        let step = topology.ring.kind == .range ? sorted.count - 1 : 1
        return sorted[(index + step) % sorted.count]
    }

    /// Whether the arc at `mark` has replicas of its own that one with this override lacks.
    private func hasReplicas(_ mark: ArcMark, besides present: Override) -> Bool {
        let index = topology.overrides.index(of: mark)
        return index.map { topology.overrides[$0].replicas != present.replicas } ?? false
    }

    /// All arcs of both layouts, each with the owner it has, or, where that one no longer owns
    /// anything, with the one that follows on the ring.
    private static func pieces(
        _ before: ArcLayout, _ after: ArcLayout, _ topology: Topology, _ future: Topology
    ) -> [Piece] {
        let bases = ArcLayout.baseMarks(after.ring, future.ring)
        let marks = ArcLayout.union(before.marks, after.marks)
        let successors = topology.members.map { future.memberIndex(of: $0.id) }
        return marks.indices.map { index in
            let mark = marks[index]
            let origin = successors[before.owners[before.index(covering: mark)]]
            let heir = origin.flatMap { future.members[$0].weight > 0 ? $0 : nil }
            return Piece(
                mark: mark, start: ArcLayout.start(index, of: marks), load: 0, origin: origin,
                owner: heir ?? after.owners[after.index(covering: mark)],
                home: after.baseOwner(mark), isBase: bases.index(of: mark) != nil)
        }
    }

    /// Deals the loads of the arcs that were to the pieces of each: by length on a ring, evenly
    /// under `range`, where length says nothing.
    private mutating func share(_ loads: [UInt64]?, of before: ArcLayout) {
        guard topology.ring.kind == .range else { return shareByLength(loads, of: before) }
        let arcs = pieces.map { before.index(covering: $0.mark) }
        var counts = [UInt64](repeating: 0, count: before.marks.count)
        for arc in arcs { counts[arc] += 1 }
        for (index, arc) in arcs.enumerated() {
            let load = loads.map { min($0[arc], Self.loadLimit) }
            pieces[index].load = load.map { $0 / counts[arc] } ?? 1
        }
    }

    private mutating func shareByLength(_ loads: [UInt64]?, of before: ArcLayout) {
        for index in pieces.indices {
            let length = pieces[index].length
            guard let loads else {
                pieces[index].load = UInt64(length >> Self.lengthShift)
                continue
            }
            let arc = before.index(covering: pieces[index].mark)
            let whole = ArcLayout.length(arc, of: before.marks)
            let load = UInt128(min(loads[arc], Self.loadLimit))
            pieces[index].load = UInt64(load * length / whole)
        }
    }

    /// Lengths are counted in units of 2^16 positions, so that the whole ring is 2^48.
    private static let lengthShift: UInt128 = 16
}

extension OverridePlan.Piece {
    /// Positions in the piece, 1 through 2^64; 1 for a range.
    var length: UInt128 {
        guard case .position(let end) = mark else { return 1 }
        return ArcLayout.length(after: start, through: end)
    }
}

extension ArcLayout {
    /// The position before the first of an arc; 0 for a range.
    static func start(_ index: Int, of marks: [ArcMark]) -> UInt64 {
        guard case .position(let start) = marks[index > 0 ? index - 1 : marks.count - 1]
        else { return 0 }
        return start
    }

    /// Positions in an arc; 1 for a range.
    static func length(_ index: Int, of marks: [ArcMark]) -> UInt128 {
        guard case .position(let end) = marks[index] else { return 1 }
        return length(after: start(index, of: marks), through: end)
    }

    /// Positions of an arc; that from a position to itself is the whole ring.
    static func length(after start: UInt64, through end: UInt64) -> UInt128 {
        start == end ? UInt128(1) << 64 : UInt128(end &- start)
    }
}
