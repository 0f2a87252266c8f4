// A disk that keeps only what was synced, and of the rest what chance leaves of it.

import Primitives

/// A machine's files, and the writes that have not reached them for good.
///
/// A process that is killed loses nothing: the kernel still holds its writes. A machine that loses
/// power keeps a prefix of the writes since the last sync, and the first lost one may be torn at
/// any byte (Pillai et al., OSDI 2014, on what file systems promise).
struct VirtualDisk {
    /// One change of one file.
    enum Write: Equatable {
        case append(String, [UInt8])
        /// A new file beside the old one, synced and renamed over it: all or nothing.
        case replace(String, [UInt8])
        case truncate(String, count: Int)
        case remove(String)
    }

    /// What a loss of power did.
    struct Loss: Equatable {
        var lostWrites = 0
        var tornBytes = 0
    }

    /// Disks write whole sectors of this size.
    static let sectorBytes = 512

    private var files: [String: [UInt8]] = [:]
    private var pending: [Write] = []
    private var durableWrites = 0

    /// Names of the files, as the running process sees them, in order.
    var names: [String] { visible.keys.sorted() }

    /// What the running process reads in `name`, or nil when there is no such file.
    func contents(of name: String) -> [UInt8]? { visible[name] }

    /// Hands a write to the kernel; the number it returns is what ``sync(through:)`` takes.
    mutating func write(_ write: Write) -> Int {
        pending.append(write)
        return durableWrites + pending.count
    }

    /// Makes every write up to number `last` survive a loss of power.
    mutating func sync(through last: Int) {
        guard last > durableWrites else { return }
        let count = min(last - durableWrites, pending.count)
        for write in pending[..<count] { Self.apply(write, to: &files) }
        pending.removeFirst(count)
        durableWrites += count
    }

    /// Makes all writes durable: in time the kernel writes what a killed process left to it.
    mutating func flush() {
        sync(through: durableWrites + pending.count)
    }

    /// Loses the power: what was not synced survives up to a point that `random` draws.
    mutating func losePower(_ random: inout SeededGenerator) -> Loss {
        guard !pending.isEmpty else { return Loss() }
        let kept = random.below(pending.count + 1)
        for write in pending[..<kept] { Self.apply(write, to: &files) }
        var loss = Loss(lostWrites: pending.count - kept)
        if kept < pending.count, case .append(let name, let bytes) = pending[kept] {
            let tail = Self.tear(bytes, behind: files[name]?.count ?? 0, &random)
            if tail != bytes {
                Self.apply(.append(name, tail), to: &files)
                loss.tornBytes = tail.count
            }
        }
        pending.removeAll()
        return loss
    }

    /// What is left of a write that did not finish: cut at any byte, or as long as it should be
    /// with some sectors that never reached the disk.
    private static func tear(
        _ bytes: [UInt8], behind start: Int, _ random: inout SeededGenerator
    ) -> [UInt8] {
        guard random.chance(permille: 300) else {
            return Array(bytes[..<random.below(bytes.count + 1)])
        }
        var left = bytes
        for index in left.indices {
            let isFirstOfSector = index == 0 || (start + index) % sectorBytes == 0
            guard isFirstOfSector, random.chance(permille: 500) else { continue }
            let end = min(left.count, ((start + index) / sectorBytes + 1) * sectorBytes - start)
            for lost in index..<end { left[lost] = 0 }
        }
        return left
    }

    /// Forgets everything: another disk in the same machine.
    mutating func wipe() {
        files.removeAll()
        pending.removeAll()
    }

    /// Inverts one bit of `name`; false when it is empty or not there.
    mutating func flipBit(of name: String, _ random: inout SeededGenerator) -> Bool {
        guard let count = files[name]?.count, count > 0 else { return false }
        files[name]?[random.below(count)] ^= 1 << UInt8(random.below(8))
        return true
    }

    private var visible: [String: [UInt8]] {
        var result = files
        for write in pending { Self.apply(write, to: &result) }
        return result
    }

    private static func apply(_ write: Write, to files: inout [String: [UInt8]]) {
        switch write {
        case .append(let name, let bytes): files[name, default: []] += bytes
        case .replace(let name, let bytes): files[name] = bytes
        case .truncate(let name, let count):
            guard let length = files[name]?.count, count < length else { return }
            files[name]?.removeLast(length - count)
        case .remove(let name): files[name] = nil
        }
    }
}
