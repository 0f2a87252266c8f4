import Primitives
import Raft
import Testing

@Suite struct ReadingTests {
    @Test func readsAtLeaderAndFollowers() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.propose([1], at: leader)
        cluster.run(milliseconds: 50)
        let commit = cluster[leader].commitIndex
        for id in cluster.ids { cluster.step(id, .read(ticket: 7)) }
        cluster.run(milliseconds: 50)
        for id in cluster.ids { #expect(cluster.server(id).reads == [7: commit], "\(id)") }
    }

    @Test func aLoneVoterAnswersAtOnce() throws {
        var cluster = try TestCluster(1)
        let leader = try cluster.electLeader()
        cluster.step(leader, .read(ticket: 1))
        #expect(cluster.server(leader).reads.count == 1)
    }

    /// A deposed leader that does not know it yet must not answer: a majority no longer confirms
    /// it.
    @Test func aDeposedLeaderAnswersNoRead() throws {
        var cluster = try TestCluster(5)
        let old = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        // One follower stays with the old leader.
        let friend = try #require(cluster.ids.first { $0 != old })
        for id in cluster.ids where id != old && id != friend {
            cluster.disconnect(old, id)
            cluster.disconnect(friend, id)
        }
        cluster.step(old, .read(ticket: 1))
        cluster.step(friend, .read(ticket: 2))
        cluster.run(limit: 3_000, "a new leader with a newer write") { cluster in
            guard let leader = cluster.leader else { return false }
            return leader != old && cluster[leader].commitIndex > cluster[old].commitIndex
        }
        cluster.run(milliseconds: 1_100)
        #expect(cluster.server(old).reads.isEmpty && cluster.server(friend).reads.isEmpty)
        #expect(cluster.server(old).failedReads == [1: .notLeader])
        #expect(cluster.server(friend).failedReads[2] != nil)
    }

    /// Answers to rounds begun before a read confirm nothing of it, however late they come, and a
    /// repeated request is a new read (etcd's TestReadOnlyDuplicateRequest).
    @Test func lateAnswersConfirmNoYoungerRead() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        // From now on answers to heartbeats are held back.
        cluster.isHeldBack = { packet in
            if case .heartbeatResponse = packet.message.body { return true }
            return false
        }
        cluster.step(leader, .read(ticket: 1))
        cluster.run(milliseconds: 5)
        let late = cluster.heldBack
        #expect(!late.isEmpty)
        cluster.step(leader, .read(ticket: 2))
        let request = RaftInstance.RequestID(session: 5, sequence: 5)
        let other = try #require(cluster.ids.first { $0 != leader })
        for _ in 0..<2 {
            let message = Message(term: 0, body: .readRequest(request))
            cluster.step(leader, .received(message, from: other))
        }
        for packet in late {
            for _ in 0..<3 {
                cluster.step(leader, .received(packet.message, from: packet.from))
            }
        }
        #expect(cluster.server(leader).reads.keys.sorted() == [1], "only the first is confirmed")
        cluster.isHeldBack = nil
        cluster.run(milliseconds: 100)
        #expect(cluster.server(leader).reads.keys.sorted() == [1, 2])
    }

    /// An answer to a request of an earlier life must not answer one of this life (the etcd bug).
    @Test func anAnswerToAnEarlierLifeIsNotTaken() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let reader = try #require(cluster.ids.first { $0 != leader })
        cluster.isHeldBack = { packet in
            if case .readResponse = packet.message.body { return true }
            return false
        }
        cluster.step(reader, .read(ticket: 1))
        cluster.run(milliseconds: 20)
        let answers = cluster.heldBack
        #expect(answers.count == 1)
        try cluster.restart(reader)
        cluster.run(milliseconds: 100)
        cluster.step(reader, .read(ticket: 1))
        for packet in answers {
            cluster.step(reader, .received(packet.message, from: packet.from))
        }
        #expect(cluster.server(reader).reads.isEmpty)
    }

    /// "If the leader has not yet marked an entry from its current term committed, it waits until
    /// it has done so" (dissertation 6.4, step 1).
    @Test func noReadBeforeTheTermsFirstCommit() throws {
        var cluster = try TestCluster(3)
        cluster.isHeldBack = { packet in
            if case .appendResponse = packet.message.body { return true }
            return false
        }
        cluster.run("a leader") { $0.leader != nil }
        let leader = try #require(cluster.leader)
        cluster.step(leader, .read(ticket: 1))
        cluster.run(milliseconds: 200)
        #expect(cluster[leader].role == .leader && cluster.server(leader).reads.isEmpty)
        cluster.isHeldBack = nil
        cluster.run(milliseconds: 100)
        #expect(cluster.server(leader).reads == [1: 2])
    }

    @Test func readsThatWaitAreBounded() throws {
        var settings = RaftInstance.Settings()
        settings.readLimit = 2
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        for ticket in UInt64(1)...3 { cluster.step(leader, .read(ticket: ticket)) }
        #expect(cluster.server(leader).failedReads == [3: .busy])
    }

    /// Reads that come while a round is under way share the next one.
    @Test func manyReadsShareARound() throws {
        var cluster = try TestCluster(3)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 25)
        let before = cluster.messageCount
        for ticket in UInt64(1)...100 { cluster.step(leader, .read(ticket: ticket)) }
        cluster.run(milliseconds: 10)
        #expect(cluster.server(leader).reads.count == 100)
        #expect(cluster.messageCount - before <= 12)
    }

    // MARK: Lease (dissertation 6.4.1)

    private func leaseCluster() throws -> (cluster: TestCluster, leader: NodeID) {
        var settings = RaftInstance.Settings()
        settings.readsByLease = true
        var cluster = try TestCluster(3, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        return (cluster, leader)
    }

    @Test func aLeaseAnswersWithoutAMessage() throws {
        var (cluster, leader) = try leaseCluster()
        let before = cluster.messageCount
        cluster.step(leader, .read(ticket: 1))
        #expect(cluster.server(leader).reads.count == 1 && cluster.messageCount == before)
    }

    /// It counts from the sending of the round, and ends by the drift bound before any voter may
    /// help to elect another leader.
    @Test func aLeaseEndsBeforeTheVotersLoyalty() throws {
        var (cluster, leader) = try leaseCluster()
        cluster.isolate(leader)
        let cutAt = cluster.now
        let end = try #require(cluster[leader].leaseEnd)
        // 300 ms * 0.99 / 1.01 - 5 ms from a round that was begun before the cut.
        #expect(end < cutAt.advanced(by: .nanoseconds(289_059_405)))
        cluster.run("the lease's end") { $0.now >= end }
        cluster.step(leader, .read(ticket: 2))
        #expect(cluster.server(leader).reads.isEmpty)
    }

    /// A target that was told to stand for election may do so at any time.
    @Test func aTransferVoidsTheLeaseForTheTerm() throws {
        var (cluster, leader) = try leaseCluster()
        let target = try #require(cluster.ids.first { $0 != leader })
        cluster.isHeldBack = { packet in
            if case .timeoutNow = packet.message.body { return true }
            return false
        }
        cluster.step(leader, .transferLeadership(to: target))
        #expect(cluster[leader].leaseEnd == nil)
        cluster.run(milliseconds: 500)
        #expect(cluster[leader].role == .leader, "the transfer was given up")
        #expect(cluster[leader].leaseEnd == nil, "but the word may still arrive")
        cluster.step(leader, .read(ticket: 1))
        #expect(cluster.server(leader).reads.isEmpty)
        cluster.run(milliseconds: 20)
        #expect(cluster.server(leader).reads.count == 1, "confirmed by a round instead")
    }
}
