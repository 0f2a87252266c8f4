import DataPlane
import Primitives
import Storage
import Testing

/// Values that are sent from, or received into, storage itself, and values that are too large for
/// it.
@Suite struct LargeValueTests {
    private let large = [UInt8](repeating: UInt8(ascii: "x"), count: ReplyBuffer.spliceBytes)

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    @Test func largeValuesAreSplicedInOrder() {
        let harness = ShardHarness()
        let small = large.dropLast()
        _ = harness.run("set big 1 0 \(large.count)\r\n\(text(large))\r\n")
        _ = harness.run("set small 2 0 \(small.count)\r\n\(text(Array(small)))\r\n")
        #expect(harness.spliceCount(of: "get small\r\n") == 0)
        _ = harness.sent()
        #expect(harness.spliceCount(of: "get big small big\r\n") == 2)
        let big = "VALUE big 1 \(large.count)\r\n\(text(large))\r\n"
        let middle = "VALUE small 2 \(small.count)\r\n\(text(Array(small)))\r\n"
        #expect(harness.sent() == big + middle + big + "END\r\n")
        #expect(harness.spliceCount(of: "mg big s v k\r\n") == 1)
        #expect(harness.sent() == "VA \(large.count) s\(large.count) kbig\r\n\(text(large))\r\n")
    }

    @Test func aSplicedValueStaysWhatItWas() {
        let harness = ShardHarness()
        _ = harness.run("set big 0 0 \(large.count)\r\n\(text(large))\r\n")
        #expect(harness.spliceCount(of: "gat -1 big\r\n") == 1)
        let other = String(repeating: "y", count: large.count)
        let rest = harness.run("set big 0 0 \(large.count)\r\n\(other)\r\nget big\r\n")
        let size = large.count
        #expect(
            rest == "VALUE big 0 \(size)\r\n\(text(large))\r\nEND\r\nSTORED\r\n"
                + "VALUE big 0 \(size)\r\n\(other)\r\nEND\r\n")
    }

    @Test func uploadsStore() {
        let harness = ShardHarness()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 100_000)
        #expect(harness.upload("set a 5 60 100000", value).reply == "STORED\r\n")
        #expect(harness.run("mg a f t s c\r\n") == "HD f5 t60 s100000 c1\r\n")
        #expect(harness.run("get a\r\n") == "VALUE a 5 100000\r\n\(text(value))\r\nEND\r\n")
        #expect(harness.upload("ms a 100000 c s k O1", value).reply == "HD c2 s100000 ka O1\r\n")
        #expect(harness.upload("ms a 100000 q", value).reply == "")
        #expect(harness.upload("set a 0 0 100000 noreply", value).reply == "")
        #expect(harness.counters.cmdSet == 4)
    }

    @Test func conditionsOfAnUploadAreJudgedAtItsEnd() {
        let harness = ShardHarness()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 50_000)
        let added = harness.upload("add a 0 0 50000", value) {
            _ = harness.run("set a 0 0 1\r\n1\r\n")
        }
        #expect(added.reply == "NOT_STORED\r\n")
        #expect(harness.run("gets a\r\n") == "VALUE a 0 1 1\r\n1\r\nEND\r\n")
        let swapped = harness.upload("cas a 0 0 50000 1", value) { _ = harness.run("incr a 1\r\n") }
        #expect(swapped.reply == "EXISTS\r\n")
        let replaced = harness.upload("replace a 0 0 50000", value) {
            _ = harness.run("delete a\r\n")
        }
        #expect(replaced.reply == "NOT_STORED\r\n")
        #expect(harness.run("mg a\r\n") == "EN\r\n")
    }

    @Test func uploadsAppend() {
        let harness = ShardHarness()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 50_000)
        #expect(harness.upload("append a 0 0 50000", value).reply == "NOT_STORED\r\n")
        _ = harness.run("set a 3 60 2\r\nab\r\n")
        #expect(harness.upload("append a 0 0 50000", value).reply == "STORED\r\n")
        #expect(harness.upload("ms a 50000 MP s", value).reply == "HD s100002\r\n")
        #expect(
            harness.run("get a\r\n")
                == "VALUE a 3 100002\r\n\(text(value))ab\(text(value))\r\nEND\r\n")
        #expect(harness.run("mg a t\r\n") == "HD t60\r\n")
    }

    @Test func anUploadWithAnOlderCASTakesTheOldItemsEnd() {
        let harness = ShardHarness()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 50_000)
        _ = harness.run("ms a 1 T60\r\n1\r\nmd a I\r\nmg a\r\n")
        #expect(harness.upload("ms a 50000 C1 I c", value).reply == "HD c3\r\n")
        #expect(harness.run("mg a t s c\r\n") == "HD t60 s50000 c3 Z X\r\n")
        _ = harness.run("touch a 0\r\n")
        #expect(harness.upload("ms a 50000 C2 I T5", value).reply == "HD\r\n")
        #expect(harness.run("mg a t s\r\n") == "HD t-1 s50000 Z X\r\n")
        #expect(harness.upload("ms a 50000 T-1", value).reply == "HD\r\n")
        #expect(harness.run("mg a\r\n") == "EN\r\n")
    }

    @Test func abandonedUploadsLeaveNothing() {
        let harness = ShardHarness()
        let value = [UInt8](repeating: UInt8(ascii: "v"), count: 200_000)
        _ = harness.run("set a 0 0 1\r\n1\r\n")
        let before = harness.statistics
        for _ in 0..<100 {
            #expect(harness.upload("set a 0 0 200000", value, abandon: true).accepted)
        }
        #expect(harness.run("get a\r\n") == "VALUE a 0 1\r\n1\r\nEND\r\n")
        #expect(harness.statistics.pendingBytes == 0)
        #expect(harness.statistics.slots <= before.slots + 1)
    }

    @Test func uploadsWithoutRoomAreRefusedBeforeTheyBegin() {
        let harness = ShardHarness(slots: 64, itemSizeLimit: 8 << 20, evicts: false)
        _ = harness.run("set a 0 0 1\r\n1\r\nset b 0 0 1\r\n1\r\n")
        let refused = harness.upload("set a 0 0 4000000", [])
        #expect(refused.reply == "SERVER_ERROR out of memory storing object\r\n")
        #expect(!refused.accepted)
        #expect(harness.upload("add b 0 0 4000000", []).accepted == false)
        // The old value of a set must not be served as current; a failed add leaves what is there.
        #expect(harness.run("get a b\r\n") == "VALUE b 0 1\r\n1\r\nEND\r\n")
        #expect(harness.counters.storeNoMemory == 2)
        #expect(harness.counters.cmdSet == 2)
    }

    @Test func sumsAboveTheLimitAreNotStored() {
        let harness = ShardHarness(itemSizeLimit: 1_000)
        let half = String(repeating: "x", count: 600)
        _ = harness.run("set a 0 0 600\r\n\(half)\r\n")
        #expect(harness.run("append a 0 0 600\r\n\(half)\r\n") == "NOT_STORED\r\n")
        #expect(harness.run("ms a 600 MA s\r\n\(half)\r\n") == "NS s600\r\n")
        #expect(harness.run("mg a s\r\n") == "HD s600\r\n")
    }

    @Test func valuesThatAreTooLargeTakeTheOldOneWithThem() {
        let harness = ShardHarness(itemSizeLimit: 1_000)
        let tooLarge = "SERVER_ERROR object too large for cache\r\n"
        // Within the parser's limit on values, and above that on items: key and header count.
        let value = String(repeating: "x", count: 999)
        for line in ["set a 0 0 999", "ms a 999", "ms a 999 MA"] {
            _ = harness.run("set a 0 0 1\r\n1\r\n")
            let reply = harness.run("\(line)\r\n\(value)\r\n")
            #expect(reply == (line.hasSuffix("MA") ? "NS\r\n" : tooLarge), "\(line)")
            let kept = line.hasSuffix("MA") ? "HD\r\n" : "EN\r\n"
            #expect(harness.run("mg a\r\n") == kept, "\(line)")
        }
        for line in ["add a 0 0 999", "replace a 0 0 999", "cas a 0 0 999 1"] {
            _ = harness.run("set a 0 0 1\r\n1\r\n")
            _ = harness.run("\(line)\r\n\(value)\r\n")
            #expect(harness.run("mg a\r\n") == "HD\r\n", "\(line)")
        }
    }
}
