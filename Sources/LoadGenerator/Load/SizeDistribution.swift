// How large values are.
import Glibc
import Primitives

/// A law by which the sizes of values are drawn, in bytes.
public enum SizeDistribution: Equatable, Sendable {
    /// Always the same.
    case fixed(Int)
    /// All sizes of a range alike.
    case range(ClosedRange<Int>)
    /// Several sizes by weight, as (size, sum of the weights up to here, normalised to 1).
    case list([Choice])
    /// Facebook's ETC pool: a generalised Pareto distribution (Atikoglu et al., SIGMETRICS 2012,
    /// section 5: location 0, scale 214.476, shape 0.348238), cut off at 1 MiB less 1 KiB.
    case etc

    /// One size of a list.
    public struct Choice: Equatable, Sendable {
        /// The size in bytes.
        public var bytes: Int
        /// The share of this and all earlier sizes, the last one's is 1.
        public var cumulativeShare: Double
    }

    /// Most sizes in a list.
    static let listLimit = 1_000
    /// Largest value of ``etc``: what a server with memcached's default `-I` takes.
    static let etcLimitBytes = (1 << 20) - 1_024

    /// Reads the form of `--value-size`: `100`, `64-4096`, `100,200,4k`, `100:9,4096:1` (with
    /// weights) or `etc`.
    ///
    /// Sizes may end in k or m.
    public init(_ text: String) throws(LoadError) {
        if text == "etc" {
            self = .etc
        } else if text.contains(",") || text.contains(":") {
            self = .list(try Self.choices(text))
        } else if let dash = text.firstIndex(of: "-") {
            let low = try Self.bytes(text[..<dash])
            let high = try Self.bytes(text[text.index(after: dash)...])
            guard low <= high else { throw Self.malformed(text) }
            self = .range(low...high)
        } else {
            self = .fixed(try Self.bytes(text[...]))
        }
    }

    private static func choices(_ text: String) throws(LoadError) -> [Choice] {
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        guard words.count <= listLimit else { throw malformed(text) }
        var sizes: [(bytes: Int, weight: Double)] = []
        for word in words {
            let parts = word.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2, let weight = parts.count == 2 ? Double(parts[1]) : 1,
                weight > 0, weight.isFinite
            else { throw malformed(text) }
            sizes.append((try bytes(parts[0]), weight))
        }
        let total = sizes.reduce(0) { $0 + $1.weight }
        var sum = 0.0
        return sizes.map { size in
            sum += size.weight
            return Choice(bytes: size.bytes, cumulativeShare: sum / total)
        }
    }

    private static func bytes(_ text: Substring) throws(LoadError) -> Int {
        let units: [Character: Int] = ["k": 1 << 10, "m": 1 << 20]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Int(unit == nil ? text : text.dropLast()), number >= 0,
            number <= LoadSettings.valueLimitBytes / (unit ?? 1)
        else { throw malformed(String(text)) }
        return number * (unit ?? 1)
    }

    private static func malformed(_ text: String) -> LoadError {
        .malformed(
            setting: "--value-size", text: text,
            expected: "100, 64-4096, 100,4k or 100:9,4k:1 (sizes with weights) or etc;"
                + " each at most \(LoadSettings.valueLimitBytes) bytes")
    }

    /// The largest size that can be drawn.
    var largest: Int {
        switch self {
        case .fixed(let bytes): bytes
        case .range(let range): range.upperBound
        case .list(let choices): choices.reduce(0) { max($0, $1.bytes) }
        case .etc: Self.etcLimitBytes
        }
    }

    /// Draws one size.
    func next(using random: inout SeededGenerator) -> Int {
        switch self {
        case .fixed(let bytes): return bytes
        case .range(let range):
            return range.lowerBound + Int(random.below(UInt64(range.count)))
        case .list(let choices):
            let share = random.unit()
            return (choices.first { share < $0.cumulativeShare } ?? choices[choices.count - 1])
                .bytes
        case .etc:
            let size = 214.476 / 0.348_238 * (pow(1 - random.unit(), -0.348_238) - 1)
            return min(max(Int(size), 1), Self.etcLimitBytes)
        }
    }
}
