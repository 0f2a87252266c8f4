/// Draws a ``LiveState`` as lines of text for a terminal of a given size.
///
/// It uses the 16 colours every terminal has, and none where `styled` is false.
struct LiveScreen {
    let columns: Int
    let lines: Int
    let styled: Bool

    /// The least a screen is drawn on; a smaller terminal is told so.
    static let leastColumns = 40
    static let leastLines = 8

    /// The whole screen, one string a line, none longer than ``columns`` cells, exactly ``lines``
    /// of them.
    func draw(_ state: LiveState) -> [String] {
        guard columns >= Self.leastColumns && lines >= Self.leastLines else {
            let text = clipped("\(Self.leastColumns)x\(Self.leastLines) needed")
            return [text] + Array(repeating: "", count: max(0, lines - 1))
        }
        var drawn = [title(state)]
        if let snapshot = state.snapshot {
            drawn += nodes(snapshot)
        }
        drawn.append("")
        let events = eventLines(state)
        let room = lines - drawn.count - events.count - 1
        drawn += body(state, room: room)
        drawn += Array(repeating: "", count: max(0, lines - drawn.count - events.count - 1))
        drawn = Array(drawn.prefix(lines - events.count - 1)) + events
        drawn.append(footer(state))
        return drawn
    }

    // MARK: Around the table

    private func title(_ state: LiveState) -> String {
        var text = "kiln top  \(printable(state.server))"
        if let snapshot = state.snapshot {
            text += "  \(timeOfDay(snapshot.unixSeconds))"
            text += "  window \(decimal(Double(snapshot.windowMilliseconds) / 1000, places: 1)) s"
        }
        text += "  by \(state.order.rawValue)"
        if !state.filter.isEmpty { text += "  filter \(printable(state.filter))" }
        if state.isPaused { text += "  PAUSED" }
        return style(padded(text), .reversed)
    }

    /// A bar per node: its busiest loop; at most a third of the screen.
    private func nodes(_ snapshot: LiveSnapshot) -> [String] {
        let shown = snapshot.nodes.prefix(max(1, lines / 3))
        let nameWidth = min(24, shown.map(\.name.count).max() ?? 0)
        return shown.map { node in
            let busy = node.loops.max() ?? 0
            let facts =
                " \(percentage(busy))  \(rateText(node.operationsPerSecond))"
                + "  hits \(percentage(node.hitRatio))  \(byteText(node.bytes))"
                + " of \(byteText(node.limitBytes))  \(node.connections) conns"
                + (node.state == "alive" ? "" : "  \(node.state.uppercased())")
            let name = padded(printable(node.name), to: nameWidth)
            let width = max(8, min(30, columns - nameWidth - 3 - facts.count))
            let line = clipped("\(name) [\(bar(busy, width: width))]\(facts)")
            let colour: Style = node.state != "alive" ? .red : busy >= 0.9 ? .yellow : .plain
            return style(line, colour)
        }
    }

    private func bar(_ share: Double, width: Int) -> String {
        let filled = max(0, min(width, Int((share * Double(width)).rounded())))
        return String(repeating: "#", count: filled)
            + String(repeating: ".", count: width - filled)
    }

    private func eventLines(_ state: LiveState) -> [String] {
        guard let snapshot = state.snapshot, lines >= 16, !snapshot.events.isEmpty else {
            return []
        }
        let count = lines >= 30 ? 6 : 3
        return snapshot.events.prefix(count).map {
            style(clipped("\(timeOfDay($0.unixSeconds))  \(printable($0.text))"), .dim)
        }
    }

    private func footer(_ state: LiveState) -> String {
        if let problem = state.problem { return style(padded(printable(problem)), .red) }
        if state.isEditingFilter {
            return style(
                padded("filter: \(printable(state.filter))_   enter: done  esc: none"), .reversed)
        }
        return style(
            padded("q quit  s/o/b/w sort  / filter  p pause  enter detail  ? help"), .reversed)
    }

    // MARK: The middle

    private func body(_ state: LiveState, room: Int) -> [String] {
        switch state.overlay {
        case .none: return table(state, room: room)
        case .help: return Self.help.map(clipped)
        case .detail(let key):
            guard let row = state.snapshot?.rows.first(where: { $0.key == key }) else {
                return [clipped("\(printable(key)) is no longer among the hot keys")]
            }
            return detail(row, trend: state.trends[key] ?? []).map(clipped)
        }
    }

    private static let help = [
        "  o, b, w    order by operations, bytes or writes a second; s: the next of them",
        "  /          show only keys that contain a text; esc: all again",
        "  p, space   stop the clock; press again to go on",
        "  up, down   choose a key; enter: all that is known of it",
        "  ?          this page",
        "  q, ctrl-C  leave",
        "",
        "  +-         how far OPS/S may be off",
        "  R/W        reads and writes, in percent of the key's operations",
        "  TREND      the last 8 answers, the newest right",
    ]

    private func detail(_ row: HotKeyRow, trend: [Double]) -> [String] {
        [
            "  key        \(printable(row.key))",
            "  state      \(row.state)",
            "  owner      \(printable(row.owner))"
                + (row.copies.isEmpty
                    ? "" : "  copies \(row.copies.map { printable($0) }.joined(separator: ", "))"),
            "  ops        \(rateText(row.operationsPerSecond))"
                + " (+- \(threeDigits(row.error))), \(percentage(row.share)) of all",
            "  reads      \(rateText(row.readsPerSecond))",
            "  writes     \(rateText(row.writesPerSecond))",
            "  bytes      \(byteText(UInt64(max(0, row.bytesPerSecond))))/s",
            "  value      \(row.valueBytes.map { byteText(UInt64(max(0, $0))) } ?? "-")",
            "  ttl        \(row.ttlSeconds.map { "\($0) s" } ?? "-")",
            "  trend      \(trend.map { threeDigits($0) }.joined(separator: " "))",
            "",
            "  any key: back",
        ]
    }

    private func table(_ state: LiveState, room: Int) -> [String] {
        let rows = state.rows
        let shown = LiveTable(columns: columns)
        guard room > 1 else { return [] }
        var drawn = [style(shown.heading, .bold)]
        let first = max(0, min(state.selection - (room - 2), rows.count - (room - 1)))
        for (index, row) in rows.enumerated().dropFirst(first).prefix(room - 1) {
            let line = shown.line(row, trend: state.trends[row.key] ?? [])
            let colour: Style =
                index == state.selection
                ? .reversed
                : row.state == "hot" ? .red : row.state == "write-hot" ? .yellow : .plain
            drawn.append(style(line, colour))
        }
        if rows.isEmpty {
            drawn.append(
                clipped(state.snapshot == nil ? "  waiting for the node" : "  no hot keys"))
        }
        return drawn
    }

    // MARK: Text

    private enum Style: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case reversed = "7"
        case red = "31"
        case yellow = "33"
    }

    private func style(_ text: String, _ style: Style) -> String {
        styled && style != .plain ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    private func clipped(_ text: String) -> String {
        text.count <= columns ? text : String(text.prefix(columns))
    }

    private func padded(_ text: String) -> String {
        padded(text, to: columns)
    }

    private func padded(_ text: String, to width: Int) -> String {
        text.count >= width
            ? String(text.prefix(width))
            : text + String(repeating: " ", count: width - text.count)
    }
}
