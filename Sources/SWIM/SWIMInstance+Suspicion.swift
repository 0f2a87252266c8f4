// Suspicion: who does not answer may refute before it is declared dead (DSN 2002, section 4.2;
// Lifeguard, section IV-B).

import Primitives

extension SWIMInstance {
    /// Our own probe of `target` failed.
    mutating func accuse(_ target: Member, at now: Instant, _ effects: inout [Effect]) {
        apply(
            Update(
                id: target.id, incarnation: target.incarnation, life: target.life,
                status: .suspect, accusers: [id]),
            at: now, &effects)
    }

    /// What is against a member that `accusers` have just made a suspect.
    func suspicion(by accusers: [NodeID], at now: Instant) -> Suspicion {
        let times = settings.suspicionTimes(size: clusterSize)
        // Neither the suspect nor its first accuser can confirm.
        let needed = min(settings.confirmations, max(0, clusterSize - 2))
        return Suspicion(
            accusers: accusers, needed: needed, minimum: times.minimum, maximum: times.maximum,
            at: now)
    }

    /// Others say what is known already: more accusers shorten the suspect's time, and are told on
    /// as long as they do.
    mutating func confirm(_ accusers: [NodeID], at index: Int, _ effects: inout [Effect]) {
        guard members[index].suspicion?.add(accusers) == true else { return }
        noteSuspicion(at: index)
        news.add(members[index].id)
    }

    /// The first moment at which a suspect's time is up, looked for among all members.
    var firstSuspicionDeadline: Instant {
        var first = Instant.distantFuture
        for index in members.indices where members[index].status == .suspect {
            first = min(first, members[index].suspicion?.deadline ?? first)
        }
        return first
    }

    /// Keeps ``suspicionsDue`` right when the member at `index` has a suspicion, or a shorter one.
    mutating func noteSuspicion(at index: Int) {
        guard let due = suspicionsDue, let deadline = members[index].suspicion?.deadline
        else { return }
        suspicionsDue = min(due, deadline)
    }

    /// Tells suspects that they are suspected, once per period for as long as they are.
    ///
    /// That is the buddy system (Lifeguard, section IV-C) without waiting for their turn: where
    /// packets are lost, one ping is not enough to hear that it lives. In large clusters only some
    /// of the members do it, and each only for a few suspects at a time.
    mutating func remindIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= remindAt else { return }
        remindAt = now.advanced(by: settings.period)
        guard suspectCount > 0, mayJudge else { return }
        for suspect in randomMembers(settings.probeLimit, where: { $1 == .suspect }) {
            let dice = Int.random(in: 0..<clusterSize, using: &random)
            guard dice < settings.caretakers else { continue }
            send(.ping(sequence: takeSequence(), target: suspect.id), to: suspect, &effects)
        }
    }

    /// Suspects whose time is up are dead, unless too many are doubted.
    mutating func expireSuspicions(at now: Instant, _ effects: inout [Effect]) {
        guard suspectCount > 0 || isFrozen else { return }
        refreshFreeze(at: now, &effects)
        guard !isFrozen, mayJudge, now >= suspicionsDue ?? now else { return }
        for index in members.indices {
            guard let deadline = members[index].suspicion?.deadline, now >= deadline else {
                continue
            }
            var verdict = members[index].precedence
            verdict.status = .dead
            adopt(verdict, at: index, now: now, &effects)
        }
    }

    /// Whether more than half of the members are doubted: suspects, and those dead for a short
    /// while only.
    ///
    /// Deaths count on for a while: otherwise members that vanish together would be declared dead
    /// one by one, each a minority of those left.
    mutating func refreshFreeze(at now: Instant, _ effects: inout [Effect]) {
        guard settings.freezesRemovals else { return }
        // That is, 2 * (suspects + fresh) > clusterSize + fresh.
        let suspects = 2 * suspectCount
        let isFrozen =
            suspects > clusterSize
            || suspects + deadCount > clusterSize
                && suspects + freshlyDeadCount(at: now) > clusterSize
        if isFrozen != self.isFrozen {
            self.isFrozen = isFrozen
            // Those still doubted have had no chance to refute while nobody was heard.
            if !isFrozen {
                for index in members.indices { members[index].suspicion?.restart(at: now) }
                suspicionsDue = nil
            }
            effects.append(.removalsFrozen(isFrozen))
        }
    }

    private func freshlyDeadCount(at now: Instant) -> Int {
        let window = Duration.seconds(settings.freezeSeconds)
        return members.indices.count { index in
            members[index].status == .dead && members[index].since.duration(to: now) < window
        }
    }
}
