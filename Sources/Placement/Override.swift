// Where the table differs from the ring.
public import Primitives

/// Gives one arc to another owner than the ring does, replicates it, or cuts it off from its
/// neighbour.
///
/// Its mark bounds an arc whether or not the ring has a point there, so an override both moves
/// whole arcs and splits them. It holds by position, not by the ring's point: when a member joins
/// with a point inside, the newcomer has the part before its point, and the rest stays.
public struct Override: Hashable, Sendable, Marked {
    /// The arc.
    public var mark: ArcMark
    /// Who owns it; nil for whoever would without this.
    ///
    /// One that is no member of weight above 0
    /// makes the override void: so a lost node's arcs fall back to the ring at once.
    public var owner: NodeID?
    /// Nodes that hold copies of all of the arc, for reads.
    public var replicas: [NodeID]

    /// Most replicas of an arc.
    public static let replicaLimit = 16

    /// Makes an override.
    public init(_ mark: ArcMark, owner: NodeID? = nil, replicas: [NodeID] = []) {
        self.mark = mark
        self.owner = owner
        self.replicas = replicas
    }
}
