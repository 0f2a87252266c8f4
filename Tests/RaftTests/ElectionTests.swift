import Primitives
import Raft
import Testing

@Suite struct ElectionTests {
    @Test(arguments: 1...7)
    func electsOneLeader(count: Int) throws {
        var cluster = try TestCluster(count)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 500)
        #expect(cluster.ids.allSatisfy { cluster[$0].leader == leader })
        let term = cluster[leader].term
        cluster.run(milliseconds: 5_000)
        #expect(cluster[leader].term == term, "a healthy leader keeps its term")
    }

    /// "When servers start up, they begin as followers" (5.2).
    @Test func startsAsAFollowerAndWaitsAnElectionTimeout() throws {
        var cluster = try TestCluster(3)
        cluster.run(milliseconds: 299)
        #expect(cluster.ids.allSatisfy { cluster[$0].role.kind == .follower })
        #expect(cluster.messageCount == 0)
    }

    @Test func aLoneVoterNeedNotWait() throws {
        var cluster = try TestCluster(1)
        cluster.run(milliseconds: 10)
        let only = NodeID(1)
        #expect(cluster[only].role == .leader)
        #expect(cluster[only].commitIndex == cluster[only].lastIndex)
    }

    /// "To begin an election, a follower increments its current term and transitions to candidate
    /// state.
    ///
    /// It then votes for itself" (5.2), and all that is on disk before it asks.
    @Test func aVoteIsOnDiskBeforeAnybodyHearsOfIt() throws {
        var effects = try effectsOfAnElection()
        let persisted = effects.firstIndex {
            guard case .persist(let persistence) = $0 else { return false }
            return persistence.hardState
                == RaftInstance.HardState(term: 2, vote: NodeID(1))
        }
        let asked = effects.firstIndex {
            guard case .send(let message, _) = $0, case .voteRequest = message.body else {
                return false
            }
            return true
        }
        let first = try #require(persisted)
        #expect(try first < #require(asked))
        effects.removeAll()
    }

    private func effectsOfAnElection() throws -> [Effect] {
        var instance = try lone(1, of: 3)
        var effects: [Effect] = []
        instance.step(.tick, at: at(700), effects: &effects)
        let yes = Message(term: 2, body: .preVoteResponse(granted: true))
        instance.step(.received(yes, from: NodeID(2)), at: at(701), effects: &effects)
        #expect(instance.role == .candidate(votes: [NodeID(1)]))
        return effects
    }

    /// "Each server will vote for at most one candidate in a given term, on a first-come-first-
    /// served basis" (5.2), also across a restart.
    @Test func votesOncePerTerm() throws {
        var disk = RaftInstance.PersistedState.founding(voters: voters(3))
        var instance = try lone(1, of: 3)
        let request = Message(
            term: 5, body: .voteRequest(RaftInstance.VoteRequest(lastIndex: 1, lastTerm: 1)))
        #expect(answer(&instance, request, from: 2, at: 400, disk: &disk) == true)
        #expect(answer(&instance, request, from: 2, at: 401, disk: &disk) == true, "again")
        #expect(answer(&instance, request, from: 3, at: 402, disk: &disk) == false)
        #expect(disk.hardState == RaftInstance.HardState(term: 5, vote: NodeID(2)))
        var restarted = try RaftInstance(
            id: NodeID(1), state: disk, settings: RaftInstance.Settings(), seed: 9, at: at(403))
        #expect(answer(&restarted, request, from: 3, at: 800, disk: &disk) == false)
        #expect(answer(&restarted, request, from: 2, at: 801, disk: &disk) == true)
    }

    private func answer(
        _ instance: inout RaftInstance, _ message: Message, from sender: UInt64,
        at milliseconds: Int, disk: inout RaftInstance.PersistedState
    ) -> Bool? {
        var effects: [Effect] = []
        instance.step(
            .received(message, from: NodeID(sender)), at: at(milliseconds), effects: &effects)
        var vote: Bool?
        for effect in effects {
            if case .persist(let persistence) = effect {
                #expect(vote == nil, "the answer left before the vote was on disk")
                disk.apply(persistence)
            }
            if case .send(let answer, _) = effect, case .voteResponse(let granted) = answer.body {
                vote = granted
            }
        }
        return vote
    }

    /// "The voter denies its vote if its own log is more up-to-date than that of the candidate"
    /// (5.4.1): the later term wins, in one term the longer log.
    @Test(arguments: [
        (lastIndex: UInt64(3), lastTerm: UInt64(2), granted: true),
        (2, 2, false), (9, 1, false), (1, 3, true), (4, 2, true),
    ])
    func comparesLogs(lastIndex: UInt64, lastTerm: UInt64, granted: Bool) throws {
        var state = RaftInstance.PersistedState.founding(voters: voters(3))
        state.hardState.term = 4
        state.entries = [
            Entry(term: 2, index: 2, payload: .noOperation),
            Entry(term: 2, index: 3, payload: .command([1])),
        ]
        var instance = try RaftInstance(
            id: NodeID(1), state: state, settings: RaftInstance.Settings(), seed: 1, at: at(0))
        let log = RaftInstance.VoteRequest(lastIndex: lastIndex, lastTerm: lastTerm)
        var effects: [Effect] = []
        instance.step(
            .received(Message(term: 5, body: .preVoteRequest(log)), from: NodeID(2)),
            at: at(350), effects: &effects)
        let preAnswer = Message(
            term: granted ? 5 : 4, body: .preVoteResponse(granted: granted))
        #expect(effects == [.send(preAnswer, to: NodeID(2))], "a pre-vote changes nothing")
        var disk = state
        let vote = Message(term: 5, body: .voteRequest(log))
        #expect(answer(&instance, vote, from: 2, at: 351, disk: &disk) == granted)
    }

    /// Pre-vote (dissertation 9.6): a server that was cut off comes back without raising the term.
    @Test func aServerThatComesBackDeposesNobody() throws {
        var cluster = try TestCluster(5)
        let leader = try cluster.electLeader()
        let term = cluster[leader].term
        let away = try #require(cluster.ids.first { $0 != leader })
        cluster.isolate(away)
        cluster.run(milliseconds: 10_000)
        #expect(cluster[away].term == term)
        cluster.heal()
        cluster.run(milliseconds: 3_000)
        #expect(cluster.leader == leader)
        #expect(cluster.ids.allSatisfy { cluster[$0].term == term })
    }

    /// Check-quorum (dissertation 6.2): "a leader steps down if an election timeout elapses without
    /// a successful round of heartbeats to a majority of its cluster".
    @Test func aLeaderWithoutAMajorityStepsDown() throws {
        var cluster = try TestCluster(5)
        let leader = try cluster.electLeader()
        cluster.isolate(leader)
        cluster.run(milliseconds: 360)
        #expect(cluster[leader].role == .follower(leader: nil))
        cluster.run(limit: 1_500, "a new leader") { $0.leader != nil }
        #expect(cluster.leader != leader)
    }

    /// Servers 1, 2, 3 are fully linked, 4 reaches only 2 and 5 only 3 (Howard and Abraham, 2020):
    /// without pre-vote and check-quorum leaders depose each other for ever.
    @Test(arguments: UInt64(1)...5)
    func settlesUnderAPartialPartition(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        for (a, b) in [(4, 1), (4, 3), (4, 5), (5, 1), (5, 2)] as [(UInt64, UInt64)] {
            cluster.disconnect(NodeID(a), NodeID(b))
        }
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 2_000)
        let settled = try #require(cluster.leader)
        let term = cluster[settled].term
        cluster.run(milliseconds: 10_000)
        #expect(cluster.leader == settled, "first \(leader)")
        #expect(cluster[settled].term == term)
    }

    /// A server left with a newer term by an election that failed must not stay outside for ever.
    @Test func aServerWithANewerTermIsFreed() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        let stuck = try #require(cluster.ids.first { $0 != leader })
        cluster.crash(stuck)
        var disk = cluster.server(stuck).disk
        disk.hardState = RaftInstance.HardState(term: 9, vote: stuck)
        try cluster.add(stuck, disk)
        cluster.run(limit: 3_000, "all in one term") { cluster in
            guard let leader = cluster.leader else { return false }
            return cluster.ids.allSatisfy { cluster[$0].leader == leader }
        }
        let settled = try #require(cluster.leader)
        #expect(cluster[settled].term > 9)
    }

    /// "If a server receives a RequestVote request within the minimum election timeout of hearing
    /// from a current leader, it does not update its term or grant its vote" (dissertation 4.2.3).
    @Test func loyalServersIgnoreCandidates() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let voter = try #require(cluster.ids.first { $0 != leader })
        let term = cluster[voter].term
        let log = RaftInstance.VoteRequest(lastIndex: 99, lastTerm: 99)
        for id in [voter, leader] {
            cluster.step(
                id, .received(Message(term: 50, body: .voteRequest(log)), from: NodeID(77)))
            #expect(cluster[id].term == term)
        }
    }

    /// A server may have answered a heartbeat just before it restarted, and the leader's lease
    /// counts on its loyalty.
    @Test func aRestartedServerIsLoyalForAnElectionTimeout() throws {
        var instance = try lone(1, of: 3)
        var disk = RaftInstance.PersistedState.founding(voters: voters(3))
        let request = Message(
            term: 5, body: .voteRequest(RaftInstance.VoteRequest(lastIndex: 1, lastTerm: 1)))
        #expect(answer(&instance, request, from: 2, at: 299, disk: &disk) == nil)
        #expect(instance.term == 1)
        #expect(answer(&instance, request, from: 2, at: 300, disk: &disk) == true)
    }

    @Test func aServerThatMayNotVoteNeitherVotesNorStands() throws {
        var settings = RaftInstance.Settings()
        settings.mayVote = false
        var instance = try lone(1, of: 3, settings: settings)
        var disk = RaftInstance.PersistedState.founding(voters: voters(3))
        let request = Message(
            term: 5, body: .voteRequest(RaftInstance.VoteRequest(lastIndex: 1, lastTerm: 1)))
        #expect(answer(&instance, request, from: 2, at: 400, disk: &disk) == false)
        var effects: [Effect] = []
        instance.step(.tick, at: at(5_000), effects: &effects)
        #expect(instance.role.kind == .follower)
    }

    /// Elections after a crash take a timeout and two round trips, not several timeouts.
    @Test func aCrashedLeaderIsReplacedWithinASecond() throws {
        var slowest = 0
        for seed in UInt64(1)...20 {
            var cluster = try TestCluster(5, seed: seed)
            let leader = try cluster.electLeader()
            cluster.run(milliseconds: 200)
            cluster.crash(leader)
            let start = cluster.now
            cluster.run(limit: 3_000, "a new leader") { $0.leader != nil }
            let taken = start.duration(to: cluster.now).wholeNanoseconds / 1_000_000
            slowest = max(slowest, Int(taken))
        }
        #expect(slowest < 1_500)
    }
}

func voters(_ count: UInt64) -> [NodeID] { (1...count).map { NodeID($0) } }

func at(_ milliseconds: Int) -> Instant {
    Instant(nanoseconds: Int64(milliseconds) * 1_000_000)
}

/// One server of a new cluster, by itself.
func lone(
    _ id: UInt64, of count: UInt64, settings: RaftInstance.Settings = RaftInstance.Settings()
) throws -> RaftInstance {
    try RaftInstance(
        id: NodeID(id), state: .founding(voters: voters(count)), settings: settings, seed: 1,
        at: at(0))
}
