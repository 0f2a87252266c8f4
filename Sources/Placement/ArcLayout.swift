// The arcs of a topology, worked out: what tables, plans and changes are made from.
import Primitives

/// All arcs of a topology, in order of their marks, with owners as indices into its members.
struct ArcLayout {
    /// The ring of the members.
    let ring: HashRing
    /// A mark for each arc.
    private(set) var marks: [ArcMark]
    /// For each arc the owner.
    private(set) var owners: [Int]
    /// For each arc the members with copies of it.
    private(set) var replicas: [[Int]]

    private let settings: RingSettings

    /// Lays out the arcs of `topology`.
    init(_ topology: Topology) throws(PlacementError) {
        let ring = try HashRing(topology.members, topology.ring)
        let indices = Self.indices(of: topology.members)
        let overrides = topology.overrides.filter { item in
            guard let owner = item.owner else { return true }
            return indices[owner].map { topology.members[$0].weight > 0 } ?? false
        }
        let base = Self.baseMarks(ring, topology.ring)
        marks = Self.union(base, overrides.map(\.mark), topology.records.map(\.mark))
        owners = []
        replicas = []
        self.ring = ring
        settings = topology.ring
        fill(base: base, overrides, indices)
    }

    /// The owner of an arc if there were no overrides.
    func baseOwner(_ mark: ArcMark) -> Int {
        ring.member(at: Self.position(of: mark, settings))
    }

    /// The index of the arc that `mark` lies in.
    func index(covering mark: ArcMark) -> Int { marks.index(covering: mark) }

    /// The arc with this index, written out.
    func arc(_ index: Int) -> Arc { Self.arc(index, of: marks) }

    /// The arc with this index of a table with these marks, written out.
    static func arc(_ index: Int, of marks: [ArcMark]) -> Arc {
        switch marks[index] {
        case .position(let last):
            guard case .position(let before) = marks[index > 0 ? index - 1 : marks.count - 1]
            else { preconditionFailure("a ring has a boundary among its positions") }
            return .positions(after: before, through: last)
        case .boundary(let first):
            guard index + 1 < marks.count, case .boundary(let end) = marks[index + 1]
            else { return .keys(from: first, to: nil) }
            return .keys(from: first, to: end)
        }
    }

    /// The marks that members and splits make by themselves, in order.
    static func baseMarks(_ ring: HashRing, _ settings: RingSettings) -> [ArcMark] {
        switch settings.kind {
        case .xxh3, .ketama: ring.points.map { .position($0.position) }
        case .range: [.boundary([])] + settings.splits.map { .boundary($0) }
        }
    }

    /// Where the arc lies on the ring; a range lies where the hash of its boundary is.
    static func position(of mark: ArcMark, _ settings: RingSettings) -> UInt64 {
        switch mark {
        case .position(let position): return position
        case .boundary(let key):
            let next = settings.splits.partitioningIndex { key.lexicographicallyPrecedes($0) }
            let split = next > 0 ? settings.splits[next - 1] : []
            return KeyHash(of: split.span.bytes).value
        }
    }

    /// `lists` as one, in order and without repetition; each is in order.
    static func union(_ lists: [ArcMark]...) -> [ArcMark] {
        let sorted = lists.joined().sorted()
        var result: [ArcMark] = []
        result.reserveCapacity(sorted.count)
        for mark in sorted where result.last != mark { result.append(mark) }
        return result
    }
}

extension ArcLayout {
    /// Where each member stands.
    private static func indices(of members: [Member]) -> [NodeID: Int] {
        var indices: [NodeID: Int] = [:]
        for (index, member) in members.enumerated() { indices[member.id] = index }
        return indices
    }

    /// Gives every arc its owner and replicas: those of its own override or point, else those of
    /// the arc that its mark cuts in two.
    private mutating func fill(
        base: [ArcMark], _ overrides: [Override], _ indices: [NodeID: Int]
    ) {
        var known: [(owner: Int?, replicas: [Int]?)] = []
        known.reserveCapacity(marks.count)
        for mark in marks {
            let item = overrides.index(of: mark).map { overrides[$0] }
            let isBase = base.index(of: mark) != nil
            let owner = item?.owner.flatMap { indices[$0] }
            let replicas = item.map { $0.replicas.compactMap { indices[$0] } }
            known.append(
                (owner ?? (isBase ? baseOwner(mark) : nil), replicas ?? (isBase ? [] : nil)))
        }
        inherit(known)
    }

    /// An arc without an owner of its own is part of the next one on a ring, of the one before
    /// under `range`.
    private mutating func inherit(_ known: [(owner: Int?, replicas: [Int]?)]) {
        owners = [Int](repeating: 0, count: known.count)
        replicas = [[Int]](repeating: [], count: known.count)
        var (owner, copies) = (0, [Int]())
        // Twice around: the first may begin in the middle of an arc.
        for step in 0..<2 * known.count {
            let place = step % known.count
            let index = settings.kind == .range ? place : known.count - 1 - place
            owner = known[index].owner ?? owner
            copies = known[index].replicas ?? copies
            (owners[index], replicas[index]) = (owner, copies)
        }
        for index in replicas.indices { replicas[index].removeAll { $0 == owners[index] } }
    }
}

extension Array {
    /// The index of the first element that `belongs` holds for; it does for all behind that one.
    func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
