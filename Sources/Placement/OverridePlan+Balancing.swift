// Bounded loads: what is above a node's cap goes clockwise to the next node with room.
//
// Three steps. What nodes have above their caps goes to nodes below their floors, then to such
// below their fair share, then to any below its cap: in this order the least moves. Then nodes
// still below their floors take from those above their fair share. Within each, pieces whose home
// the receiver is go first, since they cost no override; then whole pieces, the largest first, for
// few overrides; and the last one is cut to measure. Ranges, which can't be cut, are levelled
// instead: the fullest node's best-fitting range goes to the emptiest while that helps.

extension OverridePlan {
    /// Moves as little load as brings every member between its bounds.
    ///
    /// What moves is the larger of all that is above a cap and all that is below a floor. Loads
    /// inside an arc count as spread evenly. Ranges are not cut, so a range above the cap stays
    /// where it is. Under `ketama` nothing moves: clients compute owners by themselves.
    public mutating func balance(_ bounds: LoadBounds) {
        guard topology.ring.kind != .ketama else { return }
        var accounts = Accounts(members: topology.members, loads: loads, bounds)
        guard isDivisible else { return level(&accounts) }
        var held = piecesByOwner()
        for giver in accounts.aboveCap {
            shed(giver, accounts.excess(giver), to: nil, &accounts, &held)
        }
        for receiver in accounts.belowFloor { fill(receiver, &accounts, &held) }
    }

    /// For every member the indices of its pieces, those with the most load first.
    private func piecesByOwner() -> [[Int]] {
        var held = [[Int]](repeating: [], count: topology.members.count)
        for (index, piece) in pieces.enumerated() { held[piece.owner].append(index) }
        return held.map { list in
            list.sorted { (pieces[$0].load, pieces[$1].mark) > (pieces[$1].load, pieces[$0].mark) }
        }
    }

    /// Brings `receiver` up to its floor, at the cost of those furthest above their share.
    private mutating func fill(
        _ receiver: Int, _ accounts: inout Accounts, _ held: inout [[Int]]
    ) {
        for giver in accounts.bySurplus where giver != receiver {
            let amount = min(accounts.deficit(receiver), accounts.surplus(giver))
            guard amount > 0 else { return }
            shed(giver, amount, to: receiver, &accounts, &held)
        }
    }

    /// Takes `amount` from `giver`: for `receiver`, or for whoever has room where that is nil.
    private mutating func shed(
        _ giver: Int, _ amount: UInt64, to receiver: Int?, _ accounts: inout Accounts,
        _ held: inout [[Int]]
    ) {
        var rest = amount
        let own = held[giver]
        for index in own where pieces[index].home != giver && pieces[index].owner == giver {
            let home = pieces[index].home
            guard receiver ?? home == home, receiver != nil || accounts.isFirst(home) else {
                continue
            }
            give(index, to: home, &rest, receiver != nil, &accounts, &held)
        }
        var larger: Int?
        for index in own where pieces[index].owner == giver {
            if pieces[index].load > rest {
                larger = index
            } else {
                giveAll(index, to: receiver, &rest, &accounts, &held)
            }
        }
        if let larger { giveAll(larger, to: receiver, &rest, &accounts, &held) }
    }

    /// Gives as much of a piece as is left to be given, also to several, clockwise.
    private mutating func giveAll(
        _ index: Int, to receiver: Int?, _ rest: inout UInt64, _ accounts: inout Accounts,
        _ held: inout [[Int]]
    ) {
        let giver = pieces[index].owner
        while rest > 0, pieces[index].owner == giver, pieces[index].load > 0 {
            guard let next = receiver ?? nextWithRoom(from: index, accounts) else { return }
            let before = rest
            give(index, to: next, &rest, receiver != nil, &accounts, &held)
            if rest == before { return }
        }
    }

    /// Gives a piece, or the first part of it, to `receiver`: no more than `rest`, nor than it has
    /// room for.
    private mutating func give(
        _ index: Int, to receiver: Int, _ rest: inout UInt64, _ isChosen: Bool,
        _ accounts: inout Accounts, _ held: inout [[Int]]
    ) {
        let room = isChosen ? rest : accounts.room(receiver)
        let amount = min(pieces[index].load, rest, room)
        guard amount > 0 else { return }
        accounts.move(amount, from: pieces[index].owner, to: receiver)
        if amount == pieces[index].load {
            pieces[index].owner = receiver
            held[receiver].append(index)
        } else if let part = pieces[index].cut(amount) {
            pieces.append(part)
            pieces[pieces.count - 1].owner = receiver
            held[receiver].append(pieces.count - 1)
        } else {
            accounts.move(amount, from: receiver, to: pieces[index].owner)
            return
        }
        rest -= amount
    }

    /// The first member clockwise from a piece of those with the most need.
    private func nextWithRoom(from index: Int, _ accounts: Accounts) -> Int? {
        guard accounts.hasRoom else { return nil }
        let position = ArcLayout.position(of: pieces[index].mark, topology.ring)
        let start = ring.pointIndex(at: position)
        for step in ring.points.indices {
            let member = ring.points[(start + step) % ring.points.count].member
            if member != pieces[index].owner, accounts.isFirst(member) { return member }
        }
        return nil
    }
}

extension OverridePlan {
    /// Ranges from the fullest member to the emptiest, one at a time, while it gets more even.
    private mutating func level(_ accounts: inout Accounts) {
        // Every step lowers the fullest; the bound only says that the loop ends.
        for _ in pieces.indices {
            guard let (fullest, emptiest) = accounts.extremes else { return }
            let best = pieces.indices.filter { pieces[$0].owner == fullest && pieces[$0].load > 0 }
                .min { one, other in
                    let left = accounts.peak(fullest, emptiest, pieces[one].load)
                    let right = accounts.peak(fullest, emptiest, pieces[other].load)
                    return (left, pieces[one].load) < (right, pieces[other].load)
                }
            guard let best,
                accounts.peak(fullest, emptiest, pieces[best].load)
                    < accounts.peak(fullest, emptiest, 0)
            else { return }
            accounts.move(pieces[best].load, from: fullest, to: emptiest)
            pieces[best].owner = emptiest
        }
    }
}

extension OverridePlan.Piece {
    /// Cuts off the first part, with `amount` of the load; nil where there is nothing to cut.
    fileprivate mutating func cut(_ amount: UInt64) -> OverridePlan.Piece? {
        let whole = length
        // Rounded up, so that what stays does not exceed what it should.
        let part = (whole * UInt128(amount) + UInt128(load) - 1) / UInt128(load)
        guard part > 0, part < whole else { return nil }
        var first = self
        first.mark = .position(start &+ UInt64(truncatingIfNeeded: part))
        first.load = amount
        first.isBase = false
        start = start &+ UInt64(truncatingIfNeeded: part)
        load -= amount
        return first
    }
}
