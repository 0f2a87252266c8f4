// The names of all things worth meeting.

/// Something that a run may meet: each is counted, and over a set of seeds none may stay at zero.
public enum CoverageEvent: Int, CaseIterable, Sendable {
    // Packets.
    case operations, packetsSent, packetsLost, packetsCut, packetsDoubled, packetsTooLate
    case messagesEncoded
    // Disturbances, as they take effect.
    case partitions, oneWayPartitions, isolations, partialPartitions, clogs, losses, duplications
    case reorderings, kills, powerLosses, blackouts, wipes, pauses, slowDisks, syncErrors, bitFlips
    case drifts, clockLeaps, restarts
    // Disks.
    case syncs, lostWrites, tornWrites, corruptFilesRefused
    // Raft.
    case preVotes, elections, leaders, stepDowns, appends, rejections, truncations, commits
    case proposals, proposalsForwarded, writesAnswered, readIndexReads, leaseReads, readsRefused
    case membershipChanges, learnersAdded, votersRemoved, leadershipTransfers
    case snapshotsTaken, snapshotsInstalled, snapshotChunks
    // SWIM.
    case pings, pingRequests, acks, nacks, suspicions, refutations, deaths, leaves
    case joins, pushPulls, rejoins
    // Whole nodes: control plane.
    case tables, leases, leaselessRemovals, forgotten, flushes, flushesDone, renewals, votesGivenUp
    case fullDisks
    // Whole nodes: loops and clients.
    case hits, misses, refusals, outcomesUnknown, clientsGaveUp, connectionsHeld, turnsInterrupted
    case withheld, ownersUnreachable, forwards, forwardsGivenUp, linksDropped
    case refusedBehind, refusedExpired, refusedWithheld, refusedMoved
}

extension CoverageEvent {
    /// What every protocol meets.
    static let world: [CoverageEvent] = [
        .packetsSent, .packetsLost, .packetsCut, .packetsDoubled, .packetsTooLate, .partitions,
        .oneWayPartitions, .isolations, .clogs, .losses, .duplications, .reorderings, .kills,
        .pauses, .drifts, .clockLeaps, .restarts,
    ]
}

extension CoverageEvent {
    /// What Raft meets beside.
    static let raft: [CoverageEvent] = [
        .partialPartitions, .powerLosses, .blackouts, .wipes, .slowDisks, .syncErrors, .bitFlips,
        .syncs, .lostWrites, .tornWrites, .corruptFilesRefused, .preVotes, .elections, .leaders,
        .stepDowns,
        .appends, .rejections, .truncations, .commits, .operations, .proposals,
        .proposalsForwarded, .writesAnswered, .readIndexReads, .leaseReads, .readsRefused,
        .membershipChanges, .learnersAdded, .votersRemoved, .leadershipTransfers, .snapshotsTaken,
        .snapshotsInstalled, .snapshotChunks, .messagesEncoded,
    ]

    /// What SWIM meets beside.
    static let swim: [CoverageEvent] = [
        .pings, .pingRequests, .acks, .nacks, .suspicions, .refutations, .deaths, .leaves, .joins,
        .pushPulls, .rejoins, .partialPartitions, .messagesEncoded,
    ]

    /// What whole nodes meet beside.
    static let cluster: [CoverageEvent] = [
        .partialPartitions, .powerLosses, .blackouts, .wipes, .slowDisks, .syncErrors, .syncs,
        .lostWrites, .tornWrites, .leaders, .operations, .writesAnswered, .membershipChanges,
        .snapshotsInstalled, .messagesEncoded, .suspicions, .deaths, .leaves, .joins, .tables,
        .leases, .leaselessRemovals, .forgotten, .flushes, .flushesDone, .renewals, .votesGivenUp,
        .fullDisks, .hits, .misses, .refusals, .outcomesUnknown, .clientsGaveUp, .connectionsHeld,
        .turnsInterrupted, .withheld, .ownersUnreachable, .forwards, .forwardsGivenUp,
        .linksDropped, .refusedBehind, .refusedExpired, .refusedWithheld, .refusedMoved,
    ]
}
