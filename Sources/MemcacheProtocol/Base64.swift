// Base64 (RFC 4648, section 4) for binary keys of the meta commands.

public import Primitives

/// Base64 in its canonical form: the standard alphabet, padded, unused bits zero, nothing else in
/// between.
///
/// memcached skips foreign bytes and takes any padding; here one key has one spelling.
public enum Base64 {
    /// Decodes `text` into `output`.
    ///
    /// - Returns: How many bytes were written; nil, and nothing written, if `text` is empty, not
    ///   canonical base64, or too long for `output`.
    public static func decode(
        _ text: RawSpan, into output: UnsafeMutableRawBufferPointer
    ) -> Int? {
        text.withUnsafeBytes { source in
            guard let base = source.baseAddress,
                let count = decodedCount(base, 0..<source.count), count <= output.count
            else { return nil }
            var written = 0
            var offset = 0
            while offset < source.count {
                // Padding reads as zero bits.
                let group =
                    UInt32(value(base, offset)) << 18 | UInt32(value(base, offset + 1)) << 12
                    | UInt32(value(base, offset + 2)) << 6 | UInt32(value(base, offset + 3))
                for shift: UInt32 in [16, 8, 0] where written < count {
                    output[written] = UInt8(truncatingIfNeeded: group >> shift)
                    written += 1
                }
                offset += 4
            }
            return written
        }
    }

    /// Appends `bytes` as base64 to `writer`.
    public static func encode(_ bytes: RawSpan, to writer: inout ByteWriter) {
        bytes.withUnsafeBytes { source in
            writer.reserve((source.count + 2) / 3 * 4)
            var offset = 0
            while offset < source.count {
                let left = source.count - offset
                let first = source[offset]
                let second = left > 1 ? source[offset + 1] : 0
                let third = left > 2 ? source[offset + 2] : 0
                writer.append(letter(first >> 2))
                writer.append(letter((first & 3) << 4 | second >> 4))
                writer.append(left > 1 ? letter((second & 15) << 2 | third >> 6) : padding)
                writer.append(left > 2 ? letter(third & 63) : padding)
                offset += 3
            }
        }
    }

    /// How many bytes the text in `range` stands for; nil if it is empty or not canonical base64.
    static func decodedCount(_ base: UnsafeRawPointer, _ range: Range<Int>) -> Int? {
        let count = range.count
        guard count > 0 && count % 4 == 0 else { return nil }
        var pads = 0
        if ByteScan.byte(base, range.upperBound - 1) == padding {
            pads = ByteScan.byte(base, range.upperBound - 2) == padding ? 2 : 1
        }
        let letters = range.lowerBound..<(range.upperBound - pads)
        for offset in letters where !isLetter(ByteScan.byte(base, offset)) { return nil }
        let unusedBits: UInt8 = pads == 2 ? 0x0F : pads == 1 ? 0x03 : 0
        guard value(base, letters.upperBound - 1) & unusedBits == 0 else { return nil }
        return count / 4 * 3 - pads
    }

    private static let padding = UInt8(ascii: "=")

    /// The six bits of the letter at `offset`; 0 for anything that is none.
    private static func value(_ base: UnsafeRawPointer, _ offset: Int) -> UInt8 {
        let byte = ByteScan.byte(base, offset)
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return byte &- 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return byte &- 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return byte &+ 4
        case UInt8(ascii: "+"): return 62
        case UInt8(ascii: "/"): return 63
        default: return 0
        }
    }

    /// Whether `byte` is one of the 64.
    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "/")...UInt8(ascii: "9"), UInt8(ascii: "+"):
            true
        default: false
        }
    }

    /// The letter of six bits.
    private static func letter(_ bits: UInt8) -> UInt8 {
        switch bits {
        case 0..<26: bits &+ 65
        case 26..<52: bits &+ 71
        case 52..<62: bits &- 4
        case 62: UInt8(ascii: "+")
        default: UInt8(ascii: "/")
        }
    }
}
