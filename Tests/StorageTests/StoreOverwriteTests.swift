// Values written over others of their size: in place, unless somebody is sending the old one.
import Primitives
import Testing

@testable import Storage

struct StoreOverwriteTests {
    /// Where a key's value lies.
    func address(_ bed: borrowing StoreBed, _ key: String) -> UnsafeMutableRawPointer? {
        bed.store.peek(key, at: bed.clock.now)?.layout.valueStart
    }

    @Test("a pinned value keeps its bytes when one of the same size replaces it")
    func pinned() throws {
        var bed = StoreBed(limitBytes: 4 << 20)
        let name = Array("key".utf8)
        let old = [UInt8](repeating: 1, count: 20_000)
        let new = [UInt8](repeating: 2, count: 20_000)
        let first = bed.attributes()
        let second = bed.attributes()
        let item = try bed.store.set(name, old, first, at: bed.clock.now)
        let pin = bed.store.pin(item)
        try bed.store.set(name, new, second, at: bed.clock.now)
        #expect(pin.bytes.allSatisfy { $0 == 1 })
        let found = bed.store.value(name, at: bed.clock.now)
        #expect(found == new)
        bed.store.unpin(pin.token)
        let third = bed.attributes()
        let place = address(bed, "key")
        try bed.store.set(name, old, third, at: bed.clock.now)
        #expect(address(bed, "key") == place, "no longer pinned, it is written in place")
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("equal size and fields stay in place; another size, field or class moves")
    func places() {
        var bed = StoreBed(limitBytes: 4 << 20)
        bed.set("key", 100)
        let first = address(bed, "key")
        bed.set("key", 100)
        #expect(address(bed, "key") == first)
        bed.set("key", 101)
        #expect(address(bed, "key") != first)
        bed.set("key", 100, seconds: 1000)
        let ending = address(bed, "key")
        bed.set("key", 100, seconds: 1001)
        #expect(address(bed, "key") == ending, "the same class")
        bed.set("key", 100, seconds: 10)
        #expect(address(bed, "key") != ending, "an item that ends soon joins its kind")
        bed.store.checkInvariants(pool: bed.pool)
    }

    @Test("a flush spares the items of its own version and later")
    func flush() {
        var bed = StoreBed(limitBytes: 4 << 20)
        bed.set("before", 10)
        bed.store.minVersion = Version(epoch: 1, counter: bed.counter + 1)
        bed.set("after", 10)
        #expect(bed.count("before") == nil)
        #expect(bed.count("after") == 10)
    }

    @Test("an item put back soon after its eviction stays through the next one")
    func ghosts() {
        var bed = StoreBed(limitBytes: 2 << 20)
        for number in 0..<20_000 { bed.set("key \(number)", 100) }
        // Evicted not long ago: their segments were the last but a few to go.
        let evicted = (0..<20_000).filter { bed.count("key \($0)") == nil }.suffix(500)
        for number in evicted { bed.set("key \(number)", 100) }
        for number in 0..<16_000 { bed.set("other \(number)", 100) }
        let kept = evicted.count { bed.count("key \($0)") != nil }
        let kin = (0..<500).count { bed.count("other \($0)") != nil }
        #expect(kept > 250, "\(kept) of 500 have stayed")
        #expect(kin < 50, "\(kin) of 500 new ones have stayed")
    }
}
