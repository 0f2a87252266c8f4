// Elections: section 5.2, with the pre-vote of dissertation 9.6. A server first asks whether it
// would win, and raises its term only if so: one that was cut off comes back without unseating
// anybody.

import Primitives

extension RaftInstance {
    mutating func drawElectionDeadline(at now: Instant) {
        let range = settings.electionMilliseconds
        let spread = Int64(range.upperBound - range.lowerBound) * 1_000_000
        let extra = Int64.random(in: 0...spread, using: &random)
        electionDeadline = now.advanced(
            by: .milliseconds(range.lowerBound) + .nanoseconds(extra))
    }

    /// Whether this server leads or follows a leader that it has heard within the shortest election
    /// timeout; then it helps nobody to replace that leader.
    func isLoyal(at now: Instant) -> Bool {
        role == .leader || now < loyalUntil
    }

    /// Whether this server may stand for election at all.
    ///
    /// Also one that a change takes out of the voters, until that is committed: "it might still be
    /// needed" (dissertation 4.2.2), for its log may be the only one with the change, and then no
    /// other can win its vote.
    var mayStand: Bool {
        let isVoter =
            configuration.voters.contains(id)
            || log.configuration(at: commitIndex).voters.contains(id)
        return isVoter && (settings.mayVote || configuration.voters == [id])
    }

    /// "If election timeout elapses without receiving AppendEntries RPC from current leader or
    /// granting vote to candidate: convert to candidate" (Figure 2).
    mutating func campaignIfDue(at now: Instant, _ effects: inout [Effect]) {
        if now >= electionDeadline {
            drawElectionDeadline(at: now)
            guard mayStand else { return }
            beginPreVote(at: now, &effects)
        } else if now >= askAgainDeadline {
            switch role {
            case .preCandidate(let votes): askForPreVotes(except: votes, at: now, &effects)
            case .candidate(let votes):
                askForVotes(except: votes, isTransfer: false, at: now, &effects)
            case .follower, .leader: break
            }
        }
    }

    private mutating func beginPreVote(at now: Instant, _ effects: inout [Effect]) {
        role = .preCandidate(votes: [id])
        if configuration.isQuorum([id]) { return campaign(at: now, isTransfer: false, &effects) }
        askForPreVotes(except: [id], at: now, &effects)
    }

    /// Asks those that have not said yes, and again each heartbeat interval: a voter may have heard
    /// the leader a few milliseconds later than this server, and the question costs nothing.
    private mutating func askForPreVotes(
        except votes: [NodeID], at now: Instant, _ effects: inout [Effect]
    ) {
        askAgainDeadline = now.advanced(by: settings.heartbeatInterval)
        let request = Message(
            term: term + 1,
            body: .preVoteRequest(
                VoteRequest(lastIndex: log.lastIndex, lastTerm: log.lastTerm)))
        for voter in configuration.voters where voter != id && !votes.contains(voter) {
            effects.append(.send(request, to: voter))
        }
    }

    /// Answers whether it would vote for `candidate` in `newTerm`; changes nothing.
    func answerPreVote(
        _ request: VoteRequest, for newTerm: Term, _ candidate: NodeID, at now: Instant,
        _ effects: inout [Effect]
    ) {
        let granted =
            newTerm > term && settings.mayVote && !isLoyal(at: now) && isUpToDate(request)
        let answer = Message(
            term: granted ? newTerm : term, body: .preVoteResponse(granted: granted))
        effects.append(.send(answer, to: candidate))
    }

    mutating func receivePreVote(
        _ granted: Bool, _ answerTerm: Term, from voter: NodeID, at now: Instant,
        _ effects: inout [Effect]
    ) {
        guard granted else {
            // A voter is ahead: what it knows must be caught up with before an election can be won.
            guard answerTerm > term, configuration.members.contains(voter) else { return }
            return becomeFollower(in: answerTerm, leader: nil, at: now, &effects)
        }
        guard case .preCandidate(let votes) = role, answerTerm == term + 1 else { return }
        let all = Self.adding(voter, to: votes)
        role = .preCandidate(votes: all)
        if configuration.isQuorum(all) { campaign(at: now, isTransfer: false, &effects) }
    }

    /// "On conversion to candidate, start election: increment currentTerm, vote for self, reset
    /// election timer, send RequestVote RPCs to all other servers" (Figure 2).
    mutating func campaign(at now: Instant, isTransfer: Bool, _ effects: inout [Effect]) {
        assert(role != .leader, "\(id) already leads term \(term)")
        setHardState(HardState(term: term + 1, vote: id))
        role = .candidate(votes: [id])
        agreedIndex = commitIndex
        drawElectionDeadline(at: now)
        if configuration.isQuorum([id]) { return becomeLeader(at: now, &effects) }
        askForVotes(except: [id], isTransfer: isTransfer, at: now, &effects)
    }

    private mutating func askForVotes(
        except votes: [NodeID], isTransfer: Bool, at now: Instant, _ effects: inout [Effect]
    ) {
        askAgainDeadline = now.advanced(by: settings.heartbeatInterval)
        let request = Message.Body.voteRequest(
            VoteRequest(
                lastIndex: log.lastIndex, lastTerm: log.lastTerm, isTransfer: isTransfer))
        for voter in configuration.voters where voter != id && !votes.contains(voter) {
            send(request, to: voter, &effects)
        }
    }

    /// RequestVote, receiver (Figure 2): "if votedFor is null or candidateId, and candidate's log
    /// is at least as up-to-date as receiver's log, grant vote".
    mutating func answerVote(
        _ request: VoteRequest, _ candidate: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        let isFree = hardState.vote == nil && leader == nil
        let granted =
            (isFree || hardState.vote == candidate) && settings.mayVote && isUpToDate(request)
        if granted {
            setHardState(HardState(term: term, vote: candidate))
            drawElectionDeadline(at: now)
        }
        send(.voteResponse(granted: granted), to: candidate, &effects)
    }

    mutating func receiveVote(
        _ granted: Bool, from voter: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        guard granted, case .candidate(let votes) = role else { return }
        let all = Self.adding(voter, to: votes)
        role = .candidate(votes: all)
        if configuration.isQuorum(all) { becomeLeader(at: now, &effects) }
    }

    /// "If the logs have last entries with different terms, then the log with the later term is
    /// more up-to-date.
    ///
    /// If the logs end with the same term, then whichever log is longer" (5.4.1).
    private func isUpToDate(_ request: VoteRequest) -> Bool {
        (request.lastTerm, request.lastIndex) >= (log.lastTerm, log.lastIndex)
    }

    private static func adding(_ voter: NodeID, to votes: [NodeID]) -> [NodeID] {
        votes.contains(voter) ? votes : votes + [voter]
    }

    /// Takes over: a no-op first, because entries of earlier terms are committed only together with
    /// one of this term (5.4.2, section 8).
    private mutating func becomeLeader(at now: Instant, _ effects: inout [Effect]) {
        role = .leader
        let peers = configuration.members.filter { $0 != id }.sorted().map {
            Progress(id: $0, next: log.lastIndex + 1, at: now)
        }
        incoming = nil
        leadership = Leadership(
            peers: peers, firstIndex: log.lastIndex + 1,
            uncommittedBytes: log.weight(after: commitIndex), heartbeatDue: now)
        beginRound(at: now, &effects)
        appendToLog(.noOperation, at: now, &effects)
    }

    /// "If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to
    /// follower" (Figure 2); and a leader without a majority does so in its own term.
    mutating func becomeFollower(
        in newTerm: Term, leader: NodeID?, at now: Instant, _ effects: inout [Effect]
    ) {
        assert(newTerm >= term, "the term of \(id) fell from \(term) to \(newTerm)")
        if newTerm > term {
            setHardState(HardState(term: newTerm, vote: nil))
            agreedIndex = commitIndex
            incoming = nil
        }
        var isTimerKept = false
        if case .follower = role { isTimerKept = true }
        if !isTimerKept { drawElectionDeadline(at: now) }
        failReads(&effects)
        role = .follower(leader: leader)
        leadership = nil
    }

    mutating func setHardState(_ newState: HardState) {
        assert(newState.term >= term, "the term of \(id) fell")
        guard newState != hardState else { return }
        assert(
            newState.term > term || hardState.vote == nil,
            "\(id) votes a second time in term \(term)")
        hardState = newState
        unwritten.hardState = newState
    }
}
