// What members believe of one another, and which of two beliefs counts (DSN 2002, section 4.2).

extension SWIMInstance {
    /// What a member is believed to be.
    ///
    /// The order is that of precedence within one incarnation: whoever hears two things believes
    /// the later one of this list.
    public enum Status: UInt8, CaseIterable, Comparable, Sendable {
        /// It answers, or nobody has said otherwise.
        case alive = 1
        /// Somebody's probe of it failed; it may still refute that.
        case suspect = 2
        /// Its suspicion ran out. Final for this incarnation.
        case dead = 3
        /// It said good-bye. Its own word, so it overrides a verdict of others.
        case left = 4

        /// Whether `lhs` yields to `rhs` within one incarnation.
        public static func < (lhs: Self, rhs: Self) -> Bool {
            lhs.rawValue < rhs.rawValue
        }

        /// Whether the member still counts: it is probed and hears what is new.
        public var isLive: Bool { self <= .suspect }
    }

    /// What decides which of two things said about one member counts: the higher one.
    ///
    /// A total order, so that merging (taking the higher of two) is commutative, associative and
    /// idempotent: all who have heard the same things believe the same, in whatever order they
    /// came.
    public struct Precedence: Comparable, Hashable, Sendable {
        /// Raised only by the member itself; so the latest word of the member outranks all rumours.
        public var incarnation: UInt64
        /// Within an incarnation the worse news counts.
        public var status: Status
        /// Between two processes with one name, the one that started later.
        public var life: UInt64

        /// Puts the three together.
        public init(incarnation: UInt64, status: Status, life: UInt64) {
            self.incarnation = incarnation
            self.status = status
            self.life = life
        }

        /// Compares incarnations, then status, then lives.
        public static func < (lhs: Self, rhs: Self) -> Bool {
            (lhs.incarnation, lhs.status, lhs.life) < (rhs.incarnation, rhs.status, rhs.life)
        }
    }
}
