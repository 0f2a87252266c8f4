public import ArgumentParser
import Console
import LoadGenerator

extension Routing: ExpressibleByArgument {}
extension WireProtocol: ExpressibleByArgument {}
extension Arrivals: ExpressibleByArgument {}
extension WorkloadPreset: ExpressibleByArgument {}

/// What to do when a connection breaks in the middle of a run.
enum FailurePolicy: String, ExpressibleByArgument, CaseIterable {
    case stop
    case `continue`
}

/// Where the load goes.
struct TargetOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The servers: HOST:PORT, [IPV6]:PORT or a unix socket's path, separated by commas.",
            valueName: "server,..."))
    var server = "127.0.0.1:11211"

    @Option(
        help: ArgumentHelp(
            "The servers' process ids on this machine, to show their processor time per request"
                + " (default: whoever listens on their ports of the loopback address).",
            valueName: "pid,..."))
    var serverPid: String?

    @Option(
        name: .customLong("protocol"), help: "memcached's classic commands, or its meta commands.")
    var wire: WireProtocol = .text

    @Option(help: "Clients over all threads; each has a connection of its own to a server.")
    var clients = 50

    @Option(help: "What all randomness comes from: the same seed, the same requests.")
    var seed: UInt64 = 1

    @Option(help: "What every key begins with.")
    var keyPrefix = "key:"

    /// The servers.
    func targets() throws(LoadError) -> [ServerTarget] {
        var targets: [ServerTarget] = []
        for word in server.split(separator: ",", omittingEmptySubsequences: false) {
            do throws(ConsoleError) {
                switch try ServerAddress(String(word)) {
                case .network(let host, let port):
                    targets.append(
                        ServerTarget(
                            name: String(word), location: .network(host: host, port: port)))
                case .unix(let path):
                    targets.append(ServerTarget(name: String(word), location: .unix(path: path)))
                }
            } catch {
                throw .contradiction("\(error)")
            }
        }
        return targets
    }

    /// Settings with what these options say.
    func settings() throws(LoadError) -> LoadSettings {
        var settings = LoadSettings(servers: try targets())
        settings.wire = wire
        settings.clients = clients
        settings.seed = seed
        settings.keyPrefix = keyPrefix
        for word in (serverPid ?? "").split(separator: ",") {
            guard let identifier = Int32(word), identifier > 0 else {
                throw .malformed(
                    setting: "--server-pid", text: String(word), expected: "process ids")
            }
            settings.serverProcesses.append(identifier)
        }
        return settings
    }
}

/// What load is sent, and for how long.
struct LoadOptions: ParsableArguments {
    @OptionGroup var target: TargetOptions

    @Option(
        help: """
            How a client picks a server: any (at random for each batch), sticky (one for good), \
            ketama (by the key, as libmemcached's weighted ketama does).
            """)
    var routing: Routing = .sticky

    @Option(help: "Threads that send load.")
    var threads = 1

    @Option(help: "Requests a client has under way.")
    var pipeline = 1

    @Option(help: ArgumentHelp("Keys of one read.", valueName: "keys"))
    var mget = 1

    @Option(help: ArgumentHelp("Writes to reads (default: 1:9).", valueName: "sets:gets"))
    var ratio: String?

    @Option(help: "Bytes of a value: 100, 64-4096, 100,4k, 100:9,4k:1 (with weights) or etc.")
    var valueSize: String?

    @Option(
        help: ArgumentHelp("Seconds that written items live; 0: for ever.", valueName: "seconds"))
    var ttl = 0

    @Option(help: "How many different keys.")
    var keyCount: UInt64 = 100_000

    @Option(help: "Bytes that a key has at least.")
    var keySize: Int?

    @Option(
        help: """
            Which keys: uniform, zipf:S, hotspot:K/P (K keys receive P percent), shift:SECONDS \
            (the hot set moves), sequential, latest, trace:FILE (CSV of op,key,size).
            """)
    var keys: String?

    @Option(help: "A mix known by name; other flags change parts of it.")
    var workload: WorkloadPreset?

    @Option(help: ArgumentHelp("Seconds of load before the measured part.", valueName: "seconds"))
    var warmup = 1.0

    @Flag(help: "Store every key once before.")
    var load = false

    @Option(help: ArgumentHelp("How long to measure (default: 10).", valueName: "seconds"))
    var time: Double?

    @Option(help: "Measure so many operations instead.")
    var requests: UInt64?

    @Option(
        help: """
            Operations a second that are due whatever the servers do (open loop); without it the \
            next request follows the answer (closed loop).
            """)
    var rate: Double?

    @Option(help: "How an open loop's operations are spaced.")
    var arrivals: Arrivals = .poisson

    @Option(help: "What to do when a connection breaks: stop, or count it and open it again.")
    var onError: FailurePolicy = .stop

    /// Settings with what these options say; throws where they contradict each other.
    func settings() throws(LoadError) -> LoadSettings {
        var settings = try target.settings()
        workload?.apply(to: &settings)
        settings.routing = routing
        settings.threads = threads
        settings.pipeline = pipeline
        settings.keysPerGet = mget
        settings.ttlSeconds = ttl
        settings.keyCount = keyCount
        if let keySize { settings.keyBytes = keySize }
        if let ratio { settings.writeShare = try Self.writeShare(ratio) }
        if let valueSize { settings.valueSizes = try SizeDistribution(valueSize) }
        if let keys { settings.keys = try KeyDistribution(keys) }
        settings.warmupSeconds = warmup
        settings.preloads = load
        settings.rate = rate
        settings.arrivals = arrivals
        settings.continuesOnError = onError == .continue
        settings.length = try length(settings)
        try settings.validate()
        return settings
    }

    private func length(_ settings: LoadSettings) throws(LoadError) -> RunLength {
        guard time == nil || requests == nil else {
            throw .contradiction("--time and --requests contradict each other: give one")
        }
        if let requests { return .requests(requests) }
        if time == nil, case .trace(let trace) = settings.keys {
            return .requests(UInt64(trace.operationCount))
        }
        return .seconds(time ?? 10)
    }

    private static func writeShare(_ text: String) throws(LoadError) -> Double {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let sets = Double(parts[0]), let gets = Double(parts[1]),
            sets >= 0, gets >= 0, sets + gets > 0, (sets + gets).isFinite
        else { throw .malformed(setting: "--ratio", text: text, expected: "sets:gets, as in 1:10") }
        return sets / (sets + gets)
    }

    /// The flags that decide a run, for the report.
    func described(_ settings: LoadSettings) -> [(name: String, value: String)] {
        var list: [(name: String, value: String)] = [
            ("server", target.server), ("routing", routing.rawValue),
            ("protocol", target.wire.rawValue), ("clients", "\(target.clients)"),
            ("threads", "\(threads)"), ("pipeline", "\(pipeline)"), ("mget", "\(mget)"),
            ("write-share", "\(settings.writeShare)"),
            ("value-size", valueSize ?? workload.map { "as \($0.rawValue)" } ?? "100"),
            ("ttl", "\(ttl)"), ("key-count", "\(keyCount)"), ("key-prefix", target.keyPrefix),
            ("keys", keys ?? workload.map { "as \($0.rawValue)" } ?? "uniform"),
            ("warmup", "\(warmup)"), ("load", "\(load)"), ("seed", "\(target.seed)"),
        ]
        if let workload { list.append(("workload", workload.rawValue)) }
        if let rate { list += [("rate", "\(rate)"), ("arrivals", arrivals.rawValue)] }
        switch settings.length {
        case .seconds(let seconds): list.append(("time", "\(seconds)"))
        case .requests(let count): list.append(("requests", "\(count)"))
        }
        return list
    }
}
