// Where a node's cluster comes from (the rules of starting).

public import Placement
public import SWIM

/// How a node gets into a cluster.
public enum Start: Equatable, Sendable {
    /// It founds one, alone, where its disk holds none.
    case found(RingSettings)
    /// It joins the cluster that one of these belongs to, however long that takes.
    case join([SWIMInstance.Address])
    /// So many nodes that know each other found one together, once; later ones join it.
    case expect(Int, [SWIMInstance.Address], RingSettings)
}

extension SWIMInstance.Metadata {
    /// What membership tells of a node.
    init(_ member: Member) {
        self.init(
            name: member.name, peer: SWIMInstance.Address(member.peer.text),
            client: SWIMInstance.Address(member.client.text),
            http: SWIMInstance.Address(member.http?.text ?? ""), zone: member.zone,
            weight: UInt32(member.weight))
    }
}

extension Member {
    /// What the table says of a node that membership knows; nil where it tells nonsense.
    init?(_ known: SWIMInstance.Member) {
        let facts = known.metadata
        guard let client = NodeAddress(text: facts.client.text),
            let peer = NodeAddress(text: facts.peer.text), Member.id(ofName: facts.name) == known.id
        else { return nil }
        self.init(
            name: facts.name, incarnation: known.life, weight: Int(facts.weight),
            zone: facts.zone, client: client, peer: peer, http: NodeAddress(text: facts.http.text))
    }
}
