// What can be wrong with a list of servers or a topology that comes from outside this room.

/// A description of a cluster from which no ring can be made.
public enum PlacementError: Error, Equatable, Sendable {
    /// The list of servers is empty.
    case noServers
    /// The list is longer than a ring allows.
    case tooManyServers(count: Int, limit: Int)
    /// No server of the list has a weight above 0, so nobody would own anything.
    case noWeight
    /// A weight below 0 or above what the ring allows.
    case weightOutOfRange(server: String, weight: Int, limit: Int)
    /// A port that no server can listen on.
    case portOutOfRange(server: String, port: Int)
    /// A host name that is empty or longer than any name can be.
    case hostLengthOutOfRange(count: Int, limit: Int)
}

extension PlacementError: CustomStringConvertible {
    /// What is wrong, what is allowed, and what to do, for the log and the terminal.
    public var description: String {
        switch self {
        case .noServers: "the list of servers is empty; name at least one"
        case .tooManyServers(let count, let limit):
            "\(count) servers, a ring has at most \(limit)"
        case .noWeight: "every server has weight 0; give at least one a weight above 0"
        case .weightOutOfRange(let server, let weight, let limit):
            "weight \(weight) of \(server) is not within 0 and \(limit)"
        case .portOutOfRange(let server, let port):
            "port \(port) of \(server) is not within 1 and 65535"
        case .hostLengthOutOfRange(let count, let limit):
            "a host name has \(count) bytes, it needs 1 to \(limit)"
        }
    }
}
