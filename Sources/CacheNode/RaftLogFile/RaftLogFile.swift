// What a Raft server must not forget, in a directory of its own:
//
//   vote             term and vote; replaced as one
//   snapshot         the newest snapshot; replaced as one
//   log-0000..01     segments of the log, numbered without gaps; only the last one grows
//
// Records and their checksums are described by `RecordFrame` and in proto/raft.proto.

import Glibc
public import Raft

/// The disk of one Raft server: it has what it is given on disk before a call returns.
///
/// A failed write or sync is final (Rebello et al., USENIX ATC 2020: after a failed `fsync` the
/// kernel may have dropped the data and a second one succeed): every later call fails as well, and
/// the node must stop.
public struct RaftLogFile: ~Copyable {
    private struct Segment {
        let number: UInt64
        /// The highest index of its entries, also of those that others replaced since.
        var highestIndex: UInt64
    }

    /// A segment that has grown to so many bytes is followed by another one, so that what a
    /// snapshot makes superfluous can go in pieces.
    public static let segmentBytes = 4 << 20

    private let directory: LogDirectory
    private let segmentLimit: Int
    private var segments: [Segment]
    /// The last segment's file; -1 while there is none.
    private var file: Int32
    private var fileBytes: Int
    private var lastIndex: UInt64
    private var failure: NodeError?

    /// What was on disk when it was opened.
    public let state: RaftInstance.PersistedState
    /// Whether nothing had been written to the directory.
    public let isNew: Bool

    /// Opens the log in `path`, or begins one there.
    ///
    /// - Throws: ``NodeError/damagedLog(path:_:)`` and ``NodeError/missingLogFile(path:)`` where
    ///   what is there is not what was once acknowledged: such a server must not go on.
    public init(path: String) throws(NodeError) {
        try self.init(path: path, segmentLimit: Self.segmentBytes, calls: .system)
    }

    init(path: String, segmentLimit: Int, calls: FileCalls) throws(NodeError) {
        let directory = try LogDirectory(path: path, calls: calls)
        let opened = try Self.open(directory)
        self.segmentLimit = segmentLimit
        self.directory = directory
        state = opened.state
        isNew = opened.isNew
        segments = opened.segments
        file = opened.file
        fileBytes = opened.lastBytes
        lastIndex = opened.lastIndex ?? opened.state.snapshot.index
    }

    deinit {
        if file >= 0 { close(file) }
    }

    /// Has all of `persistence` on disk when it returns.
    ///
    /// - Throws: ``NodeError/logFileFailed(call:path:code:)``; the node must stop then.
    public mutating func write(
        _ persistence: RaftInstance.Persistence
    ) throws(NodeError) {
        if let failure { throw failure }
        do throws(NodeError) {
            if let hardState = persistence.hardState {
                try directory.replace(Self.voteName, with: hardState.framed)
            }
            if let snapshot = persistence.snapshot {
                try directory.replace(Self.snapshotName, with: snapshot.framed)
                // A new cluster begins with a snapshot and no log.
                lastIndex =
                    persistence.resetsLog ? snapshot.index : max(lastIndex, snapshot.index)
                if persistence.resetsLog {
                    try beginSegment(resets: true)
                }
                try removeSegments(through: snapshot.index, all: persistence.resetsLog)
            }
            try append(persistence.entries)
        } catch {
            failure = error
            throw error
        }
    }

    /// Entries in records of at most as many as a reader takes, each synced before the next.
    private mutating func append(_ entries: [RaftInstance.Entry]) throws(NodeError) {
        var start = 0
        while start < entries.count {
            let end = min(start + WireLimits.entries, entries.count)
            let batch = Array(entries[start..<end])
            if file < 0 || fileBytes >= segmentLimit { try beginSegment(resets: false) }
            try append(.batch(batch))
            lastIndex = batch[batch.count - 1].index
            let last = segments.count - 1
            segments[last].highestIndex = max(segments[last].highestIndex, lastIndex)
            start = end
        }
    }

    private mutating func append(_ record: RaftInstance.LogRecord) throws(NodeError) {
        let bytes = record.framed
        let name = segments.last.map { Self.name($0.number) } ?? ""
        try directory.append(bytes, to: file, directory.path(of: name))
        fileBytes += bytes.count
    }

    private mutating func beginSegment(resets: Bool) throws(NodeError) {
        let number = (segments.last?.number ?? 0) + 1
        let newFile = try directory.openForAppending(Self.name(number))
        if file >= 0 { close(file) }
        file = newFile
        fileBytes = 0
        segments.append(Segment(number: number, highestIndex: lastIndex))
        try append(.start(previousIndex: lastIndex, resets: resets))
        try directory.synchronizeNames()
    }

    /// Removes segments that a snapshot has made superfluous, oldest first, never the last one.
    private mutating func removeSegments(
        through index: UInt64, all: Bool
    ) throws(NodeError) {
        var hasRemoved = false
        while segments.count > 1, all || segments[0].highestIndex <= index {
            try directory.remove(Self.name(segments[0].number))
            segments.removeFirst()
            hasRemoved = true
        }
        if hasRemoved { try directory.synchronizeNames() }
    }
}

// Opening.
extension RaftLogFile {
    private static let voteName = "vote"
    private static let snapshotName = "snapshot"
    private static let prefix = "log-"

    private struct Opened {
        var state = RaftInstance.PersistedState()
        var isNew = true
        var segments: [Segment] = []
        var file: Int32 = -1
        var lastIndex: UInt64?
        var lastBytes = 0
    }

    private static func open(_ directory: borrowing LogDirectory) throws(NodeError) -> Opened {
        var names = try directory.names()
        for name in names where name.hasSuffix(LogDirectory.temporarySuffix) {
            try directory.remove(name)  // A replacement that a crash cut short.
        }
        names.removeAll { $0.hasSuffix(LogDirectory.temporarySuffix) }
        let vote = try directory.read(voteName)
        let snapshot = try directory.read(snapshotName)
        var opened = Opened()
        opened.isNew =
            vote == nil && snapshot == nil && !names.contains { $0.hasPrefix(prefix) }
        guard opened.isNew || vote != nil else {
            throw .missingLogFile(path: directory.path(of: voteName))
        }
        do {
            if let vote { opened.state.hardState = try RaftInstance.HardState(framed: vote) }
        } catch { throw .damagedLog(path: directory.path(of: voteName), error) }
        do {
            if let snapshot { opened.state.snapshot = try RaftInstance.Snapshot(framed: snapshot) }
        } catch { throw .damagedLog(path: directory.path(of: snapshotName), error) }
        try replay(names, in: directory, into: &opened)
        do { try opened.state.validate() } catch {
            throw .damagedLog(path: directory.path, error)
        }
        if let last = opened.segments.last {
            opened.file = try directory.openForAppending(name(last.number))
        }
        return opened
    }

    private static func name(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return prefix + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Reads the segments, and cuts off a record that a crash left unfinished at the end.
    private static func replay(
        _ names: [String], in directory: borrowing LogDirectory, into opened: inout Opened
    ) throws(NodeError) {
        var replay = RaftInstance.LogReplay()
        let numbers = names.compactMap { name in
            name.hasPrefix(prefix) ? UInt64(name.dropFirst(prefix.count), radix: 16) : nil
        }
        for (position, number) in numbers.enumerated() {
            guard number == numbers[0] + UInt64(position) else {
                let missing = numbers[0] + UInt64(position)
                throw .missingLogFile(path: directory.path(of: name(missing)))
            }
            guard let bytes = try directory.read(name(number)) else {
                throw .missingLogFile(path: directory.path(of: name(number)))
            }
            let good: Int
            do {
                good = try replay.read(bytes, isLast: position == numbers.count - 1)
            } catch { throw .damagedLog(path: directory.path(of: name(number)), error) }
            if good == 0 {
                // A segment whose first record never got to the disk holds nothing.
                try directory.remove(name(number))
                try directory.synchronizeNames()
                break
            }
            if good < bytes.count { try directory.truncate(name(number), to: good) }
            opened.lastBytes = good
            opened.segments.append(
                Segment(number: number, highestIndex: replay.highestIndexOfSegment))
        }
        opened.state.entries = replay.entries
        opened.lastIndex = replay.lastIndex
    }
}
