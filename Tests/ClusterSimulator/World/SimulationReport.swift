// What a run is asked for, and what it tells.

/// What to simulate.
public struct SimulationOptions: Sendable {
    /// The one seed that decides everything else.
    public var seed: UInt64
    /// Nodes at the beginning.
    public var nodes: Int
    /// Simulated seconds of disturbances, before the cluster is left in peace.
    public var seconds: Int
    /// The bug to plant, or none.
    public var bug: PlantedBug?
    /// Whether a readable journal is kept.
    public var isTraced: Bool

    /// Asks for one run.
    public init(
        seed: UInt64, nodes: Int = 5, seconds: Int = 60, bug: PlantedBug? = nil,
        isTraced: Bool = false
    ) {
        self.seed = seed
        self.nodes = nodes
        self.seconds = seconds
        self.bug = bug
        self.isTraced = isTraced
    }
}

/// A property that did not hold.
public struct Violation: Error, Equatable, Sendable {
    /// The property, in words.
    public var property: String
    /// What was seen instead.
    public var detail: String
    /// How many events had happened.
    public var tick: UInt64
    /// True time of the run, in milliseconds.
    public var milliseconds: Int64
}

extension Violation: CustomStringConvertible {
    /// One line: when, what, and how it was noticed.
    public var description: String {
        "tick \(tick), \(milliseconds) ms: \(property): \(detail)"
    }
}

/// What came of one run.
public struct SimulationReport: Sendable {
    /// The seed it ran.
    public var seed: UInt64
    /// A hash over all its events.
    public var digest: UInt64
    /// Events that happened.
    public var ticks: UInt64
    /// What it met.
    public var coverage: Coverage
    /// The first property that did not hold, if any.
    public var violation: Violation?
    /// The last lines of the journal, if one was kept.
    public var journal: [String]
}

extension Violation {
    /// Two runs of one seed differ.
    public static func notReplayable(_ first: UInt64, _ second: UInt64) -> Violation {
        Violation(
            property: "a seed can be replayed",
            detail: "digests \(String(first, radix: 16)) and \(String(second, radix: 16))",
            tick: 0, milliseconds: 0)
    }
}
