// How long a cluster is without a leader after the leader's crash.

import Primitives
import Raft

/// Times of elections in otherwise undisturbed clusters.
enum RaftMeasurement {
    /// One line per cluster size: times from a crash of the leader to the next one.
    static func lines(seeds: ClosedRange<UInt64>, sizes: [Int]) -> [String] {
        sizes.map { size in
            var times = Quantiles()
            var failures = 0
            for seed in seeds {
                if let time = election(seed, size) { times.add(time) } else { failures += 1 }
            }
            return "\(size) nodes, \(seeds.count) seeds: next leader after a leader's crash: "
                + "\(times.summary); \(failures) without one in 10 s"
        }
    }

    private static func election(_ seed: UInt64, _ size: Int) -> Int64? {
        var cluster = RaftCluster(SimulationOptions(seed: seed, nodes: size, seconds: 0))
        do throws(Finding) {
            // The operator changes no members and hands no leadership over.
            cluster.isAtPeace = true
            try cluster.found()
            try cluster.run(until: 3_000_000_000 + cluster.choices.within(0...500_000_000))
            guard let leader = cluster.leader else { return nil }
            cluster.stop(leader, losingPower: false, forHowLong: 60_000_000_000)
            let start = cluster.world.now
            while cluster.leader == nil, cluster.world.now < start + 10_000_000_000 {
                try cluster.run(until: cluster.world.now + 1_000_000)
            }
            return cluster.leader == nil ? nil : (cluster.world.now - start) / 1_000_000
        } catch { return nil }
    }
}
