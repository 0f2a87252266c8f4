internal import HotKeys
internal import Primitives

/// One line of a hot key list: a key, or a group of keys.
struct HotKeyRow: Sendable {
    /// As it is shown.
    var name: String
    /// nil for a group.
    var key: HotKeyWindow.Key?
    var rates: KeyCounts
    var share: Double
    /// Keys that were added up.
    var keyCount = 1
    /// What the policy knows of the key.
    var tracked: PromotionPolicy.Tracked?

    /// The rows that answer `question`, in order.
    ///
    /// It runs on an event loop, and a history may hold tens of thousands of keys: names are made
    /// only of those that are shown, unless the question is about names.
    static func rows(
        _ summary: HotKeyWindow.Summary, _ question: HotKeyQuestion,
        name: (HotKeyWindow.Key) -> String
    ) -> [HotKeyRow] {
        let asksForNames = !question.filter.isEmpty || !question.groups.isEmpty
        var rows: [HotKeyRow] = []
        var places: [Int?] = question.groups.map { _ in nil }
        for key in summary.keys {
            let shown = asksForNames ? name(key) : ""
            guard question.filter.isEmpty || shown.contains(question.filter) else { continue }
            let row = HotKeyRow(name: shown, key: key, rates: key.rates, share: key.share)
            guard let group = question.groups.firstIndex(where: { shown.hasPrefix($0.dropLast()) })
            else {
                rows.append(row)
                continue
            }
            if let place = places[group] {
                rows[place].add(row)
            } else {
                places[group] = rows.count
                rows.append(row)
                rows[rows.count - 1].name = question.groups[group]
                rows[rows.count - 1].key = nil
            }
        }
        var first = sorted(rows, by: question.order).prefix(question.count)
        guard !asksForNames else { return Array(first) }
        for index in first.indices { first[index].name = first[index].key.map(name) ?? "" }
        return Array(first)
    }

    private mutating func add(_ row: HotKeyRow) {
        rates.add(row.rates)
        share += row.share
        keyCount += 1
    }

    private static func sorted(
        _ rows: [HotKeyRow], by order: HotKeyQuestion.Order
    ) -> [HotKeyRow] {
        // Equal ones keep the order they have: the most operations first.
        let ordered = rows.indices.sorted { left, right in
            let (one, other) = (rows[left].value(order), rows[right].value(order))
            return one != other ? one > other : left < right
        }
        return ordered.map { rows[$0] }
    }

    /// What the list is ordered by.
    private func value(_ order: HotKeyQuestion.Order) -> Double {
        switch order {
        case .operations: rates.operations
        case .bytes: rates.bytes
        case .writes: rates.writes
        }
    }
}
