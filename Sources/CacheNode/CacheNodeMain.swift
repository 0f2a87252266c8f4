// From a configuration to a running node, and back out.
internal import CLinux
internal import Glibc
public import Logging
internal import Synchronization

/// Starts a node and runs it until it is told to stop.
public enum CacheNodeMain {
    /// Serves until SIGTERM, SIGINT or `shutdown`; gives the process's exit code.
    ///
    /// - Throws: ``NodeError`` where the node could not start; nothing is left open then.
    public static func run(
        _ configuration: NodeConfiguration, logger: Logger
    ) throws(NodeError) -> Int32 {
        try configuration.validate()
        blockSignals()
        let clock = NodeClock()
        let limit = try raiseDescriptorLimit(for: configuration)
        let listeners = try Listener.openAll(configuration)
        let sockets = try ClusterStart.openSockets(configuration, listeners)
        if let user = configuration.user { try become(user) }
        var start: ClusterStart?
        if let told = configuration.cluster, let sockets, let client = listeners.first {
            start = try ClusterStart(told, client: client, sockets: sockets, clock)
        }
        let shards = try ShardTable(configuration)
        let shared = try NodeShared(
            configuration: configuration, shards: shards, listeners: listeners, logger: logger,
            connectionLimit: limit, clock: clock, cluster: start?.cluster)
        if let path = configuration.pidFile { try write("\(getpid())\n", to: path) }
        defer { removeFiles(configuration) }
        if !configuration.ignoredOptions.isEmpty {
            logger.notice(
                "accepted without effect: \(configuration.ignoredOptions.joined(separator: " "))")
        }
        let threads = try Self.start(shared)
        let merger = try HotKeyMerger.start(shared)
        let control = try start?.run(shared)
        if let path = configuration.portsFile {
            var lines = listeners.map {
                $0.isUnix ? "unix \($0.name)\n" : "client \($0.port)\n"
            }
            if let sockets { lines.append("peer \(sockets.port)\n") }
            try write(lines.joined(), to: path)
        }
        for listener in listeners {
            logger.notice(
                "serving on \(listener.name)\(listener.isUnix ? "" : ":\(listener.port)")")
        }
        waitForSignal(shared)
        let second = watchForSecondSignal()
        if let control {
            // Others take over first: clients of this node are served until then.
            shared.cluster?.post(.leave)
            pthread_join(control, nil)
        }
        shared.stop()
        for thread in threads { pthread_join(thread, nil) }
        if let merger { pthread_join(merger, nil) }
        _ = second
        logger.notice("stopped")
        return 0
    }

    // MARK: Threads

    private final class LoopContext: Sendable {
        let shared: NodeShared
        let number: Int

        init(_ shared: NodeShared, _ number: Int) {
            self.shared = shared
            self.number = number
        }
    }

    static func start(_ shared: NodeShared) throws(NodeError) -> [pthread_t] {
        var threads: [pthread_t] = []
        for number in 0..<shared.configuration.threads {
            var thread = pthread_t()
            let context = Unmanaged.passRetained(LoopContext(shared, number))
            let failure = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    let context = Unmanaged<LoopContext>.fromOpaque(argument).takeRetainedValue()
                    CacheNodeMain.serve(context.shared, context.number)
                    return nil
                }, context.toOpaque())
            guard failure == 0 else { throw .system(call: "pthread_create", code: failure) }
            threads.append(thread)
        }
        return threads
    }

    private static func serve(_ shared: NodeShared, _ number: Int) {
        kiln_name_thread("kiln-loop-\(number)")
        do throws(NodeError) {
            let epoll = try DataLoop.openEpoll(shared, number)
            var loop = DataLoop(shared: shared, number: number, epoll: epoll)
            loop.run()
        } catch {
            shared.logger.critical("loop \(number) could not start: \(error)")
            exit(error.exitCode)
        }
    }

    // MARK: Signals

    /// All threads inherit the mask: signals are taken by `sigwait` on the main thread alone.
    private static func blockSignals() {
        signal(SIGPIPE, SIG_IGN)
        var set = stopSignals()
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    private static func stopSignals() -> sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&set, number) }
        return set
    }

    private static func waitForSignal(_ shared: NodeShared) {
        var set = stopSignals()
        var hugePages = Array(repeating: 0, count: shared.shards.count)
        var second = timespec(tv_sec: 1, tv_nsec: 0)
        while true {
            let number = sigtimedwait(&set, nil, &second)
            if number < 0 {
                shared.shards.collapseIndexes(&hugePages)
                continue
            }
            if number == SIGHUP { continue }
            shared.logger.notice("stopping on signal \(number)")
            return
        }
    }

    /// A second SIGTERM or SIGINT ends the process at once.
    private static func watchForSecondSignal() -> pthread_t? {
        var thread = pthread_t()
        let failure = pthread_create(
            &thread, nil,
            { _ in
                var set = CacheNodeMain.stopSignals()
                var number: Int32 = 0
                while sigwait(&set, &number) == 0 {
                    if number != SIGHUP { _exit(1) }
                }
                return nil
            }, nil)
        guard failure == 0 else { return nil }
        pthread_detach(thread)
        return thread
    }

    // MARK: The process

    /// Descriptors the node needs besides its clients'.
    static let reservedDescriptors = 64

    /// Raises the soft limit as far as it goes; gives the connections that fit.
    private static func raiseDescriptorLimit(
        for configuration: NodeConfiguration
    ) throws(NodeError) -> Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .system(call: "getrlimit", code: errno)
        }
        let needed = configuration.connectionLimit + reservedDescriptors
        limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, rlim_t(needed)))
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let allowed = Int(clamping: limit.rlim_cur)
        guard allowed >= 2 * reservedDescriptors || allowed >= needed else {
            throw .tooFewDescriptors(needed: needed, allowed: allowed)
        }
        return min(configuration.connectionLimit, allowed - reservedDescriptors)
    }

    private static func become(_ name: String) throws(NodeError) {
        guard getuid() == 0 || geteuid() == 0 else { return }
        guard let entry = getpwnam(name) else { throw .unknownUser(name) }
        if entry.pointee.pw_uid == 0 { return }
        guard setgroups(0, nil) == 0, setgid(entry.pointee.pw_gid) == 0,
            setuid(entry.pointee.pw_uid) == 0
        else { throw .cannotBecomeUser(name, code: errno) }
    }

    /// Writes a small file in one step: nobody reads half of it.
    private static func write(_ text: String, to path: String) throws(NodeError) {
        let temporary = path + ".tmp"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .cannotWrite(path: path, code: errno) }
        let bytes = Array(text.utf8)
        let count = Glibc.write(descriptor, bytes, bytes.count)
        let code = errno
        close(descriptor)
        guard count == bytes.count else { throw .cannotWrite(path: path, code: code) }
        guard rename(temporary, path) == 0 else { throw .cannotWrite(path: path, code: errno) }
    }

    private static func removeFiles(_ configuration: NodeConfiguration) {
        if let path = configuration.pidFile { unlink(path) }
        if let path = configuration.unixSocketPath { unlink(path) }
    }
}
