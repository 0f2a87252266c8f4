// Bugs on purpose: a simulator that does not find them proves nothing.

/// A bug that is planted at the border between a protocol and its shell.
///
/// Bugs inside the protocols are patches of a copy of their sources: `scripts/mutants`.
public enum PlantedBug: String, CaseIterable, Sendable {
    // Raft: what the shell does with the disk.
    /// The vote is not written with the term.
    case voteNotPersisted
    /// Neither term nor vote is written.
    case termNotPersisted
    /// Now and then entries are not written.
    case entriesNotPersisted
    /// What is written is not synced.
    case syncForgotten
    /// Messages do not wait for what has to be on disk before them.
    case sendsOvertakeDisk
    /// The log is cut before the snapshot that replaces it is written.
    case logCutBeforeSnapshot
    /// A snapshot's members are those of the cluster's beginning.
    case snapshotForgetsMembers
    /// What follows a torn record is written behind it.
    case tornEndIsKept
    /// Damage in the middle of a log is taken for a torn end.
    case damageIsCutOff
    /// A machine with a new disk keeps its identity.
    case newDiskKeepsIdentity

    // Raft: what the shell does with the state machine and its clients.
    /// Reads are answered at once, by any server.
    case readFromLocalState
    /// A write is answered when the leader has appended it.
    case answerBeforeCommit
    /// A write is answered when anything is applied at its index.
    case answerIgnoresTerm
    /// A snapshot from the leader is not given to the state machine.
    case restoreIgnored
    /// A process starts with an empty state machine behind its snapshot.
    case startsWithoutSnapshot
    /// A snapshot does not hold what has been applied.
    case snapshotIsStale

    // Raft: what is said.
    /// A vote is given to whoever asks.
    case votesForEverybody
    /// A follower acknowledges one entry more than it has.
    case acknowledgesTooMuch
    /// An entry's bytes change on the way.
    case entryChangesOnTheWay

    // Raft: time.
    /// Clocks drift by up to 30 %, far beyond what leases reckon with.
    case driftBeyondBound

    // SWIM.
    /// News does not ride on pings and gossip.
    case newsNotSpread
    /// An accusation names a higher incarnation than the accused has claimed.
    case accusationsOutrank
    /// Acks are not sent.
    case pingsNotAnswered
    /// Who leaves does not say so.
    case goodbyeNotSaid

    // Whole nodes: what loops do with lease and table.
    /// A loop serves on when its lease has run out.
    case noServeLease
    /// A new owner serves at once, though the former one may not know yet.
    case settledIgnored
    /// A request is executed where it arrives, whatever the tables of the two nodes say.
    ///
    /// To look at requests of a newer table, and to refuse by the own one, would break nothing: who
    /// owns a key by an older table and has a lease owns it alone, as no change is settled before.
    case epochIgnored
    /// Items below their arc's bound are served.
    case minVersionIgnored
    /// Shards mint versions in a new epoch while a loop still uses the old table.
    case adoptTooEarly
    /// The control plane is told of a table while a loop still uses the old one.
    case installedTooEarly

    // Whole nodes: what loops do with requests for other members.
    /// A request without an answer is sent again.
    case forwardRetried
    /// A request is executed, however late it comes.
    case forwardAfterDeadline
    /// The other's clock is compared once only, however long a link lasts.
    case clocksComparedOnce
}

extension PlantedBug {
    /// Where it is planted.
    public var isIn: SimulatedProtocol {
        switch self {
        case .newsNotSpread, .accusationsOutrank, .pingsNotAnswered, .goodbyeNotSaid: .swim
        case .noServeLease, .settledIgnored, .epochIgnored, .minVersionIgnored, .adoptTooEarly,
            .installedTooEarly, .forwardRetried, .forwardAfterDeadline, .clocksComparedOnce:
            .cluster
        default: .raft
        }
    }
}
