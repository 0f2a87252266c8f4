// Making room: fresh segments prove themselves first, main segments are merged by decayed
// frequency.
//
// New items are on probation: they are appended to fresh segments, which may hold a tenth of the
// memory while it is scarce. When a fresh segment's turn comes, the items that were read meanwhile
// are copied to main segments and the others go (S3-FIFO: Yang et al., SOSP 2023). When a main
// segment's turn comes, its most read items are copied behind the others with half their count
// (Segcache: Yang et al., NSDI 2021, section 4.4). An item that comes back soon after it was
// evicted has a ghost in the index and stays.
//
// Each turn weighs one segment, and at least half of it goes: no put waits for more than a few
// turns. The constants are measured: `kiln-micro hit-ratio`.
internal import Primitives

extension Store {
    /// Fresh segments are weighed first while they take more than one in so many.
    private static let freshShare = 10

    /// Weighs the items of one segment and drops the worst; false where there is nothing to weigh.
    mutating func evict(at now: Instant) -> Bool {
        // Pinned segments are passed over, however many: they cost a look each.
        for _ in 0...counts.slots {
            guard let slot = nextToWeigh() else { break }
            let known = info(slot).pointee
            if known.pins > 0 {
                requeue(slot)
                continue
            }
            // One large item, too large for what a merge may keep: it stays where it is or goes.
            let isSingle = known.liveItems == 1 && known.liveBytes > configuration.segmentBytes / 2
            if known.runCount > 1 || isSingle {
                weighSingle(slot, at: now)
            } else {
                weigh(slot, at: now)
            }
            return true
        }
        return sealForEviction()
    }

    /// The oldest fresh segment while there are many, else the oldest main one.
    private func nextToWeigh() -> UInt32? {
        let fresh = oldest(in: 0..<TTLClass.count)
        let isCrowded = (counts.slots - mainSlots) * Self.freshShare > counts.slots
        if isCrowded, let fresh { return fresh }
        return oldest(in: TTLClass.count..<TTLClass.count * 2) ?? fresh
    }

    private func oldest(in range: Range<Int>) -> UInt32? {
        var best: UInt32?
        var lowest = UInt64.max
        for queue in range where queues[queue].head != 0 {
            let sequence = info(queues[queue].head).pointee.sequence
            if sequence < lowest {
                lowest = sequence
                best = queues[queue].head
            }
        }
        return best
    }

    /// Moves a segment behind the others of its queue.
    private mutating func requeue(_ slot: UInt32) {
        dequeue(slot)
        enqueue(slot)
    }

    /// With nothing sealed, the fullest open segment is: the next call has something to weigh.
    private mutating func sealForEviction() -> Bool {
        var best: Int?
        for entry in 0..<Self.openLimit where open[entry].slot != 0 {
            let known = info(open[entry].slot).pointee
            guard known.pins == 0 && known.usedBytes > 0 else { continue }
            if let best, info(open[best].slot).pointee.usedBytes >= known.usedBytes { continue }
            best = entry
        }
        if let best {
            seal(best)
            return true
        }
        return sealTarget()
    }

    /// Large items spared one after another before one goes however often it was read: somebody
    /// waits.
    private static let spareLimitInARow = 16

    /// A segment of one large item: read since its last turn, it gets another with half the count;
    /// else it goes.
    private mutating func weighSingle(_ slot: UInt32, at now: Instant) {
        dequeue(slot)
        let info = info(slot)
        info.pointee.isMain = true
        enqueue(slot)
        walk(slot) { store, item in
            let frequency = Index.frequency(item.word)
            if !store.isServed(item.layout, at: now) {
                store.countEnded(item.layout)
                store.index.remove(item.word)
            } else if frequency > 0 && store.spared < Self.spareLimitInARow {
                Index.setFrequency(item.word, frequency / 2)
                store.spared += 1
                return
            } else {
                store.spared = 0
                store.evicted(item.layout, frequency: frequency, at: now)
                store.index.bury(item.word, at: store.counts.merges)
            }
            store.bury(item.layout, at: item.position)
        }
    }

    // MARK: Weighing

    /// Copies a segment's most read items to a main segment, drops the others and frees it.
    private mutating func weigh(_ slot: UInt32, at now: Instant) {
        counts.merges &+= 1
        let ttlClass = Int(info(slot).pointee.ttlClass)
        var choice = MergeChoice(
            histogram(of: slot, at: now), budget: configuration.segmentBytes / 2)
        walk(slot) { store, item in
            let frequency = Index.frequency(item.word)
            let bytes = item.layout.bytes
            if !store.isServed(item.layout, at: now) {
                store.countEnded(item.layout)
                store.index.remove(item.word)
            } else if choice.keeps(frequency, bytes: bytes),
                let target = store.target(for: bytes, ttlClass: ttlClass, isMain: true)
            {
                store.move(item, to: target, frequency: frequency / 2)
                return
            } else {
                store.evicted(item.layout, frequency: frequency, at: now)
                store.index.bury(item.word, at: store.counts.merges)
            }
            store.discard(item)
        }
        assert(info(slot).pointee.liveItems == 0, "a weighed segment still has items")
        freeSegment(slot)
    }

    /// Bytes of served items by what they are worth; of many items every fourth stands for the
    /// others.
    private mutating func histogram(of slot: UInt32, at now: Instant) -> MergeChoice.Histogram {
        var bytes = MergeChoice.Histogram(repeating: 0)
        let stride = info(slot).pointee.liveItems > 400 ? 4 : 1
        walk(slot, every: stride) { store, item in
            guard store.isServed(item.layout, at: now) else { return }
            let count = item.layout.bytes
            bytes[MergeChoice.rank(Index.frequency(item.word), bytes: count)] += count * stride
        }
        return bytes
    }

    /// Counts an eviction, and logs it where somebody watches.
    ///
    /// Without a time, how long ago the item was used is left as it was: a full index chain knows
    /// no time.
    mutating func evicted(_ layout: ItemLayout, frequency: Int, at now: Instant? = nil) {
        counts.evictions &+= 1
        if layout.expiry != .never { counts.evictedNonzero &+= 1 }
        if let now { counts.evictedSeconds = Self.second(now) &- layout.accessSecond }
        if !layout.wasFetched { counts.evictedUnfetched &+= 1 }
        if frequency > 0 { counts.evictedActive &+= 1 }
        evictionLog?.append(layout)
    }

    /// Counts an item whose memory comes back after its end.
    mutating func countEnded(_ layout: ItemLayout) {
        counts.reclaimed &+= 1
        if !layout.wasFetched { counts.expiredUnfetched &+= 1 }
    }
}
