// What load is sent where: the values behind the flags of `kiln bench`.
import Placement

/// A server to load.
public struct ServerTarget: Equatable, Sendable {
    /// How it is reached.
    public enum Location: Equatable, Sendable {
        /// A name or address, and a port.
        case network(host: String, port: Int)
        /// A unix socket.
        case unix(path: String)
    }

    /// How results name it.
    public var name: String
    /// How it is reached.
    public var location: Location

    /// A server that results call `name`.
    public init(name: String, location: Location) {
        self.name = name
        self.location = location
    }
}

/// How a client picks the server for a request.
public enum Routing: String, CaseIterable, Sendable {
    /// Any server at random, for each batch of a client.
    case any
    /// One server per client, dealt in turn.
    case sticky
    /// The server that owns the key on libmemcached's weighted ketama ring.
    case ketama
}

/// Which of memcached's two protocols is spoken.
public enum WireProtocol: String, CaseIterable, Sendable {
    /// `get` and `set`.
    case text
    /// `mg` and `ms`.
    case meta
}

/// When a run ends.
public enum RunLength: Equatable, Sendable {
    /// After so many seconds.
    case seconds(Double)
    /// After so many answered operations.
    case requests(UInt64)
}

/// How operations of an open loop are spaced.
public enum Arrivals: String, CaseIterable, Sendable {
    /// Independent users: exponential gaps.
    case poisson
    /// A metronome: equal gaps.
    case uniform
}

/// Everything that decides a run's load.
public struct LoadSettings: Sendable {
    /// The servers, in the order given.
    public var servers: [ServerTarget]
    /// How a client picks among them.
    public var routing = Routing.sticky
    /// The protocol spoken.
    public var wire = WireProtocol.text
    /// Virtual clients over all threads; each has one connection to each server it may use.
    public var clients = 50
    /// Threads that send load.
    public var threads = 1
    /// Requests a client has under way at most.
    ///
    /// In closed loop they are sent together, and the
    /// next ones follow when all are answered.
    public var pipeline = 1
    /// Keys of one read.
    public var keysPerGet = 1
    /// Writes among all operations, 0 through 1.
    public var writeShare = 0.1
    /// Sizes of values written.
    public var valueSizes = SizeDistribution.fixed(100)
    /// Seconds that written items live; 0: for ever.
    public var ttlSeconds = 0
    /// How many different keys there are.
    public var keyCount: UInt64 = 100_000
    /// What every key begins with.
    public var keyPrefix = "key:"
    /// Bytes that a key has at least; shorter ones are filled up with zeros before the number.
    public var keyBytes = 0
    /// Which keys are asked for.
    public var keys = KeyDistribution.uniform
    /// Share of all requests, 0 through 1, that a crowd on one key adds to ``keys``.
    public var crowdShare = 0.0
    /// Seconds of the same load before the measured part.
    public var warmupSeconds = 0.5
    /// Whether every key is stored once before.
    public var preloads = false
    /// When the measured part ends.
    public var length = RunLength.seconds(5)
    /// Operations a second that are due whether or not earlier ones were answered (open loop);
    /// nil: the next follows the answer (closed loop).
    public var rate: Double?
    /// How an open loop's operations are spaced.
    public var arrivals = Arrivals.poisson
    /// What all randomness comes from.
    public var seed: UInt64 = 1
    /// Whether a lost connection is opened again, its requests counted as errors.
    public var continuesOnError = false
    /// Processes of the servers on this machine, to read their processor time.
    public var serverProcesses: [Int32] = []

    /// Loads `servers` with everything at its default.
    public init(servers: [ServerTarget]) {
        self.servers = servers
    }

    /// Most clients of one run: each is a file descriptor per server.
    public static let clientLimit = 100_000
    /// Most requests a client has under way.
    public static let pipelineLimit = 4_096
    /// Most keys of one read; memcached itself has no limit.
    public static let keysPerGetLimit = 1_000
    /// Most bytes of a value.
    public static let valueLimitBytes = 128 << 20
    /// Most threads.
    public static let threadLimit = 64
    /// Most different keys.
    public static let keyCountLimit: UInt64 = 1 << 40

    /// Throws unless the settings make sense together.
    public func validate() throws(LoadError) {
        try validateServers()
        try validateNumbers()
        if case .trace = keys, preloads {
            throw .contradiction("--load has no meaning with a trace: it stores its own keys")
        }
        if case .hotspot(let hot, _) = keys, hot >= keyCount {
            throw .contradiction("--keys hotspot:\(hot)/..: it must be less than --key-count")
        }
        let digits = String(keyCount).utf8.count
        guard max(keyBytes, keyPrefix.utf8.count + digits) <= 250 else {
            throw .contradiction("keys would be longer than the protocol's 250 bytes")
        }
        guard keyPrefix.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            throw .contradiction("--key-prefix holds a space or control character")
        }
    }

    private func validateServers() throws(LoadError) {
        guard !servers.isEmpty, servers.count <= 1_000 else {
            throw .contradiction("--server: name 1 through 1,000 servers")
        }
        guard routing == .ketama else { return }
        for server in servers {
            guard case .unix = server.location else { continue }
            throw .contradiction(
                "--routing ketama places servers by host and port: no unix sockets")
        }
    }

    private func validateNumbers() throws(LoadError) {
        try require((1...Self.threadLimit).contains(threads), "--threads", Self.threadLimit)
        try require((1...Self.clientLimit).contains(clients), "--clients", Self.clientLimit)
        guard threads <= clients else {
            throw .contradiction("--threads \(threads) is more than --clients \(clients)")
        }
        try require((1...Self.pipelineLimit).contains(pipeline), "--pipeline", Self.pipelineLimit)
        try require((1...Self.keysPerGetLimit).contains(keysPerGet), "--mget", Self.keysPerGetLimit)
        guard (1...Self.keyCountLimit).contains(keyCount) else {
            throw .contradiction("--key-count: 1 through \(Self.keyCountLimit)")
        }
        guard ttlSeconds >= 0 else { throw .contradiction("--ttl must not be negative") }
        guard (0...1).contains(writeShare) else {
            throw .contradiction("the share of writes must be 0 through 1")
        }
        guard (0..<1).contains(crowdShare) else {
            throw .contradiction("the crowd's share must be at least 0 and below 100 %")
        }
        guard (0...3_600).contains(warmupSeconds) else {
            throw .contradiction("--warmup: 0 through 3600 seconds")
        }
        if let rate, !(rate > 0 && rate <= 1e8) {
            throw .contradiction("--rate must be above 0 and at most 100,000,000 a second")
        }
        switch length {
        case .seconds(let seconds) where !(seconds > 0 && seconds <= 86_400):
            throw .contradiction("--time must be above 0 and at most 86400 seconds")
        case .requests(let count) where count < UInt64(threads):
            throw .contradiction("--requests must be at least one per thread")
        default: break
        }
    }

    private func require(_ holds: Bool, _ flag: String, _ limit: Int) throws(LoadError) {
        guard holds else { throw .contradiction("\(flag): 1 through \(limit)") }
    }

    /// The ring of ``Routing/ketama``, one server per target, all of weight 1.
    func ketamaRing() throws(LoadError) -> KetamaRing {
        var members: [KetamaRing.Server] = []
        for server in servers {
            guard case .network(let host, let port) = server.location else { continue }
            members.append(KetamaRing.Server(host: host, port: port, weight: 1))
        }
        do throws(PlacementError) {
            return try KetamaRing(members)
        } catch {
            throw .contradiction("--routing ketama: \(error)")
        }
    }
}
