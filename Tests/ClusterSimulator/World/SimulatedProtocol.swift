// The door to the simulator.

/// What is simulated.
public enum SimulatedProtocol: String, CaseIterable, Sendable {
    /// Consensus.
    case raft
    /// Membership.
    case swim
    /// Whole nodes: both planes, and clients.
    case cluster

    /// Runs one seed from its beginning to its end, or to the first property that does not hold.
    public func run(_ options: SimulationOptions) -> SimulationReport {
        switch self {
        case .raft: RaftSimulation.run(options)
        case .swim: SWIMSimulation.run(options)
        case .cluster: ClusterSimulation.run(options)
        }
    }

    /// Measures instead of judging: elections, or detection of crashes, for each cluster size.
    ///
    /// Says each line as soon as it is known: large clusters take their time.
    public func measure(
        seeds: ClosedRange<UInt64>, sizes: [Int], _ say: (String) -> Void
    ) {
        switch self {
        case .raft: RaftMeasurement.lines(seeds: seeds, sizes: sizes).forEach(say)
        case .swim: SWIMMeasurement.run(seeds: seeds, sizes: sizes, say)
        case .cluster: say("there is nothing to measure yet")
        }
    }

    /// What a set of seeds must have met, each at least once.
    public var expectedCoverage: [CoverageEvent] {
        switch self {
        case .raft: CoverageEvent.world + CoverageEvent.raft
        case .swim: CoverageEvent.world + CoverageEvent.swim
        case .cluster: CoverageEvent.world + CoverageEvent.cluster
        }
    }

    /// The bugs that can be planted in it.
    public var bugs: [PlantedBug] {
        PlantedBug.allCases.filter { $0.isIn == self }
    }
}
