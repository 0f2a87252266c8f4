import Testing

@testable import LoadGenerator

@Suite struct ReplyReaderTests {
    private typealias Outcome = ReplyReader.Outcome

    /// Reads `text` in pieces of `size` bytes, as replies of `form`.
    private func outcomes(_ text: String, _ form: ReplyForm, pieces size: Int) -> [Outcome] {
        let bytes = Array(text.utf8)
        var reader = ReplyReader()
        var outcomes: [Outcome] = []
        for start in stride(from: 0, to: bytes.count, by: size) {
            let piece = Array(bytes[start..<min(start + size, bytes.count)])
            piece.withUnsafeBytes { buffer in
                var position = 0
                while let outcome = reader.next(in: buffer, at: &position, form: form) {
                    outcomes.append(outcome)
                }
                #expect(position == buffer.count, "every byte is taken")
            }
        }
        return outcomes
    }

    static let streams: [(text: String, form: ReplyForm, expected: [ReplyReader.Outcome])] = [
        ("END\r\n", .text, [.answered(hits: 0)]),
        ("VALUE k 0 5\r\nhello\r\nEND\r\n", .text, [.answered(hits: 1)]),
        (
            "VALUE a 0 0\r\n\r\nVALUE b 7 6\r\nEND\r\nX\r\nEND\r\nEND\r\n", .text,
            [.answered(hits: 2), .answered(hits: 0)]
        ),
        ("VALUE k 0 14\r\nVALUE x 0 99\r\n\r\nEND\r\n", .text, [.answered(hits: 1)]),
        ("EN\r\n", .meta, [.answered(hits: 0)]),
        ("HD\r\n", .meta, [.answered(hits: 1)]),
        ("HD s5 t-1\r\n", .meta, [.answered(hits: 1)]),
        ("VA 4 c7\r\nEN\r\n\r\nEN\r\n", .meta, [.answered(hits: 1), .answered(hits: 0)]),
        ("VA 0\r\n\r\n", .meta, [.answered(hits: 1)]),
        (
            "VA 2\r\nab\r\nVA 1\r\nc\r\nMN\r\nMN\r\n", .metaBatch,
            [
                .answered(hits: 2), .answered(hits: 0),
            ]
        ),
        (
            "STORED\r\nHD\r\nNOT_STORED\r\n", .stored,
            [
                .answered(hits: 0), .answered(hits: 0), .failed("NOT_STORED"),
            ]
        ),
        ("NS\r\n", .stored, [.failed("NS")]),
        ("ERROR\r\n", .text, [.failed("ERROR")]),
        (
            "SERVER_ERROR out of memory storing object\r\nSTORED\r\n", .stored,
            [
                .failed("SERVER_ERROR out of memory storing object"), .answered(hits: 0),
            ]
        ),
        (
            "CLIENT_ERROR bad data chunk\r\nERROR\r\n", .stored,
            [
                .failed("CLIENT_ERROR bad data chunk"), .failed("ERROR"),
            ]
        ),
        // A failure forgets the hits before it.
        (
            "VALUE k 0 1\r\nx\r\nSERVER_ERROR y\r\nEND\r\n", .text,
            [
                .failed("SERVER_ERROR y"), .answered(hits: 0),
            ]
        ),
    ]

    /// Every stream gives the same outcomes however it is cut.
    @Test(arguments: streams.indices, [1, 2, 3, 5, 7, 1_000])
    func readsStreamsInAnyPieces(_ index: Int, _ size: Int) {
        let stream = Self.streams[index]
        #expect(outcomes(stream.text, stream.form, pieces: size) == stream.expected)
    }

    @Test(arguments: [
        ("HTTP/1.1 400 Bad Request\r\n", ReplyForm.text), ("\r\n", .text), ("x\n", .text),
        ("VALUE k 0 x\r\n", .text), ("VALUE k 0 9999999999\r\n", .text),
        ("VALUE k 0 -5\r\n", .text), ("STORED\r\n", .text),
        ("END\r\n", .stored), ("END\r\n", .meta), ("VA \r\n", .meta), ("VA x\r\n", .meta),
        ("VA 9999999999999\r\n", .meta), ("EN\r\n", .metaBatch), ("-ERR unknown\r\n", .stored),
        ("\u{0}\u{1}\u{2}\u{3}\n", .meta), ("ERRORS\r\n", .text),
    ])
    func garbageIsNamed(_ text: String, _ form: ReplyForm) {
        for size in [1, 4, 100] {
            guard case .garbage(let shown) = outcomes(text, form, pieces: size).first else {
                Issue.record("taken for a reply: \(text)")
                continue
            }
            #expect(!shown.contains { $0.isNewline })
        }
    }

    @Test func aLineWithoutEndIsGarbage() {
        let endless = String(repeating: "x", count: ReplyReader.lineLimit + 1)
        #expect(outcomes(endless, .text, pieces: 100).count == 1)
        let longest = String(repeating: "x", count: ReplyReader.lineLimit)
        #expect(outcomes(longest, .text, pieces: 100).isEmpty)
    }

    @Test func aLargeValueIsSkippedUnread() {
        let value = String(repeating: "END\r\n", count: 200_000)
        let text = "VALUE k 0 \(value.utf8.count)\r\n\(value)\r\nEND\r\n"
        for size in [4_096, 1 << 20] {
            #expect(outcomes(text, .text, pieces: size) == [.answered(hits: 1)])
        }
    }

    @Test func aNewConnectionStartsAfresh() {
        var reader = ReplyReader()
        for half in ["VALUE k 0 10\r\nabc", "VALUE k 0"] {
            var position = 0
            Array(half.utf8).withUnsafeBytes { bytes in
                #expect(reader.next(in: bytes, at: &position, form: .text) == nil)
            }
            reader.reset()
        }
        var position = 0
        Array("END\r\n".utf8).withUnsafeBytes { bytes in
            #expect(
                reader.next(in: bytes, at: &position, form: .text) == .answered(hits: 0))
        }
    }
}
