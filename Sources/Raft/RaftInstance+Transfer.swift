// Leadership transfer (dissertation 3.10): the leader takes no more proposals, brings the target's
// log up to its own, and tells it to stand for election at once.

import Primitives

extension RaftInstance {
    mutating func transfer(to wanted: NodeID?, at now: Instant, _ effects: inout [Effect]) {
        guard let leading = leadership, leading.transfer == nil,
            let target = wanted ?? bestVoter, target != id, configuration.voters.contains(target)
        else { return }
        leadership?.transfer = Transfer(
            target: target, deadline: now.advanced(by: settings.loyalty))
        continueTransfer(with: target, &effects)
    }

    /// Tells the target once it has everything.
    mutating func continueTransfer(with node: NodeID, _ effects: inout [Effect]) {
        guard let leading = leadership, let transfer = leading.transfer,
            transfer.target == node, !transfer.isTold, let position = leading.position(of: node),
            leading.peers[position].match == log.lastIndex
        else { return }
        leadership?.transfer?.isTold = true
        leadership?.isLeaseVoid = true
        send(.timeoutNow, to: node, &effects)
    }

    /// Gives up on a transfer that takes too long.
    ///
    /// "If leadership transfer does not complete after about an election timeout, the prior leader
    /// aborts the transfer and resumes accepting client requests."
    mutating func expireTransfer(at now: Instant) {
        guard let deadline = leadership?.transfer?.deadline, now >= deadline else { return }
        leadership?.transfer = nil
    }

    /// Stands for election without a pre-vote: the voters are loyal to the leader that asks.
    mutating func receiveTimeoutNow(
        from sender: NodeID, at now: Instant, _ effects: inout [Effect]
    ) {
        guard case .follower(let leader) = role, leader == nil || leader == sender, mayStand else {
            return
        }
        campaign(at: now, isTransfer: true, &effects)
    }
}
