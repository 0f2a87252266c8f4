/// A kind of operation whose latencies are told apart.
public enum OperationKind: Int, CaseIterable, Sendable {
    /// A read of one key.
    case get
    /// A read of several keys in one request.
    case multiGet
    /// A write of one key.
    case set

    /// The name in tables and files.
    public var name: String {
        switch self {
        case .get: "get"
        case .multiGet: "mget"
        case .set: "set"
        }
    }
}

/// What became of all operations of one kind in one run.
public struct OperationResult: Sendable {
    /// Which kind.
    public var kind: OperationKind
    /// Operations that were answered.
    public var requests: UInt64 = 0
    /// Keys asked for or written; above ``requests`` for multi-gets only.
    public var keys: UInt64 = 0
    /// Keys that were found.
    ///
    /// Zero for writes.
    public var hits: UInt64 = 0
    /// Operations answered with an error line, or that lost their connection.
    public var errors: UInt64 = 0
    /// Latency from the moment the operation should have been sent, which is what a user waits.
    public var latency = LatencyHistogram()
    /// Latency from the moment it was sent, which is what the server took.
    public var serviceTime = LatencyHistogram()

    /// No operations yet.
    public init(kind: OperationKind) {
        self.kind = kind
    }

    /// Hits per key read, 0 through 1; nil when nothing was read.
    public var hitRatio: Double? {
        kind == .set || keys == 0 ? nil : Double(hits) / Double(keys)
    }

    /// Adds what another thread, or another kind, measured.
    public mutating func add(_ other: OperationResult) {
        requests += other.requests
        keys += other.keys
        hits += other.hits
        errors += other.errors
        latency.add(other.latency)
        serviceTime.add(other.serviceTime)
    }
}
