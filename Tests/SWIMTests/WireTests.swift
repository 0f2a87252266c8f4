import Primitives
import Testing

@testable import SWIM

/// Messages on the wire: what is written is read, and nothing else harms.
@Suite struct WireTests {
    static func randomUpdate(_ random: inout SeededGenerator) -> SWIMInstance.Update {
        let statuses = SWIMInstance.Status.allCases
        let status = statuses[Int.random(in: 0..<4, using: &random)]
        func text(_ limit: Int) -> String {
            let letters = Array("abzé0:.-")
            return String(
                (0..<Int.random(in: 0...limit, using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                })
        }
        var facts: SWIMInstance.Metadata?
        if Bool.random(using: &random) {
            facts = .init(
                name: text(40), peer: Address(text(40)), client: Address(text(30)),
                http: Address(text(9)), zone: text(5),
                weight: UInt32.random(in: 0...1_000, using: &random))
        }
        let accusers = Int.random(in: 0...8, using: &random)
        return .init(
            id: NodeID(random.next()),
            incarnation: UInt64.random(
                in: 0...SWIMInstance.Update.incarnationLimit, using: &random),
            life: random.next(), status: status,
            accusers: (0..<accusers).map { _ in NodeID(random.next()) }, metadata: facts)
    }

    static func randomMessage(_ random: inout SeededGenerator) -> SWIMInstance.Message {
        let sequence = random.next() &>> UInt64.random(in: 0..<64, using: &random)
        let bodies: [SWIMInstance.Body] = [
            .ping(sequence: sequence, target: NodeID(random.next())), .ack(sequence: sequence),
            .nack(sequence: sequence),
            .pingRequest(sequence: sequence, target: NodeID(random.next()), address: "host:1"),
            .gossip, .pushPullRequest, .pushPullResponse, .nameTaken,
        ]
        return .init(
            sender: NodeID(random.next()), life: random.next(),
            cluster: Bool.random(using: &random) ? 0 : random.next(),
            load: UInt32(truncatingIfNeeded: random.next()),
            body: bodies[Int.random(in: 0..<bodies.count, using: &random)],
            updates: (0..<Int.random(in: 0...5, using: &random)).map { _ in
                randomUpdate(&random)
            })
    }

    @Test("each message is read as it was written, and no longer than reckoned")
    func roundTrip() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let message = Self.randomMessage(&random)
            let bytes = message.protobuf
            #expect(try SWIMInstance.Message(protobuf: bytes) == message)
            let bound =
                message.body.datagramBytesBound
                + message.updates.reduce(0) { $0 + $1.wireBytesBound }
            #expect(bytes.count <= bound)
        }
    }

    @Test("a message that ends too soon is refused or is another message, at every byte")
    func truncation() {
        var random = SeededGenerator(seed: 2)
        for _ in 0..<60 {
            let message = Self.randomMessage(&random)
            let bytes = message.protobuf
            for count in bytes.indices {
                let cut = try? SWIMInstance.Message(protobuf: Array(bytes.prefix(count)))
                #expect(cut != message)
            }
        }
    }

    @Test("changed bytes are refused or understood; an instance that hears them lives on")
    func mutation() throws {
        var random = SeededGenerator(seed: 3)
        var settings = SWIMInstance.Settings()
        settings.memberLimit = 50
        var instance = try Lone.instance(settings)
        var effects: [SWIMInstance.Effect] = []
        var refused = 0
        for round in 0..<20_000 {
            var bytes = Self.randomMessage(&random).protobuf
            for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
                let place = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &random), at: place)
                }
            }
            do {
                let message = try SWIMInstance.Message(protobuf: bytes)
                instance.step(
                    .received(message, from: "m:1"),
                    at: Instant(nanoseconds: Int64(round) * 1_000_000), effects: &effects)
            } catch { refused += 1 }
            if round % 10 == 0 {
                instance.step(
                    .tick, at: Instant(nanoseconds: Int64(round) * 1_000_000), effects: &effects)
            }
            effects.removeAll()
        }
        #expect(refused > 1_000 && refused < 19_000, "both happen: \(refused)")
        #expect(instance.members.count <= 50)
    }

    @Test("fields of a later version are skipped, wherever they stand")
    func unknownFields() throws {
        let message = SWIMInstance.Message(
            sender: NodeID(1), life: 2, body: .ping(sequence: 3, target: NodeID(4)),
            updates: [Lone.update(9, .suspect, accusers: [NodeID(5)])])
        var bytes = message.protobuf
        var later = ProtobufWriter()
        later.presentVarint(7, field: 90)
        later.presentBytes([1, 2, 3], field: 91)
        later.presentFixed64(1, field: 92)
        bytes = later.bytes + bytes + later.bytes
        #expect(try SWIMInstance.Message(protobuf: bytes) == message)
    }

    private func body(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(field: 11) { _ in }
        write(&writer)
        return writer.bytes
    }

    @Test("a message for a later version or with an unknown body is refused")
    func versions() throws {
        #expect(throws: ProtobufError.self) {
            try SWIMInstance.Message(protobuf: body { $0.presentVarint(2, field: 2) })
        }
        _ = try SWIMInstance.Message(protobuf: body { $0.presentVarint(9, field: 1) })
        var writer = ProtobufWriter()
        writer.message(field: 40) { _ in }
        #expect(throws: ProtobufError.missingField(field: 7, offset: writer.bytes.count)) {
            try SWIMInstance.Message(protobuf: writer.bytes)
        }
    }

    @Test("counts and lengths beyond the limits are refused before memory is taken")
    func limits() {
        let updates = body { writer in
            for _ in 0...4_096 { writer.message(field: 15) { $0.presentVarint(1, field: 4) } }
        }
        #expect(
            throws: ProtobufError.beyondLimit(
                field: 15, count: 4_097, limit: 4_096, offset: updates.count - 3)
        ) { try SWIMInstance.Message(protobuf: updates) }
        func update(_ write: (inout ProtobufWriter) -> Void) -> [UInt8] {
            body { writer in
                writer.message(field: 15) {
                    $0.presentVarint(1, field: 4)
                    write(&$0)
                }
            }
        }
        let refused: [[UInt8]] = [
            update { $0.packedFixed64((0..<9).map { $0 }, field: 5) },
            update { $0.presentVarint((1 << 60) + 1, field: 2) },
            update { $0.presentVarint(5, field: 4) },
            update { $0.presentVarint(0, field: 4) },
            update { $0.message(field: 6) { $0.presentVarint(1_001, field: 6) } },
            update {
                $0.message(field: 6) { $0.string(String(repeating: "x", count: 260), field: 2) }
            },
            update {
                $0.message(field: 6) {
                    $0.string(String(repeating: "x", count: 600), field: 1)
                    $0.string(String(repeating: "x", count: 600), field: 5)
                }
            },
            update { $0.presentBytes(Array(repeating: 0, count: 3_000), field: 60) },
            body { $0.presentVarint(1 << 32, field: 6) },
            [UInt8](repeating: 0, count: 4 << 20 | 1),
        ]
        for (number, bytes) in refused.enumerated() {
            #expect(throws: ProtobufError.self, "case \(number)") {
                try SWIMInstance.Message(protobuf: bytes)
            }
        }
    }
}
