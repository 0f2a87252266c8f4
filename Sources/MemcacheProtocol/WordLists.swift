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
