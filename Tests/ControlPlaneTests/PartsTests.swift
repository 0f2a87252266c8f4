import Placement
import Primitives
import Raft
import SWIM
import Testing

@testable import ControlPlane

/// The small values that the control plane is made of.
@Suite struct PartsTests {
    private static let a = NodeID(1)
    private static let b = NodeID(2)

    @Test func changesSettleInOrder() throws {
        var settled = SettledEpochs()
        let first = try Topology(founding: [member("a")])
        settled.begin(at: first)
        #expect(settled.epoch == 0, "what came before is not known")
        settled.settle { node, _ in node == nil }
        #expect(settled.epoch == 0)
        settled.settle { _, _ in false }
        #expect(settled.epoch == 1)
        let second = try first.changing(members: [member("a"), member("b")])
        settled.add(first, second)
        let third = try second.flushed()
        settled.add(second, third)
        settled.settle { node, epoch in node == Member.id(ofName: "a") && epoch == 2 }
        #expect(settled.epoch == 1, "a may still serve by the table of epoch 1")
        settled.settle { _, _ in false }
        #expect(settled.epoch == 3, "a flush takes nothing from anybody")
    }

    @Test func whatSomebodyKnowsIsLearntAndNeverForgotten() throws {
        var settled = SettledEpochs()
        let first = try Topology(founding: [member("a")])
        settled.begin(at: first)
        settled.learn(5)
        settled.learn(2)
        #expect(settled.epoch == 5)
        let second = try first.changing(members: [member("a"), member("b")])
        settled.add(first, second)
        #expect(settled.changes.isEmpty, "it was settled before it was heard of here")
    }

    @Test func theListOfChangesIsBounded() throws {
        var settled = SettledEpochs()
        var topology = try Topology(founding: [member("a"), member("b")])
        settled.begin(at: topology)
        for life in 2..<UInt64(SettledEpochs.limit) + 20 {
            let next = try topology.changing(members: [member("a", life: life), member("b")])
            settled.add(topology, next)
            topology = next
        }
        #expect(settled.changes.count == SettledEpochs.limit)
        #expect(settled.changes[0].losers == nil, "what is merged is everybody's")
    }

    @Test func aLeaderCountsWhatItCannotKnow() {
        let start = Instant(nanoseconds: 0)
        var book = LeaseBook(at: start, earlierLeases: .seconds(2))
        #expect(book.mayServePast(Self.a, 5, at: start.advanced(by: .seconds(1))))
        #expect(!book.mayServePast(Self.a, 5, at: start.advanced(by: .seconds(2))))
        let request = LeaseRequest(
            clock: 0, life: 1, installedEpoch: 4, settledEpoch: 0, mayVote: true)
        book.note(request, from: Self.a)
        #expect(book.mayServePast(Self.a, 5, at: start.advanced(by: .seconds(1))))
        #expect(!book.mayServePast(Self.a, 4, at: start.advanced(by: .seconds(1))))
        let granted = start.advanced(by: .seconds(3))
        book.grant(Self.a, until: granted.advanced(by: .seconds(2)), at: granted)
        #expect(book.mayServePast(nil, 5, at: granted.advanced(by: .seconds(1))))
        #expect(!book.mayServePast(nil, 5, at: granted.advanced(by: .seconds(2))))
        // Another life knows nothing of the table that the one before had.
        var later = request
        later.life = 2
        later.installedEpoch = 0
        book.note(later, from: Self.a)
        #expect(book.entry(Self.a)?.installedEpoch == 0 && book.entry(Self.a)?.life == 2)
        book.note(request, from: Self.a)
        #expect(book.entry(Self.a)?.life == 2, "what an earlier life said comes too late")
    }

    @Test func aLeaseCoversWhatIsSettledUntilItsEnd() {
        let end = Instant(nanoseconds: 100)
        let lease = ServeLease(end: end, settled: 7)
        #expect(lease.covers(arcEpoch: 7, at: Instant(nanoseconds: 99)))
        #expect(!lease.covers(arcEpoch: 8, at: Instant(nanoseconds: 99)))
        #expect(!lease.covers(arcEpoch: 1, at: end))
    }

    @Test func commandsChangeTheStateOrSayWhyNot() throws {
        var state = CoordinatorState()
        #expect(state.apply(.flush) == .unchanged(.noCluster))
        state = try CoordinatorState(founding: 9, member("a"), RingSettings())
        #expect(state.apply(.join(member("b"))) == .changed(epoch: 2))
        #expect(state.apply(.join(member("b"))) == .unchanged(.outdated))
        #expect(state.apply(.join(member("b", life: 2))) == .changed(epoch: 3))
        #expect(state.apply(.join(member("b", life: 1))) == .unchanged(.outdated))
        let b = Member.id(ofName: "b")
        #expect(state.apply(.remove(b, life: 1, .died)) == .unchanged(.outdated))
        #expect(state.apply(.flush) == .changed(epoch: 4))
        #expect(state.apply(.renew) == .changed(epoch: 5))
        #expect(state.apply(.split(.position(17))) == .changed(epoch: 6))
        #expect(state.apply(.split(.position(17))) == .unchanged(.outdated))
        #expect(state.apply(.split(.boundary([1]))) == .unchanged(.impossible))
        #expect(state.apply(.remove(b, life: 2, .left)) == .changed(epoch: 7))
        let a = Member.id(ofName: "a")
        #expect(state.apply(.remove(a, life: 1, .left)) == .unchanged(.impossible))
        #expect(try CoordinatorState(snapshot: state.protobuf) == state)
    }

    static let commands: [Command] =
        [.join(member("a", weight: 3, life: 77)), .flush, .renew, .split(.position(.max))]
        + [.split(.boundary([0, 255]))]
        + Departure.allCases.map { .remove(NodeID(.max), life: 5, $0) }

    @Test func commandsReadBack() throws {
        for command in Self.commands {
            #expect(try Command(protobuf: command.protobuf) == command)
            for cut in 0..<command.protobuf.count {
                _ = try? Command(protobuf: Array(command.protobuf.prefix(cut)))
            }
        }
    }

    static let messages: [Message] = [
        .swim(SWIMInstance.Message(sender: a, life: 3, cluster: 4, body: .gossip)),
        .raft(RaftInstance.Message(term: 7, body: .timeoutNow)),
        .leaseRequest(
            LeaseRequest(
                clock: -5, life: 2, installedEpoch: 3, settledEpoch: 4, mayVote: true)),
        .leaseResponse(
            LeaseResponse(
                clock: .max, life: 2, milliseconds: 1_800, settledEpoch: 3, spreadEpoch: 4,
                isNoVoter: true)),
    ].map { Message(sender: a, life: 3, cluster: 4, body: $0) }

    @Test func messagesReadBack() throws {
        for message in Self.messages {
            #expect(try Message(protobuf: message.protobuf) == message)
            for cut in 0..<message.protobuf.count {
                _ = try? Message(protobuf: Array(message.protobuf.prefix(cut)))
            }
        }
        #expect(throws: ProtobufError.self) { try Message(protobuf: []) }
    }

    @Test func anIdentityReadsBackOrIsNone() {
        let identity = Identity(name: "n", cluster: 5, life: 6, incarnation: 7)
        #expect(Identity(framed: identity.framed) == identity)
        for position in identity.framed.indices {
            var bytes = identity.framed
            bytes[position] ^= 4
            #expect(Identity(framed: bytes) == nil)
        }
        #expect(Identity(framed: []) == nil)
    }
}
