// The rules of starting: from what a node was told to a control plane that runs.
internal import ControlPlane
internal import Glibc
internal import Placement
internal import Primitives
internal import Raft
internal import SWIM

/// A clustered node between its configuration and its control thread.
final class ClusterStart {
    /// Other nodes connect to the client port and this, unless told otherwise.
    static let peerPortDistance = 10_000

    let cluster: ClusterShared
    private let sockets: PeerSockets
    private let disk: DiskThread?
    private let instance: ControlPlaneInstance
    private let effects: [ControlPlaneInstance.Effect]

    /// Opens the sockets for other nodes; nil for a node that is alone.
    static func openSockets(
        _ configuration: NodeConfiguration, _ listeners: [Listener]
    ) throws(NodeError) -> PeerSockets? {
        guard let cluster = configuration.cluster, let client = listeners.first else { return nil }
        let address = cluster.peerListen ?? ListenAddress(host: client.name)
        let port = address.port ?? client.port + peerPortDistance
        guard port <= 65_535 else { throw .peerPortOutOfRange(port: port) }
        let sockets = try PeerSockets(address, port: port, backlog: configuration.backlog)
        guard sockets.areLoopback || cluster.keyFile != nil else {
            throw .needsClusterKey(address: "\(address.host):\(port)")
        }
        return sockets
    }

    /// Makes the control plane of a node that takes part in a cluster.
    init(
        _ told: ClusterConfiguration, client: Listener, sockets: PeerSockets, _ clock: NodeClock
    ) throws(NodeError) {
        let member = try Self.member(told, client, sockets)
        var key = ClusterKey.none
        if let path = told.keyFile { key = try ClusterKey(file: path) }
        // A date tells lives apart where no disk does; where one does, they rise even if the date
        // was set back.
        let date = UInt64(clamping: clock.wallMicroseconds / 1_000)
        var identity = Identity(name: member.name, life: date)
        var persisted: RaftInstance.PersistedState?
        if let path = told.dataDirectory {
            let directory = try DataDirectory.open(path: path)
            if let known = directory.identity {
                guard known.name == member.name else {
                    throw .foreignDataDirectory(path: path, name: known.name, wanted: member.name)
                }
                identity.cluster = known.cluster
                identity.life = max(date, known.life + 1)
                identity.incarnation = known.incarnation + 1
            }
            cluster = try ClusterShared(told, key: key, member: member, life: identity.life)
            let (thread, state) = try DiskThread.start(directory, cluster)
            disk = thread
            persisted = state
        } else {
            cluster = try ClusterShared(told, key: key, member: member, life: identity.life)
            disk = nil
        }
        self.sockets = sockets
        let start = Self.start(told)
        try Self.check(member, start, identity)
        var settings = ControlPlaneInstance.Settings()
        settings.voters = told.voters
        var effects: [ControlPlaneInstance.Effect] = []
        do throws(ControlPlaneError) {
            instance = try ControlPlaneInstance(
                identity: identity, member: member, start: start, disk: persisted,
                settings: settings, seed: UInt64.random(in: 0...UInt64.max), at: clock.now,
                effects: &effects)
        } catch { throw .controlPlane(error) }
        self.effects = effects
    }

    /// Starts the control thread.
    func run(_ shared: NodeShared) throws(NodeError) -> pthread_t {
        let shell = try ControlShell(
            shared, cluster, disk: disk, instance: instance, effects: effects, sockets: sockets)
        return try ControlShell.start(shell)
    }

    // MARK: What others are told

    private static func member(
        _ told: ClusterConfiguration, _ client: Listener, _ sockets: PeerSockets
    ) throws(NodeError) -> Member {
        let host = told.advertise ?? client.name
        guard !isAnyAddress(host) else { throw .cannotAdvertise(host) }
        var peerHost = told.peerListen?.host ?? host
        if isAnyAddress(peerHost) || told.advertise != nil { peerHost = host }
        let address = NodeAddress(host: host, port: client.port)
        return Member(
            name: told.nodeName ?? address.text, weight: told.weight, zone: told.zone,
            client: address, peer: NodeAddress(host: peerHost, port: sockets.port))
    }

    private static func isAnyAddress(_ host: String) -> Bool {
        ["0.0.0.0", "::", "*", ""].contains(host)
    }

    private static func start(_ told: ClusterConfiguration) -> Start {
        let seeds = told.join.map { SWIMInstance.Address($0.text) }
        if seeds.isEmpty { return .found(told.ring) }
        return told.bootstrapExpect > 0
            ? .expect(told.bootstrapExpect, seeds, told.ring) : .join(seeds)
    }

    /// Refuses what the cluster would refuse later, and silently.
    private static func check(
        _ member: Member, _ start: Start, _ identity: Identity
    ) throws(NodeError) {
        var sample = member
        var ring = RingSettings()
        if case .found(let wanted) = start, identity.cluster == 0 {
            ring = wanted
        } else {
            // Whoever joins others may own nothing.
            sample.weight = max(1, sample.weight)
        }
        if case .expect(_, _, let wanted) = start { ring = wanted }
        do throws(PlacementError) {
            _ = try CoordinatorState(founding: 1, sample, ring)
        } catch { throw .controlPlane(.cannotFound(error)) }
    }
}
