// Opening the addresses that clients connect to.
internal import CLinux
internal import Glibc

extension Listener {
    /// Opens every address of the configuration.
    static func openAll(_ configuration: NodeConfiguration) throws(NodeError) -> [Listener] {
        if let path = configuration.unixSocketPath {
            return [
                try openUnix(
                    path, mask: configuration.unixSocketMask, backlog: configuration.backlog)
            ]
        }
        var open: [Listener] = []
        do throws(NodeError) {
            for address in configuration.listen {
                // With `-p 0` all addresses share the port that the first one was given.
                let port =
                    address.port ?? (configuration.port == 0 ? open.first?.port : nil)
                    ?? configuration.port
                open += try openTCP(address.host, port: port, backlog: configuration.backlog)
            }
        } catch {
            for listener in open { close(listener.descriptor) }
            throw error
        }
        return open
    }

    /// Opens the address that other nodes reach this one by.
    static func openPeer(
        _ host: String, port: Int, backlog: Int
    ) throws(NodeError) -> [Listener] {
        try openTCP(host, port: port, backlog: backlog)
    }

    private static func openTCP(
        _ host: String, port: Int, backlog: Int
    ) throws(NodeError) -> [Listener] {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let failure = getaddrinfo(
            host.isEmpty || host == "*" ? nil : host, String(port), &hints, &found)
        guard failure == 0 else {
            throw .unknownAddress(address: host, reason: String(cString: gai_strerror(failure)))
        }
        defer { freeaddrinfo(found) }
        var open: [Listener] = []
        var lastError = EADDRNOTAVAIL
        var next = found
        while let address = next {
            next = address.pointee.ai_next
            let known = open.first?.port ?? port
            if let listener = openOne(address.pointee, host, port: known, backlog, &lastError) {
                open.append(listener)
            }
        }
        guard !open.isEmpty else {
            throw .cannotListen(address: "\(host):\(port)", code: lastError)
        }
        return open
    }

    private static func openOne(
        _ address: addrinfo, _ host: String, port: Int, _ backlog: Int, _ lastError: inout Int32
    ) -> Listener? {
        let type = address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.ai_family, type, address.ai_protocol)
        guard descriptor >= 0 else {
            lastError = errno
            return nil
        }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        if address.ai_family == AF_INET6 {
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4)
        }
        var storage = sockaddr_storage()
        memcpy(&storage, address.ai_addr, Int(address.ai_addrlen))
        setPort(&storage, port)
        let bound = withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, address.ai_addrlen)
            }
        }
        guard bound == 0, Glibc.listen(descriptor, Int32(backlog)) == 0 else {
            lastError = errno
            close(descriptor)
            return nil
        }
        return Listener(
            descriptor: descriptor, name: host, port: boundPort(descriptor), isUnix: false)
    }

    private static func setPort(_ storage: inout sockaddr_storage, _ port: Int) {
        let value = in_port_t(port).bigEndian
        withUnsafeMutableBytes(of: &storage) { bytes in
            // The port lies at the same place in both families.
            bytes.storeBytes(of: value, toByteOffset: 2, as: in_port_t.self)
        }
    }

    private static func boundPort(_ descriptor: Int32) -> Int {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        return withUnsafeBytes(of: &storage) { bytes in
            Int(in_port_t(bigEndian: bytes.load(fromByteOffset: 2, as: in_port_t.self)))
        }
    }

    private static func openUnix(_ path: String, mask: Int, backlog: Int) throws(NodeError)
        -> Listener
    {
        let descriptor = socket(
            AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0
        )
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        var status = stat()
        // A socket left by an earlier run is replaced; anything else of that name is not ours to
        // remove.
        if lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK { unlink(path) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        // The mode is right from the first moment: no other user gets in between bind and chmod.
        let oldMask = umask(mode_t(0o777 & ~mask))
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        umask(oldMask)
        guard bound == 0, Glibc.listen(descriptor, Int32(backlog)) == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotListen(address: path, code: code)
        }
        return Listener(descriptor: descriptor, name: path, port: 0, isUnix: true)
    }
}
