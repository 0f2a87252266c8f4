/// Rows under headings, columns as wide as they need.
public struct Table: Sendable {
    /// How a column is set.
    public enum Alignment: Sendable {
        case left
        case right
    }

    /// A heading and its column's alignment.
    public struct Column: Sendable {
        var title: String
        var alignment: Alignment

        /// A column headed `title`.
        public init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    private let columns: [Column]
    private var rows: [[String]] = []

    /// An empty table.
    public init(_ columns: [Column]) {
        self.columns = columns
    }

    /// Adds a row; its cells are escaped here, one per column.
    public mutating func append(_ cells: [String]) {
        precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
        rows.append(cells.map { printable($0) })
    }

    /// Adds a row whose cells are printable already.
    public mutating func append(printable cells: [String]) {
        precondition(cells.count == columns.count, "\(cells.count) cells, \(columns.count) columns")
        rows.append(cells)
    }

    /// The table as text, headings in bold when `styled`.
    public func text(styled: Bool) -> String {
        var widths = columns.map(\.title.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        let heading = line(columns.map(\.title), widths)
        var text = styled ? "\u{1B}[1m\(heading)\u{1B}[0m\n" : "\(heading)\n"
        for row in rows { text += line(row, widths) + "\n" }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            let isLast = index == cells.count - 1
            switch columns[index].alignment {
            case .right: text += padding + cell
            case .left: text += isLast ? cell : cell + padding
            }
            if !isLast { text += "  " }
        }
        return text
    }
}
