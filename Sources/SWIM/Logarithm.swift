// Logarithms without a C library, the same to the last bit on every machine.

/// Logarithms of small whole numbers.
enum Logarithm {
    /// The logarithm of `number` to base 2, by repeated squaring; exact to 2^-40.
    static func binary(_ number: Int) -> Double {
        precondition(number >= 1, "no logarithm of \(number)")
        let whole = Int.bitWidth - 1 - number.leadingZeroBitCount
        var rest = Double(number) / Double(1 << whole)
        var result = Double(whole)
        var bit = 0.5
        for _ in 0..<40 {
            rest *= rest
            if rest >= 2 {
                rest /= 2
                result += bit
            }
            bit /= 2
        }
        return result
    }

    /// The logarithm of `number` to base 10.
    static func decimal(_ number: Int) -> Double {
        binary(number) / binary(10)
    }

    /// `ceil(log10(number + 1))`, which for whole numbers is the count of decimal digits.
    static func decimalDigits(_ number: Int) -> Int {
        var digits = 1
        var rest = number / 10
        while rest > 0 {
            digits += 1
            rest /= 10
        }
        return digits
    }
}
