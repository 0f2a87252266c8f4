// Where replies go: bytes, and values that are sent from where they lie.
public import Primitives
public import Storage

/// A value that belongs between two bytes of a reply.
public struct Splice {
    /// The value is sent after this many of the buffer's bytes.
    public let offset: Int

    /// The bytes to send, and the pin to give back once they are sent.
    public let value: PinnedValue

    /// The shard whose ``ShardInstance/unpin(_:)`` takes the pin back.
    public let shard: Int

    /// The same splice in a buffer with `distance` more bytes in front.
    public func shifted(by distance: Int) -> Splice {
        Splice(offset: offset + distance, value: value, shard: shard)
    }
}

/// The replies of one connection's turn, in order.
///
/// Small values are copied into ``bytes``. From ``spliceBytes`` on a value is pinned in storage and
/// noted as a ``Splice`` instead; whoever sends the buffer sends both in order and gives every pin
/// back.
public struct ReplyBuffer: ~Copyable {
    /// Values of this size and more are not copied: above it a copy costs more than a further
    /// `sendmsg` part.
    public static let spliceBytes = 16 * 1024

    /// Everything but the spliced values.
    public var bytes: ByteWriter

    /// The spliced values, in the order of their offsets.
    public private(set) var splices: [Splice] = []

    /// Bytes of all spliced values together.
    public private(set) var splicedCount = 0

    /// Creates an empty buffer with room for `capacity` bytes.
    public init(capacity: Int) {
        bytes = ByteWriter(capacity: capacity)
    }

    /// Bytes that are still to be sent, spliced values included.
    public var count: Int { bytes.count + splicedCount }

    /// Notes that `value`, pinned by `shard`, follows the bytes appended so far.
    mutating func splice(_ value: PinnedValue, shard: Int) {
        splices.append(Splice(offset: bytes.count, value: value, shard: shard))
        splicedCount += value.bytes.count
    }

    /// Forgets all bytes and splices and keeps the memory; the pins must have been given back.
    public mutating func removeAll() {
        bytes.removeAll()
        splices.removeAll(keepingCapacity: true)
        splicedCount = 0
    }
}
