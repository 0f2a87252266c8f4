import Primitives
import SWIM
import Testing

/// Several members together: the properties that SWIM and Lifeguard promise.
@Suite struct ClusterTests {
    @Test("members that join through one seed all know each other", arguments: [2, 5, 16])
    func joining(count: Int) throws {
        let cluster = try TestCluster(count, seed: 1)
        #expect(cluster.agree)
    }

    @Test("a crash is suspected, then known to all, within the bound", arguments: UInt64(0)..<20)
    func crash(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        cluster.crash(2)
        let others = cluster.running
        let crashedAt = cluster.now
        let took = cluster.run(atMost: .seconds(10)) { $0.all(others, hold: [2], for: .dead) }
        // A probe by each within a round of 4 periods, which ends a period later; then at most 3 s.
        #expect(try #require(took) < .milliseconds(5 * 300 + 3_000 + 500))
        let suspicions = cluster.changes(to: .suspect, of: [2], seenBy: others)
        let first = try #require(suspicions.map(\.at).min())
        #expect(crashedAt.duration(to: first) <= .milliseconds(5 * 300 + 10))
        #expect(cluster.changes(to: .suspect, of: others, seenBy: others).isEmpty)
    }

    @Test("detection times of a crash among five: median and worst of 60 seeds")
    func crashTimes() throws {
        var suspected: [Duration] = []
        var known: [Duration] = []
        for seed in UInt64(100)..<160 {
            var cluster = try TestCluster(5, seed: seed)
            cluster.run(milliseconds: Int(seed) * 7 % 300)
            cluster.crash(4)
            let start = cluster.now
            let took = cluster.run(atMost: .seconds(10)) {
                $0.all([0, 1, 2, 3], hold: [4], for: .dead)
            }
            known.append(try #require(took))
            let suspicions = cluster.changes(to: .suspect, of: [4], seenBy: [0, 1, 2, 3])
            suspected.append(start.duration(to: try #require(suspicions.map(\.at).min())))
        }
        suspected.sort()
        known.sort()
        #expect(suspected[30] <= .milliseconds(600), "median of first suspicions")
        #expect(suspected[59] <= .milliseconds(1_510), "worst of first suspicions")
        #expect(known[30] <= .milliseconds(2_000), "median until all know")
        #expect(known[59] <= .milliseconds(2_600), "worst until all know")
    }

    @Test("a closed link makes its member suspect within 0.4 s", arguments: UInt64(0)..<10)
    func closedLink(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        cluster.crash(1)
        for index in cluster.running { cluster.input(.linkClosed(TestCluster.id(1)), to: index) }
        let took = cluster.run(atMost: .seconds(1)) {
            $0.all([0, 2, 3, 4], hold: [1], for: .suspect)
        }
        #expect(try #require(took) <= .milliseconds(400))
        #expect(
            cluster.run(atMost: .milliseconds(1_200)) {
                $0.all([0, 2, 3, 4], hold: [1], for: .dead)
            } != nil, "fully confirmed at once, so dead after 1 s")
    }

    @Test("a closed link of a member that lives accuses nobody")
    func closedLinkOfALivingMember() throws {
        var cluster = try TestCluster(5, seed: 3)
        for index in [0, 2, 3, 4] { cluster.input(.linkClosed(TestCluster.id(1)), to: index) }
        cluster.run(milliseconds: 2_000)
        #expect(cluster.changes(to: .suspect, of: [1], seenBy: [0, 2, 3, 4]).isEmpty)
    }

    @Test("without faults nobody is ever suspected: 10,000 periods")
    func quiet() throws {
        var cluster = try TestCluster(5, seed: 5)
        cluster.run(milliseconds: 10_000 / 5 * 300)
        for node in cluster.nodes { #expect(node.events.isEmpty, "\(node.events)") }
        let perSecond = Double(cluster.sentMessages) / 5 / 600
        #expect(perSecond < 8, "a ping and an ack per period, and little else: \(perSecond)")
    }

    @Test("with 5 % loss nobody dies, with 20 % nobody who refutes", arguments: [5, 20])
    func loss(percent: Int) throws {
        var cluster = try TestCluster(8, seed: 9)
        cluster.lossPercent = percent
        cluster.run(milliseconds: 200_000)
        #expect(cluster.changes(to: .dead, of: cluster.running, seenBy: cluster.running).isEmpty)
        cluster.lossPercent = 0
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
    }

    @Test("a change of facts reaches all, each member telling it at most lambda log n times")
    func dissemination() throws {
        var cluster = try TestCluster(16, seed: 4)
        for round in 0..<30 {
            let subject = round % 16
            var facts = cluster.nodes[subject].instance.myself.metadata
            facts.weight = UInt32(2 + round)
            cluster.input(.metadataChanged(facts), to: subject)
            let took = cluster.run(atMost: .seconds(3)) { cluster in
                cluster.running.allSatisfy {
                    $0 == subject
                        || cluster.nodes[$0].instance.member(TestCluster.id(subject))?.metadata
                            == facts
                }
            }
            #expect(took != nil, "round \(round)")
        }
        // The last news runs out: 12 copies by each, three every 100 ms and what pings take.
        cluster.run(milliseconds: 1_000)
        for node in cluster.nodes { #expect(node.instance.newsCount == 0) }
    }

    @Test("49 % die at once: the others agree on that, and doubt none of themselves")
    func massFailure() throws {
        var cluster = try TestCluster(11, seed: 2)
        for index in 0..<5 { cluster.crash(index) }
        let alive = cluster.running
        #expect(
            cluster.run(atMost: .seconds(30)) { $0.all(alive, hold: Array(0..<5), for: .dead) }
                != nil)
        #expect(cluster.changes(to: .dead, of: alive, seenBy: alive).isEmpty)
        for index in alive { #expect(!cluster.nodes[index].instance.isFrozen) }
    }

    @Test("when most are doubted at once, at most half of all are declared dead for a minute")
    func freeze() throws {
        var cluster = try TestCluster(7, seed: 2)
        for index in 0..<5 { cluster.crash(index) }
        cluster.run(milliseconds: 30_000)
        for index in cluster.running {
            let instance = cluster.nodes[index].instance
            #expect(instance.isFrozen)
            #expect(instance.members.count { $0.status == .dead } <= 3)
            #expect(
                cluster.nodes[index].events.contains { $0.effect == .removalsFrozen(true) })
        }
    }

    @Test(
        "one who leaves is known to have left, dead to nobody, and falls silent",
        arguments: UInt64(0)..<5)
    func leaving(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        cluster.input(.leave, to: 3)
        cluster.run(milliseconds: 1_100)
        #expect(cluster.all([0, 1, 2, 4], hold: [3], for: .left))
        #expect(cluster.nodes[3].events.last?.effect == .leaveFinished)
        #expect(cluster.nodes[3].instance.phase == .silent)
        cluster.run(milliseconds: 5_000)
        #expect(cluster.all([0, 1, 2, 4], hold: [3], for: .left))
        #expect(cluster.changes(to: .suspect, of: [3], seenBy: [0, 1, 2, 4]).isEmpty)
    }
}
