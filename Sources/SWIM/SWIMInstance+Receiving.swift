// What arrives. News counts whoever brings it; answers count only where they are waited for.

import Primitives

extension SWIMInstance {
    mutating func receive(
        _ message: Message, from address: Address, at now: Instant, _ effects: inout [Effect]
    ) {
        guard belongsHere(message) else {
            return askForCluster(of: message, from: address, at: now, &effects)
        }
        if message.sender == id {
            return receiveFromNamesake(message, from: address, at: now, &effects)
        }
        if let index = index(of: message.sender) {
            members[index].load = message.load
        } else {
            meetStranger(message, at: address, now: now, &effects)
        }
        if message.body.needsStream {
            return receivePushPull(message, from: address, at: now, &effects)
        }
        for update in message.updates { apply(update, at: now, &effects) }
        switch message.body {
        case .ping(let sequence, let target):
            // Only who is meant answers, and not while its node serves nobody.
            guard target == id, isServing else { return }
            send(
                .ack(sequence: sequence), to: message.sender, at: address,
                first: corrections(of: message), &effects)
        case .ack(let sequence):
            receiveAck(sequence, from: message.sender, at: now, &effects)
        case .nack(let sequence):
            receiveNack(sequence, from: message.sender)
        case .pingRequest(let sequence, let target, let targetAddress):
            receivePingRequest(
                sequence, target: target, at: targetAddress, from: message.sender, address,
                at: now, &effects)
        case .gossip, .nameTaken, .pushPullRequest, .pushPullResponse:
            break
        }
    }

    /// Messages of other clusters are none of our business.
    ///
    /// One who does not know its cluster yet may ask to join, and learns it from the answer.
    private mutating func belongsHere(_ message: Message) -> Bool {
        if cluster == 0, message.body == .pushPullResponse { cluster = message.cluster }
        if message.cluster == cluster { return true }
        return message.cluster == 0 && message.body == .pushPullRequest
    }

    /// Somebody of our cluster whom we have never heard of knows us: so others may, too.
    private mutating func meetStranger(
        _ message: Message, at address: Address, now: Instant, _ effects: inout [Effect]
    ) {
        guard now >= bridgeAt, mayJudge, !message.body.needsStream else { return }
        bridgeAt = now.advanced(by: settings.reconnectInterval)
        sendPushPull(.pushPullRequest, to: address, &effects)
    }

    /// Somebody we know has become part of a cluster, while we belong to none: its answer to a
    /// push-pull makes us a part of it, too.
    private mutating func askForCluster(
        of message: Message, from address: Address, at now: Instant, _ effects: inout [Effect]
    ) {
        guard cluster == 0, message.cluster != 0, now >= bridgeAt,
            let known = member(message.sender), mayJudge
        else { return }
        bridgeAt = now.advanced(by: settings.reconnectInterval)
        sendPushPull(.pushPullRequest, to: known.metadata.peer, &effects)
    }

    /// What a ping shows its sender to be wrong about: us, if it accuses us of what is refuted; or
    /// itself, if we know another process by its name and the others reach only that one.
    private func corrections(of message: Message) -> [Update] {
        if message.updates.contains(where: { $0.id == id && $0.precedence < myself.precedence }) {
            return [myself.update(withFacts: true)]
        }
        guard let index = index(of: message.sender), members[index].status == .alive,
            members[index].life != message.life
        else { return [] }
        return [members[index].update(withFacts: false)]
    }

    /// A message under our own name: our own, come back to us, or a rival's.
    private mutating func receiveFromNamesake(
        _ message: Message, from address: Address, at now: Instant, _ effects: inout [Effect]
    ) {
        if message.body == .nameTaken {
            return receiveNameTaken(
                life: message.life, from: message.sender, address, &effects)
        }
        guard message.life > myself.life else { return }
        let own = message.updates.first { $0.id == id }
        claimName(from: own?.metadata?.peer ?? address, at: now, &effects)
    }
}
