internal import HotKeys

/// What somebody wants to know of hot keys: the words after `kiln hotkeys` or `kiln top`.
struct HotKeyQuestion: Equatable, Sendable {
    /// What the list is ordered by.
    enum Order: String, CaseIterable, Sendable {
        case operations = "ops"
        case bytes
        case writes
    }

    /// Keys at most.
    var count = 20
    /// The order.
    var order = Order.operations
    /// Only names that contain this.
    var filter = ""
    /// Names that match are added up: a prefix that ends in `*`, or several by commas.
    var groups: [String] = []
    /// Seconds to look back; 0 for the last window.
    var historySeconds = 0

    /// Most keys of one answer.
    static let countLimit = 1000
    /// Most groups of one question.
    static let groupLimit = 64

    /// Reads the words; nil, and what is wrong, where one is not understood.
    static func read(_ words: some Sequence<String>) -> (question: HotKeyQuestion?, problem: String)
    {
        var question = HotKeyQuestion()
        for word in words {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? String(parts[1]) : ""
            switch parts[0] {
            case "n":
                guard let count = Int(value), (1...countLimit).contains(count) else {
                    return (nil, "n: 1 through \(countLimit)")
                }
                question.count = count
            case "sort":
                guard let order = Order(rawValue: value) else {
                    return (nil, "sort: ops, bytes or writes")
                }
                question.order = order
            case "filter": question.filter = value
            case "group":
                question.groups = value.split(separator: ",").map(String.init)
                guard (1...groupLimit).contains(question.groups.count),
                    question.groups.allSatisfy({ $0.hasSuffix("*") })
                else { return (nil, "group: prefixes that end in *, at most \(groupLimit)") }
            case "history":
                guard let seconds = Int(value), (1...HotKeyHistory.seconds).contains(seconds) else {
                    return (nil, "history: 1 through \(HotKeyHistory.seconds) seconds")
                }
                question.historySeconds = seconds
            default: return (nil, "unknown word; n, sort, filter, group and history are known")
            }
        }
        return (question, "")
    }
}
