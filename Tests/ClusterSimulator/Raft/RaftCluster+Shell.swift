// The shell: what carries a server's effects out, in the order that the contract demands.

import Primitives
import Raft

extension RaftCluster {
    /// Gives a server an input and carries out what it asks for.
    mutating func step(_ input: RaftInstance.Input, on index: Int) throws(Finding) {
        let before = nodes[index].glance
        guard before.isUp else { return }
        var effects: [RaftInstance.Effect] = []
        let now = nodes[index].machine.clock.local(at: world.now)
        nodes[index].instance?.step(input, at: now, effects: &effects)
        let after = nodes[index].glance
        let leads = before.leads && after.leads && before.term == after.term
        for effect in effects {
            switch effect {
            case .persist(let persistence):
                try noteLog(persistence, on: index, leads: leads)
                nodes[index].queue.append(effect)
            case .sendAtOnce(let message, let receiver):
                try send(message, from: index, to: receiver)
            case .send(let message, let receiver) where has(.sendsOvertakeDisk):
                try send(message, from: index, to: receiver)
            default: nodes[index].queue.append(effect)
            }
        }
        try judge(index, after, isNewLeader: after.leads && !leads)
        try drain(index)
    }

    /// What must hold of a server after each step.
    private mutating func judge(
        _ index: Int, _ glance: RaftNode.Glance, isNewLeader: Bool
    ) throws(Finding) {
        let id = nodes[index].id
        let term = glance.term
        let commit = glance.commitIndex
        guard term >= nodes[index].highestTerm else {
            throw Finding("terms never fall", "\(id) falls to term \(term)")
        }
        guard commit >= nodes[index].highestCommit else {
            throw Finding(
                "the commit index never falls",
                "\(id) falls from \(nodes[index].highestCommit) to \(commit)")
        }
        guard glance.lastIndex == nodes[index].log.lastIndex else {
            throw Finding(
                "every change of the log is persisted",
                "\(id) has entry \(glance.lastIndex) and persisted \(nodes[index].log.lastIndex)")
        }
        if glance.leads, commit > nodes[index].highestCommit,
            let committed = nodes[index].log[commit], committed.term != term
        {
            throw Finding(
                "only entries of the own term are committed by counting",
                "\(id) commits \(commit) of an earlier term in term \(term)")
        }
        nodes[index].highestTerm = term
        nodes[index].highestCommit = commit
        guard isNewLeader else { return }
        world.coverage.add(.leaders)
        world.note("\(id) leads term \(term)")
        try ledger.elected(id, term: term, log: nodes[index].log)
    }

    /// Carries out effects until one has to wait for the disk.
    mutating func drain(_ index: Int) throws(Finding) {
        let life = nodes[index].machine.life
        while nodes[index].machine.life == life, let effect = nodes[index].nextEffect() {
            try carryOut(effect, on: index)
        }
    }

    private mutating func carryOut(
        _ effect: RaftInstance.Effect, on index: Int
    ) throws(Finding) {
        switch effect {
        case .persist(let persistence): persist(persistence, on: index)
        case .send(let message, let receiver), .sendAtOnce(let message, let receiver):
            try send(message, from: index, to: receiver)
        case .apply(let entries): try apply(entries, on: index)
        case .restore where has(.restoreIgnored): break
        case .restore(let snapshot): try restore(snapshot, on: index)
        case .takeSnapshot:
            world.coverage.add(.snapshotsTaken)
            let registers = nodes[index].registers
            let shown =
                has(.snapshotIsStale)
                ? Registers(foundedAt: registers.appliedIndex) : registers
            try step(
                .snapshotTaken(
                    index: registers.appliedIndex,
                    data: shown.encoded(padding: padding.snapshot)), on: index)
        case .proposalAnswered(let ticket, let outcome):
            try answered(ticket, outcome, on: index)
        case .readReady(let ticket, let place): try readReady(ticket, place, on: index)
        case .readFailed(let ticket, _): readFailed(ticket, on: index)
        case .statusChanged(let status): note(status, of: index)
        }
    }

    private mutating func persist(_ persistence: RaftInstance.Persistence, on index: Int) {
        let number = write(persistence, on: index)
        nodes[index].syncing = persistence
        let time = disks.within(Machine.syncTime) * nodes[index].machine.diskFactor
        world.note("\(nodes[index].id) writes \(persistence.brief)")
        world.schedule(
            .synced(machine: index, life: nodes[index].machine.life, write: number), after: time)
    }

    private mutating func apply(
        _ entries: [RaftInstance.Entry], on index: Int
    ) throws(Finding) {
        guard let last = entries.last else { return }
        let before = ledger.commitIndex
        try ledger.committed(
            nodes[index].id, through: last.index, term: nodes[index].instance?.term ?? last.term,
            log: nodes[index].log)
        if nodes[index].leads, ledger.commitIndex > before { try judgeDurability(index) }
        for entry in entries {
            guard entry.index == nodes[index].registers.appliedIndex + 1 else {
                throw Finding(
                    "each entry is applied once, in order",
                    "\(nodes[index].id) applies \(entry.index) after "
                        + "\(nodes[index].registers.appliedIndex)")
            }
            nodes[index].registers.apply(entry.command, at: entry.index)
            try ledger.applied(
                nodes[index].id, entry.index, state: nodes[index].registers.digest.value)
            if entry.index > before { noteCommitted(entry) }
        }
        try settleWrites(on: index)
    }

    private mutating func restore(
        _ snapshot: RaftInstance.Snapshot, on index: Int
    ) throws(Finding) {
        world.coverage.add(.snapshotsInstalled)
        world.note("\(nodes[index].id) restores \(snapshot.index)")
        guard let registers = Registers(snapshot.data), registers.appliedIndex == snapshot.index
        else {
            throw Finding(
                "snapshots arrive whole", "\(nodes[index].id) got a broken \(snapshot.index)")
        }
        guard registers.appliedIndex >= nodes[index].registers.appliedIndex else {
            throw Finding(
                "the applied index never falls",
                "\(nodes[index].id) is set back to \(registers.appliedIndex)")
        }
        nodes[index].registers = registers
        try ledger.applied(nodes[index].id, snapshot.index, state: registers.digest.value)
        try settleWrites(on: index)
    }

    private mutating func note(_ status: RaftInstance.Status, of index: Int) {
        world.note("\(nodes[index].id) is \(status.role) in term \(status.term)")
        switch status.role {
        case .preCandidate: world.coverage.add(.preVotes)
        case .candidate: world.coverage.add(.elections)
        case .leader, .follower: break
        }
    }
}

extension RaftInstance.Entry {
    /// The command's bytes, or nil when it is none.
    var command: [UInt8]? {
        if case .command(let bytes) = payload { return bytes }
        return nil
    }
}

extension RaftInstance.Persistence {
    /// A short form for the journal.
    var brief: String {
        var parts: [String] = []
        if let hardState {
            parts.append("term \(hardState.term) vote \(hardState.vote?.description ?? "none")")
        }
        if let snapshot { parts.append("snapshot \(snapshot.index)\(resetsLog ? " reset" : "")") }
        if let first = entries.first, let last = entries.last {
            parts.append("entries \(first.index)...\(last.index) of term \(last.term)")
        }
        return parts.joined(separator: ", ")
    }
}
