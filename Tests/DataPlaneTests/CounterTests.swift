import DataPlane
import Testing

@Suite struct CounterTests {
    /// One command after the set-up, and what it adds to the counters; all as memcached 1.6.18
    /// counts.
    struct Case: CustomTestStringConvertible {
        typealias Counter = any WritableKeyPath<ShardCounters, UInt64> & Sendable

        var command: String
        var change: [Counter]

        init(_ command: String, _ change: Counter...) {
            self.command = command
            self.change = change
        }

        var testDescription: String { command }
    }

    @Test(arguments: [
        Case("get no", \.cmdGet, \.getMisses),
        Case("get a", \.cmdGet, \.getHits),
        Case("gets a no", \.cmdGet, \.getHits, \.cmdGet, \.getMisses),
        Case("gat 0 a", \.cmdTouch, \.touchHits),
        Case("gats 0 a no", \.cmdTouch, \.touchHits, \.cmdTouch, \.touchMisses),
        Case("touch a 0", \.cmdTouch, \.touchHits),
        Case("touch no 0", \.cmdTouch, \.touchMisses),
        Case("mg a", \.cmdGet, \.getHits),
        Case("mg no q", \.cmdGet, \.getMisses),
        Case("mg a T0", \.cmdTouch, \.touchHits),
        Case("mg no T0", \.cmdGet, \.getMisses),
        Case("mg no N30", \.cmdGet, \.getHits),
        Case("mg no N30 T50", \.cmdTouch, \.touchHits),
        Case("mg stub", \.cmdGet, \.getHits),
        Case("get stub", \.cmdGet, \.getMisses),
        Case("touch stub 0", \.cmdTouch, \.touchMisses),
        Case("incr a 1", \.incrHits),
        Case("decr a 1", \.decrHits),
        Case("incr no 1", \.incrMisses),
        Case("decr no 1", \.decrMisses),
        Case("incr stub 1", \.incrMisses),
        Case("ma a", \.incrHits),
        Case("ma a MD", \.decrHits),
        Case("ma no", \.incrMisses),
        Case("ma no MD", \.decrMisses),
        Case("ma no N0"),
        Case("ma a C99"),
        Case("set a 0 0 1\r\n1", \.cmdSet),
        Case("add a 0 0 1\r\n1", \.cmdSet),
        Case("append no 0 0 1\r\n1", \.cmdSet),
        Case("cas no 0 0 1 5\r\n1", \.cmdSet, \.casMisses),
        Case("cas no 0 0 1 0\r\n1", \.cmdSet, \.casMisses),
        Case("cas a 0 0 1 0\r\n1", \.cmdSet, \.casBadval),
        Case("cas a 0 0 1 99\r\n1", \.cmdSet, \.casBadval),
        Case("cas a 0 0 1 1\r\n1", \.cmdSet, \.casHits),
        Case("ms a 1 C0 I\r\n1", \.cmdSet, \.casBadval),
        Case("ms stub 1 C1 I\r\n1", \.cmdSet, \.casHits),
        Case("ms a 1 MA C99\r\n1", \.cmdSet),
        Case("ms no 1 ME C1\r\n1", \.cmdSet),
        Case("md a C99", \.deleteMisses),
        Case("md a I"),
        Case("md a", \.deleteHits),
        Case("md a x", \.deleteHits),
        Case("md no", \.deleteMisses),
        Case("delete a", \.deleteHits),
        Case("delete no", \.deleteMisses),
        Case("delete stub", \.deleteMisses),
        Case("me a", \.cmdMeta),
        Case("me no", \.cmdMeta),
        Case("get ended", \.cmdGet, \.getMisses, \.getExpired),
        Case("incr ended 1", \.incrMisses, \.getExpired),
        Case("append ended 0 0 1\r\n1", \.cmdSet, \.getExpired),
    ])
    func commandsAreCounted(_ testCase: Case) {
        let harness = ShardHarness()
        _ = harness.run("set a 0 0 1\r\n1\r\nmg stub N0\r\nset ended 0 1 1\r\n1\r\n")
        harness.advance(seconds: 1)
        let before = harness.counters
        _ = harness.run(testCase.command + "\r\n")
        var expected = before
        for counter in testCase.change { expected[keyPath: counter] += 1 }
        #expect(harness.counters == expected)
    }

    @Test func flushedItemsAreCounted() {
        let harness = ShardHarness()
        _ = harness.run("set a 0 0 1\r\n1\r\nflush_all\r\nget a\r\n")
        #expect(harness.counters.getFlushed == 1)
        #expect(harness.counters.getMisses == 1)
    }

    @Test func shardsAddUp() {
        let harness = ShardHarness()
        _ = harness.run("set a 0 0 1\r\n1\r\nget a b\r\n")
        var sum = harness.counters
        sum.add(harness.counters)
        #expect(sum.cmdGet == 4)
        #expect(sum.getHits == 2)
        #expect(sum.getMisses == 2)
        #expect(sum.cmdSet == 2)
    }
}
