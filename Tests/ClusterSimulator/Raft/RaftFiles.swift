// How the simulated shell lays out term, vote, snapshot and log on its virtual disk.

import Primitives
import Raft

/// Three files: `vote` and `snapshot` are replaced as a whole, `log` is appended to.
///
/// Each record is its length, a checksum and its bytes. An entry in the log replaces all those from
/// its index on. A bad record at the end is a torn write and is cut off; one that is followed by a
/// good one is damage, which nothing repairs.
enum RaftFiles {
    /// A file that must not be trusted.
    struct Corruption: Error {
        var file: String
        var offset: Int
    }

    static let vote = "vote"
    static let snapshot = "snapshot"
    static let log = "log"
    private static let headerBytes = 12

    /// The writes that carry out `persistence`, in its order.
    static func writes(
        _ persistence: RaftInstance.Persistence, on disk: VirtualDisk
    ) -> [VirtualDisk.Write] {
        var writes: [VirtualDisk.Write] = []
        if let hardState = persistence.hardState {
            let body = littleEndian(hardState.term) + littleEndian(hardState.vote?.value ?? 0)
            writes.append(.replace(vote, record(body)))
        }
        if let newer = persistence.snapshot {
            writes.append(.replace(snapshot, record(encoded(newer))))
            // What the snapshot contains goes; a new log takes the place of the old one.
            var state = RaftInstance.PersistedState()
            state.entries = (try? entries(on: disk)) ?? []
            state.apply(persistence)
            writes.append(.replace(log, state.entries.flatMap { record(encoded($0)) }))
        } else if !persistence.entries.isEmpty {
            writes.append(.append(log, persistence.entries.flatMap { record(encoded($0)) }))
        }
        return writes
    }

    /// The write that leaves of the log only `entries`: a torn end must go before more follows.
    static func cleaning(_ entries: [RaftInstance.Entry]) -> VirtualDisk.Write {
        .replace(log, entries.flatMap { record(encoded($0)) })
    }

    /// What a server starts from.
    static func read(
        _ disk: VirtualDisk, cutsOffDamage: Bool
    ) throws(Corruption) -> RaftInstance.PersistedState {
        var state = RaftInstance.PersistedState()
        if let body = try only(vote, on: disk) {
            guard body.count == 16 else { throw Corruption(file: vote, offset: 0) }
            let voted = word(body[8..<16])
            state.hardState = RaftInstance.HardState(
                term: word(body[0..<8]), vote: voted == 0 ? nil : NodeID(voted))
        }
        if let body = try only(snapshot, on: disk) {
            var rest = body[...]
            state.snapshot = RaftInstance.Snapshot(
                index: number(&rest), term: number(&rest), configuration: configuration(&rest),
                data: Array(rest))
        }
        state.entries = try entries(on: disk, cutsOffDamage: cutsOffDamage)
        return state
    }

    /// Where the last good record of the log begins.
    static func bytesBeforeLastRecord(_ disk: VirtualDisk) -> Int {
        let bytes = disk.contents(of: log) ?? []
        var last = 0
        var offset = 0
        while let body = body(of: bytes, at: offset) {
            last = offset
            offset += headerBytes + body.count
        }
        return last
    }

    private static func entries(
        on disk: VirtualDisk, cutsOffDamage: Bool = false
    ) throws(Corruption) -> [RaftInstance.Entry] {
        let bytes = disk.contents(of: log) ?? []
        var entries: [RaftInstance.Entry] = []
        var offset = 0
        while offset < bytes.count {
            guard let body = body(of: bytes, at: offset) else {
                // Torn, or damaged? Only a write that was never synced has nothing after it.
                let isFollowed = (offset + 1..<bytes.count).contains {
                    self.body(of: bytes, at: $0) != nil
                }
                if isFollowed, !cutsOffDamage { throw Corruption(file: log, offset: offset) }
                break
            }
            offset += headerBytes + body.count
            let entry = entry(body)
            if let first = entries.first, entry.index >= first.index {
                entries.removeLast(max(0, entries.count - Int(entry.index - first.index)))
            } else {
                entries.removeAll()
            }
            entries.append(entry)
        }
        return entries
    }

    /// The one record of a file that is replaced as a whole.
    private static func only(
        _ name: String, on disk: VirtualDisk
    ) throws(Corruption) -> ArraySlice<UInt8>? {
        guard let bytes = disk.contents(of: name) else { return nil }
        guard let body = body(of: bytes, at: 0), body.count + headerBytes == bytes.count else {
            throw Corruption(file: name, offset: 0)
        }
        return ArraySlice(Array(body))
    }

    private static func record(_ body: [UInt8]) -> [UInt8] {
        littleEndian(UInt64(body.count))[..<4] + littleEndian(checksum(body[...])) + body
    }

    private static func body(of bytes: [UInt8], at offset: Int) -> ArraySlice<UInt8>? {
        guard bytes.count - offset >= headerBytes else { return nil }
        let count = Int(word(bytes[offset..<offset + 4]))
        let start = offset + headerBytes
        guard count > 0, count <= bytes.count - start else { return nil }
        let body = bytes[start..<start + count]
        return word(bytes[offset + 4..<start]) == checksum(body) ? body : nil
    }

    private static func checksum(_ body: ArraySlice<UInt8>) -> UInt64 {
        var digest = TraceDigest()
        digest.mix(Array(body))
        return digest.value
    }
}

// The bytes of a record: numbers of eight bytes, lists after their count.
extension RaftFiles {
    private static func encoded(_ entry: RaftInstance.Entry) -> [UInt8] {
        let head = littleEndian(entry.term) + littleEndian(entry.index)
        switch entry.payload {
        case .noOperation: return head + [0]
        case .command(let bytes): return head + [1] + bytes
        case .configuration(let members): return head + [2] + encoded(members)
        }
    }

    private static func entry(_ body: ArraySlice<UInt8>) -> RaftInstance.Entry {
        var rest = Array(body)[...]
        let term = number(&rest)
        let index = number(&rest)
        let payload: RaftInstance.Entry.Payload
        switch rest.popFirst() {
        case 1: payload = .command(Array(rest))
        case 2: payload = .configuration(configuration(&rest))
        default: payload = .noOperation
        }
        return RaftInstance.Entry(term: term, index: index, payload: payload)
    }

    private static func encoded(_ newer: RaftInstance.Snapshot) -> [UInt8] {
        littleEndian(newer.index) + littleEndian(newer.term) + encoded(newer.configuration)
            + newer.data
    }

    private static func encoded(_ members: RaftInstance.Configuration) -> [UInt8] {
        var bytes: [UInt8] = []
        for list in [members.voters, members.learners] {
            bytes += littleEndian(UInt64(list.count))
            for node in list { bytes += littleEndian(node.value) }
        }
        return bytes
    }

    private static func configuration(
        _ rest: inout ArraySlice<UInt8>
    ) -> RaftInstance.Configuration {
        let lists = (0..<2).map { _ in
            (0..<number(&rest)).map { _ in NodeID(number(&rest)) }
        }
        return RaftInstance.Configuration(voters: lists[0], learners: lists[1])
    }

    private static func number(_ rest: inout ArraySlice<UInt8>) -> UInt64 {
        let value = word(rest.prefix(8))
        rest = rest.dropFirst(8)
        return value
    }
}
