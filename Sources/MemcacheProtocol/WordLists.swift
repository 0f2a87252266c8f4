// Walks over the parts of a command whose number is not fixed: keys, words, flags.

/// The keys of a retrieval command, in request order.
///
/// Lists hold offsets only. Each call is given the bytes that were parsed, so that a list can
/// outlive the span.
public struct KeyList: Sendable {
    @usableFromInline var cursor: Int
    @usableFromInline let end: Int

    /// The keys in ``Command/arguments`` of `command`.
    @inlinable
    public init(_ command: Command) {
        cursor = command.arguments.lowerBound
        end = command.arguments.upperBound
    }

    /// The next key; nil at the end.
    ///
    /// - Precondition: `bytes` are those the command was parsed from.
    @inlinable
    public mutating func next(in bytes: RawSpan) -> Range<Int>? {
        precondition(end <= bytes.byteCount, "the command is longer than these bytes")
        let start = cursor
        let end = end
        let (word, next) = bytes.withUnsafeBytes { buffer -> (Int, Int) in
            guard let base = buffer.baseAddress else { return (0, 0) }
            let word = ByteScan.skipSpaces(base, from: start, limit: end)
            return (word, ByteScan.wordEnd(base, from: word, limit: end))
        }
        cursor = next
        return next > word ? Range(uncheckedBounds: (word, next)) : nil
    }
}

extension KeyList {
    /// The next key in the bytes at `base`, for callers that have an address; empty at the end.
    ///
    /// - Precondition: The bytes at `base` are those the command was parsed from, a complete line.
    @inlinable
    @inline(__always)
    public mutating func next(at base: UnsafeRawPointer) -> (start: Int, count: Int) {
        var offset = cursor
        while offset < end && ByteScan.byte(base, offset) == ByteScan.space { offset &+= 1 }
        let start = offset
        while end &- offset >= 8 {
            let word = UInt64(
                littleEndian: base.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            // The bytes that equal a space are the zeros of this difference (Mycroft's test).
            let difference = word ^ 0x2020_2020_2020_2020
            let zeros = (difference &- 0x0101_0101_0101_0101) & ~difference & 0x8080_8080_8080_8080
            if zeros != 0 {
                offset &+= zeros.trailingZeroBitCount &>> 3
                cursor = offset
                return (start, offset &- start)
            }
            offset &+= 8
        }
        while offset < end && ByteScan.byte(base, offset) != ByteScan.space { offset &+= 1 }
        cursor = offset
        return (start, offset &- start)
    }
}

/// The words after the verb of a server command, in request order.
public struct WordList: Sendable {
    private var words: KeyList

    /// The words in ``Command/arguments`` of `command`.
    public init(_ command: Command) {
        words = KeyList(command)
    }

    /// The next word; nil at the end.
    ///
    /// - Precondition: `bytes` are those the command was parsed from.
    public mutating func next(in bytes: RawSpan) -> Range<Int>? {
        words.next(in: bytes)
    }
}

/// The flags of a meta command, in request order: replies answer them in that order.
public struct MetaFlagList: Sendable {
    @usableFromInline var words: KeyList

    /// The flags in ``Command/arguments`` of `command`.
    @inlinable
    public init(_ command: Command) {
        words = KeyList(command)
    }

    /// The next flag's letter, and where its argument is (empty if it has none); nil at the end.
    ///
    /// - Precondition: `bytes` are those the command was parsed from.
    @inlinable
    public mutating func next(
        in bytes: RawSpan
    ) -> (letter: UInt8, argument: Range<Int>)? {
        guard let word = words.next(in: bytes) else { return nil }
        let letter = bytes.unsafeLoad(fromByteOffset: word.lowerBound, as: UInt8.self)
        return (letter, Range(uncheckedBounds: (word.lowerBound &+ 1, word.upperBound)))
    }
}
