// Where a server is, as the kernel wants it, and sockets to it.
import CLinux
import Glibc

/// A server's resolved address.
struct ServerEndpoint: Sendable {
    /// How results name the server.
    let name: String
    private let address: [UInt8]
    private let family: Int32

    /// Seconds that opening a connection may take.
    static let connectSeconds = 5

    /// Resolves `target` and proves by a connection that one of its addresses answers.
    init(resolving target: ServerTarget) throws(LoadError) {
        name = target.name
        let candidates: [(Int32, [UInt8])]
        switch target.location {
        case .unix(let path): candidates = [(AF_UNIX, try Self.unixAddress(path, target.name))]
        case .network(let host, let port):
            candidates = try Self.resolve(host, port, target.name)
        }
        var reason = "no address"
        for (family, address) in candidates {
            do throws(LoadError) {
                let descriptor = try Self.open(family, address, target.name)
                close(descriptor)
                self.family = family
                self.address = address
                return
            } catch .cannotConnect(_, let text) {
                reason = text
            } catch {
                throw error
            }
        }
        throw .cannotConnect(server: target.name, reason: reason)
    }

    /// The addresses of `targets`, in their order, each proved by a connection.
    static func resolving(_ targets: [ServerTarget]) throws(LoadError) -> [ServerEndpoint] {
        var endpoints: [ServerEndpoint] = []
        for target in targets { endpoints.append(try ServerEndpoint(resolving: target)) }
        return endpoints
    }

    /// The port, where the address is this machine's own loopback; nil for any other.
    var loopbackPort: Int? {
        address.withUnsafeBytes { bytes -> Int? in
            switch family {
            case AF_INET where bytes.count >= MemoryLayout<sockaddr_in>.size:
                let address = bytes.loadUnaligned(as: sockaddr_in.self)
                let isLoopback = UInt32(bigEndian: address.sin_addr.s_addr) >> 24 == 127
                return isLoopback ? Int(UInt16(bigEndian: address.sin_port)) : nil
            case AF_INET6 where bytes.count >= MemoryLayout<sockaddr_in6>.size:
                let address = bytes.loadUnaligned(as: sockaddr_in6.self)
                let isLoopback = withUnsafeBytes(of: address.sin6_addr) { octets in
                    octets.dropLast().allSatisfy { $0 == 0 } && octets.last == 1
                }
                return isLoopback ? Int(UInt16(bigEndian: address.sin6_port)) : nil
            default: return nil
            }
        }
    }

    /// A connected, blocking socket, with time-outs on connecting, sending and receiving.
    func connect() throws(LoadError) -> Int32 {
        try Self.open(family, address, name)
    }

    /// A socket that is being connected without waiting: writable once it is.
    func startConnecting() throws(LoadError) -> Int32 {
        let descriptor = try Self.socket(family, name)
        Self.makeNonblocking(descriptor)
        let failed = Self.connect(descriptor, address) != 0
        if failed && errno != EINPROGRESS && errno != EAGAIN {
            let code = errno
            close(descriptor)
            throw .cannotConnect(server: name, reason: systemText(code))
        }
        return descriptor
    }

    /// Makes every later call on `descriptor` return at once.
    static func makeNonblocking(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    private static func open(
        _ family: Int32, _ address: [UInt8], _ name: String
    ) throws(LoadError) -> Int32 {
        let descriptor = try socket(family, name)
        var limit = timeval(tv_sec: connectSeconds, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        guard connect(descriptor, address) == 0 else {
            let code = errno == EINPROGRESS ? ETIMEDOUT : errno
            close(descriptor)
            throw .cannotConnect(server: name, reason: systemText(code))
        }
        return descriptor
    }

    private static func socket(_ family: Int32, _ name: String) throws(LoadError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = Glibc.socket(family, kind, 0)
        guard descriptor >= 0 else {
            let advice = errno == EMFILE ? ": raise `ulimit -n` or use fewer --clients" : ""
            throw .system(call: "socket", reason: systemText(errno) + advice)
        }
        if family != AF_UNIX {
            var on: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        }
        return descriptor
    }

    private static func connect(_ descriptor: Int32, _ address: [UInt8]) -> Int32 {
        address.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return -1 }
            return Glibc.connect(
                descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
    }

    private static func unixAddress(_ path: String, _ name: String) throws(LoadError) -> [UInt8] {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw .cannotConnect(server: name, reason: "the path is too long for a unix socket")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafeBytes(of: address, Array.init)
    }

    private static func resolve(
        _ host: String, _ port: Int, _ name: String
    ) throws(LoadError) -> [(Int32, [UInt8])] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(host, String(port), &hints, &found)
        guard failure == 0 else {
            throw .cannotConnect(server: name, reason: String(cString: gai_strerror(failure)))
        }
        defer { freeaddrinfo(found) }
        var addresses: [(Int32, [UInt8])] = []
        var entry = found
        while let info = entry?.pointee {
            let bytes = UnsafeRawBufferPointer(start: info.ai_addr, count: Int(info.ai_addrlen))
            addresses.append((info.ai_family, Array(bytes)))
            entry = info.ai_next
        }
        return addresses
    }
}
