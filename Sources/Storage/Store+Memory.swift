// Where new items go, and what becomes of the space of old ones.
internal import Primitives

extension Store {
    /// Slots kept back from the pool, so that a merge always has somewhere to copy to.
    static let spareLimit = 8

    /// Space for `bytes` in the open segment of the expiry's class; `keeping` stays where it is
    /// meanwhile.
    mutating func allocate(
        _ bytes: Int, _ expiry: Expiry, keeping item: Item, at now: Instant
    ) throws(StoreError) -> ItemPosition {
        let slot = Index.position(item.word).slot
        info(slot).pointee.pins += 1
        defer { info(slot).pointee.pins -= 1 }
        return try allocate(bytes, expiry, at: now)
    }

    /// Space for `bytes` in the open segment of the expiry's class.
    mutating func allocate(
        _ bytes: Int, _ expiry: Expiry, at now: Instant
    ) throws(StoreError) -> ItemPosition {
        guard bytes <= itemSizeLimit else { throw .tooLarge(bytes: bytes, limit: itemSizeLimit) }
        let wanted = TTLClass.of(expiry, nowTick: Expiry.ticks(at: now))
        if let position = reuse(bytes, ttlClass: wanted) ?? append(bytes, ttlClass: wanted) {
            return position
        }
        if bytes > configuration.segmentBytes {
            return try allocateRun(bytes, ttlClass: wanted, at: now)
        }
        let ttlClass = openClass(for: wanted)
        var entry = openIndex(of: ttlClass)
        if let known = entry, !hasRoom(open[known].slot, for: bytes) {
            seal(known)
            entry = nil
        }
        if entry == nil {
            guard let slot = takeSegment(at: now) else {
                counts.outOfMemory &+= 1
                throw .outOfMemory
            }
            entry = openSegment(slot, ttlClass: wanted)
        }
        guard let entry else { throw .outOfMemory }
        latestOpen = entry
        return take(bytes, of: open[entry].slot)
    }

    /// Space in the segment that the item before went to, if it is of the right class and has room.
    @inline(__always)
    private mutating func append(_ bytes: Int, ttlClass: Int) -> ItemPosition? {
        let known = open[latestOpen]
        guard known.slot != 0 && Int(known.ttlClass) == ttlClass && hasRoom(known.slot, for: bytes)
        else { return nil }
        return take(bytes, of: known.slot)
    }

    @inline(__always)
    private mutating func take(_ bytes: Int, of slot: UInt32) -> ItemPosition {
        let info = info(slot)
        let offset = info.pointee.usedBytes
        info.pointee.usedBytes = offset &+ UInt32(truncatingIfNeeded: bytes)
        usedBytes &+= bytes
        return ItemPosition(slot: slot, offset: Int(offset))
    }

    private func hasRoom(_ slot: UInt32, for bytes: Int) -> Bool {
        Int(info(slot).pointee.usedBytes) &+ bytes <= configuration.segmentBytes
    }

    // MARK: Open segments

    @inline(__always)
    private func openIndex(of ttlClass: Int) -> Int? {
        for entry in 0..<Self.openLimit
        where open[entry].slot != 0 && Int(open[entry].ttlClass) == ttlClass {
            return entry
        }
        return nil
    }

    /// The class whose open segment an item of `wanted` goes to: its own, unless all places are
    /// taken and it has none; then the next shorter open one, or the shortest.
    ///
    /// An item without end goes to the longest: it keeps the segment it shares from ending.
    func openClass(for wanted: Int) -> Int {
        var shorter = 0
        var shortest = TTLClass.count
        var longest = 0
        for entry in 0..<Self.openLimit {
            guard open[entry].slot != 0 else { return wanted }
            let known = Int(open[entry].ttlClass)
            if known == wanted { return wanted }
            guard known > 0 else { continue }
            if known < wanted && known > shorter { shorter = known }
            shortest = min(shortest, known)
            longest = max(longest, known)
        }
        if wanted == 0 { return longest }
        return shorter > 0 ? shorter : shortest
    }

    private mutating func openSegment(_ slot: UInt32, ttlClass: Int) -> Int {
        reset(slot, ttlClass: ttlClass, state: .open)
        for entry in 0..<Self.openLimit where open[entry].slot == 0 {
            open[entry] = OpenSegment(slot: slot, ttlClass: UInt8(ttlClass))
            return entry
        }
        preconditionFailure("no place for an open segment; a full table shares its classes")
    }

    func reset(_ slot: UInt32, ttlClass: Int, state: SegmentState, runCount: Int = 1) {
        var fresh = SegmentInfo()
        fresh.ttlClass = UInt8(ttlClass)
        fresh.state = state
        fresh.runCount = UInt32(runCount)
        info(slot).pointee = fresh
    }

    /// Ends the appending to an open segment and queues it.
    mutating func seal(_ entry: Int) {
        let slot = open[entry].slot
        open[entry] = OpenSegment()
        guard info(slot).pointee.liveItems > 0 || info(slot).pointee.pins > 0 else {
            freeSegment(slot)
            return
        }
        enqueue(slot)
    }

    mutating func enqueue(_ slot: UInt32) {
        let info = info(slot)
        info.pointee.state = .sealed
        info.pointee.sequence = nextSequence
        nextSequence += 1
        queues[info.pointee.queue].append(slot, infos)
        if info.pointee.isMain { mainSlots += Int(info.pointee.runCount) }
    }

    /// Takes a sealed segment out of its queue.
    mutating func dequeue(_ slot: UInt32) {
        let info = info(slot)
        if sweepSlot == slot { sweepSlot = info.pointee.next }
        queues[info.pointee.queue].remove(slot, infos)
        if info.pointee.isMain { mainSlots -= Int(info.pointee.runCount) }
    }

    // MARK: Runs

    /// Neighbouring slots for one item larger than a segment.
    private mutating func allocateRun(
        _ bytes: Int, ttlClass: Int, at now: Instant
    ) throws(StoreError) -> ItemPosition {
        let count = (bytes + configuration.segmentBytes - 1) >> segmentShift
        moves &+= 1
        while true {
            if let slot = source.acquire(count) {
                counts.slots += count
                reset(slot, ttlClass: ttlClass, state: .sealed, runCount: count)
                info(slot).pointee.usedBytes = UInt32(bytes)
                usedBytes &+= bytes
                enqueue(slot)
                return ItemPosition(slot: slot, offset: 0)
            }
            // One more slot is given back each time, so this ends.
            guard releaseSomething(at: now) else {
                counts.outOfMemory &+= 1
                throw .outOfMemory
            }
        }
    }

    /// Gives at least one slot back to the pool; false where nothing can be freed.
    ///
    /// The last spare goes last: without it a merge has nowhere to copy to.
    mutating func releaseSomething(at now: Instant) -> Bool {
        let before = counts.slots
        for _ in 0..<Self.evictionTries {
            if spareSlots.count > 1, let slot = spareSlots.popLast() {
                give(slot, count: 1)
                return true
            }
            guard freeEndedSegment(at: now) || (configuration.evicts && evict(at: now)) else {
                break
            }
            if counts.slots < before { return true }
        }
        guard let slot = spareSlots.popLast() else { return false }
        give(slot, count: 1)
        return true
    }

    // MARK: Taking and giving back

    /// A segment to append to: from the pool, or freed by merging.
    private mutating func takeSegment(at now: Instant) -> UInt32? {
        moves &+= 1
        if spareSlots.isEmpty, let slot = source.acquire(1) {
            counts.slots += 1
            spareSlots.append(slot)
        }
        compact(at: now)
        if let slot = source.acquire(1) {
            counts.slots += 1
            return slot
        }
        // The last spare stays: a merge needs somewhere to copy to.
        if spareSlots.count > 1 { return spareSlots.popLast() }
        for _ in 0..<Self.evictionTries {
            guard freeEndedSegment(at: now) || (configuration.evicts && evict(at: now)) else {
                break
            }
            if spareSlots.count > 1 { return spareSlots.popLast() }
            // A freed run went back to the pool.
            if let slot = source.acquire(1) {
                counts.slots += 1
                return slot
            }
        }
        return spareSlots.popLast()
    }

    /// Turns of eviction before a store gives up; all but those that meet only pinned segments, or
    /// a large value that was read, free a segment.
    private static let evictionTries = 64

    /// Takes an unpinned segment out of use; its items are gone from the index already.
    mutating func freeSegment(_ slot: UInt32) {
        let info = info(slot)
        assert(info.pointee.pins == 0, "segment \(slot) is freed under \(info.pointee.pins) pins")
        if info.pointee.state == .sealed { dequeue(slot) }
        usedBytes &-= Int(info.pointee.usedBytes)
        counts.liveBytes &-= info.pointee.liveBytes
        info.pointee.state = .free
        extents.removeAll(in: slot)
        let count = Int(info.pointee.runCount)
        if count == 1 && spareSlots.count < Self.spareLimit {
            spareSlots.append(slot)
        } else {
            give(slot, count: count)
        }
    }

    private mutating func give(_ slot: UInt32, count: Int) {
        counts.slots -= count
        source.release(slot, count)
    }

    /// Marks an item's bytes dead; a segment with nothing left in it is freed.
    mutating func bury(_ layout: ItemLayout, at position: ItemPosition) {
        let bytes = layout.bytes
        layout.options.insert(.dead)
        let info = info(position.slot)
        info.pointee.liveBytes &-= bytes
        info.pointee.liveItems &-= 1
        counts.liveBytes &-= bytes
        if bytes >= Self.pinnableBytes && info.pointee.runCount == 1 {
            extents.push(Extent(position: position, bytes: bytes))
        }
        freeIfEmpty(position.slot)
    }

    /// Frees a segment with nothing left in it, unless a send or an upload still needs its bytes.
    mutating func freeIfEmpty(_ slot: UInt32) {
        let info = info(slot)
        guard info.pointee.liveItems == 0 && info.pointee.pins == 0 else { return }
        switch info.pointee.state {
        case .sealed: freeSegment(slot)
        case .open:
            extents.removeAll(in: slot)
            usedBytes &-= Int(info.pointee.usedBytes)
            info.pointee.usedBytes = 0
            info.pointee.maxVersion = 0
            info.pointee.maxExpiryTick = 0
            info.pointee.hasImmortal = false
        case .free: break
        }
    }
}
