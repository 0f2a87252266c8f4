// What the coordinator's log says: each entry is one command.

public import Placement
public import Primitives

/// A change of the coordinator's state.
public enum Command: Equatable, Sendable {
    /// A member is new, back in another life, or tells other facts of itself.
    case join(Member)
    /// A member is none any more, if it is still in this life.
    case remove(NodeID, life: UInt64, Departure)
    /// Nothing stored so far counts any more.
    case flush
    /// The next epoch, for the sake of somebody's version counter.
    case renew
    /// The arc that a mark lies in is cut there.
    case split(ArcMark)
}

/// Why a member is none any more.
public enum Departure: UInt8, CaseIterable, Sendable {
    /// It said good-bye.
    case left = 1
    /// The others hold it for dead.
    case died
    /// It answered pings, but had no lease for long.
    case leaseless
    /// Somebody told the cluster to forget it.
    case forgotten
}

/// What became of a command.
public enum Outcome: Equatable, Sendable {
    /// It has made a table of this epoch.
    case changed(epoch: UInt64)
    /// It has changed nothing, for that reason.
    case unchanged(Reason)

    /// Why a command changes nothing.
    public enum Reason: UInt8, Sendable {
        /// What it asks for is so already, or not so any more.
        case outdated = 1
        /// There is no cluster yet.
        case noCluster
        /// No table can be made of it: the last member that owns keys stays, names are unique.
        case impossible
    }
}
