// What a node is told about its cluster before it starts.
public import Placement

/// How a node takes part in a cluster.
public struct ClusterConfiguration: Equatable, Sendable {
    /// The node's unique name (`--node-name`); nil for its advertised address.
    public var nodeName: String?
    /// The host that others are told (`--advertise`); nil for the listen address.
    public var advertise: String?
    /// Where other nodes connect (`--peer-listen`); nil for the client host and port + 10000.
    public var peerListen: ListenAddress?
    /// Members, or names that lead to some, to join through (`--join`).
    public var join: [NodeAddress] = []
    /// How many nodes found the cluster together (`--bootstrap-expect`); 0 where one founds alone.
    public var bootstrapExpect = 0
    /// The directory of term, vote, log and identity (`--data-dir`); nil for a node without a disk.
    public var dataDirectory: String?
    /// The file of the cluster's key (`--cluster-key-file`).
    public var keyFile: String?
    /// This node's share of the keys (`--weight`).
    public var weight = 1
    /// What it fails together with (`--zone`).
    public var zone = ""
    /// How keys are placed, for a founder (`--placement`, `--range-splits`).
    public var ring = RingSettings()
    /// How many servers vote (`--voters`); 0 for as many as suit the size.
    public var voters = 0

    /// A node that founds a cluster alone, with defaults for all else.
    public init() {}

    /// Throws what is out of range.
    func validate() throws(NodeError) {
        func check(
            _ setting: String, _ value: Int, _ allowed: ClosedRange<Int>
        ) throws(NodeError) {
            guard allowed.contains(value) else {
                throw .outOfRange(setting: setting, value: value, allowed: allowed)
            }
        }
        try check("--weight", weight, 0...Member.weightLimit)
        try check("--voters", voters, 0...7)
        try check("--bootstrap-expect", bootstrapExpect, 0...64)
        if let port = peerListen?.port { try check("--peer-listen", port, 0...65_535) }
        guard bootstrapExpect == 0 || !join.isEmpty || bootstrapExpect == 1 else {
            throw .expectsWithoutJoin(count: bootstrapExpect)
        }
        if let advertise, ["0.0.0.0", "::", "*", ""].contains(advertise) {
            throw .cannotAdvertise(advertise)
        }
    }
}
