// What servers say to one another. Schema: proto/raft.proto; encoding: Message+Wire.swift.

import Primitives

extension RaftInstance {
    /// A message between two servers: the sender's term and what it says.
    ///
    /// In a ``Body/preVoteRequest(_:)`` and the answer that grants it, the term is the one the
    /// sender would stand in.
    public struct Message: Equatable, Sendable {
        /// The sender's term.
        public var term: Term
        /// What it says.
        public var body: Body

        /// A message of a server in `term`.
        public init(term: Term, body: Body) {
            self.term = term
            self.body = body
        }

        /// What a message can say.
        public enum Body: Equatable, Sendable {
            /// "Would you vote for me?", asked before the term is raised (dissertation 9.6).
            case preVoteRequest(VoteRequest)
            /// The answer to it.
            case preVoteResponse(granted: Bool)
            /// RequestVote (Figure 2).
            case voteRequest(VoteRequest)
            /// Its result.
            case voteResponse(granted: Bool)
            /// AppendEntries (Figure 2).
            case append(Append)
            /// Its result.
            case appendResponse(AppendResponse)
            /// The leader is alive, and this much of the receiver's log is committed.
            case heartbeat(commitIndex: LogIndex, round: UInt64)
            /// The answer: which round is meant, and up to where the sender knows its log to agree
            /// with the leader's; after a restart it has to be shown first.
            case heartbeatResponse(round: UInt64, agreedIndex: LogIndex)
            /// InstallSnapshot (Figure 13).
            case snapshotChunk(SnapshotChunk)
            /// Its result: to which chunk, and how many bytes the sender has of the snapshot.
            case snapshotResponse(index: LogIndex, chunkOffset: Int, received: Int)
            /// "Stand for election at once" (dissertation 3.10).
            case timeoutNow
            /// A proposal, handed to the leader.
            case proposal(RequestID, Proposal)
            /// What became of it.
            case proposalResponse(RequestID, ProposalOutcome)
            /// A read, handed to the leader (dissertation 6.4).
            case readRequest(RequestID)
            /// The index that the read's server must have applied; nil when the leader cannot say.
            case readResponse(RequestID, index: LogIndex?)
        }
    }

    /// What a candidate says of its log.
    public struct VoteRequest: Equatable, Sendable {
        /// Its last entry's index.
        public var lastIndex: LogIndex
        /// Its last entry's term.
        public var lastTerm: Term
        /// Whether the leader itself asked for this election, so that loyalty to it is no reason
        /// to refuse.
        public var isTransfer: Bool

        /// A request of a candidate whose log ends so.
        public init(lastIndex: LogIndex, lastTerm: Term, isTransfer: Bool = false) {
            self.lastIndex = lastIndex
            self.lastTerm = lastTerm
            self.isTransfer = isTransfer
        }
    }

    /// Entries for a follower's log.
    public struct Append: Equatable, Sendable {
        /// The entry before the first of ``entries``.
        public var previousIndex: LogIndex
        /// That entry's term.
        public var previousTerm: Term
        /// The entries, consecutive; none to ask whether the logs agree.
        public var entries: [Entry]
        /// How far the leader has committed.
        public var commitIndex: LogIndex

        /// Entries that follow `previousIndex`.
        public init(
            previousIndex: LogIndex, previousTerm: Term, entries: [Entry], commitIndex: LogIndex
        ) {
            self.previousIndex = previousIndex
            self.previousTerm = previousTerm
            self.entries = entries
            self.commitIndex = commitIndex
        }
    }

    /// What a follower did with an append.
    public enum AppendResponse: Equatable, Sendable {
        /// Its log agrees with the leader's up to and including this index, on disk.
        case accepted(match: LogIndex)
        /// Its log has no entry `previous` of the leader's term.
        ///
        /// Where it has one of `conflictTerm` there, `conflictIndex` is its first entry of that
        /// term; where its log is too short, the term is 0 and the index the first it lacks
        /// (section 5.3, end). `lastIndex` is where its log ends.
        case rejected(
            previous: LogIndex, conflictTerm: Term, conflictIndex: LogIndex, lastIndex: LogIndex)
    }

    /// A piece of a snapshot.
    public struct SnapshotChunk: Equatable, Sendable {
        /// The last entry that the snapshot contains.
        public var index: LogIndex
        /// That entry's term.
        public var term: Term
        /// The members as of that entry.
        public var configuration: Configuration
        /// Bytes of the whole snapshot.
        public var totalBytes: Int
        /// Where ``data`` belongs.
        public var offset: Int
        /// The piece.
        public var data: [UInt8]

        /// The piece at `offset` of a snapshot.
        public init(
            index: LogIndex, term: Term, configuration: Configuration, totalBytes: Int, offset: Int,
            data: [UInt8]
        ) {
            self.index = index
            self.term = term
            self.configuration = configuration
            self.totalBytes = totalBytes
            self.offset = offset
            self.data = data
        }
    }

    /// Names a request of one life of a server, so that a late answer is never taken for another's.
    public struct RequestID: Equatable, Sendable {
        /// Drawn when the server started.
        public var session: UInt64
        /// Counted up in that life.
        public var sequence: UInt64

        /// Request `sequence` of the life `session`.
        public init(session: UInt64, sequence: UInt64) {
            self.session = session
            self.sequence = sequence
        }
    }

    /// What can be proposed.
    public enum Proposal: Equatable, Sendable {
        /// A command of the state machine.
        case command([UInt8])
        /// A change of members.
        case change(MembershipChange)
    }

    /// What became of a proposal.
    public enum ProposalOutcome: Equatable, Sendable {
        /// It is in the leader's log. It takes effect when that entry is applied, and never if an
        /// entry of another term is applied at its index.
        case appended(term: Term, index: LogIndex)
        /// It will not take effect.
        case rejected(Rejection)
        /// No answer came: it may take effect or not.
        case unknown
    }

    /// Why a proposal or a read was refused.
    public enum Rejection: UInt8, Error, Equatable, CaseIterable {
        /// No leader is known; try again after an election.
        case noLeader = 1
        /// The server that was asked does not lead, or stopped leading meanwhile.
        case notLeader = 2
        /// A limit on what may wait is reached; try again later.
        case busy = 3
        /// The leader is handing over; try again at the next one.
        case transferring = 4
        /// The command is longer than the limit.
        case tooLarge = 5
        /// Another change of members is not committed yet.
        case changePending = 6
        /// The leader has not committed an entry of its own term yet (Ongaro, raft-dev 2015: until
        /// then a change by an earlier leader may still come back).
        case changeTooEarly = 7
        /// The change does not fit the members: nothing would change, or no voter would be left.
        case changeInvalid = 8
        /// The learner to promote is too far behind.
        case learnerBehind = 9
        /// No answer came in time; only for reads.
        case timedOut = 10
    }
}
