// A blocking connection for loading keys and for scenarios that look at what they read.
import Glibc

/// One blocking connection that sends bytes and reads lines and blocks.
struct LineConnection: ~Copyable {
    private let descriptor: Int32
    private let server: String
    private var buffer: [UInt8] = []
    private var position = 0

    /// Longest line that is accepted.
    private static let lineLimit = 2_048
    private static let chunkBytes = 64 << 10

    /// Connects; every wait ends after ``ServerEndpoint/connectSeconds``.
    init(to server: ServerEndpoint) throws(LoadError) {
        descriptor = try server.connect()
        self.server = server.name
    }

    deinit { close(descriptor) }

    /// Sends all of `text`.
    func send(_ text: String) throws(LoadError) {
        var failure: LoadError?
        var text = text
        text.withUTF8 { bytes in
            do throws(LoadError) {
                try send(UnsafeRawBufferPointer(bytes))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Sends all of `bytes`.
    func send(_ bytes: UnsafeRawBufferPointer) throws(LoadError) {
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.send(
                descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent,
                Int32(MSG_NOSIGNAL))
            if count > 0 { sent += count } else { try explain(count) }
        }
    }

    /// The next line without its line end.
    mutating func readLine() throws(LoadError) -> String {
        var searched = position
        while true {
            if let end = buffer[searched...].firstIndex(of: 10) {
                var line = buffer[position..<end]
                if line.last == 13 { line.removeLast() }
                position = end + 1
                return String(decoding: line, as: UTF8.self)
            }
            guard buffer.count - position <= Self.lineLimit else {
                throw .unexpectedReply(server: server, reply: "a line without end")
            }
            let waiting = buffer.count - position
            try receive()
            searched = waiting
        }
    }

    /// The next `count` bytes; the line end behind them is dropped.
    mutating func readBlock(_ count: Int) throws(LoadError) -> [UInt8] {
        while buffer.count - position < count + 2 { try receive() }
        let block = Array(buffer[position..<(position + count)])
        guard buffer[position + count] == 13, buffer[position + count + 1] == 10 else {
            throw .unexpectedReply(server: server, reply: "a value without its line end")
        }
        position += count + 2
        return block
    }

    /// Receives once, moving what is unread to the buffer's start.
    private mutating func receive() throws(LoadError) {
        buffer.removeSubrange(..<position)
        position = 0
        let start = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: Self.chunkBytes))
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                recv(descriptor, bytes.baseAddress.map { $0 + start }, Self.chunkBytes, 0)
            }
            guard count <= 0 else {
                buffer.removeSubrange((start + count)...)
                return
            }
            try explain(count)
        }
    }

    /// Throws what a failed call means; returns when it should be tried again.
    private func explain(_ count: Int) throws(LoadError) {
        guard count < 0 else {
            throw .connectionLost(server: server, reason: "the server closed it")
        }
        switch errno {
        case EINTR: return
        case EAGAIN: throw .timedOut(server: server, seconds: ServerEndpoint.connectSeconds)
        default: throw .connectionLost(server: server, reason: systemText(errno))
        }
    }
}
