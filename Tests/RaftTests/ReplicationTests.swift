import Primitives
import Raft
import Testing

@Suite struct ReplicationTests {
    @Test func aCommandIsAppliedEverywhereInOrder() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        for number in 0..<100 { cluster.propose([UInt8(number)], at: leader) }
        cluster.run(milliseconds: 100)
        for id in cluster.ids {
            #expect(cluster.commands(id) == (0..<100).map { [UInt8($0)] }, "\(id)")
        }
        cluster.expectLogsMatch()
    }

    /// "A leader never overwrites or deletes entries in its log; it only appends" (Figure 3), and
    /// what it appends first is a no-op of its term (section 8).
    @Test func aNewLeaderBeginsWithANoOperation() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        let first = try #require(cluster[leader].entry(at: 2))
        #expect(first == Entry(term: cluster[leader].term, index: 2, payload: .noOperation))
    }

    /// Figure 7: logs (a) to (f) of followers, and what the leader of term 8 makes of them.
    @Test(
        arguments: [
            [1, 1, 1, 4, 4, 5, 5, 6, 6],
            [1, 1, 1, 4],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
            [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
            [1, 1, 1, 4, 4, 4, 4],
            [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
        ] as [[UInt64]])
    func bringsFigure7IntoLine(followerTerms: [UInt64]) throws {
        let leaderTerms: [UInt64] = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6]
        var cluster = try TestCluster(3)
        cluster.ids = []
        cluster.servers = [:]
        try cluster.add(NodeID(1), disk(leaderTerms, term: 7))
        try cluster.add(NodeID(2), disk(followerTerms, term: 7))
        try cluster.add(NodeID(3), disk(leaderTerms, term: 7))
        // Server 2 may not lead here: in (c) and (d) its longer log would win.
        var settings = RaftInstance.Settings()
        settings.mayVote = false
        try cluster.add(NodeID(2), disk(followerTerms, term: 7), settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(limit: 500, "logs of one length") {
            $0[NodeID(2)].lastIndex == $0[leader].lastIndex
        }
        cluster.run(milliseconds: 200)
        let length = UInt64(leaderTerms.count)
        #expect(cluster[NodeID(2)].lastIndex == length + 2, "founding entry, log, no-op")
        for index in 1...length {
            #expect(cluster[NodeID(2)].term(at: index + 1) == leaderTerms[Int(index) - 1])
        }
        cluster.expectLogsMatch()
    }

    /// A log with entries of these terms from index 2 on: 1 is the founding snapshot.
    private func disk(_ terms: [UInt64], term: UInt64) -> RaftInstance.PersistedState {
        var state = RaftInstance.PersistedState.founding(voters: voters(3))
        state.hardState.term = term
        for (offset, entryTerm) in terms.enumerated() {
            let index = UInt64(offset) + 2
            state.entries.append(
                Entry(
                    term: entryTerm, index: index,
                    payload: .command([UInt8(entryTerm), UInt8(index)])))
        }
        return state
    }

    /// The hint skips a term per round trip: "the leader can decrement nextIndex to bypass all of
    /// the conflicting entries in that term" (5.3).
    @Test func aConflictCostsOneQuestionPerTerm() throws {
        var follower = try RaftInstance(
            id: NodeID(2), state: disk([1, 2, 2, 2, 3, 3], term: 5),
            settings: RaftInstance.Settings(), seed: 1, at: at(0))
        let effects = receive(append(previous: 7, term: 5, at: 5, []), &follower)
        #expect(rejection(effects) == [7, 3, 6, 7])
        let next = receive(append(previous: 5, term: 4, at: 5, []), &follower)
        #expect(rejection(next) == [5, 2, 3, 7])
        let short = receive(append(previous: 20, term: 5, at: 5, []), &follower)
        #expect(rejection(short) == [20, 0, 8, 7])
    }

    private func append(
        previous: UInt64, term previousTerm: UInt64, at term: UInt64, _ entries: [Entry],
        commit: UInt64 = 0
    ) -> Message {
        Message(
            term: term,
            body: .append(
                RaftInstance.Append(
                    previousIndex: previous, previousTerm: previousTerm, entries: entries,
                    commitIndex: commit)))
    }

    private func receive(
        _ message: Message, _ instance: inout RaftInstance, from sender: UInt64 = 1
    ) -> [Effect] {
        var effects: [Effect] = []
        instance.step(
            .received(message, from: NodeID(sender)), at: at(10), effects: &effects)
        return effects
    }

    private func rejection(_ effects: [Effect]) -> [UInt64]? {
        for case .send(let message, _) in effects {
            if case .appendResponse(.rejected(let previous, let term, let index, let last)) =
                message.body
            {
                return [previous, term, index, last]
            }
        }
        return nil
    }

    private func accepted(_ effects: [Effect]) -> UInt64? {
        for case .send(let message, _) in effects {
            if case .appendResponse(.accepted(let match)) = message.body { return match }
        }
        return nil
    }

    /// "If an existing entry conflicts with a new one, delete the existing entry and all that
    /// follow it" (Figure 2), on disk as well; an entry that is there already stays, with its tail.
    @Test func onlyAConflictTruncates() throws {
        var disk = disk([1, 2, 2, 2], term: 4)
        var follower = try RaftInstance(
            id: NodeID(2), state: disk, settings: RaftInstance.Settings(), seed: 1, at: at(0))
        let known = disk.entries[1]
        let repeated = receive(append(previous: 2, term: 1, at: 4, [known]), &follower)
        #expect(accepted(repeated) == 3, "only so far is known to agree")
        #expect(follower.lastIndex == 5, "a late append takes nothing back")
        #expect(repeated.allSatisfy { if case .persist = $0 { false } else { true } })
        let other = Entry(term: 3, index: 4, payload: .command([9]))
        let effects = receive(append(previous: 3, term: 2, at: 4, [other]), &follower)
        guard case .persist(let persistence) = effects.first else {
            Issue.record("the entry must be on disk before the answer: \(effects)")
            return
        }
        disk.apply(persistence)
        #expect(disk.entries.map(\.term) == [1, 2, 3])
        #expect(follower.lastIndex == 4 && accepted(effects) == 4)
    }

    /// "commitIndex = min(leaderCommit, index of last new entry)" (Figure 2): not what the follower
    /// happens to have beyond it.
    @Test func commitsOnlyWhatIsKnownToAgree() throws {
        var follower = try RaftInstance(
            id: NodeID(2), state: disk([1, 2, 2, 2], term: 4), settings: RaftInstance.Settings(),
            seed: 1, at: at(0))
        let heartbeat = Message(term: 4, body: .heartbeat(commitIndex: 5, round: 1))
        _ = receive(heartbeat, &follower)
        #expect(follower.commitIndex == 1, "nothing has been compared in this term")
        _ = receive(append(previous: 3, term: 2, at: 4, [], commit: 9), &follower)
        #expect(follower.commitIndex == 3)
        _ = receive(heartbeat, &follower)
        #expect(follower.commitIndex == 3)
    }

    @Test(arguments: [
        [Entry(term: 4, index: 4, payload: .noOperation)],
        [
            Entry(term: 4, index: 3, payload: .noOperation),
            Entry(term: 4, index: 5, payload: .noOperation),
        ],
        [
            Entry(term: 4, index: 3, payload: .noOperation),
            Entry(term: 3, index: 4, payload: .noOperation),
        ],
        [Entry(term: 9, index: 3, payload: .noOperation)],
    ])
    func entriesThatCannotBeAreNotTaken(entries: [Entry]) throws {
        var follower = try RaftInstance(
            id: NodeID(2), state: disk([1], term: 4), settings: RaftInstance.Settings(), seed: 1,
            at: at(0))
        let effects = receive(append(previous: 2, term: 1, at: 4, entries), &follower)
        #expect(follower.lastIndex == 2)
        #expect(accepted(effects) == nil)
    }

    /// Figure 8: an entry of an earlier term on a majority is not committed by that; only with an
    /// entry of the leader's own term on top.
    @Test func entriesOfEarlierTermsAreNotCommittedByCounting() throws {
        var leader = try RaftInstance(
            id: NodeID(1), state: disk([1, 2], term: 3), settings: RaftInstance.Settings(),
            seed: 1, at: at(0))
        var effects: [Effect] = []
        leader.step(.tick, at: at(700), effects: &effects)
        let yes = Message(term: 4, body: .preVoteResponse(granted: true))
        leader.step(.received(yes, from: NodeID(2)), at: at(701), effects: &effects)
        let vote = Message(term: 4, body: .voteResponse(granted: true))
        leader.step(.received(vote, from: NodeID(2)), at: at(702), effects: &effects)
        #expect(leader.role == .leader && leader.lastIndex == 4)
        let old = Message(term: 4, body: .appendResponse(.accepted(match: 3)))
        for voter in [2, 3] as [UInt64] {
            leader.step(.received(old, from: NodeID(voter)), at: at(703), effects: &effects)
        }
        #expect(leader.commitIndex == 1, "entry 3 of term 2 is on all servers and not committed")
        let own = Message(term: 4, body: .appendResponse(.accepted(match: 4)))
        leader.step(.received(own, from: NodeID(2)), at: at(704), effects: &effects)
        #expect(leader.commitIndex == 4, "the no-op commits all before it")
    }

    /// Pipelining is bounded in messages and in bytes, and a follower that is away costs nothing.
    @Test func whatIsUnderWayIsBounded() throws {
        var settings = RaftInstance.Settings()
        settings.inFlightLimitMessages = 4
        settings.appendLimitEntries = 1
        settings.uncommittedLimitBytes = 2 << 20
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let before = cluster.queue.count
        for number in 0..<50 { cluster.propose([UInt8(number)], at: leader) }
        #expect(cluster.queue.count - before == 2 * 4)
        #expect(cluster[leader].followers.map(\.inFlightMessages) == [4, 4])
        cluster.run(milliseconds: 500)
        #expect(cluster.ids.allSatisfy { cluster.commands($0).count == 50 })
    }

    @Test func bytesUnderWayAreBounded() throws {
        var settings = RaftInstance.Settings()
        settings.inFlightLimitBytes = 10_000
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let before = cluster.queue.count
        for _ in 0..<20 { cluster.propose([UInt8](repeating: 1, count: 4_000), at: leader) }
        #expect(cluster.queue.count - before == 2 * 3, "the third message passes the limit")
        cluster.run(milliseconds: 500)
        #expect(cluster.ids.allSatisfy { cluster.commands($0).count == 20 })
    }

    /// Uncommitted proposals do not pile up in a leader that cannot commit.
    @Test func aLeaderThatCannotCommitIsBusy() throws {
        var settings = RaftInstance.Settings()
        settings.payloadLimitBytes = 1_000
        settings.uncommittedLimitBytes = 10_000
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        cluster.isolate(leader)
        for ticket in UInt64(0)..<20 {
            cluster.propose([UInt8](repeating: 1, count: 984), at: leader, ticket: ticket)
        }
        let outcomes = cluster.server(leader).outcomes
        let busy = outcomes.values.filter { $0 == .rejected(.busy) }
        #expect(busy.count == 10)
        cluster.heal()
        cluster.run(limit: 2_000, "room again") { $0[leader].commitIndex >= 12 }
        cluster.propose([1], at: leader, ticket: 99)
        #expect(cluster.server(leader).outcomes[99] != .rejected(.busy))
        cluster.propose([UInt8](repeating: 1, count: 1_001), at: leader, ticket: 100)
        #expect(cluster.server(leader).outcomes[100] == .rejected(.tooLarge))
    }

    /// A follower hands a proposal to its leader and hears where it was appended.
    @Test func proposalsAreHandedToTheLeader() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let follower = try #require(cluster.ids.first { $0 != leader })
        cluster.propose([7], at: follower, ticket: 5)
        cluster.run(milliseconds: 50)
        let term = cluster[leader].term
        #expect(cluster.server(follower).outcomes[5] == .appended(term: term, index: 3))
        #expect(cluster.commands(follower) == [[7]])
        cluster.crash(leader)
        cluster.propose([8], at: follower, ticket: 6)
        cluster.run(milliseconds: 1_020)
        #expect(cluster.server(follower).outcomes[6] == .unknown)
        cluster.isolate(follower)
        cluster.run(milliseconds: 1_000)
        cluster.propose([8], at: follower, ticket: 7)
        #expect(cluster.server(follower).outcomes[7] == .rejected(.noLeader))
    }

    /// A follower that restarts applies its log again though nothing new is proposed.
    @Test func aRestartedFollowerAppliesWhatItHas() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        for number in 0..<10 { cluster.propose([UInt8(number)], at: leader) }
        cluster.run(milliseconds: 100)
        let follower = try #require(cluster.ids.first { $0 != leader })
        try cluster.restart(follower)
        #expect(cluster.commands(follower).isEmpty)
        cluster.run(milliseconds: 150)
        #expect(cluster.commands(follower).count == 10)
        #expect(cluster[follower].leader == leader)
    }

    @Test func requestsHandedOnAreBounded() throws {
        var settings = RaftInstance.Settings()
        settings.forwardLimit = 3
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let follower = try #require(cluster.ids.first { $0 != leader })
        cluster.crash(leader)
        for ticket in UInt64(1)...4 { cluster.propose([1], at: follower, ticket: ticket) }
        #expect(cluster.server(follower).outcomes == [4: .rejected(.busy)])
    }

    /// A heartbeat and its answer overtake a slow disk; nothing else does.
    @Test func onlyHeartbeatsGoAtOnce() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        var instance = cluster[leader]
        var effects: [Effect] = []
        instance.step(.propose(.command([1]), ticket: 1), at: cluster.now, effects: &effects)
        instance.step(
            .tick, at: cluster.now.advanced(by: .milliseconds(60)), effects: &effects)
        let kinds = effects.compactMap { effect -> Bool? in
            guard case .sendAtOnce(let message, _) = effect else { return nil }
            if case .heartbeat = message.body { return true }
            return false
        }
        #expect(kinds == [true, true])
        guard case .persist = effects.first else {
            Issue.record("the entry goes to disk first: \(effects)")
            return
        }
    }
}
