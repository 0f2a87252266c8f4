// The operator of the simulated cluster: replaces what is lost, and changes members for no reason.

import Primitives
import Raft

/// What the operator knows and wants.
struct RaftSteward {
    /// How often the operator looks, in nanoseconds.
    static let interval: Int64 = 150_000_000

    /// Voters wanted in the long run.
    var wantedVoters = 0
    /// Voters by the newest committed configuration.
    var committedVoters: [NodeID] = []
    var committedLearners: [NodeID] = []
    /// Identities whose disks are gone: they never come back.
    var lost: [NodeID] = []
    /// What those disks held.
    var lostLogs: [NodeID: ShadowLog] = [:]
    /// A server whose file has been damaged while it was down.
    var damaged: NodeID?
    /// The next identity, for a machine with a new disk.
    var nextIdentity: UInt64 = 100
    /// Whether it leaves the members alone, for a drill.
    var rests = false
    /// Tickets of its proposals lie above those of all clients.
    var nextTicket: UInt64 = 1 << 40
}

extension RaftCluster {
    /// The operator looks after the members, once.
    mutating func operate() throws(Finding) {
        world.schedule(.operate, after: RaftSteward.interval)
        guard !steward.rests, let leader, let configuration = nodes[leader].instance?.configuration
        else { return }
        if !isAtPeace, choices.chance(permille: 60) {
            world.coverage.add(.leadershipTransfers)
            let target = choices.chance(permille: 500) ? choices.pick(configuration.voters) : nil
            let heir = target.map { "\($0)" } ?? "anybody"
            world.note("operator: \(nodes[leader].id) hands over to \(heir)")
            return try step(.transferLeadership(to: target), on: leader)
        }
        guard let change = nextChange(configuration, leader: nodes[leader].id) else { return }
        try propose(change, on: leader)
    }

    /// Asks a server for a change of members.
    mutating func propose(
        _ change: RaftInstance.MembershipChange, on index: Int
    ) throws(Finding) {
        steward.nextTicket += 1
        world.note("operator: \(change) at \(nodes[index].id)")
        try step(.propose(.change(change), ticket: steward.nextTicket), on: index)
    }

    /// What is most urgent: away with the lost, up with the learners, in with the new.
    private mutating func nextChange(
        _ configuration: RaftInstance.Configuration, leader: NodeID
    ) -> RaftInstance.MembershipChange? {
        if let gone = configuration.members.first(where: { steward.lost.contains($0) }) {
            return .remove(gone)
        }
        let wants = configuration.voters.count < steward.wantedVoters
        if wants, let learner = choices.pick(configuration.learners) { return .promote(learner) }
        let outside = nodes.indices.filter {
            nodes[$0].instance != nil && !configuration.members.contains(nodes[$0].id)
        }
        if wants || choices.chance(permille: 100), let index = choices.pick(outside) {
            return .addLearner(nodes[index].id)
        }
        // Nobody is sent away while a disk is gone that has not shown it yet.
        guard !isAtPeace, steward.damaged == nil, choices.chance(permille: 80) else { return nil }
        if choices.chance(permille: 300), let learner = choices.pick(configuration.learners) {
            return choices.chance(permille: 500) ? .remove(learner) : .promote(learner)
        }
        guard configuration.voters.count > 2, let voter = choices.pick(configuration.voters)
        else { return nil }
        return choices.chance(permille: 500) ? .demote(voter) : .remove(voter)
    }

    /// Remembers the members when their entry is committed.
    mutating func noteMembers(_ configuration: RaftInstance.Configuration) {
        world.coverage.add(.membershipChanges)
        if configuration.learners.contains(where: { !steward.committedLearners.contains($0) }) {
            world.coverage.add(.learnersAdded)
        }
        if steward.committedVoters.contains(where: { !configuration.voters.contains($0) }) {
            world.coverage.add(.votersRemoved)
        }
        steward.committedVoters = configuration.voters
        steward.committedLearners = configuration.learners
    }

    /// Whether the cluster can bear that the disk of this machine is lost for good.
    ///
    /// One lost disk at a time, until the members no longer count on it: consensus promises to
    /// survive the loss of a minority.
    func canLoseDisk(of index: Int) -> Bool {
        guard steward.damaged == nil else { return false }
        let configurations = nodes.map { $0.instance?.configuration.voters ?? $0.lastVoters }
        return (configurations + [steward.committedVoters]).allSatisfy { voters in
            // A server that knows of no members counts on nobody.
            voters.isEmpty
                || (voters.count > 2 && !voters.contains { steward.lost.contains($0) })
        }
    }

    /// Puts an empty disk into a machine that is down; it gets a new identity.
    mutating func replaceDisk(of index: Int) {
        precondition(nodes[index].instance == nil, "the disk of a running server is not replaced")
        let old = nodes[index].id
        if steward.damaged == old { steward.damaged = nil }
        nodes[index].machine.disk.wipe()
        nodes[index].files = RaftFiles(segmentLimit: segmentLimit)
        if has(.newDiskKeepsIdentity) { return }
        steward.lost.append(old)
        steward.lostLogs[old] = nodes[index].durableLog
        machines[old] = nil
        steward.nextIdentity += 1
        let id = NodeID(steward.nextIdentity)
        machines[id] = index
        nodes[index].id = id
        nodes[index].lastVoters = []
        nodes[index].log = ShadowLog()
        nodes[index].durableLog = ShadowLog()
        nodes[index].durable = RaftInstance.HardState()
        world.note("\(old) is gone, its machine becomes \(id)")
    }
}
