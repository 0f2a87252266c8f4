// Drills of changes of members that leaders do not live to commit (dissertation 4.1 and 4.2.2;
// Ongaro, "bug in single-server membership changes", raft-dev 2015). Chance hardly ever meets them:
// they need an even number of voters, and the right ones cut off within a millisecond.

import Primitives
import Raft

extension RaftCluster {
    /// One of the drills in some seeds, by the seed: they take some seconds each.
    mutating func changeMembersInTrouble() throws(Finding) {
        guard options.seed % 4 < 2 else { return }
        steward.rests = true
        if let scene = try evenVoters() {
            if options.seed % 4 == 0 {
                try changesByTwoLeaders(scene)
            } else {
                try leaverIsNeeded(scene)
            }
        }
        steward.rests = false
        // The operator brings the voters back to the number that is wanted.
        try run(until: world.now + 2_000_000_000)
    }

    /// An even number of voters, and a learner that was one of them.
    private struct Scene {
        var leader: Int
        var others: [Int]
        var learner: Int
    }

    /// Makes one voter of an odd number a learner; nil where that is not possible.
    private mutating func evenVoters() throws(Finding) -> Scene? {
        let leader = try leadership().leader
        let others = nodes.indices.filter { $0 != leader && isVoter($0, of: leader) }
            .shuffled(using: &choices)
        guard others.count >= 4, others.count.isMultiple(of: 2), let learner = others.last
        else { return nil }
        try propose(.demote(nodes[learner].id), on: leader)
        try run(until: world.now + 500_000_000)
        guard nodes[leader].leads, !isVoter(learner, of: leader) else { return nil }
        return Scene(leader: leader, others: Array(others.dropLast()), learner: learner)
    }

    /// Two leaders that each know half of two changes: neither may find a majority for its half.
    ///
    /// Of 2k voters the leader promotes a learner, which alone hears of it. The next leader at once
    /// removes the one before, while it reaches k of 2k - 1 voters, itself included. Then these are
    /// cut off, and the others, k + 1 of 2k + 1, go on.
    private mutating func changesByTwoLeaders(_ scene: Scene) throws(Finding) {
        let (leader, learner) = (scene.leader, scene.learner)
        world.note("drill: \(nodes[leader].id) promotes \(nodes[learner].id), unheard by the rest")
        setCut(of: [leader, learner], from: scene.others, by: 1)
        try propose(.promote(nodes[learner].id), on: leader)
        let deadline = world.now + Self.settlingTime
        var next: Int?
        while next == nil, world.now < deadline {
            try run(until: world.now + 50_000)
            next = scene.others.first { nodes[$0].leads }
        }
        guard let next else {
            throw Finding("a lost leader is replaced", "nobody leads of \(scene.others.count)")
        }
        let half = scene.others.filter { $0 != next }
        let followers = Array(half.prefix(scene.others.count / 2))
        let rest = Array(half.dropFirst(followers.count))
        world.note("drill: \(nodes[next].id) removes \(nodes[leader].id), heard by half")
        setCut(of: rest, from: followers + [next], by: 1)
        try propose(.remove(nodes[leader].id), on: next)
        try run(until: world.now + 200_000_000)
        world.note("drill: the other half goes on")
        setCut(of: [leader, learner], from: rest, by: -1)
        try run(until: world.now + Self.settlingTime)
        setCut(of: [leader, learner] + rest, from: followers + [next], by: -1)
        try run(until: world.now + Self.settlingTime)
        _ = try leadership()
    }

    /// A leader that an uncommitted change removes may have the only log with which anybody can win
    /// (dissertation 4.2.2): of 2k voters only k others are there, and they lack its last entry.
    private mutating func leaverIsNeeded(_ scene: Scene) throws(Finding) {
        let leader = scene.leader
        let others = nodes.indices.filter { $0 != leader }
        world.note("drill: \(nodes[leader].id) makes itself a learner, unheard")
        setCut(of: [leader], from: others, by: 1)
        try propose(.demote(nodes[leader].id), on: leader)
        for index in scene.others.dropLast((scene.others.count + 1) / 2) {
            stop(index, losingPower: false, forHowLong: Self.settlingTime + 1_000_000_000)
        }
        try run(until: world.now + 1_000_000_000)
        setCut(of: [leader], from: others, by: -1)
        try run(until: world.now + Self.settlingTime - 1_000_000_000)
        guard self.leader != nil else {
            throw Finding(
                "who leaves stands while it is needed",
                "nobody leads, and \(nodes[leader].id) has the longest log")
        }
        try run(until: world.now + 2_000_000_000)
    }
}
