// What can happen to a simulated cluster of whole nodes.

import ControlPlane
import Placement
import Primitives
import SWIM

/// A message between control planes; an object, so that the queue moves a pointer.
final class ControlPacket {
    let sender: Int
    let receiver: Int
    let message: Message

    init(sender: Int, receiver: Int, message: Message) {
        self.sender = sender
        self.receiver = receiver
        self.message = message
    }
}

/// Commands that a client sends together.
final class ClusterBatch {
    let connection: ClusterConnection
    let operations: [ClusterOperation]

    init(_ connection: ClusterConnection, _ operations: [ClusterOperation]) {
        self.connection = connection
        self.operations = operations
    }
}

/// Replies that a loop sends together.
final class ClusterReplies {
    let connection: ClusterConnection
    let replies: [(operation: ClusterOperation, bytes: [UInt8])]
    /// Whether the connection ends behind them.
    let closes: Bool

    init(
        _ connection: ClusterConnection,
        _ replies: [(operation: ClusterOperation, bytes: [UInt8])], closes: Bool
    ) {
        self.connection = connection
        self.replies = replies
        self.closes = closes
    }
}

/// A loop of one process.
struct LoopAddress {
    var machine: Int
    var life: UInt64
    var loop: Int

    var summary: UInt64 { UInt64(machine) &<< 8 | UInt64(loop) | life &<< 16 }
}

/// Something about a link, in one of its connections.
struct LinkEvent {
    enum Kind {
        /// It is due to be opened, if it is not.
        case due
        /// A greeting reaches the other side.
        case hello
        /// Its answer comes back, with the other's clock.
        case welcome(clock: Instant, life: UInt64, loop: Int)
        /// The other side has closed it.
        case closed
    }

    var owner: LoopAddress
    var link: ClusterLink
    var connection: UInt64
    var kind: Kind
}

/// Something that happens at one moment.
enum ClusterAction {
    /// A process looks at its clock.
    case tick(machine: Int, life: UInt64)
    /// A message reaches a control plane.
    case control(ControlPacket)
    /// All writes up to a number are on disk.
    case synced(machine: Int, life: UInt64, write: Int)
    /// The newest table reaches a loop.
    case table(LoopAddress)
    /// A loop has something to do.
    case turn(LoopAddress)
    /// A loop goes on in the middle of a turn.
    case resume(LoopAddress)
    /// All loops use a table: the shards follow.
    case adopt(machine: Int, life: UInt64, epoch: UInt64)
    case requests(ClusterBatch)
    case frame(ClusterFrame)
    case answer(ClusterFrameAnswer)
    case link(LinkEvent)
    case replies(ClusterReplies)
    /// A client does something; `sequence` is what it had done when this was scheduled.
    case client(Int, sequence: Int)
    /// A control plane learns that a connection to a member is closed.
    case linkClosed(machine: Int, life: UInt64, NodeID)
    case disturb(Disturbance, lasting: Int64)
    case relieve(Int)
    case start(machine: Int)
    case operate
}

extension ClusterAction {
    /// What enters the digest beside the time.
    var summary: UInt64 {
        switch self {
        case .tick(let machine, _): 1 &<< 32 | UInt64(machine)
        case .control(let packet):
            2 &<< 32 ^ UInt64(packet.sender) &<< 16 ^ UInt64(packet.receiver) &<< 24
                ^ packet.message.summary
        case .synced(let machine, _, let write):
            3 &<< 32 | UInt64(machine) ^ UInt64(write) &<< 8
        case .table(let loop): 18 &<< 32 ^ loop.summary
        case .turn(let loop): 4 &<< 32 ^ loop.summary
        case .resume(let loop): 5 &<< 32 ^ loop.summary
        case .adopt(let machine, _, let epoch): 6 &<< 32 ^ UInt64(machine) ^ epoch &<< 8
        case .requests(let batch): 7 &<< 32 ^ UInt64(batch.operations.first?.number ?? 0)
        case .frame(let frame): 8 &<< 32 ^ UInt64(frame.operation.number) ^ frame.epoch &<< 40
        case .answer(let answer):
            9 &<< 32 ^ UInt64(answer.frame.operation.number)
                ^ UInt64(answer.refusal?.rawValue ?? 0) &<< 40
        case .link(let event): 10 &<< 32 ^ event.owner.summary ^ event.connection &<< 40
        case .replies(let replies):
            11 &<< 32 ^ UInt64(replies.connection.client) ^ UInt64(replies.replies.count) &<< 16
        case .client(let client, let sequence): 12 &<< 32 | UInt64(client) ^ UInt64(sequence) &<< 8
        case .linkClosed(let machine, _, let member): 13 &<< 32 ^ UInt64(machine) ^ member.value
        case .disturb(let kind, _): 14 &<< 32 | UInt64(kind.rawValue.utf8.count)
        case .relieve(let number): 15 &<< 32 | UInt64(number)
        case .start(let machine): 16 &<< 32 | UInt64(machine)
        case .operate: 17 &<< 32
        }
    }
}

extension Message {
    /// A number that differs for most messages that say different things.
    fileprivate var summary: UInt64 {
        switch body {
        case .swim(let inner): UInt64(inner.updates.count) &<< 8 ^ inner.life
        case .raft(let inner): inner.summary
        case .leaseRequest(let request):
            UInt64(bitPattern: request.clock) ^ request.installedEpoch &<< 40
        case .leaseResponse(let response):
            UInt64(bitPattern: response.clock) ^ response.settledEpoch &<< 40
                ^ UInt64(response.milliseconds)
        }
    }
}
