// What a leader keeps of the serve leases it has given, and of what it could not know.

import Primitives

/// A leader's record of leases; begins anew with each leadership.
struct LeaseBook: Sendable {
    /// What the leader knows of one node.
    struct Entry: Sendable {
        let id: NodeID
        var life: UInt64
        /// When its last lease is over, on the leader's clock.
        var end: Instant
        /// The table it said all its loops use.
        var installedEpoch: UInt64
        var mayVote: Bool
        /// When it last had a lease, became a member, or this leadership began.
        var lastGranted: Instant
    }

    /// A node that was taken out though it answered pings.
    struct Exile: Sendable {
        let id: NodeID
        var until: Instant
        var milliseconds: Int
    }

    /// When an earlier leader's leases are all over.
    let knowsAll: Instant
    let beganAt: Instant
    /// In ascending order of `id`.
    private(set) var entries: [Entry] = []
    /// Lives whose end this leader has proposed: they get no lease any more.
    var condemned: [(id: NodeID, life: UInt64)] = []
    var exiles: [Exile] = []
    /// Voters that are not alive, and since when.
    var absentVoters: [(id: NodeID, since: Instant)] = []
    /// When members were taken in during this leadership.
    var arrivals: [(id: NodeID, at: Instant)] = []
    /// Not before this moment is another member removed.
    var nextRemoval: Instant
    /// Not before this moment is another change of Raft's members tried.
    var nextChange: Instant

    init(at now: Instant, earlierLeases: Duration) {
        beganAt = now
        knowsAll = now.advanced(by: earlierLeases)
        nextRemoval = now
        nextChange = now
    }

    func entry(_ id: NodeID) -> Entry? {
        position(id).map { entries[$0] }
    }

    private func position(_ id: NodeID) -> Int? {
        entries.firstIndex { $0.id == id }
    }

    /// Notes what a node says when it asks.
    mutating func note(_ request: LeaseRequest, from id: NodeID) {
        if let position = position(id) {
            guard request.life >= entries[position].life else { return }
            if request.life > entries[position].life {
                entries[position].life = request.life
                entries[position].installedEpoch = 0
            }
            entries[position].installedEpoch = max(
                entries[position].installedEpoch, request.installedEpoch)
            entries[position].mayVote = request.mayVote
            return
        }
        let next = entries.firstIndex { $0.id > id } ?? entries.count
        // It may have a lease from an earlier leader.
        let entry = Entry(
            id: id, life: request.life, end: knowsAll, installedEpoch: request.installedEpoch,
            mayVote: request.mayVote, lastGranted: beganAt)
        entries.insert(entry, at: next)
    }

    /// Notes that a node has a lease until `end`.
    mutating func grant(_ id: NodeID, until end: Instant, at now: Instant) {
        guard let position = position(id) else { return }
        entries[position].end = max(entries[position].end, end)
        entries[position].lastGranted = now
    }

    /// A life of a node is a member from now on: it has had no chance of a lease before, and what
    /// was held against it has been carried out.
    mutating func welcome(_ id: NodeID, life: UInt64, at now: Instant) {
        condemned.removeAll { $0.id == id && $0.life <= life }
        arrivals.removeAll { $0.id == id }
        arrivals.append((id, now))
    }

    /// Since when a member could have had a lease, and has none.
    func leaseless(since id: NodeID) -> Instant {
        let granted = entry(id)?.lastGranted ?? beganAt
        let arrived = arrivals.first { $0.id == id }?.at ?? beganAt
        return max(granted, arrived)
    }

    /// When the last lease of a node is over, of whichever life.
    func end(of id: NodeID) -> Instant {
        entry(id)?.end ?? knowsAll
    }

    /// Whether a node, or with nil anybody at all, may still serve under a table older than
    /// `epoch`.
    func mayServePast(_ id: NodeID?, _ epoch: UInt64, at now: Instant) -> Bool {
        guard let id else {
            return now < knowsAll
                || entries.contains { now < $0.end && $0.installedEpoch < epoch }
        }
        guard let entry = entry(id) else { return now < knowsAll }
        return now < entry.end && entry.installedEpoch < epoch
    }

    /// The newest epoch that every node which may serve has installed.
    func spreadEpoch(_ newest: UInt64, at now: Instant) -> UInt64 {
        // Who has not asked this leader yet may serve by an older table, and may be none of the
        // members any more.
        guard now >= knowsAll else { return 0 }
        return entries.filter { now < $0.end }.map(\.installedEpoch).min() ?? newest
    }
}
