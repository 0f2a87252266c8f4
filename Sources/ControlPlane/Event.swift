// What an operator may want to know, and how the control plane fails.

public import Placement
public import Primitives
public import Raft
public import SWIM

/// Something that happened in the cluster, as this node saw it.
public enum Event: Equatable, Sendable {
    /// The node has founded a cluster.
    case founded(cluster: UInt64)
    /// The node has learnt which cluster it belongs to.
    case clusterLearnt(UInt64)
    /// A table followed another, by that command.
    case tableChanged(epoch: UInt64, Command)
    /// A table came whole, as this node was far behind.
    case tableRestored(epoch: UInt64)
    /// Another server leads, or none is known.
    case leaderChanged(NodeID?, term: UInt64)
    /// The members that vote have changed.
    case votersChanged([NodeID])
    /// Membership thinks otherwise of a member.
    case memberChanged(name: String, SWIMInstance.Status)
    /// More than half of the members are doubted, or no longer.
    case removalsFrozen(Bool)
    /// This node may serve what it owns, or no longer.
    case leaseHeld(Bool)
    /// The disk takes nothing more: the node goes on without a vote.
    case voteGivenUp
}

/// Why a node must stop.
public enum StopReason: Equatable, Sendable {
    /// Another process had its name first, at that address.
    case nameTaken(by: SWIMInstance.Address)
    /// What its own cluster had committed cannot be read.
    case unreadableEntry(index: UInt64)
}

/// Why a control plane could not start.
public enum ControlPlaneError: Error, Equatable, Sendable {
    /// The snapshot on disk holds no state.
    case unreadableSnapshot(PlacementError)
    /// Membership refuses its settings or facts.
    case membership(SWIMError)
    /// Consensus refuses its settings or what the disk gave back.
    case consensus(RaftError)
    /// The node alone makes no table.
    case cannotFound(PlacementError)
}

extension ControlPlaneError: CustomStringConvertible {
    /// What is wrong.
    public var description: String {
        switch self {
        case .unreadableSnapshot(let error): "the snapshot on disk is no cluster state: \(error)"
        case .membership(let error): "membership: \(error)"
        case .consensus(let error): "consensus: \(error)"
        case .cannotFound(let error):
            "a cluster cannot be founded with this node alone: \(error); a node of weight 0 has to"
                + " --join one"
        }
    }
}
