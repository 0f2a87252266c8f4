/// What the data path tells of one sampled request.
public struct KeySample: Equatable, Sendable {
    /// The key's hash, the one that places it on the ring.
    public var hash: UInt64
    /// Whether the request may change the item.
    public var isWrite: Bool
    /// Whether a read found the item; for writes it says nothing.
    public var isHit: Bool
    /// Bytes of the value read or written.
    public var byteCount: Int
    /// A number for the client's connection.
    public var client: UInt64
    /// Which of the node's arcs the key lies in; 0 on a single node.
    public var arc: Int

    /// A sample.
    public init(
        hash: UInt64, isWrite: Bool, isHit: Bool, byteCount: Int, client: UInt64, arc: Int = 0
    ) {
        self.hash = hash
        self.isWrite = isWrite
        self.isHit = isHit
        self.byteCount = byteCount
        self.client = client
        self.arc = arc
    }
}
