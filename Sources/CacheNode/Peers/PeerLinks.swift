// What one loop knows of the other nodes.
internal import Primitives

/// One loop's links, and what it is about to send over them.
final class PeerLinks {
    let cluster: StaticCluster
    /// One for each member; the own one is never opened.
    let links: [PeerLink]
    /// Queues to look at before the turn ends.
    var touched: [ReplyQueue] = []
    /// The keys of a retrieval line, by owner.
    let gathers: [GatheredKeys]
    /// Whose line that is.
    var gatherOwner: ConnectionPointer?
    /// Whether the line changes what it reads.
    var gatherChanges = false
    /// Which life of this node it is.
    let incarnation: UInt64

    init(_ cluster: StaticCluster, incarnation: UInt64) {
        self.cluster = cluster
        self.incarnation = incarnation
        links = cluster.members.map(PeerLink.init)
        gathers = cluster.members.map { _ in GatheredKeys() }
    }

    /// Notes that the loop has to look at a queue.
    func touch(_ queue: ReplyQueue) {
        guard !queue.isTouched else { return }
        queue.isTouched = true
        touched.append(queue)
    }

    func takeTouched() -> [ReplyQueue] {
        let taken = touched
        touched.removeAll()
        for queue in taken { queue.isTouched = false }
        return taken
    }
}

/// A retrieval line under way to one other node.
final class GatheredKeys {
    var text = ByteWriter(capacity: 512)
}
