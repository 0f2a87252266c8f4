import Primitives
import Testing

@testable import SWIM

/// What is kept of a member beside its status, and which messages count at all.
@Suite struct MemberTests {
    @Test("each death doubles the trial, up to its limit; a long life or a good-bye forgives")
    func trials() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        func trialAfterDeath(_ incarnation: UInt64) throws -> Int64 {
            Lone.hear(Lone.update(2, .dead, incarnation: incarnation), &instance)
            #expect(instance.member(NodeID(2))?.trialUntil == nil)
            Lone.hear(Lone.update(2, incarnation: incarnation + 1), &instance)
            let until = try #require(instance.member(NodeID(2))?.trialUntil)
            return instance.lastInstant.duration(to: until).wholeNanoseconds / 1_000_000_000
        }
        for (count, seconds) in [10, 20, 40, 80, 160, 300, 300].enumerated() {
            #expect(try trialAfterDeath(UInt64(count + 1)) == Int64(seconds))
        }
        Lone.hear(Lone.update(2, .left, incarnation: 20), &instance)
        Lone.hear(Lone.update(2, incarnation: 21), &instance)
        #expect(instance.member(NodeID(2))?.trialUntil == nil, "it went of its own will")
        #expect(try trialAfterDeath(21) == 10)
    }

    @Test("a suspicion during a trial begins it anew, outside of one it begins none")
    func suspicionOnTrial() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        Lone.hear(Lone.update(2, .suspect, accusers: [NodeID(3)]), &instance)
        Lone.hear(Lone.update(2, incarnation: 2), &instance)
        #expect(instance.member(NodeID(2))?.trialUntil == nil)
        Lone.hear(Lone.update(2, .dead, incarnation: 2), &instance)
        Lone.hear(Lone.update(2, incarnation: 3), &instance)
        let first = try #require(instance.member(NodeID(2))?.trialUntil)
        _ = Lone.receive(
            .gossip, from: 3, updates: [Lone.update(2, .suspect, incarnation: 3)], at: 50,
            &instance)
        Lone.hear(Lone.update(2, incarnation: 4), &instance)
        let second = try #require(instance.member(NodeID(2))?.trialUntil)
        #expect(first.duration(to: second) == .milliseconds(50))
    }

    @Test("load is taken from each message of a member, and from nobody else")
    func load() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        Lone.hear(Lone.update(3), &instance)
        func hear(_ load: UInt32) {
            var effects: [SWIMInstance.Effect] = []
            let message = SWIMInstance.Message(
                sender: NodeID(2), life: 1, load: load, body: .gossip, updates: [Lone.update(3)])
            instance.step(
                .received(message, from: "m2:1"), at: instance.lastInstant, effects: &effects)
            #expect(effects.isEmpty)
        }
        hear(70)
        hear(40)
        #expect(instance.member(NodeID(2))?.load == 40)
        #expect(instance.member(NodeID(3))?.load == 0)
    }

    @Test("a member's facts are those of its latest claim, in whatever order news comes")
    func facts() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        var later = Lone.update(2, incarnation: 5)
        later.metadata?.weight = 9
        var bare = Lone.update(2, .suspect, incarnation: 5, accusers: [NodeID(3)])
        bare.metadata = nil
        Lone.hear(bare, &instance)
        #expect(instance.member(NodeID(2))?.metadata.weight == 1)
        let effects = Lone.hear(later, &instance)
        #expect(instance.member(NodeID(2))?.metadata.weight == 9)
        #expect(instance.member(NodeID(2))?.status == .suspect, "the news of it came first")
        #expect(effects.count == 1)
        Lone.hear(Lone.update(2, incarnation: 4), &instance)
        #expect(instance.member(NodeID(2))?.metadata.weight == 9)
    }

    /// A message of `cluster` to an instance of cluster 7, and how many effects came of it.
    private func effects(
        _ body: SWIMInstance.Body, cluster: UInt64, of own: UInt64 = 7
    ) throws -> (count: Int, cluster: UInt64) {
        var instance = try SWIMInstance(
            id: NodeID(1), life: 1, metadata: .init(name: "a", peer: "a:1"), cluster: own, seed: 1,
            at: Instant(nanoseconds: 0))
        var effects: [SWIMInstance.Effect] = []
        let message = SWIMInstance.Message(
            sender: NodeID(2), life: 1, cluster: cluster, body: body, updates: [Lone.update(2)])
        instance.step(.received(message, from: "m2:1"), at: instance.lastInstant, effects: &effects)
        return (effects.count, instance.cluster)
    }

    @Test("messages of another cluster change nothing, whatever they are")
    func otherClusters() throws {
        let bodies: [SWIMInstance.Body] = [
            .ping(sequence: 1, target: NodeID(1)), .gossip, .pushPullRequest, .pushPullResponse,
            .pingRequest(sequence: 1, target: NodeID(3), address: "x:1"),
        ]
        for body in bodies {
            #expect(try effects(body, cluster: 8) == (0, 7), "\(body)")
            #expect(try effects(body, cluster: 7).count > 0, "\(body)")
        }
    }

    @Test("who knows no cluster may ask to join one, and learns it from the answer")
    func learnsItsCluster() throws {
        #expect(try effects(.pushPullRequest, cluster: 0).count == 2)
        #expect(try effects(.gossip, cluster: 0) == (0, 7))
        #expect(try effects(.ping(sequence: 1, target: NodeID(1)), cluster: 0) == (0, 7))
        #expect(try effects(.pushPullResponse, cluster: 8, of: 0) == (1, 8))
        #expect(try effects(.gossip, cluster: 8, of: 0) == (0, 0))
    }
}
