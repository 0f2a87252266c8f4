import DataPlane
import Primitives
import Testing

@Suite struct WatchTests {
    /// What memcached would print for the events since the last call, without `ts` and `gid`.
    private func lines(of harness: ShardHarness) -> String {
        var output = ByteWriter(capacity: 64)
        for event in harness.shard.events.events {
            harness.shard.events.appendLine(of: event, connection: 24, to: &output)
        }
        harness.shard.events.removeAll()
        return String(decoding: output.unsafeBytes, as: UTF8.self)
    }

    @Test func nothingIsNotedUnlessSomebodyWatches() {
        let harness = ShardHarness()
        _ = harness.run("set a 0 0 1\r\n1\r\nget a b\r\nincr a 1\r\n")
        #expect(harness.events.isEmpty)
    }

    @Test func fetchesShowEveryLookUp() {
        let harness = ShardHarness()
        harness.shard.watching = .fetchers
        _ = harness.run("set a 0 1 2\r\n12\r\nget a x%y\r\n")
        harness.advance(seconds: 2)
        _ = harness.run("touch a 0\r\nset b 0 0 1\r\n1\r\nflush_all\r\nmg b\r\n")
        #expect(
            lines(of: harness) == """
                type=item_get key=a status=not_found clsid=0 cfd=24 size=0
                type=item_get key=a status=found clsid=1 cfd=24 size=2
                type=item_get key=x%25y status=not_found clsid=0 cfd=24 size=0
                type=item_get key=a status=expired clsid=0 cfd=24 size=0
                type=item_get key=b status=not_found clsid=0 cfd=24 size=0
                type=item_get key=b status=flushed clsid=0 cfd=24 size=0

                """)
    }

    @Test func mutationsShowEveryStorageCommand() {
        let harness = ShardHarness()
        harness.shard.watching = .mutations
        _ = harness.run(
            "set a 0 60 2\r\n12\r\nappend a 0 0 1\r\n3\r\nadd a 0 0 1\r\n3\r\n"
                + "replace b 0 0 1\r\n3\r\n"
                + "cas a 0 0 1 99\r\n1\r\ncas b 0 0 1 99\r\n1\r\nms a 1 MP\r\n0\r\nma n N0 J10\r\n"
                + "get a\r\nincr n 1\r\n")
        #expect(
            lines(of: harness) == """
                type=item_store key=a status=stored cmd=set ttl=60 clsid=1 cfd=24 size=2
                type=item_store key=a status=stored cmd=append ttl=0 clsid=1 cfd=24 size=3
                type=item_store key=a status=not_stored cmd=add ttl=0 clsid=1 cfd=24 size=1
                type=item_store key=b status=not_stored cmd=replace ttl=0 clsid=1 cfd=24 size=1
                type=item_store key=a status=exists cmd=cas ttl=0 clsid=1 cfd=24 size=1
                type=item_store key=b status=not_found cmd=cas ttl=0 clsid=1 cfd=24 size=1
                type=item_store key=a status=stored cmd=prepend ttl=0 clsid=1 cfd=24 size=4
                type=item_store key=n status=stored cmd=add ttl=0 clsid=1 cfd=24 size=2

                """)
    }

    @Test func theLogIsBounded() {
        let harness = ShardHarness()
        harness.shard.watching = .fetchers
        for _ in 0..<WatchLog.limit + 5 { _ = harness.run("get a\r\n") }
        #expect(harness.events.count == WatchLog.limit)
        #expect(harness.droppedEvents == 5)
        harness.shard.events.removeAll()
        _ = harness.run("get a\r\n")
        #expect(harness.events.count == 1)
    }
}
