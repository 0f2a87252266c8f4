import Glibc
import Primitives

/// Draws ranks 1 through n with probabilities proportional to rank^-s, without a table.
///
/// Rejection-inversion (Hörmann and Derflinger, ACM TOMACS 6(3), 1996, section 2): exact for every
/// n and s > 0, about 1.1 tries a draw, roughly 30 ns.
struct ZipfSampler: Sendable {
    private let exponent: Double
    private let count: UInt64
    private let highest: Double
    private let lowest: Double
    private let threshold: Double

    /// - Precondition: `count` and `exponent` are above 0.
    init(count: UInt64, exponent: Double) {
        precondition(count > 0 && exponent > 0, "no Zipf law over \(count) with \(exponent)")
        self.count = count
        self.exponent = exponent
        highest = Self.integral(Double(count) + 0.5, exponent)
        lowest = Self.integral(1.5, exponent) - 1
        threshold =
            2
            - Self.inverse(
                Self.integral(2.5, exponent) - Self.density(2, exponent), exponent)
    }

    /// The next rank, 0 for the most frequent.
    func next(using random: inout SeededGenerator) -> UInt64 {
        while true {
            let u = highest + random.unit() * (lowest - highest)
            let x = Self.inverse(u, exponent)
            let rank = min(max((x + 0.5).rounded(.down), 1), Double(count))
            let isInside =
                rank - x <= threshold
                || u >= Self.integral(rank + 0.5, exponent) - Self.density(rank, exponent)
            if isInside { return UInt64(rank) - 1 }
        }
    }

    /// The law at x, not normalised.
    private static func density(_ x: Double, _ exponent: Double) -> Double {
        exp(-exponent * log(x))
    }

    /// An antiderivative of ``density(_:_:)``, well behaved around exponent 1.
    private static func integral(_ x: Double, _ exponent: Double) -> Double {
        let logarithm = log(x)
        return ratio(expm1, (1 - exponent) * logarithm) * logarithm
    }

    /// The inverse of ``integral(_:_:)``.
    private static func inverse(_ y: Double, _ exponent: Double) -> Double {
        exp(ratio(log1p, max(y * (1 - exponent), -1)) * y)
    }

    /// f(x) / x, continued to 1 at 0, for functions with f(0) = 0 and f'(0) = 1.
    @inline(__always)
    private static func ratio(_ function: (Double) -> Double, _ x: Double) -> Double {
        abs(x) > 1e-8 ? function(x) / x : 1
    }
}

extension SeededGenerator {
    /// A number from 0 up to, not including, 1, on a grid of 2^53.
    @inline(__always)
    mutating func unit() -> Double {
        Double(next() &>> 11) * 0x1p-53
    }

    /// A whole number below `bound`; its bias is below bound / 2^64.
    @inline(__always)
    mutating func below(_ bound: UInt64) -> UInt64 {
        bound.multipliedFullWidth(by: next()).high
    }
}
