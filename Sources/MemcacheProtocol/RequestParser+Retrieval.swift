// get, gets, gat, gats: the hot path, in a single pass that finds keys and line end together; and
// lines of any length in bounded memory.

import CIntrinsics

extension RequestParser {
    /// Parses the line if a retrieval verb and a space are at `word`; nil if not.
    ///
    /// - Precondition: Five bytes from `word` on can be read.
    @inline(__always)
    func retrieval(
        _ base: UnsafeRawPointer, _ start: Int, _ word: Int, _ count: Int, _ command: inout Command
    ) -> ParseStatus? {
        let head = UInt64(
            UInt32(littleEndian: base.loadUnaligned(fromByteOffset: word, as: UInt32.self)))
        let space = UInt64(ByteScan.space)
        if head == VerbWord.get | space << 24 {
            let line = RetrievalLine(
                base: base, start: start, keys: word &+ 4, count: count, isFirstPart: true)
            return line.parse(.get, exptime: 0, &command)
        }
        if head == VerbWord.gat | space << 24 {
            return getAndTouch(base, start, word &+ 4, count, .gat, &command)
        }
        if ByteScan.byte(base, word &+ 4) != ByteScan.space { return nil }
        if head == VerbWord.gets {
            let line = RetrievalLine(
                base: base, start: start, keys: word &+ 5, count: count, isFirstPart: true)
            return line.parse(.gets, exptime: 0, &command)
        }
        if head == VerbWord.gats {
            return getAndTouch(base, start, word &+ 5, count, .gats, &command)
        }
        return nil
    }

    /// Reads the expiry time of `gat`, then the keys.
    private func getAndTouch(
        _ base: UnsafeRawPointer, _ start: Int, _ from: Int, _ count: Int, _ verb: Verb,
        _ command: inout Command
    ) -> ParseStatus {
        let windowEnd = min(count, start &+ ProtocolLimits.retrievalWindowBytes)
        let found = kiln_find_byte(
            base + from, Int32(ByteScan.lineFeed), UInt(bitPattern: windowEnd &- from))
        let lineEnd = found.map { base.distance(to: $0) }
        if lineEnd == nil && count &- start < ProtocolLimits.retrievalWindowBytes {
            return .needMore
        }
        var line = LineReader(base: base, start: from, newline: lineEnd ?? windowEnd)
        let word = line.next()
        command = Command(verb: verb, lineCount: (lineEnd ?? windowEnd) &+ 1 &- start)
        if word.isEmpty {
            return .failed(
                lineEnd == nil
                    ? ProtocolError(.lineTooLong, .close) : ProtocolError(.wrongWordCount))
        }
        guard let exptime = DecimalNumber.signed(base, word) else {
            return .failed(ProtocolError(.invalidExptime, lineEnd == nil ? .close : .skipLine))
        }
        let keys = RetrievalLine(
            base: base, start: start, keys: line.cursor, count: count, isFirstPart: true)
        return keys.parse(verb, exptime: exptime, &command)
    }

    /// A retrieval line that did not look like one: `bget`, no word after the verb, too many spaces
    /// before it.
    func shortRetrieval(
        _ verb: Verb, _ line: inout LineReader, _ command: inout Command
    ) -> ProtocolError? {
        command.verb = verb
        var word = line.next()
        if word.isEmpty { return ProtocolError(.wrongWordCount) }
        if verb == .gat || verb == .gats {
            guard let exptime = DecimalNumber.signed(line.base, word) else {
                return ProtocolError(.invalidExptime)
            }
            command.exptime = exptime
            word = line.next()
        }
        command.key = word
        command.arguments = Range(uncheckedBounds: (word.lowerBound, line.end))
        while !word.isEmpty {
            if word.count > ProtocolLimits.keyBytes { return ProtocolError(.keyTooLong) }
            word = line.next()
        }
        return nil
    }
}

/// The key list of a retrieval command, from where it starts to the line end or the end of the
/// window.
///
/// A line that does not end within ``ProtocolLimits/retrievalWindowBytes`` comes in parts. Parts
/// are cut at the same places however the bytes arrive: never before the window is full, and after
/// the last key that a space ends inside it.
struct RetrievalLine {
    private let base: UnsafeRawPointer
    private let start: Int
    private let keys: Int
    private let limit: Int
    private let windowIsFull: Bool
    private let isFirstPart: Bool

    /// The keys from `keys` on, of the line or part that starts at `start`, in `count` bytes from
    /// `base`.
    @inline(__always)
    init(base: UnsafeRawPointer, start: Int, keys: Int, count: Int, isFirstPart: Bool) {
        self.base = base
        self.start = start
        self.keys = keys
        self.isFirstPart = isFirstPart
        windowIsFull = count &- start >= ProtocolLimits.retrievalWindowBytes
        limit = windowIsFull ? start &+ ProtocolLimits.retrievalWindowBytes : count
    }

    /// Finds the keys, checks their lengths and fills in `command`.
    @inline(__always)
    func parse(_ verb: Verb, exptime: Int64, _ command: inout Command) -> ParseStatus {
        var first = 0..<0
        var isTooLong = false
        var offset = keys
        while true {
            offset = ByteScan.skipSpaces(base, from: offset, limit: limit)
            let keyStart = offset
            offset = ByteScan.stop(base, from: offset, limit: limit)
            // Control bytes are part of a key; the carriage return of the line end and NUL are not.
            while offset < limit && isInsideKey(offset) {
                offset = ByteScan.stop(base, from: offset &+ 1, limit: limit)
            }
            guard offset < limit && !isUndecided(offset) else {
                return ranOut(
                    verb, exptime, first: first, keyStart: keyStart, keyEnd: offset,
                    isTooLong: isTooLong, &command)
            }
            let keyCount = offset &- keyStart
            if keyCount > ProtocolLimits.keyBytes { isTooLong = true }
            if first.isEmpty { first = Range(uncheckedBounds: (keyStart, offset)) }
            if ByteScan.byte(base, offset) != ByteScan.space { break }
        }
        guard let newline = lineFeed(from: offset) else {
            // A NUL hides the rest of the line, whose end is not here.
            return windowIsFull ? .failed(ProtocolError(.badFormat, .close)) : .needMore
        }
        command = Command(verb: verb, lineCount: newline &+ 1 &- start)
        command.exptime = exptime
        command.key = first
        command.arguments = Range(uncheckedBounds: (keys, offset))
        if isTooLong { return .failed(ProtocolError(.keyTooLong)) }
        // memcached answers END to `gat 10` and ERROR to `get`.
        if first.isEmpty && isFirstPart && (verb == .get || verb == .gets) {
            return .failed(ProtocolError(.wrongWordCount))
        }
        return .complete
    }

    /// Whether the control byte at `offset` is part of a key.
    @inline(__always)
    private func isInsideKey(_ offset: Int) -> Bool {
        let byte = ByteScan.byte(base, offset)
        if byte == ByteScan.space || byte == ByteScan.lineFeed || byte == 0 { return false }
        if byte != ByteScan.carriageReturn { return true }
        return offset &+ 1 < limit && ByteScan.byte(base, offset &+ 1) != ByteScan.lineFeed
    }

    /// Whether the byte at `offset` is a carriage return whose next byte is not here.
    @inline(__always)
    private func isUndecided(_ offset: Int) -> Bool {
        offset &+ 1 == limit && ByteScan.byte(base, offset) == ByteScan.carriageReturn
    }

    /// The line feed that ends the line whose text ends at `offset`.
    @inline(__always)
    private func lineFeed(from offset: Int) -> Int? {
        let byte = ByteScan.byte(base, offset)
        if byte == ByteScan.lineFeed { return offset }
        if byte == ByteScan.carriageReturn { return offset &+ 1 }
        let found = kiln_find_byte(
            base + offset, Int32(ByteScan.lineFeed), UInt(bitPattern: limit &- offset))
        return found.map { base.distance(to: $0) }
    }

    /// The bytes end before the line does: asks for more, or hands out the keys of a full window.
    @inline(never)
    private func ranOut(
        _ verb: Verb, _ exptime: Int64, first: Range<Int>, keyStart: Int, keyEnd: Int,
        isTooLong: Bool, _ command: inout Command
    ) -> ParseStatus {
        if !windowIsFull { return .needMore }
        command = Command(verb: verb, lineCount: keyStart &- start)
        if isTooLong || keyEnd &- keyStart > ProtocolLimits.keyBytes {
            return .failed(ProtocolError(.keyTooLong, .close))
        }
        if first.isEmpty && isFirstPart { return .failed(ProtocolError(.lineTooLong, .close)) }
        command.exptime = exptime
        command.key = first
        command.arguments = Range(uncheckedBounds: (keys, keyStart))
        command.continues = true
        return .complete
    }
}
