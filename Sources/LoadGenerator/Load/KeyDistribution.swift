// Which keys are asked for how often.

/// A law by which keys are drawn.
public enum KeyDistribution: Equatable, Sendable {
    /// All alike.
    case uniform
    /// Rank r with a frequency proportional to r^-exponent.
    case zipf(exponent: Double)
    /// `count` keys together receive `share` (0 through 1) of the requests, the others the rest.
    case hotspot(count: UInt64, share: Double)
    /// Zipf 0.99 whose ranks are dealt to other keys every `seconds`: the hot set moves.
    case shift(seconds: Double)
    /// One after the other, and again.
    case sequential
    /// The newest keys most often (Zipf 0.99 by age); every write adds a key.
    case latest
    /// A recorded stream of operations.
    case trace(TraceFile)

    /// The exponent where none is given: YCSB's.
    static let defaultExponent = 0.99

    /// Reads the form of `--keys`: `uniform`, `zipf:S`, `hotspot:K/P` (P in percent),
    /// `shift:SECONDS`, `sequential`, `latest` or `trace:FILE`.
    public init(_ text: String) throws(LoadError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let argument = parts.count > 1 ? String(parts[1]) : nil
        switch (parts[0], argument) {
        case ("uniform", nil): self = .uniform
        case ("sequential", nil): self = .sequential
        case ("latest", nil): self = .latest
        case ("zipf", nil): self = .zipf(exponent: Self.defaultExponent)
        case ("zipf", let number?):
            guard let exponent = Double(number), exponent > 0, exponent <= 10 else {
                throw Self.malformed(text, "zipf:S with S above 0 and at most 10")
            }
            self = .zipf(exponent: exponent)
        case ("hotspot", let numbers?): self = try Self.hotspot(numbers, text)
        case ("shift", let number?):
            guard let seconds = Double(number), seconds > 0, seconds <= 86_400 else {
                throw Self.malformed(text, "shift:SECONDS with at most 86400 seconds")
            }
            self = .shift(seconds: seconds)
        case ("trace", let file?): self = .trace(try TraceFile(reading: file))
        default:
            throw Self.malformed(
                text,
                "uniform, zipf:S, hotspot:K/P, shift:SECONDS, sequential, latest or trace:FILE")
        }
    }

    private static func hotspot(
        _ numbers: String, _ text: String
    ) throws(LoadError) -> KeyDistribution {
        let parts = numbers.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = UInt64(parts[0]), count > 0,
            let percent = Double(parts[1]), percent > 0, percent <= 100
        else { throw malformed(text, "hotspot:K/P: K keys receive P percent of the requests") }
        return .hotspot(count: count, share: percent / 100)
    }

    private static func malformed(_ text: String, _ expected: String) -> LoadError {
        .malformed(setting: "--keys", text: text, expected: expected)
    }
}
