// What every member has and may have, while a plan is balanced.

/// The loads of members against their bounds.
struct Accounts {
    private let weights: [UInt64]
    private var loads: [UInt64]
    /// For each member, its floor, its fair share and its cap.
    private let bounds: [[UInt64]]
    /// How many members are below their floor; at it but below their share; at that but below
    /// their cap.
    private var counts = [0, 0, 0]

    init(members: [Member], loads: [UInt64], _ limits: LoadBounds) {
        let total = loads.reduce(UInt128(0)) { $0 + UInt128($1) }
        let weight = members.reduce(UInt128(0)) { $0 + UInt128($1.weight) }
        weights = members.map { UInt64($0.weight) }
        self.loads = loads
        bounds = members.map { member in
            let share = total * UInt128(member.weight)
            let cap = (share * UInt128(limits.capPercent) + weight * 100 - 1) / (weight * 100)
            return [
                UInt64(share * UInt128(limits.floorPercent) / (weight * 100)),
                UInt64(share / weight), UInt64(cap),
            ]
        }
        for member in members.indices { count(member, 1) }
    }

    /// Members above their caps, the furthest first.
    var aboveCap: [Int] {
        loads.indices.filter { excess($0) > 0 }
            .sorted { (excess($0), $1) > (excess($1), $0) }
    }

    /// Members below their floors, the furthest first.
    var belowFloor: [Int] {
        loads.indices.filter { deficit($0) > 0 }
            .sorted { (deficit($0), $1) > (deficit($1), $0) }
    }

    /// Members above their fair share, the furthest first.
    var bySurplus: [Int] {
        loads.indices.filter { surplus($0) > 0 }
            .sorted { (surplus($0), $1) > (surplus($1), $0) }
    }

    /// Whether any member is below its cap.
    var hasRoom: Bool { counts.contains { $0 > 0 } }

    func excess(_ member: Int) -> UInt64 { Self.above(loads[member], bounds[member][2]) }
    func surplus(_ member: Int) -> UInt64 { Self.above(loads[member], bounds[member][1]) }
    func deficit(_ member: Int) -> UInt64 { Self.above(bounds[member][0], loads[member]) }

    /// Whether nobody needs more than this member does.
    func isFirst(_ member: Int) -> Bool {
        rank(member).map { rank in counts.firstIndex { $0 > 0 } == rank } ?? false
    }

    /// What it takes to the next of its bounds; 0 at its cap and above.
    func room(_ member: Int) -> UInt64 {
        rank(member).map { bounds[member][$0] - loads[member] } ?? 0
    }

    mutating func move(_ amount: UInt64, from giver: Int, to receiver: Int) {
        assert(loads[giver] >= amount, "member \(giver) gives \(amount) of \(loads[giver])")
        for member in [giver, receiver] { count(member, -1) }
        loads[giver] -= amount
        loads[receiver] += amount
        for member in [giver, receiver] { count(member, 1) }
    }

    /// The members with the most and the least for their weight, unless all are within bounds.
    var extremes: (fullest: Int, emptiest: Int)? {
        let owners = loads.indices.filter { weights[$0] > 0 }
        let isEven = owners.allSatisfy { excess($0) == 0 && deficit($0) == 0 }
        guard !isEven, var fullest = owners.first, var emptiest = owners.first else { return nil }
        for member in owners.dropFirst() {
            if isFuller(member, than: fullest) { fullest = member }
            if isFuller(emptiest, than: member) { emptiest = member }
        }
        return fullest == emptiest ? nil : (fullest, emptiest)
    }

    /// The higher load for its weight of two members once the first has given `amount` to the
    /// second; comparable for the same two.
    func peak(_ giver: Int, _ receiver: Int, _ amount: UInt64) -> UInt128 {
        max(
            UInt128(loads[giver] - amount) * UInt128(weights[receiver]),
            UInt128(loads[receiver] + amount) * UInt128(weights[giver]))
    }

    private func isFuller(_ one: Int, than other: Int) -> Bool {
        UInt128(loads[one]) * UInt128(weights[other]) > UInt128(loads[other])
            * UInt128(weights[one])
    }

    /// Which of its bounds a member is below; nil for none.
    private func rank(_ member: Int) -> Int? {
        bounds[member].firstIndex { loads[member] < $0 }
    }

    private mutating func count(_ member: Int, _ change: Int) {
        if let rank = rank(member) { counts[rank] += change }
    }

    private static func above(_ value: UInt64, _ bound: UInt64) -> UInt64 {
        value > bound ? value - bound : 0
    }
}
