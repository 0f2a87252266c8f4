import Testing

@testable import ClusterSimulator

/// A few seeds in a debug build, where assertions are on; the many run in a release build of
/// `kiln-simulate` (`scripts/test`).
@Suite struct SWIMSimulationTests {
    /// Seven seeds: one for each drill.
    @Test(arguments: UInt64(0)..<7, [5, 10])
    func everyPropertyHolds(seed: UInt64, nodes: Int) {
        let report = SimulatedProtocol.swim.run(
            SimulationOptions(seed: seed, nodes: nodes, seconds: 10))
        #expect(report.violation == nil, "seed \(seed), \(nodes) nodes")
        #expect(report.coverage[.acks] > 100)
    }

    @Test func aSeedGivesTheSameRunTwice() {
        let options = SimulationOptions(seed: 11, nodes: 5, seconds: 10)
        let first = SimulatedProtocol.swim.run(options)
        let second = SimulatedProtocol.swim.run(options)
        #expect(first.digest == second.digest && first.coverage == second.coverage)
    }

    @Test(arguments: SimulatedProtocol.swim.bugs)
    func plantedBugsAreFound(_ bug: PlantedBug) {
        let found = (UInt64(1)...12).contains { seed in
            let options = SimulationOptions(seed: seed, nodes: 5, seconds: 2, bug: bug)
            return SimulatedProtocol.swim.run(options).violation != nil
        }
        #expect(found)
    }
}
