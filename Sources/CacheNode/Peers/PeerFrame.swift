// What nodes say to each other, in frames: a fixed header, then bytes as the client sent them or as
// it will be sent them.
internal import Primitives

/// The header of a message between nodes: 32 bytes, little-endian.
struct PeerFrame: Equatable {
    /// What a frame is.
    enum Kind: UInt8 {
        /// Who calls; the first frame of a link.
        case hello = 1
        /// The end of a greeting: the caller may go on.
        case welcome
        /// The answer to one who may not; the payload says why.
        case refused
        /// A client's command, for the owner of its keys.
        case request
        /// The reply to it, as the client gets it.
        case reply
        /// Not executed: the payload's first byte says why.
        case notExecuted
        /// The listener's answer to a hello.
        case challenge
        /// The caller's answer to that.
        case proof
    }

    /// Bytes of a header.
    static let headerBytes = 32
    /// What this build speaks; a peer with another number is refused.
    static let protocolVersion: UInt16 = 2
    /// Most bytes of a payload: a batch of the largest values.
    static let payloadLimit = 1 << 31

    var kind: Kind
    var version = PeerFrame.protocolVersion
    /// Bytes behind the header.
    var payloadCount: Int
    /// Which request is meant.
    var identifier: UInt64
    /// The sender's table.
    var epoch: UInt64
    /// When a request is void, on the receiver's clock; in a welcome, what that clock shows.
    var deadline: Instant

    /// Appends the header to `writer`.
    func encode(into writer: inout ByteWriter) {
        writer.reserve(Self.headerBytes)
        let first = UInt64(payloadCount) | UInt64(kind.rawValue) << 32 | UInt64(version) << 48
        writer.appendReserved(word: first, length: 8)
        writer.appendReserved(word: identifier, length: 8)
        writer.appendReserved(word: epoch, length: 8)
        writer.appendReserved(word: UInt64(bitPattern: deadline.nanoseconds), length: 8)
    }

    /// Reads the header at `start`; nil where no node would have sent it.
    ///
    /// - Precondition: there are ``headerBytes`` bytes.
    init?(at start: UnsafeRawPointer) {
        func word(_ offset: Int) -> UInt64 {
            UInt64(littleEndian: start.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        let first = word(0)
        let count = Int(first & 0xFFFF_FFFF)
        guard let kind = Kind(rawValue: UInt8(truncatingIfNeeded: first >> 32)),
            UInt8(truncatingIfNeeded: first >> 40) == 0, count <= Self.payloadLimit
        else { return nil }
        self.kind = kind
        payloadCount = count
        version = UInt16(truncatingIfNeeded: first >> 48)
        identifier = word(8)
        epoch = word(16)
        deadline = Instant(nanoseconds: Int64(bitPattern: word(24)))
    }

    init(
        _ kind: Kind, payloadCount: Int, identifier: UInt64, epoch: UInt64,
        deadline: Instant = Instant(nanoseconds: 0)
    ) {
        self.kind = kind
        self.payloadCount = payloadCount
        self.identifier = identifier
        self.epoch = epoch
        self.deadline = deadline
    }
}
