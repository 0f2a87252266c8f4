// What a member tells of itself beside being there.

extension SWIMInstance {
    /// What others need to know of a member; it changes only together with its incarnation.
    public struct Metadata: Hashable, Sendable {
        /// Bytes of all texts together, at most: one such update, one accusation and a message's
        /// head must fit into a datagram.
        public static let limitBytes = 1_000

        /// The highest weight: it multiplies virtual nodes.
        public static let weightLimit: UInt32 = 1_000

        /// The name that the member's ``Primitives/NodeID`` was derived from.
        public var name: String
        /// Where it takes part in this protocol and other nodes connect.
        public var peer: Address
        /// Where clients connect.
        public var client: Address
        /// Where its admin pages are.
        public var http: Address
        /// Where it stands: copies prefer other zones.
        public var zone: String
        /// Its share of the ring; 0 owns nothing.
        public var weight: UInt32

        /// Puts a member's facts together.
        public init(
            name: String, peer: Address, client: Address = "", http: Address = "",
            zone: String = "", weight: UInt32 = 1
        ) {
            self.name = name
            self.peer = peer
            self.client = client
            self.http = http
            self.zone = zone
            self.weight = weight
        }

        /// Checks that others will accept it.
        ///
        /// - Throws: ``SWIMError/metadata(field:count:limit:)`` for the first field that is too
        ///   long or too large.
        public func validate() throws(SWIMError) {
            try Self.check("peer", peer.text.utf8.count, Address.limitBytes)
            try Self.check("client", client.text.utf8.count, Address.limitBytes)
            try Self.check("http", http.text.utf8.count, Address.limitBytes)
            try Self.check("weight", Int(weight), Int(Self.weightLimit))
            try Self.check("texts", textBytes, Self.limitBytes)
        }

        private static func check(
            _ field: String, _ count: Int, _ limit: Int
        ) throws(SWIMError) {
            guard count <= limit else {
                throw .metadata(field: field, count: count, limit: limit)
            }
        }

        var textBytes: Int {
            name.utf8.count + peer.text.utf8.count + client.text.utf8.count
                + http.text.utf8.count + zone.utf8.count
        }
    }
}
