// Disturbances of the network: how each begins, and what ends it.

import Primitives

/// One disturbance of the network that is under way.
struct NetworkTrouble {
    /// Who may be hit, and whom chance should favour.
    struct Targets {
        /// Machines that take part.
        var machines: [Int]
        /// The one whose trouble is most instructive: the leader, if there is one.
        var focus: Int?
    }

    /// The longest time by which one packet may fall behind others, drawn from these: a few round
    /// trips, a heartbeat, an election time-out, longer than a leader's lease.
    static let lateness: [Int64] = [5_000_000, 50_000_000, 500_000_000, 2_000_000_000]

    private var cuts: [(from: Int, to: Int)] = []
    private var calms: Disturbance?

    /// Begins `kind`; nil when it is not the network's, or there are too few machines.
    init?<Action>(
        _ kind: Disturbance, _ targets: Targets, lasting: Int64, world: inout World<Action>,
        _ random: inout SeededGenerator
    ) {
        guard targets.machines.count > 1 else { return nil }
        let order = targets.machines.shuffled(using: &random)
        // Half of the time the focus comes first, which makes it the lonely one.
        var first = order
        if let focus = targets.focus, random.chance(permille: 500),
            let position = first.firstIndex(of: focus)
        {
            first.swapAt(0, position)
        }
        let split = 1 + random.below(order.count - 1)
        switch kind {
        case .partition:
            cut(Array(first[..<split]), Array(first[split...]), bothWays: true)
            world.coverage.add(.partitions)
        case .oneWayPartition:
            let sides = [Array(first[..<split]), Array(first[split...])].shuffled(using: &random)
            cut(sides[0], sides[1], bothWays: false)
            world.coverage.add(.oneWayPartitions)
        case .isolation:
            cut([first[0]], Array(first[1...]), bothWays: true)
            world.coverage.add(.isolations)
        case .partialPartition:
            guard cutPartially(order) else { return nil }
            world.coverage.add(.partialPartitions)
        case .clog:
            Self.clog(first, until: world.now + lasting, &world, &random)
            world.coverage.add(.clogs)
        case .loss, .duplication, .reordering:
            Self.disturbAll(kind, &world, &random)
            calms = kind
        default: return nil
        }
        for (sender, receiver) in cuts { world.network[from: sender, to: receiver].cuts += 1 }
    }

    /// Takes the disturbance back.
    func end<Action>(_ world: inout World<Action>) {
        for (sender, receiver) in cuts { world.network[from: sender, to: receiver].cuts -= 1 }
        guard let calms else { return }
        world.network.changeAll { link in
            switch calms {
            case .loss: link.lossPermille = 0
            case .duplication: link.duplicatePermille = 0
            default: link.latePermille = 0
            }
        }
    }

    private mutating func cut(_ some: [Int], _ others: [Int], bothWays: Bool) {
        for one in some {
            for other in others {
                cuts.append((one, other))
                if bothWays { cuts.append((other, one)) }
            }
        }
    }

    /// The last two see one of the others each; of three or four machines, two lose each other.
    private mutating func cutPartially(_ order: [Int]) -> Bool {
        guard order.count > 2 else { return false }
        guard order.count > 4 else {
            cut([order[0]], [order[1]], bothWays: true)
            return true
        }
        let core = Array(order.dropLast(2))
        let fourth = order[order.count - 2]
        let fifth = order[order.count - 1]
        cut([fourth], core.filter { $0 != core[1] }, bothWays: true)
        cut([fifth], core.filter { $0 != core[2] }, bothWays: true)
        cut([fourth], [fifth], bothWays: true)
        return true
    }

    private static func clog<Action>(
        _ order: [Int], until end: Int64, _ world: inout World<Action>,
        _ random: inout SeededGenerator
    ) {
        for receiver in order.dropFirst() where random.chance(permille: 600) {
            world.network[from: order[0], to: receiver].cloggedUntil = end
            guard random.chance(permille: 500) else { continue }
            world.network[from: receiver, to: order[0]].cloggedUntil = end
        }
    }

    private static func disturbAll<Action>(
        _ kind: Disturbance, _ world: inout World<Action>, _ random: inout SeededGenerator
    ) {
        let loss = Int(random.within(10...300))
        let doubled = Int(random.within(10...100))
        let late = Int(random.within(10...200))
        let lateBy = random.pick(lateness) ?? 0
        world.network.changeAll { link in
            switch kind {
            case .loss: link.lossPermille = loss
            case .duplication: link.duplicatePermille = doubled
            default:
                link.latePermille = late
                link.lateBy = lateBy
            }
        }
        let event: CoverageEvent =
            kind == .loss ? .losses : kind == .duplication ? .duplications : .reorderings
        world.coverage.add(event)
    }
}
