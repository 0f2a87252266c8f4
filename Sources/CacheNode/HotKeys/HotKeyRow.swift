internal import HotKeys
internal import Primitives

/// One line of a hot key list: a key, or a group of keys.
struct HotKeyRow {
    /// As it is shown.
    var name: String
    /// nil for a group.
    var key: HotKeyWindow.Key?
    var rates: KeyCounts
    var share: Double
    /// Keys that were added up.
    var keyCount = 1

    /// What the list is ordered by.
    func value(_ order: HotKeyQuestion.Order) -> Double {
        switch order {
        case .operations: rates.operations
        case .bytes: rates.bytes
        case .writes: rates.writes
        }
    }

    /// The rows that answer `question`, in order.
    static func rows(
        _ summary: HotKeyWindow.Summary, _ question: HotKeyQuestion,
        name: (HotKeyWindow.Key) -> String
    ) -> [HotKeyRow] {
        var rows: [HotKeyRow] = []
        for key in summary.keys {
            let name = name(key)
            guard question.filter.isEmpty || name.contains(question.filter) else { continue }
            let group = question.groups.first { name.hasPrefix($0.dropLast()) }
            if let group, let position = rows.firstIndex(where: { $0.name == group }) {
                rows[position].rates.add(key.rates)
                rows[position].share += key.share
                rows[position].keyCount += 1
            } else {
                rows.append(
                    HotKeyRow(
                        name: group ?? name, key: group == nil ? key : nil, rates: key.rates,
                        share: key.share))
            }
        }
        let ordered = rows.enumerated().sorted { left, right in
            let (first, second) = (
                left.element.value(question.order), right.element.value(question.order)
            )
            return first != second ? first > second : left.offset < right.offset
        }
        return ordered.prefix(question.count).map(\.element)
    }
}
