// What a client asked for, as one flat value: no allocation, no reference to the bytes it came
// from.

/// The first word of a command line.
public enum Verb: UInt8, Equatable, Sendable, CaseIterable {
    // Classic retrieval
    case get, gets, gat, gats
    // Classic storage: these are followed by a data block
    case set, add, replace, append, prepend, cas
    // Classic, one key, no data block
    case incr, decr, touch, delete
    // Meta commands
    case metaGet, metaSet, metaDelete, metaArithmetic, metaNoop, metaDebug
    // Server commands: no key
    case flushAll, version, verbosity, stats, quit, shutdown, cacheMemlimit, misbehave
    case lru, lruCrawler, slabs, extstore, watch, refreshCerts, configGet
    // Kiln's own: a question or an order to the node itself
    case kiln
}

/// A parsed command line.
///
/// Ranges are offsets into the bytes that were parsed, so a command stays a flat value of fixed
/// size; they mean nothing once those bytes have moved. The data block of a storage command is not
/// part of it: it is the ``valueCount`` bytes after the line, followed by a line end.
public struct Command: Equatable, Sendable {
    /// The first word.
    public var verb: Verb

    /// Bytes of the line, its line end included.
    public var lineCount: Int

    /// The key as it was sent (still base64 where ``MetaArguments/keyIsBase64``); empty where there
    /// is none.
    public var key: Range<Int> = 0..<0

    /// What follows: the keys of a retrieval (``KeyList`` walks them), the flag tokens of a meta
    /// command (``MetaFlagList`` walks them), or the words after the verb of a server command.
    public var arguments: Range<Int> = 0..<0

    /// Whether the client wants no answer on success: `noreply`, or the meta flag `q`.
    public var noreply = false

    /// The client's 32-bit flags of a storage command (text field or meta flag `F`).
    public var clientFlags: UInt32 = 0

    /// The expiry time as sent: 0 never, negative at once, up to 30 days relative, above absolute.
    public var exptime: Int64 = 0

    /// Bytes of the data block, without its line end.
    public var valueCount = 0

    /// The CAS unique of `cas`, or the operand of `incr` and `decr`.
    public var number: UInt64 = 0

    /// The flags of a meta command.
    public var meta = MetaArguments()

    /// Whether this is only a part of a `get` line that is longer than the buffer: the keys so far
    /// are in ``arguments``, more follow, and `END` is not due yet.
    public var continues = false

    /// A command with no arguments.
    public init(verb: Verb, lineCount: Int) {
        self.verb = verb
        self.lineCount = lineCount
    }

    /// The same command for bytes that have moved by `distance`.
    public func moved(by distance: Int) -> Command {
        var moved = self
        moved.key = key.lowerBound + distance..<key.upperBound + distance
        moved.arguments = arguments.lowerBound + distance..<arguments.upperBound + distance
        return moved
    }
}

/// The flags of a meta command, already validated.
public struct MetaArguments: Equatable, Sendable {
    /// Which letters were given: bit `letter - 65` (`A` is bit 0, `a` bit 32).
    public var letters: UInt64 = 0
    /// `T`: the time to live to set, as sent.
    public var exptime: Int64 = 0
    /// `N`: create on a miss, with this time to live.
    public var vivifyExptime: Int64 = 0
    /// `R`: recache when less time than this is left.
    public var recacheTime: Int64 = 0
    /// `C`: act only if the item's CAS is this.
    public var compareCAS: UInt64 = 0
    /// `E`: the CAS the item is given.
    public var newCAS: UInt64 = 0
    /// `J`: the initial value for `ma` with `N`.
    public var initialValue: UInt64 = 0
    /// `D`: the delta of `ma`, 1 unless given.
    public var delta: UInt64 = 1
    /// `M`: the mode byte as sent, 0 where none was given.
    public var mode: UInt8 = 0

    /// No flags.
    public init() {}

    /// Whether flag `letter` was given.
    @inlinable
    public func has(_ letter: Unicode.Scalar) -> Bool {
        letters & Self.bit(UInt8(truncatingIfNeeded: letter.value)) != 0
    }

    /// Notes flag `letter`.
    @inlinable
    public mutating func insert(_ letter: UInt8) {
        letters |= Self.bit(letter)
    }

    /// The bit of one letter; 0 for a byte that is no ASCII letter.
    @inlinable
    public static func bit(_ letter: UInt8) -> UInt64 {
        letter >= 65 && letter < 123 ? 1 &<< UInt64(letter &- 65) : 0
    }

    /// Whether the key is base64 (`b`): it is hashed and stored as the decoded bytes.
    @inlinable
    public var keyIsBase64: Bool { has("b") }

    /// Whether the client wants no answer for the common case (`q`).
    @inlinable
    public var isQuiet: Bool { has("q") }
}
