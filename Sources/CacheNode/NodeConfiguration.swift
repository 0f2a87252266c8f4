/// One address a node listens on: `-l HOST` or `-l HOST:PORT`.
public struct ListenAddress: Equatable, Sendable {
    /// A name, an IPv4 address or an IPv6 address without brackets.
    public var host: String
    /// The port, or nil for ``NodeConfiguration/port``.
    public var port: Int?

    /// An address on `port`, or on the node's client port when nil.
    public init(host: String, port: Int? = nil) {
        self.host = host
        self.port = port
    }
}

/// What a node does about hot keys.
public enum HotKeysMode: String, CaseIterable, Sendable {
    /// Nothing is counted.
    case off
    /// They are found, and what would be done is logged.
    case observe
    /// They are found and acted on, as far as there are other nodes to act with.
    case on
}

/// Everything a node is told before it starts.
///
/// Values are as given; ``validate()`` judges them. The names follow memcached's options; each
/// field says which flag sets it.
public struct NodeConfiguration: Equatable, Sendable {
    /// Client port for every address that names none (`-p`); 0 takes a free one.
    public var port = 11211
    /// Addresses to listen on (`-l`).
    ///
    /// The default is loopback: a cache without authentication must not face a network unless told
    /// to. Not used when ``unixSocketPath`` is set.
    public var listen = [ListenAddress(host: "127.0.0.1")]
    /// Memory for items, index and connection buffers, in bytes (`-m`, given in MiB).
    public var memoryLimitBytes = 64 << 20
    /// Client connections held at once (`-c`).
    public var connectionLimit = 1024
    /// Event loops (`-t`); by default the processor's cores, at most 4.
    public var threads: Int
    /// Largest value that is stored, in bytes (`-I`).
    public var itemSizeLimitBytes = 1 << 20
    /// How much is logged (`-v`, `-vv`, `-vvv`): 0 through 3.
    public var verbosity = 0
    /// Connections the kernel queues before they are accepted (`-b`).
    public var backlog = 1024
    /// Requests one connection may run before others get their turn (`-R`).
    ///
    /// memcached's default is 20; here a turn takes at most 32 KiB from a connection anyway.
    public var requestsPerEvent = 512
    /// Path of a unix socket to serve instead of TCP (`-s`), or nil.
    public var unixSocketPath: String?
    /// File mode of the unix socket (`-a`, octal).
    public var unixSocketMask = 0o700
    /// Whether a client may stop the node with `shutdown` (`-A`).
    public var allowsShutdown = false
    /// Whether `flush_all` is carried out (`-F` turns it off).
    public var flushAllEnabled = true
    /// Whether keys may be listed: `stats cachedump`, `lru_crawler metadump` (`-X` turns it off).
    public var dumpEnabled = true
    /// Whether `watch` is carried out (`-W` turns it off).
    public var watchEnabled = true
    /// Whether items are evicted when memory is full; otherwise writes fail (`-M`).
    public var evicts = true
    /// File that holds the process id while the node runs (`-P`), or nil.
    public var pidFile: String?
    /// User to become after the sockets are open (`-u`), or nil; only root can change its user.
    public var user: String?
    /// File that names the open ports, written when the node is ready (`--ports-file`), or nil.
    ///
    /// With ``port`` 0 it is how a script learns the port. One line each: `client PORT`.
    public var portsFile: String?
    /// Seconds without a byte after which a client's connection is closed; 0: never.
    public var idleTimeoutSeconds = 0
    /// What is done about hot keys (`--hot-keys`).
    public var hotKeys = HotKeysMode.on
    /// Whether keys are shown as keyed hashes where they are listed as hot (`--redact-keys`).
    public var redactsKeys = false
    /// How it takes part in a cluster, or nil for a node that is alone.
    public var cluster: ClusterConfiguration?
    /// Options accepted for memcached's sake that change nothing here, as the user wrote them.
    ///
    /// The node logs them in one line.
    public var ignoredOptions: [String] = []

    /// The defaults, for a machine with `cores` processor cores.
    public init(cores: Int) {
        threads = min(max(cores, 1), Self.defaultThreadsLimit)
    }

    /// More loops than this rarely pay before they are asked for; memcached's default is 4, too.
    public static let defaultThreadsLimit = 4
    /// memcached warns above 64 loops; a cache that needs more is better run as several nodes.
    public static let threadsRange = 1...64
    /// 1 MiB through 16 TiB: the index names a segment by 24 bits, and a segment is at most 1 MiB.
    public static let memoryRangeBytes = (1 << 20)...(1 << 44)
    /// memcached's bounds for `-I`: 1 KiB through 1 GiB.
    public static let itemSizeRangeBytes = (1 << 10)...(1 << 30)
    /// A connection costs a descriptor; Linux allows about a million per process (`fs.nr_open`).
    public static let connectionRange = 1...1_048_576
    /// A cache holds this part of its memory in one item at most, as memcached demands.
    public static let itemShareOfMemory = 2

    /// Throws when a setting is out of its range or two settings contradict each other.
    public func validate() throws(NodeError) {
        let listenPorts = listen.compactMap(\.port)
        for number in [port] + listenPorts {
            try check("-p", number, in: 0...65535)
        }
        try check("-m (in bytes)", memoryLimitBytes, in: Self.memoryRangeBytes)
        try check("-c", connectionLimit, in: Self.connectionRange)
        try check("-t", threads, in: Self.threadsRange)
        try check("-I (in bytes)", itemSizeLimitBytes, in: Self.itemSizeRangeBytes)
        try check("-b", backlog, in: 1...Int(Int32.max))
        try check("-R", requestsPerEvent, in: 1...Int(Int32.max))
        try check("-a", unixSocketMask, in: 0...0o777)
        try check("--idle-timeout", idleTimeoutSeconds, in: 0...Int(Int32.max))
        if let cluster {
            try cluster.validate()
            guard unixSocketPath == nil else { throw .clusterNeedsTCP }
        }
        guard itemSizeLimitBytes <= memoryLimitBytes / Self.itemShareOfMemory else {
            throw .itemLimitAboveMemory(
                itemBytes: itemSizeLimitBytes, memoryBytes: memoryLimitBytes)
        }
        guard unixSocketPath != nil || !listen.isEmpty else { throw .nothingToListenOn }
        if let path = unixSocketPath {
            // `sockaddr_un` holds 108 bytes with the closing zero.
            try check("length of the -s path", path.utf8.count, in: 1...107)
        }
    }

    private func check(
        _ setting: String, _ value: Int, in range: ClosedRange<Int>
    ) throws(NodeError) {
        guard range.contains(value) else {
            throw .outOfRange(setting: setting, value: value, allowed: range)
        }
    }
}
