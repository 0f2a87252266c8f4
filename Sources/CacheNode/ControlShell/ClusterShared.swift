// What the loops and the control thread of a clustered node share: the two doors between the planes.
internal import CLinux
internal import ControlPlane
internal import Glibc
internal import Placement
internal import Primitives
internal import Synchronization

/// A table on its way to the loops, and in use by them.
final class ClusterTable: Sendable {
    /// The gate of the table; each loop takes a copy.
    let gate: ServeGate

    init(_ table: RoutingTable) {
        gate = ServeGate(table)
    }

    var topology: Topology { gate.table.topology }
    var epoch: UInt64 { gate.table.epoch }
}

/// What other threads tell the control thread.
enum ControlMail: Sendable {
    /// The oldest write to the log is on disk.
    case persisted
    /// The disk is full.
    case diskFull
    /// The disk failed: what is on it is not known any more.
    case diskFailed(NodeError)
    /// All loops have done what they were told last.
    case loopsAcknowledged
    /// A loop's link to that member closed or timed out.
    case linkClosed(NodeID)
    /// A client asks for something.
    case request(ControlRequest)
    /// Leave the cluster.
    case leave
}

/// What a clustered node's threads share.
final class ClusterShared: Sendable {
    let configuration: ClusterConfiguration
    let key: ClusterKey
    let resolver: Resolver
    /// This node, as others are told of it.
    let member: Member
    /// Which life of the node this is.
    let life: UInt64

    private let mails = Mutex<[ControlMail]>([])
    /// An eventfd that is readable while mails wait.
    let bell: Int32
    /// Mails that wait, at most, beside those that must not be lost.
    private static let mailLimit = 4_096

    /// End of the serve lease, in nanoseconds of the node's clock.
    private let leaseEnd = Atomic<Int64>(0)
    private let settledEpoch = Atomic<UInt64>(0)
    /// The newest table that loops were given; for what is told to people.
    let table = Mutex<ClusterTable?>(nil)
    /// Loops that have not yet done what they were told last.
    private let loopsLeft = Atomic<Int>(0)
    /// The cluster's number, once it is known: it is part of greetings.
    let clusterID = Atomic<UInt64>(0)
    /// Raised when the control thread has ended: the node has left, or will not.
    let hasEnded = Atomic<Bool>(false)

    init(
        _ configuration: ClusterConfiguration, key: ClusterKey, member: Member, life: UInt64
    ) throws(NodeError) {
        self.configuration = configuration
        self.key = key
        self.member = member
        self.life = life
        resolver = try Resolver()
        bell = eventfd(0, Int32(EFD_NONBLOCK) | Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw .system(call: "eventfd", code: errno) }
    }

    // MARK: The lease

    /// The lease as the control thread last said.
    ///
    /// The two numbers may be of different leases: any mixture is one that the node may serve by,
    /// since an end holds whatever is settled, and what is settled stays so.
    var lease: ServeLease {
        ServeLease(
            end: Instant(nanoseconds: leaseEnd.load(ordering: .acquiring)),
            settled: settledEpoch.load(ordering: .acquiring))
    }

    func setLease(_ lease: ServeLease) {
        settledEpoch.store(lease.settled, ordering: .releasing)
        leaseEnd.store(lease.end.nanoseconds, ordering: .releasing)
    }

    // MARK: Up

    /// Leaves a mail; false where too many wait.
    @discardableResult
    func post(_ mail: ControlMail) -> Bool {
        let isTaken = mails.withLock { waiting in
            if waiting.count >= Self.mailLimit {
                switch mail {
                case .linkClosed, .request: return false
                default: break
                }
            }
            waiting.append(mail)
            return true
        }
        var one: UInt64 = 1
        _ = write(bell, &one, 8)
        return isTaken
    }

    func takeAll() -> [ControlMail] {
        var count: UInt64 = 0
        _ = read(bell, &count, 8)
        return mails.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }

    // MARK: Down

    /// Begins something that all loops have to do.
    func expectLoops(_ count: Int) {
        loopsLeft.store(count, ordering: .releasing)
    }

    /// A loop has done it; the last one tells the control thread.
    func acknowledge() {
        guard loopsLeft.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 else {
            return
        }
        post(.loopsAcknowledged)
    }
}
