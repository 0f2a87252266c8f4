// Bugs on purpose: a simulator that does not find them proves nothing.

/// A bug that is planted to see whether the simulator finds it.
public enum PlantedBug: String, CaseIterable, Sendable {
    /// Votes and terms are answered before they are on disk, and lost with the power.
    case voteNotPersisted
}

extension PlantedBug {
    /// Where it is planted.
    var isIn: SimulatedProtocol { .raft }
}
