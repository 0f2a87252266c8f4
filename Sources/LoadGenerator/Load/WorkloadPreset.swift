/// A mix of operations that others have described and measured.
public enum WorkloadPreset: String, CaseIterable, Sendable {
    /// YCSB A: half updates, Zipf (Cooper et al., SoCC 2010, table 2). One field of 1,000 bytes.
    case ycsbA = "ycsb-a"
    /// YCSB B: 5 % updates, Zipf.
    case ycsbB = "ycsb-b"
    /// YCSB C: reads only, Zipf.
    case ycsbC = "ycsb-c"
    /// YCSB D: 5 % inserts, the newest keys are read most.
    case ycsbD = "ycsb-d"
    /// Facebook's general pool: 30 reads a write, sizes by a Pareto law, keys of about 30 bytes
    /// (Atikoglu et al., SIGMETRICS 2012, sections 3 and 5).
    case etc

    /// Changes what this workload decides, and leaves the rest.
    public func apply(to settings: inout LoadSettings) {
        settings.keys = self == .ycsbD ? .latest : .zipf(exponent: KeyDistribution.defaultExponent)
        switch self {
        case .ycsbA: settings.writeShare = 0.5
        case .ycsbB, .ycsbD: settings.writeShare = 0.05
        case .ycsbC: settings.writeShare = 0
        case .etc: settings.writeShare = 1.0 / 31
        }
        settings.valueSizes = self == .etc ? .etc : .fixed(1_000)
        if self == .etc { settings.keyBytes = 30 }
    }
}
