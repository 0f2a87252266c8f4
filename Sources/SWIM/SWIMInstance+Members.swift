// The table of members, and what goes with each change of one.

import Primitives

extension SWIMInstance {
    /// Where `id` is in ``members``.
    func index(of id: NodeID) -> Int? {
        let index = insertionIndex(of: id)
        return index < members.count && members[index].id == id ? index : nil
    }

    private func insertionIndex(of id: NodeID) -> Int {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A member that is heard of for the first time; nothing happens when the table is full of
    /// live ones.
    mutating func insert(_ member: Member, at now: Instant, _ effects: inout [Effect]) {
        if members.count == settings.memberLimit - 1, !forgetOldestDead(&effects) { return }
        let index = insertionIndex(of: member.id)
        members.insert(member, at: index)
        noteSuspicion(at: index)
        count(member.status, 1)
        addToRounds(member.id)
        resetStrangers()
        news.add(member.id)
        effects.append(.memberChanged(member))
    }

    /// Gives the member at `index` another status or claim.
    ///
    /// All changes go through here, so that counts, rounds, news and trials never disagree with it.
    mutating func adopt(
        _ precedence: Precedence, suspicion: Suspicion? = nil, at index: Int, now: Instant,
        _ effects: inout [Effect]
    ) {
        assert(precedence > members[index].precedence, "\(precedence) for \(members[index])")
        assert((suspicion != nil) == (precedence.status == .suspect), "\(precedence)")
        let before = members[index].status
        count(before, -1)
        members[index].incarnation = precedence.incarnation
        members[index].life = precedence.life
        members[index].status = precedence.status
        if let deadline = members[index].suspicion?.deadline, deadline == suspicionsDue {
            suspicionsDue = nil
        }
        members[index].suspicion = suspicion
        noteSuspicion(at: index)
        count(precedence.status, 1)
        if precedence.status != before {
            members[index].since = now
            statusChanged(from: before, at: index, now: now)
        }
        news.add(members[index].id)
        effects.append(.memberChanged(members[index]))
    }

    private mutating func statusChanged(from before: Status, at index: Int, now: Instant) {
        let id = members[index].id
        switch members[index].status {
        case .dead:
            resetStrangers()
            members[index].deaths += 1
            members[index].trialUntil = nil
        case .left:
            members[index].deaths = 0
            members[index].trialUntil = nil
        case .alive, .suspect:
            if !before.isLive { addToRounds(id) }
            if !before.isLive || members[index].trialUntil != nil {
                beginTrial(at: index, now: now)
            }
        }
    }

    /// One who came back from the dead, or is doubted while on trial, has to be steady for a while.
    private mutating func beginTrial(at index: Int, now: Instant) {
        let deaths = members[index].deaths
        guard deaths > 0 else { return }
        let seconds = min(
            settings.trialSeconds << min(deaths - 1, 16), settings.trialLimitSeconds)
        members[index].trialUntil = now.advanced(by: .seconds(seconds))
    }

    private mutating func count(_ status: Status, _ change: Int) {
        if status.isLive { liveCount += change }
        if status == .suspect { suspectCount += change }
        if status == .dead { deadCount += change }
    }

    /// New members are put at a random place of the rounds (DSN 2002, section 4.3).
    private mutating func addToRounds(_ id: NodeID) {
        if !probeOrder.contains(id) {
            let place = Int.random(in: 0...probeOrder.count, using: &random)
            probeOrder.insert(id, at: place)
            if place < probePosition { probePosition += 1 }
        }
        if !gossipOrder.contains(id) {
            let place = Int.random(in: 0...gossipOrder.count, using: &random)
            gossipOrder.insert(id, at: place)
            if place < gossipPosition { gossipPosition += 1 }
        }
    }

    /// The live members in a new random order.
    mutating func shuffledLiveMembers() -> [NodeID] {
        var ids: [NodeID] = []
        ids.reserveCapacity(liveCount)
        for index in members.indices where members[index].status.isLive {
            ids.append(members[index].id)
        }
        ids.shuffle(using: &random)
        return ids
    }

    /// Up to `count` different members that are fit, by chance.
    ///
    /// `isFit` sees id and status, as copies of all members would cost too much.
    mutating func randomMembers(_ count: Int, where isFit: (NodeID, Status) -> Bool) -> [Member] {
        var candidates = members.indices.filter { isFit(members[$0].id, members[$0].status) }
        var chosen: [Member] = []
        while chosen.count < count, !candidates.isEmpty {
            let place = Int.random(in: 0..<candidates.count, using: &random)
            chosen.append(members[candidates[place]])
            candidates.swapAt(place, candidates.count - 1)
            candidates.removeLast()
        }
        return chosen
    }

    /// The oldest of the dead makes room; false when there is none.
    private mutating func forgetOldestDead(_ effects: inout [Effect]) -> Bool {
        let oldest = members.indices.filter { !members[$0].status.isLive }
            .min { members[$0].since < members[$1].since }
        guard let oldest else { return false }
        forget(at: oldest, &effects)
        return true
    }

    private mutating func forget(at index: Int, _ effects: inout [Effect]) {
        let id = members[index].id
        count(members[index].status, -1)
        members.remove(at: index)
        news.remove(id)
        effects.append(.memberForgotten(id))
    }

    /// How often memory is looked through: seldom, as what it looks for takes minutes.
    static var housekeepingInterval: Duration { .seconds(1) }

    /// Forgets the long dead, and ends trials.
    mutating func keepHouseIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard now >= housekeepingAt else { return }
        housekeepingAt = now.advanced(by: Self.housekeepingInterval)
        for index in members.indices.reversed() {
            let age = members[index].since.duration(to: now)
            if !members[index].status.isLive, age >= .minutes(settings.deadMemoryMinutes) {
                forget(at: index, &effects)
                continue
            }
            guard members[index].status == .alive else { continue }
            if let until = members[index].trialUntil, now >= until {
                members[index].trialUntil = nil
                effects.append(.memberChanged(members[index]))
            }
            if age >= .minutes(settings.flapMemoryMinutes) { members[index].deaths = 0 }
        }
        refreshFreeze(at: now, &effects)
    }
}

extension Duration {
    /// A duration of whole minutes.
    static func minutes(_ count: Int) -> Duration { .seconds(60 * count) }
}
