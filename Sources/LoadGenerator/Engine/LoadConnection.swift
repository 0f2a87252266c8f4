import Primitives

/// One virtual client's connection to one server.
struct LoadConnection: ~Copyable {
    /// The socket; -1 while it is broken.
    var descriptor: Int32
    /// The client it belongs to, by its number on this thread.
    let client: Int
    /// The server it leads to, by its place in `--server`.
    let server: Int
    /// Requests composed and not yet taken by the kernel.
    var output = ByteWriter(capacity: 512)
    /// How many of ``output``'s bytes the kernel has taken.
    var flushed = 0
    /// Whether epoll is asked for room to write.
    var awaitsRoom = false
    /// Whether it is being opened again and not yet usable.
    var isConnecting = false
    /// Commands awaiting their replies.
    var pending: PendingCommands
    /// Where in the replies it is.
    var replies = ReplyReader()
    /// When a broken connection may be opened again, in nanoseconds.
    var reopensAt: Int64 = 0

    init(descriptor: Int32, client: Int, server: Int, pendingLimit: Int) {
        self.descriptor = descriptor
        self.client = client
        self.server = server
        pending = PendingCommands(capacity: pendingLimit)
    }
}

/// One virtual client of a thread.
struct VirtualClient {
    /// Commands it awaits replies to, over all its connections.
    var outstanding = 0
    /// Whether it rests because it had nowhere to send to.
    var isParked = false
}
