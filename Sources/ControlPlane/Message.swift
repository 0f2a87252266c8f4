// What nodes say to one another about the cluster; requests of clients have their own frames.

public import Primitives
public import Raft
public import SWIM

/// A message from one control plane to another.
public struct Message: Equatable, Sendable {
    /// Who sends it.
    public var sender: NodeID
    /// Which process of that name.
    public var life: UInt64
    /// The cluster it belongs to; 0 for a node that does not know yet.
    public var cluster: UInt64
    /// What it is about.
    public var body: Body

    /// What a message is about.
    public enum Body: Equatable, Sendable {
        /// Membership.
        case swim(SWIMInstance.Message)
        /// Consensus.
        case raft(RaftInstance.Message)
        /// To the leader: may I serve?
        case leaseRequest(LeaseRequest)
        /// The leader's answer.
        case leaseResponse(LeaseResponse)
    }

    /// Puts a message together.
    public init(sender: NodeID, life: UInt64, cluster: UInt64, body: Body) {
        self.sender = sender
        self.life = life
        self.cluster = cluster
        self.body = body
    }
}

/// A node asks for its serve lease, and says how far it is.
public struct LeaseRequest: Equatable, Sendable {
    /// The asker's clock when it sent this, in nanoseconds: it counts the lease from there.
    public var clock: Int64
    /// Which process of the asker's name; the leader compares it with the state's.
    public var life: UInt64
    /// All of the asker's loops use the table of this epoch.
    public var installedEpoch: UInt64
    /// Changes up to this epoch are settled, as far as the asker knows.
    public var settledEpoch: UInt64
    /// Whether it could vote: it has a disk.
    public var mayVote: Bool

    /// Puts a request together.
    public init(
        clock: Int64, life: UInt64, installedEpoch: UInt64, settledEpoch: UInt64, mayVote: Bool
    ) {
        self.clock = clock
        self.life = life
        self.installedEpoch = installedEpoch
        self.settledEpoch = settledEpoch
        self.mayVote = mayVote
    }
}

/// The leader's answer to a request for a lease.
public struct LeaseResponse: Equatable, Sendable {
    /// The asker's clock, as it said it.
    public var clock: Int64
    /// Which process of the asker's name it is for.
    public var life: UInt64
    /// How long the lease lasts from that moment, in milliseconds; 0 where there is none.
    public var milliseconds: Int
    /// Changes up to this epoch are settled.
    public var settledEpoch: UInt64
    /// Every node that may serve has installed the table of this epoch.
    public var spreadEpoch: UInt64
    /// Whether the asker is none of the voters, by any of their lists that still counts.
    public var isNoVoter: Bool

    /// Puts an answer together.
    public init(
        clock: Int64, life: UInt64, milliseconds: Int, settledEpoch: UInt64, spreadEpoch: UInt64,
        isNoVoter: Bool
    ) {
        self.clock = clock
        self.life = life
        self.milliseconds = milliseconds
        self.settledEpoch = settledEpoch
        self.spreadEpoch = spreadEpoch
        self.isNoVoter = isNoVoter
    }
}
