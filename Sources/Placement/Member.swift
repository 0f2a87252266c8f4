// A node as the table of a cluster names it.
public import Primitives

/// Where a node listens.
public struct NodeAddress: Hashable, Sendable {
    /// A name or a numeric address, as it is given to others.
    public var host: String
    /// The port, 1 through 65535.
    public var port: Int

    /// Names a place to connect to.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

extension NodeAddress {
    /// The address as `HOST:PORT`, an IPv6 host in brackets.
    public var text: String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Reads `HOST:PORT`; nil where it is something else.
    public init?(text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = Int(text[text.index(after: colon)...]), (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }
}

/// A member of a cluster, with what placement and its peers need to know of it.
public struct Member: Hashable, Sendable {
    /// The number that messages and overrides name it by.
    public var id: NodeID
    /// Its unique name: what its virtual nodes are hashed from.
    public var name: String
    /// Which life of the node is meant; a later one does not inherit what an earlier one owned.
    public var incarnation: UInt64
    /// Its share of the keys in relation to the others'; 0 owns nothing.
    public var weight: Int
    /// What it fails together with: replicas and hot copies go to other zones first.
    public var zone: String
    /// Where clients connect.
    public var client: NodeAddress
    /// Where other nodes connect.
    public var peer: NodeAddress
    /// Where its admin page is, if it has one.
    public var http: NodeAddress?

    /// Describes a member; its number follows from its name unless another is given.
    public init(
        name: String, id: NodeID? = nil, incarnation: UInt64 = 1, weight: Int = 1,
        zone: String = "", client: NodeAddress, peer: NodeAddress, http: NodeAddress? = nil
    ) {
        self.id = id ?? Self.id(ofName: name)
        self.name = name
        self.incarnation = incarnation
        self.weight = weight
        self.zone = zone
        self.client = client
        self.peer = peer
        self.http = http
    }

    /// The number that belongs to a name: its hash, the same everywhere.
    public static func id(ofName name: String) -> NodeID {
        NodeID(KeyHash(of: Array(name.utf8).span.bytes).value)
    }
}

extension Member {
    /// Bytes of a name, a zone or a host.
    public static let textLimit = 255
    /// The highest weight; 160 virtual nodes each are 16,000 points.
    public static let weightLimit = 100

    /// Whether a text can stand in lists, logs and `config get cluster` as it is: graphic ASCII
    /// without the bar that separates there.
    static func isPlain(_ text: String) -> Bool {
        text.utf8.count <= textLimit
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "|") }
    }

    /// Throws what is out of range.
    func check() throws(PlacementError) {
        guard !name.isEmpty, Self.isPlain(name) else { throw .invalidName(name) }
        guard Self.isPlain(zone) else { throw .invalidName(zone) }
        guard (0...Self.weightLimit).contains(weight) else {
            throw .weightOutOfRange(server: name, weight: weight, limit: Self.weightLimit)
        }
        try client.check(of: name)
        try peer.check(of: name)
        try http?.check(of: name)
    }
}

extension NodeAddress {
    /// Throws what is out of range.
    fileprivate func check(of server: String) throws(PlacementError) {
        guard !host.isEmpty, Member.isPlain(host) else { throw .invalidName(host) }
        guard (1...65_535).contains(port) else { throw .portOutOfRange(server: server, port: port) }
    }
}
