// One member of the simulated cluster: its machine, its process and what others saw of it.

import Primitives
import SWIM

/// A message on its way; an object, so that the queue moves a pointer.
final class SWIMPacket {
    let sender: Int
    let receiver: Int
    let message: SWIMInstance.Message

    init(sender: Int, receiver: Int, message: SWIMInstance.Message) {
        self.sender = sender
        self.receiver = receiver
        self.message = message
    }
}

/// Something that happens at one moment.
enum SWIMAction {
    case tick(machine: Int, life: UInt64)
    case arrive(SWIMPacket)
    case linkClosed(machine: Int, life: UInt64, member: NodeID)
    case disturb(Disturbance, lasting: Int64)
    case relieve(Int)
    case start(machine: Int)
}

extension SWIMAction {
    /// What enters the digest beside the time.
    var summary: UInt64 {
        switch self {
        case .tick(let machine, _): 1 &<< 32 | UInt64(machine)
        case .arrive(let packet): packet.summary
        case .linkClosed(let machine, _, let member): 3 &<< 32 | UInt64(machine) ^ member.value
        case .disturb(let kind, _): 4 &<< 32 | UInt64(kind.rawValue.utf8.count)
        case .relieve(let number): 5 &<< 32 | UInt64(number)
        case .start(let machine): 6 &<< 32 | UInt64(machine)
        }
    }
}

extension SWIMPacket {
    fileprivate var summary: UInt64 {
        var digest = TraceDigest(value: UInt64(sender) &<< 32 | UInt64(receiver))
        digest.mix(message.life)
        for update in message.updates {
            digest.mix(update.id.value)
            digest.mix(update.incarnation &<< 8 | UInt64(update.status.rawValue))
        }
        switch message.body {
        case .ping(let sequence, let target): digest.mix(sequence ^ target.value)
        case .ack(let sequence), .nack(let sequence): digest.mix(sequence)
        case .pingRequest(let sequence, let target, _): digest.mix(sequence &+ target.value)
        case .gossip, .pushPullRequest, .pushPullResponse, .nameTaken: digest.mix(1)
        }
        return digest.value
    }
}

/// A member and what the observer remembers of its views.
struct SWIMNode {
    let id: NodeID
    var machine: Machine
    var instance: SWIMInstance?
    /// What it stored of its own incarnation.
    var stored: UInt64 = 0
    /// The highest incarnation it ever claimed, in any life.
    var highestClaim: UInt64 = 0
    /// What it last believed of each other member, by machine; nil for those it does not know.
    var beliefs: [SWIMInstance.Precedence?]
    /// Whether it keeps each other member in its ring: live and not on trial.
    var ring: [Bool]
    /// Whether it is meant to stay down.
    var isGone = false

    init(id: NodeID, machine: Machine, count: Int) {
        self.id = id
        self.machine = machine
        beliefs = Array(repeating: nil, count: count)
        ring = Array(repeating: false, count: count)
    }

    /// Forgets what a process knows when it ends.
    mutating func forgetProcess() {
        instance = nil
        beliefs = Array(repeating: nil, count: beliefs.count)
        ring = Array(repeating: false, count: ring.count)
    }
}
