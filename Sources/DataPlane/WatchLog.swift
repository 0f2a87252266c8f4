// What `watch` shows: the shard notes events, the loop prints them to whoever watches.
public import Primitives

/// Which kinds of events somebody watches.
public struct WatchMask: OptionSet, Sendable {
    /// The bits.
    public let rawValue: UInt8

    /// Wraps bits.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// Look-ups of a key, by whatever command.
    public static let fetchers = WatchMask(rawValue: 1)
    /// Storage commands, successful or not.
    public static let mutations = WatchMask(rawValue: 2)
    /// Items removed to make room.
    public static let evictions = WatchMask(rawValue: 4)
    /// Items that a client deleted.
    public static let deletions = WatchMask(rawValue: 8)
}

/// One thing that happened to a key.
public struct WatchEvent: Sendable {
    /// What happened, with memcached's word for the outcome.
    public enum Kind: Sendable {
        /// A look-up: `found` or `not_found`.
        case fetched(status: StaticString)
        /// A storage command: `stored`, `exists`, ..., and its name.
        case stored(status: StaticString, command: StaticString)
        /// A deletion by `delete` or `md`.
        case deleted(command: StaticString)

        /// Who is to hear of it.
        public var mask: WatchMask {
            switch self {
            case .fetched: .fetchers
            case .stored: .mutations
            case .deleted: .deletions
            }
        }
    }

    /// What happened.
    public var kind: Kind
    /// Where the key lies in the log's bytes.
    var key: Range<Int>
    /// Bytes of the value.
    public var size: Int
    /// Seconds until it expires, 0 for never.
    public var secondsToLive: Int64
    /// memcached's slab class: 1 where there is an item, 0 where there is none.
    public var slabClass: Int
}

/// Events since the log was last emptied, at most ``limit``.
public struct WatchLog: ~Copyable {
    /// Events kept; what comes on top is counted in ``dropped``.
    public static let limit = 1_024

    /// The events, oldest first.
    public private(set) var events: [WatchEvent] = []

    /// Events that found the log full, since start.
    public private(set) var dropped: UInt64 = 0

    private var keys = ByteWriter(capacity: 256)

    /// Creates an empty log.
    public init() {}

    /// Adds an event.
    mutating func note(
        _ kind: WatchEvent.Kind, key: RawSpan, size: Int, secondsToLive: Int64 = 0,
        slabClass: Int = 1
    ) {
        guard events.count < Self.limit else {
            dropped &+= 1
            return
        }
        let start = keys.count
        keys.append(key)
        events.append(
            WatchEvent(
                kind: kind, key: start..<keys.count, size: size, secondsToLive: secondsToLive,
                slabClass: slabClass))
    }

    /// Forgets the events and keeps the memory.
    public mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        keys.removeAll()
    }

    /// Appends what memcached prints for `event` after `ts=` and `gid=`, line end included.
    ///
    /// - Parameters:
    ///   - event: One of ``events``.
    ///   - connection: The descriptor of the connection that caused it (`cfd`).
    ///   - output: Where the line goes.
    public func appendLine(of event: WatchEvent, connection: Int, to output: inout ByteWriter) {
        let key = UnsafeRawBufferPointer(rebasing: keys.unsafeBytes[event.key]).bytes
        switch event.kind {
        case .fetched(let status):
            output.append("type=item_get key=")
            output.append(percentEncoded: key)
            output.append(" status=")
            output.append(status)
        case .stored(let status, let command):
            output.append("type=item_store key=")
            output.append(percentEncoded: key)
            output.append(" status=")
            output.append(status)
            output.append(" cmd=")
            output.append(command)
            output.append(" ttl=")
            output.append(decimal: UInt64(max(0, event.secondsToLive)))
        case .deleted(let command):
            output.append("type=deleted key=")
            output.append(percentEncoded: key)
            output.append(" cmd=")
            output.append(command)
        }
        output.append(" clsid=")
        output.append(decimal: UInt64(event.slabClass))
        if event.kind.mask != .deletions {
            output.append(" cfd=")
            output.append(decimal: UInt64(max(0, connection)))
        }
        output.append(" size=")
        output.append(decimal: UInt64(event.size))
        output.append(UInt8(ascii: "\n"))
    }
}
