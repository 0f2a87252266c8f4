// One line, its end known, read word by word.

import CIntrinsics

/// The text of one command line and a cursor in it.
struct LineReader {
    let base: UnsafeRawPointer
    /// Where the next word is looked for.
    var cursor: Int
    /// The end of the text.
    let end: Int

    /// The text from `start` to the line feed at `newline`.
    ///
    /// One carriage return before the line feed belongs to the line end. memcached's lines are C strings:
    /// what follows a NUL byte is not seen.
    init(base: UnsafeRawPointer, start: Int, newline: Int) {
        self.base = base
        cursor = start
        var end = newline
        if end > start && ByteScan.byte(base, end &- 1) == ByteScan.carriageReturn { end &-= 1 }
        if let nul = kiln_find_byte(base + start, 0, UInt(bitPattern: end &- start)) {
            end = base.distance(to: nul)
        }
        self.end = end
    }

    /// The next word; empty when there is none.
    @inline(__always)
    mutating func next() -> Range<Int> {
        let start = ByteScan.skipSpaces(base, from: cursor, limit: end)
        cursor = ByteScan.wordEnd(base, from: start, limit: end)
        return Range(uncheckedBounds: (start, cursor))
    }

    /// The rest of the text from the next word on, without spaces around it.
    func rest() -> Range<Int> {
        let start = ByteScan.skipSpaces(base, from: cursor, limit: end)
        var last = end
        while last > start && ByteScan.byte(base, last &- 1) == ByteScan.space { last &-= 1 }
        return Range(uncheckedBounds: (start, last))
    }

    /// Up to eight bytes of `word` as a little-endian number: words of that length compare in one instruction.
    ///
    /// - Precondition: `word` is at most eight bytes long.
    @inline(__always)
    func packed(_ word: Range<Int>) -> UInt64 {
        var bits: UInt64 = 0
        var offset = word.upperBound
        while offset > word.lowerBound {
            offset &-= 1
            bits = bits &<< 8 | UInt64(ByteScan.byte(base, offset))
        }
        return bits
    }

    /// Whether `word` is `text`.
    func matches(_ word: Range<Int>, _ text: StaticString) -> Bool {
        word.count == text.utf8CodeUnitCount
            && kiln_equal(base + word.lowerBound, text.utf8Start, UInt(bitPattern: word.count)) != 0
    }

    /// Whether `word` is `noreply`.
    @inline(__always)
    func isNoreply(_ word: Range<Int>) -> Bool {
        word.count == 7 && packed(word) == VerbWord.noreply
    }
}
