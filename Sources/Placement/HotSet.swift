// The hot keys a table knows, small enough to be asked about on every request.
public import Primitives

/// Hot keys by hash, with the members that may hold copies of them.
///
/// It advises: a key that is taken for a hot one because its hash is the same is asked for at a
/// member that has no copy, and goes on to its owner from there.
public struct HotSet: Equatable, Sendable {
    /// A hot key.
    public struct Key: Equatable, Sendable {
        /// Its hash.
        public var hash: KeyHash
        /// Members with copies, besides the owner, as indices into the topology's members.
        public var holders: [Int]

        /// Names a hot key.
        public init(_ hash: KeyHash, holders: [Int]) {
            self.hash = hash
            self.holders = holders
        }
    }

    /// Most hot keys: at heat 0.05 each there can be no more than 20 for every node.
    public static let limit = 1 << 14
    /// Slots for each key: at most half are taken, so that an absent key meets an empty slot soon.
    private static let slotsPerKey = 2

    /// The keys as they were given, without those given again.
    public private(set) var keys: [Key] = []
    /// Open addressing: the number of a key plus one, or 0; no slots where there are no keys.
    private var slots: [UInt16] = []
    private var mask: UInt64 = 0

    /// No hot keys.
    public init() {}

    /// Takes the hot keys; where a hash comes twice, the first counts.
    ///
    /// - Throws: ``PlacementError/tooManyHotKeys(count:limit:)``.
    public init(_ keys: [Key]) throws(PlacementError) {
        guard keys.count <= Self.limit else {
            throw .tooManyHotKeys(count: keys.count, limit: Self.limit)
        }
        guard !keys.isEmpty else { return }
        let wanted = keys.count * Self.slotsPerKey
        let count = 1 << (Int.bitWidth - (wanted - 1).leadingZeroBitCount)
        slots = [UInt16](repeating: 0, count: count)
        mask = UInt64(count - 1)
        for key in keys where index(of: key.hash) == nil { insert(key) }
    }

    /// The number of the hot key with this hash in ``keys``; nil for all others.
    @inline(__always)
    public func index(of hash: KeyHash) -> Int? {
        if slots.isEmpty { return nil }
        return search(hash)
    }

    private func search(_ hash: KeyHash) -> Int? {
        var slot = Self.home(hash) & mask
        while case let number = Int(slots[Int(slot)]), number > 0 {
            if keys[number &- 1].hash == hash { return number &- 1 }
            slot = (slot &+ 1) & mask
        }
        return nil
    }

    private mutating func insert(_ key: Key) {
        var slot = Self.home(key.hash) & mask
        while slots[Int(slot)] > 0 { slot = (slot &+ 1) & mask }
        keys.append(key)
        slots[Int(slot)] = UInt16(keys.count)
    }

    /// Where the search begins: the low bits of the hash.
    ///
    /// Keys that were made to agree in them have to be hot to get here, and are no more than
    /// ``limit``.
    @inline(__always)
    private static func home(_ hash: KeyHash) -> UInt64 { hash.value }
}
