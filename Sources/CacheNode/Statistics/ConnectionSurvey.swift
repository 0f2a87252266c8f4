// `stats conns`: every loop is asked for its connections, a page at a time.
internal import CLinux
internal import Glibc
internal import Primitives
internal import Synchronization

/// A list of connections in the making.
///
/// A loop's connections are its own: it lists them itself.
final class ConnectionSurvey: Sendable {
    /// Bytes a loop lists at a time; some 400 connections.
    static let pageBytes = 64 << 10

    private struct State {
        var text: [UInt8] = []
        /// Whether the loop asked has answered.
        var hasAnswered = false
        /// The number of the last connection listed: a loop's list goes from the youngest to the
        /// oldest.
        var cursor = Int.max
        var isAtEnd = false
    }

    /// The connection that asks.
    let asking: Int
    private let askingLoop: Int
    private let state = Mutex(State())

    init(asking: Int, loop: Int) {
        self.asking = asking
        askingLoop = loop
    }

    /// Where the loop asked is to go on.
    var cursor: Int { state.withLock { $0.cursor } }

    /// Takes a page from the loop asked and wakes the loop that asks.
    func answer(_ text: [UInt8], cursor: Int, isAtEnd: Bool, waking inboxes: [LoopInbox]) {
        state.withLock {
            $0 = State(text: text, hasAnswered: true, cursor: cursor, isAtEnd: isAtEnd)
        }
        inboxes[askingLoop].ring()
    }

    /// The page, and whether it was the loop's last; nil where it has not come yet.
    func takePage() -> (text: [UInt8], isAtEnd: Bool)? {
        state.withLock { state in
            guard state.hasAnswered else { return nil }
            let page = (state.text, state.isAtEnd)
            state = State(cursor: state.isAtEnd ? .max : state.cursor)
            return page
        }
    }
}

/// Sends the listeners, then what the loops list.
struct ConnectionStream: ReplyStream {
    private let survey: ConnectionSurvey
    private var loop = -1

    init(_ survey: ConnectionSurvey) {
        self.survey = survey
    }

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        if loop < 0 {
            for listener in shared.listeners {
                ConnectionLines.append(
                    listener, to: &reply, uptime: now.unixSeconds - shared.startedUnixSeconds)
            }
            return ask(0, shared)
        }
        guard let page = survey.takePage() else { return .waiting }
        reply.append(page.text.span.bytes)
        if !page.isAtEnd { return ask(loop, shared) }
        if loop + 1 < shared.inboxes.count { return ask(loop + 1, shared) }
        reply.append("END\r\n")
        return .ended
    }

    private mutating func ask(_ loop: Int, _ shared: NodeShared) -> StreamStep {
        self.loop = loop
        shared.inboxes[loop].post(.describe(survey))
        return .waiting
    }
}

/// The lines of one descriptor.
enum ConnectionLines {
    static func append(_ listener: Listener, to output: inout ByteWriter, uptime: Int64) {
        let address =
            listener.isUnix
            ? "unix:\(listener.name)" : PeerAddress(nearEndOf: listener.descriptor).connectionText
        begin(listener.descriptor, "addr", &output)
        output.append(text: address)
        end(listener.descriptor, "conn_listening", uptime, &output)
    }

    static func append(
        _ connection: ConnectionPointer, _ listener: Listener, asking: Int, second: UInt32,
        to output: inout ByteWriter
    ) {
        let descriptor = connection.pointee.descriptor
        begin(descriptor, "addr", &output)
        output.append(text: connection.pointee.peer.connectionText)
        output.append("\r\n")
        begin(descriptor, "listen_addr", &output)
        output.append(
            text: listener.isUnix
                ? "unix:\(listener.name)" : PeerAddress(nearEndOf: descriptor).connectionText)
        let idle = Int64(second &- connection.pointee.lastActiveSecond)
        let isAsking = connection.pointee.number == asking
        end(descriptor, isAsking ? "conn_parse_cmd" : state(of: connection), idle, &output)
    }

    /// memcached's name for what a connection is doing.
    private static func state(of connection: ConnectionPointer) -> StaticString {
        if connection.pointee.isBlocked { return "conn_mwrite" }
        switch connection.pointee.phase {
        case .commands: return connection.pointee.neededBytes > 0 ? "conn_nread" : "conn_read"
        case .swallowing: return "conn_swallow"
        case .uploading: return "conn_nread"
        case .streaming: return "conn_watch"
        case .closing, .closed: return "conn_closing"
        }
    }

    private static func begin(_ descriptor: Int32, _ name: StaticString, _ output: inout ByteWriter)
    {
        output.append("STAT ")
        output.append(decimal: UInt64(max(0, descriptor)))
        output.append(":")
        output.append(name)
        output.append(" ")
    }

    private static func end(
        _ descriptor: Int32, _ state: StaticString, _ seconds: Int64, _ output: inout ByteWriter
    ) {
        output.append("\r\n")
        begin(descriptor, "state", &output)
        output.append(state)
        output.append("\r\n")
        begin(descriptor, "secs_since_last_cmd", &output)
        output.append(decimal: UInt64(max(0, seconds)))
        output.append("\r\n")
    }
}

extension DataLoop {
    /// Lists the next page of this loop's connections.
    func describeConnections(for survey: ConnectionSurvey) {
        var page = ByteWriter(capacity: 4096)
        let second = UInt32(truncatingIfNeeded: shared.clock.now.nanoseconds / 1_000_000_000)
        var cursor = survey.cursor
        var next = connections
        while let connection = next, page.count < ConnectionSurvey.pageBytes {
            next = connection.pointee.next
            guard connection.pointee.number < cursor else { continue }
            cursor = connection.pointee.number
            ConnectionLines.append(
                connection, shared.listeners[connection.pointee.listener], asking: survey.asking,
                second: second, to: &page)
        }
        survey.answer(
            Array(page.unsafeBytes), cursor: cursor, isAtEnd: next == nil, waking: shared.inboxes)
    }
}
