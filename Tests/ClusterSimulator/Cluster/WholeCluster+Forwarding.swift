// Commands on keys that other members own: sent there once, waited for so long, never sent again.

import ControlPlane
import Placement
import Primitives
import SWIM

extension WholeCluster {
    /// Requests on one link that may be unanswered.
    private static let linkLimit = 64

    /// The loop's link to a member; made where there is none.
    private func link(_ loop: ClusterLoop, to member: Member) -> ClusterLink? {
        if let known = loop.links.first(where: { $0.member == member.id }) { return known }
        guard let receiver = machine(at: SWIMInstance.Address(member.peer.text)) else { return nil }
        let link = ClusterLink(member: member.id, receiver: receiver)
        loop.links.append(link)
        return link
    }

    /// Opens links to new members, and leaves those that lead to an earlier life of one.
    mutating func refreshLinks(of loop: ClusterLoop, _ process: ClusterProcess, on index: Int) {
        guard let topology = loop.gate?.table.topology else { return }
        let owner = LoopAddress(machine: index, life: process.life, loop: loop.number)
        for member in topology.members where member.id != nodes[index].id {
            guard let known = loop.links.first(where: { $0.member == member.id }) else {
                if let link = link(loop, to: member) { open(link, owner) }
                continue
            }
            if known.state == .open, known.receiverLife < member.incarnation {
                drop(known, loop, owner)
            }
        }
    }

    // MARK: Links

    private mutating func open(_ link: ClusterLink, _ owner: LoopAddress) {
        link.connection += 1
        link.state = .greeting
        let event = LinkEvent(
            owner: owner, link: link, connection: link.connection, kind: .hello)
        if let delay = delivery(from: owner.machine, to: link.receiver) {
            world.schedule(.link(event), after: delay)
        }
        retry(link, owner)
    }

    private mutating func retry(_ link: ClusterLink, _ owner: LoopAddress) {
        world.schedule(
            .link(LinkEvent(owner: owner, link: link, connection: link.connection, kind: .due)),
            after: delays.within(50_000_000...ClusterLink.greetingPatience))
    }

    /// How long something takes that must get through at once or not at all.
    private mutating func delivery(from sender: Int, to receiver: Int) -> Int64? {
        guard sender != receiver else { return nil }
        switch world.network.fate(from: sender, to: receiver, at: world.now) {
        case .cut, .dropped: return nil
        case .delivered(let delay), .doubled(let delay, _): return delay
        }
    }

    mutating func handle(_ event: LinkEvent, _ action: ClusterAction) throws(Finding) {
        let link = event.link
        guard let process = process(event.owner), link.connection == event.connection else {
            return
        }
        if case .hello = event.kind { return greet(event, action) }
        guard !postpone(action, for: event.owner.machine) else { return }
        let loop = process.loops[event.owner.loop]
        switch event.kind {
        case .due:
            if link.state != .open { open(link, event.owner) }
        case .welcome(let clock, let life, let receiverLoop):
            guard link.state == .greeting else { return }
            link.state = .open
            link.receiverLife = life
            link.receiverLoop = receiverLoop
            link.lastArrival = world.now
            link.lastReturn = world.now
            measure(link, clock, on: event.owner.machine)
        case .closed:
            drop(link, loop, event.owner)
            world.schedule(
                .linkClosed(
                    machine: event.owner.machine, life: event.owner.life, link.member),
                after: delays.within(10_000...1_000_000))
        case .hello: break
        }
    }

    /// The other side answers a greeting.
    private mutating func greet(_ event: LinkEvent, _ action: ClusterAction) {
        let receiver = event.link.receiver
        guard let process = nodes[receiver].process, !postpone(action, for: receiver),
            nodes[receiver].id == event.link.member,
            let delay = delivery(from: receiver, to: event.owner.machine)
        else { return }
        var answer = event
        answer.kind = .welcome(
            clock: clock(of: receiver), life: process.life,
            loop: delays.below(Self.loopsPerNode))
        world.schedule(.link(answer), after: delay)
    }

    /// The other's clock was read before this moment: the true distance is no smaller.
    private func measure(_ link: ClusterLink, _ clock: Instant, on index: Int) {
        let now = self.clock(of: index)
        link.clockDistance = clock.nanoseconds - now.nanoseconds
        link.measuredAt = now
        link.leaps = nodes[index].leaps
    }

    /// Gives a link up until it is tried again: what it was asked has no answer.
    private mutating func drop(_ link: ClusterLink, _ loop: ClusterLoop, _ owner: LoopAddress) {
        world.coverage.add(.linksDropped)
        for forward in link.pending { giveUp(forward, loop) }
        link.pending.removeAll()
        link.state = .down
        link.connection += 1
        retry(link, owner)
    }

    private func giveUp(_ forward: ClusterForward, _ loop: ClusterLoop) {
        fail(forward.slot, isKnown: false)
        settle(forward.connection, loop)
    }

    /// A frame has come to a machine where nobody listens to it any more.
    mutating func refuseConnection(_ frame: ClusterFrame) {
        guard let delay = delivery(from: frame.link.receiver, to: frame.sender) else { return }
        let owner = LoopAddress(
            machine: frame.sender, life: frame.senderLife, loop: frame.senderLoop)
        world.schedule(
            .link(
                LinkEvent(
                    owner: owner, link: frame.link, connection: frame.connection, kind: .closed)),
            after: delay)
    }

    // MARK: Requests

    mutating func forward(
        _ slot: ClusterConnection.Slot, _ connection: ClusterConnection, to position: Int,
        _ loop: ClusterLoop, _ process: ClusterProcess, _ address: LoopAddress
    ) {
        guard let member = loop.gate?.table.topology.members[position],
            let link = link(loop, to: member)
        else { return fail(slot, isKnown: true) }
        guard !process.suspects.contains(member.id), link.state == .open,
            link.pending.count < Self.linkLimit
        else {
            world.coverage.add(.ownersUnreachable)
            return fail(slot, isKnown: true)
        }
        let forward = ClusterForward(
            identifier: loop.nextIdentifier, operation: slot.operation, connection: connection,
            slot: slot,
            deadline: Instant(nanoseconds: loop.clock.nanoseconds + ClusterLink.patience))
        loop.nextIdentifier += 1
        connection.outstanding += 1
        link.pending.append(forward)
        send(forward, on: link, loop, address)
    }

    private mutating func send(
        _ forward: ClusterForward, on link: ClusterLink, _ loop: ClusterLoop,
        _ address: LoopAddress
    ) {
        let node = nodes[address.machine]
        let left = forward.deadline.nanoseconds - clock(of: address.machine).nanoseconds
        let givenUpAt = world.now + node.machine.clock.trueDuration(ofLocal: max(1, left))
        loop.frames.append(
            ClusterFrame(
                forward, link, from: node, address.life, loop: address.loop,
                epoch: loop.gate?.table.epoch ?? 0,
                deadline: link.receiverClock(
                    at: forward.deadline, now: loop.clock,
                    ignoresAge: has(.clocksComparedOnce)),
                givenUpAt: givenUpAt))
        wake(address, after: givenUpAt - world.now + 1_000)
    }

    /// Gives up what was not answered in time, and with it the link.
    mutating func expireForwards(of loop: ClusterLoop, _ address: LoopAddress) {
        for link in loop.links {
            let late = link.pending.filter { $0.deadline <= loop.clock }
            guard !late.isEmpty else { continue }
            world.coverage.add(.forwardsGivenUp, UInt64(late.count))
            if has(.forwardRetried), let first = late.first(where: { !$0.isRetry }) {
                first.isRetry = true
                first.deadline = Instant(
                    nanoseconds: loop.clock.nanoseconds + ClusterLink.patience)
                send(first, on: link, loop, address)
                continue
            }
            // Who lets one request wait that long lets all wait.
            drop(link, loop, address)
        }
    }

    /// Lets the turn's requests and answers leave.
    mutating func sendFrames(of loop: ClusterLoop, _ address: LoopAddress) {
        for frame in loop.frames {
            guard let delay = passage(from: frame.sender, to: frame.link.receiver) else { continue }
            let arrival = max(world.now + delay, frame.link.lastArrival)
            if frame.connection == frame.link.connection { frame.link.lastArrival = arrival }
            world.coverage.add(.forwards)
            world.schedule(.frame(frame), after: arrival - world.now)
        }
        loop.frames.removeAll(keepingCapacity: true)
        for answer in loop.answers {
            let frame = answer.frame
            guard let delay = passage(from: address.machine, to: frame.sender) else { continue }
            let arrival = max(world.now + delay, frame.link.lastReturn)
            if frame.connection == frame.link.connection { frame.link.lastReturn = arrival }
            world.schedule(.answer(answer), after: arrival - world.now)
        }
        loop.answers.removeAll(keepingCapacity: true)
    }

    /// How long something takes on an open link.
    ///
    /// What is lost is sent again by the kernel, and may come long after anybody waits for it.
    private mutating func passage(from sender: Int, to receiver: Int) -> Int64? {
        guard sender != receiver else { return nil }
        switch world.network.fate(from: sender, to: receiver, at: world.now) {
        case .delivered(let delay), .doubled(let delay, _): return delay
        case .dropped: return delays.within(200_000_000...1_500_000_000)
        case .cut:
            return delays.chance(permille: 500) ? nil : delays.within(200_000_000...3_000_000_000)
        }
    }

    /// An owner has answered.
    mutating func take(
        _ answer: ClusterFrameAnswer, _ loop: ClusterLoop, _ address: LoopAddress
    ) {
        let link = answer.frame.link
        guard answer.frame.connection == link.connection,
            let position = link.pending.firstIndex(where: {
                $0.identifier == answer.frame.identifier
            })
        else { return }
        let forward = link.pending.remove(at: position)
        if !has(.clocksComparedOnce) { measure(link, answer.clock, on: address.machine) }
        if let reply = answer.reply {
            forward.slot.reply = reply
        } else {
            fail(forward.slot, isKnown: true)
        }
        settle(forward.connection, loop)
    }

    // MARK: Connections

    /// A forwarded request has its answer; after the last one a connection that was held goes on.
    private func settle(_ connection: ClusterConnection, _ loop: ClusterLoop) {
        connection.outstanding -= 1
        guard connection.isHeld, connection.outstanding == 0 else { return }
        connection.isHeld = false
        let waiting = connection.waiting.map { ClusterLoop.Item.request(connection, $0) }
        connection.waiting.removeAll()
        loop.work.insert(contentsOf: waiting, at: loop.workHead)
    }

    /// What a client is told when nobody can be asked, or does not answer.
    func fail(_ slot: ClusterConnection.Slot, isKnown: Bool) {
        let operation = slot.operation
        slot.closes = operation.isQuiet
        let text =
            switch operation.kind {
            case _ where operation.isQuiet: ""
            case .get, .gets: "END\r\n"
            case .metaGet: "EN\r\n"
            default:
                isKnown ? "SERVER_ERROR owner unreachable\r\n" : "SERVER_ERROR outcome unknown\r\n"
            }
        slot.reply = Array(text.utf8)
    }

    /// Sends the replies that are next.
    mutating func flush(_ connection: ClusterConnection) {
        guard connection.isOpen, connection.slots.first?.reply != nil else { return }
        var replies: [(operation: ClusterOperation, bytes: [UInt8])] = []
        var closes = false
        while !closes, let slot = connection.slots.first, let reply = slot.reply {
            connection.slots.removeFirst()
            closes = slot.closes
            if !closes { replies.append((slot.operation, reply)) }
        }
        if closes { connection.isOpen = false }
        guard connection.isWanted else { return }
        send(ClusterReplies(connection, replies, closes: closes))
    }
}
