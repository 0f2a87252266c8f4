// Joining, and the exchange of all that two members know: it mends what gossip missed.

import Primitives

extension SWIMInstance {
    mutating func join(_ addresses: [Address], at now: Instant, _ effects: inout [Effect]) {
        seeds = Array(
            addresses.filter { $0 != myself.metadata.peer }.prefix(settings.seedLimit))
        seedPosition = 0
        joinAttempts = 0
        joinAt = now
        resetStrangers()
        joinIfDue(at: now, &effects)
    }

    /// Seeds are asked, a few at a time, as long as nobody else is known.
    mutating func joinIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= joinAt else { return }
        guard isJoining else {
            joinAttempts = 0
            return
        }
        for _ in 0..<min(3, seeds.count) {
            sendPushPull(.pushPullRequest, to: seeds[seedPosition % seeds.count], &effects)
            seedPosition = (seedPosition + 1) % seeds.count
        }
        let wait = min(
            settings.joinMilliseconds << min(joinAttempts, 16), settings.joinLimitMilliseconds)
        joinAttempts += 1
        // Nodes that start together should not go on asking in step.
        joinAt = now.advanced(by: .milliseconds(wait / 2) + randomPart(of: .milliseconds(wait)))
    }

    mutating func pushPullIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= pushPullAt else { return }
        pushPullAt = now.advanced(by: settings.pushPullInterval(size: clusterSize))
        guard mayJudge else { return }
        for partner in randomMembers(1, where: { $1 == .alive }) {
            sendPushPull(.pushPullRequest, to: partner.metadata.peer, &effects)
        }
    }

    /// The first push-pull comes after a random part of the interval.
    mutating func drawPushPull(at now: Instant) {
        pushPullAt = now.advanced(by: randomPart(of: settings.pushPullInterval(size: 1)))
    }

    mutating func sendPushPull(_ body: Body, to address: Address, _ effects: inout [Effect]) {
        var updates = [myself.update(withFacts: true)]
        updates.reserveCapacity(1 + members.count)
        for member in members where !isFrozen || member.status == .alive {
            updates.append(member.update(withFacts: true))
        }
        effects.append(.sendStream(message(body, updates: updates), to: address))
    }

    /// Takes in all that another member knows, and answers if it asked.
    mutating func receivePushPull(
        _ message: Message, from address: Address, at now: Instant, _ effects: inout [Effect]
    ) {
        for update in message.updates {
            apply(softened(update, by: message.sender), at: now, &effects)
        }
        guard message.body == .pushPullRequest else { return }
        let own = message.updates.first { $0.id == message.sender }
        sendPushPull(.pushPullResponse, to: own?.metadata?.peer ?? address, &effects)
    }

    /// A verdict of the other side counts as an accusation: after a partition each side holds the
    /// other for dead, and those who are alive must have time to say so.
    ///
    /// Where we hold that member for dead ourselves, it stays dead.
    private func softened(_ update: Update, by accuser: NodeID) -> Update {
        guard update.status == .dead, update.id != id,
            isLive(update.id)
        else { return update }
        var accusation = update
        accusation.status = .suspect
        accusation.accusers = [accuser]
        return accusation
    }
}
