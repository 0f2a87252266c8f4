/// A service level objective: a percentile of the latency and its bound, as `p99<1ms`.
public struct Objective: Equatable, Sendable {
    /// The percentile, above 0 and at most 100.
    public var percentile: Double
    /// What it must stay below, in nanoseconds.
    public var boundNanoseconds: UInt64

    /// Reads `p99<1ms`, `p99.9<500us`, `p50<2s` or `max<1ms`.
    public init(_ text: String) throws(LoadError) {
        let parts = text.split(separator: "<", omittingEmptySubsequences: false)
        guard parts.count == 2, let percentile = Self.percentile(parts[0]),
            let bound = Self.nanoseconds(parts[1])
        else {
            throw .malformed(
                setting: "--slo", text: text, expected: "a percentile and a bound, as p99<1ms")
        }
        self.percentile = percentile
        boundNanoseconds = bound
    }

    /// Whether `result` meets the objective, with numbers that can be trusted.
    public func isMet(by result: RunResult) -> Bool {
        let latency = result.total.latency
        return result.requests > 0 && result.errors == 0 && result.unanswered == 0
            && result.unsent == 0
            && latency.nanoseconds(atPercentile: percentile) < boundNanoseconds
    }

    private static func percentile(_ text: Substring) -> Double? {
        if text == "max" { return 100 }
        guard text.first == "p", let value = Double(text.dropFirst()), value > 0, value <= 100
        else { return nil }
        return value
    }

    private static func nanoseconds(_ text: Substring) -> UInt64? {
        let units: [(name: String, nanoseconds: Double)] = [
            ("ns", 1), ("us", 1e3), ("ms", 1e6), ("s", 1e9),
        ]
        guard let unit = units.first(where: { text.hasSuffix($0.name) }),
            let value = Double(text.dropLast(unit.name.utf8.count)), value > 0, value < 1e6
        else { return nil }
        return UInt64(value * unit.nanoseconds)
    }
}

extension Objective: CustomStringConvertible {
    /// The form that ``init(_:)`` reads.
    public var description: String {
        let name =
            percentile == 100
            ? "max"
            : percentile == percentile.rounded() ? "p\(Int(percentile))" : "p\(percentile)"
        switch boundNanoseconds {
        case let bound where bound % 1_000_000_000 == 0: return "\(name)<\(bound / 1_000_000_000)s"
        case let bound where bound % 1_000_000 == 0: return "\(name)<\(bound / 1_000_000)ms"
        case let bound where bound % 1_000 == 0: return "\(name)<\(bound / 1_000)us"
        case let bound: return "\(name)<\(bound)ns"
        }
    }
}
