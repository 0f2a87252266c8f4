// What a leader keeps and every other server forgets (Figure 2, "Volatile state on leaders").

import Primitives

extension RaftInstance {
    /// A leader's state.
    ///
    /// It begins with the term's election and ends with the leadership.
    struct Leadership: Sendable {
        /// The other members, in ascending order.
        var peers: [Progress]
        /// The entry with which the term began: until it is committed, neither reads nor changes.
        let firstIndex: LogIndex
        /// Bytes of entries not committed yet.
        var uncommittedBytes = 0

        /// The newest round of heartbeats; counted up by this leader only.
        var round: UInt64 = 0
        /// When the newest rounds were begun; the last one is ``round``.
        var roundStarts: [Instant] = []
        /// Rounds remembered: more than a lease's worth unless reads start one every 4 ms; a round
        /// forgotten only makes the lease shorter.
        static let roundLimit = 64
        var heartbeatDue: Instant

        /// Reads that wait for a round begun after them.
        var reads: [PendingRead] = []

        /// The hand-over that is going on.
        var transfer: Transfer?
        /// Whether somebody was told to stand for election.
        ///
        /// That message may arrive late, so the lease is gone for the rest of the term.
        var isLeaseVoid = false

        func position(of peer: NodeID) -> Int? {
            peers.firstIndex { $0.id == peer }
        }

        /// When `round` was begun, if that is remembered.
        func start(of wanted: UInt64) -> Instant? {
            let oldest = round + 1 - UInt64(roundStarts.count)
            guard wanted >= oldest, wanted <= round else { return nil }
            return roundStarts[Int(wanted - oldest)]
        }
    }

    /// A leadership that is being handed over.
    struct Transfer: Sendable {
        let target: NodeID
        let deadline: Instant
        var isTold = false
    }

    /// A read that waits for a majority to confirm the leader.
    struct PendingRead: Sendable {
        /// Who asked: this server by ticket, or another one.
        enum Asker: Sendable {
            case local(ticket: UInt64)
            case remote(NodeID, RequestID)
        }

        let asker: Asker
        /// The lowest round that confirms it: none that was begun before it came.
        let round: UInt64
        /// What must be applied before it is answered; nil until this term's first entry is
        /// committed, for until then the leader does not know what is (section 8).
        var index: LogIndex?
    }

    /// A read that has its index and waits until this server has applied so far.
    struct RipeningRead: Sendable {
        let ticket: UInt64
        let index: LogIndex
        let deadline: Instant
    }

    /// What a leader knows of one other member.
    struct Progress: Sendable {
        /// How entries are sent to it.
        enum Mode: Equatable, Sendable {
            /// Its log's end is not known: one message at a time.
            case probing(isWaiting: Bool)
            /// Message after message, without waiting for answers.
            case streaming
            /// It is too far behind for the log.
            case installing(SnapshotTransfer)
        }

        let id: NodeID
        /// Up to here its log is known to agree (`matchIndex`).
        var match: LogIndex = 0
        /// The next entry to send (`nextIndex`).
        var next: LogIndex
        var mode: Mode = .probing(isWaiting: false)
        /// Appends under way: the last index and the bytes of each.
        var inFlight: [(lastIndex: LogIndex, bytes: Int)] = []
        var inFlightBytes = 0
        /// The newest round it has answered.
        var round: UInt64 = 0
        /// When it was last heard.
        var lastContact: Instant

        init(id: NodeID, next: LogIndex, at now: Instant) {
            self.id = id
            self.next = next
            lastContact = now
        }

        mutating func sent(through lastIndex: LogIndex, bytes: Int) {
            next = lastIndex + 1
            inFlight.append((lastIndex, bytes))
            inFlightBytes += bytes
        }

        /// Takes answered messages off the count.
        mutating func acknowledge(through index: LogIndex) {
            let answered = inFlight.prefix { $0.lastIndex <= index }
            for message in answered { inFlightBytes -= message.bytes }
            inFlight.removeFirst(answered.count)
        }

        mutating func beginProbing(from next: LogIndex) {
            mode = .probing(isWaiting: false)
            self.next = next
            inFlight = []
            inFlightBytes = 0
        }
    }

    /// A snapshot on its way to a follower, a chunk at a time.
    struct SnapshotTransfer: Equatable, Sendable {
        let snapshot: Snapshot
        /// Where the chunk that is not answered begins.
        var offset = 0
        var sentAt: Instant
    }

    /// A snapshot that is being received, from one leader in one term.
    struct IncomingSnapshot: Sendable {
        let leader: NodeID
        let leaderTerm: Term
        let index: LogIndex
        var data: [UInt8] = []
    }

    /// A request that was handed to the leader.
    struct Forward: Sendable {
        enum Kind: Sendable {
            case proposal
            case read
        }

        let sequence: UInt64
        let ticket: UInt64
        let kind: Kind
        let deadline: Instant
    }
}
