// One client's connection, as the loop that serves it sees it.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import MemcacheProtocol
internal import Primitives
internal import Storage

/// What a connection is in the middle of.
enum ConnectionPhase: UInt8 {
    /// Between commands, or inside a command line or a short data block.
    case commands
    /// Inside a data block that nobody wants.
    case swallowing
    /// Inside a data block that is received straight into storage.
    case uploading
    /// Being sent a ``ReplyStream``: the next command waits for its end.
    case streaming
    /// Hang up as soon as the replies are sent.
    case closing
    /// Closed; the memory is freed at the end of the turn.
    case closed
}

/// Bytes received and not yet used: a partial command.
struct InputBuffer {
    private(set) var base: UnsafeMutableRawPointer?
    private(set) var capacity = 0
    var count = 0
    /// The capacity that somebody has been told of.
    private var notedCapacity = 0

    /// How much the capacity has grown since the last call.
    mutating func takeGrowth() -> Int {
        defer { notedCapacity = capacity }
        return capacity - notedCapacity
    }

    /// Makes room for `extra` more bytes behind ``count``.
    mutating func reserve(_ extra: Int) {
        guard capacity - count < extra else { return }
        var larger = max(capacity, 64)
        while larger - count < extra { larger *= 2 }
        guard let grown = realloc(base, larger) else {
            fatalError("the system refused \(larger) bytes for a connection's input")
        }
        base = grown
        capacity = larger
    }

    mutating func append(_ bytes: UnsafeRawPointer, count extra: Int) {
        reserve(extra)
        if let base { (base + count).copyMemory(from: bytes, byteCount: extra) }
        count += extra
    }

    /// Drops the first `used` bytes.
    mutating func consume(_ used: Int) {
        guard used > 0, let base else { return }
        count -= used
        if count == 0 { release() } else { base.copyMemory(from: base + used, byteCount: count) }
    }

    mutating func release() {
        free(base)
        base = nil
        capacity = 0
        count = 0
    }
}

/// A connection; lives at a fixed address that is its name in epoll.
struct Connection: ~Copyable {
    let descriptor: Int32
    let number: Int
    let listener: Int
    let peer: PeerAddress
    var phase = ConnectionPhase.commands
    /// What epoll is asked for.
    var interest: UInt32
    /// Whether a window of this turn belongs to it already.
    var isBatched = false
    /// Whether whole commands wait in ``input`` for the next turn: nothing more is received before.
    var hasYielded = false
    /// `END` of a retrieval line longer than the buffer is still due; this is the line's verb.
    var continuing: Command?
    var input = InputBuffer()
    /// Bytes the partial command needs in all, where its line has told already.
    var neededBytes = 0
    /// Bytes of an unwanted data block still to come.
    var swallowBytes = 0
    var upload: UnsafeMutablePointer<PendingUpload>?
    var output: UnsafeMutablePointer<PendingOutput>?
    var stream: (any ReplyStream)?
    /// Whether another node is at the far end.
    let isPeer: Bool
    /// Replies that wait for other nodes, once there have been any.
    var queue: ReplyQueue?
    /// Whether ``queue`` holds so much that nothing more is executed.
    var isHeld = false
    /// When bytes last came, in seconds of the node's clock.
    var lastActiveSecond: UInt32
    var previous: ConnectionPointer?
    var next: ConnectionPointer?

    init(
        descriptor: Int32, number: Int, listener: Int, peer: PeerAddress, second: UInt32,
        isPeer: Bool = false
    ) {
        self.isPeer = isPeer
        self.descriptor = descriptor
        self.number = number
        self.listener = listener
        self.peer = peer
        interest = EPOLLIN.rawValue
        lastActiveSecond = second
    }

    /// Whether replies wait for the client to read: nothing more is executed meanwhile.
    var isBlocked: Bool { output != nil || isHeld }

    /// Whether replies are still to come from other nodes, or to be sent after one that was.
    var hasOutstanding: Bool { queue.map { !$0.isEmpty } ?? false }

    /// What epoll is asked for while no replies wait.
    var readInterest: UInt32 {
        isHeld || (phase == .streaming && stream?.discardsInput != true) ? 0 : EPOLLIN.rawValue
    }
}

typealias ConnectionPointer = UnsafeMutablePointer<Connection>

/// A value on its way into storage.
struct PendingUpload: ~Copyable {
    var upload: Upload
    var command: Command
    /// The command line and, where it is base64, the decoded key: the buffer they came in is gone.
    var line: [UInt8]
    var key: [UInt8]
    var hash: KeyHash
    var shard: Int
    /// Bytes of the value received.
    var received = 0
    /// The line end behind the value.
    var tail: (UInt8, UInt8) = (0, 0)
    var tailReceived = 0
}

/// Replies the client has not read yet.
struct PendingOutput: ~Copyable {
    /// Bytes and spliced values, as in ``ReplyBuffer``.
    var bytes: [UInt8]
    var splices: [Splice]
    /// Bytes already sent, spliced ones included.
    var sent = 0
    /// When the client last read anything, in seconds of the node's clock.
    var progressSecond: UInt32

    var total: Int { splices.reduce(bytes.count) { $0 + $1.value.bytes.count } }
}
