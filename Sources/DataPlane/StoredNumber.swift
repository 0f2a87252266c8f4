// What `incr` takes for a number, and how it writes one back.
import Primitives

/// Reads and writes the decimal numbers that live in values.
enum StoredNumber {
    /// Values longer than this are not looked at: memcached refuses values kept in chunks, too.
    static let longestValue = 16 * 1024

    /// Reads `value` as memcached does, with C's `strtoull`: leading white space, a sign, digits,
    /// and then the end, white space or a zero byte; nil where that is no number of 64 bits.
    static func read(_ value: RawSpan) -> UInt64? {
        let end = value.byteCount
        var position = 0
        while position < end, isSpace(value.byte(position)) { position += 1 }
        var negative = false
        if position < end, value.byte(position) == UInt8(ascii: "-") {
            negative = true
            position += 1
        } else if position < end, value.byte(position) == UInt8(ascii: "+") {
            position += 1
        }
        let firstDigit = position
        var number: UInt64 = 0
        while position < end {
            let digit = value.byte(position) &- 48
            guard digit < 10 else { break }
            let (tenfold, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(UInt64(digit))
            guard !overflow, !carry else { return nil }
            number = sum
            position += 1
        }
        guard position > firstDigit else { return nil }
        if position < end {
            let byte = value.byte(position)
            guard byte == 0 || isSpace(byte) else { return nil }
        }
        guard negative else { return number }
        let wrapped = 0 &- number
        return Int64(bitPattern: wrapped) < 0 ? nil : wrapped
    }

    /// Writes `number` in decimal, followed by spaces up to `width` bytes.
    static func write(_ number: UInt64, width: Int, to output: inout ByteWriter) {
        output.removeAll()
        output.append(decimal: number)
        while output.count < width { output.append(UInt8(ascii: " ")) }
    }

    /// Digits of `number` in decimal.
    static func digits(of number: UInt64) -> Int {
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        return digits
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 32 || (byte >= 9 && byte <= 13)
    }
}

extension RawSpan {
    /// The byte at `offset`, bounds checked.
    @inline(__always)
    func byte(_ offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }
}
