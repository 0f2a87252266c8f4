// Requests of one turn, from whichever connections were ready: hashed and fetched together, then
// executed in order. This is where most of the data path's speed comes from: the cache misses of up
// to 64 requests overlap, instead of being waited for one after another.
internal import MemcacheProtocol
internal import Primitives

/// One step of a batch: a key to look up, a command to execute, a line to answer.
struct BatchEntry {
    enum Kind: UInt8 {
        /// One key of a retrieval.
        case key
        /// The key of a meta get that only reads the value.
        case metaKey
        /// A command on one key.
        case command
        /// A command that the node answers itself.
        case node
        /// A line that was refused by the parser.
        case failure
        /// A data block without its line end.
        case badChunk
        /// A retrieval line's continuation without a key: only `END` is due.
        case end
        /// One key of a retrieval, for another node; `keyCount` is negative.
        case forwardKey
        /// A command for another node: `exptime` bytes from `valueStart` of the window.
        case forward
        /// A peer's request begins, or ends; the hash is its number.
        case frameStart, frameEnd
        /// A peer's request that is not executed; `exptime` says why.
        case frameRefused
        /// One key of a retrieval, or a command, that this node must not serve now.
        case withheldKey, withheld
    }

    var kind: Kind
    var verb: Verb
    /// Whether `END` follows.
    var endsRetrieval: Bool
    /// Which of the turn's windows the request came from.
    var window: Int32
    /// Which of the batch's commands it is; unused for keys.
    var command: Int32
    var shard: Int32
    var keyCount: Int32
    var key: UnsafeRawPointer
    var hash: KeyHash
    /// `gat`: the time to live to set.
    var exptime: Int64
    /// Where the data block begins in the window.
    var valueStart: Int
    /// In a cluster: an item below this version is a miss.
    var floor = Version(value: 0)
}

/// The entries of a batch and what they refer to; one per loop, for its whole life.
struct RequestBatch: ~Copyable {
    /// Enough to overlap all cache misses the processor can have in flight, few enough to stay in
    /// its caches.
    static let limit = 64

    let entries: UnsafeMutablePointer<BatchEntry>
    let commands: UnsafeMutablePointer<Command>
    let errors: UnsafeMutablePointer<ProtocolError>
    private let decodedKeys: UnsafeMutableRawPointer
    var count = 0
    var commandCount = 0

    init() {
        entries = .allocate(capacity: Self.limit)
        commands = .allocate(capacity: Self.limit + 1)
        commands.initialize(repeating: Command(verb: .version, lineCount: 0), count: Self.limit + 1)
        errors = .allocate(capacity: Self.limit + 1)
        errors.initialize(repeating: ProtocolError(.unknownCommand), count: Self.limit + 1)
        decodedKeys = .allocate(byteCount: (Self.limit + 1) * 256, alignment: 16)
    }

    deinit {
        entries.deallocate()
        commands.deallocate()
        errors.deallocate()
        decodedKeys.deallocate()
    }

    var isFull: Bool { count == Self.limit }

    /// Space for the decoded key of command `command`.
    func decodedKey(_ command: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: decodedKeys + command * 256, count: 256)
    }

    @inline(__always)
    mutating func append(_ entry: BatchEntry) {
        (entries + count).initialize(to: entry)
        count &+= 1
    }

    mutating func removeAll() {
        count = 0
        commandCount = 0
    }
}

/// Bytes of one connection that are parsed in this turn.
struct Window {
    var connection: ConnectionPointer
    var base: UnsafeMutableRawPointer
    var count: Int
    /// Bytes that have become entries, or were dropped.
    var parsed = 0
    /// Whether the bytes lie in the connection's own buffer, not in the loop's arena.
    var isPrivate: Bool
}
