// What an operator may see of a leader's followers.

public import Primitives

extension RaftInstance {
    /// What a leader knows of another member.
    public struct FollowerStatus: Equatable, Sendable {
        /// The member.
        public var id: NodeID
        /// Whether it votes.
        public var isVoter: Bool
        /// Up to here its log is known to agree with the leader's.
        public var match: LogIndex
        /// When it was last heard.
        public var lastContact: Instant
        /// Whether it is being sent a snapshot.
        public var isInstalling: Bool
        /// Append messages that it has not answered.
        public var inFlightMessages: Int
    }

    /// The other members as this leader sees them, in ascending order; empty if it does not lead.
    public var followers: [FollowerStatus] {
        (leadership?.peers ?? []).map { peer in
            var isInstalling = false
            if case .installing = peer.mode { isInstalling = true }
            return FollowerStatus(
                id: peer.id, isVoter: configuration.voters.contains(peer.id), match: peer.match,
                lastContact: peer.lastContact, isInstalling: isInstalling,
                inFlightMessages: peer.inFlight.count)
        }
    }
}
