// What a run has really met: a fault that never happened proves nothing.

/// How often each thing worth meeting was met.
public struct Coverage: Equatable, Sendable {
    private var counts = Array(repeating: UInt64(0), count: CoverageEvent.allCases.count)

    /// Nothing met yet.
    public init() {}

    /// How often `event` was met.
    public subscript(event: CoverageEvent) -> UInt64 { counts[event.rawValue] }

    /// Counts `event`.
    mutating func add(_ event: CoverageEvent, _ count: UInt64 = 1) {
        counts[event.rawValue] += count
    }

    /// Adds what another run met.
    public mutating func merge(_ other: Coverage) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }
}
