import Glibc

/// Pearson's chi-square test of counts against expected shares.
enum ChiSquare {
    /// Whether `counts` fit `shares` at a significance of 0.1 %: a right law is refused once in a
    /// thousand seeds, and the tests' seeds are fixed.
    ///
    /// Neighbouring cells are joined until 10 draws are expected in each.
    static func fits(_ counts: [UInt64], shares: [Double]) -> Bool {
        let draws = Double(counts.reduce(0, +))
        var statistic = 0.0
        var cells = 0
        var (observed, expected) = (0.0, 0.0)
        var joined: [(observed: Double, expected: Double)] = []
        for (count, share) in zip(counts, shares) {
            observed += Double(count)
            expected += share * draws
            if expected >= 10 {
                joined.append((observed, expected))
                (observed, expected) = (0, 0)
            }
        }
        if !joined.isEmpty {
            joined[joined.count - 1].observed += observed
            joined[joined.count - 1].expected += expected
        }
        for cell in joined {
            statistic +=
                (cell.observed - cell.expected) * (cell.observed - cell.expected)
                / cell.expected
            cells += 1
        }
        return cells > 1 && statistic < critical(degrees: Double(cells - 1))
    }

    /// The 99.9 % point, by Wilson and Hilferty (PNAS 17, 1931).
    private static func critical(degrees: Double) -> Double {
        let normal = 3.0902
        let spread = 2 / (9 * degrees)
        return degrees * pow(1 - spread + normal * spread.squareRoot(), 3)
    }
}
