// A client: one connection at a time, one batch of commands after the other.

/// A client and what it waits for.
struct ClusterClient {
    /// Clients of a run.
    static let count = 8
    /// A client rests between two batches, in nanoseconds: together they ask some 130 times a
    /// second.
    static let rest: ClosedRange<Int64> = 0...110_000_000
    /// After so long without an answer a client hangs up.
    static let patience: Int64 = 3_000_000_000
    /// The way between a client and a node.
    static let delay: ClosedRange<Int64> = 50_000...400_000

    var connection: ClusterConnection?
    /// Rises with all that happens to it: an event meant for an earlier state is void.
    var sequence = 0
    /// What it waits for, in order.
    var open: [ClusterOperation] = []
    /// The version it last saw of each key; 0 where it saw none.
    var versions: [UInt64]
    /// Batches after which it goes to another node.
    var loyalty = 0
    var lastReply: ClusterReply?
}
