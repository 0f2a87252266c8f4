// A question about hot keys on its way from a loop to the merging thread and back. A history of 15
// minutes takes tens of milliseconds to add up and to name: no event loop may stand still for that.
internal import HotKeys
internal import Primitives
internal import Synchronization

/// What the merging thread makes of a question; the loop adds what only it can know.
struct HotKeyAnswer: Sendable {
    /// The rates of all traffic; its keys are in ``rows``.
    var summary: HotKeyWindow.Summary
    var rows: [HotKeyRow]
    /// The last decisions, the newest first.
    var events: [PromotionPolicy.Decision]
}

/// A question, and its answer once it is there.
final class HotKeyRequest: Sendable {
    /// Decisions shown with an answer.
    static let shownDecisions = 20

    let question: HotKeyQuestion
    /// The loop that is rung when the answer is there.
    let loop: Int
    private let answer = Mutex<HotKeyAnswer?>(nil)

    init(_ question: HotKeyQuestion, loop: Int) {
        self.question = question
        self.loop = loop
    }

    /// Answers from what `board` holds at `now`.
    func answer(from board: HotKeyBoard, at now: Instant) {
        let state = board.current
        var summary =
            question.historySeconds > 0
            ? state.history.summary(
                of: Int64(question.historySeconds) * 1_000_000_000, before: now)
            : state.latest
        var rows = HotKeyRow.rows(summary, question) { board.name($0.key) }
        for index in rows.indices {
            rows[index].tracked = rows[index].key.flatMap { state.policy.state(of: $0.hash) }
        }
        summary.keys = []
        let events = state.decisions.latest(Self.shownDecisions)
        let found = HotKeyAnswer(summary: summary, rows: rows, events: events)
        answer.withLock { $0 = found }
    }

    /// The answer; nil where it has not come yet.
    func take() -> HotKeyAnswer? {
        answer.withLock { $0.take() }
    }
}
