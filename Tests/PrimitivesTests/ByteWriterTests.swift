import Primitives
import Testing

@Suite struct ByteWriterTests {
    @Test(arguments: [
        0, 1, 9, 10, 11, 99, 100, 12_345, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000,
        UInt64.max,
    ])
    func writesDecimals(_ number: UInt64) {
        var writer = ByteWriter(capacity: 1)
        writer.append(decimal: number)
        #expect(Array(writer.unsafeBytes) == Array(String(number).utf8))
    }

    @Test func growsAndTruncates() {
        var writer = ByteWriter(capacity: 1)
        writer.append("hello ")
        writer.append(text: "world")
        writer.append(UInt8(ascii: "!"))
        #expect(Array(writer.unsafeBytes) == Array("hello world!".utf8))
        writer.truncate(to: 5)
        #expect(writer.count == 5)
        writer.removeAll()
        #expect(writer.count == 0)
    }

    @Test func composesIntoReservedRoom() {
        var writer = ByteWriter(capacity: 1)
        writer.reserve(64)
        let room = writer.capacity
        writer.appendReserved(word: 0x20_45_55_4C_41_56, length: 6)
        writer.appendReserved(Array("key".utf8).span.bytes)
        writer.appendReserved(UInt8(ascii: " "))
        for number: UInt64 in [0, 9, 10, 99, 100, 18_446_744_073_709_551_615] {
            writer.appendReserved(decimal: number)
            writer.appendReserved(UInt8(ascii: " "))
        }
        #expect(
            Array(writer.unsafeBytes)
                == Array("VALUE key 0 9 10 99 100 18446744073709551615 ".utf8))
        #expect(writer.capacity == room)
    }
}
