// Making room: merge-based eviction (Segcache, section 4.4) and the removal of dead bytes.
//
// The oldest sealed segments of one class are merged into fewer. Which items stay is decided by how often
// they were read since the last merge; their counts are halved, so that yesterday's favourites fade.
internal import Primitives

extension Store {
    /// Segments merged at a time.
    static let mergeSources = 4
    /// Segments that are kept of ``mergeSources`` at the most: the larger, the more an eviction copies for
    /// each segment it frees, and the more of the memory can hold items that have proved themselves.
    static let mergeTargets = 3

    /// Makes room by dropping the least read items of the oldest segments; false where all is pinned.
    mutating func evict(at now: Instant) -> Bool {
        guard let oldest = oldestQueue() else { return sealForEviction() }
        if info(queues[oldest].head).pointee.runCount > 1 {
            return evictRun(queues[oldest].head, at: now)
        }
        let sources = mergeCandidates(in: oldest)
        guard !sources.isEmpty else { return rotate(oldest) }
        counts.merges &+= 1
        merge(sources, keeping: min(Self.mergeTargets, sources.count - 1), ages: true, at: now)
        return true
    }

    /// The class whose first unpinned segment has waited longest.
    private func oldestQueue() -> Int? {
        var best: Int?
        var lowest = UInt64.max
        for ttlClass in 0..<TTLClass.count where queues[ttlClass].head != 0 {
            let sequence = info(queues[ttlClass].head).pointee.sequence
            if sequence < lowest {
                lowest = sequence
                best = ttlClass
            }
        }
        return best
    }

    /// The first unpinned ordinary segments of a class, in the order of the queue.
    private func mergeCandidates(in ttlClass: Int) -> [UInt32] {
        var found: [UInt32] = []
        found.reserveCapacity(Self.mergeSources)
        var slot = queues[ttlClass].head
        var looked = 0
        while slot != 0 && found.count < Self.mergeSources && looked < Self.mergeSources * 4 {
            let known = info(slot).pointee
            if known.pins == 0 && known.runCount == 1 { found.append(slot) }
            slot = known.next
            looked += 1
        }
        return found
    }

    /// Moves a class's pinned head behind the others; false where it is alone.
    private mutating func rotate(_ ttlClass: Int) -> Bool {
        let slot = queues[ttlClass].head
        guard info(slot).pointee.next != 0 else { return sealForEviction() }
        queues[ttlClass].remove(slot, infos)
        enqueue(slot)
        return true
    }

    /// With nothing sealed, the fullest open segment is: the next call has something to merge.
    private mutating func sealForEviction() -> Bool {
        var best: Int?
        for entry in 0..<Self.openLimit where open[entry].slot != 0 {
            let known = info(open[entry].slot).pointee
            guard known.pins == 0 && known.usedBytes > 0 else { continue }
            if let best, info(open[best].slot).pointee.usedBytes >= known.usedBytes { continue }
            best = entry
        }
        guard let best else { return false }
        seal(best)
        return true
    }

    /// A run holds one item: read since its last turn, it gets another with half the count; else it goes.
    private mutating func evictRun(_ slot: UInt32, at now: Instant) -> Bool {
        queues[Int(info(slot).pointee.ttlClass)].remove(slot, infos)
        enqueue(slot)
        guard info(slot).pointee.pins == 0 else {
            return queues.contains { $0.head != slot && $0.head != 0 }
        }
        walk(slot) { store, item in
            let frequency = Index.frequency(item.word)
            if !store.isServed(item.layout, at: now) {
                store.countEnded(item.layout)
            } else if frequency > 0 {
                Index.setFrequency(item.word, frequency / 2)
                return
            } else {
                store.evicted(item.layout, frequency: 0, at: now)
            }
            store.index.remove(item.word)
            store.bury(item.layout, at: item.position)
        }
        return true
    }

    // MARK: Merging

    /// Copies the items worth keeping of `sources` into at most `keeping` segments and frees the rest.
    ///
    /// The first target is a spare slot; every source that has been walked can be the next one.
    private mutating func merge(_ sources: [UInt32], keeping: Int, ages: Bool, at now: Instant) {
        var choice = MergeChoice(
            targets: keeping, segmentBytes: configuration.segmentBytes, ages: ages, now: now,
            ttlClass: Int(info(sources[0]).pointee.ttlClass))
        if ages { choice.setCutoff(histogram(of: sources, at: now)) }
        for slot in sources {
            walk(slot) { store, item in store.settle(item, &choice) }
            assert(info(slot).pointee.liveItems == 0, "a merged segment still has items")
            freeSegment(slot)
        }
        if choice.target != 0 {
            if info(choice.target).pointee.liveItems > 0 {
                enqueue(choice.target)
            } else {
                freeSegment(choice.target)
            }
        }
    }

    /// Bytes of served items by how often they were read.
    private mutating func histogram(of sources: [UInt32], at now: Instant) -> [Int] {
        var bytes = Array(repeating: 0, count: 256)
        for slot in sources {
            walk(slot) { store, item in
                guard store.isServed(item.layout, at: now) else { return }
                bytes[Index.frequency(item.word)] += item.layout.bytes
            }
        }
        return bytes
    }

    /// Moves one item to the merge's target, or drops it.
    private mutating func settle(_ item: WalkedItem, _ choice: inout MergeChoice) {
        let frequency = Index.frequency(item.word)
        let bytes = item.layout.bytes
        if !isServed(item.layout, at: choice.now) {
            countEnded(item.layout)
        } else if choice.keeps(frequency, bytes: bytes), makeRoom(for: bytes, &choice) {
            move(item, to: choice.target, frequency: choice.ages ? frequency / 2 : frequency)
            return
        } else {
            evicted(item.layout, frequency: frequency, at: choice.now)
        }
        index.remove(item.word)
        item.layout.options.insert(.dead)
        forget(item)
    }

    /// Takes a dropped or moved item out of its segment's account; the segment is freed by the merge.
    private mutating func forget(_ item: WalkedItem) {
        let bytes = item.layout.bytes
        let source = info(item.position.slot)
        source.pointee.liveBytes &-= bytes
        source.pointee.liveItems &-= 1
        counts.liveBytes &-= bytes
    }

    private mutating func makeRoom(for bytes: Int, _ choice: inout MergeChoice) -> Bool {
        if choice.target != 0 {
            let used = Int(info(choice.target).pointee.usedBytes)
            if used + bytes <= configuration.segmentBytes { return true }
            enqueue(choice.target)
            choice.target = 0
        }
        guard choice.targets > 0, let slot = spareSlots.popLast() else { return false }
        choice.targets -= 1
        reset(slot, ttlClass: choice.ttlClass, state: .open)
        choice.target = slot
        return true
    }

    private mutating func move(_ item: WalkedItem, to target: UInt32, frequency: Int) {
        let bytes = item.layout.bytes
        let info = info(target)
        let position = ItemPosition(slot: target, offset: Int(info.pointee.usedBytes))
        let fresh = layout(at: position)
        fresh.address.copyMemory(from: item.layout.address, byteCount: bytes)
        forget(item)
        item.layout.options.insert(.dead)
        info.pointee.usedBytes += UInt32(bytes)
        info.pointee.liveBytes += bytes
        info.pointee.liveItems += 1
        usedBytes &+= bytes
        counts.liveBytes &+= bytes
        Index.setPosition(item.word, position)
        Index.setFrequency(item.word, frequency)
        note(fresh.attributes, in: target)
    }

    /// Counts an eviction, and logs it where somebody watches.
    ///
    /// Without a time, how long ago the item was used is left as it was: a full index chain knows no time.
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

    // MARK: Dead bytes

    /// Whether replaced and removed items take more than an eighth of the used bytes.
    var wantsCompaction: Bool {
        let dead = usedBytes - counts.liveBytes
        return dead * 8 > usedBytes && dead > configuration.segmentBytes * 4
    }

    /// Rewrites the segments with the most dead bytes of one class, dropping nothing that counts.
    mutating func compact(at now: Instant) {
        guard !spareSlots.isEmpty, let worst = mostDead(in: nil, besides: []) else { return }
        let ttlClass = Int(info(worst).pointee.ttlClass)
        var sources = [worst]
        var live = info(worst).pointee.liveBytes
        while sources.count < Self.mergeSources, let next = mostDead(in: ttlClass, besides: sources)
        {
            sources.append(next)
            live += info(next).pointee.liveBytes
        }
        // Less than a segment's worth of dead bytes would free nothing; each target wastes up to an item.
        guard live <= (sources.count - 1) * configuration.segmentBytes * 15 / 16 else { return }
        counts.compactions &+= 1
        merge(sources, keeping: sources.count, ages: false, at: now)
    }

    private func mostDead(in ttlClass: Int?, besides known: [UInt32]) -> UInt32? {
        var best: UInt32?
        var most = configuration.segmentBytes / 16
        for queue in 0..<TTLClass.count where ttlClass == nil || queue == ttlClass {
            var slot = queues[queue].head
            while slot != 0 {
                let candidate = info(slot).pointee
                let dead = Int(candidate.usedBytes) - candidate.liveBytes
                if dead > most && candidate.pins == 0 && candidate.runCount == 1
                    && !known.contains(slot)
                {
                    most = dead
                    best = slot
                }
                slot = candidate.next
            }
        }
        return best
    }
}

/// Which items a merge keeps, and where it is copying to.
struct MergeChoice {
    /// Segments that may still be begun: items that don't fill them well can't make a merge free nothing.
    var targets: Int
    /// Bytes that may be kept.
    private let budget: Int
    /// Whether counts are halved and a cutoff applies.
    let ages: Bool
    let now: Instant
    let ttlClass: Int
    /// The segment being filled; 0 before the first item.
    var target: UInt32 = 0
    /// Items read more often stay, those read less often go, and of those in between ``tieBytes`` stay.
    private var cutoff = 0
    private var tieBytes = 0

    init(targets: Int, segmentBytes: Int, ages: Bool, now: Instant, ttlClass: Int) {
        self.targets = targets
        budget = targets * segmentBytes
        self.ages = ages
        self.now = now
        self.ttlClass = ttlClass
        tieBytes = budget
    }

    /// Finds the count at which the budget is used up.
    mutating func setCutoff(_ bytesByFrequency: [Int]) {
        var rest = budget
        for frequency in stride(from: 255, through: 0, by: -1) {
            cutoff = frequency
            if bytesByFrequency[frequency] > rest { break }
            rest -= bytesByFrequency[frequency]
        }
        // Items that nobody read are kept only where they were never given the time: not here.
        tieBytes = cutoff == 0 ? 0 : rest
    }

    mutating func keeps(_ frequency: Int, bytes: Int) -> Bool {
        guard ages else { return true }
        if frequency > cutoff { return true }
        guard frequency == cutoff && tieBytes >= bytes else { return false }
        tieBytes -= bytes
        return true
    }
}
