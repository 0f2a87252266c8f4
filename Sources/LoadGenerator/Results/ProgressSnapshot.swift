/// What a benchmark has measured so far: one live line's worth.
///
/// The engine makes one about every second; making it must not slow the load, so it holds sums
/// that the threads keep anyway.
public struct ProgressSnapshot: Equatable, Sendable {
    /// What is going on, such as `warm-up`, `run 2/3` or a scenario's phase; empty when there is
    /// only one thing to do.
    public var phase = ""
    /// Seconds since this part began.
    public var elapsedSeconds = 0.0
    /// How long this part should take, in seconds; nil when a number of operations ends it.
    public var plannedSeconds: Double?
    /// Operations answered in this part.
    public var requests: UInt64 = 0
    /// How many operations end this part; nil when time ends it.
    public var plannedRequests: UInt64?
    /// Operations answered in the last second.
    public var lastSecondRate = 0.0
    /// Hits per key read so far, 0 through 1; nil when nothing was read.
    public var hitRatio: Double?
    /// The mean latency from the intended time in the last second, in nanoseconds; nil without
    /// answers.
    public var meanNanoseconds: UInt64?
    /// Errors so far.
    public var errors: UInt64 = 0
    /// Preload only: keys stored so far.
    public var loadedKeys: UInt64 = 0
    /// Preload only: keys to store; nil in every other part.
    public var keysToLoad: UInt64?

    /// Nothing done yet.
    public init() {}
}
