import Primitives
import Raft
import Testing

@Suite struct MembershipTests {
    private func cluster(
        _ count: Int, settings: RaftInstance.Settings = RaftInstance.Settings()
    ) throws -> (TestCluster, NodeID) {
        var cluster = try TestCluster(count, settings: settings)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        return (cluster, leader)
    }

    private let newcomer = NodeID(9)

    /// A learner gets the founding snapshot and the log, does not count, and is promoted once it
    /// has caught up (dissertation 4.2.1).
    @Test func aNewServerLearnsThenVotes() throws {
        var (cluster, leader) = try cluster(3)
        for number in 0..<10 { cluster.propose([UInt8(number)], at: leader) }
        cluster.change(.addLearner(newcomer), at: leader, ticket: 1)
        cluster.run(milliseconds: 50)
        let early = cluster.server(leader).outcomes[1]
        guard case .appended = early else {
            Issue.record("\(String(describing: early))")
            return
        }
        cluster.change(.promote(newcomer), at: leader, ticket: 2)
        #expect(cluster.server(leader).outcomes[2] == .rejected(.learnerBehind))
        try cluster.add(newcomer)
        cluster.run(milliseconds: 300)
        #expect(cluster.commands(newcomer).count == 10)
        #expect(cluster[newcomer].configuration.learners == [newcomer])
        cluster.change(.promote(newcomer), at: leader, ticket: 3)
        cluster.run(milliseconds: 100)
        #expect(cluster.ids.allSatisfy { cluster[$0].configuration.voters.count == 4 })
    }

    @Test func learnersNeitherCountNorStand() throws {
        var (cluster, leader) = try cluster(3)
        for learner in [newcomer, NodeID(10), NodeID(11)] {
            cluster.change(.addLearner(learner), at: leader)
            try cluster.add(learner)
            cluster.run(milliseconds: 300)
        }
        #expect(cluster[leader].configuration.learners.count == 3)
        for id in voters(3) where id != leader { cluster.crash(id) }
        cluster.propose([1], at: leader)
        cluster.run(milliseconds: 100)
        #expect(cluster.commands(leader).isEmpty, "four of six, but one of three that count")
        cluster.crash(leader)
        cluster.run(milliseconds: 3_000)
        #expect(cluster[newcomer].role.kind == .follower)
    }

    /// One change at a time, and none before an entry of the leader's own term is committed: else
    /// two leaders might each find a majority (Ongaro, raft-dev 2015).
    @Test func changesWaitForOneAnother() throws {
        var cluster = try TestCluster(4)
        cluster.isHeldBack = { packet in
            if case .appendResponse = packet.message.body { return true }
            return false
        }
        cluster.run("a leader") { $0.leader != nil }
        let leader = try #require(cluster.leader)
        cluster.change(.remove(NodeID(1)), at: leader, ticket: 1)
        #expect(cluster.server(leader).outcomes[1] == .rejected(.changeTooEarly))
        cluster.isHeldBack = nil
        cluster.run(milliseconds: 100)
        cluster.change(.addLearner(newcomer), at: leader, ticket: 2)
        cluster.change(.addLearner(NodeID(10)), at: leader, ticket: 3)
        #expect(cluster.server(leader).outcomes[3] == .rejected(.changePending))
        cluster.run(milliseconds: 100)
        cluster.change(.addLearner(newcomer), at: leader, ticket: 4)
        #expect(cluster.server(leader).outcomes[4] == .rejected(.changeInvalid))
    }

    /// Each configuration and the next share a server in any two majorities; a change that would
    /// leave no voter, or change nothing, is none.
    @Test func neighbouringConfigurationsOverlap() {
        let members = RaftInstance.Configuration(
            voters: voters(3), learners: [NodeID(4), NodeID(5)])
        for change in Self.everyChange(of: (1...6).map { NodeID($0) }) {
            guard let next = members.applying(change) else { continue }
            #expect(next != members)
            for subset in Self.subsets(of: members.members + next.members) {
                let rest = (members.members + next.members).filter { !subset.contains($0) }
                #expect(!(members.isQuorum(subset) && next.isQuorum(rest)), "\(change)")
            }
        }
        let single = RaftInstance.Configuration(voters: [NodeID(1)])
        #expect(single.applying(.remove(NodeID(1))) == nil)
        #expect(single.applying(.demote(NodeID(1))) == nil)
        #expect(single.applying(.promote(NodeID(1))) == nil)
        #expect(!RaftInstance.Configuration().isQuorum([]))
    }

    private static func everyChange(of nodes: [NodeID]) -> [RaftInstance.MembershipChange] {
        nodes.flatMap { [.addLearner($0), .promote($0), .demote($0), .remove($0)] }
    }

    private static func subsets(of nodes: [NodeID]) -> [[NodeID]] {
        let distinct = Set(nodes).sorted()
        return (0..<(1 << distinct.count)).map { mask in
            distinct.indices.filter { mask >> $0 & 1 == 1 }.map { distinct[$0] }
        }
    }

    /// "A leader that is removed from the configuration steps down once the Cnew entry is
    /// committed" (dissertation 4.2.2), and the removed server unseats nobody (4.2.3).
    @Test func aRemovedLeaderStepsDown() throws {
        var (cluster, leader) = try cluster(3)
        cluster.change(.remove(leader), at: leader)
        #expect(cluster[leader].role == .leader, "it leads until the change is committed")
        cluster.run(limit: 2_000, "another leader") { $0.leader != nil && $0.leader != leader }
        let next = try #require(cluster.leader)
        cluster.run(milliseconds: 500)
        let term = cluster[next].term
        cluster.run(milliseconds: 5_000)
        #expect(cluster[next].term == term && cluster.leader == next)
        #expect(cluster[leader].role.kind == .follower)
        #expect(!cluster[leader].configuration.members.contains(leader), "it knows")
        cluster.propose([1], at: next)
        cluster.run(milliseconds: 100)
        #expect(cluster.commands(next) == [[1]])
    }

    /// "A server that is not part of its own latest configuration should still start new elections,
    /// as it might still be needed until the Cnew entry is committed" (dissertation 4.2.2).
    @Test func aServerOnItsWayOutIsStillNeeded() throws {
        var (cluster, leader) = try cluster(2)
        let other = try #require(cluster.ids.first { $0 != leader })
        cluster.isolate(leader)
        cluster.change(.remove(leader), at: leader)
        cluster.crash(leader)
        cluster.run(milliseconds: 100)
        try cluster.restart(leader)
        cluster.heal()
        // Only the old leader's log has the change, so the other one cannot win its vote.
        cluster.run(limit: 5_000, "the other one leads alone") {
            $0.leader == other && $0[other].configuration.voters == [other]
        }
    }

    @Test func aRemovedFollowerUnseatsNobody() throws {
        var (cluster, leader) = try cluster(4)
        let removed = try #require(cluster.ids.first { $0 != leader })
        // It is away when it is removed, and never hears of it.
        cluster.isolate(removed)
        cluster.change(.remove(removed), at: leader)
        cluster.run(milliseconds: 1_000)
        cluster.heal()
        let term = cluster[leader].term
        cluster.run(milliseconds: 5_000)
        #expect(cluster.leader == leader && cluster[leader].term == term)
    }

    /// "If the entry is taken back, so is the configuration" (4.1: a server uses the latest
    /// configuration in its log, and falls back to the one before).
    @Test func aTruncatedChangeIsTakenBack() throws {
        var (cluster, leader) = try cluster(3)
        cluster.isolate(leader)
        cluster.change(.addLearner(newcomer), at: leader)
        #expect(cluster[leader].configuration.learners == [newcomer])
        cluster.run(limit: 3_000, "another leader") { $0.leader != nil && $0.leader != leader }
        cluster.heal()
        cluster.run(milliseconds: 500)
        #expect(cluster[leader].configuration.learners.isEmpty)
        cluster.expectLogsMatch()
    }

    /// A learner without a disk comes back empty and is filled again, even while nothing is
    /// proposed.
    @Test func aLearnerWithoutADiskIsFilledAgain() throws {
        var (cluster, leader) = try cluster(3)
        cluster.change(.addLearner(newcomer), at: leader)
        try cluster.add(newcomer)
        for number in 0..<10 { cluster.propose([UInt8(number)], at: leader) }
        cluster.run(milliseconds: 300)
        #expect(cluster.commands(newcomer).count == 10)
        cluster.crash(newcomer)
        cluster.run(milliseconds: 100)
        try cluster.restart(newcomer, withDisk: false)
        cluster.run(milliseconds: 500)
        #expect(cluster.commands(newcomer).count == 10)
    }

    // MARK: Leadership transfer (dissertation 3.10)

    @Test(arguments: UInt64(1)...5)
    func leadershipIsHandedOver(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        let leader = try cluster.electLeader()
        cluster.run(milliseconds: 100)
        let target = try #require(cluster.ids.last { $0 != leader })
        cluster.propose([1], at: leader)
        cluster.step(leader, .transferLeadership(to: target))
        cluster.propose([2], at: leader, ticket: 2)
        #expect(cluster.server(leader).outcomes[2] == .rejected(.transferring))
        cluster.run(limit: 100, "the target leads") { $0.leader == target }
        cluster.run(milliseconds: 100)
        #expect(cluster.commands(target) == [[1]])
    }

    @Test func aTransferThatFailsIsGivenUp() throws {
        var (cluster, leader) = try cluster(3)
        let target = try #require(cluster.ids.first { $0 != leader })
        cluster.crash(target)
        cluster.step(leader, .transferLeadership(to: target))
        cluster.run(milliseconds: 320)
        cluster.propose([3], at: leader, ticket: 3)
        cluster.run(milliseconds: 50)
        #expect(cluster.commands(leader) == [[3]])
        cluster.step(leader, .transferLeadership(to: newcomer))
        cluster.propose([4], at: leader, ticket: 4)
        #expect(cluster.server(leader).outcomes[4] != .rejected(.transferring), "not to a stranger")
    }
}
