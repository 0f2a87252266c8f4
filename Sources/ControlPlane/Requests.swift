// What a person may ask a cluster for, and what else waits for an answer.

public import Placement
import Primitives
import Raft

/// Something a person asks for; any node takes it.
public enum Request: Equatable, Sendable {
    /// Nothing stored so far counts any more: answered when no node serves it any longer.
    case flush
    /// The member of this name is dead and will not come back.
    case forget(name: String)
    /// Cut the arc that this mark lies in.
    case split(ArcMark)
    /// The next epoch, for this node's version counter.
    case renew
}

/// What became of a request.
public enum Answer: Equatable, Sendable {
    /// It is done, as of the table of this epoch.
    case done(epoch: UInt64)
    /// It changes nothing, or nothing can be made of it.
    case unchanged(Outcome.Reason)
    /// It cannot be done, for this reason.
    case refused(Refusal)
    /// It is committed, but not every node is known to have heard of it.
    case incomplete(epoch: UInt64)
    /// Nobody can tell whether it was, or will be, done.
    case unknown

    /// Why a request was not even tried.
    public enum Refusal: UInt8, Sendable {
        /// No leader is known; try again after an election.
        case noLeader = 1
        /// Too many requests are under way.
        case busy
        /// There is no member of that name.
        case noSuchMember
        /// The member is alive: it has to leave by itself.
        case memberAlive
        /// The node belongs to no cluster yet.
        case noCluster
    }
}

/// What a proposal of this node was for.
enum Purpose: Equatable, Sendable {
    /// A request of a person.
    case request(Request, ticket: UInt64)
    /// The leader's own doing.
    case governing
    /// This node's good-bye.
    case leaving
}

/// Something asked of Raft that it has not answered yet.
struct Ticket: Sendable {
    enum Kind: Sendable {
        case proposal(Purpose)
        case lease(from: NodeID, LeaseRequest)
    }

    let number: UInt64
    let kind: Kind
}

/// A proposal that stands in the leader's log and is not applied yet.
struct PendingProposal: Sendable {
    let term: UInt64
    let index: UInt64
    let purpose: Purpose
    let deadline: Instant
}

/// A request that is applied and has to reach every owner.
struct SpreadingRequest: Sendable {
    let ticket: UInt64
    let epoch: UInt64
    let deadline: Instant
}

/// A good-bye under way.
struct Leaving: Sendable {
    enum Step: Equatable, Sendable {
        /// The table still names this node.
        case table
        /// Consensus still does.
        case consensus
        /// Membership is being told.
        case membership
    }

    var step = Step.table
    /// When this step is given up.
    var deadline: Instant
    /// When it is tried again.
    var tryAt: Instant
}
