import Glibc

/// How values become places along an axis, and which values are marked on it.
struct PlotScale {
    /// A marked value.
    struct Tick {
        var value: Double
        var label: String
    }

    /// What the scale does with a value before it is placed.
    enum Law {
        case linear
        case logarithmic
    }

    private let law: Law
    private let lowest: Double
    private let highest: Double
    let ticks: [Tick]

    private init(law: Law, lowest: Double, highest: Double, ticks: [Tick]) {
        self.law = law
        self.lowest = lowest
        self.highest = highest
        self.ticks = ticks
    }

    /// From 0 to at least `highest`, marked at round values.
    static func linear(upTo highest: Double, _ label: (Double) -> String) -> PlotScale {
        let target = max(highest, 1e-9)
        let power = pow(10, log10(target / 5).rounded(.down))
        let step = [1, 2, 5, 10].map { $0 * power }.first { target / $0 <= 6 } ?? target
        let count = Int((target / step).rounded(.up))
        let ticks = (0...count).map { index in
            Tick(value: Double(index) * step, label: label(Double(index) * step))
        }
        return PlotScale(law: .linear, lowest: 0, highest: Double(count) * step, ticks: ticks)
    }

    /// Latencies in nanoseconds over whole powers of ten.
    static func latency(_ range: ClosedRange<Double>) -> PlotScale {
        let low = log10(max(range.lowerBound, 1)).rounded(.down)
        let high = max(log10(max(range.upperBound, 1)).rounded(.up), low + 1)
        let ticks = stride(from: low, through: high, by: 1).map { power in
            Tick(value: pow(10, power), label: powerOfTen(nanoseconds: pow(10, power)))
        }
        return PlotScale(
            law: .logarithmic, lowest: pow(10, low), highest: pow(10, high), ticks: ticks)
    }

    /// Percentiles at distances by how rare what lies above them is: 0, 90, 99, 99.9 and so on.
    ///
    /// Values are 1 / (1 - percentile / 100).
    static func percentile(upToCount count: UInt64) -> PlotScale {
        let nines = max(2, min(6, Int(log10(Double(max(count, 100))).rounded(.up))))
        let labels = ["0 %", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"]
        let ticks = (0...nines).map { Tick(value: pow(10, Double($0)), label: labels[$0]) }
        return PlotScale(
            law: .logarithmic, lowest: 1, highest: pow(10, Double(nines)), ticks: ticks)
    }

    /// Where `value` lies, 0 at the axis's start and 1 at its end.
    func place(_ value: Double) -> Double {
        let share: Double
        switch law {
        case .linear: share = (value - lowest) / (highest - lowest)
        case .logarithmic:
            share = log(max(value, lowest) / lowest) / log(highest / lowest)
        }
        return min(max(share, 0), 1)
    }

    private static func powerOfTen(nanoseconds: Double) -> String {
        switch nanoseconds {
        case ..<999: "\(Int(nanoseconds.rounded())) ns"
        case ..<999e3: "\(Int((nanoseconds / 1e3).rounded())) us"
        case ..<999e6: "\(Int((nanoseconds / 1e6).rounded())) ms"
        default: "\(Int((nanoseconds / 1e9).rounded())) s"
        }
    }
}
