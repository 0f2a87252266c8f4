import Primitives
import Testing

@testable import HotKeys

/// A detector and a clock: requests go in, a window's summary comes out.
struct DetectorHarness: ~Copyable {
    var detector: HotKeyDetector
    var window = HotKeyWindow()
    var now = Instant(nanoseconds: 0)
    private(set) var samples = 0

    init(seed: UInt64) {
        detector = HotKeyDetector(secret: seed &* 77 &+ 5, seed: seed, at: now)
    }

    mutating func request(
        _ key: Int, isWrite: Bool = false, isHit: Bool = true, bytes: Int = 100, client: UInt64 = 1,
        arc: Int = 0
    ) {
        guard detector.countDown() else { return }
        samples += 1
        let name = Array("key:\(key)".utf8)
        detector.record(
            KeySample(
                hash: hash(key), isWrite: isWrite, isHit: isHit, byteCount: bytes, client: client,
                arc: arc), key: name.span.bytes)
    }

    mutating func endSubWindow() -> (latest: HotKeyWindow.Summary, window: HotKeyWindow.Summary) {
        now = now.advanced(by: .milliseconds(250))
        window.add(detector.endSubWindow(at: now), loop: 0)
        return window.close(at: now)
    }

    mutating func endWindow() -> HotKeyWindow.Summary {
        endSubWindow().window
    }
}

struct HotKeyDetectorTests {
    @Test("64 KiB of sketch, and a list of 128 keys of 250 bytes")
    func takesBoundedMemory() {
        let detector = HotKeyDetector(secret: 1, seed: 1, at: Instant(nanoseconds: 0))
        let counts = detector.byteCounts
        #expect(counts.sketch == 64 << 10 && counts.list < 128 * (250 + 160) + 2048)
    }

    /// r^-0.99 for r up to 300,000, without a library: r^-1 * r^0.01, the latter by its series.
    private static func zipfWeight(_ rank: Int) -> Double {
        // ln r by the integral of 1/x is not needed exactly: r^0.01 = 2^(log2(r) / 100).
        var value = Double(rank)
        var log2 = 0.0
        while value >= 2 {
            value /= 2
            log2 += 1
        }
        var fraction = 0.5
        for _ in 0..<20 {
            value *= value
            if value >= 2 {
                value /= 2
                log2 += fraction
            }
            fraction /= 2
        }
        var power = 1.0
        var term = 1.0
        let exponent = log2 * 0.01 * 0.693147180559945
        for index in 1..<12 {
            term *= exponent / Double(index)
            power += term
        }
        return power / Double(rank)
    }

    @Test("Zipf 0.99 over 300,000 keys: those above 0.1 % are listed, none below 0.02 %")
    func findsTheHeads() {
        var stream = ZipfStream(keys: 300_000, seed: 11, weight: Self.zipfWeight)
        var harness = DetectorHarness(seed: 3)
        // 200,000 requests a second for three seconds; the last second is judged.
        var summary = HotKeyWindow.Summary()
        var counts: [Int: Int] = [:]
        for part in 0..<12 {
            if part == 8 { counts.removeAll() }
            for _ in 0..<50_000 {
                let key = stream.next()
                counts[key, default: 0] += 1
                harness.request(key)
            }
            summary = harness.endWindow()
        }
        let total = 200_000.0
        let listed = Dictionary(
            uniqueKeysWithValues: summary.keys.map { (String(decoding: $0.key, as: UTF8.self), $0) }
        )
        for (key, count) in counts where Double(count) > 0.001 * total {
            #expect(listed["key:\(key)"] != nil, "key \(key), \(count)")
        }
        for key in summary.keys {
            let rank = Int(String(decoding: key.key, as: UTF8.self).dropFirst(4)) ?? 0
            #expect(Double(counts[rank] ?? 0) >= 0.0002 * total, "rank \(rank)")
        }
        #expect(abs(summary.total.operations / total - 1) < 0.05)
    }

    @Test("estimates of the top 20 are within 5 % where everything is sampled")
    func estimatesTheHeads() {
        var stream = ZipfStream(keys: 300_000, seed: 12, weight: Self.zipfWeight)
        var harness = DetectorHarness(seed: 4)
        var counts: [Int: Int] = [:]
        var summary = HotKeyWindow.Summary()
        // 56,000 a second: no request is left out.
        for part in 0..<12 {
            if part == 8 { counts.removeAll() }
            for _ in 0..<14_000 {
                let key = stream.next()
                counts[key, default: 0] += 1
                harness.request(key)
            }
            summary = harness.endWindow()
        }
        for rank in 1...20 {
            let estimate = summary.keys.first { $0.hash == hash(rank) }?.rates.operations ?? 0
            let truth = Double(counts[rank] ?? 0)
            #expect(abs(estimate / truth - 1) <= 0.05, "rank \(rank): \(estimate), \(truth)")
        }
    }

    @Test("pipelined keys in a circle as long as the sampling period are all found alike")
    func isNotAliased() {
        var harness = DetectorHarness(seed: 21)
        // The load is constant, so the period settles at 16; then 16 keys in a circle.
        for _ in 0..<4 {
            for number in 0..<240_000 { harness.request(number % 16) }
            _ = harness.endSubWindow()
        }
        for _ in 0..<3 {
            for number in 0..<240_000 { harness.request(number % 16) }
            _ = harness.endSubWindow()
        }
        for number in 0..<240_000 { harness.request(number % 16) }
        let summary = harness.endWindow()
        #expect(summary.keys.count == 16)
        for key in summary.keys {
            #expect(abs(key.share * 16 - 1) < 0.12, "\(key.key): \(key.share)")
        }
    }

    @Test("sampling follows the load and comes back")
    func followsTheLoad() {
        var harness = DetectorHarness(seed: 2)
        func run(_ perSubWindow: Int, _ harness: inout DetectorHarness) -> Int {
            for _ in 0..<3 {
                for number in 0..<perSubWindow { harness.request(number % 1000) }
                _ = harness.endSubWindow()
            }
            let before = harness.samples
            for number in 0..<perSubWindow { harness.request(number % 1000) }
            _ = harness.endSubWindow()
            return harness.samples - before
        }
        let (quiet, busy, quietAgain) = (
            run(10_000, &harness), run(500_000, &harness), run(5_000, &harness)
        )
        #expect(quiet == 10_000 && quietAgain == 5_000)
        #expect((6_000...18_000).contains(busy), "\(busy)")
    }

    @Test("reads, writes, hits, misses, bytes and clients of a key are told apart")
    func countsByKind() throws {
        var harness = DetectorHarness(seed: 8)
        var summary = HotKeyWindow.Summary()
        for _ in 0..<8 {
            for number in 0..<2_000 {
                let client = UInt64(number % 10)
                harness.request(
                    1, isWrite: number % 4 == 0, isHit: number % 8 != 1, bytes: 50, client: client)
                harness.request(10_000 + number)
            }
            summary = harness.endWindow()
        }
        let key = try #require(summary.keys.first)
        #expect(key.hash == hash(1))
        #expect(abs(key.rates.operations - 8_000) < 100)
        #expect(abs(key.rates.writes - 2_000) < 100)
        #expect(abs(key.rates.hits - 5_000) < 100 && abs(key.rates.misses - 1_000) < 100)
        #expect(abs(key.rates.bytes - 400_000) < 5_000)
        #expect((8...12).contains(key.rates.clientCount), "\(key.rates.clientCount)")
        #expect(abs(key.share - 0.5) < 0.02)
    }

    @Test("operations by arc are counted in the same window")
    func countsByArc() {
        var harness = DetectorHarness(seed: 8)
        harness.detector.setArcCount(4)
        for number in 0..<10_000 { harness.request(number, arc: number % 10 == 0 ? 3 : 1) }
        // An arc out of range, of a table that has just changed, harms nobody.
        harness.request(1, arc: 9)
        let summary = harness.endWindow()
        #expect(summary.arcs.count == 4)
        #expect(abs(summary.arcs[1] - 36_000) < 100 && abs(summary.arcs[3] - 4_000) < 100)
    }

    @Test("a rush after a quiet time fills the sub-window, and its early end brings sampling down")
    func endsEarlyInARush() {
        var harness = DetectorHarness(seed: 13)
        for number in 0..<1_000 { harness.request(number) }
        _ = harness.endSubWindow()
        // Two million a second: without an early end 500,000 samples in a quarter of a second.
        let isFullBefore = harness.detector.isFull
        var sent = 0
        while !harness.detector.isFull && sent < 500_000 {
            harness.request(sent % 100)
            sent += 1
        }
        #expect(!isFullBefore && sent == HotKeyDetector.sampleLimit)
        let early = harness.now.advanced(by: .milliseconds(15))
        harness.window.add(harness.detector.endSubWindow(at: early), loop: 0)
        let (isFull, before) = (harness.detector.isFull, harness.samples)
        for number in 0..<470_000 { harness.request(number % 100) }
        let samples = harness.samples - before
        #expect(!isFull && samples < 20_000, "\(samples)")
        // Both parts together are the sub-window.
        let latest = harness.endSubWindow().latest
        #expect(abs(latest.total.operations / 2_000_000 - 1) < 0.03)
        #expect(latest.keys.count == 100)
    }

    @Test("keys that come once are never listed, however many")
    func listsNoOneHitKeys() {
        var harness = DetectorHarness(seed: 5)
        for part in 0..<8 {
            for number in 0..<12_000 { harness.request(part * 12_000 + number) }
            let summary = harness.endWindow()
            #expect(summary.keys.count <= 2, "\(summary.keys.count) listed")
        }
    }

    @Test("a hot set that moves all the time never holds more than the list")
    func boundsRotatingSets() {
        var harness = DetectorHarness(seed: 6)
        for part in 0..<20 {
            for number in 0..<12_000 { harness.request(part * 200 + number % 200) }
            let summary = harness.endSubWindow().latest
            #expect(summary.keys.count <= HotKeyDetector.listCapacity)
        }
    }

    @Test("a crowd of 20 % is listed in the sub-window in which it comes")
    func findsACrowdAtOnce() {
        var harness = DetectorHarness(seed: 7)
        for _ in 0..<4 {
            for number in 0..<12_000 { harness.request(number) }
            _ = harness.endSubWindow()
        }
        for number in 0..<12_000 { harness.request(number % 5 == 0 ? 99_999 : number) }
        let latest = harness.endSubWindow().latest
        #expect(latest.keys.first?.hash == hash(99_999))
        #expect(abs((latest.keys.first?.share ?? 0) - 0.2) < 0.01)
    }

    @Test("a loop that reports late is taken to go on; one that is silent is not")
    func bridgesLateReports() {
        var window = HotKeyWindow()
        func report(_ end: Int64) -> LoopReport {
            var report = LoopReport(start: end - 250_000_000, end: end)
            report.total.reads = 1000
            return report
        }
        window.add(report(250_000_000), loop: 0)
        window.add(report(250_000_000), loop: 1)
        let first = window.close(at: Instant(nanoseconds: 260_000_000)).latest
        #expect(abs(first.total.operations - 8000) < 1)
        window.add(report(500_000_000), loop: 0)
        let second = window.close(at: Instant(nanoseconds: 510_000_000)).latest
        #expect(abs(second.total.operations - 8000) < 1)
        window.add(report(750_000_000), loop: 0)
        let third = window.close(at: Instant(nanoseconds: 760_000_000)).latest
        #expect(abs(third.total.operations - 4000) < 1)
        // Two at once count once.
        window.add(report(1_000_000_000), loop: 0)
        window.add(report(1_010_000_000), loop: 0)
        let fourth = window.close(at: Instant(nanoseconds: 1_010_000_000)).latest
        #expect(abs(fourth.total.operations - 4000) < 1)
    }
}
