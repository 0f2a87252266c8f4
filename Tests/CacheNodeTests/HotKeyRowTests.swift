import HotKeys
import Primitives
import Testing

@testable import CacheNode
@testable import HotKeys

@Suite struct HotKeyRowTests {
    /// Keys of so many reads, writes and bytes a second, the most operations first.
    private static func summary(
        _ keys: [(name: String, reads: Double, writes: Double, bytes: Double)]
    ) -> HotKeyWindow.Summary {
        var summary = HotKeyWindow.Summary()
        for key in keys {
            var rates = KeyCounts()
            (rates.reads, rates.writes, rates.bytes) = (key.reads, key.writes, key.bytes)
            summary.keys.append(
                HotKeyWindow.Key(
                    hash: KeyHash(of: Array(key.name.utf8).span.bytes).value,
                    key: Array(key.name.utf8), rates: rates, share: rates.operations / 1000,
                    byteShare: 0, firstSeen: 0))
        }
        return summary
    }

    private static let traffic = summary([
        ("user:1", 500, 0, 10), ("post:7", 200, 90, 5000), ("user:2", 100, 10, 70),
        ("page", 50, 50, 10),
    ])

    private static func names(_ words: String) throws -> [String] {
        let read = HotKeyQuestion.read(words.split(separator: " ").map(String.init))
        let question = try #require(read.question, "\(read.problem)")
        let rows = HotKeyRow.rows(traffic, question) { String(decoding: $0.key, as: UTF8.self) }
        return rows.map(\.name)
    }

    @Test(
        "rows answer the question: order, number, filter, groups",
        arguments: [
            ("", ["user:1", "post:7", "user:2", "page"]),
            ("sort=bytes", ["post:7", "user:2", "user:1", "page"]),
            ("sort=writes", ["post:7", "page", "user:2", "user:1"]),
            ("n=2 sort=writes", ["post:7", "page"]),
            ("filter=user", ["user:1", "user:2"]), ("filter=s", ["user:1", "post:7", "user:2"]),
            ("filter=nobody", []),
            ("group=user:*", ["user:*", "post:7", "page"]),
            ("group=p*,user:* sort=bytes", ["p*", "user:*"]),
            ("group=user:*,p* n=1", ["user:*"]),
        ])
    func answers(words: String, names: [String]) throws {
        #expect(try Self.names(words) == names)
    }

    @Test("a group is the sum of its keys, and no key of its own")
    func addsUp() throws {
        var question = HotKeyQuestion()
        question.groups = ["user:*"]
        let rows = HotKeyRow.rows(Self.traffic, question) {
            String(decoding: $0.key, as: UTF8.self)
        }
        let group = try #require(rows.first)
        #expect(group.keyCount == 2 && group.key == nil)
        #expect(group.rates.reads == 600 && group.rates.writes == 10 && group.rates.bytes == 80)
        #expect(abs(group.share - 0.61) < 1e-9)
    }

    @Test("no more names are made than are shown, unless names are asked for")
    func namesWhatIsShown() {
        var made = 0
        var question = HotKeyQuestion()
        question.count = 2
        _ = HotKeyRow.rows(Self.traffic, question) { _ in
            made += 1
            return ""
        }
        #expect(made == 2)
    }

    @Test("questions that wait for the merging thread are bounded")
    func boundsQuestions() throws {
        let board = try HotKeyBoard(NodeConfiguration(cores: 1))
        let request = HotKeyRequest(HotKeyQuestion(), loop: 0)
        for _ in 0..<64 { #expect(board.ask(request)) }
        #expect(!board.ask(request))
        #expect(board.nextQuestion() != nil && board.ask(request))
        #expect(request.take() == nil)
        request.answer(from: board, at: Instant(nanoseconds: 0))
        #expect(request.take()?.rows.isEmpty == true && request.take() == nil)
    }

    @Test("reports that nobody merges are bounded: the oldest go")
    func boundsReports() throws {
        let board = try HotKeyBoard(NodeConfiguration(cores: 1))
        for number in 0..<5000 {
            var report = LoopReport(start: Int64(number), end: Int64(number) + 1)
            report.total.reads = number < 2952 ? 1_000_000 : 1
            board.put(report, loop: 0)
        }
        _ = board.merge(at: Instant(nanoseconds: 250_000_000))
        // 2,048 reads in 2,048 ns are left, brought to a window of 250 ms.
        #expect(abs(board.current.latest.total.reads / 1e9 - 1) < 0.01)
    }
}
