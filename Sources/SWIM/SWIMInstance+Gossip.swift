// How news spreads: on every message, and by gossip of its own while there is some
// (DSN 2002, section 4.1).

import Primitives

extension SWIMInstance {
    /// A message without news.
    func message(_ body: Body, updates: [Update] = []) -> Message {
        Message(
            sender: id, life: myself.life, cluster: cluster, load: myself.load, body: body,
            updates: updates)
    }

    mutating func send(_ body: Body, to member: Member, _ effects: inout [Effect]) {
        send(body, to: member.id, at: member.metadata.peer, &effects)
    }

    /// Sends a datagram, with as much news as it holds.
    ///
    /// One whom we hold for suspect or worse hears that first of all, so that it can refute
    /// (Lifeguard's buddy system, section IV-C); an answer may have other things to say first.
    mutating func send(
        _ body: Body, to receiver: NodeID, at address: Address, first: [Update] = [],
        _ effects: inout [Effect]
    ) {
        var updates = first
        if let index = index(of: receiver), members[index].status != .alive {
            updates.append(members[index].update(withFacts: false))
        }
        var room = settings.datagramLimitBytes - settings.envelopeBytes - body.datagramBytesBound
        for update in updates { room -= update.wireBytesBound }
        takeNews(room: room, for: receiver, into: &updates)
        effects.append(.send(message(body, updates: updates), to: address))
    }

    /// Appends the news that fits into `room` bytes.
    private mutating func takeNews(room: Int, for receiver: NodeID, into updates: inout [Update]) {
        guard !news.isEmpty else { return }
        var room = room
        var sent: [Int] = []
        var dropped: [Int] = []
        var misfits = 0
        for position in news.entries.indices {
            if sent.count == Self.updatesPerDatagram || misfits == Self.misfitLimit { break }
            let subject = news.entries[position].id
            guard subject != receiver, !updates.contains(where: { $0.id == subject }) else {
                continue
            }
            guard isTellable(subject) else {
                dropped.append(position)
                continue
            }
            guard let update = update(about: subject, room: room) else {
                misfits += 1
                continue
            }
            room -= update.wireBytesBound
            updates.append(update)
            sent.append(position)
        }
        if sent.isEmpty && dropped.isEmpty { return }
        news.settle(sent: sent, dropped: dropped, limit: retransmitLimit)
    }

    /// Updates in one datagram, at most: about as many accusations as fit.
    static var updatesPerDatagram: Int { 40 }

    /// Updates that were too long for the room left, after which no shorter one is looked for: a
    /// full datagram must not cost a look at the news of a thousand members.
    static var misfitLimit: Int { 64 }

    /// How often each update is sent (DSN 2002, section 4.1: lambda * log n).
    var retransmitLimit: Int {
        settings.retransmitFactor * Logarithm.decimalDigits(clusterSize)
    }

    /// Whether `subject` is known, and what is known may be told on.
    ///
    /// Who doubts most of the cluster keeps its accusations for those it accuses: more likely its
    /// own link failed. Told to all when that is mended, they would make every member refute at
    /// once, and verdicts would be believed.
    private func isTellable(_ subject: NodeID) -> Bool {
        if subject == id { return true }
        guard let index = index(of: subject) else { return false }
        guard isFrozen else { return true }
        let status = members[index].status
        return status != .suspect && status != .dead
    }

    /// What is told of `subject`, where it fits into `room` bytes.
    private func update(about subject: NodeID, room: Int) -> Update? {
        if subject == id {
            let update = myself.update(withFacts: true)
            return update.wireBytesBound <= room ? update : nil
        }
        guard room >= Update.wireBytesMinimum, let index = index(of: subject) else { return nil }
        if members[index].status == .alive, members[index].textBytes > room { return nil }
        let update = members[index].update(withFacts: false)
        return update.wireBytesBound <= room ? update : nil
    }

    /// While there is news it does not wait for pings: the next few members hear it.
    mutating func gossipIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= gossipAt else { return }
        gossipAt = now.advanced(by: settings.gossipInterval)
        guard !news.isEmpty, isServing || phase != .member else { return }
        var targets: [NodeID] = []
        for _ in 0..<min(settings.gossipFanOut, liveCount) {
            guard let target = nextInGossipOrder() else { break }
            // The order begins anew now and then.
            if !targets.contains(target) { targets.append(target) }
        }
        for member in targets.compactMap({ member($0) }) {
            let before = effects.count
            send(.gossip, to: member, &effects)
            // What it is told of itself comes with pings.
            guard case .send(let message, _) = effects[before],
                message.updates.contains(where: { $0.id != member.id })
            else {
                effects.removeLast()
                continue
            }
        }
    }

    private mutating func nextInGossipOrder() -> NodeID? {
        while gossipPosition < gossipOrder.count {
            let id = gossipOrder[gossipPosition]
            gossipPosition += 1
            if isLive(id) { return id }
        }
        gossipOrder = shuffledLiveMembers()
        gossipPosition = min(1, gossipOrder.count)
        return gossipOrder.first
    }

    /// Pings one of the dead now and then: when it was a partition that is healed now, the ping
    /// tells it that it is held for dead, it refutes, and both sides meet again.
    mutating func reconnectIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= reconnectAt else { return }
        reconnectAt = now.advanced(by: settings.reconnectInterval)
        guard mayJudge else { return }
        askStrangeSeed(at: now, &effects)
        // All live members do this; together they ping each of the dead only so often.
        let wanted = deadCount * settings.caretakers
        guard deadCount > 0, Int.random(in: 0..<clusterSize, using: &random) < wanted else {
            return
        }
        for member in randomMembers(1, where: { $1 == .dead }) {
            send(.ping(sequence: takeSequence(), target: member.id), to: member, &effects)
        }
    }

    /// Asks a seed that is nobody's address, ever more seldom while nothing comes of it.
    ///
    /// Members that were started in a partition know only their own side, and hold nobody of the
    /// other for dead: no ping to the dead can bring them together, their seeds can. All live
    /// members do this; together they ask only so often. A seed may also be another name of a
    /// member's address, or gone for good: such a one is a stranger for ever, hence the waits.
    private mutating func askStrangeSeed(at now: Instant, _ effects: inout [Effect]) {
        guard now >= strangersAt, !isJoining else { return }
        let strangers = seeds.filter { seed in
            !members.contains { $0.status.isLive && $0.metadata.peer == seed }
        }
        guard !strangers.isEmpty else { return }
        strangersAt = now.advanced(by: strangersWait)
        strangersWait = min(strangersWait * 2, .seconds(settings.strangerSeconds))
        // The wait doubles whatever the dice say: that is how often all members together ask.
        guard Int.random(in: 0..<clusterSize, using: &random) < settings.caretakers else { return }
        let seed = strangers[Int.random(in: 0..<strangers.count, using: &random)]
        sendPushPull(.pushPullRequest, to: seed, &effects)
    }

    /// Strange seeds are asked without delay again: who died, or is new, may be one side of a
    /// partition.
    mutating func resetStrangers() {
        strangersAt = lastInstant
        strangersWait = settings.reconnectInterval
    }
}
