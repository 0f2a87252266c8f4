import Primitives
import SWIM
import Testing

/// Cuts, stopped processes, restarts and rivals.
@Suite struct PartitionTests {
    @Test("halves declare each other dead and meet again within 10 s", arguments: UInt64(0)..<10)
    func evenSplit(seed: UInt64) throws {
        var cluster = try TestCluster(6, seed: seed)
        cluster.partition([0, 1, 2], [3, 4, 5])
        cluster.run(milliseconds: 20_000)
        #expect(cluster.all([0, 1, 2], hold: [3, 4, 5], for: .dead))
        #expect(cluster.all([3, 4, 5], hold: [0, 1, 2], for: .dead))
        #expect(cluster.all([0, 1, 2], hold: [0, 1, 2], for: .alive))
        cluster.cuts = []
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
        cluster.run(milliseconds: 5_000)
        #expect(cluster.agree, "and it stays so")
    }

    @Test("a lone member comes back, and its doubts are not told around", arguments: UInt64(0)..<10)
    func isolation(seed: UInt64) throws {
        var cluster = try TestCluster(8, seed: seed)
        cluster.partition([0], Array(1..<8))
        cluster.run(milliseconds: 15_000)
        #expect(cluster.all(Array(1..<8), hold: [0], for: .dead))
        #expect(cluster.nodes[0].instance.isFrozen)
        cluster.cuts = []
        for index in cluster.nodes.indices { cluster.nodes[index].events = [] }
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
        #expect(cluster.changes(to: .dead, of: Array(1..<8), seenBy: Array(1..<8)).isEmpty)
    }

    @Test("sides that started in a partition and never heard of each other meet by their seeds")
    func strangers() throws {
        for seed in UInt64(0)..<10 {
            var cluster = try TestCluster(4, seed: seed, isJoined: false)
            // Nothing is under way any more when they start anew, each side by itself.
            for index in 0..<4 { cluster.crash(index) }
            cluster.run(milliseconds: 1_000)
            cluster.partition([0, 1], [2, 3])
            let everybody = (0..<4).map(TestCluster.address)
            for index in 0..<4 {
                try cluster.restart(index, life: 2)
                cluster.input(.join(everybody), to: index)
            }
            cluster.run(milliseconds: 20_000)
            #expect(cluster.all([0, 1], hold: [0, 1], for: .alive))
            let other = cluster.nodes[0].instance.member(TestCluster.id(2))
            #expect(other == nil, "one side knows nothing of the other")
            cluster.cuts = []
            // Seeds are asked ever more seldom: it takes as long again as the partition lasted.
            #expect(cluster.run(atMost: .seconds(22)) { $0.agree } != nil, "seed \(seed)")
        }
    }

    @Test("one that only some can reach stays alive through relays", arguments: UInt64(0)..<5)
    func oneWayCut(seed: UInt64) throws {
        var cluster = try TestCluster(6, seed: seed)
        cluster.cuts = [(from: 0, to: 1)]
        cluster.run(milliseconds: 60_000)
        #expect(cluster.status(1, seenBy: 0) == .alive)
        #expect(cluster.changes(to: .dead, of: [0, 1], seenBy: cluster.running).isEmpty)
    }

    @Test("3 of 10 stop for 2 s in every 2.3 s: no healthy member is declared dead")
    func slowObservers() throws {
        var cluster = try TestCluster(10, seed: 12)
        for _ in 0..<40 {
            for index in 0..<3 { cluster.pause(index, milliseconds: 2_000) }
            cluster.run(milliseconds: 2_300)
        }
        #expect(
            cluster.changes(to: .dead, of: Array(3..<10), seenBy: cluster.running).isEmpty)
    }

    @Test("one that stops for 8 s in every 8.3 s is on trial from its first death on")
    func flapping() throws {
        var cluster = try TestCluster(5, seed: 3)
        var changesOfTheRing = 0
        var isInRing = true
        for _ in 0..<8 {
            cluster.pause(1, milliseconds: 8_000)
            for _ in 0..<830 {
                cluster.tick()
                let member = try #require(
                    cluster.nodes[0].instance.member(TestCluster.id(1)))
                let belongsIn = member.status.isLive && member.trialUntil == nil
                if belongsIn != isInRing {
                    changesOfTheRing += 1
                    isInRing = belongsIn
                }
            }
        }
        #expect(changesOfTheRing <= 2)
        #expect(cluster.changes(to: .dead, of: [1], seenBy: [0]).count >= 3, "it did come and go")
        cluster.run(milliseconds: 320_000)
        let member = try #require(cluster.nodes[0].instance.member(TestCluster.id(1)))
        #expect(member.status == .alive && member.trialUntil == nil, "the trial ends")
    }

    @Test("3 of 10 stop for 8 s in every 8.3 s: each leaves the ring once, no healthy one does")
    func threeFlap() throws {
        var cluster = try TestCluster(10, seed: 5)
        var changes = [0, 0, 0]
        var isInRing = [true, true, true]
        for _ in 0..<6 {
            for index in 0..<3 { cluster.pause(index, milliseconds: 8_000) }
            for _ in 0..<830 {
                cluster.tick()
                for index in 0..<3 {
                    let member = try #require(
                        cluster.nodes[9].instance.member(TestCluster.id(index)))
                    let belongsIn = member.status.isLive && member.trialUntil == nil
                    if belongsIn != isInRing[index] { changes[index] += 1 }
                    isInRing[index] = belongsIn
                }
            }
        }
        #expect(changes == [1, 1, 1])
        #expect(
            cluster.changes(to: .dead, of: Array(3..<10), seenBy: cluster.running).isEmpty)
    }

    @Test(
        "a restart with a lower incarnation rises above what is remembered of it",
        arguments: [true, false])
    func restart(isKnownDead: Bool) throws {
        var cluster = try TestCluster(5, seed: 8)
        var facts = cluster.nodes[1].instance.myself.metadata
        for weight in 2..<UInt32(9) {
            facts.weight = weight
            cluster.input(.metadataChanged(facts), to: 1)
        }
        cluster.run(milliseconds: 1_000)
        cluster.crash(1)
        cluster.run(milliseconds: isKnownDead ? 6_000 : 50)
        #expect(cluster.all([0, 2, 3, 4], hold: [1], for: isKnownDead ? .dead : .alive))
        try cluster.restart(1, life: 2)
        cluster.input(.join([TestCluster.address(0), TestCluster.address(1)]), to: 1)
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
        #expect(cluster.nodes[1].instance.myself.incarnation > 8)
        for observer in [0, 2, 3, 4] {
            #expect(cluster.nodes[observer].instance.member(TestCluster.id(1))?.life == 2)
        }
        cluster.run(milliseconds: 5_000)
        #expect(!cluster.nodes[1].events.contains { $0.effect == .nameTaken(by: "n2:1") })
    }

    @Test(
        "of two processes with one name the later one is told, the first stays a member",
        arguments: UInt64(0)..<5)
    func rivals(seed: UInt64) throws {
        var cluster = try TestCluster(5, seed: seed)
        let rival = cluster.add(
            try cluster.makeInstance(1, life: 2, incarnation: 5, at: "elsewhere:1"))
        cluster.input(.join([TestCluster.address(3)]), to: rival)
        let took = cluster.run(atMost: .seconds(5)) {
            $0.nodes[rival].instance.phase == .silent
        }
        #expect(took != nil)
        #expect(cluster.nodes[rival].events.contains { $0.effect == .nameTaken(by: "n2:1") })
        cluster.crash(rival)
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
        #expect(cluster.nodes[1].instance.phase == .member)
        for observer in [0, 2, 3, 4] {
            let member = try #require(
                cluster.nodes[observer].instance.member(TestCluster.id(1)))
            #expect(member.life == 1 && member.metadata.peer == "n2:1")
        }
    }

    @Test("a node that serves nobody is declared dead, and refutes once it serves again")
    func notServing() throws {
        var cluster = try TestCluster(5, seed: 1)
        cluster.input(.serving(false), to: 2)
        cluster.run(milliseconds: 6_000)
        #expect(cluster.all([0, 1, 3, 4], hold: [2], for: .dead))
        #expect(cluster.changes(to: .suspect, of: [0, 1, 3, 4], seenBy: [2]).isEmpty)
        cluster.input(.serving(true), to: 2)
        #expect(cluster.run(atMost: .seconds(10)) { $0.agree } != nil)
    }

    @Test("a machine that slept for an hour takes nobody for dead")
    func longSleep() throws {
        var cluster = try TestCluster(3, seed: 1)
        cluster.now = cluster.now.advanced(by: .seconds(3_600))
        cluster.run(milliseconds: 10_000)
        #expect(cluster.changes(to: .suspect, of: [0, 1, 2], seenBy: [0, 1, 2]).isEmpty)
        #expect(cluster.agree)
    }
}
