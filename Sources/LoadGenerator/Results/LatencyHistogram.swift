// Latencies, kept whole: percentiles of merged runs must come from counts, never from averages.
public import Histogram

/// A high-dynamic-range histogram of latencies in nanoseconds, three significant digits, up to
/// one hour.
///
/// One per thread is recorded into without locks (about 5 ns a record) and merged afterwards.
public struct LatencyHistogram: Sendable {
    /// Nanoseconds beyond which a latency is recorded as this: one hour.
    @usableFromInline
    static let highestNanoseconds: UInt64 = 3_600_000_000_000

    /// The recorded counts by latency in nanoseconds.
    public private(set) var counts = Histogram<UInt64>(
        lowestDiscernibleValue: 1, highestTrackableValue: highestNanoseconds,
        numberOfSignificantValueDigits: .three)

    /// An empty histogram; about 260 KiB.
    public init() {}

    /// How many latencies were recorded.
    public var count: UInt64 { counts.totalCount }

    /// Records `nanoseconds`, `count` times; a negative latency counts as zero.
    @inline(__always)
    mutating func record(_ nanoseconds: Int64, count: UInt64) {
        counts.record(
            min(UInt64(max(nanoseconds, 0)), Self.highestNanoseconds), count: count)
    }

    /// Adds what `other` recorded.
    public mutating func add(_ other: LatencyHistogram) {
        counts.add(other.counts)
    }

    /// The latency in nanoseconds that `percentile` percent of the records do not exceed; 0 when
    /// there are none.
    public func nanoseconds(atPercentile percentile: Double) -> UInt64 {
        count == 0 ? 0 : counts.valueAtPercentile(percentile)
    }

    /// The longest latency recorded, in nanoseconds.
    public var longestNanoseconds: UInt64 { count == 0 ? 0 : counts.maxRecorded }

    /// The mean in nanoseconds; 0 when nothing was recorded.
    public var meanNanoseconds: Double { count == 0 ? 0 : counts.mean }
}
