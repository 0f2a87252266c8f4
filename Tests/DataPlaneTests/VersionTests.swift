import DataPlane
import Primitives
import Testing

@Suite struct VersionTests {
    @Test func everyChangeOfAValueRaisesTheVersion() {
        let harness = ShardHarness()
        var last = ""
        let changes = [
            "set a 0 0 1\r\n1", "append a 0 0 1\r\n2", "prepend a 0 0 1\r\n3", "incr a 1",
            "decr a 1",
            "replace a 0 0 1\r\n1", "ma a", "ms a 1\r\n1", "md a I",
        ]
        for change in changes {
            _ = harness.run(change + "\r\n")
            let cas = harness.run("mg a c u\r\n")
            #expect(cas != last, "\(change)")
            last = cas
        }
        #expect(harness.counter == UInt64(changes.count))
    }

    @Test func anEpochIsAskedForBeforeTheCounterEnds() {
        let harness = ShardHarness(counter: Version.counterLimit - 1)
        #expect(!harness.needsEpoch)
        _ = harness.run("set a 0 0 1\r\n1\r\n")
        #expect(harness.needsEpoch)
        harness.shard.adopt(epoch: 3)
        #expect(!harness.needsEpoch)
        let next = Version(epoch: 3, counter: 1).value
        #expect(harness.run("ms a 1 c\r\n1\r\n") == "HD c\(next)\r\n")
    }

    @Test func flushCoversNewEpochsToo() {
        let harness = ShardHarness()
        _ = harness.run("set a 0 0 1\r\n1\r\n")
        harness.shard.adopt(epoch: 1)
        #expect(harness.run("get a\r\n") == "VALUE a 0 1\r\n1\r\nEND\r\n")
        #expect(
            harness.run("flush_all\r\nget a\r\nset a 0 0 1\r\n2\r\n") == "OK\r\nEND\r\nSTORED\r\n")
        #expect(harness.run("get a\r\n") == "VALUE a 0 1\r\n2\r\nEND\r\n")
    }
}
