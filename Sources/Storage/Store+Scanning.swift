// Reading all items, a piece at a time, for dumps.
public import Primitives

extension Store {
    /// Buckets that ``scan(bucket:at:_:)`` accepts: it grows while items are added.
    public var scanEnd: Int { index.bucketCount }

    /// Calls `body` with each served item of one index bucket.
    ///
    /// Going from bucket 0 to ``scanEnd`` meets every item that is there throughout at least once;
    /// an item may be met twice where the index grows meanwhile.
    public func scan(bucket: Int, at now: Instant, _ body: (Item) -> Void) {
        index.forEach(bucket: bucket) { word in
            let layout = layout(at: Index.position(word))
            if isServed(layout, at: now) { body(Item(layout: layout, word: word)) }
        }
    }

    /// How often the item was read since it was last weighed, up to 15.
    public func frequency(of item: Item) -> Int { Index.frequency(item.word) }

    /// Bytes the item takes, header and padding included.
    public func bytes(of item: Item) -> Int { item.layout.bytes }
}

/// An item that was evicted while somebody watched.
public struct EvictionRecord: Sendable {
    /// The key's bytes.
    public var key: [UInt8]
    /// Whether it had been read.
    public var wasFetched: Bool
    /// Bytes it took.
    public var bytes: Int
    /// Bytes of its value.
    public var valueCount: Int
    /// When it would have ended.
    public var expiry: Expiry
    /// Seconds since the node started when it was last read.
    public var accessSecond: UInt32
}

/// The latest evictions, while somebody watches; more than ``limit`` between two looks are only
/// counted.
struct EvictionLog {
    /// Enough for all small items of a segment.
    static let limit = 8_192

    var records: [EvictionRecord] = []
    var skipped = 0

    mutating func append(_ layout: ItemLayout) {
        guard records.count < Self.limit else {
            skipped += 1
            return
        }
        records.append(
            EvictionRecord(
                key: Array(layout.key), wasFetched: layout.wasFetched, bytes: layout.bytes,
                valueCount: layout.valueCount,
                expiry: layout.expiry, accessSecond: layout.accessSecond))
    }
}

extension Store {
    /// Whether evictions are recorded for ``takeEvictions()``.
    public var recordsEvictions: Bool {
        get { evictionLog != nil }
        set {
            if newValue == (evictionLog != nil) { return }
            evictionLog = newValue ? EvictionLog() : nil
        }
    }

    /// The evictions recorded since the last call, and how many more there were.
    public mutating func takeEvictions() -> (records: [EvictionRecord], skipped: Int) {
        guard let log = evictionLog, !log.records.isEmpty else { return ([], 0) }
        evictionLog = EvictionLog()
        return (log.records, log.skipped)
    }
}
