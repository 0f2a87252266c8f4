// The readable side of a run: its last lines, kept only when somebody wants to read them.

/// The last lines of a run.
struct Journal {
    /// Lines kept: some simulated seconds of five nodes.
    static let lineLimit = 20_000

    /// Whether lines are kept at all; without it a line is not even put together.
    let isOn: Bool
    private var kept: [String] = []
    private var oldest = 0

    init(isOn: Bool) {
        self.isOn = isOn
    }

    /// Adds a line, with true time in milliseconds before it.
    mutating func note(_ line: @autoclosure () -> String, at now: Int64) {
        guard isOn else { return }
        let text = "\(Self.milliseconds(now)) \(line())"
        if kept.count < Self.lineLimit {
            kept.append(text)
        } else {
            kept[oldest] = text
            oldest = (oldest + 1) % Self.lineLimit
        }
    }

    /// The lines, oldest first.
    var lines: [String] {
        Array(kept[oldest...] + kept[..<oldest])
    }

    private static func milliseconds(_ time: Int64) -> String {
        let fraction = String(time % 1_000_000 / 1_000)
        let padding = String(repeating: "0", count: 3 - fraction.count)
        let whole = String(time / 1_000_000)
        return String(repeating: " ", count: max(0, 6 - whole.count))
            + "\(whole).\(padding)\(fraction)"
    }
}
