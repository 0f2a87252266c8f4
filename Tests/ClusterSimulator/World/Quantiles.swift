// Figures of many runs.

/// Milliseconds that were measured, one per run.
struct Quantiles {
    private var values: [Int64] = []

    mutating func add(_ milliseconds: Int64) {
        values.append(milliseconds)
    }

    /// The lowest value that `percent` of all do not exceed (nearest rank); 0 without any.
    func at(_ percent: Int) -> Int64 {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        return sorted[max(0, (sorted.count * percent + 99) / 100 - 1)]
    }

    /// A row of a table: median, 99th percentile and worst.
    var summary: String { "p50 \(at(50)) ms, p99 \(at(99)) ms, worst \(at(100)) ms" }
}
