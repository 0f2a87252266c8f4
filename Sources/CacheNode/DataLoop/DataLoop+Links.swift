// The loop's own connections to other nodes.
internal import CLinux
internal import Glibc
internal import Logging
internal import Primitives

extension DataLoop {
    private static let linkReceiveBytes = 64 << 10

    /// Ends the turn of what goes between nodes: time-outs, attempts, frames, replies.
    mutating func finishForwarding(_ peers: PeerLinks) {
        for position in peers.links.indices where position != peers.cluster.own {
            let link = peers.links[position]
            expire(position, link)
            if link.output.count > link.sent && link.state == .open { transmit(position, link) }
        }
        flushQueues()
    }

    private mutating func expire(_ position: Int, _ link: PeerLink) {
        switch link.state {
        case .down:
            if now.instant >= link.due && !isStopping { open(position, link) }
        case .connecting, .greeting:
            if now.instant >= link.due { drop(position, "no answer in time") }
        case .open:
            guard let late = link.takeExpired(at: now.instant) else { return }
            fail(late, isKnown: false)
            // Who lets one request wait that long lets all wait: further ones fail at once.
            drop(position, "a request was not answered in time")
        }
    }

    // MARK: Opening

    private mutating func open(_ position: Int, _ link: PeerLink) {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(link.member.host, String(link.member.port), &hints, &found) == 0,
            let address = found
        else { return drop(position, "\(link.member.host) is no numeric address") }
        defer { freeaddrinfo(found) }
        link.descriptor = socket(
            address.pointee.ai_family,
            Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard link.descriptor >= 0 else { return drop(position, Self.text(errno)) }
        var one: Int32 = 1
        setsockopt(link.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        setsockopt(link.descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, 4)
        let failure = connect(link.descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
        guard failure == 0 || errno == EINPROGRESS else { return drop(position, Self.text(errno)) }
        link.state = .connecting
        link.due = Instant(nanoseconds: now.instant.nanoseconds + PeerLink.greetingNanoseconds)
        link.watchesOutput = true
        guard
            kiln_epoll_add(
                epoll, link.descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue,
                Self.firstLink + UInt64(position)) == 0
        else { return drop(position, Self.text(errno)) }
    }

    private static func text(_ code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "errno \(code)"
    }

    mutating func handleLink(_ position: Int, _ events: UInt32) {
        guard let peers, position < peers.links.count else { return }
        let link = peers.links[position]
        if link.state == .connecting && events & ~EPOLLIN.rawValue != 0 {
            var code: Int32 = 0
            var count = socklen_t(4)
            getsockopt(link.descriptor, SOL_SOCKET, SO_ERROR, &code, &count)
            guard code == 0 else { return drop(position, Self.text(code)) }
            sayHello(position, link, peers)
        }
        if events & EPOLLOUT.rawValue != 0 && link.state != .down { transmit(position, link) }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
            && link.state != .down
        {
            receive(position, link)
        }
    }

    private func sayHello(_ position: Int, _ link: PeerLink, _ peers: PeerLinks) {
        link.state = .greeting
        let greeting = PeerGreeting(
            cluster: peers.cluster.identifier, incarnation: peers.incarnation,
            name: peers.cluster.members[peers.cluster.own].name
        ).encoded
        PeerFrame(
            .hello, payloadCount: greeting.count, identifier: 0, epoch: peers.cluster.epoch
        ).encode(into: &link.output)
        link.output.append(greeting.span.bytes)
    }

    // MARK: Sending

    private mutating func transmit(_ position: Int, _ link: PeerLink) {
        let bytes = link.output.unsafeBytes
        while link.sent < bytes.count {
            let count = Glibc.send(
                link.descriptor, bytes.baseAddress.map { $0 + link.sent },
                bytes.count - link.sent, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { break }
            guard count >= 0 else { return drop(position, Self.text(errno)) }
            link.sent += count
        }
        let isDone = link.sent == bytes.count
        if isDone { link.clearOutput() }
        guard link.watchesOutput == isDone else { return }
        link.watchesOutput = !isDone
        let events = isDone ? EPOLLIN.rawValue : EPOLLIN.rawValue | EPOLLOUT.rawValue
        _ = kiln_epoll_modify(
            epoll, link.descriptor, events, Self.firstLink + UInt64(position))
    }

    // MARK: Receiving

    private mutating func receive(_ position: Int, _ link: PeerLink) {
        link.input.reserve(max(Self.linkReceiveBytes, link.input.count))
        guard let base = link.input.base else { return }
        let count = recv(
            link.descriptor, base + link.input.count, link.input.capacity - link.input.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return }
        guard count > 0 else {
            return drop(position, count == 0 ? "it hung up" : Self.text(errno))
        }
        link.input.count += count
        var used = 0
        while link.input.count - used >= PeerFrame.headerBytes {
            guard let frame = PeerFrame(at: base + used) else {
                return drop(position, "it does not speak the protocol of kiln's nodes")
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard link.input.count - used >= total else { break }
            let payload = UnsafeRawBufferPointer(
                start: base + used + PeerFrame.headerBytes, count: frame.payloadCount)
            if let reason = take(frame, payload, link) { return drop(position, reason) }
            used += total
        }
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
        case (.welcome, .greeting):
            link.state = .open
            link.failures = 0
            link.loggedReason = ""
            // The clock was read before this came: the true distance is no smaller.
            link.clockDistance =
                frame.deadline.nanoseconds - shared.clock.now.nanoseconds
            if number == 0 { shared.logger.notice("peer \(link.member.name) reached") }
            return nil
        case (.refused, _):
            return "it refuses this node: \(String(decoding: payload, as: UTF8.self))"
        case (.reply, .open):
            if let request = link.take(frame.identifier) { complete(request, with: payload) }
            return nil
        case (.moved, .open), (.expired, .open):
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

    /// Gives a link up until it is tried again: what it was asked has no answer.
    private mutating func drop(_ position: Int, _ reason: String) {
        guard let peers else { return }
        let link = peers.links[position]
        while let request = link.takeOldest() { fail(request, isKnown: false) }
        link.reset(at: now.instant)
        guard link.loggedReason != reason, number == 0 else { return }
        link.loggedReason = reason
        shared.logger.warning(
            """
            peer \(link.member.name) at \(link.member.host):\(link.member.port) can't be asked: \
            \(reason)
            """)
    }
}
