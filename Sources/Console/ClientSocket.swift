import Glibc

/// A blocking stream socket to one server, with a time-out on every wait.
///
/// One request and its reply are under way at a time, so bytes read ahead belong to that reply.
struct ClientSocket: ~Copyable {
    /// Seconds any single connect, send or receive may take.
    static let timeoutSeconds = 5
    /// Longest reply line that is accepted; memcached's own stay far below.
    static let lineLimit = 64 << 10
    /// Bytes asked for per receive.
    private static let chunkCount = 64 << 10

    private let descriptor: Int32
    private let server: String
    private var buffer: [UInt8] = []
    private var position = 0

    /// Connects to `address`, trying each address its name resolves to.
    init(to address: ServerAddress) throws(ConsoleError) {
        server = address.description
        switch address {
        case .unix(let path): descriptor = try Self.connectUnix(path, server)
        case .network(let host, let port): descriptor = try Self.connect(host, port, server)
        }
    }

    deinit { close(descriptor) }

    /// Sends all of `bytes`.
    func send(_ bytes: [UInt8]) throws(ConsoleError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                Glibc.send(
                    descriptor, all.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else { try explain(count) }
        }
    }

    /// The next line without its line end.
    mutating func readLine() throws(ConsoleError) -> [UInt8] {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = buffer[position..<end]
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                position = end + 1
                return Array(line)
            }
            guard buffer.count - position <= Self.lineLimit else {
                throw .unexpectedReply(server: server, reply: "a line without end")
            }
            searched = buffer.count
            searched -= try receive()
        }
    }

    /// The next `count` bytes and the line end behind them, which is dropped.
    mutating func readBlock(_ count: Int) throws(ConsoleError) -> [UInt8] {
        while buffer.count - position < count + 2 { _ = try receive() }
        let block = Array(buffer[position..<position + count])
        let end = buffer[(position + count)..<(position + count + 2)]
        guard end.elementsEqual([UInt8(ascii: "\r"), UInt8(ascii: "\n")]) else {
            throw .unexpectedReply(server: server, reply: "a value without its line end")
        }
        position += count + 2
        return block
    }

    /// Receives once; gives how far the unread bytes moved towards the buffer's start.
    private mutating func receive() throws(ConsoleError) -> Int {
        let moved = position
        buffer.removeSubrange(..<position)
        position = 0
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.chunkCount))
        let count = buffer.withUnsafeMutableBytes { all in
            recv(descriptor, all.baseAddress.map { $0 + start }, Self.chunkCount, 0)
        }
        buffer.removeSubrange((start + max(count, 0))...)
        if count <= 0 { try explain(count) }
        return moved
    }

    /// Throws the reason why a send or a receive moved nothing; an interruption is none.
    private func explain(_ result: Int) throws(ConsoleError) {
        let code = errno
        if result == 0 { throw .connectionLost(server: server, reason: "the server closed it") }
        if code == EINTR { return }
        if code == EAGAIN || code == EWOULDBLOCK {
            throw .timedOut(server: server, seconds: Self.timeoutSeconds)
        }
        throw .connectionLost(server: server, reason: systemText(code))
    }
}

extension ClientSocket {
    private static func connect(
        _ host: String, _ port: Int, _ server: String
    ) throws(ConsoleError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw .unknownHost(server: server, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(list) }
        var code = ECONNREFUSED
        var next = list
        while let candidate = next?.pointee {
            let descriptor = open(candidate.ai_family)
            if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 {
                return descriptor
            }
            code = errno
            close(descriptor)
            next = candidate.ai_next
        }
        throw .cannotConnect(server: server, reason: connectText(code))
    }

    private static func connectUnix(
        _ path: String, _ server: String
    ) throws(ConsoleError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { throw .malformedServer(path) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = open(AF_UNIX)
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotConnect(server: server, reason: connectText(code))
        }
        return descriptor
    }

    /// A socket with time-outs; Linux applies the send time-out to `connect`, too.
    private static func open(_ family: Int32) -> Int32 {
        let type = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue
        let descriptor = socket(family, Int32(type), 0)
        var limit = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        let count = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, count)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, count)
        return descriptor
    }

    private static func connectText(_ code: Int32) -> String {
        code == EINPROGRESS ? "no answer within \(timeoutSeconds) s" : systemText(code)
    }
}

/// The system's words for an errno.
func systemText(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "errno \(code)"
}
