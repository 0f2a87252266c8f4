// Base64, both ways.

import MemcacheProtocol
import Primitives
import Testing

struct Base64Tests {
    private func encode(_ bytes: [UInt8]) -> String {
        var writer = ByteWriter(capacity: 1)
        Base64.encode(bytes.span.bytes, to: &writer)
        return String(decoding: writer.unsafeBytes, as: UTF8.self)
    }

    private func decode(_ text: String, capacity: Int = 256) -> [UInt8]? {
        let output = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 1)
        defer { output.deallocate() }
        let bytes = Array(text.utf8)
        return Base64.decode(bytes.span.bytes, into: output).map { Array(output[..<$0]) }
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func knownPairs(plain: String, text: String) {
        #expect(encode(Array(plain.utf8)) == text)
        if !plain.isEmpty { #expect(decode(text) == Array(plain.utf8)) }
    }

    @Test func roundTrips() {
        var random = SeededGenerator(seed: 7)
        for count in 1...ProtocolLimits.decodedKeyBytes {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            let text = encode(bytes)
            #expect(decode(text) == bytes)
            #expect(decode(text, capacity: count) == bytes)
            #expect(decode(text, capacity: count - 1) == nil)
            #expect(Parsed("mg \(text) b\r\n").status == .complete)
        }
        let oneMore = encode(Array(repeating: 1, count: ProtocolLimits.decodedKeyBytes + 1))
        #expect(Parsed("mg \(oneMore) b\r\n").error == ProtocolError(.keyTooLong))
        let all = Array(UInt8.min...UInt8.max)
        #expect(decode(encode(all)) == all)
    }

    @Test(arguments: [
        "", "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm9v=", "Zm9vZg",
        "Zg==Zg==",
        "Zm 9", "Z!9v", "Zm9\n", "Zm-_", "=Zg=", "Z=g=", "Zm9v\0", "Zm9\u{E9}",
    ])
    func refusesWhatIsNotCanonical(text: String) {
        #expect(decode(text) == nil)
    }

    @Test("every other spelling of a decodable text is refused: one key, one spelling")
    func oneSpelling() {
        var accepted = 0
        let letters = Array("ABIQYZgw08+/=!".utf8)
        for a in letters {
            for b in letters {
                for c in letters {
                    for d in letters {
                        let text = String(decoding: [a, b, c, d], as: UTF8.self)
                        guard let bytes = decode(text) else { continue }
                        accepted += 1
                        #expect(encode(bytes) == text)
                    }
                }
            }
        }
        #expect(accepted > 12 * 12 * 12 * 12)
    }
}
