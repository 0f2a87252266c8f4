// One run of a Raft cluster: chaos, then peace, then judgement.

import Primitives
import Raft

/// Runs a seed of a Raft cluster.
enum RaftSimulation {
    /// After the last disturbance a cluster must have recovered within this time.
    static let recovery: Int64 = 10_000_000_000
    /// After that clients stop, and within this time all servers hold the same.
    static let settling: Int64 = 2_000_000_000

    /// Runs the seed to its end, or to the first property that does not hold.
    static func run(_ options: SimulationOptions) -> SimulationReport {
        var cluster = RaftCluster(options)
        var violation: Violation?
        do throws(Finding) {
            try cluster.found()
            try cluster.run(until: Int64(options.seconds) * 1_000_000_000)
            try cluster.makePeace()
            try cluster.run(until: cluster.world.now + recovery)
            try cluster.judgeRecovery()
            // Clocks that keep to no bound keep to no deadline, either.
            if !cluster.has(.driftBeyondBound) { try cluster.drill() }
            cluster.clients.areStopped = true
            try cluster.run(until: cluster.world.now + settling)
            try cluster.judgeAgreement()
            if cluster.nodes.count > 2, options.nodes > 2, !cluster.has(.driftBeyondBound) {
                try cluster.memberReturns()
            }
        } catch {
            violation = Violation(
                property: error.property, detail: error.detail, tick: cluster.world.tick,
                milliseconds: cluster.world.now / 1_000_000)
        }
        cluster.world.coverage.add(.operations, cluster.clients.begun)
        return SimulationReport(
            seed: options.seed, digest: cluster.world.digest.value, ticks: cluster.world.tick,
            coverage: cluster.world.coverage, violation: violation,
            journal: cluster.world.journal.lines)
    }
}

extension RaftCluster {
    /// In peace there is one leader, clients are served, and the members are those that are wanted.
    func judgeRecovery() throws(Finding) {
        guard let leader, let configuration = nodes[leader].instance?.configuration else {
            throw Finding("a healed cluster has a leader", "there is none")
        }
        guard clients.answeredInPeace >= 100 else {
            throw Finding(
                "a healed cluster serves", "only \(clients.answeredInPeace) operations answered")
        }
        guard configuration.voters.count >= steward.wantedVoters,
            !configuration.members.contains(where: { steward.lost.contains($0) })
        else {
            throw Finding(
                "a healed cluster replaces what is lost",
                "members are \(configuration.members), lost are \(steward.lost)")
        }
    }

    /// In silence all members come to hold the same.
    func judgeAgreement() throws(Finding) {
        guard let leader, let configuration = nodes[leader].instance?.configuration else {
            throw Finding("a healed cluster keeps its leader", "there is none")
        }
        let wanted = nodes[leader].registers
        for index in nodes.indices where configuration.members.contains(nodes[index].id) {
            guard nodes[index].registers == wanted else {
                throw Finding(
                    "all members come to hold the same",
                    "\(nodes[index].id) is at \(nodes[index].registers.appliedIndex), the leader at"
                        + " \(wanted.appliedIndex)")
            }
            guard nodes[index].instance?.term == nodes[leader].instance?.term else {
                throw Finding("all members come to one term", "\(nodes[index].id) is elsewhere")
            }
        }
    }
}
