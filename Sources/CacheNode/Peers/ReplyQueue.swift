// Replies of a connection, some of which another node still has to give: they leave in the order of
// their commands.

/// The replies of one connection that wait for each other.
final class ReplyQueue {
    private struct Slot {
        /// The reply; nil while it is waited for.
        var bytes: [UInt8]?
    }

    /// Replies waited for or behind one that is; above it nothing more is executed.
    static let slotLimit = 1024
    /// Bytes kept; above it nothing more is executed.
    static let byteLimit = 1 << 20
    /// Bytes at which the client is given up, however many large values it has asked for.
    static let closeLimit = 256 << 20

    /// Whose replies they are; nil when it has been closed.
    var connection: ConnectionPointer?
    /// Whether the loop will look at this queue before its turn ends.
    var isTouched = false
    /// Whether all replies have to come before the connection's commands go on.
    var mustDrain = false
    /// Whether a command that wants no answer has failed.
    var mustClose = false
    /// Bytes handed over at a time: a client that does not read them keeps no more of the loop's
    /// memory than that.
    static let handedBytes = 1 << 20

    /// What may be sent, from ``handed`` on.
    private var readyBytes: [UInt8] = []
    /// How much of it has been handed over.
    private var handed = 0
    private var slots: [Slot] = []
    private var head = 0
    /// The number of `slots[head]`.
    private var headNumber = 0
    private var keptBytes = 0

    init(_ connection: ConnectionPointer?) {
        self.connection = connection
    }

    /// Replies that have not become ready yet.
    var waitingCount: Int { slots.count - head }
    var hasReady: Bool { handed < readyBytes.count }
    var isEmpty: Bool { head == slots.count && !hasReady }
    var byteCount: Int { keptBytes + readyBytes.count - handed }
    var isFull: Bool { waitingCount >= Self.slotLimit || byteCount >= Self.byteLimit }
    /// Whether it has drained so far that the connection's commands may go on.
    var mayGoOn: Bool {
        if mustDrain && waitingCount > 0 { return false }
        mustDrain = false
        return waitingCount <= Self.slotLimit / 2 && byteCount <= Self.byteLimit / 2
    }

    /// Adds a reply that is known.
    func append(_ bytes: UnsafeRawBufferPointer) {
        if head == slots.count { return readyBytes.append(contentsOf: bytes) }
        keptBytes += bytes.count
        slots.append(Slot(bytes: Array(bytes)))
    }

    /// Adds a reply that is still to come; gives the number to ``complete(_:with:)`` it by.
    func expect() -> Int {
        slots.append(Slot(bytes: nil))
        return headNumber + slots.count - 1 - head
    }

    /// The reply of that number has come.
    func complete(_ number: Int, with bytes: UnsafeRawBufferPointer) {
        let position = head + number - headNumber
        guard number > headNumber else {
            readyBytes.append(contentsOf: bytes)
            advance()
            return drain()
        }
        keptBytes += bytes.count
        slots[position].bytes = Array(bytes)
    }

    private func drain() {
        while head < slots.count, let bytes = slots[head].bytes {
            keptBytes -= bytes.count
            readyBytes.append(contentsOf: bytes)
            advance()
        }
        if head == slots.count {
            slots.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= Self.slotLimit {
            slots.removeFirst(head)
            head = 0
        }
    }

    private func advance() {
        slots[head].bytes = nil
        head += 1
        headNumber += 1
    }

    /// Hands over what may be sent next.
    func takeReady(_ body: (UnsafeRawBufferPointer) -> Void) {
        let end = min(readyBytes.count, handed + Self.handedBytes)
        readyBytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[handed..<end])) }
        handed = end
        guard handed == readyBytes.count else { return }
        readyBytes.removeAll(keepingCapacity: readyBytes.count < 64 << 10)
        handed = 0
    }
}
