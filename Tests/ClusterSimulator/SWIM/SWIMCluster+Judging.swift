// What must hold of messages and beliefs, after every event.

import Primitives
import SWIM

extension SWIMCluster {
    /// Sends a message, after a look at it.
    mutating func send(
        _ said: SWIMInstance.Message, from index: Int, to receiver: Int
    ) throws(Finding) {
        guard let message = distorted(said) else { return }
        count(message)
        if countsBytes { bytesSent += UInt64(message.protobuf.count) }
        var heard = message
        if passesWire {
            world.coverage.add(.messagesEncoded)
            let bytes = message.protobuf
            let limit = settings.datagramLimitBytes - settings.envelopeBytes
            guard message.body.needsStream || bytes.count <= limit else {
                throw Finding("datagrams are bounded", "\(bytes.count) bytes from n\(index + 1)")
            }
            do throws(ProtobufError) { heard = try SWIMInstance.Message(protobuf: bytes) } catch {
                throw Finding("messages can be decoded", "\(message): \(error)")
            }
            guard heard == message else {
                throw Finding("messages keep their meaning", "\(message) became \(heard)")
            }
        }
        let packet = SWIMPacket(sender: index, receiver: receiver, message: heard)
        world.send(from: index, to: receiver, arrival: .arrive(packet))
    }

    /// What a planted bug makes of a message; nil when it is not sent.
    private func distorted(_ message: SWIMInstance.Message) -> SWIMInstance.Message? {
        var message = message
        switch options.bug {
        case .newsNotSpread where !message.body.needsStream: message.updates = []
        case .accusationsOutrank:
            for position in message.updates.indices
            where message.updates[position].status == .suspect {
                message.updates[position].incarnation += 1
            }
        case .pingsNotAnswered:
            if case .ack = message.body { return nil }
        case .goodbyeNotSaid: message.updates.removeAll { $0.status == .left }
        default: break
        }
        return message
    }

    private mutating func count(_ message: SWIMInstance.Message) {
        switch message.body {
        case .ping: world.coverage.add(.pings)
        case .ack: world.coverage.add(.acks)
        case .nack: world.coverage.add(.nacks)
        case .pingRequest: world.coverage.add(.pingRequests)
        case .pushPullRequest: world.coverage.add(.pushPulls)
        case .gossip, .pushPullResponse, .nameTaken: break
        }
    }

    /// A member is seen otherwise than before.
    mutating func changed(
        _ member: SWIMInstance.Member, seenBy index: Int
    ) throws(Finding) {
        let target = machine(of: member.id)
        let before = nodes[index].beliefs[target]
        world.note(
            "\(nodes[index].id) sees \(member.id) \(member.status) in \(member.incarnation)")
        // By the paper's own order, not by the room's: that might be what is wrong.
        if let before, Self.rank(member.precedence) < Self.rank(before) {
            throw Finding(
                "beliefs never fall", "\(nodes[index].id) of \(member.id): \(before) to \(member)")
        }
        guard member.incarnation <= nodes[target].highestClaim else {
            throw Finding(
                "only a member raises its incarnation",
                "\(nodes[index].id) sees \(member.id) in \(member.incarnation), which claimed"
                    + " \(nodes[target].highestClaim)")
        }
        nodes[index].beliefs[target] = member.precedence
        note(member, before, target)
        let isInRing = member.status.isLive && member.trialUntil == nil
        if isInRing != nodes[index].ring[target] {
            nodes[index].ring[target] = isInRing
            if index == 0 || target == 0 && index == 1 { tally.ringChanges[target] += 1 }
        }
    }

    private static func rank(
        _ precedence: SWIMInstance.Precedence
    ) -> (UInt64, UInt8, UInt64) {
        (precedence.incarnation, precedence.status.rawValue, precedence.life)
    }

    private mutating func note(
        _ member: SWIMInstance.Member, _ before: SWIMInstance.Precedence?, _ target: Int
    ) {
        guard member.status != before?.status else { return }
        switch member.status {
        case .suspect:
            world.coverage.add(.suspicions)
            tally.suspicions += 1
        case .dead:
            world.coverage.add(.deaths)
            tally.noteDeath(target, in: member.incarnation)
        case .alive where before?.status == .dead: world.coverage.add(.rejoins)
        case .alive, .left: break
        }
    }

    /// No member that runs is held for suspect or dead by another one.
    func judgeNobodyAccused() throws(Finding) {
        for index in nodes.indices where nodes[index].instance != nil {
            for target in nodes.indices where nodes[target].instance != nil {
                let seen = nodes[index].instance?.member(nodes[target].id)
                guard let status = seen?.status, status == .suspect || status == .dead else {
                    continue
                }
                throw Finding(
                    "accusations are refuted",
                    "\(nodes[index].id) holds \(nodes[target].id) for \(status)")
            }
        }
    }

    /// All that run see each other alive, and the others dead or gone.
    func judgeOneView() throws(Finding) {
        for index in nodes.indices where nodes[index].instance != nil {
            for target in nodes.indices where target != index {
                let seen = nodes[index].instance?.member(nodes[target].id)
                let name = "\(nodes[index].id) sees \(nodes[target].id)"
                guard nodes[target].instance != nil else {
                    guard seen == nil || seen?.status.isLive == false else {
                        throw Finding("the dead are known", "\(name) \(String(describing: seen))")
                    }
                    continue
                }
                guard let seen, seen.status == .alive else {
                    let what = seen.map { "\($0.status) in \($0.incarnation)" } ?? "not at all"
                    throw Finding("one view", "\(name) \(what)")
                }
            }
        }
    }
}
