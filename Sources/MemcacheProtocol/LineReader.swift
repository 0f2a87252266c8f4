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
    /// One carriage return before the line feed belongs to the line end. memcached's lines are C
    /// strings: what follows a NUL byte is not seen.
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

    /// Up to eight bytes of `word` as a little-endian number: words of that length compare in one
    /// instruction.
    ///
    /// Two loads that overlap where they must, never a byte outside the word.
    ///
    /// - Precondition: `word` is at most eight bytes long.
    @inline(__always)
    func packed(_ word: Range<Int>) -> UInt64 {
        let count = word.upperBound &- word.lowerBound
        let start = base + word.lowerBound
        if count >= 4 {
            let head = UInt32(littleEndian: start.loadUnaligned(as: UInt32.self))
            let tail = UInt32(
                littleEndian: start.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
            return UInt64(head) | UInt64(tail) &<< UInt64(truncatingIfNeeded: (count &- 4) &* 8)
        }
        if count >= 2 {
            let head = UInt16(littleEndian: start.loadUnaligned(as: UInt16.self))
            let tail = ByteScan.byte(start, count &- 1)
            return UInt64(head) | UInt64(tail) &<< UInt64(truncatingIfNeeded: (count &- 1) &* 8)
        }
        return count == 1 ? UInt64(ByteScan.byte(start, 0)) : 0
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
