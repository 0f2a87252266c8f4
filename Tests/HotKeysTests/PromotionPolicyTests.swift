import Testing

@testable import HotKeys

/// A policy that is shown one key's rates, sub-window by sub-window.
struct PolicyHarness {
    var policy: PromotionPolicy
    var decisions: [PromotionPolicy.Decision] = []
    private var now: Int64 = 1_000_000_000

    init(nodes: Int = 4, tracked: Int = 512) {
        var settings = PromotionSettings()
        settings.nodes = nodes
        settings.trackedKeys = tracked
        policy = PromotionPolicy(settings)
    }

    /// One sub-window in which the key has `share` of `total` operations a second.
    mutating func show(
        share: Double, total: Double = 100_000, writes: Double = 0, bytes: Double = 100,
        byteShare: Double = 0, keys: Int = 1, first: UInt64 = 7
    ) {
        now += 250_000_000
        var summary = HotKeyWindow.Summary()
        summary.end = now
        for number in 0..<keys where share > 0 {
            var rates = KeyCounts()
            rates.reads = share * total * (1 - writes)
            rates.writes = share * total * writes
            rates.bytes = share * total * bytes
            summary.keys.append(
                HotKeyWindow.Key(
                    hash: first + UInt64(number), key: Array("k\(number)".utf8), rates: rates,
                    share: share, byteShare: byteShare, firstSeen: now))
        }
        policy.step(summary, decisions: &decisions)
    }

    mutating func show(seconds: Double, share: Double, writes: Double = 0) {
        for _ in 0..<Int(seconds * 4) { show(share: share, writes: writes) }
    }

    var actions: [PromotionPolicy.Decision.Action] { decisions.map(\.action) }
    var state: PromotionPolicy.State? { policy.state(of: 7)?.state }
}

struct PromotionPolicyTests {
    @Test("two of three sub-windows above the threshold promote")
    func promotesAfterTwo() {
        var harness = PolicyHarness(nodes: 1)
        harness.show(share: 0.06)
        #expect(harness.actions.isEmpty && harness.state == .warm)
        harness.show(share: 0.03)
        #expect(harness.actions.isEmpty)
        harness.show(share: 0.06)
        #expect(harness.actions == [.promote] && harness.state == .hot)
    }

    @Test("one sub-window at a heat of a half promotes")
    func promotesAtOnce() {
        var harness = PolicyHarness(nodes: 1)
        harness.show(share: 0.5)
        #expect(harness.actions == [.promote])
    }

    @Test("one in three is not enough")
    func needsTwo() {
        var harness = PolicyHarness(nodes: 1)
        for _ in 0..<10 {
            harness.show(share: 0.06)
            harness.show(share: 0.03)
            harness.show(share: 0.03)
        }
        #expect(harness.actions.isEmpty)
    }

    @Test("a large share of little traffic is not hot; bytes alone can be")
    func needsARate() {
        var harness = PolicyHarness(nodes: 1)
        for _ in 0..<10 { harness.show(share: 0.5, total: 390) }
        #expect(harness.actions.isEmpty)
        var large = PolicyHarness(nodes: 1)
        for _ in 0..<2 { large.show(share: 0.001, total: 30_000, bytes: 70_000, byteShare: 0.3) }
        #expect(large.actions == [.promote])
    }

    @Test("heat is the share times the nodes, and decides how many copies")
    func countsCopies() {
        let cases: [(share: Double, nodes: Int, copies: Int)] = [
            (0.02, 4, 2), (0.1, 4, 3), (0.2, 4, 4), (0.9, 4, 4), (0.2, 10, 9), (0.2, 1, 1),
        ]
        for (share, nodes, copies) in cases {
            var harness = PolicyHarness(nodes: nodes)
            for _ in 0..<2 { harness.show(share: share) }
            #expect(harness.decisions.last?.copies == copies, "\(share) on \(nodes)")
        }
    }

    @Test("more heat, more copies; less heat takes none away")
    func followsHeatUpwards() {
        var harness = PolicyHarness(nodes: 8)
        for _ in 0..<2 { harness.show(share: 0.01) }
        #expect(harness.decisions.last?.copies == 2)
        harness.show(share: 0.06)
        #expect(harness.decisions.last?.copies == 3)
        let count = harness.decisions.count
        harness.show(share: 0.01)
        #expect(harness.decisions.count == count)
    }

    @Test("ten seconds below 40 % demote, not before ten seconds of residency")
    func demotes() {
        var harness = PolicyHarness(nodes: 1)
        harness.show(seconds: 1, share: 0.1)
        harness.show(seconds: 9.5, share: 0)
        #expect(harness.actions == [.promote])
        harness.show(seconds: 1, share: 0)
        #expect(harness.actions == [.promote, .demote] && harness.state == .warm)
    }

    @Test("between the two thresholds nothing changes")
    func hasHysteresis() {
        var harness = PolicyHarness(nodes: 1)
        harness.show(seconds: 1, share: 0.1)
        harness.show(seconds: 60, share: 0.025)
        #expect(harness.actions == [.promote] && harness.state == .hot)
        // A moment above the lower threshold begins the ten seconds anew.
        harness.show(seconds: 9, share: 0.001)
        harness.show(share: 0.025)
        harness.show(seconds: 9, share: 0.001)
        #expect(harness.actions == [.promote])
    }

    /// How long the key is hot, in seconds, when it comes back `pause` seconds after each demotion.
    private func residencies(_ rounds: Int, pause: Double) -> [Int64] {
        var harness = PolicyHarness(nodes: 1)
        var found: [Int64] = []
        for _ in 0..<rounds {
            let before = harness.decisions.count
            harness.show(seconds: 1, share: 0.1)
            while harness.decisions.count < before + 2 { harness.show(share: 0) }
            let (first, last) = (harness.decisions[before].at, harness.decisions[before + 1].at)
            found.append((last - first) / 1_000_000_000)
            harness.show(seconds: pause, share: 0)
        }
        return found
    }

    @Test("a key that flaps stays twice as long each time, up to a limit")
    func dampsFlapping() {
        #expect(residencies(7, pause: 1) == [10, 20, 40, 80, 160, 160, 160])
        #expect(residencies(4, pause: 70) == [10, 10, 10, 10])
    }

    @Test("a key written too often is hot and gets no copies")
    func holdsWritesBack() {
        var harness = PolicyHarness(nodes: 4)
        for _ in 0..<2 { harness.show(share: 0.1, writes: 0.06) }
        #expect(harness.actions == [.holdBack] && harness.state == .writeHot)
        #expect(harness.decisions.last?.copies == 1)
        // Below the limit, but not below its half: no fluttering.
        harness.show(seconds: 2, share: 0.1, writes: 0.04)
        #expect(harness.actions == [.holdBack])
        harness.show(share: 0.1, writes: 0.02)
        #expect(harness.actions == [.holdBack, .promote] && harness.state == .hot)
        harness.show(share: 0.1, writes: 0.06)
        #expect(harness.actions == [.holdBack, .promote, .holdBack])
    }

    @Test("it follows no more keys than it may, and forgets the cold ones")
    func isBounded() {
        var harness = PolicyHarness(nodes: 4, tracked: 10)
        harness.show(share: 0.02, keys: 40)
        #expect(harness.policy.count == 10)
        harness.show(seconds: 100, share: 0)
        #expect(harness.policy.count == 0)
    }

    @Test("keys that are only remembered do not keep out one that is hot now")
    func makesRoom() {
        var harness = PolicyHarness(nodes: 1, tracked: 10)
        // Ten keys are promoted together, cool, are demoted, and remembered for their flapping.
        for _ in 0..<2 { harness.show(share: 0.06, keys: 10) }
        harness.show(seconds: 11, share: 0)
        #expect(harness.policy.count == 10 && harness.actions.filter { $0 == .demote }.count == 10)
        for _ in 0..<2 { harness.show(share: 0.3, first: 1_000) }
        #expect(harness.policy.state(of: 1_000)?.state == .hot && harness.policy.count == 10)
    }

    @Test("keys that are hot make no room: copies in being are bounded, too")
    func boundsHotKeys() {
        var harness = PolicyHarness(nodes: 1, tracked: 10)
        for _ in 0..<2 { harness.show(share: 0.06, keys: 10) }
        for round in 0..<20 { harness.show(share: 0.3, first: UInt64(1_000 + round / 2)) }
        #expect(harness.policy.count == 10)
        #expect(harness.actions.filter { $0 == .promote }.count == 10)
    }

    @Test("every decision says why")
    func givesReasons() {
        var harness = PolicyHarness(nodes: 4)
        for _ in 0..<2 { harness.show(share: 0.1, writes: 0.01) }
        #expect(
            harness.decisions.last?.reason
                == "heat 40.0 %, 10000 ops/s, 1000000 B/s, writes 1.0 %")
        harness.show(seconds: 30, share: 0)
        #expect(harness.decisions.last?.reason.hasPrefix("below 40.0 % of the thresholds") == true)
    }
}
