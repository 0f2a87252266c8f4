// How two nodes make sure that they belong together, before either says anything else:
//
//     caller    hello      cluster, life, purpose, a nonce, name
//     listener  challenge  a nonce; a code over both nonces, which only who has the key can make
//     caller    proof      another code over both
//     listener  welcome    or, at any step, refused and why
//
// Without a cluster key the codes are made with an empty one: they then only show that both sides
// were told the same, namely nothing.
internal import Primitives

/// What the first frame of a link carries.
struct PeerGreeting: Equatable {
    /// What the link is for.
    enum Purpose: UInt8 {
        /// Requests of clients, from one of the caller's loops to one of the listener's.
        case data = 1
        /// Messages of the control planes.
        case control
    }

    /// `KILNPEER`: whoever reached the wrong port is found out by the first bytes.
    private static let magic = Array("KILNPEER".utf8)
    private static let fixedBytes = 25 + nonceBytes
    /// Bytes of a nonce.
    static let nonceBytes = 16
    /// Longest name of a node.
    static let nameLimit = 255

    /// The cluster the caller belongs to; 0 where it does not know yet.
    var cluster: UInt64
    /// Which life of the caller this is.
    var life: UInt64
    var purpose: Purpose
    /// Never used twice.
    var nonce: [UInt8]
    /// The caller's name.
    var name: String

    /// Bytes of the payload.
    var encoded: [UInt8] {
        var bytes = Self.magic
        for number in [cluster, life] {
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
        }
        bytes.append(purpose.rawValue)
        return bytes + nonce + name.utf8.prefix(Self.nameLimit)
    }

    init(cluster: UInt64, life: UInt64, purpose: Purpose, nonce: [UInt8], name: String) {
        self.cluster = cluster
        self.life = life
        self.purpose = purpose
        self.nonce = nonce
        self.name = name
    }

    /// Reads a payload; nil where it is none.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count > Self.fixedBytes, bytes.count <= Self.fixedBytes + Self.nameLimit,
            bytes.prefix(8).elementsEqual(Self.magic), let purpose = Purpose(rawValue: bytes[24])
        else { return nil }
        cluster = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        life = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
        self.purpose = purpose
        nonce = Array(bytes[25..<Self.fixedBytes])
        name = String(decoding: bytes.dropFirst(Self.fixedBytes), as: UTF8.self)
    }

    /// What the listener's code, or the caller's, is made over.
    func text(for role: PeerRole, listenerNonce: some Collection<UInt8>) -> [UInt8] {
        Array("kiln \(role.rawValue) 1 ".utf8) + encoded + listenerNonce
    }
}

/// The two sides of a link.
enum PeerRole: String {
    case caller, listener
}

/// A listener's answer to a greeting.
enum PeerChallenge {
    /// Bytes of a challenge: a nonce and a code.
    static let byteCount = PeerGreeting.nonceBytes + 32

    /// The challenge to `greeting`, with a new nonce.
    static func make(_ greeting: PeerGreeting, _ key: ClusterKey, nonce: [UInt8]) -> [UInt8] {
        nonce + key.code(of: greeting.text(for: .listener, listenerNonce: nonce))
    }

    /// The proof that answers a challenge; nil where who sent it has another key.
    static func proof(
        _ challenge: UnsafeRawBufferPointer, _ greeting: PeerGreeting, _ key: ClusterKey
    ) -> [UInt8]? {
        guard challenge.count == byteCount else { return nil }
        let nonce = Array(challenge.prefix(PeerGreeting.nonceBytes))
        guard
            key.isCode(
                challenge.dropFirst(PeerGreeting.nonceBytes),
                of: greeting.text(for: .listener, listenerNonce: nonce))
        else { return nil }
        return key.code(of: greeting.text(for: .caller, listenerNonce: nonce))
    }
}
