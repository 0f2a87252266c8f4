// The few keys worth counting one by one.

/// The heaviest keys of a stream: Space-Saving (Metwally, Agrawal and El Abbadi, ICDT 2005) behind
/// a gatekeeper.
///
/// Plain Space-Saving gives every new key the place of the lightest one, so a stream of keys that
/// come once washes the list out and copies each of their names. Here the caller asks
/// ``admit(_:key:count:)`` only for keys that a sketch has seen often, and a key gets in only where
/// its count is above the lightest's. Keys lie in memory taken once in `init`; nothing allocates
/// later. A look-up costs one probe of a table that is at most a quarter full.
public struct TopKeys: ~Copyable, Sendable {
    /// One listed key.
    struct Entry: Sendable {
        var hash: UInt64 = 0
        var keyCount = 0
        /// What was counted in the sub-window that runs.
        var counts = KeyCounts()
        /// What makes an entry worth its place: half of what it was, plus what was counted since.
        var score = 0.0
        /// When the key got in, in nanoseconds of the node's clock.
        var firstSeen: Int64 = 0

        /// Its weight in the choice of whom to replace.
        var weight: Double { score + counts.operations }
    }

    /// Most bytes of a key: the protocol's limit.
    public static let keyBytes = 250
    /// Keys a list may hold.
    public static let capacityRange = 1...4096

    private(set) var entries: [Entry]
    private(set) var count = 0
    private var keys: [UInt8]
    /// Open addressing: 0 is empty, else an entry's index + 1.
    private var table: [UInt16]

    /// A list of at most `capacity` keys.
    public init(capacity: Int) throws(HotKeysError) {
        guard Self.capacityRange.contains(capacity) else { throw .capacityOutOfRange(capacity) }
        self.init(validCapacity: capacity)
    }

    /// The same for a capacity that is known to be right.
    init(validCapacity capacity: Int) {
        precondition(Self.capacityRange.contains(capacity), "\(capacity) keys")
        entries = Array(repeating: Entry(), count: capacity)
        keys = Array(repeating: 0, count: capacity * Self.keyBytes)
        var slots = 8
        while slots < capacity * 4 { slots *= 2 }
        table = Array(repeating: 0, count: slots)
    }

    /// Keys that fit.
    public var capacity: Int { entries.count }

    /// Bytes taken for keys, entries and table.
    public var byteCount: Int {
        keys.count + entries.count * MemoryLayout<Entry>.stride + table.count * 2
    }

    /// Where the key of `hash` is listed; nil where it is not.
    ///
    /// Keys are told apart by their 64-bit hash: two of a list of 4,096 share one once in 10^12.
    func index(of hash: UInt64) -> Int? {
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: hash &>> 20) & mask
        while table[slot] != 0 {
            let index = Int(table[slot]) - 1
            if entries[index].hash == hash { return index }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// Counts a sample of the entry at `index`.
    mutating func record(_ sample: KeySample, at index: Int) {
        entries[index].counts.add(sample)
    }

    /// Lists a key that a sketch has seen `count` times in the sub-window; false where it is
    /// lighter than all that are listed.
    ///
    /// - Complexity: a walk over the list where it is full.
    mutating func admit(
        _ sample: KeySample, key: RawSpan, count estimate: Double, at now: Int64
    ) -> Bool {
        guard key.byteCount <= Self.keyBytes else { return false }
        let index: Int
        if count < entries.count {
            index = count
            count += 1
        } else {
            let lightest = indexOfLightest()
            guard entries[lightest].weight < estimate else { return false }
            removeFromTable(lightest)
            index = lightest
        }
        var entry = Entry()
        entry.hash = sample.hash
        entry.keyCount = key.byteCount
        entry.firstSeen = now
        entry.counts.add(sample, count: estimate)
        // What came before this sample was counted by the sketch alone, which may be too high.
        entry.counts.error = max(0, estimate - 1)
        entries[index] = entry
        let start = index * Self.keyBytes
        for offset in 0..<key.byteCount {
            keys[start + offset] = key.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
        }
        insertIntoTable(index)
        return true
    }

    /// The bytes of the key at `index`.
    func key(at index: Int) -> [UInt8] {
        let start = index * Self.keyBytes
        return Array(keys[start..<start + entries[index].keyCount])
    }

    /// Ends a sub-window: weights are halved, counts begin anew, and entries that have become
    /// worthless leave.
    mutating func endSubWindow() {
        var index = 0
        while index < count {
            entries[index].score = entries[index].score / 2 + entries[index].counts.operations
            entries[index].counts = KeyCounts()
            if entries[index].score < Self.leastScore {
                remove(index)
            } else {
                index += 1
            }
        }
    }

    /// Half of a sample: an entry that has seen nothing for a few sub-windows.
    private static let leastScore = 0.5

    private func indexOfLightest() -> Int {
        var lightest = 0
        for index in 1..<max(count, 1) where entries[index].weight < entries[lightest].weight {
            lightest = index
        }
        return lightest
    }

    /// Takes the entry at `index` out; the last one moves to its place.
    private mutating func remove(_ index: Int) {
        removeFromTable(index)
        let last = count - 1
        count = last
        guard index != last else { return }
        removeFromTable(last)
        entries[index] = entries[last]
        for offset in 0..<entries[last].keyCount {
            keys[index * Self.keyBytes + offset] = keys[last * Self.keyBytes + offset]
        }
        insertIntoTable(index)
    }

    private mutating func insertIntoTable(_ index: Int) {
        let mask = table.count - 1
        var slot = Int(truncatingIfNeeded: entries[index].hash &>> 20) & mask
        while table[slot] != 0 { slot = (slot + 1) & mask }
        table[slot] = UInt16(index + 1)
    }

    /// Deletion without tombstones: what follows in the run is moved up (Knuth, TAOCP volume 3,
    /// section 6.4, algorithm R).
    private mutating func removeFromTable(_ index: Int) {
        let mask = table.count - 1
        var hole = Int(truncatingIfNeeded: entries[index].hash &>> 20) & mask
        while Int(table[hole]) != index + 1 { hole = (hole + 1) & mask }
        var slot = hole
        while true {
            table[hole] = 0
            repeat {
                slot = (slot + 1) & mask
                if table[slot] == 0 { return }
                let home = Int(truncatingIfNeeded: entries[Int(table[slot]) - 1].hash &>> 20) & mask
                let isBetween =
                    hole <= slot ? hole < home && home <= slot : hole < home || home <= slot
                if !isBetween { break }
            } while true
            table[hole] = table[slot]
            hole = slot
        }
    }
}
