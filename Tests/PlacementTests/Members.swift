// Members and keys as the tests of this room need them.
import Placement
import Primitives

/// Members with these names, weight 1 each unless told otherwise.
func members(_ names: [String], weight: Int = 1, zones: [String] = [""]) -> [Member] {
    names.enumerated().map { index, name in
        member(name, weight: weight, zone: zones[index % zones.count])
    }
}

/// `count` members of weight 1.
func members(_ count: Int, prefix: String = "node-", zones: [String] = [""]) -> [Member] {
    members((0..<count).map { "\(prefix)\($0)" }, zones: zones)
}

/// A member that listens on its own name.
func member(
    _ name: String, weight: Int = 1, zone: String = "", incarnation: UInt64 = 1
) -> Member {
    Member(
        name: name, incarnation: incarnation, weight: weight, zone: zone,
        client: NodeAddress(host: name, port: 11_211), peer: NodeAddress(host: name, port: 21_211))
}

/// The number of the member with this name.
func id(_ name: String) -> NodeID { Member.id(ofName: name) }

extension RoutingTable {
    /// The name of the owner of a key.
    func owner(of key: String) -> String {
        topology.members[Int(route(key).owner)].name
    }

    /// The route of a key.
    func route(_ key: String) -> Route { route(Array(key.utf8)) }

    /// The route of a key.
    func route(_ key: [UInt8]) -> Route {
        route(key.span.bytes, KeyHash(of: key.span.bytes))
    }
}

extension Topology {
    /// Its table, as no member sees it.
    var table: RoutingTable {
        get throws { try RoutingTable(self, for: NodeID(0)) }
    }

    /// For every member, its part of the ring.
    var shares: [Double] {
        get throws {
            let table = try table
            var shares = [Double](repeating: 0, count: members.count)
            for index in 0..<table.arcCount {
                guard case .positions(let before, let last) = table.arc(index) else { continue }
                let length = before == last ? 0x1p64 : Double(last &- before)
                shares[table.owner(ofArc: index)] += length / 0x1p64
            }
            return shares
        }
    }
}
