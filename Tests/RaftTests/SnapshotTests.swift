import Primitives
import Raft
import Testing

@Suite struct SnapshotTests {
    private static func settings() -> RaftInstance.Settings {
        var settings = RaftInstance.Settings()
        settings.snapshotThresholdEntries = 50
        settings.keptEntries = 5
        settings.chunkBytes = 10
        return settings
    }

    private func longCluster() throws -> (TestCluster, leader: NodeID, away: NodeID) {
        var cluster = try TestCluster(3, settings: Self.settings())
        let leader = try cluster.electLeader()
        let away = try #require(cluster.ids.first { $0 != leader })
        cluster.crash(away)
        for number in 0..<200 {
            cluster.propose([UInt8(number)], at: leader)
            if number % 10 == 0 { cluster.run(milliseconds: 10) }
        }
        cluster.run(milliseconds: 50)
        return (cluster, leader, away)
    }

    /// A follower that is down for long costs the leader no memory, and gets a snapshot, in chunks,
    /// when it is back.
    @Test func aFollowerThatIsFarBehindGetsASnapshot() throws {
        var (cluster, leader, away) = try longCluster()
        #expect(cluster.server(leader).snapshotsWanted >= 3)
        #expect(cluster[leader].lastIndex - cluster[leader].firstIndex < 70)
        try cluster.restart(away)
        cluster.run(limit: 3_000, "the follower has caught up") {
            $0.server(away).appliedIndex == $0[leader].commitIndex
        }
        #expect(cluster.server(away).restored == 1)
        #expect(cluster[away].snapshot.data == cluster.server(away).disk.snapshot.data)
        cluster.propose([7], at: leader)
        cluster.run(milliseconds: 50)
        #expect(cluster.commands(away).last == [7], "and goes on by the log")
    }

    /// Chunks are lost, doubled and late; the receiver restarts in the middle; the leader takes
    /// newer snapshots meanwhile.
    @Test(arguments: UInt64(1)...8)
    func aSnapshotArrivesWhatever(seed: UInt64) throws {
        var (cluster, leader, away) = try longCluster()
        cluster.random = SeededGenerator(seed: seed)
        cluster.lossPercent = 10
        cluster.duplicatePercent = 20
        cluster.delayMilliseconds = 1...10
        try cluster.restart(away)
        cluster.run(milliseconds: 300)
        try cluster.restart(away)
        for number in 0..<60 {
            cluster.propose([UInt8(number)], at: cluster.leader ?? leader)
            cluster.run(milliseconds: 3)
        }
        cluster.lossPercent = 0
        cluster.run(limit: 10_000, "the follower has caught up") { cluster in
            guard let leader = cluster.leader else { return false }
            return cluster.server(away).appliedIndex == cluster[leader].commitIndex
        }
        #expect(cluster.server(away).restored >= 1)
    }

    /// "If the follower receives a snapshot that describes a prefix of its log, entries following
    /// the snapshot are retained" (section 7); an older snapshot takes nothing back.
    @Test func aSnapshotOfAPrefixKeepsTheLog() throws {
        var state = RaftInstance.PersistedState.founding(voters: voters(3))
        state.hardState.term = 2
        for index in UInt64(2)...6 {
            state.entries.append(Entry(term: 2, index: index, payload: .command([UInt8(index)])))
        }
        var follower = try RaftInstance(
            id: NodeID(2), state: state, settings: RaftInstance.Settings(), seed: 1, at: at(0))
        var effects: [Effect] = []
        follower.step(.received(chunk(4, 2), from: NodeID(1)), at: at(1), effects: &effects)
        #expect(follower.lastIndex == 6 && follower.commitIndex == 4)
        let answer = Message(term: 2, body: .appendResponse(.accepted(match: 4)))
        #expect(effects.contains(.send(answer, to: NodeID(1))))
        #expect(effects.contains(.apply(Array(state.entries.prefix(3)))), "by the log")
        effects = []
        follower.step(.received(chunk(3, 2), from: NodeID(1)), at: at(2), effects: &effects)
        #expect(follower.commitIndex == 4 && follower.lastIndex == 6)
        // Another term at that index: the log parts from the leader's before the snapshot's end.
        effects = []
        follower.step(.received(chunk(5, 1), from: NodeID(1)), at: at(3), effects: &effects)
        #expect(follower.lastIndex == 5 && follower.commitIndex == 5)
        guard case .persist(let persistence) = effects.first else {
            Issue.record("not persisted: \(effects)")
            return
        }
        #expect(persistence.resetsLog && persistence.snapshot?.data == [1, 2, 3])
    }

    private func chunk(_ index: UInt64, _ term: UInt64) -> Message {
        Message(
            term: 2,
            body: .snapshotChunk(
                RaftInstance.SnapshotChunk(
                    index: index, term: term,
                    configuration: RaftInstance.Configuration(voters: voters(3)), totalBytes: 3,
                    offset: 0, data: [1, 2, 3])))
    }

    /// A crash after a leader's snapshot is on disk and before the log is reset: what follows the
    /// snapshot's index in the old log is another history.
    @Test func aLogThatPartsFromItsSnapshotIsReset() throws {
        var state = RaftInstance.PersistedState(
            hardState: RaftInstance.HardState(term: 5),
            snapshot: RaftInstance.Snapshot(
                index: 4, term: 4, configuration: RaftInstance.Configuration(voters: voters(3))))
        for index in UInt64(2)...7 {
            state.entries.append(Entry(term: 2, index: index, payload: .noOperation))
        }
        var server = try RaftInstance(
            id: NodeID(1), state: state, settings: RaftInstance.Settings(), seed: 1, at: at(0))
        #expect(server.lastIndex == 4)
        var effects: [Effect] = []
        server.step(.tick, at: at(10), effects: &effects)
        let reset = RaftInstance.Persistence(snapshot: state.snapshot, resetsLog: true)
        #expect(effects == [.persist(reset)], "the disk must forget it, too")
    }

    /// Members are part of a snapshot, as of its last entry.
    @Test func aSnapshotRemembersTheMembers() throws {
        var (cluster, leader, away) = try longCluster()
        cluster.change(.addLearner(NodeID(9)), at: leader)
        cluster.run(milliseconds: 100)
        for number in 0..<120 {
            cluster.propose([UInt8(number)], at: leader)
            if number % 10 == 0 { cluster.run(milliseconds: 10) }
        }
        try cluster.restart(away)
        cluster.run(milliseconds: 2_000)
        #expect(cluster[away].snapshot.configuration.learners == [NodeID(9)])
        #expect(cluster[away].configuration.learners == [NodeID(9)])
    }

    @Test func aSnapshotAboveTheLimitIsNotCollected() throws {
        var settings = Self.settings()
        settings.snapshotLimitBytes = 2
        var follower = try lone(2, of: 3, settings: settings)
        var effects: [Effect] = []
        follower.step(.received(chunk(4, 2), from: NodeID(1)), at: at(1), effects: &effects)
        #expect(follower.commitIndex == 1)
    }

    @Test(
        arguments: [
            ([2, 4], RaftError.gapInLog(expected: 3, found: 4)),
            ([3, 4], .gapInLog(expected: 2, found: 3)),
        ] as [([UInt64], RaftError)])
    func aLogWithAGapDoesNotStart(indices: [UInt64], error: RaftError) {
        var state = RaftInstance.PersistedState.founding(voters: voters(3))
        state.entries = indices.map { Entry(term: 1, index: $0, payload: .noOperation) }
        #expect(throws: error) { try state.validate() }
        #expect(error.description.contains(RaftError.remedy))
    }
}
