/// Where a benchmark ran.
public struct MachineDescription: Equatable, Sendable {
    /// The processor's name, as the kernel gives it.
    public var processor = ""
    /// Processors the generator could use.
    public var processors = 0
    /// Memory in bytes.
    public var memoryBytes: UInt64 = 0
    /// Kernel name and release.
    public var kernel = ""

    /// An unknown machine.
    public init() {}
}

/// Everything `kiln bench` has to tell about one call of it.
public struct BenchReport: Sendable {
    /// The scenario's name: `load`, `hotspot` ...
    public var scenario: String
    /// The settings that matter for repeating it, by the names of their flags.
    public var settings: [(name: String, value: String)]
    /// When it started, in seconds since 1970.
    public var startedUnixSeconds: Int64
    /// Where it ran.
    public var machine: MachineDescription
    /// The runs, in the order they were made.
    ///
    /// In a scenario of phases, the phases of one run.
    public var runs: [RunResult]

    /// A report without runs yet.
    public init(
        scenario: String, settings: [(name: String, value: String)], startedUnixSeconds: Int64,
        machine: MachineDescription
    ) {
        self.scenario = scenario
        self.settings = settings
        self.startedUnixSeconds = startedUnixSeconds
        self.machine = machine
        runs = []
    }

    /// The run whose rate is the median of all (the lower of the middle two); nil without runs.
    public var medianRun: RunResult? {
        let ordered = runs.sorted { $0.rate < $1.rate }
        return ordered.isEmpty ? nil : ordered[(ordered.count - 1) / 2]
    }

    /// Whether every run's numbers can be trusted.
    public var isValid: Bool { runs.allSatisfy(\.verdict.isValid) }
}
