// What can be wrong with a list of servers or a topology that comes from outside this room.
public import Primitives

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
    /// A name, zone or host that is not graphic ASCII, or empty, or too long.
    case invalidName(String)
    /// Two members have the same name, or names with the same hash.
    case duplicateMember(name: String)
    /// More or fewer points for each unit of weight than a ring takes.
    case virtualNodesOutOfRange(count: Int, limit: Int)
    /// The members' weights add up to more points than a ring has.
    case tooManyPoints(count: Int, limit: Int)
    /// Boundaries of ranges for a ring that places keys by their hash.
    case splitsWithoutRanges
    /// More boundaries than a map of ranges has.
    case tooManySplits(count: Int, limit: Int)
    /// A boundary that is empty or longer than a key can be.
    case splitLengthOutOfRange(count: Int, limit: Int)
    /// A boundary that is not after the one before it.
    case splitsOutOfOrder(ArcMark)
    /// An epoch of 0, or one that versions have no room for.
    case epochOutOfRange(epoch: UInt64, limit: UInt64)
    /// More overrides than a topology takes.
    case tooManyOverrides(count: Int, limit: Int)
    /// An arc with more replicas than it may have.
    case tooManyReplicas(ArcMark, limit: Int)
    /// More records than a topology takes.
    case tooManyRecords(count: Int, limit: Int)
    /// The records leave out a part of the keys.
    case incompleteRecords
    /// A record from a later epoch than its topology's, or with a bound from a later one than its
    /// own.
    case recordOutOfRange(ArcMark, epoch: UInt64)
    /// Two overrides or two records of the same arc.
    case duplicateMark(ArcMark)
    /// A position in a topology of ranges, or a boundary in one of positions.
    case foreignMark(ArcMark)
    /// More hot keys than a table takes.
    case tooManyHotKeys(count: Int, limit: Int)
    /// A message that cannot be read.
    case unreadable(ProtobufError)
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
        default: topologyDescription
        }
    }

    /// The same, of what only a topology can get wrong.
    private var topologyDescription: String {
        switch self {
        case .invalidName(let name):
            "\"\(name)\" is no name: 1 to \(Member.textLimit) graphic ASCII characters, no |"
        case .duplicateMember(let name):
            "two members are called \(name), or have the same number; rename one"
        case .virtualNodesOutOfRange(let count, let limit):
            "\(count) virtual nodes are not within 1 and \(limit)"
        case .tooManyPoints(let count, let limit):
            "the weights make \(count) points, a ring has at most \(limit); divide all weights"
        case .splitsWithoutRanges: "boundaries are for range placement only"
        case .tooManySplits(let count, let limit):
            "\(count) boundaries, range placement has at most \(limit)"
        case .splitLengthOutOfRange(let count, let limit):
            "a boundary has \(count) bytes, it needs 1 to \(limit)"
        case .splitsOutOfOrder(let mark): "boundary \(mark) is there twice, or not in order"
        default: tableDescription
        }
    }

    /// The same, of overrides, records and hot keys.
    private var tableDescription: String {
        switch self {
        case .epochOutOfRange(let epoch, let limit):
            "epoch \(epoch) is not within 1 and \(limit)"
        case .tooManyOverrides(let count, let limit):
            "\(count) overrides, a topology has at most \(limit)"
        case .tooManyReplicas(let mark, let limit):
            "the arc at \(mark) has more than \(limit) replicas"
        case .tooManyRecords(let count, let limit):
            "\(count) records of arcs, a topology has at most \(limit)"
        case .incompleteRecords: "the records of arcs leave out a part of the keys"
        case .recordOutOfRange(let mark, let epoch):
            "the record at \(mark), of epoch \(epoch), is from the future"
        case .duplicateMark(let mark): "two entries for the arc at \(mark)"
        case .foreignMark(let mark): "\(mark) is no mark of this kind of ring"
        case .tooManyHotKeys(let count, let limit):
            "\(count) hot keys, a table has at most \(limit)"
        case .unreadable(let error): "not a topology: \(error)"
        default: "a ring cannot be made"
        }
    }
}
