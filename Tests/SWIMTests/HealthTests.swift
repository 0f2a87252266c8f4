import Primitives
import Testing

@testable import SWIM

/// Local health as an instance lives it (Lifeguard, section IV-A, table I).
@Suite struct HealthTests {
    /// An instance that knows members 2 through `last`, and the ping of its first probe.
    private func probing(
        last: UInt64, relays: Int = 3
    ) throws -> (instance: SWIMInstance, sequence: UInt64, target: NodeID, at: Int64) {
        var settings = SWIMInstance.Settings()
        settings.relays = relays
        var instance = try Lone.instance(settings)
        for id in 2...last { Lone.hear(Lone.update(id), &instance) }
        for milliseconds in stride(from: Int64(10), through: 400, by: 10) {
            for effect in Lone.tick(until: milliseconds, &instance) {
                if case .send(let message, _) = effect,
                    case .ping(let sequence, let target) = message.body
                {
                    return (instance, sequence, target, milliseconds)
                }
            }
        }
        throw NoProbe()
    }

    private struct NoProbe: Error {}

    @Test("a probe that fails with nobody to ask costs 1")
    func failure() throws {
        var (instance, _, target, start) = try probing(last: 2)
        _ = Lone.tick(until: start + 290, &instance)
        #expect(instance.healthMultiplier == 1)
        _ = Lone.tick(until: start + 300, &instance)
        #expect(instance.healthMultiplier == 2)
        #expect(instance.member(target)?.status == .suspect)
        #expect(instance.member(target)?.accusers == [NodeID(1)])
    }

    @Test("relays that say nothing cost 1 more, relays that nack do not", arguments: 0...3)
    func nacks(count: Int) throws {
        var (instance, sequence, target, start) = try probing(last: 8)
        var asked: [NodeID] = []
        for effect in Lone.tick(until: start + 150, &instance) {
            guard case .send(let message, let address) = effect,
                case .pingRequest(sequence, target, _) = message.body
            else { continue }
            asked.append(
                try #require(instance.members.first { $0.metadata.peer == address }).id)
        }
        #expect(asked.count == 3 && Set(asked).count == 3 && !asked.contains(target))
        for relay in asked.prefix(count) {
            Lone.receive(.nack(sequence: sequence), from: relay.value, &instance)
        }
        _ = Lone.tick(until: start + 300, &instance)
        #expect(instance.healthMultiplier == (count == 3 ? 2 : 3))
    }

    @Test("an answer in time repairs 1, and a stale, foreign or repeated one nothing")
    func success() throws {
        var (instance, sequence, target, start) = try probing(last: 3)
        for _ in 0..<4 { instance.health.note(.probeFailed) }
        let other: UInt64 = target == NodeID(2) ? 3 : 2
        Lone.receive(.ack(sequence: sequence), from: other, &instance)
        Lone.receive(.ack(sequence: sequence &+ 77), from: target.value, &instance)
        Lone.receive(.nack(sequence: sequence &+ 77), from: target.value, &instance)
        #expect(instance.healthMultiplier == 5)
        Lone.receive(.ack(sequence: sequence), from: target.value, &instance)
        Lone.receive(.ack(sequence: sequence), from: target.value, &instance)
        #expect(instance.healthMultiplier == 4)
        _ = Lone.tick(until: start + 290, &instance)
        #expect(instance.member(target)?.status == .alive)
    }

    @Test("an ack through a relay counts as one of the target's own")
    func relayedAck() throws {
        var (instance, sequence, target, start) = try probing(last: 3)
        _ = Lone.tick(until: start + 150, &instance)
        let relay: UInt64 = target == NodeID(2) ? 3 : 2
        Lone.receive(.ack(sequence: sequence), from: relay, &instance)
        _ = Lone.tick(until: start + 300, &instance)
        #expect(instance.member(target)?.status == .alive)
        #expect(instance.healthMultiplier == 1)
    }

    @Test("being suspected costs 1, and is refuted by an incarnation above the accusation's")
    func refutation() throws {
        var instance = try Lone.instance()
        Lone.hear(Lone.update(2), &instance)
        let effects = Lone.hear(
            Lone.update(1, .suspect, incarnation: 6, accusers: [NodeID(2)]), &instance)
        #expect(effects == [.incarnationRaised(7)])
        #expect(instance.healthMultiplier == 2)
        #expect(Lone.hear(Lone.update(1, .dead, incarnation: 6), &instance).isEmpty)
        #expect(instance.myself.incarnation == 7 && instance.healthMultiplier == 2)
    }

    @Test("who is less healthy probes more slowly: period and timeout are multiplied")
    func slowness() throws {
        var (instance, _, target, start) = try probing(last: 2)
        for _ in 0..<3 { instance.health.note(.probeFailed) }
        // The probe under way fails at its own time; then 300 ms have become 5 * 300.
        _ = Lone.tick(until: start + 300, &instance)
        #expect(instance.member(target)?.status == .suspect)
        #expect(instance.healthMultiplier == 5)
        #expect(instance.probeAt.nanoseconds >= (start + 600) * 1_000_000)
    }

    @Test("one that slept past a deadline accuses nobody of it and trusts itself less")
    func oversleeping() throws {
        var (instance, _, target, start) = try probing(last: 2)
        var effects: [SWIMInstance.Effect] = []
        instance.step(
            .tick, at: Instant(nanoseconds: (start + 5_000) * 1_000_000), effects: &effects)
        #expect(instance.member(target)?.status == .alive)
        #expect(instance.healthMultiplier == 2)
        _ = Lone.tick(until: start + 5_050, &instance)
        #expect(instance.member(target)?.status == .alive)
        _ = Lone.tick(until: start + 5_600, &instance)
        #expect(instance.member(target)?.status == .suspect, "it had its time once more")
    }
}
