// Membership: who is there, agreed on without anybody in charge. Each member pings one other per
// period, asks relays when it gets no answer, and lets news ride on those messages. SWIM is Das,
// Gupta and Motivala, DSN 2002; Lifeguard is Dadgar, Phillips and Currey, arXiv 1707.00788 (2017),
// which made it bear members that are slow.
// Each file SWIMInstance+X.swift holds the rules of one part of the papers.

public import Primitives

/// One member's view of the cluster: SWIM with Lifeguard as a pure value.
///
/// It reads no clock, socket or random device. The shell feeds it an ``Input`` and the time, a
/// ``Input/tick`` at least every 10 ms or at ``nextDeadline``; it appends ``Effect`` values, which
/// the shell carries out in order. What was received while the shell did not run should be fed
/// before the tick; where that is missed, ``Settings/oversleepMilliseconds`` make up for it.
public struct SWIMInstance: Sendable {
    /// What the shell tells the instance.
    public enum Input: Equatable, Sendable {
        /// Time has passed.
        case tick
        /// A message has come; `from` is where its answer goes.
        case received(Message, from: Address)
        /// Become a member of the cluster that one of these belongs to; tried until it works.
        ///
        /// The list may hold this member itself.
        case join([Address])
        /// The link to this member closed or timed out: probe it at once.
        case linkClosed(NodeID)
        /// What this member tells of itself is different now.
        ///
        /// Facts that fail ``Metadata/validate()`` are a bug of the shell.
        case metadataChanged(Metadata)
        /// How busy this member is.
        case loadChanged(UInt32)
        /// Whether the node serves its clients. While it does not, it answers no ping and accuses
        /// nobody: a process whose loops hang is not alive.
        case serving(Bool)
        /// This member has founded that cluster; only for one that belonged to none.
        case founded(cluster: UInt64)
        /// Say good-bye; answered by ``Effect/leaveFinished``.
        case leave
    }

    /// What the instance asks the shell to do.
    public enum Effect: Equatable, Sendable {
        /// Send a datagram of at most ``Settings/datagramLimitBytes`` less the envelope; it may be
        /// lost.
        case send(Message, to: Address)
        /// Send over a stream; it may be lost.
        case sendStream(Message, to: Address)
        /// A member is new, or its status, incarnation, life, facts or trial are.
        case memberChanged(Member)
        /// A member that died or left long ago is no longer remembered.
        case memberForgotten(NodeID)
        /// This member's incarnation is now this: store it, and start the next life above it.
        ///
        /// Storing need not be waited for; a life that starts lower rises as soon as it meets
        /// others.
        case incarnationRaised(UInt64)
        /// More than half of the members are doubted, or no longer: see
        /// ``Settings/freezesRemovals``.
        case removalsFrozen(Bool)
        /// Another process had this name first: stop the node. Nothing else follows.
        case nameTaken(by: Address)
        /// The good-bye is told; nothing else follows.
        case leaveFinished
    }

    /// What this member does.
    public enum Phase: Equatable, Sendable {
        /// It takes part.
        case member
        /// It says good-bye until this moment.
        case leaving(until: Instant)
        /// It has left, or lost its name: it neither answers nor asks.
        case silent
    }

    /// Times and limits.
    public let settings: Settings
    /// The cluster it belongs to; 0 until a push-pull has told.
    public internal(set) var cluster: UInt64
    /// This member, as it sees itself.
    public internal(set) var myself: Member
    /// The others, sorted by `id`: the order of effects must not depend on hashing.
    public internal(set) var members: [Member] = []
    /// What it does.
    public internal(set) var phase: Phase = .member
    /// Whether no one is declared dead at present; see ``Settings/freezesRemovals``.
    public internal(set) var isFrozen = false

    var random: SeededGenerator
    var health: LocalHealth
    var isServing = true
    /// The highest incarnation of ours that was accused while we did not serve.
    var unansweredAccusation: UInt64?

    var nextSequence: UInt64
    var probes: [Probe] = []
    var relays: [Relay] = []
    /// Members whose link closed and that are not being probed yet.
    var urgent: [NodeID] = []
    /// Whom to probe, in this order, from ``probePosition`` on (DSN 2002, section 4.3).
    var probeOrder: [NodeID] = []
    var probePosition = 0
    /// Whom to gossip with, likewise: in turn, so that the few copies of an update go to different
    /// members.
    var gossipOrder: [NodeID] = []
    var gossipPosition = 0
    var news = NewsQueue()

    var seeds: [Address] = []
    var seedPosition = 0
    var joinAttempts = 0

    var probeAt: Instant
    var gossipAt: Instant
    var pushPullAt: Instant
    var reconnectAt: Instant
    /// Not before this moment is a seed asked that is nobody's address.
    var strangersAt: Instant
    /// How long to wait after the next time that one is.
    var strangersWait: Duration
    /// When suspects are told again.
    var remindAt: Instant
    var joinAt: Instant
    /// Not before this moment a returned member causes another push-pull.
    var bridgeAt: Instant
    /// Not before this moment is another process told that our name is taken.
    var nameTakenAt: Instant
    var housekeepingAt: Instant
    /// When the next step had to come, at the latest.
    var awakeBy: Instant
    var lastInstant: Instant

    /// Members that are alive or suspect, this one not counted.
    var liveCount = 0
    var suspectCount = 0
    /// Members that are dead.
    var deadCount = 0
    /// The first moment at which a suspect's time is up; nil when it has to be looked for.
    ///
    /// In a large cluster with lost packets somebody is always suspect: no step may look at all
    /// members for it.
    var suspicionsDue: Instant? = .distantFuture

    /// Starts a member that knows nobody.
    ///
    /// - Parameters:
    ///   - id: This member; derived from its unique name.
    ///   - life: This process: higher than those of earlier processes of the name, such as the
    ///     date of its start. It tells a restart from two processes with one name.
    ///   - incarnation: Where to begin: above what ``Effect/incarnationRaised(_:)`` last gave, or
    ///     1.
    ///   - metadata: What others are told.
    ///   - settings: Times and limits.
    ///   - cluster: The cluster it founded or belonged to; 0 to learn it by joining.
    ///   - seed: For all that is random; another one at each start.
    ///   - now: The time.
    /// - Throws: ``SWIMError`` when settings, metadata or incarnation are out of their limits.
    public init(
        id: NodeID, life: UInt64, incarnation: UInt64 = 1, metadata: Metadata,
        settings: Settings = Settings(), cluster: UInt64 = 0, seed: UInt64, at now: Instant
    ) throws(SWIMError) {
        try settings.validate()
        try metadata.validate()
        guard incarnation <= Update.incarnationLimit else {
            throw .incarnation(incarnation, limit: Update.incarnationLimit)
        }
        self.settings = settings
        self.cluster = cluster
        myself = Member(
            id: id, incarnation: incarnation, life: life, metadata: metadata, since: now)
        random = SeededGenerator(seed: seed)
        // Acks to an earlier life must match nothing.
        nextSequence = random.next() &>> 1
        health = LocalHealth(limit: settings.healthLimit)
        probeAt = now
        gossipAt = now
        pushPullAt = now
        reconnectAt = now
        strangersAt = now
        strangersWait = settings.reconnectInterval
        remindAt = now
        joinAt = now
        bridgeAt = now
        nameTakenAt = now
        housekeepingAt = now
        awakeBy = .distantFuture
        lastInstant = now
        // Members that start together do not all ping at once.
        probeAt = now.advanced(by: randomPart(of: settings.period))
        remindAt = now.advanced(by: randomPart(of: settings.period))
        reconnectAt = now.advanced(by: randomPart(of: settings.reconnectInterval))
        housekeepingAt = now.advanced(by: Self.housekeepingInterval)
        drawPushPull(at: now)
    }

    /// Advances the protocol by one input.
    ///
    /// - Precondition: `now` is not earlier than in the call before.
    public mutating func step(_ input: Input, at now: Instant, effects: inout [Effect]) {
        precondition(now >= lastInstant, "time ran backwards: \(lastInstant) to \(now)")
        lastInstant = now
        guard phase != .silent else { return }
        forgiveOversleeping(at: now)
        defer {
            if suspicionsDue == nil { suspicionsDue = firstSuspicionDeadline }
            awakeBy = max(nextDeadline, now)
        }
        switch input {
        case .tick: tick(at: now, &effects)
        case .received(let message, let address):
            receive(message, from: address, at: now, &effects)
        case .join(let addresses): join(addresses, at: now, &effects)
        case .linkClosed(let member): linkClosed(member, at: now, &effects)
        case .metadataChanged(let metadata): change(metadata, &effects)
        case .loadChanged(let load): myself.load = load
        case .serving(let isServing): setServing(isServing, &effects)
        case .founded(let cluster): if self.cluster == 0 { self.cluster = cluster }
        case .leave: leave(at: now, &effects)
        }
        assert(members.count <= settings.memberLimit, "\(members.count) members")
        assert(suspectCount <= liveCount, "\(suspectCount) suspects of \(liveCount) live members")
    }

    /// What passes with time; each deadline is a field.
    private mutating func tick(at now: Instant, _ effects: inout [Effect]) {
        expireRelays(at: now, &effects)
        expireProbes(at: now, &effects)
        expireSuspicions(at: now, &effects)
        remindIfDue(at: now, &effects)
        startUrgentProbes(at: now, &effects)
        startProbeIfDue(at: now, &effects)
        gossipIfDue(at: now, &effects)
        joinIfDue(at: now, &effects)
        pushPullIfDue(at: now, &effects)
        reconnectIfDue(at: now, &effects)
        keepHouseIfDue(at: now, &effects)
        finishLeavingIfDue(at: now, &effects)
    }
}

// What a shell, an invariant or an operator may look at.
extension SWIMInstance {
    /// This member.
    public var id: NodeID { myself.id }

    /// The member with this id; nil if it is unknown, or this one.
    public func member(_ id: NodeID) -> Member? {
        index(of: id).map { members[$0] }
    }

    /// Whether the member with this id is known and not held for dead or gone.
    func isLive(_ id: NodeID) -> Bool {
        index(of: id).map { members[$0].status.isLive } ?? false
    }

    /// How far it trusts itself: 1 when healthy, up to ``Settings/healthLimit``; periods and
    /// timeouts of its probes are that many times longer.
    public var healthMultiplier: Int { health.multiplier }

    /// Members alive or suspect, this one included.
    public var clusterSize: Int { liveCount + 1 }

    /// Updates that are still being spread.
    public var newsCount: Int { news.entries.count }
}
