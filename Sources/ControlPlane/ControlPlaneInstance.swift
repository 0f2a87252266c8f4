// The control plane of one node: who is there (SWIM), who decides (Raft), what was decided (the
// coordinator's state), and until when this node may serve what it owns (its serve lease).
//
// Who owns an arc is safe because of two rules, each kept by one file:
// - ControlPlaneInstance+Leases.swift: a node serves only under a lease that a leader gave it after
//   a quorum had confirmed the leader; nobody is declared dead before its last lease has run out.
// - SettledEpochs.swift: a new owner serves an arc only once everybody who lost it has either
//   installed the table that says so, or has no lease any more.

public import Placement
public import Primitives
public import Raft
public import SWIM

/// One node's control plane as a pure value.
///
/// The shell feeds it an ``Input`` and the time, a ``Input/tick`` every 10 ms or so; it appends
/// ``Effect`` values, which the shell carries out in order. Nothing waits inside the shell: what
/// must not be said or done before the disk has something is kept back here, until
/// ``Input/persisted``.
public struct ControlPlaneInstance: Sendable {
    /// What the shell tells the instance.
    public enum Input: Sendable {
        /// Time has passed.
        case tick
        /// A message has come; for SWIM, `from` is where its answer goes.
        case received(Message, from: SWIMInstance.Address)
        /// The oldest ``Effect/persist(_:)`` that was not answered yet is on disk.
        case persisted
        /// The disk takes nothing more (it is full): go on without a vote.
        case diskFailed
        /// All loops use the table of this epoch, and mint versions in it.
        case installed(epoch: UInt64)
        /// A connection to this member closed or timed out.
        case linkClosed(NodeID)
        /// Whether the node's loops run: one whose loops hang is not alive.
        case serving(Bool)
        /// How busy this node is.
        case loadChanged(UInt32)
        /// Do this for a person; answered by ``Effect/answered(ticket:_:)``.
        case request(Request, ticket: UInt64)
        /// Leave the cluster in good order; answered by ``Effect/left``.
        case leave
    }

    /// What the instance asks the shell to do.
    public enum Effect: Sendable {
        /// Have this on disk, then say ``Input/persisted``; a failure is final for the process.
        case persist(RaftInstance.Persistence)
        /// Have this on disk before the next start; nothing waits for it.
        case remember(Identity)
        /// Send a datagram, which may be lost.
        case sendDatagram(Message, to: SWIMInstance.Address)
        /// Send over a stream, which may be lost.
        case sendStream(Message, to: SWIMInstance.Address)
        /// Let all loops use this table, then say ``Input/installed(epoch:)``.
        case install(Topology)
        /// What this node owns may be served like this from now on.
        case leaseChanged(ServeLease)
        /// Requests to this member fail at once, or no longer do.
        case suspicionChanged(NodeID, isSuspect: Bool)
        /// What became of a request.
        case answered(ticket: UInt64, Answer)
        /// Something that an operator may want to know.
        case happened(Event)
        /// The node has left; nothing else follows.
        case left
        /// The node must stop.
        case stop(StopReason)
    }

    /// Times and limits.
    public let settings: Settings
    /// Who this node is.
    public internal(set) var identity: Identity
    /// Whether it has a disk for term, vote and log.
    public internal(set) var hasDisk: Bool
    /// Membership.
    public internal(set) var swim: SWIMInstance
    /// Consensus.
    public internal(set) var raft: RaftInstance
    /// What has been decided, as far as it is applied here.
    public internal(set) var state: CoordinatorState
    /// The newest table that all loops use; 0 for none.
    public internal(set) var installedEpoch: UInt64 = 0
    /// Until when, and how much of what it owns, this node may serve.
    public internal(set) var lease = ServeLease()

    /// What others are told of this node.
    let member: Member
    var random: SeededGenerator
    var start: Start

    /// Raft's effects that wait for the disk.
    var queue: [RaftInstance.Effect] = []
    /// Persists that the shell has not confirmed.
    var writesUnderWay = 0
    var isDraining = false
    /// When the disk failed in this life.
    var gaveUpVoteAt: Instant?
    /// Voters that the leader has said are outdated: this server is none of them any more.
    var outdatedConfiguration: RaftInstance.Configuration?
    /// The last entry that ``state`` contains.
    var appliedIndex: UInt64
    /// What was last said of leader and voters.
    var knownLeader: NodeID?
    var knownVoters: [NodeID]

    var settled = SettledEpochs()
    /// What only a leader keeps.
    var book: LeaseBook?
    var askAt: Instant
    var nextTicket: UInt64 = 1
    var tickets: [Ticket] = []
    var pending: [PendingProposal] = []
    /// Requests that have been applied and wait until every owner knows.
    var spreading: [SpreadingRequest] = []
    var leaving: Leaving?
    /// Who was taken out of the table last, in which life and why.
    var buried: [(id: NodeID, life: UInt64, departure: Departure)] = []
    /// Voters that somebody told the cluster to forget.
    var forgotten: [NodeID] = []

    /// Starts a node.
    ///
    /// - Parameters:
    ///   - identity: Who it is, with a life higher than those before.
    ///   - member: What others are told; its name is the identity's.
    ///   - start: Where its cluster comes from.
    ///   - disk: What its disk gave back; nil for a node without one.
    ///   - settings: Times and limits.
    ///   - seed: For all that is random; another one at each start.
    ///   - now: The time.
    ///   - effects: What to do first.
    /// - Throws: ``ControlPlaneError`` where the parts do not fit together.
    public init(
        identity: Identity, member: Member, start: Start, disk: RaftInstance.PersistedState?,
        settings: Settings = Settings(), seed: UInt64, at now: Instant, effects: inout [Effect]
    ) throws(ControlPlaneError) {
        var random = SeededGenerator(seed: seed)
        self.identity = identity
        self.member = member
        self.start = start
        self.settings = settings
        hasDisk = disk != nil
        let persisted = disk ?? RaftInstance.PersistedState()
        do throws(PlacementError) {
            state = try CoordinatorState(snapshot: persisted.snapshot.data)
        } catch { throw .unreadableSnapshot(error) }
        do throws(SWIMError) {
            swim = try SWIMInstance(
                id: identity.id, life: identity.life, incarnation: identity.incarnation,
                metadata: SWIMInstance.Metadata(member), settings: settings.swim,
                cluster: identity.cluster, seed: random.next(), at: now)
        } catch { throw .membership(error) }
        var raftSettings = settings.raft
        raftSettings.mayVote = disk != nil
        do throws(RaftError) {
            raft = try RaftInstance(
                id: identity.id, state: persisted, settings: raftSettings, seed: random.next(),
                at: now)
        } catch { throw .consensus(error) }
        self.random = random
        appliedIndex = persisted.snapshot.index
        knownVoters = persisted.snapshot.configuration.voters
        askAt = now
        if let topology = state.topology {
            settled.begin(at: topology)
            effects.append(.install(topology))
        }
        effects.append(.remember(identity))
        begin(at: now, &effects)
    }

    /// Advances the node by one input.
    ///
    /// - Precondition: `now` is not earlier than in the call before.
    public mutating func step(_ input: Input, at now: Instant, effects: inout [Effect]) {
        switch input {
        case .tick: tick(at: now, &effects)
        case .received(let message, let address):
            receive(message, from: address, at: now, &effects)
        case .persisted: persisted(at: now, &effects)
        case .diskFailed: giveUpVote(at: now, &effects)
        case .installed(let epoch): installed(epoch, at: now, &effects)
        case .linkClosed(let id): stepSWIM(.linkClosed(id), at: now, &effects)
        case .serving(let isServing): stepSWIM(.serving(isServing), at: now, &effects)
        case .loadChanged(let load): stepSWIM(.loadChanged(load), at: now, &effects)
        case .request(let request, let ticket):
            take(request, ticket, at: now, &effects)
        case .leave: leave(at: now, &effects)
        }
    }

    private mutating func tick(at now: Instant, _ effects: inout [Effect]) {
        stepSWIM(.tick, at: now, &effects)
        stepRaft(.tick, at: now, &effects)
        foundIfExpected(at: now, &effects)
        askForLeaseIfDue(at: now, &effects)
        expireLease(at: now, &effects)
        govern(at: now, &effects)
        expireRequests(at: now, &effects)
        continueLeaving(at: now, &effects)
    }
}

// What a shell, an invariant or an operator may look at.
extension ControlPlaneInstance {
    /// This node.
    public var id: NodeID { identity.id }

    /// Whether this node leads the cluster.
    public var isLeader: Bool { raft.role == .leader }

    /// The table that is applied here; nil before the node has joined a cluster.
    public var topology: Topology? { state.topology }
}
