// Linearizable reads without log entries (dissertation 6.4). The leader notes its commit index,
// makes sure that it still led after the read was asked for, and the read waits until that index is
// applied. What confirms a read is a round of heartbeats begun after it; rounds are counted by the
// leader, so neither a repeated request nor a late answer can confirm a younger read.

import Primitives

extension RaftInstance {
    mutating func read(_ ticket: UInt64, at now: Instant, _ effects: inout [Effect]) {
        if role == .leader { return receiveRead(.local(ticket: ticket), at: now, &effects) }
        guard let leader else { return effects.append(.readFailed(ticket: ticket, .noLeader)) }
        guard let request = addForward(.read, ticket, at: now) else {
            return effects.append(.readFailed(ticket: ticket, .busy))
        }
        send(.readRequest(request), to: leader, &effects)
    }

    /// The leader's part, for its own reads and for those of others.
    mutating func receiveRead(
        _ asker: PendingRead.Asker, at now: Instant, _ effects: inout [Effect]
    ) {
        // Numbers only: a copy of the leadership would have the list of reads copied, too.
        guard let round = leadership?.round, let waiting = leadership?.reads.count,
            let firstIndex = leadership?.firstIndex
        else { return refuse(asker, .notLeader, &effects) }
        guard waiting < settings.readLimit else { return refuse(asker, .busy, &effects) }
        let knowsCommits = commitIndex >= firstIndex
        if settings.readsByLease, knowsCommits, let leaseEnd, now < leaseEnd {
            return grant(asker, commitIndex, at: now, &effects)
        }
        let isRoundUnderWay = confirmedRound < round
        leadership?.reads.append(
            PendingRead(
                asker: asker, round: round + 1, index: knowsCommits ? commitIndex : nil))
        // One round at a time: reads that come meanwhile share the next one.
        if !isRoundUnderWay { beginRound(at: now, &effects) }
    }

    /// Grants the reads whose round a majority has answered.
    mutating func confirmReads(at now: Instant, _ effects: inout [Effect]) {
        guard let leading = leadership, !leading.reads.isEmpty else { return }
        let confirmed = confirmedRound
        leadership?.reads.removeAll { $0.round <= confirmed && $0.index != nil }
        for read in leading.reads where read.round <= confirmed {
            guard let index = read.index else { continue }
            grant(read.asker, index, at: now, &effects)
        }
        let hasWaiting = leading.reads.contains { $0.round > leading.round }
        if hasWaiting, confirmed == leading.round { beginRound(at: now, &effects) }
    }

    /// Gives their index to the reads that came before this term's first entry was committed.
    mutating func nameReads(at now: Instant, _ effects: inout [Effect]) {
        guard let leading = leadership, commitIndex >= leading.firstIndex else { return }
        for position in leading.reads.indices where leading.reads[position].index == nil {
            leadership?.reads[position].index = commitIndex
        }
        confirmReads(at: now, &effects)
    }

    private mutating func grant(
        _ asker: PendingRead.Asker, _ index: LogIndex, at now: Instant, _ effects: inout [Effect]
    ) {
        switch asker {
        case .local(let ticket): ripen(ticket, index, at: now, &effects)
        case .remote(let node, let request):
            send(.readResponse(request, index: index), to: node, &effects)
        }
    }

    private func refuse(
        _ asker: PendingRead.Asker, _ reason: Rejection, _ effects: inout [Effect]
    ) {
        switch asker {
        case .local(let ticket): effects.append(.readFailed(ticket: ticket, reason))
        case .remote(let node, let request):
            send(.readResponse(request, index: nil), to: node, &effects)
        }
    }

    /// A read whose leader is none any more.
    mutating func failReads(_ effects: inout [Effect]) {
        for read in leadership?.reads ?? [] { refuse(read.asker, .notLeader, &effects) }
        leadership?.reads = []
    }

    /// The read has its index; it is answered once that is applied here.
    mutating func ripen(
        _ ticket: UInt64, _ index: LogIndex, at now: Instant, _ effects: inout [Effect]
    ) {
        guard ripeningReads.count < settings.readLimit else {
            return effects.append(.readFailed(ticket: ticket, .busy))
        }
        ripeningReads.append(
            RipeningRead(
                ticket: ticket, index: index,
                deadline: now.advanced(by: .milliseconds(settings.forwardMilliseconds))))
    }

    mutating func answerRipeReads(_ effects: inout [Effect]) {
        guard !ripeningReads.isEmpty else { return }
        for read in ripeningReads where read.index <= appliedIndex {
            effects.append(.readReady(ticket: read.ticket, index: read.index))
        }
        ripeningReads.removeAll { $0.index <= appliedIndex }
    }
}
