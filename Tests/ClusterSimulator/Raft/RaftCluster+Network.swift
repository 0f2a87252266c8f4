// What servers say, checked against what they have on disk.

import Primitives
import Raft

extension RaftCluster {
    /// Sends a message, after a look at what it promises.
    mutating func send(
        _ said: RaftInstance.Message, from index: Int, to receiver: NodeID
    ) throws(Finding) {
        let message = distorted(said)
        try judge(message, from: index, to: receiver)
        count(message)
        guard let target = machines[receiver] else { return }
        world.note("\(nodes[index].id) -> \(receiver) \(message)")
        let packet = RaftPacket(
            sender: nodes[index].id, receiver: receiver, message: try overTheWire(message))
        world.send(from: index, to: target, arrival: .arrive(packet))
    }

    /// "Persistent state is updated on stable storage before responding" (Figure 2).
    private mutating func judge(
        _ message: RaftInstance.Message, from index: Int, to receiver: NodeID
    ) throws(Finding) {
        let id = nodes[index].id
        switch message.body {
        case .preVoteRequest, .preVoteResponse, .heartbeat, .heartbeatResponse, .proposal,
            .proposalResponse, .readRequest, .readResponse:
            return  // These claim nothing of what is on disk.
        case .voteResponse(granted: true):
            try judgeVote(for: receiver, message.term, of: index)
        case .voteRequest:
            try judgeVote(for: id, message.term, of: index)
        case .appendResponse(.accepted(let match)):
            guard nodes[index].durableLog.lastIndex >= match else {
                throw Finding(
                    "entries are on disk before they are acknowledged",
                    "\(id) acknowledges \(match), its disk has \(nodes[index].durableLog.lastIndex)"
                )
            }
        default: break
        }
        guard nodes[index].durable.term >= message.term else {
            throw Finding(
                "a term is on disk before it is told",
                "\(id) tells term \(message.term), its disk has \(nodes[index].durable.term)")
        }
    }

    private mutating func judgeVote(
        for candidate: NodeID, _ term: UInt64, of index: Int
    ) throws(Finding) {
        let id = nodes[index].id
        let durable = nodes[index].durable
        // A later term on disk says nothing of the vote in this one; the ledger does.
        guard durable.term > term || (durable.term == term && durable.vote == candidate) else {
            throw Finding(
                "a vote is on disk before it is given", "\(id) votes for \(candidate) in \(term)")
        }
        try ledger.voted(id, for: candidate, term: term)
    }

    /// The message as its receiver decodes it, in runs that encode what is sent.
    private mutating func overTheWire(
        _ message: RaftInstance.Message
    ) throws(Finding) -> RaftInstance.Message {
        guard passesWire else { return message }
        world.coverage.add(.messagesEncoded)
        let decoded: RaftInstance.Message
        do throws(ProtobufError) {
            decoded = try RaftInstance.Message(protobuf: message.protobuf)
        } catch {
            throw Finding("messages can be decoded", "\(message): \(error)")
        }
        guard decoded == message else {
            throw Finding("messages keep their meaning", "\(message) became \(decoded)")
        }
        return decoded
    }

    /// What a planted bug makes of a message.
    private mutating func distorted(_ message: RaftInstance.Message) -> RaftInstance.Message {
        var message = message
        switch (options.bug, message.body) {
        case (.votesForEverybody, .voteResponse): message.body = .voteResponse(granted: true)
        case (.acknowledgesTooMuch, .appendResponse(.accepted(let match))):
            message.body = .appendResponse(.accepted(match: match + 1))
        case (.entryChangesOnTheWay, .append(var append)):
            guard let last = append.entries.last, disks.chance(permille: 10) else { break }
            append.entries[append.entries.count - 1].payload = .command(
                (last.command ?? []) + [0])
            message.body = .append(append)
        default: break
        }
        return message
    }

    private mutating func count(_ message: RaftInstance.Message) {
        switch message.body {
        case .snapshotChunk: world.coverage.add(.snapshotChunks)
        default: break
        }
    }
}
