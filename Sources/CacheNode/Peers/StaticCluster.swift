// A cluster whose members are written down: what forwarding needs to know of the others.
internal import Glibc
internal import Primitives

/// A node of a cluster, as the others reach it.
public struct PeerMember: Equatable, Sendable {
    /// Its unique name.
    public var name: String
    /// The numeric address of its peer port.
    public var host: String
    /// Its peer port.
    public var port: Int
    /// Its part of the keys, against the others' weights; 0 owns none.
    public var weight: Int
}

/// Members that never change, and who of them owns what.
public struct StaticCluster: Equatable, Sendable {
    /// The number all members share.
    public var identifier: UInt64
    /// Tables with equal epochs are equal.
    public var epoch: UInt64
    /// All members, in the same order on every node.
    public var members: [PeerMember]
    /// Which of them this node is.
    public var own: Int

    /// Most members: an owner is one byte of the table.
    static let memberLimit = 255
    /// The top bits of a hash that tell its owner.
    static let tableBits: UInt64 = 12

    /// Reads a description: a line `cluster ID EPOCH`, then `node NAME HOST PORT WEIGHT` for each
    /// member; nil where it says something else, or has no member `name`.
    ///
    /// Hosts are of the loopback range: links do not prove who speaks, so none may face a network.
    public init?(parsing text: String, name: String) {
        var head: (UInt64, UInt64)?
        var members: [PeerMember] = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words.count == 3, words[0] == "cluster", let id = UInt64(words[1]),
                let epoch = UInt64(words[2])
            {
                head = (id, epoch)
            } else if words.count == 5, words[0] == "node", let port = Int(words[3]),
                Self.isLoopback(words[2]), (1...65535).contains(port), let weight = Int(words[4]),
                (0...1000).contains(weight)
            {
                members.append(
                    PeerMember(name: words[1], host: words[2], port: port, weight: weight))
            } else {
                return nil
            }
        }
        guard let head, let own = members.firstIndex(where: { $0.name == name }),
            members.count <= Self.memberLimit, members.contains(where: { $0.weight > 0 })
        else { return nil }
        (identifier, epoch) = head
        self.members = members
        self.own = own
    }

    private static func isLoopback(_ host: String) -> Bool {
        host == "::1" || host.hasPrefix("127.")
    }

    /// Reads the description in a file; nil where it can't be read or says something else.
    public init?(file path: String, name: String) {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
            text += buffer[0..<count]
        }
        self.init(parsing: String(decoding: text, as: UTF8.self), name: name)
    }

    /// The owner of every part of the hash space.
    var ownerTable: [UInt8] {
        var turns: [UInt8] = []
        for (position, member) in members.enumerated() {
            turns += Array(repeating: UInt8(position), count: member.weight)
        }
        return (0..<(1 << Int(Self.tableBits))).map { turns[$0 % turns.count] }
    }
}
