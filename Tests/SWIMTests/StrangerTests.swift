import Primitives
import SWIM
import Testing

/// Seeds that are no live member's address: another name of one, or one that is gone.
@Suite struct StrangerTests {
    /// A member with `others` live ones around it that answer nothing but count as alive, and a
    /// seed that is nobody's address.
    private struct Lonely {
        var instance: SWIMInstance
        var now = Instant(nanoseconds: 0)
        /// When the seed was asked, in whole seconds.
        var asked: [Int] = []

        init(others: UInt64 = 2, seed: UInt64 = 1) throws {
            var settings = SWIMInstance.Settings()
            // Nobody answers, and nobody is doubted for it: only what is said counts here.
            settings.suspicionMinimumMilliseconds = 600_000
            settings.suspicionMaximumMilliseconds = 600_000
            instance = try SWIMInstance(
                id: NodeID(1_000), life: 1, metadata: .init(name: "me", peer: "me:1"),
                settings: settings, cluster: 7, seed: seed, at: now)
            for id in 1...others { say(.alive, incarnation: 1, of: id) }
            step(.join(["alias:1"]))
        }

        /// Somebody says this of the member `id`.
        mutating func say(_ status: SWIMInstance.Status, incarnation: UInt64, of id: UInt64) {
            let update = SWIMInstance.Update(
                id: NodeID(id), incarnation: incarnation, life: 1, status: status,
                metadata: .init(name: "n\(id)", peer: Address("n\(id):1")))
            step(
                .received(
                    .init(sender: NodeID(1), life: 1, cluster: 7, body: .gossip, updates: [update]),
                    from: "n1:1"))
        }

        mutating func step(_ input: SWIMInstance.Input) {
            var effects: [SWIMInstance.Effect] = []
            instance.step(input, at: now, effects: &effects)
            for case .sendStream(_, to: "alias:1") in effects {
                asked.append(Int(now.nanoseconds / 1_000_000_000))
            }
        }

        mutating func run(seconds: Int) {
            for _ in 0..<seconds * 100 {
                now = now.advanced(by: .milliseconds(10))
                step(.tick)
            }
        }

        /// The times between two questions.
        var waits: [Int] { zip(asked.dropFirst(), asked).map { $0 - $1 } }
    }

    @Test("a seed that never becomes a member's address is asked ever more seldom")
    func backsOff() throws {
        var lonely = try Lonely()
        lonely.run(seconds: 300)
        #expect(lonely.waits.prefix(6) == [1, 2, 4, 8, 16, 32])
        #expect(lonely.waits.dropFirst(6).allSatisfy { 60...61 ~= $0 }, "\(lonely.waits)")
        #expect(lonely.asked.count == 10)
    }

    @Test("a death and a new member are reasons to ask at once", arguments: [true, false])
    func changesReset(isDeath: Bool) throws {
        var lonely = try Lonely(others: 3)
        lonely.run(seconds: 100)
        lonely.asked = []
        lonely.say(isDeath ? .dead : .alive, incarnation: 1, of: isDeath ? 2 : 4)
        lonely.run(seconds: 5)
        #expect(lonely.waits == [1, 2], "\(lonely.asked)")
    }

    @Test("a refutation is none")
    func refutationsDoNot() throws {
        var lonely = try Lonely(others: 3)
        lonely.run(seconds: 100)
        lonely.asked = []
        lonely.say(.suspect, incarnation: 1, of: 2)
        lonely.say(.alive, incarnation: 2, of: 2)
        lonely.run(seconds: 5)
        #expect(lonely.asked.isEmpty)
    }

    @Test("the members of a large cluster ask together as seldom as those of a small one")
    func largeClusters() throws {
        var asked = 0
        // Eight of 80 members, which is a tenth of the cluster.
        for seed in UInt64(0)..<8 {
            var lonely = try Lonely(others: 79, seed: seed)
            lonely.run(seconds: 300)
            asked += lonely.asked.count
        }
        #expect(1...20 ~= asked, "ten chances each, of which one in ten is taken: \(asked)")
    }
}
