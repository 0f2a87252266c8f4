import Primitives
import Raft
import Testing

/// Random faults on small clusters; ``TestCluster`` checks safety at each step.
@Suite struct RandomFaultTests {
    @Test(arguments: UInt64(0)..<40)
    func staysSafeAndRecovers(seed: UInt64) throws {
        var settings = RaftInstance.Settings()
        settings.snapshotThresholdEntries = 20
        settings.keptEntries = Int(seed % 3) * 5
        settings.chunkBytes = 16
        settings.appendLimitEntries = 4
        var cluster = try TestCluster(3 + Int(seed % 3), settings: settings, seed: seed)
        cluster.delayMilliseconds = 1...20
        cluster.lossPercent = Int(seed % 4) * 8
        cluster.duplicatePercent = 10
        var random = SeededGenerator(seed: seed &+ 1_000)
        var proposed: UInt8 = 0
        for _ in 0..<60 {
            cluster.run(milliseconds: Int.random(in: 20...200, using: &random))
            try disturb(&cluster, &random)
            for id in cluster.ids where Int.random(in: 0..<3, using: &random) == 0 {
                cluster.propose([proposed], at: id)
                proposed &+= 1
            }
        }
        cluster.heal()
        cluster.lossPercent = 0
        for id in cluster.ids where !cluster.server(id).isUp { try cluster.restart(id) }
        let leader = try cluster.electLeader()
        cluster.propose([255], at: leader, ticket: 1)
        cluster.run(limit: 5_000, "all have applied the same") { cluster in
            guard let leader = cluster.leader else { return false }
            let end = cluster[leader].lastIndex
            return cluster.ids.allSatisfy { cluster.server($0).appliedIndex == end }
        }
        cluster.expectLogsMatch()
    }

    private func disturb(
        _ cluster: inout TestCluster, _ random: inout SeededGenerator
    ) throws {
        let ids = cluster.ids
        let one = ids[Int.random(in: 0..<ids.count, using: &random)]
        switch Int.random(in: 0..<8, using: &random) {
        case 0: cluster.crash(one)
        case 1, 2:
            for id in ids where !cluster.server(id).isUp { try cluster.restart(id) }
        case 3: cluster.isolate(one)
        case 4: cluster.cut.append([one, ids[Int.random(in: 0..<ids.count, using: &random)]])
        case 5, 6: cluster.heal()
        default: cluster.step(one, .transferLeadership(to: nil))
        }
    }
}
