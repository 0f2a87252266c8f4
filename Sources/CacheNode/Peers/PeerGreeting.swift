// How two nodes make sure that they belong together.
internal import Primitives

/// What the first frame of a link carries.
struct PeerGreeting: Equatable {
    /// `KILNPEER`: whoever reached the wrong port is found out by the first bytes.
    private static let magic = Array("KILNPEER".utf8)
    private static let fixedBytes = 24
    /// Longest name of a node.
    static let nameLimit = 255

    /// The cluster the caller belongs to.
    var cluster: UInt64
    /// Which life of the caller this is.
    var incarnation: UInt64
    /// The caller's name.
    var name: String

    /// Bytes of the payload.
    var encoded: [UInt8] {
        var bytes = Self.magic
        for number in [cluster, incarnation] {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
        }
        return bytes + name.utf8.prefix(Self.nameLimit)
    }

    init(cluster: UInt64, incarnation: UInt64, name: String) {
        self.cluster = cluster
        self.incarnation = incarnation
        self.name = name
    }

    /// Reads a payload; nil where it is none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > Self.fixedBytes, bytes.count <= Self.fixedBytes + Self.nameLimit,
            bytes.prefix(8).elementsEqual(Self.magic)
        else { return nil }
        cluster = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        incarnation = UInt64(
            littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        name = String(decoding: bytes.dropFirst(Self.fixedBytes), as: UTF8.self)
    }
}
