// What this member says of itself: its facts, its good-bye, and to whom its name belongs.

import Primitives

extension SWIMInstance {
    /// Facts belong to an incarnation, so that others can tell which are newer.
    mutating func change(_ metadata: Metadata, _ effects: inout [Effect]) {
        do { try metadata.validate() } catch {
            preconditionFailure("\(id) was given facts that others refuse: \(error)")
        }
        guard metadata != myself.metadata, phase == .member else { return }
        myself.metadata = metadata
        raiseIncarnation(above: myself.incarnation, &effects)
    }

    mutating func setServing(_ isServing: Bool, _ effects: inout [Effect]) {
        self.isServing = isServing
        guard isServing, let accusation = unansweredAccusation else { return }
        unansweredAccusation = nil
        if phase == .member { raiseIncarnation(above: accusation, &effects) }
    }

    /// Says good-bye, and stays for a moment to spread it and to answer pings.
    mutating func leave(at now: Instant, _ effects: inout [Effect]) {
        guard phase == .member else { return }
        phase = .leaving(until: now.advanced(by: .milliseconds(settings.leaveMilliseconds)))
        myself.status = .left
        probes.removeAll()
        urgent.removeAll()
        news.add(id)
        gossipAt = now
        gossipIfDue(at: now, &effects)
    }

    mutating func finishLeavingIfDue(at now: Instant, _ effects: inout [Effect]) {
        guard case .leaving(let until) = phase, now >= until else { return }
        phase = .silent
        effects.append(.leaveFinished)
    }

    /// Another process uses our name, or did.
    ///
    /// It may be a life of our own that ended and hears nothing any more, or a rival. The one that
    /// started later yields, if the earlier one lives to say so.
    mutating func hearOfNamesake(
        _ update: Update, at now: Instant, _ effects: inout [Effect]
    ) {
        guard update.life > myself.life, update.status.isLive, let metadata = update.metadata
        else { return }
        claimName(from: metadata.peer, at: now, &effects)
    }

    /// Tells a later process of our name that it has to go.
    mutating func claimName(
        from rival: Address, at now: Instant, _ effects: inout [Effect]
    ) {
        guard phase == .member, now >= nameTakenAt else { return }
        nameTakenAt = now.advanced(by: .seconds(1))
        effects.append(.send(message(.nameTaken), to: rival))
    }

    /// A process that had our name before is still there.
    mutating func receiveNameTaken(
        life: UInt64, from sender: NodeID, _ address: Address, _ effects: inout [Effect]
    ) {
        guard sender == id, life < myself.life else { return }
        phase = .silent
        effects.append(.nameTaken(by: address))
    }
}
