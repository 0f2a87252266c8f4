import Primitives
import Testing

@testable import SWIM

/// Tables for single rules.
@Suite struct RuleTests {
    private static let precedences: [SWIMInstance.Precedence] = (0...2).flatMap { incarnation in
        SWIMInstance.Status.allCases.flatMap { status in
            (1...2).map { life in
                SWIMInstance.Precedence(
                    incarnation: UInt64(incarnation), status: status, life: UInt64(life))
            }
        }
    }

    @Test("merging is commutative, associative and idempotent: all triples of a small world")
    func mergeOrder() {
        let all = Self.precedences
        #expect(all.count == 24)
        for a in all {
            #expect(max(a, a) == a)
            for b in all {
                #expect(max(a, b) == max(b, a))
                #expect((a < b) != (b < a) || a == b)
                for c in all { #expect(max(max(a, b), c) == max(a, max(b, c))) }
            }
        }
    }

    @Test("within an incarnation worse news counts; a higher incarnation counts in any case")
    func overriding() {
        func precedence(_ incarnation: UInt64, _ status: SWIMInstance.Status)
            -> SWIMInstance.Precedence
        { .init(incarnation: incarnation, status: status, life: 1) }
        #expect(precedence(1, .alive) < precedence(1, .suspect))
        #expect(precedence(1, .suspect) < precedence(1, .dead))
        #expect(precedence(1, .dead) < precedence(1, .left))
        #expect(precedence(1, .left) < precedence(2, .alive))
    }

    @Test("an instance that hears the same news in any order believes the same")
    func anyOrder() throws {
        let facts = SWIMInstance.Metadata(name: "b", peer: "b:1")
        let news = Self.precedences.map {
            SWIMInstance.Update(
                id: NodeID(2), incarnation: $0.incarnation, life: $0.life, status: $0.status,
                metadata: facts)
        }
        var random = SeededGenerator(seed: 1)
        for _ in 0..<200 {
            var instance = try Lone.instance()
            // Of an unknown member only live news is taken; so it is known first.
            var order = [news[0]] + news.shuffled(using: &random)
            order.removeLast(Int.random(in: 0..<12, using: &random))
            for update in order { Lone.hear(update, &instance) }
            let held = try #require(instance.member(NodeID(2)))
            #expect(held.precedence == order.map(\.precedence).max())
        }
    }

    @Test(
        "a suspect's time falls from the longest to the shortest with the logarithm",
        arguments: [
            (confirmations: 0, needed: 3, milliseconds: 3_000),
            (1, 3, 2_000),  // 3 - 2 * log 2 / log 4
            (2, 3, 1_415),  // 3 - 2 * log 3 / log 4
            (3, 3, 1_000), (4, 3, 1_000), (9, 3, 1_000),
            (0, 2, 3_000), (1, 2, 1_738), (2, 2, 1_000),
            (0, 1, 3_000), (1, 1, 1_000),
            (0, 0, 1_000), (5, 0, 1_000),
        ])
    func suspicionTime(confirmations: Int, needed: Int, milliseconds: Int) {
        let time = Suspicion.timeout(
            confirmations: confirmations, needed: needed, minimum: .seconds(1),
            maximum: .seconds(3))
        #expect(abs(time.wholeNanoseconds / 1_000_000 - Int64(milliseconds)) <= 1)
    }

    @Test("only accusers not counted yet confirm, and no more than are needed are kept")
    func confirmations() {
        var suspicion = Suspicion(
            accusers: [NodeID(1)], needed: 2, minimum: .seconds(1), maximum: .seconds(3),
            at: Instant(nanoseconds: 0))
        #expect(suspicion.deadline == Instant(nanoseconds: 3_000_000_000))
        #expect(suspicion.add([NodeID(1)]) == false)
        #expect(suspicion.confirmations == 0)
        #expect(suspicion.add([NodeID(2), NodeID(1)]) == true)
        #expect(suspicion.confirmations == 1)
        #expect(suspicion.add([NodeID(3), NodeID(4), NodeID(5)]) == true)
        #expect(suspicion.accusers == [NodeID(1), NodeID(2), NodeID(3)])
        #expect(suspicion.deadline == Instant(nanoseconds: 1_000_000_000))
        #expect(suspicion.add([NodeID(6)]) == false)
    }

    @Test("hearsay confirms once per accuser, and shortens the time of the suspect")
    func hearsay() throws {
        var instance = try Lone.instance()
        for id in UInt64(2)...6 { Lone.hear(Lone.update(id), &instance) }
        func seconds(after accusers: UInt64...) throws -> Double {
            Lone.hear(Lone.update(2, .suspect, accusers: accusers.map { NodeID($0) }), &instance)
            let suspicion = try #require(instance.member(NodeID(2))?.suspicion)
            return Double(suspicion.deadline.nanoseconds) / 1e9
        }
        #expect(try seconds(after: 3) == 3)
        #expect(try seconds(after: 3, 3) == 3)
        #expect(try abs(seconds(after: 4, 3) - 1.738) < 0.001)
        #expect(try seconds(after: 5) == 1)
        #expect(try seconds(after: 6) == 1)
        #expect(instance.member(NodeID(2))?.accusers.map(\.value) == [3, 4, 5])
    }

    @Test("local health stays from 1 through its limit")
    func healthBounds() {
        var health = LocalHealth(limit: 8)
        health.note(.probeSucceeded)
        #expect(health.multiplier == 1)
        let falls: [LocalHealth.Event] = [.probeFailed, .nackMissed, .refuted, .overslept]
        for (count, event) in falls.enumerated() {
            health.note(event)
            #expect(health.multiplier == count + 2)
        }
        for _ in 0..<20 { health.note(.probeFailed) }
        #expect(health.multiplier == 8)
        health.note(.probeSucceeded)
        #expect(health.multiplier == 7)
    }

    @Test(
        "ceil(log10(n + 1)) and logarithms",
        arguments: [(1, 1), (8, 1), (9, 1), (10, 2), (99, 2), (100, 3), (1_000, 4)])
    func digits(number: Int, digits: Int) {
        #expect(Logarithm.decimalDigits(number) == digits)
        #expect(Logarithm.binary(1 << digits) == Double(digits))
        #expect(abs(Logarithm.decimal(1_000) - 3) < 1e-9)
    }

    @Test("news told least often goes first, then the newest; each entry so often and no more")
    func newsOrder() {
        var queue = NewsQueue()
        for id in 1...5 { queue.add(NodeID(UInt64(id))) }
        func take(_ count: Int) -> [UInt64] {
            let taken = queue.entries.prefix(count).map(\.id.value)
            queue.settle(sent: Array(taken.indices), dropped: [], limit: 3)
            return taken
        }
        #expect(take(2) == [5, 4])
        #expect(take(4) == [3, 2, 1, 5])
        queue.add(NodeID(2))
        #expect(take(1) == [2], "new again, so first again")
        var counts: [UInt64: Int] = [:]
        while !queue.isEmpty { for id in take(2) { counts[id, default: 0] += 1 } }
        #expect(counts == [1: 2, 2: 2, 3: 2, 4: 2, 5: 1])
    }

    @Test("what does not fit is kept, what must not be told is dropped")
    func newsHandling() {
        var queue = NewsQueue()
        for id in 1...4 { queue.add(NodeID(UInt64(id))) }
        queue.settle(sent: [2], dropped: [1, 3], limit: 9)
        #expect(queue.entries.map(\.id) == [NodeID(4), NodeID(2)])
        #expect(queue.entries.map(\.sends) == [0, 1])
    }

    @Test("settings that contradict each other are refused, by name")
    func settings() throws {
        var settings = SWIMInstance.Settings()
        try settings.validate()
        settings.timeoutMilliseconds = 400
        #expect(
            throws: SWIMError.setting(name: "timeoutMilliseconds", value: 400, allowed: 5...300)
        ) { try settings.validate() }
        #expect(throws: SWIMError.self) {
            try SWIMInstance(
                id: NodeID(1), life: 1,
                metadata: .init(name: String(repeating: "x", count: 1_001), peer: ""), seed: 1,
                at: Instant(nanoseconds: 0))
        }
        #expect(throws: SWIMError.self) {
            try SWIMInstance(
                id: NodeID(1), life: 1, incarnation: .max, metadata: .init(name: "", peer: ""),
                seed: 1, at: Instant(nanoseconds: 0))
        }
    }
}

/// An instance by itself, and the shortest ways to talk to it.
enum Lone {
    static func instance(
        _ settings: SWIMInstance.Settings = .init(), incarnation: UInt64 = 1
    ) throws -> SWIMInstance {
        try SWIMInstance(
            id: NodeID(1), life: 1, incarnation: incarnation,
            metadata: .init(name: "a", peer: "a:1"), settings: settings, seed: 1,
            at: Instant(nanoseconds: 0))
    }

    static func update(
        _ id: UInt64, _ status: SWIMInstance.Status = .alive, incarnation: UInt64 = 1,
        life: UInt64 = 1, accusers: [NodeID] = []
    ) -> SWIMInstance.Update {
        .init(
            id: NodeID(id), incarnation: incarnation, life: life, status: status,
            accusers: accusers, metadata: .init(name: "m\(id)", peer: Address("m\(id):1")))
    }

    /// Feeds `update` as gossip of member 900, without moving the clock.
    @discardableResult
    static func hear(
        _ update: SWIMInstance.Update, _ instance: inout SWIMInstance
    ) -> [SWIMInstance.Effect] {
        receive(.gossip, from: 900, updates: [update], &instance)
    }

    @discardableResult
    static func receive(
        _ body: SWIMInstance.Body, from sender: UInt64, updates: [SWIMInstance.Update] = [],
        at milliseconds: Int64? = nil, _ instance: inout SWIMInstance
    ) -> [SWIMInstance.Effect] {
        var effects: [SWIMInstance.Effect] = []
        let message = SWIMInstance.Message(
            sender: NodeID(sender), life: 1, body: body, updates: updates)
        let now =
            milliseconds.map { Instant(nanoseconds: $0 * 1_000_000) } ?? instance.lastInstant
        instance.step(.received(message, from: Address("m\(sender):1")), at: now, effects: &effects)
        return effects
    }

    /// Ticks every 10 ms until `milliseconds`, and gives what came of it.
    static func tick(
        until milliseconds: Int64, _ instance: inout SWIMInstance
    ) -> [SWIMInstance.Effect] {
        var effects: [SWIMInstance.Effect] = []
        var now = instance.lastInstant.nanoseconds
        while now < milliseconds * 1_000_000 {
            now += 10_000_000
            instance.step(.tick, at: Instant(nanoseconds: now), effects: &effects)
        }
        return effects
    }
}
