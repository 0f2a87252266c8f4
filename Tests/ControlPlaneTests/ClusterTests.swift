import Placement
import Primitives
import Raft
import SWIM
import Testing

@testable import ControlPlane

/// What becomes of a cluster's table and leases, step by step.
@Suite struct ClusterTests {
    private static let names = ["a", "b", "c"]

    private func formed(_ names: [String] = names) throws -> TestNodes {
        var cluster = try TestNodes.cluster(names)
        cluster.run(milliseconds: 2_000)
        for name in names {
            try #require(cluster.members(name) == names, "\(name): \(cluster[name].events)")
        }
        return cluster
    }

    @Test func aFounderServesAtOnce() throws {
        var cluster = TestNodes()
        try cluster.start("a", .found(RingSettings()))
        cluster.run(milliseconds: 20)
        #expect(cluster.mayServe("a", since: 1))
        #expect(cluster.members("a") == ["a"])
    }

    @Test func newcomersGetARingLeasesAndVotes() throws {
        let cluster = try formed()
        for name in Self.names {
            let node = cluster[name]
            #expect(cluster.mayServe(name, since: node.instance.topology?.epoch ?? .max))
            #expect(node.instance.raft.configuration.voters.count == 3)
            #expect(node.installed == cluster["a"].installed, "equal epochs, equal tables")
        }
    }

    @Test func aNodeWithoutADiskJoinsAndDoesNotVote() throws {
        var cluster = try TestNodes.cluster(["a", "b"])
        try cluster.start("c", .join(["a:21211"]), hasDisk: false)
        cluster.run(milliseconds: 2_000)
        #expect(cluster.members("c") == Self.names)
        let voters = cluster["a"].instance.raft.configuration.voters
        #expect(!voters.contains(Member.id(ofName: "c")))
    }

    @Test func nodesThatExpectEachOtherFoundOneCluster() throws {
        var cluster = TestNodes()
        for name in Self.names {
            let seeds = Self.names.map { SWIMInstance.Address("\($0):21211") }
            try cluster.start(name, .expect(3, seeds, RingSettings()))
            cluster.run(milliseconds: 300)
            #expect(name == "c" || cluster.nodes.values.allSatisfy { $0.installed == nil })
        }
        cluster.run(milliseconds: 4_000)
        let founders = Self.names.filter { name in
            cluster[name].events.contains { if case .founded = $0 { true } else { false } }
        }
        #expect(founders.count == 1)
        for name in Self.names { #expect(cluster.members(name) == Self.names) }
    }

    /// The rule that keeps positions from having two owners.
    @Test func aNewOwnerWaitsUntilTheOldOneHasItsTable() throws {
        var cluster = try formed(["a", "b"])
        cluster.nodes["b"]?.installs = false
        try cluster.start("c", .join(["a:21211"]))
        // b hears of the table, and its loops go on with the one before.
        cluster.run(milliseconds: 600)
        let epoch = try #require(cluster["c"].instance.topology?.epoch)
        #expect(cluster.members("c") == Self.names)
        #expect(!cluster.mayServe("c", since: epoch), "b may still serve what c owns now")
        #expect(cluster.mayServe("b", since: 1), "under its last lease")
        // That runs out, for b does not ask under the newest table: then c serves.
        cluster.run(milliseconds: 1_700)
        #expect(cluster.mayServe("c", since: epoch))
        #expect(!cluster.mayServe("b", since: 1))
    }

    @Test func nobodyServesWithoutAQuorum() throws {
        var cluster = try formed()
        let leader = try #require(cluster.leader)
        cluster.isolated = [leader]
        cluster.run(milliseconds: 1_900)
        #expect(!cluster.mayServe(leader, since: 1))
        cluster.run(milliseconds: 2_000)
        let others = Self.names.filter { $0 != leader }
        for name in others {
            #expect(cluster.members(name) == others)
            #expect(cluster.mayServe(name, since: cluster[name].instance.topology?.epoch ?? .max))
        }
        #expect(cluster.members(leader) == Self.names, "it knows nothing of that")
        cluster.isolated = []
        cluster.run(milliseconds: 20_000)
        for name in Self.names { #expect(cluster.members(name) == Self.names) }
    }

    @Test func aDeadMembersArcsGoToOthersAfterItsLease() throws {
        var cluster = try formed()
        let leader = try #require(cluster.leader)
        let victim = try #require(Self.names.first { $0 != leader })
        let end = cluster[victim].lease.end
        let epoch = try #require(cluster[leader].instance.topology?.epoch)
        cluster.isolated = [victim]
        cluster.nodes[victim] = nil
        while cluster[leader].instance.topology?.epoch == epoch,
            cluster.now
                < end.advanced(
                    by: .seconds(10))
        {
            cluster.run(milliseconds: 10)
        }
        #expect(cluster.now >= end, "the victim could have served until \(end)")
        #expect(end.advanced(by: .seconds(3)) > cluster.now)
        #expect(!cluster.members(leader).contains(victim))
    }

    @Test func aRestartIsAnotherLifeAndBeginsWithNothing() throws {
        var cluster = try formed()
        let leader = try #require(cluster.leader)
        let victim = try #require(Self.names.first { $0 != leader })
        let before = try #require(cluster[leader].installed)
        try cluster.start(
            victim, .join([SWIMInstance.Address("\(leader):21211")]), life: 2)
        cluster.run(milliseconds: 4_000)
        let after = try #require(cluster[leader].installed)
        #expect(after.members.map(\.incarnation).sorted() == [1, 1, 2])
        #expect(try before.losers(to: after) == [Member.id(ofName: victim)])
        #expect(cluster.mayServe(victim, since: after.epoch))
    }

    @Test func whoLeavesIsGoneFromTableVotersAndMembership() throws {
        var cluster = try formed()
        let leader = try #require(cluster.leader)
        cluster.step(.leave, on: leader)
        cluster.run(milliseconds: 3_000)
        #expect(cluster[leader].hasLeft)
        let others = Self.names.filter { $0 != leader }
        for name in others {
            #expect(cluster.members(name) == others)
            let members = cluster[name].instance.raft.configuration.members
            #expect(!members.contains(Member.id(ofName: leader)))
        }
    }

    @Test func aFlushIsDoneWhenNobodyServesThePast() throws {
        var cluster = try formed()
        cluster.nodes["c"]?.installs = false
        cluster.step(.request(.flush, ticket: 7), on: "b")
        cluster.run(milliseconds: 500)
        #expect(cluster["b"].answers[7] == nil, "c has not heard of it, and has a lease")
        cluster.run(milliseconds: 2_000)
        guard case .done(let epoch) = cluster["b"].answers[7] else {
            Issue.record("\(String(describing: cluster["b"].answers[7]))")
            return
        }
        #expect(cluster["b"].installed?.epoch == epoch)
        #expect(!cluster.mayServe("c", since: 1))
    }

    @Test func requestsThatCannotBeDoneAreRefused() throws {
        var cluster = try formed()
        cluster.step(.request(.forget(name: "b"), ticket: 1), on: "a")
        cluster.step(.request(.forget(name: "nobody"), ticket: 2), on: "a")
        #expect(cluster["a"].answers[1] == .refused(.memberAlive))
        #expect(cluster["a"].answers[2] == .refused(.noSuchMember))
        var alone = TestNodes()
        try alone.start("x", .join(["nowhere:1"]))
        alone.step(.request(.flush, ticket: 3), on: "x")
        #expect(alone["x"].answers[3] == .refused(.noCluster))
        for ticket in 10..<10 + UInt64(ControlPlaneInstance.Settings().requestLimit) + 5 {
            cluster.drops = { _ in true }
            cluster.step(.request(.flush, ticket: ticket), on: "a")
        }
        #expect(cluster["a"].answers.values.contains(.refused(.busy)))
    }

    /// A full disk costs the node its vote, and nobody the service.
    @Test func aNodeWhoseDiskIsFullGoesOnAsALearner() throws {
        var cluster = try formed(["a", "b", "c", "d"])
        let leader = try #require(cluster.leader)
        let voters = cluster[leader].instance.raft.configuration.voters
        let full = try #require(
            ["a", "b", "c", "d"].first {
                $0 != leader && voters.contains(Member.id(ofName: $0))
            })
        cluster.nodes[full]?.persists = false
        cluster.step(.diskFailed, on: full)
        cluster.run(milliseconds: 5_000)
        let now = cluster[leader].instance.raft.configuration.voters
        #expect(now.count == 3 && !now.contains(Member.id(ofName: full)))
        #expect(cluster.mayServe(full, since: 1))
        cluster.step(.request(.flush, ticket: 1), on: full)
        cluster.run(milliseconds: 1_000)
        guard case .done = cluster[full].answers[1] else {
            Issue.record("\(cluster[full].answers)")
            return
        }
    }
}
