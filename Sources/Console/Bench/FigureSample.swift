// What the figures of a comparison are drawn from.
import LoadGenerator

/// A figure that two reports are compared by.
struct FigureKind {
    var name: String
    var isBetterHigh: Bool
    /// Whether one run alone has something to draw from.
    var drawsWithinRuns: Bool
    /// What a run says about it.
    var sample: (RunResult) -> FigureSample

    /// All figures, in the order they are shown.
    static var all: [FigureKind] {
        var kinds = [
            FigureKind(name: "rate", isBetterHigh: true, drawsWithinRuns: true) {
                FigureSample(rateOf: $0)
            }
        ]
        for percentile in [50, 90, 99, 99.9] {
            let digits = percentile == percentile.rounded() ? "\(Int(percentile))" : "\(percentile)"
            kinds.append(
                FigureKind(name: "p\(digits)", isBetterHigh: false, drawsWithinRuns: true) {
                    FigureSample(percentile: percentile, of: $0.total.latency)
                })
        }
        kinds.append(
            FigureKind(name: "server CPU/request", isBetterHigh: false, drawsWithinRuns: false) {
                FigureSample(constant: $0.serverSecondsPerRequest.map { $0 * 1e9 })
            })
        return kinds
    }
}

/// One run's value of a figure, and how to draw another that it might have been.
struct FigureSample {
    private enum Source {
        case nothing
        case constant
        /// Answers in each whole second.
        case seconds([Double])
        /// The share of records up to each distinct latency, which ends at 1.
        case latencies([(nanoseconds: Double, share: Double)], count: UInt64, quantile: Double)
    }

    /// What was measured.
    let value: Double
    private let source: Source

    /// Whether the run says nothing about the figure.
    var isEmpty: Bool {
        if case .nothing = source { return true }
        return false
    }

    /// A value without anything to draw from.
    init(constant value: Double?) {
        self.value = value ?? 0
        source = value == nil ? .nothing : .constant
    }

    /// A run's rate; its last second may be a part of one and is left out.
    init(rateOf run: RunResult) {
        value = run.rate
        let whole = run.samples.filter { Double($0.second + 1) <= run.seconds }
        source =
            run.requests == 0
            ? .nothing
            : whole.count < 2 ? .constant : .seconds(whole.map { Double($0.requests) })
    }

    /// A percentile of `latency`.
    init(percentile: Double, of latency: LatencyHistogram) {
        value = Double(latency.nanoseconds(atPercentile: percentile))
        guard latency.count > 0 else {
            source = .nothing
            return
        }
        var sum: UInt64 = 0
        let steps = latency.recorded.map { value in
            sum += value.count
            return (
                nanoseconds: Double(value.nanoseconds),
                share: Double(sum) / Double(latency.count)
            )
        }
        source = .latencies(steps, count: latency.count, quantile: percentile / 100)
    }

    /// Draws the value again.
    func drawn(_ random: inout SampleDrawer) -> Double {
        switch source {
        case .nothing, .constant: return value
        case .seconds(let counts):
            var sum = 0.0
            for _ in counts { sum += counts[random.index(below: counts.count)] }
            let mean = counts.reduce(0, +)
            return mean == 0 ? value : value * sum / mean
        case .latencies(let steps, let count, let quantile):
            // The k-th smallest of n draws with replacement lies where the k-th smallest of n
            // uniform numbers does: a Beta(k, n - k + 1) variate. So no n draws are needed.
            let rank = max(1, (Double(count) * quantile).rounded(.up))
            let share = random.beta(rank, Double(count) - rank + 1)
            var (low, high) = (0, steps.count - 1)
            while low < high {
                let middle = (low + high) / 2
                if steps[middle].share < share { low = middle + 1 } else { high = middle }
            }
            return steps[low].nanoseconds
        }
    }
}
