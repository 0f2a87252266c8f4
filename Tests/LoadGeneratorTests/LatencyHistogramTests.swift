import Testing

@testable import LoadGenerator

@Suite struct LatencyHistogramTests {
    private func histogram(_ values: some Sequence<Int64>) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for value in values { histogram.record(value, count: 1) }
        return histogram
    }

    @Test func keepsThreeDigits() {
        let histogram = histogram((1...100_000).map { $0 * 1_000 })
        for (percentile, expected) in [(50.0, 50e6), (90, 90e6), (99, 99e6), (99.9, 99.9e6)] {
            let found = Double(histogram.nanoseconds(atPercentile: percentile))
            #expect(abs(found / expected - 1) < 0.001, "p\(percentile): \(found)")
        }
        #expect(histogram.count == 100_000)
    }

    @Test func emptyHistogramsSayNothing() {
        let empty = LatencyHistogram()
        #expect(empty.nanoseconds(atPercentile: 99) == 0)
        #expect(empty.longestNanoseconds == 0)
        #expect(empty.meanNanoseconds == 0)
        #expect(empty.steps().isEmpty)
        #expect(empty.recorded.isEmpty)
    }

    /// A clock that seems to go back, and an answer after hours, must not stop a run.
    @Test func extremesAreKeptInRange() {
        let histogram = histogram([-5, 0, .max])
        #expect(histogram.count == 3)
        #expect(histogram.nanoseconds(atPercentile: 1) == 0)
        #expect(histogram.longestNanoseconds == LatencyHistogram.highestNanoseconds)
    }

    @Test func mergingAddsCounts() {
        var sum = histogram([1_000, 2_000])
        sum.add(histogram([3_000]))
        #expect(sum.count == 3)
        #expect(sum.nanoseconds(atPercentile: 100) == 3_000)
    }

    @Test func whatWasRecordedCanBeRestored() {
        let original = histogram((1...5_000).map { $0 * $0 * 37 })
        let restored = LatencyHistogram(recorded: original.recorded)
        #expect(restored.counts == original.counts)
        #expect(restored.recorded.elementsEqual(original.recorded, by: ==))
    }

    @Test func stepsGrowDenserAndEndAt100() throws {
        let steps = histogram(1...100_000).steps(ticksPerHalfDistance: 5)
        #expect(steps.first?.percentile == 0)
        #expect(steps.prefix(6).map(\.percentile) == [0, 10, 20, 30, 40, 50])
        #expect(steps[6].percentile == 55)
        #expect(steps.last?.percentile == 100)
        #expect(steps.last?.countSoFar == 100_000)
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.nanoseconds <= $1.nanoseconds })
    }
}
