import Testing

@testable import LoadGenerator

@Suite struct ArrivalScheduleTests {
    private func times(
        _ arrivals: Arrivals, rate: Double, threads: Int = 1, thread: Int = 0, count: Int,
        seed: UInt64 = 5
    ) -> [Int64] {
        var schedule = ArrivalSchedule(
            rate: rate, arrivals: arrivals, start: 1_000, thread: thread, threads: threads,
            seed: seed)
        return (0..<count).map { _ in
            defer { schedule.advance() }
            return schedule.next
        }
    }

    @Test func uniformArrivalsAreAMetronome() {
        #expect(times(.uniform, rate: 1e6, count: 4) == [1_000, 2_000, 3_000, 4_000])
    }

    @Test func threadsInterleave() {
        let first = times(.uniform, rate: 1e6, threads: 2, thread: 0, count: 3)
        let second = times(.uniform, rate: 1e6, threads: 2, thread: 1, count: 3)
        #expect(first == [1_000, 3_000, 5_000])
        #expect(second == [2_000, 4_000, 6_000])
    }

    /// A rate whose gap is no whole number of nanoseconds does not drift.
    @Test func theRateHoldsOverAMillionArrivals() {
        let times = times(.uniform, rate: 3e6, count: 1_000_000)
        let expected = 1_000 + 999_999 * 1e9 / 3e6
        #expect(abs(Double(times[999_999]) - expected) < 1_000)
    }

    @Test func poissonGapsAreExponential() {
        let times = times(.poisson, rate: 1e6, count: 200_001)
        var counts = [UInt64](repeating: 0, count: 20)
        // Gaps by twentieths of the exponential law: all cells alike if it is right.
        for index in 1..<times.count {
            let gap = Double(times[index] - times[index - 1]) + 0.5
            let share = 1 - exponential(gap / 1_000)
            counts[min(19, Int(share * 20))] += 1
        }
        #expect(ChiSquare.fits(counts, shares: Array(repeating: 0.05, count: 20)))
        let mean = Double(times[200_000] - times[0]) / 200_000
        #expect(abs(mean - 1_000) < 15)
    }

    private func exponential(_ gap: Double) -> Double {
        // exp(-gap) by its series around halves: no import for one function.
        var result = 1.0
        var term = 1.0
        let small = gap / 64
        for index in 1...12 {
            term *= -small / Double(index)
            result += term
        }
        for _ in 0..<6 { result *= result }
        return result
    }

    @Test func skippingCountsWhatWasDue() {
        var schedule = ArrivalSchedule(
            rate: 1e6, arrivals: .uniform, start: 0, thread: 0, threads: 1, seed: 1)
        #expect(schedule.skip(until: 10_000, limit: 100) == 10)
        #expect(schedule.next == 10_000)
        #expect(schedule.skip(until: 1_000_000, limit: 7) == 7)
    }
}
