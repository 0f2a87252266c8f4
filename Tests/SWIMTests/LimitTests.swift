import Primitives
import Testing

@testable import SWIM

/// Every queue has a bound, and these tests reach it.
@Suite struct LimitTests {
    @Test("the table takes as many as it may; then the longest dead give way, never the living")
    func members() throws {
        var settings = SWIMInstance.Settings()
        settings.memberLimit = 10
        var instance = try Lone.instance(settings)
        for id in UInt64(2)..<40 { Lone.hear(Lone.update(id), &instance) }
        #expect(instance.members.map(\.id.value) == Array(2...10))
        Lone.hear(Lone.update(5, .dead), &instance)
        _ = Lone.receive(
            .gossip, from: 900, updates: [Lone.update(3, .dead)], at: 10, &instance)
        let effects = Lone.hear(Lone.update(77), &instance)
        #expect(effects.first == .memberForgotten(NodeID(5)))
        #expect(instance.members.map(\.id.value) == [2, 3, 4, 6, 7, 8, 9, 10, 77])
        #expect(instance.newsCount <= 10)
    }

    @Test("closed links beyond the limits wait, beyond those nobody keeps them")
    func urgentProbes() throws {
        var settings = SWIMInstance.Settings()
        settings.probeLimit = 4
        settings.urgentLimit = 6
        var instance = try Lone.instance(settings)
        for id in UInt64(2)..<40 { Lone.hear(Lone.update(id), &instance) }
        var effects: [SWIMInstance.Effect] = []
        for id in UInt64(2)..<40 {
            for _ in 0..<2 {
                instance.step(.linkClosed(NodeID(id)), at: instance.lastInstant, effects: &effects)
            }
            #expect(instance.probes.count <= 4 && instance.urgent.count <= 6)
        }
        #expect(instance.probes.map(\.target.value) == [2, 3, 4, 5])
        #expect(instance.urgent.map(\.value) == [6, 7, 8, 9, 10, 11])
        let sequence = try #require(instance.probes.first).sequence
        Lone.receive(.ack(sequence: sequence), from: 2, &instance)
        #expect(instance.probes.map(\.target.value) == [3, 4, 5, 6], "the next one's turn")
        instance.step(.linkClosed(NodeID(555)), at: instance.lastInstant, effects: &effects)
        #expect(instance.urgent.count == 5, "unknown members have no links")
    }

    @Test("only so many probes are made for others at a time")
    func relays() throws {
        var settings = SWIMInstance.Settings()
        settings.relayLimit = 5
        var instance = try Lone.instance(settings)
        Lone.hear(Lone.update(2), &instance)
        var sent = 0
        for sequence in 0..<UInt64(20) {
            let request = SWIMInstance.Body.pingRequest(
                sequence: sequence, target: NodeID(50), address: "x:1")
            sent += Lone.receive(request, from: 2, &instance).count
        }
        #expect(sent == 5 && instance.relays.count == 5)
        let nacks = Lone.tick(until: 120, &instance).count { effect in
            if case .send(let message, _) = effect, case .nack = message.body { return true }
            return false
        }
        #expect(nacks == 5)
        _ = Lone.tick(until: 2_500, &instance)
        #expect(instance.relays.isEmpty, "and they end")
    }

    @Test("news beyond a datagram waits for the next, and none is told more than its limit")
    func news() throws {
        var instance = try Lone.instance()
        let names = String(repeating: "n", count: 900)
        for id in UInt64(2)..<60 {
            var update = Lone.update(id)
            if id % 3 == 0 { update.metadata?.name = names }
            if id % 3 == 1 { update.accusers = (0..<8).map { NodeID($0) } }
            Lone.hear(update, &instance)
            if id % 3 == 1 {
                update.status = .suspect
                Lone.hear(update, &instance)
            }
        }
        var told: [NodeID: Int] = [:]
        for step in Int64(1)...2_000 {
            let effects = Lone.receive(
                .ping(sequence: 1, target: NodeID(1)), from: 2, at: step, &instance)
            for effect in effects {
                guard case .send(let message, _) = effect else { continue }
                #expect(message.protobuf.count <= 1_352)
                for update in message.updates { told[update.id, default: 0] += 1 }
            }
        }
        #expect(instance.news.entries.map(\.id) == [NodeID(2)], "it is not told of itself")
        // 59 members have two decimal digits: 6 * 2.
        for id in UInt64(3)..<60 { #expect(told[NodeID(id)] == 12, "\(id)") }
    }

    @Test("an update of greatest size fits into a ping beside an accusation of greatest size")
    func greatestUpdate() throws {
        let facts = SWIMInstance.Metadata(
            name: String(repeating: "n", count: 223),
            peer: Address(String(repeating: "p", count: 259)),
            client: Address(String(repeating: "c", count: 259)),
            http: Address(String(repeating: "h", count: 259)), weight: 1_000)
        try facts.validate()
        let greatest = SWIMInstance.Update(
            id: NodeID(.max), incarnation: SWIMInstance.Update.incarnationLimit, life: .max,
            status: .alive, metadata: facts)
        let accusation = SWIMInstance.Update(
            id: NodeID(.max), incarnation: SWIMInstance.Update.incarnationLimit, life: .max,
            status: .suspect, accusers: (0..<8).map { NodeID(.max - $0) })
        let message = SWIMInstance.Message(
            sender: NodeID(.max), life: .max, cluster: .max, load: .max,
            body: .ping(sequence: .max, target: NodeID(.max)), updates: [accusation, greatest])
        let bound =
            message.body.datagramBytesBound + greatest.wireBytesBound + accusation.wireBytesBound
        #expect(message.protobuf.count <= bound)
        #expect(bound <= 1_352)
    }

    @Test("as many seeds as allowed are kept, and this member itself is none of them")
    func seeds() throws {
        var settings = SWIMInstance.Settings()
        settings.seedLimit = 4
        var instance = try Lone.instance(settings)
        var effects: [SWIMInstance.Effect] = []
        let list = ["a:1", "s1:1", "s2:1", "s3:1", "s4:1", "s5:1"].map { Address($0) }
        instance.step(.join(list), at: instance.lastInstant, effects: &effects)
        #expect(instance.seeds == ["s1:1", "s2:1", "s3:1", "s4:1"])
        #expect(effects.count == 3)
        effects += Lone.tick(until: 60_000, &instance)
        let attempts = effects.count { effect in
            if case .sendStream = effect { return true }
            return false
        }
        #expect((18...60).contains(attempts), "it never gives up, and backs off: \(attempts)")
    }

    @Test("the dead are remembered for an hour, then forgotten")
    func memory() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        Lone.hear(Lone.update(2, .dead), &instance)
        var effects: [SWIMInstance.Effect] = []
        func pass(minutes: Int64) {
            let end = instance.lastInstant.nanoseconds + minutes * 60_000_000_000
            while instance.nextDeadline.nanoseconds < end {
                instance.step(.tick, at: instance.nextDeadline, effects: &effects)
            }
        }
        pass(minutes: 59)
        #expect(instance.member(NodeID(2))?.status == .dead)
        pass(minutes: 2)
        #expect(instance.member(NodeID(2)) == nil)
        #expect(effects.last == .memberForgotten(NodeID(2)))
        #expect(instance.healthMultiplier == 1, "ticks at the deadlines are soon enough")
    }

    @Test("time that runs backwards stops the process")
    func backwards() async {
        await #expect(processExitsWith: .failure) {
            var instance = try Lone.instance()
            var effects: [SWIMInstance.Effect] = []
            instance.step(.tick, at: Instant(nanoseconds: 10), effects: &effects)
            instance.step(.tick, at: Instant(nanoseconds: 9), effects: &effects)
        }
    }
}
