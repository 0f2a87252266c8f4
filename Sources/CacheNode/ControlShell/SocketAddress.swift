// Addresses as the kernel wants them, and names on their way there.
internal import CLinux
internal import Glibc
internal import Placement
internal import Synchronization

/// A numeric address and a port.
struct SocketAddress: Sendable {
    private(set) var storage = sockaddr_storage()
    private(set) var length: socklen_t = 0

    var family: Int32 { Int32(storage.ss_family) }

    init() { length = socklen_t(MemoryLayout<sockaddr_storage>.size) }

    /// Reads a numeric host; nil where it is a name.
    init?(numeric host: String, port: Int) {
        self.init(host, port, flags: AI_NUMERICHOST | AI_NUMERICSERV)
    }

    /// Looks a name up; takes as long as the resolver does.
    init?(resolving host: String, port: Int) {
        self.init(host, port, flags: AI_NUMERICSERV)
    }

    private init?(_ host: String, _ port: Int, flags: Int32) {
        var hints = addrinfo()
        hints.ai_flags = flags
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, String(port), &hints, &found) == 0, let first = found else {
            return nil
        }
        defer { freeaddrinfo(found) }
        length = first.pointee.ai_addrlen
        memcpy(&storage, first.pointee.ai_addr, Int(length))
    }

    func withPointer<R>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> R) -> R {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    mutating func withMutablePointer<R>(
        _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> R
    ) -> R {
        withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
    }

    /// `HOST:PORT` in numbers.
    var text: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: 32)
        let failure = withPointer {
            getnameinfo(
                $0, $1, &host, socklen_t(host.count), &port, socklen_t(port.count),
                NI_NUMERICHOST | NI_NUMERICSERV)
        }
        guard failure == 0 else { return "unknown:0" }
        let name = String(
            decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let number = String(
            decoding: port.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return NodeAddress(host: name, port: Int(number) ?? 0).text
    }

    /// Whether it can be reached from this machine only.
    var isLoopback: Bool {
        withUnsafeBytes(of: storage) { bytes in
            switch family {
            case AF_INET: return bytes[4] == 127
            case AF_INET6:
                return bytes[8..<23].allSatisfy { $0 == 0 } && bytes[23] == 1
            default: return false
            }
        }
    }
}

/// Looks names up on a thread of its own: neither gossip nor clients wait for a name server.
final class Resolver: Sendable {
    private struct Found {
        var address: SocketAddress?
        var due: Int64
    }

    private struct State {
        var found: [String: Found] = [:]
        var wanted: [String] = []
    }

    /// Names remembered, at most; a cluster has 1,024 members.
    private static let limit = 2_048
    /// Seconds that a found name, and one that was not found, are remembered.
    private static let (knownSeconds, unknownSeconds): (Int64, Int64) = (30, 1)

    private let state = Mutex(State())
    private let wakes: Int32

    init() throws(NodeError) {
        wakes = eventfd(0, Int32(EFD_CLOEXEC))
        guard wakes >= 0 else { throw .system(call: "eventfd", code: errno) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                kiln_name_thread("kiln-names")
                Unmanaged<Resolver>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            throw .system(call: "pthread_create", code: failure)
        }
        pthread_detach(thread)
    }

    /// The address of a host, if it is numeric or known; else it is being looked up.
    func address(of host: String, port: Int) -> SocketAddress? {
        if let numeric = SocketAddress(numeric: host, port: port) { return numeric }
        let name = "\(host) \(port)"
        let now = Self.seconds
        let (address, isWanted) = state.withLock { state -> (SocketAddress?, Bool) in
            let known = state.found[name]
            if let known, now < known.due { return (known.address, false) }
            if state.wanted.contains(name) || state.wanted.count >= Self.limit {
                return (known?.address, false)
            }
            state.wanted.append(name)
            return (known?.address, true)
        }
        if isWanted {
            var one: UInt64 = 1
            _ = write(wakes, &one, 8)
        }
        return address
    }

    private static var seconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec)
    }

    private func run() {
        while true {
            var count: UInt64 = 0
            _ = read(wakes, &count, 8)
            while let name = state.withLock({ $0.wanted.first }) {
                let words = name.split(separator: " ")
                let address = SocketAddress(
                    resolving: String(words[0]), port: words.count > 1 ? Int(words[1]) ?? 0 : 0)
                let life = address == nil ? Self.unknownSeconds : Self.knownSeconds
                let due = Self.seconds + life
                state.withLock { state in
                    state.wanted.removeAll { $0 == name }
                    if state.found.count >= Self.limit { state.found.removeAll() }
                    // A name server that fails does not take away what was known.
                    let last = state.found[name]?.address
                    state.found[name] = Found(address: address ?? last, due: due)
                }
            }
        }
    }
}
