// The clients of the simulated cluster: what they asked for and still wait for.

import Primitives

/// Clients that each do one operation after another.
struct RaftClients {
    /// Clients at work: enough for some thousand operations a minute, whatever happens.
    static let count = 8
    /// A client gives an operation up after this long; it may still take effect.
    static let patience: Int64 = 1_000_000_000
    /// Between an answer and the next operation lies at most this much.
    static let thinkTime: ClosedRange<Int64> = 0...20_000_000
    /// Operations of 1,000 that read.
    static let readPermille = 350

    /// One operation that is not answered.
    struct Operation {
        var client: Int
        var isRead: Bool
        /// What it must not be placed before.
        var floor: UInt64
        /// Whom it was asked, in which life.
        var machine: Int
        var life: UInt64
    }

    /// Operations by ticket; looked up, never walked.
    var open: [UInt64: Operation] = [:]
    /// Tickets of which a server said that they will not take effect.
    var refused: Set<UInt64> = []
    /// The command of each committed entry.
    var commands: [UInt64: UInt64] = [:]
    /// Operations begun.
    var begun: UInt64 = 0
    /// Writes and reads answered since the second phase began.
    var answeredInPeace: UInt64 = 0
    /// Clients stop asking when the run draws to its end.
    var areStopped = false
}
