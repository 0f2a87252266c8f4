// How long a command takes that makes an index grow.
internal import DataPlane
internal import Primitives
internal import Storage

/// What was known before a command that may make its shard's index grow.
struct GrowthMark {
    /// Buckets of the index; 0 for a command that can't make it grow.
    var buckets = 0
    var sealCount: UInt64 = 0
    /// The thread's processor time; 0 where it was not asked for.
    var start: Int64 = 0
}

extension DataLoop {
    /// Turns after a growth in which commands are timed.
    ///
    /// Reading the thread's clock is a system call. While no index grows nobody pays for it, and where one does it
    /// goes on growing.
    private static let timedTurns = 4

    @inline(__always)
    func growthMark(
        of shard: borrowing ShardInstance, _ entry: UnsafeMutablePointer<BatchEntry>
    ) -> GrowthMark {
        guard entry.pointee.valueStart > 0 && shard.store.nextInsertGrowsIndex else {
            return GrowthMark()
        }
        return GrowthMark(
            buckets: shard.store.scanEnd, sealCount: shard.store.sealCount,
            start: growthTurnsLeft > 0 ? shared.clock.threadNanoseconds : 0)
    }

    /// Keeps the longest time of a command that did make its index grow.
    ///
    /// It is processor time: what the thread waits for the processor is not the index's doing. Nor is what a
    /// command spends that begins another segment: the first touch of a huge page takes milliseconds where
    /// the system has to look for one.
    @inline(never)
    mutating func noteGrowth(of shard: borrowing ShardInstance, since mark: GrowthMark) {
        guard shard.store.scanEnd != mark.buckets else { return }
        growthTurnsLeft = Self.timedTurns
        guard mark.start != 0 && mark.sealCount == shard.store.sealCount else { return }
        let elapsed = UInt64(max(0, shared.clock.threadNanoseconds - mark.start))
        counters.raise(.indexGrowthPause, to: elapsed)
        counters.record(.indexGrowth, nanoseconds: elapsed, count: 1)
    }

    func resetMaxima() {
        counters.set(.longestTurn, to: 0)
        counters.set(.indexGrowthPause, to: 0)
    }
}
