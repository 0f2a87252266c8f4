// What is said about members, and which of it counts (DSN 2002, section 4.2).

import Primitives

extension SWIMInstance {
    /// Takes in one piece of news.
    mutating func apply(_ update: Update, at now: Instant, _ effects: inout [Effect]) {
        guard update.id != id else { return hearOfMyself(update, at: now, &effects) }
        guard let index = index(of: update.id) else {
            return meet(update, at: now, &effects)
        }
        let isNewFact = takeFacts(update, at: index)
        if update.precedence > members[index].precedence {
            let wasLive = members[index].status.isLive
            let suspicion =
                update.status == .suspect ? suspicion(by: update.accusers, at: now) : nil
            adopt(update.precedence, suspicion: suspicion, at: index, now: now, &effects)
            if !wasLive, update.status.isLive { memberReturned(at: index, now: now, &effects) }
        } else {
            if update.precedence == members[index].precedence {
                confirm(update.accusers, at: index, &effects)
            }
            if isNewFact { effects.append(.memberChanged(members[index])) }
        }
    }

    /// News of a member we do not know: without its facts it could not be reached, and one that is
    /// dead already is of no use.
    private mutating func meet(_ update: Update, at now: Instant, _ effects: inout [Effect]) {
        guard update.status.isLive, let metadata = update.metadata else { return }
        var member = Member(
            id: update.id, incarnation: update.incarnation, life: update.life,
            status: update.status, metadata: metadata, since: now)
        if update.status == .suspect {
            member.suspicion = suspicion(by: update.accusers, at: now)
        }
        insert(member, at: now, &effects)
    }

    /// A member's facts belong to a claim of its own; news of its status may have come first.
    private mutating func takeFacts(_ update: Update, at index: Int) -> Bool {
        let claim = Member.Claim(incarnation: update.incarnation, life: update.life)
        guard let metadata = update.metadata, claim > members[index].metadataClaim else {
            return false
        }
        members[index].metadataClaim = claim
        defer { members[index].metadata = metadata }
        return members[index].metadata != metadata
    }

    /// A member that was dead is back.
    ///
    /// Where it was, others may be that we hold for dead, and who hold us for dead. At most one
    /// push-pull a second, whatever returns; and only few of a large cluster's members do it, as
    /// the one that returned has to answer them all.
    private mutating func memberReturned(
        at index: Int, now: Instant, _ effects: inout [Effect]
    ) {
        let dice = Int.random(in: 0..<clusterSize, using: &random)
        guard now >= bridgeAt, mayJudge, dice < settings.caretakers else { return }
        bridgeAt = now.advanced(by: .seconds(1))
        sendPushPull(.pushPullRequest, to: members[index].metadata.peer, &effects)
    }

    /// Somebody speaks about us: whatever is not our own word is refuted by a higher incarnation.
    private mutating func hearOfMyself(
        _ update: Update, at now: Instant, _ effects: inout [Effect]
    ) {
        if update.life != myself.life { hearOfNamesake(update, at: now, &effects) }
        guard update.precedence > myself.precedence, phase == .member else {
            return repeatMyself(to: update)
        }
        guard isServing else {
            unansweredAccusation = max(update.incarnation, unansweredAccusation ?? 0)
            return
        }
        // What we left behind in an earlier life is no accusation.
        if update.life == myself.life, update.status != .alive { health.note(.refuted) }
        raiseIncarnation(above: update.incarnation, &effects)
    }

    /// Spreads a refutation again.
    ///
    /// Who repeats an accusation that was refuted already has missed it, perhaps because nobody
    /// could be reached while it was spread.
    private mutating func repeatMyself(to update: Update) {
        guard update.status == .suspect || update.status == .dead, phase == .member, isServing,
            update.precedence < myself.precedence
        else { return }
        news.add(id)
    }

    /// Claims anew to be alive.
    mutating func raiseIncarnation(above incarnation: UInt64, _ effects: inout [Effect]) {
        let floor = max(incarnation, myself.incarnation)
        guard floor < Update.incarnationLimit else { return }
        myself.incarnation = floor + 1
        news.add(id)
        effects.append(.incarnationRaised(myself.incarnation))
    }
}
