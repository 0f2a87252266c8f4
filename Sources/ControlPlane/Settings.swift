// Times and limits of the control plane.

public import Raft
public import SWIM

extension ControlPlaneInstance {
    /// Times and limits; all nodes of a cluster should use the same.
    public struct Settings: Equatable, Sendable {
        /// Those of membership.
        public var swim = SWIMInstance.Settings()
        /// Those of consensus.
        public var raft = RaftInstance.Settings()
        /// How many servers vote; 0 for as many as suit the cluster's size: 1 with fewer than 3
        /// nodes, 3 with fewer than 7, else 5.
        public var voters = 0

        /// Milliseconds between two requests for the serve lease: four fit into a lease.
        public var leaseAskMilliseconds = 400
        /// Milliseconds that a lease lasts.
        public var leaseMilliseconds = 1_800
        /// How far two clocks may drift apart, in thousandths: a node counts that much less, the
        /// leader that much more.
        public var driftPerMille = 10
        /// Milliseconds without a lease after which a node that answers pings is taken out.
        public var leaselessMilliseconds = 5_000
        /// Milliseconds that a node which was taken out for that has to wait before it may come
        /// back; it doubles each time, up to ``comebackLimitMilliseconds``.
        public var comebackMilliseconds = 10_000
        /// Milliseconds of that wait, at most.
        public var comebackLimitMilliseconds = 300_000
        /// Milliseconds that a voter must be dead before another one takes its place.
        public var voterPatienceMilliseconds = 30_000
        /// Milliseconds between two removals of members, so that a fault in judgement costs little.
        public var removalMilliseconds = 50
        /// Milliseconds that a request of a person may take.
        public var requestMilliseconds = 5_000
        /// Milliseconds that leaving may take.
        public var leaveMilliseconds = 8_000
        /// Requests under way, at most; more are refused.
        public var requestLimit = 256

        /// The defaults.
        public init() {}

        var leaseAsk: Duration { .milliseconds(leaseAskMilliseconds) }

        /// How long the node counts a lease from its request, ahead of the leader in every case.
        var leaseOfNode: Duration {
            .microseconds(leaseMilliseconds * (1_000 - driftPerMille))
        }

        /// How long the leader counts it from its answer, and a new leader from its election.
        var leaseOfLeader: Duration {
            .microseconds(leaseMilliseconds * (1_000 + driftPerMille))
        }

        /// How many voters a cluster of `size` should have.
        func voters(size: Int) -> Int {
            if voters > 0 { return min(voters, size) }
            return size < 3 ? 1 : size < 7 ? 3 : 5
        }
    }
}
