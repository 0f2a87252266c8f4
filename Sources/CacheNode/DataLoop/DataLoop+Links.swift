// The loop's own connections to other nodes.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import Placement
internal import Primitives
internal import Synchronization

extension DataLoop {
    private static let linkReceiveBytes = 64 << 10

    /// Begins a turn: what may be served is decided by the lease and the clock as they are now,
    /// after the turn's last `recv`.
    mutating func beginTurn(_ peers: PeerLinks) {
        gate?.pointee.begin(peers.cluster.lease, at: now.instant)
        flushQueues()
    }

    /// Ends the turn of what goes between nodes: time-outs, attempts, frames, replies.
    mutating func finishForwarding(_ peers: PeerLinks) {
        for case let link? in peers.slots {
            expire(link)
            if link.output.count > link.sent && link.state == .open { transmit(link) }
        }
        flushQueues()
    }

    private mutating func expire(_ link: PeerLink) {
        switch link.state {
        case .down:
            if now.instant >= link.due && !isStopping { open(link) }
        case .connecting, .greeting, .proving:
            if now.instant >= link.due { drop(link, "no answer in time") }
        case .open:
            guard let late = link.takeExpired(at: now.instant) else { return }
            fail(late, isKnown: false)
            // Who lets one request wait that long lets all wait: further ones fail at once.
            drop(link, "a request was not answered in time")
        }
    }

    // MARK: Tables

    /// Uses another table from now on.
    mutating func install(_ table: ClusterTable) {
        guard let peers else { return }
        // What was composed under the table before is sent as it is.
        deliver()
        for link in peers.install(table) { drop(link, "it is no member any more", isWanted: false) }
        if let gate {
            gate.pointee = table.gate
        } else {
            gate = .allocate(capacity: 1)
            gate?.initialize(to: table.gate)
        }
        // A key may have another owner now: what a connection has sent to the old one comes first.
        var next = connections
        while let connection = next {
            next = connection.pointee.next
            if connection.pointee.queue.map({ $0.waitingCount > 0 }) ?? false {
                hold(connection, untilAnswered: true)
            }
        }
        peers.cluster.acknowledge()
    }

    /// Mints versions in `epoch` from now on, in this loop's part of the shards: no loop uses an
    /// older table any more.
    mutating func adopt(epoch: UInt64) {
        var shard = number
        while shard < shards.count {
            shards.withShard(shard) { instance in
                if instance.epoch < epoch { instance.adopt(epoch: epoch) }
            }
            shard += shared.configuration.threads
        }
        peers?.cluster.acknowledge()
    }

    // MARK: Opening

    private mutating func open(_ link: PeerLink) {
        guard let peers else { return }
        let place = link.address
        guard let target = peers.cluster.resolver.address(of: place.host, port: place.port) else {
            return drop(link, "\(place.host) does not resolve (yet)")
        }
        link.descriptor = socket(
            target.family,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard link.descriptor >= 0 else { return drop(link, Self.text(errno)) }
        var one: Int32 = 1
        setsockopt(link.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        setsockopt(link.descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, 4)
        let failure = target.withPointer { connect(link.descriptor, $0, $1) }
        guard failure == 0 || errno == EINPROGRESS else { return drop(link, Self.text(errno)) }
        link.state = .connecting
        link.due = Instant(nanoseconds: now.instant.nanoseconds + PeerLink.greetingNanoseconds)
        link.watchesOutput = true
        guard
            kiln_epoll_add(
                epoll, link.descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue,
                Self.firstLink + UInt64(link.slot)) == 0
        else { return drop(link, Self.text(errno)) }
    }

    private static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "errno \(code)"
    }

    mutating func handleLink(_ slot: Int, _ events: UInt32) {
        // The link may have gone earlier in this turn.
        guard let peers, slot < peers.slots.count, let link = peers.slots[slot], link.state != .down
        else { return }
        if link.state == .connecting && events & ~EPOLLIN.rawValue != 0 {
            var code: Int32 = 0
            var count = socklen_t(4)
            getsockopt(link.descriptor, SOL_SOCKET, SO_ERROR, &code, &count)
            guard code == 0 else { return drop(link, Self.text(code)) }
            sayHello(link, peers)
        }
        if events & EPOLLOUT.rawValue != 0 && link.state != .down { transmit(link) }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
            && link.state != .down
        {
            receive(link)
        }
    }

    private func sayHello(_ link: PeerLink, _ peers: PeerLinks) {
        link.state = .greeting
        let greeting = PeerGreeting(
            cluster: peers.cluster.clusterID.load(ordering: .acquiring), life: peers.cluster.life,
            purpose: .data, nonce: ClusterKey.randomBytes(PeerGreeting.nonceBytes),
            name: peers.cluster.member.name)
        link.greeting = greeting
        append(.hello, greeting.encoded, to: link)
    }

    private func append(_ kind: PeerFrame.Kind, _ payload: [UInt8], to link: PeerLink) {
        PeerFrame(kind, payloadCount: payload.count, identifier: 0, epoch: peers?.epoch ?? 0)
            .encode(into: &link.output)
        link.output.append(payload.span.bytes)
    }

    // MARK: Sending

    private mutating func transmit(_ link: PeerLink) {
        let bytes = link.output.unsafeBytes
        while link.sent < bytes.count {
            let count = Glibc.send(
                link.descriptor, bytes.baseAddress.map { $0 + link.sent },
                bytes.count - link.sent, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { break }
            guard count >= 0 else { return drop(link, Self.text(errno)) }
            link.sent += count
        }
        let isDone = link.sent == bytes.count
        if isDone { link.clearOutput() }
        guard link.watchesOutput == isDone else { return }
        link.watchesOutput = !isDone
        let events = isDone ? EPOLLIN.rawValue : EPOLLIN.rawValue | EPOLLOUT.rawValue
        _ = kiln_epoll_modify(
            epoll, link.descriptor, events, Self.firstLink + UInt64(link.slot))
    }

    // MARK: Receiving

    private mutating func receive(_ link: PeerLink) {
        link.input.reserve(max(Self.linkReceiveBytes, link.input.count))
        guard let base = link.input.base else { return }
        let count = recv(
            link.descriptor, base + link.input.count, link.input.capacity - link.input.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count > 0 else {
            return drop(link, count == 0 ? "it hung up" : Self.text(errno))
        }
        link.input.count += count
        var used = 0
        while link.input.count - used >= PeerFrame.headerBytes {
            guard let frame = PeerFrame(at: base + used) else {
                return drop(link, "it does not speak the protocol of kiln's nodes")
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard link.input.count - used >= total else { break }
            let payload = UnsafeRawBufferPointer(
                start: base + used + PeerFrame.headerBytes, count: frame.payloadCount)
            if let reason = take(frame, payload, link) { return drop(link, reason) }
            used += total
        }
        // A proof of the greeting is sent at once.
        if link.state == .proving && link.output.count > link.sent { transmit(link) }
        guard link.state != .down else { return }
        if used == link.input.count && link.input.capacity <= 4 * Self.linkReceiveBytes {
            link.input.count = 0
        } else {
            link.input.consume(used)
        }
    }

    /// Takes one frame; gives the reason where the link can't go on.
    private func take(
        _ frame: PeerFrame, _ payload: UnsafeRawBufferPointer, _ link: PeerLink
    ) -> String? {
        switch (frame.kind, link.state) {
        case (.challenge, .greeting):
            guard let greeting = link.greeting, let peers,
                let proof = PeerChallenge.proof(payload, greeting, peers.cluster.key)
            else { return "its cluster key is another one" }
            link.state = .proving
            append(.proof, proof, to: link)
            return nil
        case (.welcome, .proving):
            link.state = .open
            link.greeting = nil
            link.failures = 0
            link.loggedReason = ""
            // The clock was read before this came: the true distance is no smaller.
            link.clockDistance =
                frame.deadline.nanoseconds - shared.clock.now.nanoseconds
            if number == 0 { shared.logger.info("peer \(link.name) reached") }
            if let peers { sendWaiting(link, peers) }
            return nil
        case (.refused, _):
            return "it refuses this node: \(String(decoding: payload, as: UTF8.self))"
        case (.reply, .open):
            if let request = link.take(frame.identifier) { complete(request, with: payload) }
            return nil
        case (.notExecuted, .open):
            if let request = link.take(frame.identifier) { fail(request, isKnown: true) }
            return nil
        default:
            return "it sent what was not asked for"
        }
    }

    private func complete(_ request: PendingForward, with payload: UnsafeRawBufferPointer) {
        guard request.queue.connection != nil else { return }
        var bytes = payload
        if request.isPart {
            // A part that went wrong is a part without hits.
            let isList = payload.suffix(5).elementsEqual("END\r\n".utf8)
            bytes = UnsafeRawBufferPointer(
                rebasing: payload.prefix(isList ? payload.count - 5 : 0))
        }
        request.queue.complete(request.slot, with: bytes)
        peers?.touch(request.queue)
    }

    private func fail(_ request: PendingForward, isKnown: Bool) {
        guard request.queue.connection != nil else { return }
        fail(request.queue, request.slot, request.failure, isKnown: isKnown)
        peers?.touch(request.queue)
    }

    /// Sends what waited for the link to open.
    private func sendWaiting(_ link: PeerLink, _ peers: PeerLinks) {
        for (request, text) in link.takeWaiting() {
            guard link.takesRequests, request.deadline > now.instant else {
                fail(request, isKnown: true)
                continue
            }
            text.withUnsafeBytes { enqueue(request, $0, on: link, peers) }
        }
    }

    /// Gives a link up until it is tried again: what it was asked has no answer.
    private mutating func drop(_ link: PeerLink, _ reason: String, isWanted: Bool = true) {
        while let request = link.takeOldest() { fail(request, isKnown: false) }
        for (request, _) in link.takeWaiting() { fail(request, isKnown: true) }
        let wasOpen = link.state == .open
        link.reset(at: now.instant)
        guard isWanted else { return }
        if wasOpen { peers?.cluster.post(.linkClosed(link.id)) }
        guard link.loggedReason != reason, number == 0 else { return }
        link.loggedReason = reason
        shared.logger.warning(
            "peer \(link.name) at \(link.address.text) can't be asked: \(reason)")
    }
}
