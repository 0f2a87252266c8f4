// What can happen to a simulated Raft cluster.

import Primitives
import Raft

/// A message on its way; an object, so that the queue moves a pointer.
final class RaftPacket {
    let sender: NodeID
    let receiver: NodeID
    let message: RaftInstance.Message

    init(sender: NodeID, receiver: NodeID, message: RaftInstance.Message) {
        self.sender = sender
        self.receiver = receiver
        self.message = message
    }
}

/// Something that happens at one moment.
enum RaftAction {
    /// A process looks at its clock.
    case tick(machine: Int, life: UInt64)
    /// A packet arrives.
    case arrive(RaftPacket)
    /// A sync that covers all writes up to a number is done.
    case synced(machine: Int, life: UInt64, write: Int)
    /// A disturbance begins.
    case disturb(Disturbance, lasting: Int64)
    /// What began as number so and so ends.
    case relieve(Int)
    /// A process starts again.
    case start(machine: Int)
    /// A client does its next operation.
    case client(Int)
    /// A client waits no longer for operation so and so.
    case giveUp(client: Int, ticket: UInt64)
    /// The operator looks after the members.
    case operate
}

extension RaftAction {
    /// What enters the digest beside the time.
    var summary: UInt64 {
        switch self {
        case .tick(let machine, _): 1 &<< 32 | UInt64(machine)
        case .arrive(let packet):
            2 &<< 32 | packet.sender.value &<< 16 ^ packet.receiver.value &<< 48
                ^ packet.message.summary
        case .synced(let machine, _, let write): 3 &<< 32 | UInt64(machine) ^ UInt64(write) &<< 8
        case .disturb(let kind, _): 4 &<< 32 | UInt64(kind.rawValue.utf8.count)
        case .relieve(let number): 5 &<< 32 | UInt64(number)
        case .start(let machine): 6 &<< 32 | UInt64(machine)
        case .client(let client): 7 &<< 32 | UInt64(client)
        case .giveUp(_, let ticket): 8 &<< 32 | ticket
        case .operate: 9 &<< 32
        }
    }
}

extension RaftInstance.Message {
    /// A number that differs for messages that say different things.
    var summary: UInt64 {
        var digest = TraceDigest(value: term)
        switch body {
        case .preVoteRequest(let request), .voteRequest(let request):
            digest.mix(request.lastIndex)
            digest.mix(request.lastTerm)
        case .preVoteResponse(let granted), .voteResponse(let granted): digest.mix(granted ? 1 : 2)
        case .append(let append):
            digest.mix(append.previousIndex)
            digest.mix(append.commitIndex)
            for entry in append.entries { digest.mix(entry.hash) }
        case .appendResponse(.accepted(let match)): digest.mix(match)
        case .appendResponse(.rejected(let previous, _, let conflict, _)):
            digest.mix(previous)
            digest.mix(conflict)
        case .heartbeat(let commitIndex, let round):
            digest.mix(commitIndex)
            digest.mix(round)
        case .heartbeatResponse(let round, let lastIndex):
            digest.mix(round)
            digest.mix(lastIndex)
        case .snapshotChunk(let chunk):
            digest.mix(chunk.index)
            digest.mix(UInt64(chunk.offset))
            digest.mix(chunk.data)
        case .snapshotResponse(let index, _, let received):
            digest.mix(index)
            digest.mix(UInt64(received))
        case .timeoutNow: digest.mix(3)
        case .proposal(let id, _), .proposalResponse(let id, _), .readRequest(let id),
            .readResponse(let id, _):
            digest.mix(id.session)
            digest.mix(id.sequence)
        }
        return digest.value
    }
}

extension RaftInstance.Entry {
    /// A hash over its payload.
    var hash: UInt64 {
        var digest = TraceDigest(value: index)
        switch payload {
        case .noOperation: digest.mix(1)
        case .command(let bytes): digest.mix(bytes)
        case .configuration(let configuration):
            for voter in configuration.voters { digest.mix(voter.value) }
            digest.mix(0)
            for learner in configuration.learners { digest.mix(learner.value) }
        }
        return digest.value
    }
}
