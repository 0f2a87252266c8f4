// The observer of a Raft cluster: it sees every node at once and forgets nothing.

import Primitives

/// Everything any node has ever promised, and the properties that promises must keep.
///
/// Property names follow Figure 3.2 of Ongaro's dissertation (2014). Each check costs O(1) per
/// entry, so that they run after every event.
struct RaftLedger {
    typealias Mark = ShadowLog.Mark

    /// A place in a log as one leader filled it.
    private struct Place: Hashable {
        var index: UInt64
        var term: UInt64
    }

    private struct Ballot: Hashable {
        var term: UInt64
        var voter: NodeID
    }

    private var leaders: [UInt64: NodeID] = [:]
    private var votes: [Ballot: NodeID] = [:]
    private var entries: [Place: UInt64] = [:]
    /// Marks of all committed entries, by index; nothing is ever taken out of it.
    private var committed = [Mark(term: 0, chain: 0)]
    /// In which term each was committed, or a later one; by index, never falling.
    private var commitTerms: [UInt64] = [0]
    private var states: [UInt64: UInt64] = [:]

    /// The highest index that any node has called committed.
    var commitIndex: UInt64 { UInt64(committed.count) - 1 }

    /// The mark of the committed entry at `index`.
    func committedMark(_ index: UInt64) -> Mark? {
        index <= commitIndex ? committed[Int(index)] : nil
    }

    /// The cluster begins with a snapshot at index 1 that holds `registers`.
    mutating func founded(_ registers: Registers) {
        committed.append(Mark(term: 1, chain: 0))
        commitTerms.append(1)
        states[1] = registers.digest.value
    }

    /// Election Safety: at most one leader can be elected in a given term.
    mutating func elected(_ leader: NodeID, term: UInt64, log: ShadowLog) throws(Finding) {
        if let other = leaders[term], other != leader {
            throw Finding("one leader per term", "\(other) and \(leader) lead term \(term)")
        }
        leaders[term] = leader
        // Leader Completeness: what was committed in earlier terms; a leader whose last votes come
        // late may lack what a later one has committed meanwhile. With a base above that, the
        // snapshot holds it all.
        guard let last = commitTerms.lastIndex(where: { $0 < term }), log.baseIndex <= last else {
            return
        }
        guard log[UInt64(last)] == committed[last] else {
            throw Finding(
                "leader completeness",
                "\(leader) leads term \(term) without committed entry \(last)")
        }
    }

    /// The leader of `term`, if there was one.
    func leader(of term: UInt64) -> NodeID? { leaders[term] }

    /// A vote is given once per term (Figure 3.1, RequestVote).
    mutating func voted(_ voter: NodeID, for candidate: NodeID, term: UInt64) throws(Finding) {
        let ballot = Ballot(term: term, voter: voter)
        if let other = votes[ballot], other != candidate {
            throw Finding(
                "one vote per term", "\(voter) votes for \(other) and \(candidate) in term \(term)")
        }
        votes[ballot] = candidate
    }

    /// Log Matching, Leader Append-Only and "committed entries stay": `node` replaces what follows
    /// `index - 1` in `log` by one entry.
    mutating func appended(
        _ node: NodeID, term: UInt64, payloadHash: UInt64, at index: UInt64, leads: Bool,
        log: inout ShadowLog
    ) throws(Finding) {
        guard index <= log.lastIndex + 1, index > log.baseIndex else {
            throw Finding(
                "logs have no gaps",
                "\(node) writes entry \(index) into \(log.baseIndex)...\(log.lastIndex)")
        }
        if index <= log.lastIndex {
            try truncated(node, after: index - 1, leads: leads, log: &log)
        }
        let mark = log.append(term: term, payloadHash: payloadHash)
        let place = Place(index: index, term: term)
        if let chain = entries[place], chain != mark.chain {
            throw Finding("log matching", "\(node) has another entry \(index) of term \(term)")
        }
        entries[place] = mark.chain
    }

    /// `node` drops what follows `index`.
    mutating func truncated(
        _ node: NodeID, after index: UInt64, leads: Bool, log: inout ShadowLog
    ) throws(Finding) {
        guard index < log.lastIndex else { return }
        if leads { throw Finding("leader append-only", "\(node) truncates to \(index)") }
        let next = index + 1
        if next <= commitIndex, log[next] == committed[Int(next)] {
            throw Finding("committed entries stay", "\(node) drops committed entry \(next)")
        }
        log.truncate(after: index)
    }

    /// State Machine Safety: `node`, in `term`, calls everything up to `index` committed.
    mutating func committed(
        _ node: NodeID, through index: UInt64, term: UInt64, log: ShadowLog
    ) throws(Finding) {
        guard index <= log.lastIndex else {
            throw Finding(
                "commit within the log", "\(node) commits \(index) of \(log.lastIndex) entries")
        }
        while commitIndex < index {
            guard let mark = log[commitIndex + 1] else {
                throw Finding("no gaps", "\(node) commits \(index) over compacted entries")
            }
            committed.append(mark)
            commitTerms.append(max(term, commitTerms.last ?? 0))
        }
        guard index < log.baseIndex || log[index] == committed[Int(index)] else {
            throw Finding(
                "state machine safety", "\(node) commits another entry \(index) than others did")
        }
    }

    /// State Machine Safety again, by what came of it: equal prefixes give equal states.
    mutating func applied(_ node: NodeID, _ index: UInt64, state: UInt64) throws(Finding) {
        guard index <= commitIndex else {
            throw Finding("apply after commit", "\(node) applies uncommitted entry \(index)")
        }
        if let other = states[index], other != state {
            throw Finding("equal states", "\(node) has another state after entry \(index)")
        }
        states[index] = state
    }
}
