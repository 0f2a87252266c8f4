// What servers write, and what the observer knows to be safe on their disks.

import Primitives
import Raft

extension RaftCluster {
    /// Hands `persistence` to the disk; the number of its last write.
    mutating func write(_ persistence: RaftInstance.Persistence, on index: Int) -> Int {
        let written = damaged(persistence)
        var writes = nodes[index].files.writes(written)
        if has(.logCutBeforeSnapshot), let first = writes.firstIndex(where: \.isSnapshot) {
            writes.append(writes.remove(at: first))
        }
        var number = 0
        for write in writes { number = nodes[index].machine.disk.write(write) }
        return number
    }

    /// What a planted bug leaves of what should be written.
    private mutating func damaged(
        _ persistence: RaftInstance.Persistence
    ) -> RaftInstance.Persistence {
        var persistence = persistence
        switch options.bug {
        case .voteNotPersisted: persistence.hardState?.vote = nil
        case .termNotPersisted where world.now > 0: persistence.hardState = nil
        case .entriesNotPersisted where disks.chance(permille: 20): persistence.entries = []
        case .snapshotForgetsMembers:
            let founders = (1...options.nodes).map { NodeID(UInt64($0)) }
            persistence.snapshot?.configuration = RaftInstance.Configuration(voters: founders)
        default: break
        }
        return persistence
    }

    /// Follows the log that a server has just asked to have on disk.
    mutating func noteLog(
        _ persistence: RaftInstance.Persistence, on index: Int, leads: Bool
    ) throws(Finding) {
        let id = nodes[index].id
        if let snapshot = persistence.snapshot, persistence.resetsLog {
            guard let mark = ledger.committedMark(snapshot.index) else {
                throw Finding("snapshots hold committed entries", "\(id) got \(snapshot.index)")
            }
            nodes[index].log.restart(at: snapshot.index, mark)
        }
        guard let first = persistence.entries.first else { return }
        world.coverage.add(.appends)
        if first.index <= nodes[index].log.lastIndex { world.coverage.add(.truncations) }
        for entry in persistence.entries {
            try ledger.appended(
                id, term: entry.term, payloadHash: entry.hash, at: entry.index, leads: leads,
                log: &nodes[index].log)
        }
    }

    /// Notes that `persistence` survives whatever comes.
    mutating func noteDurable(_ persistence: RaftInstance.Persistence, on index: Int) {
        if let hardState = persistence.hardState { nodes[index].durable = hardState }
        if let snapshot = persistence.snapshot, let mark = ledger.committedMark(snapshot.index),
            persistence.resetsLog || nodes[index].durableLog.lastIndex < snapshot.index
        {
            nodes[index].durableLog.restart(at: snapshot.index, mark)
        }
        guard let first = persistence.entries.first else { return }
        nodes[index].durableLog.truncate(after: first.index - 1)
        for entry in persistence.entries {
            _ = nodes[index].durableLog.append(term: entry.term, payloadHash: entry.hash)
        }
    }

    /// "Committed" means that a majority has it on disk (section 5.3).
    ///
    /// While members change, the majority before the change is enough: one voter fewer.
    func judgeDurability(_ index: Int) throws(Finding) {
        guard let configuration = nodes[index].instance?.configuration else { return }
        let mark = ledger.committedMark(ledger.commitIndex)
        let holders = configuration.voters.count { voter in
            let log = machines[voter].map { nodes[$0].durableLog } ?? steward.lostLogs[voter]
            guard let log else { return false }
            return log[ledger.commitIndex] == mark || log.baseIndex > ledger.commitIndex
        }
        let needed = (configuration.voters.count - 1) / 2 + 1
        guard holders >= needed else {
            throw Finding(
                "a majority of disks holds what is committed",
                "entry \(ledger.commitIndex) is on \(holders) of \(configuration.voters.count)")
        }
    }

    /// Starts a process from what its disk gives back; a disk that lies is refused and replaced.
    mutating func startProcess(on index: Int) throws(Finding) {
        let state: RaftInstance.PersistedState
        do throws(RaftFiles.Corruption) {
            let care = RaftFiles.Care(
                refusesDamage: !has(.damageIsCutOff), removesTornEnd: !has(.tornEndIsKept))
            let opened = try RaftFiles.open(
                &nodes[index].machine.disk, segmentLimit: segmentLimit, care: care)
            nodes[index].files = opened.files
            state = opened.state
        } catch {
            world.coverage.add(.corruptFilesRefused)
            world.note("\(nodes[index].id) refuses its disk: \(error)")
            guard steward.damaged == nodes[index].id else {
                throw Finding("sound disks are accepted", "\(nodes[index].id): \(error)")
            }
            replaceDisk(of: index)
            return try startProcess(on: index)
        }
        guard steward.damaged != nodes[index].id else {
            throw Finding("damaged files are refused", "\(nodes[index].id) starts from one")
        }
        try judgeRecovery(state, on: index)
        let now = nodes[index].machine.clock.local(at: world.now)
        do throws(RaftError) {
            nodes[index].instance = try RaftInstance(
                id: nodes[index].id, state: state, settings: settings, seed: seeds.next(), at: now)
        } catch {
            throw Finding("a server starts from what it wrote", "\(nodes[index].id): \(error)")
        }
        nodes[index].registers =
            has(.startsWithoutSnapshot)
            ? Registers(foundedAt: state.snapshot.index)
            : Registers(state.snapshot.data) ?? Registers()
        world.schedule(
            .tick(machine: index, life: nodes[index].machine.life),
            after: havoc.within(0...Self.tickInterval))
    }

    /// What was durable before a crash is there after it.
    private mutating func judgeRecovery(
        _ state: RaftInstance.PersistedState, on index: Int
    ) throws(Finding) {
        let id = nodes[index].id
        let durable = nodes[index].durableLog
        guard state.hardState.term >= nodes[index].durable.term,
            state.hardState.term > nodes[index].durable.term
                || nodes[index].durable.vote == nil
                || state.hardState.vote == nodes[index].durable.vote
        else {
            throw Finding("term and vote survive", "\(id) recovers \(state.hardState)")
        }
        var log = ShadowLog()
        if state.snapshot.index > 0 {
            guard let mark = ledger.committedMark(state.snapshot.index) else {
                throw Finding(
                    "snapshots hold committed entries", "\(id) recovers one that does not")
            }
            log.restart(at: state.snapshot.index, mark)
        }
        for entry in state.followingEntries {
            try ledger.appended(
                id, term: entry.term, payloadHash: entry.hash, at: entry.index, leads: false,
                log: &log)
        }
        let known = min(durable.lastIndex, ledger.commitIndex)
        if let mark = durable[known], mark == ledger.committedMark(known), known > log.baseIndex,
            log[known] != mark
        {
            throw Finding("durable entries survive", "\(id) lost committed entry \(known)")
        }
        nodes[index].log = log
        nodes[index].durableLog = log
        nodes[index].durable = state.hardState
    }
}

extension RaftInstance.PersistedState {
    /// The entries that count beside the snapshot.
    var followingEntries: [RaftInstance.Entry] {
        guard let first = entries.first, first.index <= snapshot.index else { return entries }
        let offset = Int(snapshot.index - first.index)
        guard offset < entries.count, entries[offset].term == snapshot.term else { return [] }
        return Array(entries[(offset + 1)...])
    }
}
