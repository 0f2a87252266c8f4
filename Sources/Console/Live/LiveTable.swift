/// The columns of the live screen's table that fit a width.
struct LiveTable {
    /// One column: its heading, its width, whether it is set to the right, and what stands in it.
    private struct Column: Sendable {
        var title: String
        var width: Int
        var isRight: Bool
        /// Columns of a higher number are left out first.
        var rank: Int
        var text: @Sendable (HotKeyRow, [Double]) -> String
    }

    private let chosen: [Column]
    private let keyWidth: Int

    /// The key's column is never narrower than this.
    private static let leastKeyWidth = 16

    private static let all: [Column] = [
        Column(title: "#", width: 3, isRight: true, rank: 0) { row, _ in "\(row.rank)" },
        Column(title: "OPS/S", width: 9, isRight: true, rank: 0) { row, _ in
            count(row.operationsPerSecond)
        },
        Column(title: "+-", width: 6, isRight: true, rank: 6) { row, _ in count(row.error) },
        Column(title: "SHARE", width: 7, isRight: true, rank: 1) { row, _ in
            percentage(row.share)
        },
        Column(title: "R/W", width: 7, isRight: true, rank: 4) { row, _ in mix(row) },
        Column(title: "BYTES/S", width: 9, isRight: true, rank: 5) { row, _ in
            byteText(UInt64(max(0, row.bytesPerSecond)))
        },
        Column(title: "SIZE", width: 9, isRight: true, rank: 7) { row, _ in
            row.valueBytes.map { byteText(UInt64(max(0, $0))) } ?? "-"
        },
        Column(title: "TTL", width: 7, isRight: true, rank: 8) { row, _ in
            row.ttlSeconds.map { "\($0)s" } ?? "-"
        },
        Column(title: "STATE", width: 9, isRight: false, rank: 2) { row, _ in row.state },
        Column(title: "TREND", width: LiveState.trendLength, isRight: true, rank: 3) { _, trend in
            sparkline(trend)
        },
        Column(title: "OWNER", width: 21, isRight: false, rank: 9) { row, _ in
            printable(row.owner)
        },
    ]

    /// The columns for a terminal of `columns` cells.
    init(columns: Int) {
        var chosen = Self.all
        func used() -> Int { chosen.reduce(0) { $0 + $1.width + 1 } }
        while columns - used() < Self.leastKeyWidth,
            let last = chosen.indices.max(by: { chosen[$0].rank < chosen[$1].rank }),
            chosen[last].rank > 0
        {
            chosen.remove(at: last)
        }
        keyWidth = max(1, columns - used())
        self.chosen = chosen
    }

    /// The headings.
    var heading: String {
        line(key: "KEY") { $0.title }
    }

    /// One key.
    func line(_ row: HotKeyRow, trend: [Double]) -> String {
        line(key: printable(row.key)) { $0.text(row, trend) }
    }

    /// The first column, the key, then the others.
    private func line(key: String, _ cell: (Column) -> String) -> String {
        var text = ""
        for (index, column) in chosen.enumerated() {
            text += Self.set(cell(column), column.width, column.isRight)
            if index < chosen.count - 1 { text += " " }
            if index == 0 { text += Self.set(key, keyWidth, false) + " " }
        }
        return text
    }

    private static func set(_ text: String, _ width: Int, _ isRight: Bool) -> String {
        guard text.count <= width else { return String(text.prefix(width - 1)) + "~" }
        let space = String(repeating: " ", count: width - text.count)
        return isRight ? space + text : text + space
    }

    private static func count(_ value: Double) -> String {
        switch value.magnitude {
        case ..<99_999.5: decimal(value, places: 0)
        case ..<9_999_500: "\(threeDigits(value / 1e3))k"
        default: "\(threeDigits(value / 1e6))M"
        }
    }

    private static func mix(_ row: HotKeyRow) -> String {
        let all = row.readsPerSecond + row.writesPerSecond
        guard all > 0 else { return "-" }
        let reads = Int((row.readsPerSecond / all * 100).rounded())
        return "\(reads)/\(100 - reads)"
    }

    /// Values as bars of eight heights, the highest of them full.
    private static func sparkline(_ values: [Double]) -> String {
        let bars = Array("\u{2581}\u{2582}\u{2583}\u{2584}\u{2585}\u{2586}\u{2587}\u{2588}")
        guard let most = values.max(), most > 0 else { return "" }
        return String(values.map { bars[max(0, min(7, Int($0 / most * 7.999)))] })
    }
}
