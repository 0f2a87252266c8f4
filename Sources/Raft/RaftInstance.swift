// Consensus on a log. Servers elect a leader; the leader appends what is proposed to its log and
// to the others'; what a majority has on disk is committed and applied everywhere in one order.
// Each file RaftInstance+X.swift holds the rules of one part of the paper. "Section" means Ongaro
// and Ousterhout, USENIX ATC 2014 (extended version); "dissertation" means Ongaro, Stanford 2014.

public import Primitives

/// One Raft server as a pure value (Ongaro & Ousterhout, Figure 2).
///
/// It reads no clock, disk or socket. The shell feeds it an ``Input`` and the time, a
/// ``Input/tick`` at least every 10 ms; it appends ``Effect`` values, which the shell carries out
/// in order. **Whatever follows a ``Effect/persist(_:)`` waits until that is on disk**, across
/// steps, too; only ``Effect/sendAtOnce(_:to:)`` may overtake. So the shell keeps one queue of
/// effects, and the instance never waits: it may be stepped on while the disk works.
public struct RaftInstance: Sendable {
    /// What the shell tells the instance.
    public enum Input: Equatable, Sendable {
        /// Time has passed.
        case tick
        /// A message has come from another server.
        case received(Message, from: NodeID)
        /// Put this into the log; answered by ``Effect/proposalAnswered(ticket:_:)``.
        case propose(Proposal, ticket: UInt64)
        /// A linearizable read; answered by ``Effect/readReady(ticket:index:)`` or
        /// ``Effect/readFailed(ticket:_:)``.
        case read(ticket: UInt64)
        /// The leader hands over to this voter, or to the best one; others ignore it.
        case transferLeadership(to: NodeID?)
        /// The state machine's state after it applied `index`: the log may forget what is before.
        case snapshotTaken(index: LogIndex, data: [UInt8])
    }

    /// What the instance asks the shell to do.
    public enum Effect: Equatable, Sendable {
        /// Have this on disk before carrying out what follows. A failure is final: stop the node.
        case persist(Persistence)
        /// Send a message; it may be lost.
        case send(Message, to: NodeID)
        /// Send a message now, whatever waits for the disk: it claims nothing of what is on it.
        case sendAtOnce(Message, to: NodeID)
        /// Apply these committed entries, in order; each index comes once, rising by one.
        case apply([Entry])
        /// Replace the state machine's state: everything before this snapshot's end is in it.
        case restore(Snapshot)
        /// Take a snapshot of the state machine when convenient:
        /// ``Input/snapshotTaken(index:data:)``.
        case takeSnapshot
        /// What became of a proposal; each ticket is answered once. A network that doubles messages
        /// may have it appended twice: commands carry what the state machine needs to tell.
        case proposalAnswered(ticket: UInt64, ProposalOutcome)
        /// The read may be answered from the state machine as it is now: all up to `index`, and so
        /// all that was committed when the read was asked for, has been handed over by then.
        case readReady(ticket: UInt64, index: LogIndex)
        /// The read cannot be answered.
        case readFailed(ticket: UInt64, Rejection)
        /// Term, role or leader changed.
        case statusChanged(Status)
    }

    /// What a server is in the current term.
    public enum Role: Equatable, Sendable {
        /// It follows a leader, if it knows one.
        case follower(leader: NodeID?)
        /// It asks whether an election would succeed, and has these voters' yes.
        case preCandidate(votes: [NodeID])
        /// It stands for election and has these voters' votes.
        case candidate(votes: [NodeID])
        /// It leads.
        case leader

        /// The role without what belongs to it.
        public enum Kind: String, Equatable, Sendable {
            case follower, preCandidate, candidate, leader
        }

        /// Which of the four it is.
        public var kind: Kind {
            switch self {
            case .follower: .follower
            case .preCandidate: .preCandidate
            case .candidate: .candidate
            case .leader: .leader
            }
        }
    }

    /// What others may want to know at each change.
    public struct Status: Equatable, Sendable {
        /// The current term.
        public var term: Term
        /// This server's role.
        public var role: Role.Kind
        /// The leader, if known.
        public var leader: NodeID?
    }

    /// This server.
    public let id: NodeID
    /// Times and limits.
    public let settings: Settings

    var random: SeededGenerator
    /// Term and vote (Figure 2, "Persistent state").
    public internal(set) var hardState: HardState
    /// What this server is in the term of ``hardState``.
    public internal(set) var role: Role = .follower(leader: nil)
    /// What only a leader keeps; not nil exactly while ``role`` is leader.
    ///
    /// It is no payload of the role because changing a payload in place copies it.
    var leadership: Leadership?
    var log: Log
    /// The highest entry known to be committed.
    public internal(set) var commitIndex: LogIndex
    /// The highest entry handed over for application.
    var appliedIndex: LogIndex
    /// Up to here the log is known to agree with that of the current term's leader.
    var agreedIndex: LogIndex

    /// When a follower or candidate asks for an election.
    var electionDeadline: Instant
    /// When a pre-candidate asks again those who have not answered.
    var askAgainDeadline: Instant
    /// Until then this server is loyal to the leader it last heard of.
    ///
    /// After a start, too: it may have answered heartbeats just before, and that leader's lease
    /// counts on it.
    var loyalUntil: Instant
    /// A snapshot that is being received.
    var incoming: IncomingSnapshot?
    /// Requests that the leader has not answered.
    var forwards: [Forward] = []
    /// Names this life's requests.
    let session: UInt64
    var nextSequence: UInt64 = 1
    /// Reads that wait until the commit index has reached theirs.
    var ripeningReads: [RipeningRead] = []
    /// The last index at which a snapshot was asked for.
    var snapshotAskedAt: LogIndex

    var lastInstant: Instant
    /// What the current step has changed and must have on disk.
    var unwritten = Persistence()

    /// Starts a server from what its disk holds.
    ///
    /// - Parameters:
    ///   - id: This server.
    ///   - state: What the disk gave back, or ``PersistedState/founding(voters:data:)``. The state
    ///     machine must be in the state of its snapshot.
    ///   - settings: Times and limits.
    ///   - seed: For election timeouts and the names of requests; another one at each start.
    ///   - now: The time.
    /// - Throws: ``RaftError`` when the log has gaps or the settings contradict each other.
    public init(
        id: NodeID, state: PersistedState, settings: Settings, seed: UInt64, at now: Instant
    ) throws(RaftError) {
        try settings.validate()
        self.id = id
        self.settings = settings
        random = SeededGenerator(seed: seed)
        session = random.next()
        hardState = state.hardState
        log = try Log(state)
        commitIndex = state.snapshot.index
        appliedIndex = state.snapshot.index
        agreedIndex = state.snapshot.index
        snapshotAskedAt = state.snapshot.index
        lastInstant = now
        electionDeadline = now
        askAgainDeadline = now
        loyalUntil = now.advanced(by: settings.loyalty)
        drawElectionDeadline(at: now)
        if state.logMissesItsSnapshot {
            unwritten.snapshot = state.snapshot
            unwritten.resetsLog = true
        }
        // Who decides alone need not wait for anybody.
        if configuration.voters == [id] { electionDeadline = now }
    }

    /// Advances the protocol by one input.
    ///
    /// - Precondition: `now` is not earlier than in the call before.
    public mutating func step(_ input: Input, at now: Instant, effects: inout [Effect]) {
        precondition(now >= lastInstant, "time ran backwards: \(lastInstant) to \(now)")
        lastInstant = now
        let start = effects.count
        let before = status
        switch input {
        case .tick: tick(at: now, &effects)
        case .received(let message, let sender):
            receive(message, from: sender, at: now, &effects)
        case .propose(let proposal, let ticket): propose(proposal, ticket, at: now, &effects)
        case .read(let ticket): read(ticket, at: now, &effects)
        case .transferLeadership(let target): transfer(to: target, at: now, &effects)
        case .snapshotTaken(let index, let data): compact(through: index, data)
        }
        finishStep(from: start, before, &effects)
    }

    /// Puts what must be on disk before all else of this step, then hands over what is committed.
    private mutating func finishStep(
        from start: Int, _ before: Status, _ effects: inout [Effect]
    ) {
        if !unwritten.isEmpty {
            effects.insert(.persist(unwritten), at: start)
            unwritten = Persistence()
        }
        applyCommitted(&effects)
        answerRipeReads(&effects)
        askForSnapshot(&effects)
        let after = status
        if after != before { effects.append(.statusChanged(after)) }
        assert((leadership != nil) == (role == .leader), "\(id) is \(role) by half")
        assert(commitIndex <= log.lastIndex, "\(id) committed \(commitIndex) of \(log.lastIndex)")
    }

    /// What passes with time; each deadline is a field.
    private mutating func tick(at now: Instant, _ effects: inout [Effect]) {
        expireForwards(at: now, &effects)
        if role == .leader {
            checkQuorum(at: now, &effects)
            expireTransfer(at: now)
            heartbeatIfDue(at: now, &effects)
        } else {
            campaignIfDue(at: now, &effects)
        }
    }
}

// What a shell, an invariant or an operator may look at.
extension RaftInstance {
    /// The current term.
    public var term: Term { hardState.term }

    /// The leader of the current term, if known.
    public var leader: NodeID? {
        switch role {
        case .leader: id
        case .follower(let leader): leader
        case .preCandidate, .candidate: nil
        }
    }

    /// Term, role and leader.
    public var status: Status { Status(term: term, role: role.kind, leader: leader) }

    /// The members by the newest configuration in the log, committed or not (section 6).
    public var configuration: Configuration { log.configuration }

    /// The newest snapshot.
    public var snapshot: Snapshot { log.snapshot }

    /// The last entry's index.
    public var lastIndex: LogIndex { log.lastIndex }

    /// The first entry still in memory; one above ``lastIndex`` when there is none.
    public var firstIndex: LogIndex { log.baseIndex + 1 }

    /// The term of the entry at `index`; nil where the log has none, or no longer.
    public func term(at index: LogIndex) -> Term? { log.term(at: index) }

    /// The entry at `index`; nil where the log has none, or no longer.
    public func entry(at index: LogIndex) -> Entry? { log.entry(at: index) }
}
