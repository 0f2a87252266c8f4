// What was hot a while ago: so that a burst between two looks is not lost.
public import Primitives

/// The top lists of the last 15 minutes, one a second, in bounded memory.
public struct HotKeyHistory: Sendable {
    /// One second's list.
    public struct Second: Equatable, Sendable {
        /// When it ended, in nanoseconds of the node's clock.
        public var end: Int64
        /// All operations, per second.
        public var operations: Double
        /// All bytes, per second.
        public var bytes: Double
        /// The heaviest keys, the most operations first.
        public var keys: [HotKeyWindow.Key]
    }

    /// Seconds kept: 15 minutes.
    public static let seconds = 900
    /// Keys kept of each.
    ///
    /// 900 x 32 of them take 3 MB where the same keys stay, whose bytes are kept once, and 11 MB
    /// where every second has 32 others of 250 bytes.
    public static let keysPerSecond = 32

    private var ring: [Second] = []
    private var next = 0

    /// Nothing yet.
    public init() {}

    /// Keeps the list of a second; the oldest goes.
    public mutating func append(_ summary: HotKeyWindow.Summary) {
        var keys = Array(summary.keys.prefix(Self.keysPerSecond))
        if let last = newest {
            for index in keys.indices {
                // The same bytes as a second ago: let both share them.
                let known = last.keys.first { $0.hash == keys[index].hash }
                if let known { keys[index].key = known.key }
            }
        }
        let second = Second(
            end: summary.end, operations: summary.total.operations, bytes: summary.total.bytes,
            keys: keys)
        if ring.count < Self.seconds {
            ring.append(second)
        } else {
            ring[next] = second
        }
        next = (next + 1) % Self.seconds
    }

    private var newest: Second? {
        ring.isEmpty ? nil : ring[(next + ring.count - 1) % ring.count]
    }

    /// The seconds kept, in no order.
    var kept: [Second] { ring }

    /// Seconds kept now.
    public var count: Int { ring.count }

    /// The mean rates over the seconds that ended within `nanoseconds` before `now`; a key that was
    /// not listed in a second counts as absent in it.
    public func summary(of nanoseconds: Int64, before now: Instant) -> HotKeyWindow.Summary {
        let chosen = ring.filter { now.nanoseconds - $0.end < nanoseconds }
        var summary = HotKeyWindow.Summary()
        summary.end = now.nanoseconds
        summary.milliseconds = chosen.count * 1000
        guard !chosen.isEmpty else { return summary }
        let part = 1 / Double(chosen.count)
        // The division of reads and writes is not kept for the rest of the traffic.
        summary.total.reads = chosen.reduce(0) { $0 + $1.operations } * part
        summary.total.bytes = chosen.reduce(0) { $0 + $1.bytes } * part
        // Up to 28,800 keys are added up by look-ups; only the different ones are sorted.
        var places: [UInt64: Int] = [:]
        for second in chosen {
            for key in second.keys {
                if let place = places[key.hash] {
                    summary.keys[place].rates.add(key.rates)
                    summary.keys[place].firstSeen = min(
                        summary.keys[place].firstSeen, key.firstSeen)
                } else {
                    places[key.hash] = summary.keys.count
                    summary.keys.append(key)
                }
            }
        }
        for index in summary.keys.indices {
            summary.keys[index].rates = summary.keys[index].rates.scaled(by: part)
            summary.keys[index].share = min(
                1, summary.keys[index].rates.operations / max(summary.total.operations, 1e-9))
            summary.keys[index].byteShare = min(
                1, summary.keys[index].rates.bytes / max(summary.total.bytes, 1e-9))
        }
        summary.keys.sort {
            $0.rates.operations != $1.rates.operations
                ? $0.rates.operations > $1.rates.operations : $0.hash < $1.hash
        }
        return summary
    }
}
