// All items of a node, a few at a time: what dumps and size counts share.
internal import DataPlane
internal import Primitives
internal import Storage

/// Where a walk over all shards stands.
///
/// An item that is there throughout is met at least once, and a second time where its shard's index
/// grows meanwhile.
struct ItemScan {
    /// Items and buckets looked at under one hold of a shard's lock: some 50 microseconds at the
    /// most.
    private static let stepLimit = 256
    /// Holds of a lock before the loop turns to its other connections.
    private static let holdLimit = 32

    private var shard = 0
    private var bucket = 0
    /// The items of one bucket, kept for its memory only.
    private var found: [Item] = []

    /// Calls `body` with items until there are no more, `isFull` says so, or others must have their
    /// turn.
    ///
    /// - Returns: Whether there may be more.
    mutating func advance(
        _ shared: NodeShared, at now: ClockReading, until isFull: () -> Bool,
        _ body: (inout ShardInstance, Item) -> Void
    ) -> Bool {
        var holds = 0
        while shard < shared.shards.access.count && holds < Self.holdLimit && !isFull() {
            holds += 1
            step(shared.shards.access, at: now, body)
        }
        return shard < shared.shards.access.count
    }

    private mutating func step(
        _ shards: ShardAccess, at now: ClockReading, _ body: (inout ShardInstance, Item) -> Void
    ) {
        shards.withShard(shard) { instance in
            let end = instance.store.scanEnd
            var looked = 0
            while bucket < end && looked < Self.stepLimit {
                looked += 1
                found.removeAll(keepingCapacity: true)
                instance.store.scan(bucket: bucket, at: now.instant) { found.append($0) }
                for item in found { body(&instance, item) }
                looked += found.count
                bucket += 1
            }
            guard bucket >= end else { return }
            bucket = 0
            shard += 1
        }
    }
}

/// `lru_crawler metadump`, `lru_crawler mgdump` and `stats cachedump`.
struct DumpStream: ReplyStream {
    let ticket: DumpTicket
    let listing: ItemListing
    /// Lines still wanted.
    var left: Int
    /// Bytes still wanted.
    var bytesLeft: Int
    private var scan = ItemScan()

    init(_ listing: ItemListing, _ ticket: DumpTicket, limit: Int = .max, bytes: Int = .max) {
        self.listing = listing
        self.ticket = ticket
        left = limit
        bytesLeft = bytes
    }

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        let start = reply.count
        let room = min(DataLoop.streamBytes, bytesLeft)
        var left = left
        let before = left
        let origin = shared.clock.originSeconds
        let goesOn = scan.advance(
            shared, at: now, until: { reply.count - start >= room || left == 0 }
        ) { shard, item in
            guard left > 0 else { return }
            left -= 1
            shard.describe(item, as: listing, at: now.instant, origin: origin, to: &reply)
        }
        ticket.noteChecked(before - left)
        self.left = left
        bytesLeft -= min(bytesLeft, reply.count - start)
        if goesOn && left > 0 && bytesLeft > 0 { return .more }
        reply.append(listing == .mgdump ? "EN\r\n" : "END\r\n")
        return .ended
    }
}

/// `stats sizes`: how many items there are of each size, in steps as memcached has them.
struct SizesStream: ReplyStream {
    /// Steps of 32 bytes below this, of ``coarseStep`` above.
    private static let fineLimit = 1 << 20
    private static let fineStep = 32
    private static let coarseStep = 64 << 10

    let ticket: DumpTicket
    private var scan = ItemScan()
    private var counts: [UInt64]
    private var next = 0

    init(_ ticket: DumpTicket, itemSizeLimit: Int) {
        self.ticket = ticket
        let fine = Self.fineLimit / Self.fineStep
        let coarse = max(0, itemSizeLimit - Self.fineLimit) / Self.coarseStep
        // Keys and headers come on top of the largest value.
        counts = Array(repeating: 0, count: fine + coarse + 3)
    }

    /// The step that an item of `bytes` bytes is counted in: the first that it does not exceed.
    static func step(of bytes: Int) -> Int {
        if bytes <= fineLimit { return (bytes + fineStep - 1) / fineStep }
        return fineLimit / fineStep + (bytes - fineLimit + coarseStep - 1) / coarseStep
    }

    /// The largest size that is counted in a step.
    static func size(ofStep step: Int) -> Int {
        let fine = fineLimit / fineStep
        return step <= fine ? step * fineStep : fineLimit + (step - fine) * coarseStep
    }

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        var checked = 0
        let goesOn = scan.advance(shared, at: now, until: { false }) { shard, item in
            checked += 1
            let step = min(Self.step(of: shard.store.bytes(of: item)), counts.count - 1)
            counts[step] += 1
        }
        ticket.noteChecked(checked)
        if goesOn { return .more }
        let start = reply.count
        while next < counts.count && reply.count - start < DataLoop.streamBytes {
            if counts[next] > 0 {
                reply.append(text: "STAT \(Self.size(ofStep: next)) \(counts[next])\r\n")
            }
            next += 1
        }
        guard next == counts.count else { return .more }
        reply.append("END\r\n")
        return .ended
    }
}
