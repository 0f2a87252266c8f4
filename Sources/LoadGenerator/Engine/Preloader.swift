// Storing every key once before a run.
import Glibc
import Primitives
import Synchronization

/// Stores one thread's part of the keys on every server that may be asked for them.
struct Preloader: ~Copyable {
    private let plan: LoadPlan
    private let thread: Int
    private let live: LiveCounters
    private var writer = ByteWriter(capacity: 64 << 10)

    /// Commands sent before their answers are read, and bytes of them: the answers must fit into
    /// the socket's buffer while nobody reads them.
    private static let commandLimit = 512
    private static let byteLimit = 256 << 10

    init(plan: LoadPlan, thread: Int, live: LiveCounters) {
        self.plan = plan
        self.thread = thread
        self.live = live
    }

    /// Stores the keys; `stops` is asked between batches.
    mutating func run(_ state: RunState) throws(LoadError) {
        let settings = plan.settings
        let source = RequestSource(settings: settings, thread: thread)
        let owners = plan.ring.map { KeyServers(ring: $0, keyCount: settings.keyCount) }
        let values = ValueBlock(byteCount: settings.valueSizes.largest)
        defer { values.release() }
        var loaded: UInt64 = 0
        for (index, server) in plan.servers.enumerated() {
            var connection = try LineConnection(to: server)
            var random = SeededGenerator(seed: RequestSource.seed(settings.seed, thread))
            var key = UInt64(thread)
            while key < settings.keyCount, !state.stops.load(ordering: .relaxed) {
                var commands = 0
                writer.removeAll()
                while key < settings.keyCount, commands < Self.commandLimit,
                    writer.count < Self.byteLimit
                {
                    if owners.map({ $0.server(of: key, source) == index }) ?? true {
                        append(key, settings.valueSizes.next(using: &random), source, values)
                        commands += 1
                    }
                    key += UInt64(settings.threads)
                }
                try connection.send(writer.unsafeBytes)
                for _ in 0..<commands {
                    let line = try connection.readLine()
                    guard line == "STORED" || line == "HD" else {
                        throw .cannotStore(server: server.name, reply: line)
                    }
                }
                loaded += UInt64(commands)
                live.show(.loaded, loaded)
            }
        }
    }

    private mutating func append(
        _ key: UInt64, _ size: Int, _ source: borrowing RequestSource, _ values: ValueBlock
    ) {
        let isMeta = plan.settings.wire == .meta
        writer.append(isMeta ? "ms " : "set ")
        source.appendKey(key, to: &writer)
        if isMeta {
            writer.append(" ")
            writer.append(decimal: UInt64(size))
            writer.append(" T")
            writer.append(decimal: UInt64(plan.settings.ttlSeconds))
        } else {
            writer.append(" 0 ")
            writer.append(decimal: UInt64(plan.settings.ttlSeconds))
            writer.append(" ")
            writer.append(decimal: UInt64(size))
        }
        writer.append("\r\n")
        writer.append(unsafe: values.bytes(size))
        writer.append("\r\n")
    }
}
