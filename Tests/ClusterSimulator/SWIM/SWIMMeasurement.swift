// How soon a crash is seen and known to all, what membership costs, and how often it is wrong.

import Primitives
import SWIM

/// Times, traffic and mistakes of clusters of several sizes.
///
/// Each seed's cluster is gathered once; every measurement begins with a copy of it.
struct SWIMMeasurement {
    /// Members, from which on troubles are measured for 20 s instead of a minute.
    static let largeSize = 500
    /// Members that stand still again and again: for 2 s of every 2.3 s, or for 8 s of every 8.3 s.
    private struct Pauses {
        var count: Int
        var pause: Int64
        var period: Int64
    }

    private let size: Int
    private let seeds: ClosedRange<UInt64>
    /// How long troubles last, in milliseconds.
    private let troubleTime: Int64
    private var crashes = Crashes()
    private var crashesWithLinks = Crashes()
    private var losses: [(permille: Int, mistakes: Mistakes)]
    private var slow: [(pauses: Pauses, mistakes: Mistakes)]

    /// Says lines for each cluster size, as they are known.
    static func run(seeds: ClosedRange<UInt64>, sizes: [Int], _ say: (String) -> Void) {
        for size in sizes {
            var measurement = SWIMMeasurement(seeds: seeds, size: size)
            measurement.measure(say)
        }
    }

    private init(seeds: ClosedRange<UInt64>, size: Int) {
        self.size = size
        self.seeds = seeds
        troubleTime = size < Self.largeSize ? 60_000 : 20_000
        losses = [10, 100, 300].map { ($0, Mistakes()) }
        slow = (1...4).filter { 2 * $0 < size }.map { count in
            (Pauses(count: count, pause: 2_000, period: 2_300), Mistakes())
        }
        if size == 10 { slow.append((Pauses(count: 3, pause: 8_000, period: 8_300), Mistakes())) }
    }

    private mutating func measure(_ say: (String) -> Void) {
        for seed in seeds {
            guard let cluster = try? Self.gathered(seed, size) else {
                say("seed \(seed) with \(size) members fails: run it without --measure")
                continue
            }
            crashes.add(cluster, tellsLinks: false)
            crashesWithLinks.add(cluster, tellsLinks: true)
            for index in losses.indices { lose(index, cluster) }
            for index in slow.indices { pause(index, cluster) }
        }
        let name = "\(size) members, \(seeds.count) seeds"
        say("\(name), a crash: \(crashes.summary)")
        say("\(name), a crash with closed links: \(crashesWithLinks.summary)")
        for (permille, mistakes) in losses {
            say("\(name), \(permille / 10) % loss: \(mistakes.summary)")
        }
        for (pauses, mistakes) in slow {
            say(
                "\(name), \(pauses.count) slow, \(pauses.pause) of every \(pauses.period) ms: "
                    + mistakes.summary)
        }
    }

    private static func gathered(_ seed: UInt64, _ size: Int) throws(Finding) -> SWIMCluster {
        var cluster = SWIMCluster(SimulationOptions(seed: seed, nodes: size, seconds: 0))
        cluster.zone = "zone-1"
        // Tests show that encoding changes nothing; here it only costs time.
        cluster.passesWire = false
        for index in cluster.nodes.indices { try cluster.startProcess(on: index) }
        try cluster.run(milliseconds: 45_000)
        // That a thousand members have come is still being told then.
        while cluster.nodes.contains(where: { $0.instance?.newsCount != 0 }) {
            try cluster.run(milliseconds: 1_000)
        }
        cluster.tally = SWIMCluster.Tally(count: size)
        return cluster
    }

    private mutating func lose(_ index: Int, _ start: SWIMCluster) {
        var cluster = start
        cluster.world.network.changeAll { $0.lossPermille = losses[index].permille }
        guard (try? cluster.run(milliseconds: troubleTime)) != nil else { return }
        losses[index].mistakes.add(cluster, healthy: size, milliseconds: troubleTime)
    }

    /// The last members are slow: rings are looked at as the first one sees them.
    private mutating func pause(_ index: Int, _ start: SWIMCluster) {
        var cluster = start
        let pauses = slow[index].pauses
        let healthy = size - pauses.count
        // Whole periods, a little more than the time.
        let rounds = (troubleTime + pauses.period - 1) / pauses.period
        for _ in 0..<rounds {
            for index in healthy..<size {
                cluster.nodes[index].machine.pausedUntil =
                    cluster.world.now + pauses.pause * 1_000_000
            }
            guard (try? cluster.run(milliseconds: pauses.period)) != nil else { return }
        }
        slow[index].mistakes.add(
            cluster, healthy: healthy, milliseconds: rounds * pauses.period)
    }
}

extension SWIMMeasurement {
    /// What became of one crash in each cluster, and what the peace before it cost.
    private struct Crashes {
        private var first = Quantiles()
        private var all = Quantiles()
        private var messages: UInt64 = 0
        private var bytes: UInt64 = 0
        private var memberSeconds: UInt64 = 0

        var summary: String {
            "first suspicion \(first.summary); dead to all \(all.summary); in peace"
                + " \(messages / max(1, memberSeconds)) messages and"
                + " \(bytes / max(1, memberSeconds)) bytes per member and second"
        }

        mutating func add(_ start: SWIMCluster, tellsLinks: Bool) {
            var cluster = start
            cluster.tellsLinks = tellsLinks
            cluster.countsBytes = true
            let before = cluster.world.coverage[.packetsSent]
            guard (try? cluster.run(milliseconds: 5_000)) != nil else { return }
            messages += cluster.world.coverage[.packetsSent] - before
            bytes += cluster.bytesSent
            memberSeconds += UInt64(cluster.nodes.count * 5)
            cluster.countsBytes = false
            measure(&cluster)
        }

        private mutating func measure(_ cluster: inout SWIMCluster) {
            let size = cluster.nodes.count
            let victim = cluster.havoc.below(size)
            cluster.stop(victim, forHowLong: nil)
            let start = cluster.world.now
            var isSeen = false
            while cluster.tally.deaths[victim] < size - 1,
                cluster.world.now < start + 60_000_000_000
            {
                guard (try? cluster.run(milliseconds: 5)) != nil else { break }
                let passed = (cluster.world.now - start) / 1_000_000
                if !isSeen, cluster.tally.suspicions > 0 {
                    isSeen = true
                    first.add(passed)
                }
            }
            all.add((cluster.world.now - start) / 1_000_000)
        }
    }

    /// Verdicts against members that run, and what became of those that are slow.
    private struct Mistakes {
        private var wronged = 0
        private var verdicts = 0
        private var suspicions = 0
        private var milliseconds: Int64 = 0
        private var memberMilliseconds: Int64 = 0
        private var mostRingChanges = 0

        /// Counts a minute's mistakes about the first `healthy` members.
        mutating func add(_ cluster: SWIMCluster, healthy: Int, milliseconds: Int64) {
            let tally = cluster.tally
            suspicions += tally.suspicions
            wronged += tally.deaths[..<healthy].count { $0 > 0 }
            verdicts += tally.falseVerdicts(amongFirst: healthy)
            mostRingChanges = max(mostRingChanges, tally.ringChanges[healthy...].max() ?? 0)
            self.milliseconds += milliseconds
            memberMilliseconds += milliseconds * Int64(healthy)
        }

        var summary: String {
            "\(wronged) healthy members declared dead, \(verdicts) times in"
                + " \(milliseconds / 1_000) s, \(rate(milliseconds)) per hour,"
                + " \(rate(memberMilliseconds)) per member and hour; \(suspicions) suspicions;"
                + " a slow member changed a healthy one's ring \(mostRingChanges) times at most"
        }

        /// Verdicts per hour, with two decimals.
        private func rate(_ milliseconds: Int64) -> String {
            let hundredths = Int64(verdicts) * 360_000_000 / max(1, milliseconds)
            let fraction = String(hundredths % 100)
            return "\(hundredths / 100)." + (fraction.count < 2 ? "0" : "") + fraction
        }
    }
}
