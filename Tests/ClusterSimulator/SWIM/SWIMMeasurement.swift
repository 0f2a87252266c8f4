// How soon a crash is seen and known to all, what membership costs, and how often it is wrong.

import Primitives
import SWIM

/// Times, traffic and mistakes of clusters of several sizes.
enum SWIMMeasurement {
    /// Lines for each cluster size.
    static func lines(seeds: ClosedRange<UInt64>, sizes: [Int]) -> [String] {
        sizes.flatMap { size in
            [crash(seeds, size, tellsLinks: false), crash(seeds, size, tellsLinks: true)]
                + [10, 100, 300].map { loss(seeds, size, permille: $0) }
                + [1, 4].map { slow(seeds, size, count: $0) }
        }
    }

    private static func gathered(
        _ seed: UInt64, _ size: Int, tellsLinks: Bool = false
    ) throws(Finding) -> SWIMCluster {
        var cluster = SWIMCluster(SimulationOptions(seed: seed, nodes: size, seconds: 0))
        cluster.tellsLinks = tellsLinks
        cluster.zone = "zone-1"
        for index in cluster.nodes.indices { try cluster.startProcess(on: index) }
        try cluster.run(milliseconds: 45_000)
        cluster.tally = SWIMCluster.Tally(count: size)
        return cluster
    }

    /// One member crashes in peace.
    private static func crash(
        _ seeds: ClosedRange<UInt64>, _ size: Int, tellsLinks: Bool
    ) -> String {
        var first = Quantiles()
        var all = Quantiles()
        var sent: UInt64 = 0
        var bytes: UInt64 = 0
        for seed in seeds {
            guard var cluster = try? gathered(seed, size, tellsLinks: tellsLinks) else { continue }
            cluster.countsBytes = true
            let before = cluster.world.coverage[.packetsSent]
            guard (try? cluster.run(milliseconds: 5_000)) != nil else { continue }
            sent += cluster.world.coverage[.packetsSent] - before
            bytes += cluster.bytesSent
            cluster.countsBytes = false
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
        let links = tellsLinks ? " with closed links" : ""
        let memberSeconds = UInt64(seeds.count * size * 5)
        return
            "\(size) members, \(seeds.count) seeds, a crash\(links)"
            + ": first suspicion \(first.summary); dead to all \(all.summary);"
            + " in peace \(sent / memberSeconds) messages and \(bytes / memberSeconds) bytes"
            + " per member and second"
    }

    private static func loss(
        _ seeds: ClosedRange<UInt64>, _ size: Int, permille: Int
    ) -> String {
        mistakes(seeds, size, "\(permille / 10) % loss") { cluster throws(Finding) in
            cluster.world.network.changeAll { $0.lossPermille = permille }
            try cluster.run(milliseconds: 60_000)
        }
    }

    private static func slow(_ seeds: ClosedRange<UInt64>, _ size: Int, count: Int) -> String {
        mistakes(seeds, size, "\(count) slow (2 of every 2.3 s)", spared: count) {
            cluster throws(Finding) in
            for _ in 0..<26 {
                for index in 0..<count {
                    cluster.nodes[index].machine.pausedUntil = cluster.world.now + 2_000_000_000
                }
                try cluster.run(milliseconds: 2_300)
            }
        }
    }

    /// Verdicts against members that run, without the first `spared`, in a minute of `trouble`.
    private static func mistakes(
        _ seeds: ClosedRange<UInt64>, _ size: Int, _ name: String, spared: Int = 0,
        _ trouble: (inout SWIMCluster) throws(Finding) -> Void
    ) -> String {
        var wronged = 0
        var suspicions = 0
        for seed in seeds {
            guard var cluster = try? gathered(seed, size), (try? trouble(&cluster)) != nil else {
                continue
            }
            suspicions += cluster.tally.suspicions
            wronged += cluster.tally.deaths[spared...].count { $0 > 0 }
        }
        return "\(size) members, \(seeds.count) minutes with \(name): \(wronged) healthy members"
            + " declared dead, \(suspicions) suspicions at all members together"
    }
}
