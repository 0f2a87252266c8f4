// Which requests are looked at? One in S, but not every S-th: a client that pipelines S keys in a
// circle would then have one of them counted always and the others never.
internal import Primitives

/// Draws the gaps between samples: geometrically distributed, so that each request is sampled with
/// the same chance whatever came before (Vitter, ACM TOMS 13(1), 1987, section 2).
///
/// The distribution is cut into 256 equally likely gaps, drawn by one random byte; ``meanGap`` is
/// their exact mean, by which counts are scaled. So estimates have no bias from the cutting.
public struct GeometricSampler: Sendable {
    /// The mean distance from one sample to the next, in requests; 1 when all are sampled.
    public private(set) var meanGap = 1.0
    /// The sampling rate asked for: one request in so many.
    public private(set) var period = 1
    private var gaps: [UInt32]
    private var random: SeededGenerator
    private var spare: UInt64 = 0
    private var spareBytes = 0

    /// The rarest sampling: one request in so many.
    public static let longestPeriod = 1024
    private static let steps = 256

    /// A sampler that takes every request.
    public init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        gaps = Array(repeating: 1, count: Self.steps)
    }

    /// Samples one request in `period` from now on.
    ///
    /// `period` is brought into 1 through ``longestPeriod``. Costs some microseconds.
    public mutating func setPeriod(_ period: Int) {
        let period = min(max(period, 1), Self.longestPeriod)
        guard period != self.period else { return }
        self.period = period
        // The quantiles of the geometric distribution at the middles of 256 equal parts, found by
        // walking along the chance that a gap is longer than k: (1 - 1/period)^k.
        let step = 1 - 1 / Double(period)
        var longer = step
        var gap = 1
        var sum = 0
        for part in 0..<Self.steps {
            let below = (Double(part) + 0.5) / Double(Self.steps)
            while 1 - longer < below {
                longer *= step
                gap += 1
            }
            gaps[part] = UInt32(gap)
            sum += gap
        }
        meanGap = Double(sum) / Double(Self.steps)
    }

    /// The distance to the next sample: 1 is the very next request.
    public mutating func nextGap() -> Int {
        if period == 1 { return 1 }
        if spareBytes == 0 {
            spare = random.next()
            spareBytes = 8
        }
        let byte = Int(truncatingIfNeeded: spare & 0xFF)
        spare &>>= 8
        spareBytes &-= 1
        return Int(gaps[byte])
    }
}
