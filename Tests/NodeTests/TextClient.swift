// The other end of a node's socket: blocking, and nothing but bytes and lines.
import Glibc

/// A connection to a node.
final class TextClient {
    /// Longest wait for anything; a test that meets it has failed.
    private static let timeoutSeconds = 20

    let descriptor: Int32
    private var received: [UInt8] = []
    private var used = 0
    /// Bytes known to hold no line end.
    private var searched = 0
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
    /// Keeps a node running that nobody else holds.
    private let node: NodeProcess?

    /// Connects to a node and keeps it running.
    convenience init(to node: NodeProcess) throws {
        try self.init(port: node.port, keeping: node)
    }

    /// Connects to a port of 127.0.0.1; the kernel keeps `receiveBytes` for this end, or what it
    /// likes.
    init(
        port: Int, host: String = "127.0.0.1", receiveBytes: Int32? = nil,
        keeping node: NodeProcess? = nil
    ) throws {
        self.node = node
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var receiveBytes { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBytes, 4) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        let failure = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard failure == 0 else { throw NodeTestError.system("connect", errno) }
        setTimeout()
    }

    /// Connects to a unix socket.
    init(path: String) throws {
        node = nil
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let failure = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard failure == 0 else { throw NodeTestError.system("connect", errno) }
        setTimeout()
    }

    deinit {
        close(descriptor)
        buffer.deallocate()
    }

    private func setTimeout() {
        var time = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Says that nothing more is coming.
    func finishSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw NodeTestError.system("send", errno) }
            sent += count
        }
    }

    /// The next line, without its end; nil when the node has closed the connection.
    func line() throws -> String? {
        while true {
            if let end = lineEnd(from: max(used, searched)) {
                var text = received[used..<end]
                used = end + 1
                if text.last == 13 { text.removeLast() }
                return String(decoding: text, as: UTF8.self)
            }
            received.removeFirst(used)
            used = 0
            searched = received.count
            let count = receive()
            if count == 0 { return nil }
            guard count > 0 else {
                if errno == ECONNRESET { return nil }
                let rest = String(decoding: received.prefix(200), as: UTF8.self)
                throw NodeTestError.timeout("a line; so far: \(rest)")
            }
        }
    }

    private func lineEnd(from start: Int) -> Int? {
        received.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count else { return nil }
            guard let found = memchr(base + start, 10, bytes.count - start) else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private func receive() -> Int {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count > 0 { received.append(contentsOf: buffer[0..<count]) }
        return count
    }

    /// Sends a command and gives the first line of its reply.
    func ask(_ command: String) throws -> String {
        try send(command + "\r\n")
        guard let line = try line() else { throw NodeTestError.closed(command) }
        return line
    }

    /// Sends a command and gives the lines before `END`.
    func list(_ command: String, until end: String = "END") throws -> [String] {
        try send(command + "\r\n")
        var lines: [String] = []
        while let line = try line() {
            if line == end { return lines }
            lines.append(line)
            if line.contains("ERROR") || line.hasPrefix("BUSY") { return lines }
        }
        throw NodeTestError.closed(command)
    }

    /// The names and values of a `stats` reply, in order.
    func statistics(_ group: String = "") throws -> [(name: String, value: String)] {
        try list(group.isEmpty ? "stats" : "stats " + group).map { line in
            let words = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
            guard words.count == 3, words[0] == "STAT" else { throw NodeTestError.closed(line) }
            return (String(words[1]), String(words[2]))
        }
    }

    /// One statistic as a number.
    func statistic(_ name: String, in group: String = "") throws -> Int? {
        try statistics(group).first { $0.name == name }.flatMap { Int($0.value) }
    }

    /// Asks for statistics until `condition` holds of one; every question is a round trip.
    func awaitStatistic(_ name: String, _ condition: (Int) -> Bool) throws {
        let deadline = time(nil) + Self.timeoutSeconds
        while time(nil) < deadline {
            if let value = try statistic(name), condition(value) { return }
        }
        throw NodeTestError.timeout("\(name) is \(String(describing: try statistic(name)))")
    }
}
