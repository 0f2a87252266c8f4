import Primitives
import Testing

/// A message with every kind of field, as a room would write one.
private struct Sample: Equatable {
    var number: UInt64 = 0
    var isSet = false
    var difference: Int64 = 0
    var hash: UInt64 = 0
    var checksum: UInt32 = 0
    var payload: [UInt8] = []
    var name = ""
    var list: [UInt64] = []
    var hashes: [UInt64] = []
    var children: [Sample] = []

    static let full = Sample(
        number: .max, isSet: true, difference: -3, hash: 0x0102_0304_0506_0708,
        checksum: 0xDEAD_BEEF, payload: [0, 255, 7], name: "Zürich", list: [0, 1, 300, .max],
        hashes: [.max, 0], children: [Sample(number: 1), Sample(), Sample(name: "leaf")])

    func write(to writer: inout ProtobufWriter) {
        writer.varint(number, field: 1)
        writer.bool(isSet, field: 2)
        writer.zigZag(difference, field: 3)
        writer.fixed64(hash, field: 4)
        writer.fixed32(checksum, field: 5)
        writer.bytes(payload, field: 6)
        writer.string(name, field: 7)
        writer.packedVarints(list, field: 8)
        writer.packedFixed64(hashes, field: 9)
        for child in children { writer.message(field: 16) { child.write(to: &$0) } }
    }

    var bytes: [UInt8] {
        var writer = ProtobufWriter(capacity: 64)
        write(to: &writer)
        return writer.bytes
    }

    init(
        number: UInt64 = 0, isSet: Bool = false, difference: Int64 = 0, hash: UInt64 = 0,
        checksum: UInt32 = 0, payload: [UInt8] = [], name: String = "", list: [UInt64] = [],
        hashes: [UInt64] = [], children: [Sample] = []
    ) {
        self.number = number
        self.isSet = isSet
        self.difference = difference
        self.hash = hash
        self.checksum = checksum
        self.payload = payload
        self.name = name
        self.list = list
        self.hashes = hashes
        self.children = children
    }

    init(_ reader: inout ProtobufReader) throws(ProtobufError) {
        while let field = try reader.nextField() {
            switch field.number {
            case 1: number = try reader.varint(field)
            case 2: isSet = try reader.bool(field)
            case 3: difference = try reader.zigZag(field)
            case 4: hash = try reader.fixed64(field)
            case 5: checksum = try reader.fixed32(field)
            case 6: payload = try reader.bytes(field, limit: 100)
            case 7: name = try reader.string(field, limit: 100)
            case 8: try reader.varints(field, into: &list, limit: 4)
            case 9: try reader.fixed64s(field, into: &hashes, limit: 4)
            case 16:
                var child = try reader.message(field)
                children.append(try Sample(&child))
            default: try reader.skip(field)
            }
        }
    }

    init(bytes: [UInt8]) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        self = try Sample(&reader)
    }
}

@Suite struct ProtobufTests {
    /// The encodings that Protobuf's own documentation spells out.
    @Test func writesTheDocumentedBytes() {
        #expect(Sample(number: 150).bytes == [0x08, 0x96, 0x01])
        var text = ProtobufWriter()
        text.string("testing", field: 2)
        #expect(text.bytes == [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67])
        var nested = ProtobufWriter()
        nested.message(field: 3) { $0.varint(150, field: 1) }
        #expect(nested.bytes == [0x1A, 0x03, 0x08, 0x96, 0x01])
        var packed = ProtobufWriter()
        packed.packedVarints([3, 270, 86942], field: 6)
        #expect(packed.bytes == [0x32, 0x06, 0x03, 0x8E, 0x02, 0x9E, 0xA7, 0x05])
    }

    @Test(arguments: [
        (Int64(0), UInt64(0)), (-1, 1), (1, 2), (-2, 3), (0x7FFF_FFFF, 0xFFFF_FFFE),
        (-0x8000_0000, 0xFFFF_FFFF), (.max, .max - 1), (.min, .max),
    ])
    func zigZagsBothWays(number: Int64, code: UInt64) {
        #expect(ZigZag.encode(number) == code)
        #expect(ZigZag.decode(code) == number)
    }

    @Test func readsWhatItWrote() throws {
        #expect(try Sample(bytes: Sample.full.bytes) == .full)
        #expect(Sample().bytes.isEmpty, "proto3 leaves out what is zero")
        #expect(try Sample(bytes: []) == Sample())
    }

    @Test func zeroIsWrittenWhereItIsPresent() throws {
        var writer = ProtobufWriter()
        writer.presentVarint(0, field: 1)
        writer.presentFixed64(0, field: 4)
        writer.presentBytes([], field: 6)
        #expect(writer.bytes == [0x08, 0, 0x21, 0, 0, 0, 0, 0, 0, 0, 0, 0x32, 0])
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, 1 << 35, UInt64.max >> 1, .max])
    func varintsOfEveryLength(value: UInt64) throws {
        #expect(try Sample(bytes: Sample(number: value).bytes).number == value)
    }

    /// A cut never crashes: between two fields it is a shorter message, inside one it is told.
    @Test func everyTruncationIsToldOrAShorterMessage() {
        let whole = Sample.full.bytes
        var complete = 0
        for count in 0..<whole.count {
            do {
                _ = try Sample(bytes: Array(whole.prefix(count)))
                complete += 1
            } catch {
                #expect(error == .truncated(offset: count), "cut at \(count)")
            }
        }
        // Nine scalar fields and two of three children end before the last byte, and the start.
        #expect(complete == 12)
    }

    @Test func everyTruncationInsideANestedMessageIsTold() {
        let child = Sample.full.bytes
        for count in 0..<child.count {
            // The length says less than there is, so the child ends early, with bytes behind it.
            var writer = ProtobufWriter()
            writer.bytes(child.prefix(count), field: 16)
            do {
                _ = try Sample(bytes: writer.bytes + [0x10, 1])
            } catch {
                let nestedEnd = writer.bytes.count
                #expect(error == .truncated(offset: nestedEnd), "child of \(count) bytes")
            }
        }
    }

    @Test func unknownFieldsAreSkippedWhateverTheirType() throws {
        var writer = ProtobufWriter()
        writer.varint(.max, field: 900)
        writer.fixed64(1, field: 901)
        writer.bytes([1, 2, 3], field: 902)
        writer.fixed32(1, field: ProtobufField.highestNumber)
        let group: [UInt8] = [0x53, 0x5B, 0x08, 1, 0x5C, 0x0D, 1, 2, 3, 4, 0x54]
        let unknown = writer.bytes + group
        #expect(try Sample(bytes: unknown + Sample.full.bytes + unknown) == .full)
    }

    @Test func theLastValueCountsAndListsGrow() throws {
        let bytes = Sample(number: 1, list: [1]).bytes + Sample(number: 2, list: [2]).bytes
        let unpacked: [UInt8] = [0x40, 3]
        #expect(try Sample(bytes: bytes + unpacked) == Sample(number: 2, list: [1, 2, 3]))
    }

    @Test(
        arguments: [
            // A varint of eleven bytes; one of ten that has 65 bits.
            ([0x08] + [UInt8](repeating: 0x80, count: 10) + [0], .varintTooLong(offset: 1)),
            ([0x08] + [UInt8](repeating: 0xFF, count: 9) + [2], .varintTooLong(offset: 1)),
            ([0x00, 0], .invalidKey(0, offset: 0)),
            ([0x0E], .invalidKey(14, offset: 0)),
            ([0x0F], .invalidKey(15, offset: 0)),
            ([0x80, 0x80, 0x80, 0x80, 0x10], .invalidKey(1 << 32, offset: 0)),
            ([0x0D, 1, 2, 3, 4], .wrongWireType(field: 1, found: .fixed32, offset: 1)),
            ([0x20, 1], .wrongWireType(field: 4, found: .varint, offset: 1)),
            ([0x30, 1], .wrongWireType(field: 6, found: .varint, offset: 1)),
            ([0x32, 101], .beyondLimit(field: 6, count: 101, limit: 100, offset: 2)),
            ([0x32, 99], .truncated(offset: 2)),
            ([0x42, 5, 1, 2, 3, 4, 5], .beyondLimit(field: 8, count: 5, limit: 4, offset: 7)),
            ([0x3A, 1, 0xFF], .invalidText(field: 7, offset: 3)),
            ([0x54], .unbalancedGroup(field: 10, offset: 1)),
            ([0x53, 0x5C], .unbalancedGroup(field: 11, offset: 2)),
            ([UInt8](repeating: 0x53, count: 9), .unbalancedGroup(field: 10, offset: 9)),
            ([0x53, 0x53], .truncated(offset: 2)),
        ] as [([UInt8], ProtobufError)])
    func refuses(bytes: [UInt8], error: ProtobufError) {
        #expect(throws: error) { try Sample(bytes: bytes) }
        #expect(!error.description.isEmpty)
    }

    /// A length of 2^63 - 1 must neither overflow nor be allocated.
    @Test func aHugeLengthIsRefusedBeforeAnythingIsCopied() {
        let huge = [UInt8](repeating: 0xFF, count: 8) + [0x7F]
        #expect(throws: ProtobufError.truncated(offset: 11)) {
            var reader = ProtobufReader([0x82, 0x01] + huge)
            let field = try #require(try reader.nextField())
            _ = try reader.message(field, limit: .max)
        }
    }

    @Test func numbersBeyondTheirTypeAreTold() throws {
        var reader = ProtobufReader(Sample(number: 10).bytes)
        let field = try #require(try reader.nextField())
        #expect(throws: ProtobufError.outOfRange(field: 1, value: 10, offset: 2)) {
            try reader.int(field, limit: 9)
        }
    }

    @Test func randomBytesNeverCrashTheReader() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<24, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            _ = try? Sample(bytes: bytes)
        }
    }
}
