// One node of the simulated cluster: its machine, its process, its loops and its shards.

import ControlPlane
import Placement
import Primitives
import Raft

/// A node: what outlives its processes, and the one that runs.
final class ClusterNode {
    /// The file that holds who the node is.
    static let identityFile = "identity"

    let index: Int
    var machine: Machine
    /// Which disk it has by now: each has another name.
    var generation = 0
    /// Whether it has a disk for term, vote and log.
    let hasDisk: Bool
    let weight: Int
    let zone: String
    var files: RaftFiles
    /// The process that runs; nil while there is none.
    var process: ClusterProcess?
    /// The disk takes nothing more.
    var isDiskFull = false
    /// How often its clock has leapt.
    var leaps = 0
    /// The voters it counted on when its last process ended.
    var lastVoters: [NodeID] = []

    init(index: Int, machine: Machine, hasDisk: Bool, weight: Int, zone: String, segmentLimit: Int)
    {
        self.index = index
        self.machine = machine
        self.hasDisk = hasDisk
        self.weight = weight
        self.zone = zone
        files = RaftFiles(segmentLimit: segmentLimit)
    }

    var name: String { generation == 0 ? "m\(index)" : "m\(index)-\(generation)" }
    var id: NodeID { Member.id(ofName: name) }
}

/// A process: gone with all it knows when it ends.
final class ClusterProcess {
    /// Something written that has to reach the disk.
    struct Write {
        var number: Int
        /// Whether the control plane waits for it.
        var isAwaited: Bool
    }

    let life: UInt64
    var control: ControlPlaneInstance
    let loops: [ClusterLoop]
    let shards: [ClusterShard]
    /// What the loops may serve, as the control plane last said.
    var lease = ServeLease()
    /// Members whose requests fail at once.
    var suspects: [NodeID] = []
    /// The newest table handed to the loops.
    var table: RoutingTable?
    /// The epoch whose adoption is under way or done.
    var adoptedEpoch: UInt64 = 0
    /// Writes that are not on disk yet.
    var writes: [Write] = []
    var isSyncing = false

    init(life: UInt64, control: ControlPlaneInstance, shards: [ClusterShard], loops: Int) {
        self.life = life
        self.control = control
        self.shards = shards
        self.loops = (0..<loops).map { ClusterLoop(number: $0) }
    }

    /// The newest epoch that all loops use.
    var commonEpoch: UInt64 { loops.map { $0.gate?.table.epoch ?? 0 }.min() ?? 0 }
}

/// One event loop: it does in turns what has been received.
final class ClusterLoop {
    /// Something that was received.
    enum Item {
        case request(ClusterConnection, ClusterOperation)
        case frame(ClusterFrame)
        case answer(ClusterFrameAnswer)
    }

    let number: Int
    var gate: ServeGate?
    /// A table that it takes at its next turn.
    var nextTable: RoutingTable?
    /// What has been received since the last turn began.
    var inbox: [Item] = []
    /// What the turn has still to do.
    var work: [Item] = []
    var workHead = 0
    /// Whether a turn has begun and not ended.
    var isBusy = false
    /// Until then it takes no turn: the kernel runs something else.
    var sleepsUntil: Int64 = 0
    /// When its turn began, in true time and on its clock.
    var turnBegan: Int64 = 0
    var clock = Instant(nanoseconds: 0)
    /// Links to other members, in the order in which they were first needed.
    var links: [ClusterLink] = []
    /// Its clients' connections, in the order in which they came.
    var connections: [ClusterConnection] = []
    /// What leaves at the end of the turn.
    var frames: [ClusterFrame] = []
    var answers: [ClusterFrameAnswer] = []
    var nextIdentifier: UInt64 = 1

    init(number: Int) {
        self.number = number
    }

    /// Takes what is next to do.
    func nextWork() -> Item? {
        guard workHead < work.count else { return nil }
        defer { workHead += 1 }
        return work[workHead]
    }
}
