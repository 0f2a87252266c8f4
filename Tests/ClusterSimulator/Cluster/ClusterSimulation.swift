// One run of a cluster of whole nodes: it is founded, disturbed, left in peace, and judged.

import Primitives

/// Runs a seed of a cluster of whole nodes.
enum ClusterSimulation {
    /// A cluster that nobody disturbs is whole within this time.
    static let founding: Int64 = 10_000_000_000
    /// After the last disturbance a cluster must have recovered within this time.
    static let recovery: Int64 = 10_000_000_000
    /// So long clients go on after that: a loop may stand still for four seconds that began before,
    /// a link delivers three seconds late, and then a request is waited for.
    static let peace: Int64 = 8_000_000_000

    /// Runs the seed to its end, or to the first property that does not hold.
    static func run(_ options: SimulationOptions) -> SimulationReport {
        var cluster = WholeCluster(options)
        var violation: Violation?
        do throws(Finding) {
            try cluster.found()
            try cluster.settle(within: founding, "a new cluster becomes whole")
            if options.seconds > 0 {
                cluster.makeTrouble()
                try cluster.run(until: cluster.world.now + Int64(options.seconds) * 1_000_000_000)
                try cluster.makePeace()
                try cluster.settle(within: recovery, "a healed cluster becomes whole")
                try cluster.run(until: cluster.world.now + peace)
                try cluster.settle(within: 0, "a healed cluster stays whole")
            }
            try cluster.drill()
        } catch {
            violation = Violation(
                property: error.property, detail: error.detail, tick: cluster.world.tick,
                milliseconds: cluster.world.now / 1_000_000)
        }
        cluster.world.coverage.add(.hits, UInt64(cluster.ledger.hits))
        cluster.world.coverage.add(.misses, UInt64(cluster.ledger.misses))
        cluster.world.coverage.add(.writesAnswered, UInt64(cluster.ledger.changes))
        cluster.world.coverage.add(.refusals, UInt64(cluster.ledger.refusals))
        cluster.world.coverage.add(.outcomesUnknown, UInt64(cluster.ledger.unknowns))
        return SimulationReport(
            seed: options.seed, digest: cluster.world.digest.value, ticks: cluster.world.tick,
            coverage: cluster.world.coverage, violation: violation,
            journal: cluster.world.journal.lines)
    }
}
