// What one member knows of another.

public import Primitives

extension SWIMInstance {
    /// A member as this one sees it.
    public struct Member: Equatable, Sendable {
        /// Who it is.
        public let id: NodeID
        /// Its latest claim; raised by the member alone.
        public internal(set) var incarnation: UInt64
        /// Which process of that name: a restart has another one, and never inherits silently.
        public internal(set) var life: UInt64
        /// What it is believed to be.
        public internal(set) var status: Status
        /// What it told of itself.
        public internal(set) var metadata: Metadata {
            didSet { textBytes = metadata.textBytes }
        }
        /// How busy it said it was in its last message to this member, in the shell's unit.
        ///
        /// It rides on every message and is not gossiped: gossip of a number that always changes
        /// would cost each member traffic in proportion to the cluster's size.
        public internal(set) var load: UInt32 = 0
        /// Since when ``status`` is what it is, on this member's clock.
        public internal(set) var since: Instant
        /// Until when a member that came back from the dead is on trial; nil for all others.
        ///
        /// The ring should leave it out meanwhile. Each death within ``Settings/flapMemoryMinutes``
        /// doubles the time, so that one who comes and goes changes the ring once.
        public internal(set) var trialUntil: Instant?
        /// How often it has died lately.
        public internal(set) var deaths = 0

        /// Bytes of ``metadata``'s texts: a datagram is filled without a look at the texts.
        private(set) var textBytes: Int
        /// The claim ``metadata`` belongs to: news of a status may overtake news of the facts.
        var metadataClaim: Claim
        /// What is known against it, exactly while it is suspect.
        var suspicion: Suspicion?

        /// An incarnation of one life.
        struct Claim: Comparable, Sendable {
            var incarnation: UInt64
            var life: UInt64

            static func < (lhs: Self, rhs: Self) -> Bool {
                (lhs.incarnation, lhs.life) < (rhs.incarnation, rhs.life)
            }
        }

        init(
            id: NodeID, incarnation: UInt64, life: UInt64, status: Status = .alive,
            metadata: Metadata, since: Instant
        ) {
            self.id = id
            self.incarnation = incarnation
            self.life = life
            self.status = status
            self.metadata = metadata
            textBytes = metadata.textBytes
            self.since = since
            metadataClaim = Claim(incarnation: incarnation, life: life)
        }

        /// What decides whether news of it counts.
        public var precedence: Precedence {
            Precedence(incarnation: incarnation, status: status, life: life)
        }

        /// Members whose own probes of it failed, as far as they count; empty unless suspect.
        public var accusers: [NodeID] { suspicion?.accusers ?? [] }

        /// What others are told of it: its facts only where they are needed, for room's sake.
        func update(withFacts: Bool) -> Update {
            Update(
                id: id, incarnation: incarnation, life: life, status: status, accusers: accusers,
                metadata: withFacts || status == .alive ? metadata : nil)
        }
    }
}
