/// Why a command could not do what was asked of it.
///
/// Each text says what happened, and what to do.
public enum ConsoleError: Error, Equatable, Sendable {
    /// `--server` is neither HOST:PORT nor a path.
    case malformedServer(String)
    /// A key is empty, longer than 250 bytes, or holds a space or control byte.
    case malformedKey(String)
    /// An argument that goes to a node is empty, too long, or holds a space or control byte.
    case malformedWord(String)
    /// The server's name cannot be resolved; `reason` is the resolver's text.
    case unknownHost(server: String, reason: String)
    /// Nobody accepted the connection; `reason` is the system's text.
    case cannotConnect(server: String, reason: String)
    /// The connection ended, or failed, in the middle of a reply.
    case connectionLost(server: String, reason: String)
    /// No byte came within the time-out.
    case timedOut(server: String, seconds: Int)
    /// The server refused the command; `reply` is its own line.
    case refused(server: String, reply: String)
    /// The reply is not what the memcached protocol allows here.
    case unexpectedReply(server: String, reply: String)
    /// A value from standard input is longer than any server takes.
    case valueTooLong(limitBytes: Int)
    /// A file with the results of an earlier benchmark cannot be used; `reason` says why.
    case unreadableReport(file: String, reason: String)
    /// A file cannot be written; `reason` is the system's text.
    case cannotWrite(file: String, reason: String)
    /// Standard input or output failed; `reason` is the system's text.
    case streamFailed(name: String, reason: String)

    /// The process's exit code: 1 check failed, 64 usage, 69 cannot connect, 75 try again later.
    public var exitCode: Int32 {
        switch self {
        case .malformedServer, .malformedKey, .malformedWord, .valueTooLong, .unreadableReport: 64
        case .unknownHost, .cannotConnect: 69
        case .timedOut, .connectionLost: 75
        case .refused(_, let reply) where reply.hasSuffix("no leader"): 75
        case .refused, .unexpectedReply, .streamFailed, .cannotWrite: 1
        }
    }
}

extension ConsoleError: CustomStringConvertible {
    /// What happened and what to do about it, fit for a terminal.
    public var description: String {
        switch self {
        case .malformedServer(let text):
            "\(printable(text)) is not a server: give HOST:PORT, [IPV6]:PORT or the path of a"
                + " unix socket"
        case .malformedKey(let key):
            "\(printable(key)) is not a key: a key has 1 through 250 bytes, none of them a space"
                + " or a control character"
        case .malformedWord(let word):
            "\(printable(word)) cannot be sent to a node: write spaces and control characters of"
                + " a key as %20 and the like, in at most 750 bytes"
        case .unknownHost(let server, let reason):
            "cannot find \(printable(server)) (\(reason)): check the name given to --server"
        case .cannotConnect(let server, let reason):
            "cannot connect to \(printable(server)) (\(reason)): check that a node runs there, or"
                + " name another with --server"
        case .connectionLost(let server, let reason):
            "lost the connection to \(printable(server)) (\(reason)): check the node's log"
        case .timedOut(let server, let seconds):
            "\(printable(server)) did not answer within \(seconds) s: try again, or ask another"
                + " node with --server"
        case .refused(let server, let reply):
            "\(printable(server)) refused: \(printable(reply))"
        case .unexpectedReply(let server, let reply):
            "\(printable(server)) does not speak the memcached text protocol; it said:"
                + " \(printable(reply))"
        case .valueTooLong(let limit):
            "the value is longer than \(limit) bytes, the most any server takes: split it"
        case .unreadableReport(let file, let reason):
            "cannot use \(printable(file)) (\(reason)): give a file that kiln bench --json wrote"
        case .cannotWrite(let file, let reason):
            "cannot write \(printable(file)) (\(reason))"
        case .streamFailed(let name, let reason):
            "\(name) failed (\(reason))"
        }
    }
}
