// A histogram as lists, for files, plots and comparisons.
import Histogram

extension LatencyHistogram {
    /// A point of the cumulative distribution.
    public struct Step: Equatable, Sendable {
        /// The percentile asked for, 0 through 100.
        public var percentile: Double
        /// The latency that so many percent of the records do not exceed, in nanoseconds.
        public var nanoseconds: UInt64
        /// How many records do not exceed it.
        public var countSoFar: UInt64
    }

    /// The distribution at percentiles that grow denser towards 100: as HdrHistogram's own
    /// percentile files, `ticks` points for each halving of the distance to 100.
    public func steps(ticksPerHalfDistance ticks: Int = 5) -> [Step] {
        guard count > 0 else { return [] }
        return counts.percentiles(ticksPerHalfDistance: ticks).map { value in
            Step(
                percentile: value.percentileLevelIteratedTo,
                nanoseconds: min(value.value, longestNanoseconds),
                countSoFar: value.totalCountToThisValue)
        }
    }

    /// The distinct latencies and how often each was recorded, ascending.
    public var recorded: [(nanoseconds: UInt64, count: UInt64)] {
        guard count > 0 else { return [] }
        return counts.recordedValues().map { (min($0.value, longestNanoseconds), $0.count) }
    }

    /// A histogram that recorded `values`, each so often; the inverse of ``recorded``.
    public init(recorded values: [(nanoseconds: UInt64, count: UInt64)]) {
        self.init()
        for (nanoseconds, count) in values where count > 0 {
            record(Int64(min(nanoseconds, Self.highestNanoseconds)), count: count)
        }
    }

    /// The standard deviation in nanoseconds; 0 when nothing was recorded.
    public var deviationNanoseconds: Double { count == 0 ? 0 : counts.stdDeviation }
}

extension LatencyHistogram {
    /// How the counts are laid out: buckets that double in width, and sub-buckets of each.
    public var shape: (buckets: Int, subBuckets: Int) {
        // Three digits need 2,000 sub-buckets, rounded up to a power of two; each bucket covers
        // twice the range of the one before (HdrHistogram, "How it works").
        let subBuckets = 2_048
        var buckets = 1
        while UInt64(subBuckets) << (buckets - 1) <= Self.highestNanoseconds { buckets += 1 }
        return (buckets, subBuckets)
    }
}
