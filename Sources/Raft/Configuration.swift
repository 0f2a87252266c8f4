// Who takes part. Members change one at a time: any majority before and any after then share a
// server, so no two leaders can be elected apart (dissertation section 4.1).

public import Primitives

extension RaftInstance {
    /// The members of the cluster: voters, whose majority decides, and learners, who only follow.
    public struct Configuration: Equatable, Sendable {
        /// Those that elect and commit, in ascending order.
        public private(set) var voters: [NodeID]
        /// Those that get the log without being asked (section 4.2.1), in ascending order.
        public private(set) var learners: [NodeID]

        /// A configuration of these members; who is named twice counts once, a voter is no learner.
        public init(voters: [NodeID] = [], learners: [NodeID] = []) {
            self.voters = Self.ascending(voters)
            let own = self.voters
            self.learners = Self.ascending(learners.filter { !own.contains($0) })
        }

        private static func ascending(_ members: [NodeID]) -> [NodeID] {
            var result: [NodeID] = []
            for member in members.sorted() where result.last != member { result.append(member) }
            return result
        }

        /// All members, voters first.
        public var members: [NodeID] { voters + learners }

        /// How many voters decide.
        public var quorum: Int { voters.count / 2 + 1 }

        /// Whether a majority of the voters is among `nodes`; without voters there is none.
        public func isQuorum(_ nodes: [NodeID]) -> Bool {
            voters.count { nodes.contains($0) } >= quorum
        }

        /// The highest value that a majority of the voters has reached, or nil without voters.
        func quorumValue<Value: Comparable>(_ value: (NodeID) -> Value) -> Value? {
            let descending = voters.map(value).sorted(by: >)
            return descending.isEmpty ? nil : descending[quorum - 1]
        }

        /// The configuration after `change`, or nil where it changes nothing or leaves no voter.
        public func applying(_ change: MembershipChange) -> Configuration? {
            let node = change.node
            let isVoter = voters.contains(node)
            let isLearner = learners.contains(node)
            let otherVoters = voters.filter { $0 != node }
            let otherLearners = learners.filter { $0 != node }
            switch change {
            case .addLearner:
                guard !isVoter, !isLearner else { return nil }
                return Configuration(voters: voters, learners: learners + [node])
            case .promote:
                guard isLearner else { return nil }
                return Configuration(voters: voters + [node], learners: otherLearners)
            case .demote:
                guard isVoter, !otherVoters.isEmpty else { return nil }
                return Configuration(voters: otherVoters, learners: learners + [node])
            case .remove:
                guard isLearner || (isVoter && !otherVoters.isEmpty) else { return nil }
                return Configuration(voters: otherVoters, learners: otherLearners)
            }
        }
    }

    /// One step from a configuration to the next; at most one voter more or less.
    public enum MembershipChange: Equatable, Sendable {
        /// A new member begins to follow.
        case addLearner(NodeID)
        /// A learner that has caught up gets a vote. It must have a disk, or an entry that it has
        /// acknowledged and forgotten may be counted on it.
        case promote(NodeID)
        /// A voter goes on as a learner.
        case demote(NodeID)
        /// A member leaves.
        case remove(NodeID)

        /// Whom it concerns.
        public var node: NodeID {
            switch self {
            case .addLearner(let node), .promote(let node), .demote(let node), .remove(let node):
                node
            }
        }
    }
}
