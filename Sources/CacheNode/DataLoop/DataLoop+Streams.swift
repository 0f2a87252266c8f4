// Replies that are longer than memory should hold: composed a piece at a time, as fast as the
// client reads.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Primitives
internal import Storage

/// Whether a stream goes on.
enum StreamStep {
    /// There is more to be had at once.
    case more
    /// There may be more later; the loop's bell rings then.
    case waiting
    /// That was all.
    case ended
}

/// A reply too long to be composed at once, such as a dump of all keys: continued whenever the
/// client has read what there was.
protocol ReplyStream {
    /// Whether what the client sends meanwhile is thrown away, instead of being its next commands.
    var discardsInput: Bool { get }

    /// Appends some more, at most about ``DataLoop/streamBytes``.
    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep
}

extension ReplyStream {
    var discardsInput: Bool { false }
}

extension DataLoop {
    /// Bytes of a stream composed at a time.
    static let streamBytes = 64 << 10

    /// Begins to answer a command by `stream`, after the replies before it.
    mutating func start(_ stream: any ReplyStream, for connection: ConnectionPointer) {
        assert(connection.pointee.stream == nil, "one command at a time")
        connection.pointee.stream = stream
        connection.pointee.phase = .streaming
        streams.append(connection)
        hasRunnableStream = true
        if !connection.pointee.isBlocked {
            setInterest(connection, connection.pointee.readInterest)
        }
    }

    /// Lets each stream whose client keeps up produce a piece; the others' turn comes in between.
    mutating func runStreams() {
        hasRunnableStream = false
        for connection in streams
        where connection.pointee.phase == .streaming && !connection.pointee.isBlocked
            && !connection.pointee.hasOutstanding
        {
            run(connection)
        }
    }

    private mutating func run(_ connection: ConnectionPointer) {
        takeReplies(for: connection)
        let step = connection.pointee.stream?.produce(shared, at: now, into: &reply.bytes)
        deliver()
        guard connection.pointee.phase == .streaming else { return }
        switch step {
        case .more: if !connection.pointee.isBlocked { hasRunnableStream = true }
        case .waiting: return
        case .ended, nil: end(connection)
        }
    }

    /// The next command is read again.
    private mutating func end(_ connection: ConnectionPointer) {
        dropStream(connection)
        connection.pointee.phase = .commands
        guard !connection.pointee.isBlocked else { return }
        setInterest(connection, EPOLLIN.rawValue)
        continueAfterReading(connection)
    }

    mutating func dropStream(_ connection: ConnectionPointer) {
        guard connection.pointee.stream != nil else { return }
        connection.pointee.stream = nil
        streams.removeAll { $0 == connection }
    }

    /// A client that is being sent a stream has hung up, or says something.
    mutating func receiveInStream(_ connection: ConnectionPointer, _ events: UInt32) {
        if events & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { return close(connection) }
        guard events & EPOLLIN.rawValue != 0, connection.pointee.stream?.discardsInput == true
        else {
            return
        }
        let start = arena + arenaUsed
        let count = recv(
            connection.pointee.descriptor, start,
            min(Self.receiveBytes, arenaBytes - arenaUsed), 0)
        if count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR) { close(connection) }
    }

    // MARK: Watchers

    /// Tells the watchers what this turn's commands did.
    mutating func publishEvents() {
        shared.watchers.publish(tap, waking: shared.inboxes)
        tap.removeAll()
    }

    /// Takes what a command has noted; its shard's lock is held.
    @inline(never)
    mutating func watch(
        _ shard: inout ShardInstance, _ entry: UnsafeMutablePointer<BatchEntry>,
        _ time: ClockReading
    ) {
        let connection = windows[Int(entry.pointee.window)].connection
        let key = UnsafeRawBufferPointer(
            start: entry.pointee.key, count: Int(entry.pointee.keyCount))
        tap.take(
            &shard, entry.pointee.verb, key, descriptor: connection.pointee.descriptor, at: time)
    }
}
