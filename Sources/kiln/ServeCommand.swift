public import ArgumentParser
public import CacheNode
import Glibc
import Logging

/// `kiln serve`: memcached's options in, a ``NodeConfiguration`` out.
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run a node.",
        discussion: """
            Takes memcached's options, in memcached's spellings (-p11211, -vv, -m 1024). Listens \
            on 127.0.0.1 unless -l says otherwise.
            """
    )

    @OptionGroup(title: "Network") var network: NetworkOptions
    @OptionGroup(title: "Limits") var limits: LimitOptions
    @OptionGroup(title: "Commands clients may use") var permissions: PermissionOptions
    @OptionGroup(title: "Hot keys") var hotKeys: HotKeyOptions
    @OptionGroup(title: "Cluster") var cluster: ClusterOptions
    @OptionGroup(title: "Process") var process: ProcessOptions
    @OptionGroup(title: "Accepted without effect, for memcached's sake") var ignored: IgnoredOptions

    /// The configuration the options describe, before it is validated.
    func nodeConfiguration(cores: Int) throws -> NodeConfiguration {
        var node = NodeConfiguration(cores: cores)
        network.apply(to: &node)
        limits.apply(to: &node)
        permissions.apply(to: &node)
        hotKeys.apply(to: &node)
        node.cluster = try cluster.configuration
        process.apply(to: &node)
        ignored.apply(to: &node)
        return node
    }

    func run() throws {
        let node = try nodeConfiguration(cores: sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        do {
            let logger = Logger(label: "kiln") { _ in NodeLog(verbosity: node.verbosity) }
            let code = try CacheNodeMain.run(node, logger: logger)
            if code != 0 { throw ExitCode(code) }
        } catch let error as NodeError {
            complain("kiln: \(error)")
            throw ExitCode(error.exitCode)
        }
    }
}

/// Where a node listens.
struct NetworkOptions: ParsableArguments {
    @Option(
        name: [.customShort("p"), .customLong("port")],
        help: "TCP port; 0 takes a free one, see --ports-file. (default: 11211)")
    var port: Int?

    @Option(
        name: [.customShort("l"), .customLong("listen")],
        help: ArgumentHelp(
            "Address to listen on, or several by commas; may be repeated. (default: 127.0.0.1)",
            valueName: "host[:port]"))
    var listen: [ListenList] = []

    @Option(
        name: [.customShort("s"), .customLong("unix-socket")],
        help: ArgumentHelp("Unix socket to serve; TCP is off then.", valueName: "path"))
    var unixSocket: String?

    @Option(
        name: [.customShort("a"), .customLong("unix-mask")],
        help: "Mode of the unix socket, octal. (default: 700)")
    var unixMask: OctalMode?

    @Option(
        name: [.customShort("b"), .customLong("listen-backlog")],
        help: "Connections the kernel queues until they are accepted. (default: 1024)")
    var backlog: Int?

    @Option(
        name: .customLong("ports-file"),
        help: ArgumentHelp("Write the open ports to this file when ready.", valueName: "path"))
    var portsFile: String?

    @Option(
        name: [.customShort("U"), .customLong("udp-port")],
        help: "UDP port; only 0 (off), as UDP is not served. (default: 0)")
    var udpPort: Int?

    func validate() throws {
        guard let udpPort, udpPort != 0 else { return }
        throw ValidationError(
            "-U \(udpPort) asks for UDP, which kiln does not serve: leave it out, or give -U 0")
    }

    func apply(to node: inout NodeConfiguration) {
        if let port { node.port = port }
        if !listen.isEmpty { node.listen = listen.flatMap(\.addresses) }
        if let unixSocket {
            node.unixSocketPath = unixSocket
            node.listen = []
        }
        if let unixMask { node.unixSocketMask = unixMask.value }
        if let backlog { node.backlog = backlog }
        node.portsFile = portsFile
    }
}

/// What a node may use at most.
struct LimitOptions: ParsableArguments {
    @Option(
        name: [.customShort("m"), .customLong("memory-limit")],
        help: ArgumentHelp("Memory for items, in MiB. (default: 64)", valueName: "mebibytes"))
    var memory: Mebibytes?

    @Option(
        name: [.customShort("I"), .customLong("max-item-size")],
        help: ArgumentHelp(
            "Largest value; k and m count KiB and MiB. (default: 1m)", valueName: "size"))
    var itemSize: ByteSize?

    @Option(
        name: [.customShort("c"), .customLong("conn-limit")],
        help: "Client connections at once. (default: 1024)")
    var connections: Int?

    @Option(
        name: [.customShort("t"), .customLong("threads")],
        help: "Event loops. (default: the cores, at most 4)")
    var threads: Int?

    @Option(
        name: [.customShort("R"), .customLong("max-reqs-per-event")],
        help: "Requests one connection runs before others get their turn. (default: 20)")
    var requestsPerEvent: Int?

    @Option(
        name: .customLong("idle-timeout"),
        help: ArgumentHelp(
            "Close a connection without traffic after this time; 0: never. (default: 0)",
            valueName: "seconds"))
    var idleTimeout: Int?

    @Flag(
        name: [.customShort("M"), .customLong("disable-evictions")],
        help: "Refuse writes when memory is full, instead of evicting.")
    var disableEvictions = false

    func apply(to node: inout NodeConfiguration) {
        if let memory { node.memoryLimitBytes = memory.bytes }
        if let itemSize { node.itemSizeLimitBytes = itemSize.bytes }
        if let connections { node.connectionLimit = connections }
        if let threads { node.threads = threads }
        if let requestsPerEvent { node.requestsPerEvent = requestsPerEvent }
        if let idleTimeout { node.idleTimeoutSeconds = idleTimeout }
        node.evicts = !disableEvictions
    }
}

/// What clients are allowed.
struct PermissionOptions: ParsableArguments {
    @Flag(
        name: [.customShort("A"), .customLong("enable-shutdown")],
        help: "Let clients stop the node with `shutdown`.")
    var enableShutdown = false

    @Flag(
        name: [.customShort("F"), .customLong("disable-flush-all")],
        help: "Refuse `flush_all`.")
    var disableFlushAll = false

    @Flag(
        name: [.customShort("X"), .customLong("disable-dumping")],
        help: "Refuse `stats cachedump` and `lru_crawler metadump`.")
    var disableDumping = false

    @Flag(
        name: [.customShort("W"), .customLong("disable-watching")],
        help: "Refuse `watch`.")
    var disableWatching = false

    func apply(to node: inout NodeConfiguration) {
        node.allowsShutdown = enableShutdown
        node.flushAllEnabled = !disableFlushAll
        node.dumpEnabled = !disableDumping
        node.watchEnabled = !disableWatching
    }
}

extension HotKeysMode: ExpressibleByArgument {}

/// What is done about hot keys.
struct HotKeyOptions: ParsableArguments {
    @Option(
        name: .customLong("hot-keys"),
        help: ArgumentHelp(
            "off; observe: find them, log what would be done; on: act, for which a single node has"
                + " no place, so it is observe there. (default: on)", valueName: "mode"))
    var mode: HotKeysMode?

    @Flag(
        name: .customLong("redact-keys"),
        help: "Show keyed hashes instead of names where hot keys are listed.")
    var redactKeys = false

    func apply(to node: inout NodeConfiguration) {
        if let mode { node.hotKeys = mode }
        node.redactsKeys = redactKeys
    }
}

/// What the process does besides serving.
struct ProcessOptions: ParsableArguments {
    @Flag(
        name: [.customShort("v"), .customLong("verbose")],
        help: "Log more; -vv and -vvv log more still.")
    var verbose: Int

    @Option(
        name: [.customShort("P"), .customLong("pidfile")],
        help: ArgumentHelp("Write the process id to this file.", valueName: "path"))
    var pidFile: String?

    @Option(
        name: [.customShort("u"), .customLong("user")],
        help: "User to become once the ports are open; for root only.")
    var user: String?

    @Flag(
        name: [.customShort("V")],
        help: "Print the version, like --version.")
    var printVersion = false

    func validate() throws {
        if printVersion { throw CleanExit.message("kiln \(KilnVersion.current)") }
    }

    func apply(to node: inout NodeConfiguration) {
        node.verbosity = min(verbose, 3)
        node.pidFile = pidFile
        node.user = user
    }
}

/// memcached's options that have no meaning here: they tune its slabs, its hash table, its daemon.
struct IgnoredOptions: ParsableArguments {
    @Flag(
        name: [.customShort("d"), .customLong("daemon")],
        help: "Run in the background (use a service manager).")
    var daemon = false

    @Flag(
        name: [.customShort("k"), .customLong("lock-memory")],
        help: "Lock memory.")
    var lockMemory = false

    @Flag(
        name: [.customShort("C"), .customLong("disable-cas")],
        help: "Save the CAS number's bytes.")
    var disableCAS = false

    @Flag(
        name: [.customShort("L"), .customLong("enable-largepages")],
        help: "Use large pages.")
    var largePages = false

    @Option(
        name: [.customShort("n"), .customLong("slab-min-size")],
        help: "Smallest slab chunk.")
    var slabMinimum: String?

    @Option(
        name: [.customShort("f"), .customLong("slab-growth-factor")],
        help: "Growth from slab to slab.")
    var slabGrowth: String?

    @Option(
        name: [.customShort("o"), .customLong("extended")],
        help: ArgumentHelp(
            "Extended options; idle_timeout=SECONDS is honoured.", valueName: "list"))
    var extended: [ExtendedOptions] = []

    func apply(to node: inout NodeConfiguration) {
        if daemon { node.ignoredOptions.append("-d") }
        if lockMemory { node.ignoredOptions.append("-k") }
        if disableCAS { node.ignoredOptions.append("-C") }
        if largePages { node.ignoredOptions.append("-L") }
        if let slabMinimum { node.ignoredOptions.append("-n \(slabMinimum)") }
        if let slabGrowth { node.ignoredOptions.append("-f \(slabGrowth)") }
        for options in extended {
            if let seconds = options.idleTimeoutSeconds { node.idleTimeoutSeconds = seconds }
            node.ignoredOptions += options.ignored.map { "-o \($0)" }
        }
    }
}
