/// What one event loop counted in one sub-window, scaled to all of its requests.
public struct LoopReport: Equatable, Sendable {
    /// One heavy key.
    public struct Key: Equatable, Sendable {
        /// The key's hash.
        public var hash: UInt64
        /// Its bytes.
        public var key: [UInt8]
        /// What was counted.
        public var counts: KeyCounts
        /// When the loop first listed it, in nanoseconds of the node's clock.
        public var firstSeen: Int64

        /// A key and what was counted of it.
        public init(hash: UInt64, key: [UInt8], counts: KeyCounts, firstSeen: Int64) {
            self.hash = hash
            self.key = key
            self.counts = counts
            self.firstSeen = firstSeen
        }
    }

    /// When the sub-window began and ended, in nanoseconds of the node's clock.
    public var start: Int64
    /// See ``start``.
    public var end: Int64
    /// All requests, heavy keys' and others'.
    public var total = KeyCounts()
    /// The heavy keys, in no order.
    public var keys: [Key] = []
    /// Operations by arc, as many as the node has arcs.
    public var arcs: [Double] = []
    /// One request in so many was sampled, on average.
    public var samplingPeriod = 1.0
    /// The share of the sub-window in which the loop was busy, 0 through 1.
    public var busyShare = 0.0

    /// An empty report of a sub-window.
    public init(start: Int64, end: Int64) {
        self.start = start
        self.end = end
    }
}
