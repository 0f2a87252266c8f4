/// What was counted for one key in some time: of samples, or scaled to requests.
public struct KeyCounts: Equatable, Sendable {
    /// Reads.
    public var reads = 0.0
    /// Requests that may have changed the item.
    public var writes = 0.0
    /// Reads that found the item.
    public var hits = 0.0
    /// Reads that did not.
    public var misses = 0.0
    /// Bytes of values read and written.
    public var bytes = 0.0
    /// How far ``operations`` may be off: what the sketch may have added, and the chance of
    /// sampling.
    public var error = 0.0
    /// Which clients asked, a bit for each of 64 classes of connections.
    public var clients: UInt64 = 0

    /// Nothing yet.
    public init() {}

    /// Reads and writes.
    public var operations: Double { reads + writes }

    /// The share of writes, 0 through 1.
    public var writeShare: Double { operations > 0 ? writes / operations : 0 }

    /// About how many clients asked; above some 200 it only says "many".
    ///
    /// By how many of the 64 bits they have left clear: linear counting (Whang, Vander-Zanden and
    /// Taylor, ACM TODS 15(2), 1990), in its coupon collector's form.
    public var clientCount: Int {
        let clear = clients.leadingZeroBitCount == 64 ? 64 : 64 - clients.nonzeroBitCount
        var expected = 0.0
        for left in stride(from: 64, to: max(clear, 1), by: -1) { expected += 64 / Double(left) }
        if clear == 0 { expected += 64 }
        return Int(expected.rounded())
    }

    /// Adds one sample.
    mutating func add(_ sample: KeySample) {
        add(sample, count: 1)
    }

    /// Adds `count` occurrences, all taken to be like `sample`.
    mutating func add(_ sample: KeySample, count: Double) {
        if sample.isWrite {
            writes += count
        } else {
            reads += count
            if sample.isHit { hits += count } else { misses += count }
        }
        bytes += count * Double(sample.byteCount)
        clients |= 1 &<< ((sample.client &* 0x9E37_79B9_7F4A_7C15) &>> 58)
    }

    /// Adds what was counted elsewhere or at another time.
    public mutating func add(_ other: KeyCounts) {
        reads += other.reads
        writes += other.writes
        hits += other.hits
        misses += other.misses
        bytes += other.bytes
        error += other.error
        clients |= other.clients
    }

    /// The same, every number `factor` times as large.
    public func scaled(by factor: Double) -> KeyCounts {
        var scaled = self
        scaled.reads *= factor
        scaled.writes *= factor
        scaled.hits *= factor
        scaled.misses *= factor
        scaled.bytes *= factor
        scaled.error *= factor
        return scaled
    }
}
