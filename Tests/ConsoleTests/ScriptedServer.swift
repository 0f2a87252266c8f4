import Glibc
import Testing

/// A unix socket that answers with bytes written in advance, so that a test needs no thread.
final class ScriptedServer {
    let path: String
    private let listener: Int32
    private var peer: Int32 = -1

    init() throws {
        var template = Array("/tmp/kiln-console-XXXXXX".utf8CString)
        let directory = try #require(mkdtemp(&template).map { String(cString: $0) })
        let path = "\(directory)/socket"
        self.path = path
        listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        try #require(listen(listener, 1) == 0)
    }

    deinit {
        if peer >= 0 { close(peer) }
        close(listener)
        unlink(path)
        rmdir(String(path.dropLast("/socket".count)))
    }

    /// Accepts the client that has connected and puts `reply` on the wire.
    func answer(_ reply: String, thenClose: Bool = false) throws {
        try answer(Array(reply.utf8), thenClose: thenClose)
    }

    /// The same for bytes.
    func answer(_ reply: [UInt8], thenClose: Bool = false) throws {
        if peer < 0 { peer = accept(listener, nil, nil) }
        try #require(peer >= 0)
        try #require(send(peer, reply, reply.count, Int32(MSG_NOSIGNAL)) == reply.count)
        if thenClose { shutdown(peer, Int32(SHUT_WR)) }
    }

    /// What the client has sent so far.
    func received() -> String {
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = recv(peer, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
    }
}
