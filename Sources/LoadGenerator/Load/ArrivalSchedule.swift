import Glibc
import Primitives

/// When the operations of an open loop are due, on one thread's part of the rate.
///
/// The schedule never waits for answers: that is what makes queueing visible (coordinated
/// omission: Tene, "How NOT to Measure Latency").
struct ArrivalSchedule: Sendable {
    private let meanGap: Double
    private let arrivals: Arrivals
    private var random: SeededGenerator
    private var due: Double

    /// `rate` operations a second from `start` (nanoseconds) on.
    ///
    /// Thread `thread` of `threads`
    /// with a uniform spacing sends between the others' operations.
    init(
        rate: Double, arrivals: Arrivals, start: Int64, thread: Int, threads: Int, seed: UInt64
    ) {
        meanGap = 1e9 * Double(threads) / rate
        self.arrivals = arrivals
        random = SeededGenerator(seed: seed)
        due = Double(start)
        switch arrivals {
        case .uniform: due += meanGap * Double(thread) / Double(threads)
        case .poisson: due += gap()
        }
    }

    /// When the next operation is due, in nanoseconds.
    var next: Int64 { Int64(due) }

    /// Goes on to the operation after that.
    mutating func advance() {
        due += arrivals == .uniform ? meanGap : gap()
    }

    /// How many operations are due before `end`; they are taken from the schedule.
    mutating func skip(until end: Int64, limit: UInt64) -> UInt64 {
        var count: UInt64 = 0
        while next < end && count < limit {
            count += 1
            advance()
        }
        return count
    }

    private mutating func gap() -> Double {
        -log(1 - random.unit()) * meanGap
    }
}
