// The sizes a client must keep to; all of them in one place, each with its reason.

/// How long lines, keys and values may be.
public struct ProtocolLimits: Equatable, Sendable {
    /// Bytes of a line before its line feed, retrieval lines excepted: memcached hangs up on more.
    public static let lineBytes = 2_048

    /// Bytes of a retrieval line that are parsed in one go; a longer one comes in parts.
    ///
    /// A connection's buffer must hold this many bytes, or a long `get` never gets further.
    public static let retrievalWindowBytes = 8_192

    /// Spaces tolerated before the first word of a retrieval line: what memcached 1.6 allows.
    public static let leadingSpaces = 100

    /// Bytes of a key as sent, before any base64 is undone.
    public static let keyBytes = 250

    /// Bytes of a decoded base64 key: what fits in ``keyBytes`` of text.
    public static let decodedKeyBytes = 186

    /// Bytes of an opaque token, its letter `O` included.
    public static let opaqueBytes = 32

    /// Words of a meta line: the verb, the key and at most 17 more.
    public static let metaWords = 19

    /// Bytes a data block may declare: memcached adds the line end in a signed 32-bit number.
    public static let declaredValueBytes = Int(Int32.max) - 2

    /// Bytes of the largest value that can be stored at all (`-I`); a larger block is swallowed
    /// unread.
    public var valueBytes: Int

    /// Creates limits for values of at most `valueBytes` bytes; 1 MiB unless told otherwise.
    public init(valueBytes: Int = 1 << 20) {
        self.valueBytes = valueBytes
    }
}
