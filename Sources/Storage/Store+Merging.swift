// Moving items together: what eviction keeps, and what is left between dead bytes.
internal import Primitives

extension Store {
    /// Classes that may have a segment being copied to at a time.
    static let targetLimit = 8

    /// A segment with room for `bytes` that a merge may copy to; nil where no slot is spare.
    ///
    /// Targets stay open from one merge to the next, or each merge would leave one half empty. One
    /// merge of one segment begins at most one: what it has left always fits an empty one.
    mutating func target(for bytes: Int, ttlClass: Int, isMain: Bool) -> UInt32? {
        let entry = targetEntry(ttlClass, isMain)
        if let entry {
            let slot = targets[entry].slot
            if Int(info(slot).pointee.usedBytes) + bytes <= configuration.segmentBytes {
                return slot
            }
            sealTarget(entry)
        }
        guard let slot = spareSlots.popLast() else { return nil }
        reset(slot, ttlClass: ttlClass, state: .open)
        info(slot).pointee.isMain = isMain
        for entry in 0..<Self.targetLimit where targets[entry].slot == 0 {
            targets[entry] = OpenSegment(slot: slot, ttlClass: UInt8(ttlClass), isMain: isMain)
            return slot
        }
        preconditionFailure("no place for a merge target; a full table shares its classes")
    }

    /// The target of a class, or, where all places are taken, the one of the nearest class of its
    /// kind.
    private func targetEntry(_ ttlClass: Int, _ isMain: Bool) -> Int? {
        var best: Int?
        var shortest = Int.max
        var isFull = true
        for entry in 0..<Self.targetLimit {
            let known = targets[entry]
            guard known.slot != 0 else {
                isFull = false
                continue
            }
            let isMixed = (known.ttlClass == 0) != (ttlClass == 0)
            let distance =
                abs(Int(known.ttlClass) - ttlClass) + (isMixed ? 1 << 10 : 0)
                + (known.isMain == isMain ? 0 : 1 << 20)
            if distance == 0 { return entry }
            if distance < shortest {
                shortest = distance
                best = entry
            }
        }
        return isFull ? best : nil
    }

    /// Queues a target, or frees it where nothing in it is left.
    mutating func sealTarget(_ entry: Int) {
        let slot = targets[entry].slot
        targets[entry] = OpenSegment()
        let known = info(slot).pointee
        if known.liveItems > 0 || known.pins > 0 { enqueue(slot) } else { freeSegment(slot) }
    }

    /// Queues the fullest unpinned target; false where there is none.
    mutating func sealTarget() -> Bool {
        var best: Int?
        for entry in 0..<Self.targetLimit where targets[entry].slot != 0 {
            let known = info(targets[entry].slot).pointee
            guard known.pins == 0 else { continue }
            if let best, info(targets[best].slot).pointee.usedBytes >= known.usedBytes { continue }
            best = entry
        }
        guard let best else { return false }
        sealTarget(best)
        return true
    }

    /// Copies an item to a target and points the index there.
    mutating func move(_ item: WalkedItem, to target: UInt32, frequency: Int) {
        let bytes = item.layout.bytes
        let info = info(target)
        let position = ItemPosition(slot: target, offset: Int(info.pointee.usedBytes))
        let fresh = layout(at: position)
        fresh.address.copyMemory(from: item.layout.address, byteCount: bytes)
        discard(item)
        info.pointee.usedBytes += UInt32(bytes)
        info.pointee.liveBytes += bytes
        info.pointee.liveItems += 1
        usedBytes &+= bytes
        counts.liveBytes &+= bytes
        counts.copiedBytes &+= UInt64(bytes)
        Index.setPosition(item.word, position)
        Index.setFrequency(item.word, frequency)
        note(version: fresh.version, expiry: fresh.expiry, in: target)
    }

    /// Takes a dropped or moved item out of its segment's account; the merge frees the segment.
    mutating func discard(_ item: WalkedItem) {
        let bytes = item.layout.bytes
        item.layout.options.insert(.dead)
        let source = info(item.position.slot)
        source.pointee.liveBytes &-= bytes
        source.pointee.liveItems &-= 1
        counts.liveBytes &-= bytes
    }

    // MARK: Dead bytes

    /// Whether replaced and removed items take more than an eighth of the used bytes.
    private var wantsCompaction: Bool {
        let dead = usedBytes - counts.liveBytes - counts.pendingBytes
        return dead * 8 > usedBytes && dead > configuration.segmentBytes * 4
    }

    /// Rewrites the segments with the most dead bytes, a few at a time, dropping nothing that
    /// counts.
    mutating func compact(at now: Instant) {
        for _ in 0..<Self.compactionLimit {
            guard wantsCompaction, !spareSlots.isEmpty, let slot = mostDead() else { return }
            counts.compactions &+= 1
            let known = info(slot).pointee
            walk(slot) { store, item in
                let target = store.target(
                    for: item.layout.bytes, ttlClass: Int(known.ttlClass), isMain: known.isMain)
                guard let target else { preconditionFailure("a compaction ran out of segments") }
                store.move(item, to: target, frequency: Index.frequency(item.word))
            }
            freeSegment(slot)
        }
    }

    /// Segments compacted in one go: a put waits for all of them.
    private static let compactionLimit = 4

    private func mostDead() -> UInt32? {
        var best: UInt32?
        // Less is not worth the copying.
        var most = configuration.segmentBytes / 16
        for queue in queues.indices {
            var slot = queues[queue].head
            while slot != 0 {
                let known = info(slot)
                let dead = Int(known.pointee.usedBytes) - known.pointee.liveBytes
                if dead > most && known.pointee.pins == 0 && known.pointee.runCount == 1 {
                    most = dead
                    best = slot
                }
                slot = known.pointee.next
            }
        }
        return best
    }
}
