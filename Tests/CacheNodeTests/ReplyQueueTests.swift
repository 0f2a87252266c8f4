import Primitives
import Testing

@testable import CacheNode

@Suite struct ReplyQueueTests {
    private func append(_ text: String, to queue: ReplyQueue) {
        Array(text.utf8).withUnsafeBytes { queue.append($0) }
    }

    private func complete(_ number: Int, _ text: String, in queue: ReplyQueue) {
        Array(text.utf8).withUnsafeBytes { queue.complete(number, with: $0) }
    }

    private func ready(_ queue: ReplyQueue) -> String {
        var text: [UInt8] = []
        while queue.hasReady { queue.takeReady { text += $0 } }
        return String(decoding: text, as: UTF8.self)
    }

    @Test func repliesLeaveInTheOrderOfTheirCommands() {
        let queue = ReplyQueue(nil)
        append("a", to: queue)
        let first = queue.expect()
        append("c", to: queue)
        let second = queue.expect()
        append("e", to: queue)
        #expect(ready(queue) == "a")
        complete(second, "d", in: queue)
        #expect(ready(queue) == "")
        #expect(!queue.isEmpty)
        complete(first, "b", in: queue)
        #expect(ready(queue) == "bcde")
        #expect(queue.isEmpty && queue.byteCount == 0)
    }

    /// Every order in which four answers can come gives the same bytes.
    @Test func theOrderOfAnswersChangesNothing() {
        func check(_ order: [Int]) {
            let queue = ReplyQueue(nil)
            let numbers = (0..<4).map { position in
                let number = queue.expect()
                append("-\(position);", to: queue)
                return number
            }
            var sent = ""
            for position in order {
                complete(numbers[position], "\(position)", in: queue)
                sent += ready(queue)
            }
            #expect(sent == "0-0;1-1;2-2;3-3;", "answers came in order \(order)")
        }
        for a in 0..<4 {
            for b in 0..<4 where b != a {
                for c in 0..<4 where c != a && c != b { check([a, b, c, 6 - a - b - c]) }
            }
        }
    }

    @Test func aLongRunKeepsItsNumbers() {
        let queue = ReplyQueue(nil)
        var waiting = (0..<100).map { _ in queue.expect() }
        var text = ""
        for round in 0..<5000 {
            complete(waiting.removeFirst(), "\(round) ", in: queue)
            waiting.append(queue.expect())
            text += ready(queue)
        }
        #expect(text == (0..<5000).map { "\($0) " }.joined())
        #expect(queue.waitingCount == 100)
    }

    @Test func itIsFullByCountAndByBytes() {
        let queue = ReplyQueue(nil)
        var numbers: [Int] = []
        while !queue.isFull { numbers.append(queue.expect()) }
        #expect(numbers.count == ReplyQueue.slotLimit)
        for number in numbers.prefix(ReplyQueue.slotLimit / 2) { complete(number, "", in: queue) }
        #expect(!queue.isFull && queue.mayGoOn)
        let other = ReplyQueue(nil)
        let first = other.expect()
        append(String(repeating: "x", count: ReplyQueue.byteLimit), to: other)
        #expect(other.isFull && !other.mayGoOn)
        complete(first, "", in: other)
        #expect(other.isFull, "what is ready counts until it is sent")
        #expect(ready(other).utf8.count == ReplyQueue.byteLimit)
        #expect(!other.isFull && other.isEmpty)
    }

    /// A client that reads slowly keeps the queue, not the loop's output: a thousand large answers
    /// that come at once must not look like a client that reads nothing.
    @Test func whatIsReadyIsHandedOverInPieces() {
        let queue = ReplyQueue(nil)
        append(String(repeating: "y", count: 3 * ReplyQueue.handedBytes + 5), to: queue)
        var counts: [Int] = []
        while queue.hasReady { queue.takeReady { counts.append($0.count) } }
        #expect(counts == Array(repeating: ReplyQueue.handedBytes, count: 3) + [5])
        #expect(queue.isEmpty && queue.byteCount == 0)
    }
}
