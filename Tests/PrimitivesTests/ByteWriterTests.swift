import Primitives
import Testing

@Suite struct ByteWriterTests {
    @Test(arguments: [
        0, 1, 9, 10, 11, 99, 100, 12_345, 9_999_999_999_999_999_999, 10_000_000_000_000_000_000, UInt64.max,
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
}
