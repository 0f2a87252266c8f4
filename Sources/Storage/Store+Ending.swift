// Items that end: their memory comes back without anybody touching them.
public import Primitives

extension Store {
    /// Does a bounded piece of housekeeping: frees one segment whose items have all ended or were
    /// flushed, or gives memory back that the pool has promised elsewhere.
    ///
    /// A segment that ends out of turn (an item in front of it was touched to live longer, or is
    /// being sent) is found by a sweep that looks at some segments per call.
    ///
    /// - Returns: Whether there may be more to do at once.
    public mutating func maintain(at now: Instant) -> Bool {
        sealEnded(at: now)
        if freeEndedSegment(at: now) || sweep(at: now) { return true }
        if source.isOvercommitted() {
            return configuration.evicts && releaseSomething(at: now)
        }
        return false
    }

    /// Queues open segments whose items have all ended, so that they can be freed.
    private mutating func sealEnded(at now: Instant) {
        for entry in 0..<Self.openLimit where open[entry].slot != 0 {
            let known = info(open[entry].slot).pointee
            if known.usedBytes > 0 && known.pins == 0 && hasEnded(known, at: now) { seal(entry) }
        }
        for entry in 0..<Self.targetLimit where targets[entry].slot != 0 {
            let known = info(targets[entry].slot).pointee
            if known.usedBytes > 0 && known.pins == 0 && hasEnded(known, at: now) {
                sealTarget(entry)
            }
        }
    }

    private func hasEnded(_ info: SegmentInfo, at now: Instant) -> Bool {
        if info.maxVersion < minVersion.value { return true }
        return !info.hasImmortal && Expiry(tick: info.maxExpiryTick).hasPassed(at: now)
    }

    /// Frees the first segment of a queue in which nothing is left to serve; false where there is
    /// none.
    mutating func freeEndedSegment(at now: Instant) -> Bool {
        for queue in queues.indices where queues[queue].head != 0 {
            let slot = queues[queue].head
            guard info(slot).pointee.pins == 0 && hasEnded(info(slot).pointee, at: now) else {
                continue
            }
            freeEnded(slot)
            return true
        }
        return false
    }

    private mutating func freeEnded(_ slot: UInt32) {
        walk(slot) { store, item in
            store.countEnded(item.layout)
            store.index.remove(item.word)
        }
        info(slot).pointee.liveItems = 0
        counts.segmentsExpired &+= 1
        freeSegment(slot)
    }

    // MARK: The sweep

    /// Segments that one call of ``maintain(at:)`` looks at.
    static let sweepLimit = 64

    /// Goes on looking at the queues where it stopped; true where it freed a segment.
    private mutating func sweep(at now: Instant) -> Bool {
        var looked = 0
        var queuesLooked = 0
        while looked < Self.sweepLimit && queuesLooked <= queues.count {
            if sweepSlot == 0 {
                sweepQueue = (sweepQueue + 1) % queues.count
                sweepSlot = queues[sweepQueue].head
                queuesLooked += 1
                continue
            }
            let slot = sweepSlot
            sweepSlot = info(slot).pointee.next
            looked += 1
            if info(slot).pointee.pins == 0 && hasEnded(info(slot).pointee, at: now) {
                freeEnded(slot)
                return true
            }
        }
        return false
    }
}
