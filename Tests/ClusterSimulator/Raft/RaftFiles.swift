// How the simulated shell lays out term, vote, snapshot and log on its virtual disk: the records
// and rules of the Raft room, on files as the node's own log has them.

import Primitives
import Raft

/// The files of one server: `vote` and `snapshot` are replaced as a whole, the log is a row of
/// segments of which only the last one grows.
struct RaftFiles {
    /// Files that must not be trusted.
    struct Corruption: Error {
        var file: String
        var reason: RaftError?
    }

    private struct Segment {
        var number: Int
        /// The highest index that any of its entries had.
        var highestIndex: UInt64
    }

    static let vote = "vote"
    static let snapshot = "snapshot"
    private static let prefix = "log-"

    /// A segment of so many bytes is followed by another one.
    private let segmentLimit: Int
    private var segments: [Segment] = []
    private var lastBytes = 0
    private var lastIndex: UInt64 = 0

    init(segmentLimit: Int) {
        self.segmentLimit = segmentLimit
    }

    /// The writes that carry out `persistence`, in its order.
    mutating func writes(_ persistence: RaftInstance.Persistence) -> [VirtualDisk.Write] {
        var writes: [VirtualDisk.Write] = []
        if let hardState = persistence.hardState {
            writes.append(.replace(Self.vote, hardState.framed))
        }
        if let newer = persistence.snapshot {
            writes.append(.replace(Self.snapshot, newer.framed))
            if persistence.resetsLog {
                lastIndex = newer.index
                beginSegment(resets: true, &writes)
            }
            while segments.count > 1,
                persistence.resetsLog || segments[0].highestIndex <= newer.index
            {
                writes.append(.remove(Self.name(segments[0].number)))
                segments.removeFirst()
            }
        }
        guard let last = persistence.entries.last else { return writes }
        if segments.isEmpty || lastBytes >= segmentLimit { beginSegment(resets: false, &writes) }
        append(.batch(persistence.entries), &writes)
        lastIndex = last.index
        let position = segments.count - 1
        segments[position].highestIndex = max(segments[position].highestIndex, lastIndex)
        return writes
    }

    private mutating func beginSegment(resets: Bool, _ writes: inout [VirtualDisk.Write]) {
        let number = (segments.last?.number ?? 0) + 1
        segments.append(Segment(number: number, highestIndex: lastIndex))
        lastBytes = 0
        append(.start(previousIndex: lastIndex, resets: resets), &writes)
    }

    private mutating func append(
        _ record: RaftInstance.LogRecord, _ writes: inout [VirtualDisk.Write]
    ) {
        let bytes = record.framed
        writes.append(.append(Self.name(segments.last?.number ?? 0), bytes))
        lastBytes += bytes.count
    }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: 8 - digits.count) + digits
    }

    /// The names of the log's segments on `disk`, in order.
    static func segmentNames(_ disk: VirtualDisk) -> [String] {
        disk.names.filter { $0.hasPrefix(prefix) }
    }
}

extension VirtualDisk.Write {
    /// Whether it replaces a server's snapshot.
    var isSnapshot: Bool {
        if case .replace(RaftFiles.snapshot, _) = self { return true }
        return false
    }
}

// Opening.
extension RaftFiles {
    /// What opening does about what it finds; all of it but for planted bugs.
    struct Care {
        /// Damage is refused.
        var refusesDamage = true
        /// A record that a crash cut short is removed.
        var removesTornEnd = true
    }

    /// Reads everything, and removes what a crash left unfinished.
    static func open(
        _ disk: inout VirtualDisk, segmentLimit: Int, care: Care
    ) throws(Corruption) -> (files: RaftFiles, state: RaftInstance.PersistedState) {
        var state = RaftInstance.PersistedState()
        if let bytes = disk.contents(of: vote) {
            do throws(RaftError) {
                state.hardState = try RaftInstance.HardState(framed: bytes)
            } catch {
                throw Corruption(file: vote, reason: error)
            }
        }
        if let bytes = disk.contents(of: snapshot) {
            do throws(RaftError) { state.snapshot = try RaftInstance.Snapshot(framed: bytes) } catch
            {
                throw Corruption(file: snapshot, reason: error)
            }
        }
        var files = RaftFiles(segmentLimit: segmentLimit)
        files.lastIndex = state.snapshot.index
        state.entries = try files.replay(&disk, care)
        return (files, state)
    }

    private mutating func replay(
        _ disk: inout VirtualDisk, _ care: Care
    ) throws(Corruption) -> [RaftInstance.Entry] {
        var replay = RaftInstance.LogReplay()
        let names = Self.segmentNames(disk)
        for (position, name) in names.enumerated() {
            let bytes = disk.contents(of: name) ?? []
            let good: Int
            do throws(RaftError) {
                good = try replay.read(bytes, isLast: position == names.count - 1)
            } catch {
                guard care.refusesDamage else { break }
                throw Corruption(file: name, reason: error)
            }
            if good == 0 {
                disk.sync(through: disk.write(.remove(name)))
                break
            }
            if good < bytes.count, care.removesTornEnd {
                disk.sync(through: disk.write(.truncate(name, count: good)))
            }
            lastBytes = good
            let number = Int(name.dropFirst(Self.prefix.count)) ?? 0
            segments.append(
                Segment(number: number, highestIndex: replay.entries.last?.index ?? 0))
        }
        lastIndex = replay.lastIndex ?? lastIndex
        return replay.entries
    }
}
