import Glibc
import Primitives
import Raft
import Testing

@testable import CacheNode

@Suite struct RaftLogFileTests {
    typealias Entry = RaftInstance.Entry
    typealias Persistence = RaftInstance.Persistence
    typealias PersistedState = RaftInstance.PersistedState

    static let voters: [NodeID] = [NodeID(1), NodeID(2), NodeID(3)]

    static func entries(_ range: ClosedRange<UInt64>, term: UInt64) -> [Entry] {
        range.map {
            Entry(term: term, index: $0, payload: .command([UInt8(term), UInt8($0), 0, 0]))
        }
    }

    /// Everything that a server's disk goes through in its life, in small.
    static let script: [Persistence] = {
        let founding = PersistedState.founding(voters: voters, data: [1, 2, 3])
        let members = RaftInstance.Configuration(voters: voters, learners: [NodeID(9)])
        return [
            Persistence(hardState: founding.hardState, snapshot: founding.snapshot),
            Persistence(hardState: .init(term: 2, vote: NodeID(1))),
            Persistence(entries: [Entry(term: 2, index: 2, payload: .noOperation)]),
            Persistence(entries: entries(3...6, term: 2)),
            Persistence(entries: [Entry(term: 2, index: 7, payload: .configuration(members))]),
            // A new leader takes back 5 to 7, across segments.
            Persistence(hardState: .init(term: 4), entries: entries(5...5, term: 4)),
            Persistence(entries: entries(6...9, term: 4)),
            Persistence(
                snapshot: .init(index: 8, term: 4, configuration: members, data: [7, 7])),
            Persistence(entries: entries(10...12, term: 4)),
            // A leader's snapshot takes the place of a log that parts from its.
            Persistence(
                hardState: .init(term: 6, vote: NodeID(2)),
                snapshot: .init(index: 11, term: 5, configuration: members, data: [8]),
                resetsLog: true),
            Persistence(entries: entries(12...14, term: 6)),
        ]
    }()

    @Test func whatWasWrittenIsThereWhenReopened() throws {
        let folder = LogFolder()
        var expected = PersistedState()
        for (position, persistence) in Self.script.enumerated() {
            var log = try RaftLogFile(path: folder.path, segmentLimit: 100, calls: .system)
            #expect(log.isNew == (position == 0))
            try log.write(persistence)
            expected.apply(persistence)
            let reopened = try RaftLogFile(path: folder.path)
            #expect(try Self.view(reopened.state) == Self.view(expected), "step \(position)")
        }
    }

    /// What a server makes of a disk: term, vote, snapshot and the entries behind it.
    struct View: Equatable {
        let hardState: RaftInstance.HardState
        let snapshot: RaftInstance.Snapshot
        let entries: [Entry?]
    }

    static func view(_ state: PersistedState) throws -> View {
        let server = try RaftInstance(
            id: NodeID(1), state: state, settings: RaftInstance.Settings(), seed: 1,
            at: Instant(nanoseconds: 0))
        let range = server.snapshot.index..<server.lastIndex
        return View(
            hardState: server.hardState, snapshot: server.snapshot,
            entries: range.map { server.entry(at: $0 + 1) })
    }

    /// Runs the script until its budget ends, and looks at what is left.
    ///
    /// - Returns: Whether the script came to its end.
    private func runScript(steps: Int, in folder: LogFolder) throws -> Bool {
        let budget = StepBudget(steps)
        var acknowledged = PersistedState()
        var unfinished: Persistence?
        do throws(NodeError) {
            var log = try RaftLogFile(path: folder.path, segmentLimit: 100, calls: budget.calls)
            for persistence in Self.script {
                unfinished = persistence
                try log.write(persistence)
                acknowledged.apply(persistence)
                unfinished = nil
            }
        } catch {
            guard case .logFileFailed = error else { throw error }
        }
        let found = try RaftLogFile(path: folder.path).state
        let allowed = try Self.outcomes(acknowledged, unfinished).map(Self.view)
        #expect(allowed.contains(try Self.view(found)), "killed after \(steps) steps")
        return unfinished == nil
    }

    /// The states that a crash within `persistence` may leave: its parts in order.
    private static func outcomes(
        _ before: PersistedState, _ persistence: Persistence?
    ) -> [PersistedState] {
        guard let persistence else { return [before] }
        var states = [before]
        var part = Persistence(hardState: persistence.hardState)
        var state = before
        state.apply(part)
        states.append(state)
        part = Persistence(
            snapshot: persistence.snapshot, resetsLog: persistence.resetsLog)
        state.apply(part)
        states.append(state)
        state.apply(Persistence(entries: persistence.entries))
        states.append(state)
        return states
    }

    /// Killed at every byte of the script, and between any two system calls, it reopens to a
    /// prefix that holds everything acknowledged.
    @Test func killedAnywhereItReopensToWhatWasAcknowledged() throws {
        let folder = LogFolder()
        var steps = 0
        while try !runScript(steps: steps, in: folder) {
            folder.restore([])
            steps += 1
        }
        #expect(steps > 600, "the script has \(steps) bytes and calls")
    }

    /// A second crash may come while the first one is being mended.
    @Test func killedWhileReopeningItReopensToTheSame() throws {
        let folder = LogFolder()
        for steps in stride(from: 0, to: 700, by: 7) {
            folder.restore([])
            let budget = StepBudget(steps)
            Self.runToTheEnd(folder, budget.calls)
            let files = folder.files
            let expected = try Self.view(try RaftLogFile(path: folder.path).state)
            for mending in 0..<4 {
                folder.restore(files)
                _ = try? RaftLogFile(
                    path: folder.path, segmentLimit: 100, calls: StepBudget(mending).calls)
                let again = try Self.view(try RaftLogFile(path: folder.path).state)
                #expect(again == expected, "\(steps) steps, then \(mending)")
            }
        }
    }

    private static func runToTheEnd(_ folder: LogFolder, _ calls: FileCalls) {
        do {
            var log = try RaftLogFile(path: folder.path, segmentLimit: 100, calls: calls)
            for persistence in script { try log.write(persistence) }
        } catch {
            return  // Killed: that is the point.
        }
    }

    /// Every file of a small log, every bit: what is damaged is refused with the file, the place
    /// and the remedy, and never cut off silently.
    @Test func everyFlippedBitIsRefused() throws {
        let folder = LogFolder()
        Self.runToTheEnd(folder, .system)
        var log = try RaftLogFile(path: folder.path, segmentLimit: 1, calls: .system)
        for index in UInt64(15)...16 {
            try log.write(Persistence(entries: Self.entries(index...index, term: 6)))
        }
        let files = folder.files
        #expect(files.count == 5, "vote, snapshot and three segments")
        for file in files {
            for position in file.bytes.indices {
                var bytes = file.bytes
                bytes[position] ^= 1 << UInt8(position % 8)
                folder.write(file.name, bytes)
                let text = refusal(folder)
                #expect(
                    text?.contains("\(folder.path)/\(file.name): the record at byte ") == true
                        && text?.contains(RaftError.remedy) == true,
                    "byte \(position) of \(file.name): \(text ?? "accepted")")
            }
            folder.write(file.name, file.bytes)
        }
    }

    private func refusal(_ folder: LogFolder) -> String? {
        do {
            _ = try RaftLogFile(path: folder.path)
            return nil
        } catch {
            return error.description
        }
    }

    /// The last segment, cut at each byte: what is left is a prefix, and writing goes on behind it.
    @Test func everyCutOfTheLastSegmentLeavesAPrefix() throws {
        let folder = LogFolder()
        var log = try RaftLogFile(path: folder.path)
        try log.write(Persistence(hardState: .init(term: 3)))
        for index in UInt64(1)...5 {
            try log.write(Persistence(entries: Self.entries(index...index, term: 3)))
        }
        let name = try #require(folder.names.first { $0.hasPrefix("log-") })
        let whole = folder.read(name)
        var lengths: [Int] = []
        for count in 0...whole.count {
            folder.write(name, Array(whole.prefix(count)))
            var cut = try RaftLogFile(path: folder.path)
            let left = cut.state.entries.count
            #expect(cut.state.entries == Array(Self.entries(1...5, term: 3).prefix(left)))
            lengths.append(left)
            let next = UInt64(left) + 1
            try cut.write(Persistence(entries: Self.entries(next...next, term: 3)))
            let again = try RaftLogFile(path: folder.path)
            #expect(again.state.entries == Self.entries(1...next, term: 3))
        }
        #expect(lengths == lengths.sorted() && Set(lengths) == [0, 1, 2, 3, 4, 5])
    }

    /// Blocks that never reached the disk read as zeros: also a torn write.
    @Test func aTailOfZerosIsCutOff() throws {
        let folder = LogFolder()
        var log = try RaftLogFile(path: folder.path)
        try log.write(Persistence(hardState: .init(term: 3)))
        try log.write(Persistence(entries: Self.entries(1...1, term: 3)))
        let name = try #require(folder.names.first { $0.hasPrefix("log-") })
        let good = folder.read(name)
        let payload = [UInt8](repeating: 5, count: 2_000)
        try log.write(
            Persistence(entries: [Entry(term: 3, index: 2, payload: .command(payload))]))
        var torn = folder.read(name)
        for index in 1_024..<1_536 { torn[index] = 0 }
        folder.write(name, torn)
        #expect(try RaftLogFile(path: folder.path).state.entries.count == 1)
        #expect(folder.read(name) == good)
        // The same damage, with a record behind it, cannot come from a crash.
        folder.write(name, torn + RaftInstance.LogRecord.batch(Self.entries(3...3, term: 3)).framed)
        #expect(refusal(folder)?.contains("the record at byte \(good.count) is damaged") == true)
    }

    @Test(arguments: ["vote", "snapshot", "log-0000000000000005"])
    func aMissingFileIsRefused(name: String) throws {
        let folder = LogFolder()
        Self.runToTheEnd(folder, .system)
        let log = folder.names.filter { $0.hasPrefix("log-") }
        // The last script step begins no segment of its own: make three of them.
        var file = try RaftLogFile(path: folder.path, segmentLimit: 1, calls: .system)
        try file.write(Persistence(entries: Self.entries(15...15, term: 6)))
        try file.write(Persistence(entries: Self.entries(16...16, term: 6)))
        let segments = folder.names.filter { $0.hasPrefix("log-") }
        #expect(segments.count == log.count + 2)
        let victim = name.hasPrefix("log-") ? segments[1] : name
        folder.remove(victim)
        let text = try #require(refusal(folder))
        #expect(text.contains(RaftError.remedy))
        // Without its snapshot the log begins too late: the folder is named.
        #expect(text.contains(name == "snapshot" ? folder.path : victim), "\(text)")
    }

    /// Compaction: a snapshot takes the segments that it covers with it.
    @Test func aSnapshotRemovesSegments() throws {
        let folder = LogFolder()
        var log = try RaftLogFile(path: folder.path, segmentLimit: 100, calls: .system)
        try log.write(Persistence(hardState: .init(term: 3)))
        for index in UInt64(1)...50 {
            try log.write(Persistence(entries: Self.entries(index...index, term: 3)))
        }
        let before = folder.names.count
        let snapshot = RaftInstance.Snapshot(index: 40, term: 3, data: [1])
        try log.write(Persistence(snapshot: snapshot))
        #expect(folder.names.count < before / 2, "\(before) files became \(folder.names.count)")
        let state = try RaftLogFile(path: folder.path).state
        #expect(try Self.view(state).entries == Self.entries(41...50, term: 3).map { $0 })
    }

    /// A failed sync is final: the kernel may have dropped what it could not write, and say yes
    /// the next time.
    @Test func afterAFailedSyncNothingIsWritten() throws {
        let folder = LogFolder()
        let budget = StepBudget(1_000_000)
        var calls = budget.calls
        var log = try RaftLogFile(path: folder.path)
        try log.write(Persistence(hardState: .init(term: 3)))
        calls.synchronize = { _ in
            errno = EIO
            return -1
        }
        var broken = try RaftLogFile(path: folder.path, segmentLimit: 100, calls: calls)
        let entries = Persistence(entries: Self.entries(1...1, term: 3))
        var failures: [NodeError] = []
        for _ in 0..<2 {
            do { try broken.write(entries) } catch { failures.append(error) }
        }
        let path = "\(folder.path)/log-0000000000000001"
        let expected = NodeError.logFileFailed(call: "fdatasync", path: path, code: EIO)
        #expect(failures == [expected, expected])
        #expect(expected.description.contains("the node stops"))
        #expect(expected.exitCode == 75)
    }

    @Test func onlyItsOwnerMayLookIntoIt() throws {
        let folder = LogFolder()
        let path = "\(folder.path)/inner"
        var log = try RaftLogFile(path: path)
        try log.write(Persistence(hardState: .init(term: 1)))
        var status = stat()
        #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o700)
        #expect(stat("\(path)/vote", &status) == 0 && status.st_mode & 0o777 == 0o600)
        unlink("\(path)/vote")
        rmdir(path)
    }
}
