// The directory that a node finds again after a restart: who it is, and what it promised.
internal import CLinux
internal import ControlPlane
internal import Glibc
internal import Raft
internal import Synchronization

/// A node's directory, held by one process at a time.
///
///     lock      held while a process uses the directory
///     identity  name, cluster, life and incarnation; replaced as one
///     raft/     term, vote, snapshot and log: ``RaftLogFile``
struct DataDirectory: ~Copyable {
    private static let identityName = "identity"

    private let directory: LogDirectory
    private let lock: Int32
    /// The name, cluster and lives that the directory belongs to; nil in a new one.
    let identity: Identity?

    private init(_ directory: consuming LogDirectory, lock: Int32, _ identity: Identity?) {
        self.directory = directory
        self.lock = lock
        self.identity = identity
    }

    /// Opens the directory, or makes it.
    static func open(path: String) throws(NodeError) -> DataDirectory {
        let directory = try LogDirectory(path: path, calls: .system)
        let bytes = try directory.read(identityName)
        let known = bytes.flatMap { Identity(framed: $0) }
        guard bytes == nil || known != nil else {
            throw .damagedIdentity(path: directory.path(of: identityName))
        }
        let lockPath = directory.path(of: "lock")
        let lock = Glibc.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .logFileFailed(call: "open", path: lockPath, code: errno) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .dataDirectoryInUse(path: path)
        }
        return DataDirectory(directory, lock: lock, known)
    }

    deinit { close(lock) }

    /// Where the log is.
    var logPath: String { directory.path(of: "raft") }

    /// Has the identity on disk when it returns.
    func store(_ identity: Identity) throws(NodeError) {
        try directory.replace(Self.identityName, with: identity.framed)
    }
}

/// Writes to the disk on a thread of its own: neither clients nor gossip nor heartbeats wait for it.
final class DiskThread: Sendable {
    enum Work: Sendable {
        case persist(RaftInstance.Persistence)
        case remember(Identity)
        case end
    }

    private struct State {
        var work: [Work] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let wakes: Int32
    private let cluster: ClusterShared

    /// Opens the directory and starts the thread; gives what was on disk.
    static func start(
        _ directory: consuming DataDirectory, _ cluster: ClusterShared
    ) throws(NodeError) -> (DiskThread, RaftInstance.PersistedState) {
        let log = try RaftLogFile(path: directory.logPath)
        let persisted = log.state
        let thread = try DiskThread(cluster)
        try thread.run(Disk(directory: directory, log: log))
        return (thread, persisted)
    }

    private init(_ cluster: ClusterShared) throws(NodeError) {
        self.cluster = cluster
        wakes = eventfd(0, Int32(EFD_CLOEXEC))
        guard wakes >= 0 else { throw .system(call: "eventfd", code: errno) }
    }

    func add(_ work: Work) {
        state.withLock { $0.work.append(work) }
        var one: UInt64 = 1
        _ = write(wakes, &one, 8)
    }

    private struct Disk: ~Copyable {
        let directory: DataDirectory
        var log: RaftLogFile
    }

    private final class Context {
        let thread: DiskThread
        var disk: Disk?

        init(_ thread: DiskThread, _ disk: consuming Disk) {
            self.thread = thread
            self.disk = consume disk
        }
    }

    private func run(_ disk: consuming Disk) throws(NodeError) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(Context(self, disk))
        let failure = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                kiln_name_thread("kiln-disk")
                let context = Unmanaged<Context>.fromOpaque(argument).takeRetainedValue()
                context.thread.serve(context)
                return nil
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            throw .system(call: "pthread_create", code: failure)
        }
        pthread_detach(thread)
    }

    private func serve(_ context: Context) {
        while true {
            var count: UInt64 = 0
            _ = read(wakes, &count, 8)
            let work = state.withLock { state in
                defer { state.work = [] }
                return state.work
            }
            for item in work {
                do throws(NodeError) {
                    switch item {
                    case .persist(let persistence):
                        try context.disk?.log.write(persistence)
                        cluster.post(.persisted)
                    case .remember(let identity): try context.disk?.directory.store(identity)
                    case .end: return
                    }
                } catch {
                    if case .logFileFailed(_, _, ENOSPC) = error {
                        cluster.post(.diskFull)
                    } else {
                        cluster.post(.diskFailed(error))
                    }
                    return
                }
            }
        }
    }
}
