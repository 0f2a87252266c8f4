// What a node has done and holds, added up over its loops and shards.
internal import DataPlane
internal import Primitives
internal import Storage

/// A sum over all loops and shards at one moment; not a consistent cut, as nobody is stopped for
/// it.
struct NodeTotals: Sendable {
    /// By ``LoopCounter``.
    var loops = [UInt64](repeating: 0, count: LoopCounter.allCases.count)
    var shards = ShardCounters()
    var store = StoreStatistics()
    /// Events that a shard's log had no room for.
    var eventsDropped: UInt64 = 0
    /// Buckets of all indexes.
    var indexBuckets = 0

    subscript(_ counter: LoopCounter) -> UInt64 { loops[counter.rawValue] }

    /// Adds up what `shared` knows now.
    init(of shared: NodeShared) {
        for counter in LoopCounter.allCases {
            for loop in shared.counters {
                let value = loop[counter]
                loops[counter.rawValue] =
                    counter.isMaximum
                    ? max(loops[counter.rawValue], value) : loops[counter.rawValue] &+ value
            }
        }
        for shard in 0..<shared.shards.access.count {
            let part = shared.shards.access.withShard(shard) { shard in
                ShardPart(
                    counters: shard.counters, store: shard.store.statistics,
                    dropped: shard.events.dropped, buckets: shard.store.scanEnd)
            }
            shards.add(part.counters)
            store.add(part.store)
            eventsDropped &+= part.dropped
            indexBuckets += part.buckets
        }
    }

    /// All zero.
    init() {}

    /// Takes what was counted up to `base` off; what is a size and no count stays.
    func since(_ base: NodeTotals) -> NodeTotals {
        var result = self
        for counter in LoopCounter.allCases where counter.isCount {
            result.loops[counter.rawValue] &-= base.loops[counter.rawValue]
        }
        result.shards.subtract(base.shards)
        result.store.subtractCounts(of: base.store)
        result.eventsDropped &-= base.eventsDropped
        return result
    }

    private struct ShardPart: Sendable {
        let counters: ShardCounters
        let store: StoreStatistics
        let dropped: UInt64
        let buckets: Int
    }
}

extension LoopCounter {
    /// Whether loops are compared instead of added up.
    var isMaximum: Bool {
        switch self {
        case .longestTurn, .indexGrowthPause: true
        default: false
        }
    }

    /// Whether it only rises, so that `stats reset` can begin anew.
    var isCount: Bool {
        switch self {
        case .currentConnections, .blockedConnections, .bufferBytes, .acceptsPaused: false
        default: !isMaximum
        }
    }
}

/// Latencies of one group over all loops.
struct LatencySummary {
    private let buckets: [UInt64]
    private let total: UInt64

    init(of group: CommandGroup, in shared: NodeShared, since base: [UInt64]) {
        var sum =
            base.isEmpty
            ? [UInt64](repeating: 0, count: LoopCounters.histogramWords) : base.map { 0 &- $0 }
        for loop in shared.counters {
            for (bucket, count) in loop.histogram(group).enumerated() { sum[bucket] &+= count }
        }
        buckets = sum
        total = sum.reduce(0, &+)
    }

    /// Commands counted.
    var count: UInt64 { total }

    /// Every bucket's count, to begin anew from.
    var counts: [UInt64] { buckets }

    /// The latency that `thousandths` of the commands did not exceed, in nanoseconds; at most 1/16
    /// too high.
    func quantile(thousandths: UInt64) -> UInt64 {
        guard total > 0 else { return 0 }
        let rank = (total * thousandths + 999) / 1000
        var seen: UInt64 = 0
        for (bucket, count) in buckets.enumerated() {
            seen += count
            if seen >= rank && count > 0 { return LoopCounters.upperBound(ofBucket: bucket) }
        }
        return 0
    }
}
