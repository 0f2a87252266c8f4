// Short forms of the store's calls, and the check of everything a store must always agree with
// itself on.
import Glibc
import Primitives
import Testing

@testable import Storage

extension Store {
    /// Looks a key up as a client's read does, without noting it.
    mutating func value(_ key: [UInt8], at now: Instant) -> [UInt8]? {
        guard let item = find(key.span.bytes, hash: KeyHash(of: key.span.bytes), at: now) else {
            return nil
        }
        return value(of: item).withUnsafeBytes { Array($0) }
    }

    mutating func item(_ key: [UInt8], at now: Instant) -> Item? {
        find(key.span.bytes, hash: KeyHash(of: key.span.bytes), at: now)
    }

    /// The same for the middle of an expectation, where nothing may be mutated.
    func peek(_ key: String, at now: Instant) -> Item? {
        Array(key.utf8).withUnsafeBytes { bytes in
            let item = locate(bytes, mixed(KeyHash(of: bytes.bytes)))
            return item.flatMap { isServed($0.layout, at: now) ? $0 : nil }
        }
    }

    @discardableResult
    mutating func set(
        _ key: [UInt8], _ value: [UInt8], _ attributes: ItemAttributes, at now: Instant
    ) throws(StoreError) -> Item {
        try put(
            key.span.bytes, hash: KeyHash(of: key.span.bytes), value: value.span.bytes,
            attributes: attributes, at: now)
    }

    /// Keys met by a scan over all buckets, ended items left out.
    func scannedBytes(at now: Instant) -> (items: Int, bytes: Int) {
        var items = 0
        var bytes = 0
        for bucket in 0..<scanEnd {
            scan(bucket: bucket, at: now) { item in
                items += 1
                bytes += item.layout.bytes
            }
        }
        return (items, bytes)
    }

    /// Records an issue for everything that does not add up: index, segments, queues, counters.
    func checkInvariants(pool: TestPool? = nil, at location: SourceLocation = #_sourceLocation) {
        var seen = StoreSums()
        checkQueues(&seen, location)
        for entry in 0..<Self.openLimit where open[entry].slot != 0 {
            let known = info(open[entry].slot).pointee
            check(known.state == .open, "known.state == .open", location)
            check(
                known.ttlClass == open[entry].ttlClass, "known.ttlClass == open[entry].ttlClass",
                location)
            checkSegment(open[entry].slot, &seen, location)
        }
        for entry in 0..<Self.targetLimit where targets[entry].slot != 0 {
            let known = info(targets[entry].slot).pointee
            check(known.state == .open, "a target is open", location)
            check(known.isMain == targets[entry].isMain, "a target's kind", location)
            checkSegment(targets[entry].slot, &seen, location)
        }
        for slot in spareSlots {
            check(info(slot).pointee.state == .free, "info(slot).pointee.state == .free", location)
            seen.slots += 1
            seen.spares += 1
        }
        check(seen.items == index.itemCount, "items in segments", location)
        check(seen.liveBytes == counts.liveBytes, "live bytes", location)
        check(seen.usedBytes == usedBytes, "used bytes", location)
        check(seen.slots == counts.slots, "slots", location)
        check(seen.pendingBytes == counts.pendingBytes, "pending", location)
        check(seen.spares <= Self.spareLimit, "seen.spares <= Self.spareLimit", location)
        if let pool {
            check(pool.usedSlots == seen.slots, "pool.usedSlots == seen.slots", location)
        }
        checkIndex(location)
    }

    private func checkQueues(_ seen: inout StoreSums, _ location: SourceLocation) {
        var mainSlots = 0
        for queue in queues.indices {
            var slot = queues[queue].head
            var previous: UInt32 = 0
            var sequence: UInt64 = 0
            while slot != 0 {
                let known = info(slot).pointee
                check(known.previous == previous, "known.previous == previous", location)
                check(known.state == .sealed, "known.state == .sealed", location)
                check(known.queue == queue, "a segment is in its queue", location)
                if known.isMain { mainSlots += Int(known.runCount) }
                check(known.sequence > sequence, "known.sequence > sequence", location)
                check(
                    known.liveItems > 0 || known.pins > 0, "known.liveItems > 0 || known.pins > 0",
                    location)
                checkSegment(slot, &seen, location)
                previous = slot
                sequence = known.sequence
                slot = known.next
            }
            check(queues[queue].tail == previous, "a queue's tail", location)
        }
        check(mainSlots == self.mainSlots, "main slots", location)
    }

    /// Adds up one segment's items from their bytes and compares with its info.
    private func checkSegment(
        _ slot: UInt32, _ seen: inout StoreSums, _ location: SourceLocation
    ) {
        let known = info(slot).pointee
        var items = 0
        var bytes = 0
        var offset = 0
        while offset < Int(known.usedBytes) {
            let position = ItemPosition(slot: slot, offset: offset)
            let layout = layout(at: position)
            if layout.options.contains(.pending) && !layout.options.contains(.dead) {
                seen.pendingBytes += layout.bytes
            }
            if layout.isLive {
                items += 1
                bytes += layout.bytes
                checkItem(layout, position, known, location)
            }
            offset += layout.bytes
        }
        check(offset == Int(known.usedBytes), "items end where used", location)
        check(items == Int(known.liveItems), "live items of \(slot)", location)
        check(bytes == known.liveBytes, "live bytes of \(slot)", location)
        seen.items += items
        seen.liveBytes += bytes
        seen.usedBytes += Int(known.usedBytes)
        seen.slots += Int(known.runCount)
    }

    private func checkItem(
        _ layout: ItemLayout, _ position: ItemPosition, _ known: SegmentInfo,
        _ location: SourceLocation
    ) {
        let word = index.find(mixedHash(of: layout), at: position)
        check(word != nil, "a live item is not indexed", location)
        check(
            layout.version.value <= known.maxVersion, "layout.version.value <= known.maxVersion",
            location)
        if layout.expiry.tick == 0 {
            check(known.hasImmortal, "known.hasImmortal", location)
        } else {
            check(
                layout.expiry.tick <= known.maxExpiryTick,
                "layout.expiry.tick <= known.maxExpiryTick", location)
        }
    }

    private func checkIndex(_ location: SourceLocation) {
        var words = 0
        for bucket in 0..<index.bucketCount {
            index.forEach(bucket: bucket) { word in
                words += 1
                let position = Index.position(word)
                let layout = layout(at: position)
                check(layout.isLive, "the index points to a dead item", location)
                check(
                    index.find(mixedHash(of: layout), at: position) == word,
                    "an index word is in a bucket that is not its key's", location)
            }
        }
        check(words == index.itemCount, "index words", location)
    }
}

/// What the segments of a store add up to.
struct StoreSums {
    var items = 0
    var liveBytes = 0
    var usedBytes = 0
    var pendingBytes = 0
    var slots = 0
    var spares = 0
}

/// An expectation without the cost of the macro, which counts where it is met a million times.
func check(_ holds: Bool, _ what: @autoclosure () -> String, _ location: SourceLocation) {
    if holds { return }
    Issue.record("\(what())", sourceLocation: location)
}

/// Compares in one call: a loop over bytes is slow in a debug build.
func sameBytes(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Bool {
    guard first.count == second.count else { return false }
    guard let one = first.baseAddress, let other = second.baseAddress else { return true }
    return memcmp(one, other, first.count) == 0
}
