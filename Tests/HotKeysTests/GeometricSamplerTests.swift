import Primitives
import Testing

@testable import HotKeys

struct GeometricSamplerTests {
    @Test("a sampler that takes all takes all")
    func takesAll() {
        var sampler = GeometricSampler(seed: 1)
        #expect(sampler.meanGap == 1)
        let gaps = (0..<100).map { _ in sampler.nextGap() }
        #expect(gaps.allSatisfy { $0 == 1 })
    }

    @Test("gaps have the mean that counts are scaled by", arguments: [2, 8, 64, 1024])
    func gapsHaveTheirMean(period: Int) {
        var sampler = GeometricSampler(seed: UInt64(period))
        sampler.setPeriod(period)
        let draws = 40_000
        let sum = (0..<draws).reduce(0) { sum, _ in sum + sampler.nextGap() }
        let mean = Double(sum) / Double(draws)
        #expect(abs(mean / sampler.meanGap - 1) < 0.03, "\(mean) against \(sampler.meanGap)")
        // Cutting the distribution into 256 parts costs little of the tail.
        #expect(abs(sampler.meanGap / Double(period) - 1) < 0.02)
    }

    @Test("a period out of range is brought into it", arguments: [(0, 1), (-3, 1), (5000, 1024)])
    func clampsThePeriod(asked: Int, given: Int) {
        var sampler = GeometricSampler(seed: 1)
        sampler.setPeriod(asked)
        #expect(sampler.period == given)
    }

    @Test("a client that asks for S keys in a circle has all of them sampled alike")
    func isNotAliased() {
        let period = 16
        var sampler = GeometricSampler(seed: 5)
        sampler.setPeriod(period)
        var counts = Array(repeating: 0, count: period)
        var position = 0
        for _ in 0..<64_000 {
            position += sampler.nextGap()
            counts[position % period] += 1
        }
        // 4,000 each; five standard deviations are 316.
        #expect(counts.allSatisfy { abs($0 - 4000) < 330 }, "\(counts)")
    }

    @Test("the same seed gives the same gaps")
    func isRepeatable() {
        var (one, other) = (GeometricSampler(seed: 9), GeometricSampler(seed: 9))
        one.setPeriod(32)
        other.setPeriod(32)
        let gaps = (0..<1000).map { _ in one.nextGap() }
        let others = (0..<1000).map { _ in other.nextGap() }
        #expect(gaps == others)
    }
}
