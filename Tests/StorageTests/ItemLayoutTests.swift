// Every combination of an item's optional fields, at every alignment an item can have.
import Primitives
import Testing

@testable import Storage

struct ItemLayoutTests {
    static func attributes(_ combination: Int) -> ItemAttributes {
        var attributes = ItemAttributes(version: Version(value: (1 << 63) - 1))
        if combination & 1 != 0 { attributes.flags = 0xFFFF_FFFE }
        if combination & 2 != 0 { attributes.expiry = Expiry(tick: 0xFFFF_FFFD) }
        if combination & 4 != 0 { attributes.clientCAS = UInt64.max - 2 }
        if combination & 8 != 0 { attributes.fence = UInt64.max - 3 }
        attributes.state = ItemState(rawValue: UInt8(combination & 7))
        return attributes
    }

    @Test("what is written is read", arguments: 0..<16, [0, 1, 3, 65_535, 65_536, 70_001, 3 << 20])
    func roundTrip(combination: Int, valueCount: Int) {
        let attributes = Self.attributes(combination)
        for keyCount in [1, 2, 3, 4, 250] {
            let shape = ItemShape(
                keyCount: keyCount, valueCount: valueCount, attributes: attributes)
            let memory = UnsafeMutableRawPointer.allocate(
                byteCount: shape.bytes + 8, alignment: 16)
            defer { memory.deallocate() }
            for offset in [0, 4] {
                let layout = ItemLayout(memory + offset)
                layout.writeHeader(shape, attributes, second: (1 << 28) - 1)
                #expect(layout.attributes == attributes)
                #expect(layout.version == attributes.version)
                #expect(layout.expiry == attributes.expiry)
                #expect(layout.state == attributes.state)
                #expect(layout.keyCount == keyCount)
                #expect(layout.valueCount == valueCount)
                #expect(layout.bytes == shape.bytes)
                #expect(layout.isLive && !layout.wasFetched)
                #expect(layout.accessSecond == (1 << 28) - 1)
                #expect(layout.valueStart - layout.address + valueCount <= shape.bytes)
                #expect(shape.bytes % 4 == 0)
            }
        }
    }

    @Test("fields not in use take no bytes")
    func size() {
        let plain = ItemAttributes(version: Version(value: 1))
        #expect(ItemShape(keyCount: 10, valueCount: 100, attributes: plain).bytes == 128)
        #expect(ItemShape(keyCount: 1, valueCount: 0, attributes: plain).bytes == 20)
        let full = Self.attributes(15)
        #expect(ItemShape(keyCount: 10, valueCount: 100, attributes: full).bytes == 152)
    }

    @Test("a read sets the bit at once and the time once a minute")
    func reads() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
        defer { memory.deallocate() }
        var attributes = ItemAttributes(version: Version(value: 77))
        attributes.state = [.stale, .won]
        let layout = ItemLayout(memory)
        let shape = ItemShape(keyCount: 1, valueCount: 1, attributes: attributes)
        layout.writeHeader(shape, attributes, second: 100)
        layout.noteRead(second: 159)
        #expect(layout.wasFetched)
        #expect(layout.accessSecond == 100)
        layout.noteRead(second: 160)
        #expect(layout.accessSecond == 160)
        #expect(layout.attributes == attributes)
    }

    @Test("keys are compared by length and bytes")
    func keys() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 16)
        defer { memory.deallocate() }
        let attributes = ItemAttributes(version: Version(value: 1))
        let layout = ItemLayout(memory)
        let shape = ItemShape(keyCount: 3, valueCount: 0, attributes: attributes)
        layout.writeHeader(shape, attributes, second: 0)
        Store.copy(Array("abc".utf8).span.bytes, to: layout.keyStart)
        for (other, isSame) in [("abc", true), ("abd", false), ("ab", false), ("abcd", false)] {
            let bytes = Array(other.utf8)
            #expect(bytes.withUnsafeBytes { layout.hasKey($0) } == isSame, "\(other)")
        }
    }
}
