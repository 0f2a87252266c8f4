import Testing

@testable import ClusterSimulator

/// A few seeds in a debug build, where assertions are on; the many run in a release build of
/// `kiln-simulate` (`scripts/test`).
@Suite struct RaftSimulationTests {
    @Test(arguments: [3, 5, 7])
    func everyPropertyHolds(nodes: Int) {
        let seed = UInt64(nodes)
        let report = SimulatedProtocol.raft.run(
            SimulationOptions(seed: seed, nodes: nodes, seconds: 8))
        #expect(report.violation == nil, "seed \(seed), \(nodes) nodes")
        #expect(report.coverage[.commits] > 100)
    }

    @Test func aClusterOfOneServes() {
        let report = SimulatedProtocol.raft.run(
            SimulationOptions(seed: 3, nodes: 1, seconds: 5))
        #expect(report.violation == nil)
        #expect(report.coverage[.writesAnswered] > 100)
    }

    @Test func aSeedGivesTheSameRunTwice() {
        let options = SimulationOptions(seed: 11, nodes: 3, seconds: 2)
        let first = SimulatedProtocol.raft.run(options)
        let second = SimulatedProtocol.raft.run(options)
        #expect(first.digest == second.digest && first.ticks == second.ticks)
        #expect(first.coverage == second.coverage)
    }

    @Test func anotherSeedGivesAnotherRun() {
        let digests = (UInt64(1)...2).map { seed in
            SimulatedProtocol.raft.run(SimulationOptions(seed: seed, nodes: 3, seconds: 1)).digest
        }
        #expect(Set(digests).count == digests.count)
    }

    /// A journal changes nothing but what can be read.
    @Test func theJournalDoesNotDisturbTheRun() {
        let quiet = SimulatedProtocol.raft.run(SimulationOptions(seed: 5, nodes: 3, seconds: 1))
        let traced = SimulatedProtocol.raft.run(
            SimulationOptions(seed: 5, nodes: 3, seconds: 1, isTraced: true))
        #expect(quiet.digest == traced.digest)
        #expect(quiet.journal.isEmpty && traced.journal.count > 1_000)
        #expect(traced.journal.contains { $0.contains("drill:") })
    }

    /// Bugs that show at once; all are planted by `scripts/test`.
    @Test(arguments: [PlantedBug.sendsOvertakeDisk, .readFromLocalState, .answerBeforeCommit])
    func plantedBugsAreFound(_ bug: PlantedBug) {
        let found = (UInt64(1)...10).contains { seed in
            let options = SimulationOptions(seed: seed, nodes: 5, seconds: 5, bug: bug)
            return SimulatedProtocol.raft.run(options).violation != nil
        }
        #expect(found)
    }
}
