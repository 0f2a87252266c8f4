// Numbers as memcached reads them: with C's `strtol` family, quirks included.

/// Reads decimal numbers from words of a line.
enum DecimalNumber {
    /// A number's sign and size; nil if `word` holds none or one above 64 bits.
    ///
    /// White space and one sign may come before the digits, and anything may follow the digits
    /// after another white space byte: words end at spaces, so this only concerns tabs and their
    /// like.
    private static func general(
        _ base: UnsafeRawPointer, _ word: Range<Int>
    ) -> (isNegative: Bool, magnitude: UInt64)? {
        var offset = word.lowerBound
        while offset < word.upperBound && isWhitespace(ByteScan.byte(base, offset)) { offset &+= 1 }
        var isNegative = false
        if offset < word.upperBound {
            let sign = ByteScan.byte(base, offset)
            isNegative = sign == UInt8(ascii: "-")
            if isNegative || sign == UInt8(ascii: "+") { offset &+= 1 }
        }
        let firstDigit = offset
        var magnitude: UInt64 = 0
        while offset < word.upperBound {
            let digit = ByteScan.byte(base, offset) &- UInt8(ascii: "0")
            if digit > 9 { break }
            let (tens, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(UInt64(digit))
            if overflow || carry { return nil }
            magnitude = sum
            offset &+= 1
        }
        guard offset > firstDigit else { return nil }
        guard offset == word.upperBound || isWhitespace(ByteScan.byte(base, offset)) else {
            return nil
        }
        return (isNegative, magnitude)
    }

    /// A word of 1 to 18 digits and nothing else, which is nearly every number; nil for any other.
    @inline(__always)
    private static func plain(_ base: UnsafeRawPointer, _ word: Range<Int>) -> UInt64? {
        let count = word.upperBound &- word.lowerBound
        if count == 0 || count > 18 { return nil }
        var value: UInt64 = 0
        var offset = word.lowerBound
        while offset < word.upperBound {
            let digit = ByteScan.byte(base, offset) &- UInt8(ascii: "0")
            if digit > 9 { return nil }
            value = value &* 10 &+ UInt64(digit)
            offset &+= 1
        }
        return value
    }

    /// A 64-bit unsigned number; a negative one counts as its two's complement where that is below
    /// 2^63.
    @inline(__always)
    static func unsigned(_ base: UnsafeRawPointer, _ word: Range<Int>) -> UInt64? {
        if let value = plain(base, word) { return value }
        guard let (isNegative, magnitude) = general(base, word) else { return nil }
        let value = isNegative ? 0 &- magnitude : magnitude
        return isNegative && value >= 1 << 63 ? nil : value
    }

    /// A client's 32-bit flags: memcached keeps the low half of a 64-bit number.
    @inline(__always)
    static func flags(_ base: UnsafeRawPointer, _ word: Range<Int>) -> UInt32? {
        unsigned(base, word).map { UInt32(truncatingIfNeeded: $0) }
    }

    /// A 64-bit signed number.
    @inline(__always)
    static func signed(_ base: UnsafeRawPointer, _ word: Range<Int>) -> Int64? {
        if let value = plain(base, word) { return Int64(bitPattern: value) }
        guard let (isNegative, magnitude) = general(base, word) else { return nil }
        if !isNegative { return Int64(exactly: magnitude) }
        return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
    }

    /// The length of a data block; nil unless it is 0 to ``ProtocolLimits/declaredValueBytes``.
    @inline(__always)
    static func length(_ base: UnsafeRawPointer, _ word: Range<Int>) -> Int? {
        guard let value = signed(base, word), value >= 0,
            value <= Int64(ProtocolLimits.declaredValueBytes)
        else { return nil }
        return Int(value)
    }

    /// What C's `isspace` takes for white space.
    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == ByteScan.space || (byte >= 0x09 && byte <= 0x0D)
    }
}
