// Times and limits. Each limit is there so that one slow or hostile server costs the others bounded
// memory and time.

import Primitives

extension RaftInstance {
    /// Times and limits of one server; all servers of a cluster should use the same.
    public struct Settings: Equatable, Sendable {
        /// Milliseconds between a leader's heartbeats: six fit into the shortest election timeout,
        /// so that a few lost ones depose nobody.
        public var heartbeatMilliseconds = 50

        /// A follower that has not heard of a leader for so long asks for an election; drawn anew
        /// each time, so that two seldom ask at once (section 5.2).
        ///
        /// The lower bound is also for how long voters stay loyal to a leader, after how long
        /// without a majority a leader gives up, and what the leader's lease is reckoned from.
        public var electionMilliseconds = 300...600

        /// How far two clocks may drift apart from true time, in thousandths.
        public var clockDriftPerMille = 10

        /// Whether the leader answers reads by its lease, without asking a majority.
        ///
        /// Off by default: it is right only while clocks keep to ``clockDriftPerMille``.
        public var readsByLease = false

        /// Whether this server may vote and stand for election; a server without a disk must not,
        /// unless it is the only one.
        public var mayVote = true

        /// Bytes of a command, at most; more is refused.
        public var payloadLimitBytes = 1 << 20

        /// Bytes of appended but uncommitted commands, at most; beyond it proposals are `busy`.
        public var uncommittedLimitBytes = 8 << 20

        /// Bytes and entries of one append message; a larger single entry goes alone.
        public var appendLimitBytes = 64 << 10
        /// Entries of one append message.
        public var appendLimitEntries = 256

        /// Append messages to one follower that may be unanswered, and their bytes.
        public var inFlightLimitMessages = 32
        /// Bytes of append messages to one follower that may be unanswered.
        public var inFlightLimitBytes = 1 << 20

        /// Bytes of a snapshot sent at a time.
        public var chunkBytes = 64 << 10
        /// Bytes of a snapshot accepted from a leader.
        public var snapshotLimitBytes = 256 << 20

        /// After how many entries or bytes since the last snapshot a new one is asked for.
        public var snapshotThresholdEntries = 10_000
        /// After how many bytes of entries since the last snapshot a new one is asked for.
        public var snapshotThresholdBytes = 16 << 20

        /// Entries that stay in memory behind a snapshot, for followers a little late.
        public var keptEntries = 1_000
        /// Bytes of entries that stay in memory behind a snapshot.
        public var keptBytes = 4 << 20

        /// Reads that may wait for confirmation; beyond it they are `busy`.
        public var readLimit = 4_096
        /// Requests handed to the leader that may be unanswered; beyond it they are `busy`.
        public var forwardLimit = 1_024
        /// Milliseconds after which a request handed to the leader counts as lost.
        public var forwardMilliseconds = 1_000

        /// How many entries a learner may be behind when it is promoted (dissertation 4.2.1: a
        /// slow new voter must not hold up commits).
        public var promotionLagEntries = 128

        /// The defaults.
        public init() {}

        /// Checks that the numbers fit together.
        ///
        /// - Throws: ``RaftError/setting(name:value:allowed:)`` for the first one that does not.
        public func validate() throws(RaftError) {
            let election = electionMilliseconds
            try Self.check("heartbeatMilliseconds", heartbeatMilliseconds, 1...10_000)
            try Self.check(
                "electionMilliseconds.lowerBound", election.lowerBound,
                2 * heartbeatMilliseconds...100_000)
            try Self.check(
                "electionMilliseconds.upperBound", election.upperBound,
                election.lowerBound...100_000)
            try Self.check("clockDriftPerMille", clockDriftPerMille, 0...200)
            try Self.check("payloadLimitBytes", payloadLimitBytes, 1...WireLimits.payloadBytes)
            try Self.check(
                "uncommittedLimitBytes", uncommittedLimitBytes, payloadLimitBytes + 16...1 << 30)
            try Self.check("appendLimitBytes", appendLimitBytes, 1...WireLimits.payloadBytes)
            try Self.check("appendLimitEntries", appendLimitEntries, 1...WireLimits.entries)
            try Self.check("inFlightLimitMessages", inFlightLimitMessages, 1...4_096)
            try Self.check("inFlightLimitBytes", inFlightLimitBytes, 1...1 << 30)
            try Self.check("chunkBytes", chunkBytes, 1...WireLimits.chunkBytes)
            try Self.check("snapshotThresholdEntries", snapshotThresholdEntries, 1...1 << 30)
            try Self.check("readLimit", readLimit, 1...1 << 20)
            try Self.check("forwardLimit", forwardLimit, 1...1 << 20)
        }

        private static func check(
            _ name: String, _ value: Int, _ allowed: ClosedRange<Int>
        ) throws(RaftError) {
            guard allowed.contains(value) else {
                throw .setting(name: name, value: value, allowed: allowed)
            }
        }

        var heartbeatInterval: Duration { .milliseconds(heartbeatMilliseconds) }

        /// For how long a voter is loyal to a leader it has heard.
        var loyalty: Duration { .milliseconds(electionMilliseconds.lowerBound) }

        /// How long a leader's lease lasts from the sending of the heartbeats that a majority
        /// answered.
        ///
        /// Voters stay loyal from their receipt, which is later. In the worst case their clocks run
        /// fast and the leader's slow by the drift bound; 5 ms are for the time between looking at
        /// the clock and the answer.
        var lease: Duration {
            let nanoseconds =
                loyalty.wholeNanoseconds / Int64(1_000 + clockDriftPerMille)
                * Int64(1_000 - clockDriftPerMille)
            return .nanoseconds(nanoseconds) - .milliseconds(5)
        }

        /// After how long an unanswered chunk of a snapshot is sent again.
        var chunkPatience: Duration { .milliseconds(4 * heartbeatMilliseconds) }
    }
}
