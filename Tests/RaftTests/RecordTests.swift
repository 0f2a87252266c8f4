import Raft
import Testing

@Suite struct RecordTests {
    /// RFC 3720, B.4, and the value that every CRC-32C gives for these nine digits.
    @Test(
        arguments: [
            (Array("123456789".utf8), 0xE306_9283),
            ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
            ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
            ((0..<32).map { UInt8($0) }, 0x46DD_794E), ([], 0),
        ] as [([UInt8], UInt32)])
    func sumsAsTheStandardSays(bytes: [UInt8], sum: UInt32) {
        #expect(CRC32C.checksum(bytes) == sum)
    }

    private static let first = RecordFrame.encode([1, 2, 3])
    private static let second = RecordFrame.encode([UInt8](repeating: 7, count: 600))

    @Test func everyCutOfTheLastRecordIsTorn() {
        let offset = Self.first.count
        let whole = Self.first + Self.second
        #expect(RecordFrame.read(whole, at: 0) == .record(content: 12..<15))
        #expect(RecordFrame.read(whole, at: offset) == .record(content: 28..<628))
        #expect(RecordFrame.read(whole, at: whole.count) == .end)
        for count in offset + 1..<whole.count {
            #expect(RecordFrame.read(Array(whole.prefix(count)), at: offset) == .torn)
        }
    }

    @Test func everyFlippedBitIsDamage() {
        let whole = Self.first + Self.second
        for offset in [0, Self.first.count] {
            let end = offset == 0 ? Self.first.count : whole.count
            for position in offset..<end {
                var bytes = whole
                bytes[position] ^= 1 << UInt8(position % 8)
                #expect(RecordFrame.read(bytes, at: offset) == .damaged, "byte \(position)")
            }
        }
    }

    /// Contents that end in zeros, cut into sectors at any place: the closing byte tells a flipped
    /// bit from a sector that was never written.
    @Test func zerosAtTheEndAreNoExcuseForDamage() {
        for length in 480...540 {
            let content =
                [UInt8](repeating: 9, count: 470) + [UInt8](repeating: 0, count: length - 470)
            let record = RecordFrame.encode(content)
            #expect(RecordFrame.read(record, at: 0) == .record(content: 12..<12 + length))
            for position in stride(from: 0, to: record.count, by: 7) {
                var bytes = record
                bytes[position] ^= 0x10
                #expect(RecordFrame.read(bytes, at: 0) == .damaged, "\(length), \(position)")
            }
            guard record.count > 512 else { continue }
            let unwritten = record.prefix(512) + [UInt8](repeating: 0, count: record.count - 512)
            #expect(RecordFrame.read(Array(unwritten), at: 0) == .torn, "\(length)")
        }
    }

    /// A length that points behind the file's end is a torn record only if no record follows.
    @Test func aRecordBehindABadOneIsDamage() {
        let cut = Array(Self.second.prefix(100))
        #expect(RecordFrame.read(cut, at: 0) == .torn)
        #expect(RecordFrame.read(cut + Self.first, at: 0) == .damaged)
        let zeros = [UInt8](repeating: 0, count: 1_024)
        #expect(RecordFrame.read(zeros, at: 0) == .torn)
        #expect(RecordFrame.read(zeros + Self.first, at: 0) == .damaged)
    }

    @Test func segmentsAreReadInOrder() throws {
        typealias Record = RaftInstance.LogRecord
        func entry(_ index: UInt64, _ term: UInt64) -> RaftInstance.Entry {
            RaftInstance.Entry(term: term, index: index, payload: .command([UInt8(index)]))
        }
        var replay = RaftInstance.LogReplay()
        let one =
            Record.start(previousIndex: 4, resets: false).framed
            + Record.batch([entry(5, 1), entry(6, 1)]).framed
        #expect(try replay.read(one, isLast: false) == one.count)
        let two =
            Record.start(previousIndex: 6, resets: false).framed
            + Record.batch([entry(6, 2), entry(7, 2)]).framed
        var copy = replay
        #expect(try copy.read(two + [0], isLast: true) == two.count)
        #expect(copy.entries.map(\.term) == [1, 2, 2] && copy.lastIndex == 7)
        // A segment missing between two, a torn one that is not the last, an entry left out.
        let late = Record.start(previousIndex: 9, resets: false).framed
        #expect(throws: RaftError.gapInLog(expected: 7, found: 10)) {
            var copy = replay
            _ = try copy.read(late, isLast: true)
        }
        #expect(throws: RaftError.damagedRecord(offset: two.count)) {
            var copy = replay
            _ = try copy.read(two + [0], isLast: false)
        }
        let gap =
            Record.start(previousIndex: 6, resets: false).framed
            + Record.batch([entry(8, 2)]).framed
        #expect(throws: RaftError.gapInLog(expected: 7, found: 8)) {
            var copy = replay
            _ = try copy.read(gap, isLast: true)
        }
        let reset =
            Record.start(previousIndex: 20, resets: true).framed
            + Record.batch([entry(21, 3)]).framed
        #expect(try copy.read(reset, isLast: true) == reset.count)
        #expect(copy.entries == [entry(21, 3)])
    }
}
