/// What the live screen's user has chosen, and what the screen knows: a value that keys and
/// snapshots change, and that ``LiveScreen`` draws.
struct LiveState: Sendable {
    /// What the hot keys are ordered by.
    enum Order: String, CaseIterable, Sendable {
        case operations = "ops"
        case bytes
        case writes

        /// The next one, around.
        var next: Order {
            let all = Order.allCases
            return all[((all.firstIndex(of: self) ?? 0) + 1) % all.count]
        }
    }

    /// What stands in front of the table.
    enum Overlay: Equatable, Sendable {
        case none
        case help
        case detail(key: String)
    }

    /// The server asked, for the title.
    let server: String
    var order = Order.operations
    /// Only keys that contain this are shown.
    var filter = ""
    /// Whether keys pressed go into ``filter``.
    var isEditingFilter = false
    var isPaused = false
    var overlay = Overlay.none
    /// Which of ``rows`` is selected.
    var selection = 0
    var hasEnded = false
    /// Why the last question had no answer; nil when it had one.
    var problem: String?
    private(set) var snapshot: LiveSnapshot?
    /// Operations a second of the keys now listed, the newest last.
    private(set) var trends: [String: [Double]] = [:]

    /// Points of a trend.
    static let trendLength = 8
    /// Longest filter: a key, percent-encoded.
    static let filterLimit = 750

    /// A screen without an answer yet.
    init(server: String) {
        self.server = server
    }

    /// The rows that are shown, in order.
    var rows: [HotKeyRow] {
        let matching = (snapshot?.rows ?? []).filter {
            filter.isEmpty || $0.key.contains(filter)
        }
        return matching.enumerated().sorted { left, right in
            let (first, second) = (value(left.element), value(right.element))
            return first != second ? first > second : left.offset < right.offset
        }.map(\.element)
    }

    private func value(_ row: HotKeyRow) -> Double {
        switch order {
        case .operations: row.operationsPerSecond
        case .bytes: row.bytesPerSecond
        case .writes: row.writesPerSecond
        }
    }

    /// Takes an answer in; a paused screen keeps what it has.
    mutating func update(_ new: LiveSnapshot) {
        problem = nil
        guard !isPaused else { return }
        var kept: [String: [Double]] = [:]
        for row in new.rows {
            let points = (trends[row.key] ?? []) + [row.operationsPerSecond]
            kept[row.key] = Array(points.suffix(Self.trendLength))
        }
        trends = kept
        snapshot = new
        selection = min(selection, max(0, rows.count - 1))
    }

    /// Does what `key` means.
    mutating func press(_ key: LiveKey) {
        if key == .interrupt {
            hasEnded = true
        } else if isEditingFilter {
            edit(key)
        } else if overlay != .none {
            if key == .character("q") { hasEnded = true } else { overlay = .none }
        } else {
            command(key)
        }
    }

    private mutating func edit(_ key: LiveKey) {
        switch key {
        case .enter: isEditingFilter = false
        case .escape:
            filter = ""
            isEditingFilter = false
        case .backspace: if !filter.isEmpty { filter.removeLast() }
        case .character(let character):
            if filter.utf8.count < Self.filterLimit { filter.append(character) }
        default: break
        }
        selection = 0
    }

    private mutating func command(_ key: LiveKey) {
        switch key {
        case .character("q"): hasEnded = true
        case .character("?"), .character("h"): overlay = .help
        case .character("p"), .character(" "): isPaused.toggle()
        case .character("s"): choose(order.next)
        case .character("o"): choose(.operations)
        case .character("b"): choose(.bytes)
        case .character("w"): choose(.writes)
        case .character("/"): isEditingFilter = true
        case .escape: filter = ""
        case .up, .character("k"): select(selection - 1)
        case .down, .character("j"): select(selection + 1)
        case .pageUp: select(selection - 10)
        case .pageDown: select(selection + 10)
        case .enter:
            let rows = rows
            if rows.indices.contains(selection) { overlay = .detail(key: rows[selection].key) }
        default: break
        }
    }

    private mutating func choose(_ new: Order) {
        order = new
        selection = 0
    }

    private mutating func select(_ row: Int) {
        selection = max(0, min(row, rows.count - 1))
    }
}
