// The sockets that other nodes reach a node by: UDP for gossip, TCP for all else, on one port.
internal import CLinux
internal import Glibc

/// A node's sockets for its peers.
struct PeerSockets {
    private(set) var listeners: [Listener]
    private(set) var datagrams: [Int32] = []

    /// The port that both have.
    var port: Int { listeners.first?.port ?? 0 }

    /// Opens `address`; with port 0 a port that is free for both.
    init(_ address: ListenAddress, port: Int, backlog: Int) throws(NodeError) {
        var attempts = port == 0 ? 16 : 1
        while true {
            attempts -= 1
            listeners = try Listener.openPeer(address.host, port: port, backlog: backlog)
            do throws(NodeError) {
                for listener in listeners { datagrams.append(try Self.openDatagram(listener)) }
                return
            } catch {
                for descriptor in listeners.map(\.descriptor) + datagrams { close(descriptor) }
                datagrams = []
                guard attempts > 0 else { throw error }
            }
        }
    }

    /// A UDP socket at the address of a listener.
    private static func openDatagram(_ listener: Listener) throws(NodeError) -> Int32 {
        var address = SocketAddress()
        let known = address.withMutablePointer { getsockname(listener.descriptor, $0, $1) }
        guard known == 0 else { throw .system(call: "getsockname", code: errno) }
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.family, type, 0)
        guard descriptor >= 0 else { throw .system(call: "socket", code: errno) }
        if address.family == AF_INET6 {
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &one, 4)
        }
        guard address.withPointer({ bind(descriptor, $0, $1) }) == 0 else {
            let code = errno
            close(descriptor)
            throw .cannotListen(address: "\(listener.name):\(listener.port) (UDP)", code: code)
        }
        return descriptor
    }

    /// Whether all are reached from this machine only.
    var areLoopback: Bool {
        listeners.allSatisfy { listener in
            var address = SocketAddress()
            let known = address.withMutablePointer { getsockname(listener.descriptor, $0, $1) }
            return known == 0 && address.isLoopback
        }
    }
}
