// Where a socket's end is, in 20 bytes.
internal import CLinux
internal import Glibc

/// The address of one end of a connection.
struct PeerAddress: Sendable {
    private enum Family: UInt8 {
        case unknown, ipv4, ipv6, unix
    }

    private var family = Family.unknown
    /// The port, 0 where there is none.
    private(set) var port: UInt16 = 0
    private var words: (UInt64, UInt64) = (0, 0)

    /// The far end of a socket.
    init(farEndOf descriptor: Int32) {
        self.init(descriptor, getpeername)
    }

    /// The near end of a socket.
    init(nearEndOf descriptor: Int32) {
        self.init(descriptor, getsockname)
    }

    private init(
        _ descriptor: Int32,
        _ name: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?) -> Int32
    ) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failure = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                name(descriptor, $0, &length)
            }
        }
        guard failure == 0 else { return }
        let kind = Int32(storage.ss_family)
        withUnsafeBytes(of: &storage) { bytes in
            switch kind {
            case AF_INET:
                family = .ipv4
                port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
                words.0 = UInt64(bytes.load(fromByteOffset: 4, as: UInt32.self))
            case AF_INET6:
                family = .ipv6
                port = UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
                words.0 = bytes.load(fromByteOffset: 8, as: UInt64.self)
                words.1 = bytes.load(fromByteOffset: 16, as: UInt64.self)
            case AF_UNIX:
                family = .unix
            default: break
            }
        }
    }

    var isUnix: Bool { family == .unix }

    /// Whether the far end is on this machine for certain: a unix socket or a loopback address.
    var isOfThisMachine: Bool {
        switch family {
        case .unix: true
        case .ipv4: words.0 & 0xFF == 127
        case .ipv6: words.0 == 0 && words.1 == UInt64(1).bigEndian
        case .unknown: false
        }
    }

    /// The address alone, as numbers.
    var hostText: String {
        guard family == .ipv4 || family == .ipv6 else { return "unknown" }
        var words = words
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        inet_ntop(family == .ipv4 ? AF_INET : AF_INET6, &words, &text, socklen_t(text.count))
        return String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// As `stats conns` shows it: a client on a unix socket has no address of its own.
    var connectionText: String {
        switch family {
        case .ipv4: "tcp:\(hostText):\(port)"
        case .ipv6: "tcp6:[\(hostText)]:\(port)"
        case .unix, .unknown: "?:<AF 0>"
        }
    }
}
