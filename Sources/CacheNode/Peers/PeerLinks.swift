// What one loop knows of the other nodes.
internal import Placement
internal import Primitives

/// One loop's table, its links, and what it is about to send over them.
final class PeerLinks {
    /// Links open or being opened, at most: members of one table, and those that just left it.
    static let slotLimit = 2_048

    let cluster: ClusterShared
    /// The table that the loop uses; nil before the node belongs to a cluster.
    private(set) var table: ClusterTable?
    /// By member of the table; nil for this node itself.
    private(set) var links: [PeerLink?] = []
    /// By number of the link; what epoll knows them by.
    private(set) var slots: [PeerLink?] = []
    /// Members that others doubt.
    private var suspects: [NodeID] = []
    /// Queues to look at before the turn ends.
    var touched: [ReplyQueue] = []
    /// The keys of a retrieval line, by owner.
    private(set) var gathers: [GatheredKeys] = []
    /// Whose line that is.
    var gatherOwner: ConnectionPointer?
    /// Whether the line changes what it reads.
    var gatherChanges = false

    init(_ cluster: ClusterShared) {
        self.cluster = cluster
    }

    /// The epoch of the table; 0 without one.
    var epoch: UInt64 { table?.epoch ?? 0 }

    /// Takes another table; gives the links that are of no use any more.
    func install(_ table: ClusterTable) -> [PeerLink] {
        self.table = table
        let members = table.topology.members
        let old = links.compactMap { $0 }
        links = members.map { member in
            guard member.id != cluster.member.id else { return nil }
            return old.first { $0.id == member.id && $0.address == member.peer }
                ?? newLink(to: member)
        }
        gathers = members.map { _ in GatheredKeys() }
        gatherOwner = nil
        for link in links { link?.isSuspect = link.map { suspects.contains($0.id) } ?? false }
        let dropped = old.filter { link in !links.contains { $0 === link } }
        for link in dropped { slots[link.slot] = nil }
        return dropped
    }

    private func newLink(to member: Member) -> PeerLink {
        let slot = slots.firstIndex { $0 == nil } ?? slots.count
        let link = PeerLink(member, slot: slot)
        if slot == slots.count { slots.append(link) } else { slots[slot] = link }
        return link
    }

    /// Notes that a member is doubted, or no longer: what it would be asked fails at once.
    func mark(_ id: NodeID, isSuspect: Bool) {
        suspects.removeAll { $0 == id }
        if isSuspect { suspects.append(id) }
        for link in links where link?.id == id { link?.isSuspect = isSuspect }
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
