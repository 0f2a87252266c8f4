// One server of the simulated cluster: the machine, the process and its shell.

import Primitives
import Raft

/// A server, what its shell has yet to do, and what the observer knows of its disk.
struct RaftNode {
    /// A proposal that is in the leader's log and waits to be applied.
    struct WaitingWrite {
        var ticket: UInt64
        var term: UInt64
        var index: UInt64
    }

    var id: NodeID
    var machine: Machine
    var files: RaftFiles
    /// The process's protocol value; nil while it is down.
    var instance: RaftInstance?
    var registers = Registers()

    /// Effects that wait for the disk, in order.
    var queue: [RaftInstance.Effect] = []
    /// How many of ``queue`` are carried out.
    var queueHead = 0
    /// What is being synced.
    var syncing: RaftInstance.Persistence?
    var waitingWrites: [WaitingWrite] = []

    /// The log as the process has it.
    var log = ShadowLog()
    /// The log as its disk surely has it.
    var durableLog = ShadowLog()
    /// Term and vote as its disk surely has them.
    var durable = RaftInstance.HardState()
    /// The voters it counted on when its process ended.
    var lastVoters: [NodeID] = []
    /// The highest term and commit index seen in this life.
    var highestTerm: UInt64 = 0
    var highestCommit: UInt64 = 0

    init(id: NodeID, machine: Machine, segmentLimit: Int) {
        self.id = id
        self.machine = machine
        files = RaftFiles(segmentLimit: segmentLimit)
    }

    /// Whether a process runs and leads.
    var leads: Bool { instance?.role == .leader }

    /// What the observer compares before and after a step.
    struct Glance {
        var isUp = false
        var leads = false
        var term: UInt64 = 0
        var commitIndex: UInt64 = 0
        var lastIndex: UInt64 = 0
    }

    /// A look at the process; the instance itself is not copied for it.
    var glance: Glance {
        guard let term = instance?.term, let commitIndex = instance?.commitIndex,
            let lastIndex = instance?.lastIndex
        else { return Glance() }
        return Glance(
            isUp: true, leads: leads, term: term, commitIndex: commitIndex, lastIndex: lastIndex)
    }

    /// Takes the next effect, unless the disk holds it up.
    mutating func nextEffect() -> RaftInstance.Effect? {
        guard syncing == nil, queueHead < queue.count else { return nil }
        let effect = queue[queueHead]
        queueHead += 1
        if queueHead == queue.count {
            queue.removeAll(keepingCapacity: true)
            queueHead = 0
        } else if queueHead > 256 {
            queue.removeFirst(queueHead)
            queueHead = 0
        }
        return effect
    }

    /// Forgets what a process knows when it ends.
    mutating func forgetProcess() {
        lastVoters = instance?.configuration.voters ?? lastVoters
        instance = nil
        queue.removeAll()
        queueHead = 0
        syncing = nil
        waitingWrites.removeAll()
        registers = Registers()
        highestTerm = 0
        highestCommit = 0
    }
}
