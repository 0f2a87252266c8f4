// Log compaction and InstallSnapshot (section 7). A snapshot travels in chunks, one at a time, and
// counts only when it is whole.

import Primitives

extension RaftInstance {
    // MARK: Taking one's own

    /// Asks for a snapshot when the log behind the last one has grown long.
    mutating func askForSnapshot(_ effects: inout [Effect]) {
        let since = appliedIndex - log.snapshot.index
        guard since > 0 else { return }
        let isLong =
            since >= LogIndex(settings.snapshotThresholdEntries)
            || log.bytesSinceSnapshot >= settings.snapshotThresholdBytes
        let isAsked =
            snapshotAskedAt > log.snapshot.index
            && appliedIndex - snapshotAskedAt < LogIndex(settings.snapshotThresholdEntries)
        guard isLong, !isAsked else { return }
        snapshotAskedAt = appliedIndex
        effects.append(.takeSnapshot)
    }

    /// Puts the state machine's state in place of the log up to `index`.
    ///
    /// Only what has been applied can be in it; an index that is not newer than the snapshot's
    /// is old news.
    mutating func compact(through index: LogIndex, _ data: [UInt8]) {
        precondition(index <= appliedIndex, "a snapshot of \(index), applied is \(appliedIndex)")
        guard index > log.snapshot.index, let term = log.term(at: index) else { return }
        let snapshot = Snapshot(
            index: index, term: term, configuration: log.configuration(at: index), data: data)
        log.compact(
            to: snapshot, keepingCount: settings.keptEntries, keepingBytes: settings.keptBytes)
        unwritten.snapshot = snapshot
    }

    // MARK: Sending it

    func beginSnapshot(to peer: inout Progress, at now: Instant, _ effects: inout [Effect]) {
        // The transfer keeps its snapshot, even if a newer one is taken meanwhile.
        let transfer = SnapshotTransfer(snapshot: log.snapshot, sentAt: now)
        peer.beginProbing(from: log.snapshot.index + 1)
        peer.mode = .installing(transfer)
        sendChunk(of: transfer, to: peer.id, &effects)
    }

    private func sendChunk(
        of transfer: SnapshotTransfer, to node: NodeID, _ effects: inout [Effect]
    ) {
        let snapshot = transfer.snapshot
        let end = min(transfer.offset + settings.chunkBytes, snapshot.data.count)
        let chunk = SnapshotChunk(
            index: snapshot.index, term: snapshot.term, configuration: snapshot.configuration,
            totalBytes: snapshot.data.count, offset: transfer.offset,
            data: Array(snapshot.data[transfer.offset..<end]))
        send(.snapshotChunk(chunk), to: node, &effects)
    }

    /// The next chunk, once the one under way is answered; an answer to another chunk is late.
    mutating func receiveChunkResponse(
        _ index: LogIndex, _ chunkOffset: Int, _ received: Int, from sender: NodeID,
        at now: Instant, _ effects: inout [Effect]
    ) {
        guard let position = leadership?.position(of: sender) else { return }
        leadership?.peers[position].lastContact = now
        guard case .installing(var transfer) = leadership?.peers[position].mode,
            transfer.snapshot.index == index, transfer.offset == chunkOffset,
            received >= 0, received < transfer.snapshot.data.count
        else { return }
        // Where the follower stands: farther, or at the beginning if it has restarted.
        transfer.offset = received
        sendAgain(transfer, toPeerAt: position, at: now, &effects)
    }

    /// Sends a chunk again that was not answered, to a follower that answers heartbeats.
    mutating func resendChunk(
        toPeerAt position: Int, at now: Instant, _ effects: inout [Effect]
    ) {
        guard let peer = leadership?.peers[position], case .installing(let transfer) = peer.mode,
            now >= transfer.sentAt.advanced(by: settings.chunkPatience)
        else { return }
        sendAgain(transfer, toPeerAt: position, at: now, &effects)
    }

    /// Sends the chunk at the transfer's offset; at the beginning, of the newest snapshot there is.
    private mutating func sendAgain(
        _ transfer: SnapshotTransfer, toPeerAt position: Int, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard let peer = leadership?.peers[position] else { return }
        var current = transfer
        if transfer.offset == 0 { current = SnapshotTransfer(snapshot: log.snapshot, sentAt: now) }
        current.sentAt = now
        leadership?.peers[position].next = current.snapshot.index + 1
        leadership?.peers[position].mode = .installing(current)
        sendChunk(of: current, to: peer.id, &effects)
    }

    // MARK: Receiving it

    mutating func receiveChunk(
        _ chunk: SnapshotChunk, from leader: NodeID, _ effects: inout [Effect]
    ) {
        // A log that has the snapshot's last entry has all before it (Log Matching).
        if chunk.index > commitIndex, log.term(at: chunk.index) == chunk.term {
            commitIndex = chunk.index
            agreedIndex = max(agreedIndex, chunk.index)
        }
        guard chunk.index > commitIndex else {
            incoming = nil
            return send(.appendResponse(.accepted(match: commitIndex)), to: leader, &effects)
        }
        guard chunk.totalBytes <= settings.snapshotLimitBytes, chunk.offset >= 0,
            chunk.data.count <= chunk.totalBytes - chunk.offset, chunk.term <= term,
            chunk.index <= WireLimits.number
        else { return }
        let received = collect(chunk, from: leader)
        guard received == chunk.totalBytes else {
            let response = Message.Body.snapshotResponse(
                index: chunk.index, chunkOffset: chunk.offset, received: received)
            return send(response, to: leader, &effects)
        }
        install(chunk, from: leader, &effects)
    }

    /// Adds a chunk that continues what is there; one of another snapshot begins anew.
    ///
    /// - Returns: How many bytes of the snapshot are there now.
    private mutating func collect(_ chunk: SnapshotChunk, from leader: NodeID) -> Int {
        var snapshot =
            incoming ?? IncomingSnapshot(leader: leader, leaderTerm: term, index: chunk.index)
        if snapshot.leader != leader || snapshot.leaderTerm != term
            || snapshot.index != chunk.index
        {
            snapshot = IncomingSnapshot(leader: leader, leaderTerm: term, index: chunk.index)
        }
        incoming = nil  // So that the bytes have one owner and grow in place.
        if chunk.offset == snapshot.data.count { snapshot.data += chunk.data }
        let received = snapshot.data.count
        incoming = snapshot
        return received
    }

    /// "Discard the entire log; reset state machine using snapshot contents" (Figure 13).
    private mutating func install(
        _ chunk: SnapshotChunk, from leader: NodeID, _ effects: inout [Effect]
    ) {
        let snapshot = Snapshot(
            index: chunk.index, term: chunk.term, configuration: chunk.configuration,
            data: incoming?.data ?? [])
        incoming = nil
        log.reset(to: snapshot)
        unwritten.snapshot = snapshot
        unwritten.resetsLog = true
        unwritten.entries = []
        commitIndex = snapshot.index
        appliedIndex = snapshot.index
        agreedIndex = snapshot.index
        snapshotAskedAt = snapshot.index
        effects.append(.restore(snapshot))
        send(.appendResponse(.accepted(match: snapshot.index)), to: leader, &effects)
    }
}
