// Which items of a segment stay.
import Testing

@testable import Storage

struct MergeChoiceTests {
    /// Bytes kept of each count of reads, out of items of 100 bytes offered in turn.
    func kept(_ items: [Int: Int], budget: Int) -> [Int: Int] {
        var histogram = MergeChoice.Histogram(repeating: 0)
        for (frequency, count) in items {
            histogram[MergeChoice.rank(frequency, bytes: 100)] += count * 100
        }
        var choice = MergeChoice(histogram, budget: budget)
        var kept: [Int: Int] = [:]
        for frequency in items.keys.sorted() {
            for _ in 0..<(items[frequency] ?? 0) where choice.keeps(frequency, bytes: 100) {
                kept[frequency, default: 0] += 1
            }
        }
        return kept
    }

    @Test("items never read go, even when there is room")
    func unread() {
        #expect(kept([0: 10], budget: 100_000) == [:])
        #expect(kept([0: 10, 1: 5], budget: 100_000) == [1: 5])
    }

    @Test("the budget goes to those read most; the last count is kept in part")
    func cutoff() {
        #expect(kept([1: 10, 2: 10, 8: 10], budget: 2500) == [8: 10, 2: 10, 1: 5])
        #expect(kept([1: 10, 2: 10, 8: 10], budget: 1000) == [8: 10])
        #expect(kept([8: 10], budget: 350) == [8: 3])
        #expect(kept([8: 10], budget: 0) == [:])
    }

    @Test("a wrong sample can't keep more than a quarter above the budget")
    func sampled() {
        var choice = MergeChoice(MergeChoice.Histogram(repeating: 0), budget: 1000)
        let kept = (0..<100).count { _ in choice.keeps(3, bytes: 100) }
        #expect(kept == 12)
    }

    @Test("ranks rise with reads and fall with size, and fit the histogram")
    func ranks() {
        #expect(MergeChoice.rank(0, bytes: 20) == 0)
        for bytes in [20, 100, 4096, 1 << 20] {
            #expect(MergeChoice.rank(1, bytes: bytes) >= 1)
            for frequency in 1..<Store.frequencyLimit {
                #expect(
                    MergeChoice.rank(frequency, bytes: bytes)
                        <= MergeChoice.rank(frequency + 1, bytes: bytes))
            }
            #expect(MergeChoice.rank(255, bytes: bytes) < 64)
        }
        #expect(MergeChoice.rank(1, bytes: 100) > MergeChoice.rank(1, bytes: 400))
        // Four times the size weighs as much as half the reads.
        #expect(MergeChoice.rank(1, bytes: 100) == MergeChoice.rank(2, bytes: 400))
    }
}
