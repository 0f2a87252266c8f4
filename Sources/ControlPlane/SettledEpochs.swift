// From which epoch on new owners may serve: the other half of what makes ownership exclusive.

import Placement
import Primitives

/// The changes of owners that somebody may not know yet.
///
/// A change is settled when everybody who lost an arc by it has installed its table, or has no
/// lease any more. That is a fact about the past and never untrue again, so servers tell each
/// other how far it goes, and a new leader need not find out anew.
struct SettledEpochs: Equatable, Sendable {
    /// A table by which members lost arcs.
    struct Change: Equatable, Sendable {
        var epoch: UInt64
        /// In ascending order; nil where it is not known who they are.
        var losers: [NodeID]?
    }

    /// Changes remembered; beyond it the oldest two become one, which only settles later.
    static let limit = 1_024

    /// All changes up to this epoch are settled.
    private(set) var epoch: UInt64 = 0
    /// The newest table.
    private(set) var newest: UInt64 = 0
    private(set) var changes: [Change] = []

    /// Begins with a table whose past is not known.
    mutating func begin(at topology: Topology) {
        newest = topology.epoch
        changes = [Change(epoch: newest, losers: nil)]
        learn(epoch)
    }

    /// A table has been followed by another.
    mutating func add(_ before: Topology, _ after: Topology) {
        newest = max(newest, after.epoch)
        guard after.epoch > epoch else { return }
        let losers = try? before.losers(to: after)
        guard losers != [] else { return advanceIfIdle() }
        changes.append(Change(epoch: after.epoch, losers: losers))
        guard changes.count > Self.limit else { return }
        changes.removeFirst()
        changes[0].losers = nil
    }

    /// Somebody knows that all changes up to `settled` are settled.
    mutating func learn(_ settled: UInt64) {
        epoch = max(epoch, settled)
        changes.removeAll { $0.epoch <= epoch }
        advanceIfIdle()
    }

    /// Finds out what is settled, as the leader sees it.
    ///
    /// - Parameter mayServePast: Whether a node, or with nil anybody at all, may still serve under
    ///   a table older than an epoch.
    mutating func settle(_ mayServePast: (NodeID?, UInt64) -> Bool) {
        while let next = changes.first {
            let isOpen =
                next.losers.map { $0.contains { mayServePast($0, next.epoch) } }
                ?? mayServePast(nil, next.epoch)
            guard !isOpen else { return }
            epoch = max(epoch, next.epoch)
            changes.removeFirst()
        }
        advanceIfIdle()
    }

    private mutating func advanceIfIdle() {
        if changes.isEmpty { epoch = max(epoch, newest) }
    }
}
