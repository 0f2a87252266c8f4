// Items that end: their memory comes back without anybody touching them.
public import Primitives

extension Store {
    /// Does a bounded piece of housekeeping: frees one segment whose items have all ended or were flushed,
    /// or gives memory back that the pool has promised elsewhere.
    ///
    /// - Returns: Whether there may be more to do at once.
    public mutating func maintain(at now: Instant) -> Bool {
        sealEnded(at: now)
        if freeEndedSegment(at: now) { return true }
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
    }

    private func hasEnded(_ info: SegmentInfo, at now: Instant) -> Bool {
        if info.maxVersion < minVersion.value { return true }
        return !info.hasImmortal && Expiry(tick: info.maxExpiryTick).hasPassed(at: now)
    }

    /// Frees the first segment of a class in which nothing is left to serve; false where there is none.
    mutating func freeEndedSegment(at now: Instant) -> Bool {
        for ttlClass in 0..<TTLClass.count where queues[ttlClass].head != 0 {
            let slot = queues[ttlClass].head
            guard info(slot).pointee.pins == 0 && hasEnded(info(slot).pointee, at: now) else {
                continue
            }
            walk(slot) { store, item in
                store.countEnded(item.layout)
                store.index.remove(item.word)
            }
            info(slot).pointee.liveItems = 0
            counts.segmentsExpired &+= 1
            freeSegment(slot)
            return true
        }
        return false
    }
}
