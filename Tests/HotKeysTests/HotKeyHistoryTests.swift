import Primitives
import Testing

@testable import HotKeys

struct HotKeyHistoryTests {
    private func summary(second: Int64, keys: [(UInt64, Double)]) -> HotKeyWindow.Summary {
        var summary = HotKeyWindow.Summary()
        summary.end = second * 1_000_000_000
        summary.total.reads = 1000
        for (hash, operations) in keys {
            var rates = KeyCounts()
            rates.reads = operations
            summary.keys.append(
                HotKeyWindow.Key(
                    hash: hash, key: [UInt8(hash)], rates: rates, share: operations / 1000,
                    byteShare: 0, firstSeen: summary.end))
        }
        return summary
    }

    @Test("a burst of one second is found by its mean over the time asked for")
    func findsBursts() {
        var history = HotKeyHistory()
        for second in 1...60 {
            history.append(
                summary(
                    second: Int64(second), keys: second == 30 ? [(1, 500), (2, 100)] : [(2, 100)]))
        }
        let now = Instant(nanoseconds: 60_000_000_000)
        let all = history.summary(of: 60_000_000_000, before: now)
        #expect(all.keys.map(\.hash) == [2, 1])
        #expect(abs((all.keys.last?.rates.operations ?? 0) - 500.0 / 60) < 1e-9)
        #expect(abs((all.keys.first?.share ?? 0) - 0.1) < 1e-9)
        #expect(all.milliseconds == 60_000)
        #expect(history.summary(of: 10_000_000_000, before: now).keys.map(\.hash) == [2])
    }

    @Test("15 minutes are kept, 32 keys of each second")
    func isBounded() {
        var history = HotKeyHistory()
        for second in 1...1000 {
            history.append(
                summary(second: Int64(second), keys: (0..<50).map { (UInt64($0), 10) }))
        }
        #expect(history.count == 900)
        let now = Instant(nanoseconds: 1000 * 1_000_000_000)
        let all = history.summary(of: .max, before: now)
        #expect(all.keys.count == 32 && all.milliseconds == 900_000)
        #expect(all.keys.map(\.firstSeen).min() == Int64(101_000_000_000))
    }

    @Test("a key that stays keeps its bytes once, however many seconds it is kept")
    func sharesBytes() {
        func address(_ second: HotKeyHistory.Second) -> UnsafePointer<UInt8>? {
            second.keys.first?.key.withUnsafeBufferPointer(\.baseAddress)
        }
        var history = HotKeyHistory()
        for second in 1...950 { history.append(summary(second: Int64(second), keys: [(1, 500)])) }
        let addresses = Set(history.kept.map(address))
        #expect(history.count == 900 && addresses.count == 1)
    }

    @Test("decisions are kept up to a limit, the newest first")
    func keepsDecisions() {
        var log = DecisionLog()
        for number in 0..<1500 {
            log.append(
                PromotionPolicy.Decision(
                    at: Int64(number), hash: UInt64(number % 3), key: [], action: .promote,
                    copies: 1, reason: ""))
        }
        #expect(log.latest(2).map(\.at) == [1499, 1498])
        #expect(log.latest(2, of: 0).map(\.at) == [1497, 1494])
        #expect(log.latest(5000).count == DecisionLog.limit)
        #expect(log.latest(5000).last?.at == Int64(1500 - 1024))
    }
}
