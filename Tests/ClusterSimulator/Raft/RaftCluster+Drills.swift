// Drills: single faults in an otherwise healthy cluster, with what must come of each (dissertation
// 6.2, 9.6; Howard and Abraham, "Raft does not guarantee liveness in the face of network faults").

import Primitives
import Raft

extension RaftCluster {
    /// How long a cluster of undisturbed clocks and links may take to settle: some split elections.
    static let settlingTime: Int64 = 5_000_000_000

    /// All drills, one after the other.
    mutating func drill() throws(Finding) {
        guard options.nodes > 2 else { return }
        try memberReturns()
        try leaderIsCutOff()
        try partialPartitionSettles()
        try leaderSends()
        try changeMembersInTrouble()
    }

    /// A member that was cut off comes back and changes nothing: that is what pre-votes are for.
    ///
    /// While clients write, its log is behind, which alone costs it their votes; so once more
    /// without them.
    mutating func memberReturns() throws(Finding) {
        let before = try leadership()
        let others = nodes.indices.filter { $0 != before.leader && isVoter($0, of: before.leader) }
        guard let member = choices.pick(others) else { return }
        world.note("drill: \(nodes[member].id) is away and comes back")
        setCut(of: [member], from: nodes.indices.filter { $0 != member }, by: 1)
        try run(until: world.now + 1_500_000_000)
        setCut(of: [member], from: nodes.indices.filter { $0 != member }, by: -1)
        try run(until: world.now + 1_000_000_000)
        let after = try leadership()
        guard after == before else {
            throw Finding(
                "a returning member deposes nobody",
                "\(nodes[before.leader].id) led term \(before.term), now \(nodes[after.leader].id)"
                    + " leads term \(after.term)")
        }
    }

    /// A leader without a majority steps down within an election time-out, and another one leads.
    private mutating func leaderIsCutOff() throws(Finding) {
        let before = try leadership()
        let others = nodes.indices.filter { $0 != before.leader }
        world.note("drill: leader \(nodes[before.leader].id) is cut off")
        setCut(of: [before.leader], from: others, by: 1)
        // The shortest election time-out on a clock 1 % slow, and a tick.
        try run(until: world.now + 320_000_000)
        guard !nodes[before.leader].leads else {
            throw Finding("check-quorum", "\(nodes[before.leader].id) leads without a majority")
        }
        try run(until: world.now + Self.settlingTime)
        let after = try leadership()
        setCut(of: [before.leader], from: others, by: -1)
        guard after.leader != before.leader else {
            throw Finding("a lost leader is replaced", "nobody but it leads")
        }
        world.coverage.add(.stepDowns)
        try run(until: world.now + 1_000_000_000)
    }

    /// Voters 1 to n - 2 see each other, the last two one of them each: it must settle.
    private mutating func partialPartitionSettles() throws(Finding) {
        let leader = try leadership().leader
        let voters = nodes.indices.filter { isVoter($0, of: leader) }.shuffled(using: &choices)
        guard voters.count >= 5 else { return }
        let core = Array(voters.dropLast(2))
        let fourth = voters[voters.count - 2]
        let fifth = voters[voters.count - 1]
        let cuts = [
            (fourth, core.filter { $0 != core[1] } + [fifth]),
            (fifth, core.filter { $0 != core[2] }),
        ]
        world.note("drill: partial partition of \(voters.map { nodes[$0].id })")
        for (one, others) in cuts { setCut(of: [one], from: others, by: 1) }
        try run(until: world.now + Self.settlingTime)
        let settled = try leadership()
        try run(until: world.now + 2_000_000_000)
        let after = try leadership()
        for (one, others) in cuts { setCut(of: [one], from: others, by: -1) }
        guard settled == after else {
            throw Finding(
                "a partial partition settles", "term \(settled.term) became \(after.term)")
        }
        try run(until: world.now + Self.settlingTime)
    }

    /// A leader that hands over is followed by the one it named, at once.
    private mutating func leaderSends() throws(Finding) {
        let before = try leadership()
        let others = nodes.indices.filter { $0 != before.leader && isVoter($0, of: before.leader) }
        guard let heir = choices.pick(others) else { return }
        world.note("drill: \(nodes[before.leader].id) hands over to \(nodes[heir].id)")
        try step(.transferLeadership(to: nodes[heir].id), on: before.leader)
        // Well below an election time-out: nobody waits for one.
        try run(until: world.now + 150_000_000)
        guard try leadership().leader == heir else {
            throw Finding("leadership transfer", "\(nodes[heir].id) does not lead")
        }
    }

    /// A leader and its term.
    struct Leading: Equatable {
        var leader: Int
        var term: UInt64
    }

    /// Who leads, and in which term.
    func leadership() throws(Finding) -> Leading {
        guard let leader, let term = nodes[leader].instance?.term else {
            throw Finding("a healthy cluster has a leader", "there is none")
        }
        return Leading(leader: leader, term: term)
    }

    func isVoter(_ index: Int, of leader: Int) -> Bool {
        nodes[leader].instance?.configuration.voters.contains(nodes[index].id) ?? false
    }

    /// Cuts the links between two groups, or mends them.
    mutating func setCut(of some: [Int], from others: [Int], by change: Int) {
        for one in some {
            for other in others {
                world.network[from: one, to: other].cuts += change
                world.network[from: other, to: one].cuts += change
            }
        }
    }
}
