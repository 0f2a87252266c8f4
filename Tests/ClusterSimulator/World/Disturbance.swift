// What is done to a cluster to break it.

import Primitives

/// A kind of fault that the world inflicts; the protocols must bear each of them.
public enum Disturbance: String, CaseIterable, Sendable {
    /// Two groups of nodes that do not reach each other.
    case partition
    /// One group does not reach the other, but hears it.
    case oneWayPartition
    /// One node reaches nobody and is reached by nobody.
    case isolation
    /// Nodes 1, 2 and 3 see each other; the fourth sees only 2, the fifth only 3 (Howard and
    /// Abraham, "Raft does not guarantee liveness in the face of network faults", 2020).
    case partialPartition
    /// Some links hold everything back and let it go at once.
    case clog
    /// Packets are lost, on every link.
    case loss
    /// Packets arrive twice, on every link.
    case duplication
    /// Some packets come much later than those sent after them.
    case reordering
    /// A process is killed; its writes survive in the kernel.
    case kill
    /// A machine loses its power: what was not synced is lost or torn.
    case powerLoss
    /// All machines lose their power at once.
    case blackout
    /// A machine comes back with an empty disk and a new identity.
    case wipe
    /// A process stands still and then goes on, as after SIGSTOP.
    case pause
    /// A disk takes 10 to 1,000 times its usual time.
    case slowDisk
    /// A sync fails: the node must stop at once.
    case syncError
    /// A bit of a stored file is inverted while its machine is down.
    case bitFlip
    /// A clock runs at another speed, within the bound that leases reckon with.
    case drift
    /// A clock leaps ahead by up to some seconds.
    case clockLeap
}

/// Which disturbances come how often: drawn from the seed, so that each seed has a weather of its
/// own ("swarm testing", Groce et al., ISSTA 2012), but none is ever left out.
struct FaultPlan {
    /// Rounds of weights: a kind is between once and this many times as likely as another.
    static let weightLimit = 8
    /// The mean pause between two disturbances lies in this range, in nanoseconds.
    static let meanGap: ClosedRange<Int64> = 250_000_000...1_200_000_000
    /// A disturbance lasts at most this long: 8 s, longer than any time-out of the protocols.
    static let longest: Int64 = 8_000_000_000

    private var random: SeededGenerator
    private var wheel: [Disturbance] = []
    private let gap: Int64
    /// Each kind comes once before chance decides, so that no seed is spared one.
    private var firstRound: [Disturbance]

    init(
        kinds: [Disturbance], random: SeededGenerator,
        meanGap: ClosedRange<Int64> = FaultPlan.meanGap
    ) {
        var random = random
        for kind in kinds {
            wheel += Array(repeating: kind, count: 1 + random.below(Self.weightLimit))
        }
        gap = random.within(meanGap)
        firstRound = kinds.shuffled(using: &random)
        self.random = random
    }

    /// Draws the next disturbance, how long to wait for it and how long it lasts; nil if no kind is
    /// allowed.
    mutating func next() -> (kind: Disturbance, after: Int64, lasting: Int64)? {
        let wait = random.within(0...2 * gap)
        guard let drawn = firstRound.popLast() ?? random.pick(wheel) else { return nil }
        // Mostly short: two draws, the smaller one counts.
        let lasting = min(
            random.within(20_000_000...Self.longest), random.within(20_000_000...Self.longest))
        return (drawn, wait, lasting)
    }
}
