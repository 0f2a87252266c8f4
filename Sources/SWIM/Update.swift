// One piece of news about one member, as it rides on messages.

public import Primitives

extension SWIMInstance {
    /// Something said about one member.
    public struct Update: Hashable, Sendable {
        /// Accusers that one update names, at most.
        public static let accuserLimit = 8

        /// The highest incarnation: a member that is accused can always rise above it.
        public static let incarnationLimit: UInt64 = 1 << 60

        /// Whom it is about.
        public var id: NodeID
        /// Which of the member's claims it answers.
        public var incarnation: UInt64
        /// Which process of that name.
        public var life: UInt64
        /// What the member is said to be.
        public var status: Status
        /// Whose own probes failed, if it is suspect: independent confirmations (Lifeguard,
        /// section IV-B).
        public var accusers: [NodeID]
        /// The member's facts; in news of a live member and in push-pulls.
        public var metadata: Metadata?

        /// Puts an update together.
        public init(
            id: NodeID, incarnation: UInt64, life: UInt64, status: Status,
            accusers: [NodeID] = [], metadata: Metadata? = nil
        ) {
            self.id = id
            self.incarnation = incarnation
            self.life = life
            self.status = status
            self.accusers = accusers
            self.metadata = metadata
        }

        /// What decides whether it counts.
        public var precedence: Precedence {
            Precedence(incarnation: incarnation, status: status, life: life)
        }
    }
}
