// Small parts of a worker, each a plain value on memory of its own.
import Placement
import Primitives

/// Bytes to write as values: printable, and not all alike, so that nothing compresses them away.
struct ValueBlock {
    private let base: UnsafeMutableRawPointer
    private let byteCount: Int

    init(byteCount: Int) {
        self.byteCount = byteCount
        base = .allocate(byteCount: max(byteCount, 1), alignment: 64)
        var random = SeededGenerator(seed: 0x6B69_6C6E)
        let alphabet = Array(
            "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_".utf8)
        for index in 0..<byteCount {
            base.storeBytes(
                of: alphabet[Int(random.next() & 63)], toByteOffset: index, as: UInt8.self)
        }
    }

    func release() {
        base.deallocate()
    }

    /// The first `count` bytes.
    ///
    /// - Precondition: the block has as many.
    func bytes(_ count: Int) -> UnsafeRawBufferPointer {
        precondition(count <= byteCount, "\(count) bytes of \(byteCount)")
        return UnsafeRawBufferPointer(start: base, count: count)
    }
}

/// Which server owns which key, remembered: a ketama position is an MD5, which costs more than
/// sending the key.
final class KeyServers {
    private let ring: KetamaRing
    private var known: [UInt16]
    private var scratch = ByteWriter(capacity: 512)

    /// Most keys whose servers are remembered; beyond it they are computed each time.
    private static let limit: UInt64 = 16 << 20

    init(ring: KetamaRing, keyCount: UInt64) {
        self.ring = ring
        known = Array(repeating: .max, count: Int(min(keyCount, Self.limit)))
    }

    /// The place in `--server` of the owner of `source`'s key `number`.
    func server(of number: UInt64, _ source: borrowing RequestSource) -> Int {
        if number < UInt64(known.count), known[Int(number)] != .max {
            return Int(known[Int(number)])
        }
        scratch.removeAll()
        source.appendKey(number, to: &scratch)
        let index = scratch.withBytes { ring.serverIndex(forKey: $0) }
        if number < UInt64(known.count) { known[Int(number)] = UInt16(index) }
        return index
    }
}

/// Open loop: clients that may send, the one that has been free longest first.
struct FreeSlots {
    /// A client that may send one more request, and since when, in nanoseconds.
    struct Slot {
        var client: Int
        var since: Int64
    }

    private var ring: [Slot]
    private var head = 0
    private(set) var count = 0

    /// A ring for `capacity` slots.
    init(capacity: Int) {
        ring = Array(repeating: Slot(client: 0, since: 0), count: capacity)
    }

    /// Adds a slot.
    mutating func append(_ slot: Slot) {
        precondition(count < ring.count, "\(count) slots of \(ring.count) are free already")
        let tail = head + count
        ring[tail < ring.count ? tail : tail - ring.count] = slot
        count += 1
    }

    /// Takes the first slot; nil when none is free.
    mutating func popFirst() -> Slot? {
        guard count > 0 else { return nil }
        let slot = ring[head]
        head = head + 1 < ring.count ? head + 1 : 0
        count -= 1
        return slot
    }
}

/// Reads of several keys whose parts go to several servers: done when the last part is.
struct SplitReads {
    /// One read under way.
    struct Read {
        var parts = 0
        var keys = 0
        var hits = 0
        var failed = false
    }

    private var reads: [Read] = []
    private var free: [Int32] = []

    /// Begins a read; its number is in every part.
    mutating func begin() -> Int32 {
        if let number = free.popLast() {
            reads[Int(number)] = Read()
            return number
        }
        reads.append(Read())
        return Int32(reads.count - 1)
    }

    /// Adds a part of `keys` keys.
    mutating func addPart(_ number: Int32, keys: Int) {
        reads[Int(number)].parts += 1
        reads[Int(number)].keys += keys
    }

    /// Whether parts of a read are still awaited.
    func isOpen(_ number: Int32) -> Bool {
        reads[Int(number)].parts > 0
    }

    /// Notes a part's answer; gives the whole read when it was the last part.
    mutating func finishPart(_ number: Int32, hits: Int, failed: Bool) -> Read? {
        reads[Int(number)].parts -= 1
        reads[Int(number)].hits += hits
        if failed { reads[Int(number)].failed = true }
        guard reads[Int(number)].parts == 0 else { return nil }
        free.append(number)
        return reads[Int(number)]
    }
}
