// One loop's way to one other node.
internal import Glibc
internal import Placement
internal import Primitives

/// A request that another node has been sent.
struct PendingForward {
    var queue: ReplyQueue
    var slot: Int
    var failure: ForwardFailure
    /// Whether `END` is taken off the reply.
    var isPart: Bool
    var deadline: Instant
}

/// One loop's connection to another node, and what it waits for.
final class PeerLink {
    /// How far the connection is.
    enum State {
        case down, connecting, greeting, proving, open
    }

    /// Requests sent and not answered; above it further ones fail at once.
    static let inFlightLimit = 4096
    /// Requests that wait for the link to open, and their bytes.
    static let (waitingLimit, waitingBytesLimit) = (1_024, 4 << 20)
    /// Bytes not yet taken by the kernel; above it further requests fail at once.
    static let outputLimit = 64 << 20
    /// How long an answer is waited for.
    static let requestNanoseconds: Int64 = 1_000_000_000
    /// How long a connection may take to be opened.
    static let greetingNanoseconds: Int64 = 2_000_000_000
    private static let shortestRetryNanoseconds: Int64 = 10_000_000
    private static let longestRetryNanoseconds: Int64 = 1_000_000_000

    let id: NodeID
    let name: String
    let address: NodeAddress
    /// What epoll knows the link by.
    let slot: Int
    /// Whether others doubt that the node lives: nothing is asked of it.
    var isSuspect = false
    /// What was said first, until the greeting is over.
    var greeting: PeerGreeting?
    var state = State.down
    var descriptor: Int32 = -1
    var watchesOutput = false
    var output = ByteWriter(capacity: 4096)
    var sent = 0
    var input = InputBuffer()
    /// What the other node's clock shows beyond ours, at least.
    var clockDistance: Int64 = 0
    /// When the greeting has to have come, or the next attempt is due.
    var due = Instant(nanoseconds: 0)
    /// Attempts that failed in a row.
    var failures = 0
    private var pending: [PendingForward?]
    private(set) var oldest: UInt64 = 0
    private(set) var next: UInt64 = 0
    /// Requests that came before the link was open for the first time, or again.
    private(set) var waiting: [(request: PendingForward, text: [UInt8])] = []
    private var waitingBytes = 0
    /// Why it last failed, as it was logged.
    var loggedReason = ""

    init(_ member: Member, slot: Int) {
        id = member.id
        name = member.name
        address = member.peer
        self.slot = slot
        pending = Array(repeating: nil, count: Self.inFlightLimit)
    }

    /// Whether a request may be added: one that is not open is not waited for.
    var takesRequests: Bool {
        state == .open && !isSuspect && next - oldest < UInt64(Self.inFlightLimit)
            && output.count - sent < Self.outputLimit
    }

    /// Whether a request may wait until the link is open: while its first attempt is under way.
    ///
    /// Once one has failed, requests fail at once until another succeeds.
    var letsRequestsWait: Bool {
        state != .open && failures == 0 && !isSuspect && waiting.count < Self.waitingLimit
            && waitingBytes < Self.waitingBytesLimit
    }

    /// Keeps a request until the link is open.
    func wait(_ request: PendingForward, _ text: UnsafeRawBufferPointer) {
        waiting.append((request, Array(text)))
        waitingBytes += text.count
    }

    /// Takes all that wait.
    func takeWaiting() -> [(request: PendingForward, text: [UInt8])] {
        defer {
            waiting = []
            waitingBytes = 0
        }
        return waiting
    }

    /// Notes a request; gives its number.
    func add(_ request: PendingForward) -> UInt64 {
        pending[Int(next % UInt64(Self.inFlightLimit))] = request
        next += 1
        return next - 1
    }

    /// Takes the request of that number, if it is still waited for.
    func take(_ identifier: UInt64) -> PendingForward? {
        guard identifier >= oldest && identifier < next else { return nil }
        let position = Int(identifier % UInt64(Self.inFlightLimit))
        let found = pending[position]
        pending[position] = nil
        while oldest < next && pending[Int(oldest % UInt64(Self.inFlightLimit))] == nil {
            oldest += 1
        }
        return found
    }

    /// Takes the oldest request if its deadline has passed.
    func takeExpired(at now: Instant) -> PendingForward? {
        guard oldest < next,
            let request = pending[Int(oldest % UInt64(Self.inFlightLimit))],
            request.deadline <= now
        else { return nil }
        return take(oldest)
    }

    /// Takes the oldest request.
    func takeOldest() -> PendingForward? {
        oldest < next ? take(oldest) : nil
    }

    /// All frames have been taken by the kernel.
    func clearOutput() {
        output.removeAll()
        sent = 0
    }

    /// Forgets the connection and sets the time of the next attempt.
    func reset(at now: Instant) {
        if descriptor >= 0 { close(descriptor) }
        descriptor = -1
        state = .down
        watchesOutput = false
        output.removeAll()
        sent = 0
        input.release()
        let wait = min(
            Self.longestRetryNanoseconds, Self.shortestRetryNanoseconds << Int64(min(failures, 7)))
        failures += 1
        due = Instant(nanoseconds: now.nanoseconds + Int64.random(in: wait / 2...wait))
    }
}
