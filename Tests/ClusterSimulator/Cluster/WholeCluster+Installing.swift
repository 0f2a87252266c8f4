// How a table gets into use: each loop takes it at its next turn; when all have, the shards mint
// versions in its epoch; only then the control plane is told.
//
// Before the last loop has taken it, a version of the new epoch could be minted by a loop that
// still serves under the old table; and before the shards follow, a change that is acknowledged
// under the new table could be below its bound.

import ControlPlane
import Placement
import Primitives

extension WholeCluster {
    /// A control plane has a new table.
    mutating func install(
        _ topology: Topology, on node: ClusterNode, _ process: ClusterProcess
    ) throws(Finding) {
        try judge(topology, of: node)
        let table: RoutingTable
        do throws(PlacementError) { table = try RoutingTable(topology, for: node.id) } catch {
            throw Finding("every topology makes a table", "\(node.name): \(error)")
        }
        world.note("\(node.name) installs \(topology.epoch): \(topology.members.map(\.name))")
        world.coverage.add(.tables)
        process.table = table
        for loop in process.loops {
            // Mostly at once; but a loop may serve by the old table long after another has the new.
            let wait =
                delays.chance(permille: 100)
                ? delays.within(0...200_000_000) : delays.within(0...5_000_000)
            world.schedule(
                .table(
                    LoopAddress(machine: node.index, life: process.life, loop: loop.number)),
                after: wait)
        }
    }

    /// The newest table reaches a loop.
    mutating func hand(_ address: LoopAddress, _ action: ClusterAction) {
        guard let process = process(address), !postpone(action, for: address.machine) else {
            return
        }
        process.loops[address.loop].nextTable = process.table
        wake(address, after: delays.within(1_000...50_000))
    }

    /// A loop takes the newest table, between two turns.
    mutating func takeTable(
        _ loop: ClusterLoop, _ process: ClusterProcess, on index: Int
    ) throws(Finding) {
        guard let table = loop.nextTable else { return }
        loop.nextTable = nil
        guard table.epoch > loop.gate?.table.epoch ?? 0 else { return }
        loop.gate = ServeGate(table)
        for connection in loop.connections where connection.outstanding > 0 {
            // What follows must not overtake what its former owner may still do.
            connection.isHeld = true
            world.coverage.add(.connectionsHeld)
        }
        refreshLinks(of: loop, process, on: index)
        if has(.adoptTooEarly) { process.shards.forEach { $0.adopt(table.epoch) } }
        if has(.installedTooEarly) { try step(.installed(epoch: table.epoch), on: index) }
        let epoch = process.commonEpoch
        guard epoch > process.adoptedEpoch else { return }
        process.adoptedEpoch = epoch
        world.schedule(
            .adopt(machine: index, life: process.life, epoch: epoch),
            after: delays.within(0...1_000_000))
    }

    /// The shards mint versions in `epoch` from now on.
    mutating func adopt(
        _ index: Int, _ life: UInt64, _ epoch: UInt64, _ action: ClusterAction
    ) throws(Finding) {
        guard let process = nodes[index].process, process.life == life,
            !postpone(action, for: index)
        else { return }
        for shard in process.shards { shard.adopt(epoch) }
        try step(.installed(epoch: epoch), on: index)
    }
}
