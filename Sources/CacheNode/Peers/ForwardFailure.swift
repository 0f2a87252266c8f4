// What a client is told when the owner of its key can't be asked, or does not answer.
internal import MemcacheProtocol

/// How a forwarded command fails: a read is a miss, what may change an item is an error, and what
/// wants no answer ends the connection, as its client could not be told otherwise.
enum ForwardFailure: UInt8 {
    /// A part of a retrieval: its keys are missing.
    case nothing
    /// A whole retrieval without a hit.
    case end
    /// A meta get without a hit.
    case metaMiss
    /// An error line.
    case error
    /// The end of the connection.
    case close

    /// How a command on one key fails.
    init(_ command: Command) {
        switch command.verb {
        case .get, .gets: self = .end
        case .metaDebug: self = .metaMiss
        case .metaGet:
            let changes = ["N", "R", "T", "E"].contains { command.meta.has($0) }
            self = changes ? .error : command.noreply ? .nothing : .metaMiss
        case .metaSet, .metaDelete, .metaArithmetic: self = .error
        default: self = command.noreply ? .close : .error
        }
    }

    /// What a client is told whose key this node owns and must not serve now.
    static let withheld: StaticString = "SERVER_ERROR no serve lease\r\n"

    /// What the client is sent; `isKnown` tells that nothing was executed.
    func reply(isKnown: Bool) -> StaticString {
        switch self {
        case .nothing, .close: ""
        case .end: "END\r\n"
        case .metaMiss: "EN\r\n"
        case .error:
            isKnown ? "SERVER_ERROR owner unreachable\r\n" : "SERVER_ERROR outcome unknown\r\n"
        }
    }
}
