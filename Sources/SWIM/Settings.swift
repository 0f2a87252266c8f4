// Times and limits. Each limit is there so that a fault or a hostile member costs bounded memory.

import Primitives

extension SWIMInstance {
    /// Times and limits of one member; all members of a cluster should use the same.
    public struct Settings: Equatable, Sendable {
        /// Milliseconds between two probes: one member is asked in each (DSN 2002, section 3.1).
        public var periodMilliseconds = 300
        /// Milliseconds after which relays are asked: half a period leaves them the other half.
        public var timeoutMilliseconds = 150
        /// Relays asked when a ping is not answered (the paper's k).
        public var relays = 3
        /// Share of the timeout after which a relay says that the target is silent: a nack must be
        /// back before the probe ends.
        public var nackPercent = 80

        /// Milliseconds a suspect has when it is fully confirmed: a refutation takes a ping and a
        /// few rounds of gossip.
        public var suspicionMinimumMilliseconds = 1_000
        /// Milliseconds a suspect has when only one member accuses it, who may be at fault itself.
        public var suspicionMaximumMilliseconds = 3_000
        /// Independent confirmations after which the shortest time holds; fewer in small clusters.
        public var confirmations = 2

        /// The highest local health multiplier (Lifeguard's S).
        public var healthLimit = 8
        /// Milliseconds past a deadline that show that this member slept, and what it then waits
        /// for the messages that came meanwhile.
        public var oversleepMilliseconds = 100

        /// Milliseconds between two rounds of gossip while there is news.
        public var gossipMilliseconds = 100
        /// Members that one round of gossip goes to.
        public var gossipFanOut = 3
        /// The paper's lambda: news is sent lambda * ceil(log10(n + 1)) times by each member.
        ///
        /// With 6
        /// one update missed by 8 of 9 members is below 1 in 10^4 without any loss (memberlist
        /// uses 4 and relies on push-pull sooner).
        public var retransmitFactor = 6
        /// Bytes of a datagram, at most: below every path's MTU.
        public var datagramLimitBytes = 1_400
        /// Bytes of it that encryption may need.
        public var envelopeBytes = 48

        /// Seconds between push-pulls with a random member, in clusters of up to 32; each doubling
        /// of the size adds as much again, as what is exchanged grows, too.
        public var pushPullSeconds = 30
        /// Milliseconds between pings to one of the dead, so that healed partitions meet again.
        public var reconnectMilliseconds = 1_000
        /// Seconds between questions to seeds that are no live member's address, at most; it begins
        /// at ``reconnectMilliseconds`` and doubles while no member is new or dies.
        public var strangerSeconds = 60
        /// How many members together take care of one that is dead, suspect or back.
        ///
        /// They ping it, or exchange all they know with it. More would flood it in a large cluster.
        public var caretakers = 8
        /// Milliseconds between the first attempts to join; it doubles up to
        /// ``joinLimitMilliseconds``.
        public var joinMilliseconds = 500
        /// Milliseconds between attempts to join, at most.
        public var joinLimitMilliseconds = 8_000
        /// Milliseconds a leaving member stays to spread its good-bye.
        public var leaveMilliseconds = 1_000

        /// Minutes that the dead and those who left are remembered.
        public var deadMemoryMinutes = 60
        /// Whether no one is declared dead while more than half are doubted.
        ///
        /// Doubted are suspects and those who died within ``freezeSeconds``. Who doubts most of the
        /// cluster has more likely lost its own link.
        public var freezesRemovals = true
        /// Seconds that a death counts as fresh.
        public var freezeSeconds = 60
        /// Seconds that a member is on trial when it comes back from the dead for the first time.
        public var trialSeconds = 10
        /// Seconds of trial, at most.
        public var trialLimitSeconds = 300
        /// Minutes without a death after which earlier ones are forgotten.
        public var flapMemoryMinutes = 10

        /// Members in the table, at most, the dead included; the dead give way first.
        public var memberLimit = 2_048
        /// Probes at a time: the regular one, and those of members whose link closed.
        public var probeLimit = 8
        /// Members that may wait for a probe because their link closed.
        public var urgentLimit = 64
        /// Probes made for others at a time.
        public var relayLimit = 64
        /// Addresses to join through.
        public var seedLimit = 64

        /// The defaults.
        public init() {}

        /// Checks that the numbers fit together.
        ///
        /// - Throws: ``SWIMError/setting(name:value:allowed:)`` for the first one that does not.
        public func validate() throws(SWIMError) {
            try Self.check("periodMilliseconds", periodMilliseconds, 20...60_000)
            try Self.check("timeoutMilliseconds", timeoutMilliseconds, 5...periodMilliseconds)
            try Self.check("relays", relays, 0...16)
            try Self.check("nackPercent", nackPercent, 1...100)
            try Self.check(
                "suspicionMinimumMilliseconds", suspicionMinimumMilliseconds, 0...600_000)
            try Self.check(
                "suspicionMaximumMilliseconds", suspicionMaximumMilliseconds,
                suspicionMinimumMilliseconds...600_000)
            try Self.check("confirmations", confirmations, 0...Update.accuserLimit - 1)
            try Self.check("healthLimit", healthLimit, 1...64)
            try Self.check("oversleepMilliseconds", oversleepMilliseconds, 1...60_000)
            try Self.check("gossipMilliseconds", gossipMilliseconds, 5...60_000)
            try Self.check("gossipFanOut", gossipFanOut, 1...16)
            try Self.check("retransmitFactor", retransmitFactor, 1...64)
            try Self.check("envelopeBytes", envelopeBytes, 0...256)
            try Self.check(
                "datagramLimitBytes", datagramLimitBytes, 1_350 + envelopeBytes...65_507)
            try Self.check("pushPullSeconds", pushPullSeconds, 1...86_400)
            try Self.check("reconnectMilliseconds", reconnectMilliseconds, 10...3_600_000)
            try Self.check("strangerSeconds", strangerSeconds, 1...86_400)
            try Self.check("caretakers", caretakers, 1...1_000)
            try Self.check("joinMilliseconds", joinMilliseconds, 10...60_000)
            try Self.check(
                "joinLimitMilliseconds", joinLimitMilliseconds, joinMilliseconds...3_600_000)
            try Self.check("leaveMilliseconds", leaveMilliseconds, 0...60_000)
            try Self.check("deadMemoryMinutes", deadMemoryMinutes, 1...10_080)
            try Self.check("freezeSeconds", freezeSeconds, 0...86_400)
            try Self.check("trialSeconds", trialSeconds, 0...3_600)
            try Self.check("trialLimitSeconds", trialLimitSeconds, trialSeconds...86_400)
            try Self.check("flapMemoryMinutes", flapMemoryMinutes, 1...10_080)
            try Self.check("memberLimit", memberLimit, 2...WireLimits.updates)
            try Self.check("probeLimit", probeLimit, 1...64)
            try Self.check("urgentLimit", urgentLimit, 1...WireLimits.updates)
            try Self.check("relayLimit", relayLimit, 1...1_024)
            try Self.check("seedLimit", seedLimit, 1...1_024)
        }

        private static func check(
            _ name: String, _ value: Int, _ allowed: ClosedRange<Int>
        ) throws(SWIMError) {
            guard allowed.contains(value) else {
                throw .setting(name: name, value: value, allowed: allowed)
            }
        }
    }
}
