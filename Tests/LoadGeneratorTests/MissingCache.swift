import Glibc
import Synchronization

@testable import LoadGenerator

/// A memcached in this process that forgets everything: `get` and `mg` miss, a write is stored.
///
/// It lets the engine run under the sanitizers without another program.
final class MissingCache: Sendable {
    let port: Int
    /// Commands answered so far.
    let answered = Atomic<Int>(0)
    private let descriptor: Int32
    private let threads = Mutex<[WorkerThread]>([])

    /// Listens on a free port of the loopback address; nil when the system refuses.
    init?() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = descriptor
        let isNamed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name in
                bind(listener, name, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, name, &size) == 0
            }
        }
        guard isNamed else { return nil }
        port = Int(UInt16(bigEndian: address.sin_port))
        start {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                self.start { self.serve(client) }
            }
        }
    }

    /// Takes no more connections, and waits for the end of those there are.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        while let thread = threads.withLock({ $0.popLast() }) { thread.join() }
        close(descriptor)
    }

    private func start(_ body: @escaping @Sendable () -> Void) {
        guard let thread = try? WorkerThread.start("test-server", body) else { return }
        threads.withLock { $0.append(thread) }
    }

    private func serve(_ client: Int32) {
        var pending: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(client, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            pending += chunk[..<count]
            var replies: [UInt8] = []
            while let reply = takeCommand(&pending) { replies += Array(reply.utf8) }
            _ = send(client, replies, replies.count, Int32(MSG_NOSIGNAL))
        }
        close(client)
    }

    /// The answer to the first command in `pending`, which is taken away; nil if it is not whole.
    private func takeCommand(_ pending: inout [UInt8]) -> String? {
        guard let end = pending.firstIndex(of: 10) else { return nil }
        let words = String(decoding: pending[..<end], as: UTF8.self).split { $0.isWhitespace }
        var length = end + 1
        let reply: String
        switch words.first {
        case "get": reply = "END\r\n"
        case "mg": reply = words.contains("q") ? "" : "EN\r\n"
        case "mn": reply = "MN\r\n"
        case "set":
            length += (words.last.flatMap { Int($0) } ?? 0) + 2
            reply = "STORED\r\n"
        case "ms":
            length += (Int(words[2]) ?? 0) + 2
            reply = "HD\r\n"
        default: reply = "ERROR\r\n"
        }
        guard pending.count >= length else { return nil }
        pending.removeFirst(length)
        answered.add(1, ordering: .relaxed)
        return reply
    }
}
