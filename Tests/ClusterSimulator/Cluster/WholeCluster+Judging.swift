// What must hold of the cluster as a whole, judged with true time and a view of all nodes.

import ControlPlane
import Placement
import Primitives
import Raft
import SWIM

extension WholeCluster {
    /// One leader per term.
    mutating func judge(_ control: ControlPlaneInstance) throws(Finding) {
        guard control.isLeader else { return }
        let term = control.raft.term
        guard let other = leaders[term] else {
            world.coverage.add(.leaders)
            leaders[term] = control.id
            return
        }
        guard other == control.id else {
            throw Finding("one leader per term", "\(other) and \(control.id) lead term \(term)")
        }
    }

    /// Equal epochs mean equal tables.
    mutating func judge(_ topology: Topology, of node: ClusterNode) throws(Finding) {
        guard let known = topologies[topology.epoch] else {
            topologies[topology.epoch] = topology
            return
        }
        guard known == topology else {
            throw Finding(
                "equal epochs mean equal tables",
                "\(node.name) installs another table of epoch \(topology.epoch)")
        }
    }

    /// At most one node serves a key.
    ///
    /// Whatever a turn executes counts as executed when it began; so at that moment nobody else may
    /// be able to serve its keys, whether it does or not.
    mutating func judgeOwnership(_ loop: ClusterLoop, on index: Int) throws(Finding) {
        for key in keys.indices where isAsked(key, of: loop) {
            guard case .serve = verdict(loop, key) else { continue }
            for node in nodes where node.index != index {
                guard let process = node.process else { continue }
                let now = clock(of: node.index)
                let lease = lease(of: process)
                for other in process.loops where serves(key, other, lease, at: now) {
                    throw Finding(
                        "one node serves a key at a time",
                        "\(nodes[index].name) by table \(loop.gate?.table.epoch ?? 0) and"
                            + " \(node.name) by table \(other.gate?.table.epoch ?? 0) serve"
                            + " key-\(key)")
                }
            }
        }
    }

    private func isAsked(_ key: Int, of loop: ClusterLoop) -> Bool {
        let isInWork = loop.work.contains { item in
            switch item {
            case .request(_, let operation): operation.key == key
            case .frame(let frame): frame.operation.key == key
            case .answer: false
            }
        }
        return isInWork
            || loop.connections.contains { $0.waiting.contains { $0.key == key } }
    }

    /// Whether a loop would serve a key in a turn that began now.
    private func serves(
        _ key: Int, _ loop: ClusterLoop, _ lease: ServeLease, at now: Instant
    ) -> Bool {
        guard let table = loop.gate?.table else { return false }
        let bytes = keys[key]
        let word = bytes.span.bytes
        let route = table.route(word, KeyHash(of: word))
        return table.isOwn(route) && lease.covers(arcEpoch: table.arcEpoch(route), at: now)
    }

    /// Nothing is executed long after its sender has given it up.
    ///
    /// The drift of clocks may have changed on the way: that makes 2 % of a second.
    func judgeDeadline(_ frame: ClusterFrame, _ loop: ClusterLoop) throws(Finding) {
        let slack = 25_000_000
        guard loop.turnBegan > frame.givenUpAt + Int64(slack), !frame.isMistimed else { return }
        throw Finding(
            "nothing is executed after its time",
            "\(frame.operation.brief) is executed "
                + "\((loop.turnBegan - frame.givenUpAt) / 1_000_000) ms after it was given up")
    }

    // MARK: Peace

    /// What is not yet as it should be in a cluster that nobody disturbs; nil when all is well.
    var unrest: String? {
        guard let leader, let wanted = nodes[leader].process?.control.topology else {
            return "nobody leads: \(consensus)"
        }
        for node in nodes {
            guard let process = node.process else { return "\(node.name) is down" }
            guard let position = wanted.memberIndex(of: node.id) else {
                return "\(node.name) is no member of \(wanted.members.map(\.name));"
                    + sight(of: node, from: leader)
            }
            guard wanted.members[position].incarnation == process.life else {
                return "\(node.name) is a member in another life;" + sight(of: node, from: leader)
            }
            for loop in process.loops {
                guard loop.gate?.table.epoch == wanted.epoch else {
                    return "\(node.name) uses table \(loop.gate?.table.epoch ?? 0),"
                        + " not \(wanted.epoch)"
                }
            }
            guard clock(of: node.index) < process.lease.end else {
                return "\(node.name) has no lease;" + sight(of: node, from: leader)
            }
            for member in wanted.members where process.suspects.contains(member.id) {
                let known = process.control.swim.member(member.id)
                return "\(node.name) suspects \(member.name) in life \(member.incarnation): "
                    + (known.map { "\($0.status) in life \($0.life)" } ?? "unknown")
                    + (process.control.swim.isFrozen ? ", frozen" : "")
            }
            guard process.lease.settled >= wanted.epoch else {
                return "\(node.name) has settled \(process.lease.settled) of \(wanted.epoch)"
            }
        }
        guard wanted.members.count == nodes.count else {
            return "members are \(wanted.members.map(\.name))"
        }
        return nil
    }

    /// What the leader knows of a node.
    private func sight(of node: ClusterNode, from leader: Int) -> String {
        guard let control = nodes[leader].process?.control else { return "" }
        var text = " \(nodes[leader].name) leads"
        if let known = control.swim.member(node.id) {
            text += ", sees it \(known.status) in life \(known.life)"
            if let trial = known.trialUntil {
                let left = trial.nanoseconds - clock(of: leader).nanoseconds
                text += " on trial for \(left / 1_000_000) ms"
            }
        }
        if let follower = control.raft.followers.first(where: { $0.id == node.id }) {
            text +=
                ", \(follower.isVoter ? "voter" : "learner") has \(follower.match) of"
                + " \(control.raft.lastIndex) entries"
                + (follower.isInstalling ? ", is installing" : "")
        }
        if let own = node.process?.control {
            text +=
                ", has \(own.hasDisk ? "a" : "no") disk, term \(own.raft.term), last"
                + " \(own.raft.lastIndex), leader \(String(describing: own.raft.leader))"
        }
        return text + ", voters \(control.raft.configuration.voters)"
    }

    /// What consensus looks like from everywhere.
    private var consensus: String {
        nodes.compactMap { node in
            guard let control = node.process?.control else { return nil }
            let raft = control.raft
            return "\(node.name) \(node.id) \(raft.role.kind.rawValue) term \(raft.term) last"
                + " \(raft.lastIndex) voters \(raft.configuration.voters) disk \(control.hasDisk)"
        }.joined(separator: "; ")
    }

    /// Lets time pass until all is well.
    mutating func settle(within limit: Int64, _ property: String) throws(Finding) {
        let end = world.now + limit
        while unrest != nil, world.now < end { try run(until: world.now + 50_000_000) }
        guard let unrest else { return }
        throw Finding(property, unrest)
    }
}
