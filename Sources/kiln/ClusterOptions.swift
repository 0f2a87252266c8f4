public import ArgumentParser
import CacheNode
import Glibc
public import Placement

extension RingSettings.Kind: ExpressibleByArgument {
    /// The kind that is called so on the command line.
    public init?(argument: String) {
        guard let kind = Self.allCases.first(where: { "\($0)" == argument }) else { return nil }
        self = kind
    }

    /// All names, for help texts and completions.
    public static var allValueStrings: [String] { allCases.map { "\($0)" } }
}

/// A list of addresses: `HOST:PORT[,HOST:PORT]`.
struct NodeAddressList: ExpressibleByArgument {
    var addresses: [NodeAddress]

    init?(argument: String) {
        let parts = argument.split(separator: ",").map { NodeAddress(text: String($0)) }
        guard !parts.isEmpty, !parts.contains(nil) else { return nil }
        addresses = parts.compactMap { $0 }
    }
}

/// One address whose port may be 0: `HOST:PORT` or `:PORT`.
struct PeerListenAddress: ExpressibleByArgument {
    var address: ListenAddress

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"),
            let port = Int(argument[argument.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = argument[..<colon]
        if host.first == "[", host.last == "]" { host = host.dropFirst().dropLast() }
        address = ListenAddress(host: host.isEmpty ? "127.0.0.1" : String(host), port: port)
    }
}

/// How a node takes part in a cluster; without any of these it is alone.
struct ClusterOptions: ParsableArguments {
    @Option(
        name: .customLong("join"),
        help: ArgumentHelp(
            "Join the cluster of these nodes, by their peer addresses; tried until it works.",
            valueName: "host:port,.."))
    var join: NodeAddressList?

    @Option(
        name: .customLong("bootstrap-expect"),
        help: ArgumentHelp(
            "Found a cluster once so many nodes know each other; the same on all of them, with"
                + " --join.", valueName: "nodes"))
    var bootstrapExpect: Int?

    @Option(
        name: .customLong("node-name"),
        help: ArgumentHelp("This node's unique name. (default: its client address)"))
    var nodeName: String?

    @Option(
        name: .customLong("advertise"),
        help: ArgumentHelp(
            "What other nodes and clients are told to connect to. (default: the address of -l)",
            valueName: "host"))
    var advertise: String?

    @Option(
        name: .customLong("peer-listen"),
        help: ArgumentHelp(
            "Where other nodes connect, TCP and UDP; port 0 takes a free one. (default: the client"
                + " address, port + 10000)", valueName: "host:port"))
    var peerListen: PeerListenAddress?

    @Option(
        name: .customLong("data-dir"),
        help: ArgumentHelp(
            "Directory of term, vote, log and identity; a node without one does not vote.",
            valueName: "path"))
    var dataDirectory: String?

    @Option(
        name: .customLong("cluster-key-file"),
        help: ArgumentHelp(
            "File (mode 0600) of the cluster's key: 32 bytes in base64 or hexadecimal. Needed where"
                + " other nodes connect over a network.", valueName: "path"))
    var keyFile: String?

    @Option(
        name: .customLong("weight"),
        help: "This node's share of the keys, 0 to 100; 0 owns none. (default: 1)")
    var weight: Int?

    @Option(
        name: .customLong("zone"),
        help: "What this node fails together with; copies go to other zones first.")
    var zone: String?

    @Option(
        name: .customLong("placement"),
        help: ArgumentHelp(
            "How a founder's cluster places keys: xxh3, ketama or range. (default: xxh3)",
            valueName: "kind"))
    var placement: RingSettings.Kind?

    @Option(
        name: .customLong("range-splits"),
        help: ArgumentHelp(
            "With --placement range: a file of keys, one a line, that begin a new range.",
            valueName: "path"))
    var rangeSplits: String?

    @Option(
        name: .customLong("voters"),
        help: "Servers that vote. (default: 1 of 2 nodes, 3 of 6, 5 of more)")
    var voters: Int?

    /// What the options describe; nil where none is given.
    var configuration: ClusterConfiguration? {
        get throws {
            let isGiven =
                join != nil || bootstrapExpect != nil || nodeName != nil || advertise != nil
                || peerListen != nil || dataDirectory != nil || keyFile != nil || weight != nil
                || zone != nil || placement != nil || rangeSplits != nil || voters != nil
            guard isGiven else { return nil }
            var cluster = ClusterConfiguration()
            cluster.join = join?.addresses ?? []
            cluster.bootstrapExpect = bootstrapExpect ?? 0
            cluster.nodeName = nodeName
            cluster.advertise = advertise
            cluster.peerListen = peerListen?.address
            cluster.dataDirectory = dataDirectory
            cluster.keyFile = keyFile
            cluster.weight = weight ?? 1
            cluster.zone = zone ?? ""
            cluster.voters = voters ?? 0
            cluster.ring = RingSettings(placement ?? .xxh3, splits: try splits)
            return cluster
        }
    }

    private var splits: [[UInt8]] {
        get throws {
            guard let rangeSplits else { return [] }
            guard placement == .range else {
                throw ValidationError("--range-splits goes with --placement range")
            }
            guard let file = fopen(rangeSplits, "r") else {
                throw ValidationError("--range-splits: \(rangeSplits) cannot be opened")
            }
            defer { fclose(file) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = fread(&buffer, 1, buffer.count, file), count > 0 {
                bytes += buffer[..<count]
            }
            return bytes.split(separator: UInt8(ascii: "\n")).map { Array($0) }
        }
    }
}
