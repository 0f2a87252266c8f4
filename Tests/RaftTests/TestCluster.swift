import Primitives
import Raft
import Testing

typealias Message = RaftInstance.Message
typealias Effect = RaftInstance.Effect
typealias Entry = RaftInstance.Entry

/// A few servers on a network that does what a test says: messages wait in one queue, links can be
/// cut, servers crash and come back with what their effects had put on disk.
///
/// Safety is checked after each step: one leader per term, one entry per applied index, logs that
/// match where their terms do.
struct TestCluster {
    struct Packet {
        let from: NodeID
        let to: NodeID
        let message: Message
        let arrival: Instant
    }

    /// One server with its disk and what its shell was told.
    struct Server {
        var instance: RaftInstance
        var disk: RaftInstance.PersistedState
        var isUp = true
        /// Applied commands by index, after the snapshot's state.
        var applied: [UInt64: Entry] = [:]
        var appliedIndex: UInt64
        var reads: [UInt64: UInt64] = [:]
        var failedReads: [UInt64: RaftInstance.Rejection] = [:]
        var outcomes: [UInt64: RaftInstance.ProposalOutcome] = [:]
        var snapshotsWanted = 0
        var restored = 0
        var lives: UInt64 = 0
    }

    var now = Instant(nanoseconds: 0)
    var servers: [NodeID: Server] = [:]
    var ids: [NodeID] = []
    var queue: [Packet] = []
    var settings: RaftInstance.Settings
    var random: SeededGenerator
    /// Links that lose everything, by sender and receiver.
    var cut: [[NodeID]] = []
    var lossPercent = 0
    var duplicatePercent = 0
    var delayMilliseconds = 1...1
    /// Messages a test wants to hold back.
    var isHeldBack: (@Sendable (Packet) -> Bool)?
    var heldBack: [Packet] = []
    /// Whether a server takes a snapshot when asked.
    var takesSnapshots = true
    var messageCount = 0

    private var leaders: [UInt64: NodeID] = [:]
    private var committed: [UInt64: Entry] = [:]

    init(
        _ count: Int, settings: RaftInstance.Settings = RaftInstance.Settings(), seed: UInt64 = 1
    ) throws {
        self.settings = settings
        random = SeededGenerator(seed: seed)
        ids = (1...UInt64(count)).map { NodeID($0) }
        for id in ids { try add(id, RaftInstance.PersistedState.founding(voters: ids)) }
    }

    /// Starts a server with this disk.
    mutating func add(
        _ id: NodeID, _ disk: RaftInstance.PersistedState = RaftInstance.PersistedState(),
        settings: RaftInstance.Settings? = nil
    ) throws {
        if !ids.contains(id) { ids.append(id) }
        let lives = (servers[id]?.lives ?? 0) + 1
        let instance = try RaftInstance(
            id: id, state: disk, settings: settings ?? self.settings,
            seed: random.next() &+ lives, at: now)
        servers[id] = Server(
            instance: instance, disk: disk, appliedIndex: disk.snapshot.index, lives: lives)
    }

    mutating func crash(_ id: NodeID) { servers[id]?.isUp = false }

    mutating func restart(_ id: NodeID, withDisk: Bool = true) throws {
        let disk = servers[id]?.disk ?? RaftInstance.PersistedState()
        try add(id, withDisk ? disk : RaftInstance.PersistedState())
    }

    subscript(id: NodeID) -> RaftInstance {
        guard let server = servers[id] else { preconditionFailure("no server \(id)") }
        return server.instance
    }

    func server(_ id: NodeID) -> Server {
        guard let server = servers[id] else { preconditionFailure("no server \(id)") }
        return server
    }

    /// The leader of the highest term among those that are up.
    var leader: NodeID? {
        let leading = ids.filter { server($0).isUp && self[$0].role == .leader }
        return leading.max { self[$0].term < self[$1].term }
    }

    mutating func step(_ id: NodeID, _ input: RaftInstance.Input) {
        guard servers[id]?.isUp == true else { return }
        var effects: [Effect] = []
        servers[id]?.instance.step(input, at: now, effects: &effects)
        for effect in effects { carryOut(effect, at: id) }
        check(id)
    }

    private mutating func carryOut(_ effect: Effect, at id: NodeID) {
        switch effect {
        case .persist(let persistence): servers[id]?.disk.apply(persistence)
        case .send(let message, let to), .sendAtOnce(let message, let to):
            post(message, from: id, to: to)
        case .apply(let entries): for entry in entries { apply(entry, at: id) }
        case .restore(let snapshot):
            servers[id]?.appliedIndex = snapshot.index
            servers[id]?.restored += 1
            #expect(snapshot.data == Self.state(at: snapshot.index, of: committed))
        case .takeSnapshot:
            servers[id]?.snapshotsWanted += 1
            if takesSnapshots { takeSnapshot(id) }
        case .proposalAnswered(let ticket, let outcome):
            servers[id]?.outcomes[ticket] = outcome
        case .readReady(let ticket, let index):
            #expect(server(id).appliedIndex >= index, "read \(ticket) before \(index) is applied")
            servers[id]?.reads[ticket] = index
        case .readFailed(let ticket, let reason): servers[id]?.failedReads[ticket] = reason
        case .statusChanged: break
        }
    }

    /// A state that tells which entries it is made of.
    private static func state(at index: UInt64, of entries: [UInt64: Entry]) -> [UInt8] {
        guard index > 1 else { return [] }
        return (2...index).flatMap { position -> [UInt8] in
            guard let entry = entries[position] else { return [0xEE] }
            return [UInt8(truncatingIfNeeded: entry.term), UInt8(truncatingIfNeeded: position)]
        }
    }

    mutating func takeSnapshot(_ id: NodeID) {
        let index = server(id).appliedIndex
        let data = Self.state(at: index, of: committed)
        step(id, .snapshotTaken(index: index, data: data))
    }

    private mutating func apply(_ entry: Entry, at id: NodeID) {
        #expect(entry.index == server(id).appliedIndex + 1, "\(id) skips to \(entry.index)")
        servers[id]?.appliedIndex = entry.index
        servers[id]?.applied[entry.index] = entry
        if let other = committed[entry.index] {
            #expect(other == entry, "State Machine Safety at \(entry.index)")
        }
        committed[entry.index] = entry
    }

    private mutating func check(_ id: NodeID) {
        let instance = self[id]
        guard instance.role == .leader else { return }
        let other = leaders[instance.term]
        #expect(other == nil || other == id, "Election Safety in term \(instance.term)")
        leaders[instance.term] = id
        guard other == nil else { return }
        // Leader Completeness: all that is committed is in a new leader's log.
        for (index, entry) in committed where index >= instance.firstIndex {
            #expect(instance.entry(at: index) == entry, "Leader Completeness at \(index)")
        }
    }

    private mutating func post(_ message: Message, from: NodeID, to: NodeID) {
        messageCount += 1
        guard !cut.contains([from, to]) else { return }
        let copies = Int.random(in: 0..<100, using: &random) < duplicatePercent ? 2 : 1
        for _ in 0..<copies {
            guard Int.random(in: 0..<100, using: &random) >= lossPercent else { continue }
            let delay = Int.random(in: delayMilliseconds, using: &random)
            queue.append(
                Packet(
                    from: from, to: to, message: message,
                    arrival: now.advanced(by: .milliseconds(delay))))
        }
    }

    /// Cuts or mends the links between two servers, both ways.
    mutating func disconnect(_ a: NodeID, _ b: NodeID) { cut += [[a, b], [b, a]] }

    mutating func isolate(_ id: NodeID) {
        for other in ids where other != id { disconnect(id, other) }
    }

    mutating func heal() { cut = [] }

    /// Lets a millisecond pass: packets arrive, and every tenth one servers tick.
    mutating func passMillisecond() {
        now = now.advanced(by: .milliseconds(1))
        let arrived = queue.filter { $0.arrival <= now }
        queue.removeAll { $0.arrival <= now }
        for packet in arrived {
            if isHeldBack?(packet) == true {
                heldBack.append(packet)
            } else if !cut.contains([packet.from, packet.to]) {
                step(packet.to, .received(packet.message, from: packet.from))
            }
        }
        guard now.nanoseconds / 1_000_000 % 10 == 0 else { return }
        for id in ids { step(id, .tick) }
    }

    mutating func run(milliseconds: Int) {
        for _ in 0..<milliseconds { passMillisecond() }
    }

    /// Runs until `condition` holds; records a failure after `limit` milliseconds.
    mutating func run(
        limit: Int = 10_000, _ what: String, until condition: (TestCluster) -> Bool
    ) {
        for _ in 0..<limit {
            if condition(self) { return }
            passMillisecond()
        }
        #expect(condition(self), "not within \(limit) ms: \(what)")
    }

    mutating func electLeader() throws -> NodeID {
        run("a leader that has committed in its term") { cluster in
            guard let leader = cluster.leader else { return false }
            return cluster[leader].term(at: cluster[leader].commitIndex) == cluster[leader].term
        }
        return try #require(leader)
    }

    mutating func propose(_ bytes: [UInt8], at id: NodeID, ticket: UInt64 = 0) {
        step(id, .propose(.command(bytes), ticket: ticket))
    }

    mutating func change(
        _ change: RaftInstance.MembershipChange, at id: NodeID, ticket: UInt64 = 0
    ) {
        step(id, .propose(.change(change), ticket: ticket))
    }

    /// The commands that a server has applied, in order.
    func commands(_ id: NodeID) -> [[UInt8]] {
        server(id).applied.values.sorted { $0.index < $1.index }.compactMap {
            guard case .command(let bytes) = $0.payload else { return nil }
            return bytes
        }
    }

    /// Log Matching: where two logs have an entry of one index and term, all before are equal.
    func expectLogsMatch() {
        for one in ids {
            for other in ids where one < other {
                let (a, b) = (self[one], self[other])
                var mustMatch = false
                let last = min(a.lastIndex, b.lastIndex)
                for index in stride(from: last, to: max(a.firstIndex, b.firstIndex), by: -1) {
                    if a.term(at: index) == b.term(at: index) { mustMatch = true }
                    guard mustMatch else { continue }
                    #expect(a.entry(at: index) == b.entry(at: index), "Log Matching at \(index)")
                }
            }
        }
    }
}
