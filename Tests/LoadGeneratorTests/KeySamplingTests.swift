import Glibc
import Primitives
import Testing

@testable import LoadGenerator

@Suite struct KeySamplingTests {
    /// Draws `draws` keys of `settings` on one thread; counts by key.
    private func counts(_ settings: LoadSettings, draws: Int = 200_000) -> [UInt64] {
        var source = RequestSource(settings: settings, thread: 0)
        var counts = [UInt64](repeating: 0, count: Int(settings.keyCount))
        for _ in 0..<draws { counts[Int(source.nextKey())] += 1 }
        return counts
    }

    private func settings(_ keys: KeyDistribution, count: UInt64 = 1_000) -> LoadSettings {
        var settings = LoadSettings(servers: [])
        settings.keys = keys
        settings.keyCount = count
        settings.seed = 11
        return settings
    }

    private func zipfShares(_ exponent: Double, count: Int = 1_000) -> [Double] {
        let weights = (1...count).map { pow(Double($0), -exponent) }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    @Test(arguments: [0.3, 0.9, 0.99, 1, 1.1, 2, 4])
    func zipfKeysFollowTheirLaw(_ exponent: Double) {
        let counts = counts(settings(.zipf(exponent: exponent)))
        let fits = ChiSquare.fits(counts, shares: zipfShares(exponent))
        #expect(fits)
    }

    /// The test above would see an exponent that is wrong by a few hundredths.
    @Test func theTestTellsNeighbouringExponentsApart() {
        let counts = counts(settings(.zipf(exponent: 0.99)))
        for exponent in [0.96, 1.02] {
            let fits = ChiSquare.fits(counts, shares: zipfShares(exponent))
            #expect(!fits)
        }
    }

    @Test func uniformKeysAreAllAlike() {
        let counts = counts(settings(.uniform))
        let fits = ChiSquare.fits(counts, shares: Array(repeating: 0.001, count: 1_000))
        #expect(fits)
    }

    @Test(arguments: [(UInt64(1), 60.0), (10, 90), (100, 30), (999, 50)])
    func hotKeysGetTheirShare(_ hot: UInt64, _ percent: Double) {
        let share = percent / 100
        let counts = counts(settings(.hotspot(count: hot, share: share)))
        let shares = (0..<1_000).map { key in
            key < Int(hot) ? share / Double(hot) : (1 - share) / Double(1_000 - Int(hot))
        }
        let fits = ChiSquare.fits(counts, shares: shares)
        #expect(fits)
        let looksUniform = ChiSquare.fits(counts, shares: Array(repeating: 0.001, count: 1_000))
        #expect(!looksUniform)
    }

    @Test func aCrowdAddsToTheLaw() {
        var settings = settings(.uniform)
        settings.crowdShare = 0.6
        let shares = (0..<1_000).map { key in 0.4 / 1_000 + (key == 999 ? 0.6 : 0) }
        let fits = ChiSquare.fits(counts(settings), shares: shares)
        #expect(fits)
    }

    @Test func theHotSetMoves() {
        var source = RequestSource(settings: settings(.shift(seconds: 10)), thread: 0)
        func hottest() -> Int {
            var counts = [Int](repeating: 0, count: 1_000)
            for _ in 0..<20_000 { counts[Int(source.nextKey())] += 1 }
            return counts.indices.max { counts[$0] < counts[$1] } ?? -1
        }
        let first = hottest()
        source.turn(elapsedSeconds: 9.9)
        #expect(hottest() == first)
        source.turn(elapsedSeconds: 10.1)
        let second = hottest()
        #expect(second != first)
        source.turn(elapsedSeconds: 20.1)
        #expect(hottest() != second)
    }

    @Test func newKeysAreReadMost() {
        var settings = settings(.latest)
        settings.writeShare = 1
        var source = RequestSource(settings: settings, thread: 0)
        #expect((0..<3).map { _ in source.next().key } == [1_000, 1_001, 1_002])
        var newest = 0
        for _ in 0..<1_000 where source.nextKey() == 1_002 { newest += 1 }
        #expect(newest > 50, "the newest key is the most frequent one")
    }

    @Test func threadsWalkTheKeysTogether() {
        var settings = settings(.sequential, count: 6)
        settings.threads = 2
        var sources = (0..<2).map { RequestSource(settings: settings, thread: $0) }
        let even = (0..<4).map { _ in sources[0].nextKey() }
        let odd = (0..<4).map { _ in sources[1].nextKey() }
        #expect(even == [0, 2, 4, 0])
        #expect(odd == [1, 3, 5, 1])
    }

    // MARK: The same seed, the same requests

    static let laws: [KeyDistribution] = [
        .uniform, .zipf(exponent: 0.99), .hotspot(count: 5, share: 0.5), .shift(seconds: 1),
        .sequential, .latest,
    ]

    @Test(arguments: laws)
    func theSameSeedGivesTheSameRequests(_ keys: KeyDistribution) {
        var settings = settings(keys)
        settings.writeShare = 0.3
        settings.valueSizes = .range(10...5_000)
        var first = RequestSource(settings: settings, thread: 1)
        var second = RequestSource(settings: settings, thread: 1)
        for _ in 0..<2_000 { #expect(first.next() == second.next()) }
    }

    @Test func otherSeedsAndThreadsGiveOtherRequests() {
        func keys(seed: UInt64, thread: Int) -> [UInt64] {
            var settings = settings(.uniform, count: 1 << 30)
            settings.seed = seed
            var source = RequestSource(settings: settings, thread: thread)
            return (0..<8).map { _ in source.nextKey() }
        }
        let sequences = [
            keys(seed: 1, thread: 0), keys(seed: 2, thread: 0), keys(seed: 1, thread: 1),
        ]
        #expect(Set(sequences).count == 3)
        #expect(Set(sequences.flatMap { $0 }).count == 24)
    }

    /// A release that changed this would make old and new results incomparable.
    @Test func theSequenceIsPinned() {
        var source = RequestSource(settings: settings(.uniform), thread: 0)
        #expect((0..<5).map { _ in source.nextKey() } == [570, 266, 195, 822, 484])
    }

    @Test(arguments: [(0.0, 0), (1, 10_000), (0.1, 1_000), (0.5, 5_000)])
    func writesHaveTheirShare(_ share: Double, _ expected: Int) {
        var settings = settings(.uniform)
        settings.writeShare = share
        var source = RequestSource(settings: settings, thread: 0)
        var writes = 0
        for _ in 0..<10_000 where source.next().isWrite { writes += 1 }
        // Five standard deviations of a binomial count.
        let tolerance = 5 * (10_000 * share * (1 - share)).squareRoot()
        #expect(abs(Double(writes - expected)) <= tolerance)
    }

    @Test func keysAreSpelledAsAsked() {
        var settings = settings(.uniform)
        settings.keyPrefix = "a:"
        #expect(key(7, settings) == "a:7")
        settings.keyBytes = 8
        #expect(key(7, settings) == "a:000007")
        #expect(key(12_345_678, settings) == "a:12345678")
    }

    private func key(_ number: UInt64, _ settings: LoadSettings) -> String {
        var writer = ByteWriter(capacity: 16)
        RequestSource(settings: settings, thread: 0).appendKey(number, to: &writer)
        return writer.withBytes { span in
            span.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        }
    }
}
