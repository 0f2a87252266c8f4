// The control plane's own connections to other nodes: one for each address it sends to.
internal import CLinux
internal import ControlPlane
internal import Glibc
internal import Logging
internal import Placement
internal import Primitives
internal import SWIM

/// A connection to another node's control plane.
final class OutgoingLink {
    enum State {
        case down, connecting, greeting, proving, open
    }

    /// Bytes that wait for a connection or for the kernel; beyond it messages are lost.
    static let outputLimit = 32 << 20

    let address: SWIMInstance.Address
    var state = State.down
    var descriptor: Int32 = -1
    var output = ByteWriter(capacity: 1_024)
    /// Messages that wait for the end of the greeting.
    var waiting = ByteWriter(capacity: 1_024)
    var sent = 0
    var input = InputBuffer()
    var greeting: PeerGreeting?
    /// When the greeting has to be over, or the next attempt may be made.
    var due = Instant(nanoseconds: 0)
    var failures = 0
    /// When something was last sent.
    var lastUsed = Instant(nanoseconds: 0)
    /// Why it last failed, as it was logged.
    var loggedReason = ""

    init(_ address: SWIMInstance.Address) {
        self.address = address
    }
}

extension ControlShell {
    private static let greetingNanoseconds: Int64 = 2_000_000_000
    private static let (shortestRetry, longestRetry): (Int64, Int64) = (20_000_000, 1_000_000_000)
    /// A link that was not used for so long is closed: its member is gone, or has moved.
    private static let idleNanoseconds: Int64 = 120_000_000_000
    /// Milliseconds after which sent bytes that nobody confirms end a connection.
    private static let silenceMilliseconds: Int32 = 1_500
    /// Links at once: members and what they are also called.
    private static let linkLimit = 2_048

    func sendStream(_ message: Message, to address: SWIMInstance.Address) {
        guard let link = link(to: address) else { return }
        if link.state == .down {
            // Nobody waits for a message that may be lost: until the next attempt, it is.
            guard now >= link.due else { return }
            open(link)
            guard link.state != .down else { return }
        }
        let sealed = cluster.key.seal(message.protobuf)
        guard link.output.count + link.waiting.count + sealed.count <= OutgoingLink.outputLimit
        else { return }
        link.lastUsed = now
        let isOpen = link.state == .open
        var head: [UInt8] = []
        for shift in 0..<4 { head.append(UInt8(truncatingIfNeeded: sealed.count >> (8 * shift))) }
        if isOpen {
            link.output.append(head.span.bytes)
            link.output.append(sealed.span.bytes)
            transmit(link)
        } else {
            link.waiting.append(head.span.bytes)
            link.waiting.append(sealed.span.bytes)
        }
    }

    private func link(to address: SWIMInstance.Address) -> OutgoingLink? {
        if let link = outgoing[address] { return link }
        guard outgoing.count < Self.linkLimit else { return nil }
        let link = OutgoingLink(address)
        outgoing[address] = link
        return link
    }

    // MARK: Opening

    private func open(_ link: OutgoingLink) {
        guard let place = NodeAddress(text: link.address.text) else {
            return drop(link, "it is no address")
        }
        guard let target = cluster.resolver.address(of: place.host, port: place.port) else {
            return drop(link, "its name does not resolve (yet)")
        }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        link.descriptor = socket(target.family, type, 0)
        guard link.descriptor >= 0 else { return drop(link, NodeError.text(errno)) }
        var one: Int32 = 1
        var silence = Self.silenceMilliseconds
        setsockopt(link.descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
        setsockopt(link.descriptor, Int32(IPPROTO_TCP), Int32(TCP_USER_TIMEOUT), &silence, 4)
        let failure = target.withPointer { connect(link.descriptor, $0, $1) }
        guard failure == 0 || errno == EINPROGRESS else { return drop(link, NodeError.text(errno)) }
        link.state = .connecting
        link.due = now.advanced(by: .nanoseconds(Self.greetingNanoseconds))
        guard
            kiln_epoll_add(
                epoll, link.descriptor, EPOLLIN.rawValue | EPOLLOUT.rawValue,
                UInt64(link.descriptor)) == 0
        else { return drop(link, NodeError.text(errno)) }
    }

    func handle(_ link: OutgoingLink, _ events: UInt32) {
        if link.state == .connecting, events & ~EPOLLIN.rawValue != 0 {
            var code: Int32 = 0
            var count = socklen_t(4)
            getsockopt(link.descriptor, SOL_SOCKET, SO_ERROR, &code, &count)
            guard code == 0 else { return drop(link, NodeError.text(code)) }
            sayHello(link)
        }
        if events & EPOLLOUT.rawValue != 0, link.state != .down { transmit(link) }
        if events & (EPOLLIN.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0,
            link.state != .down
        {
            receive(on: link)
        }
    }

    private func sayHello(_ link: OutgoingLink) {
        let greeting = PeerGreeting(
            cluster: instance.identity.cluster, life: cluster.life, purpose: .control,
            nonce: ClusterKey.randomBytes(PeerGreeting.nonceBytes), name: cluster.member.name)
        link.greeting = greeting
        link.state = .greeting
        append(.hello, greeting.encoded, to: link)
    }

    private func append(_ kind: PeerFrame.Kind, _ payload: [UInt8], to link: OutgoingLink) {
        PeerFrame(
            kind, payloadCount: payload.count, identifier: 0, epoch: instance.topology?.epoch ?? 0
        ).encode(into: &link.output)
        link.output.append(payload.span.bytes)
        transmit(link)
    }

    // MARK: Sending and receiving

    private func transmit(_ link: OutgoingLink) {
        let bytes = link.output.unsafeBytes
        while link.sent < bytes.count {
            let count = send(
                link.descriptor, bytes.baseAddress.map { $0 + link.sent },
                bytes.count - link.sent, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count >= 0 else { return drop(link, NodeError.text(errno)) }
            link.sent += count
        }
        let isDone = link.sent == bytes.count
        if isDone {
            link.output.removeAll()
            link.sent = 0
        }
        let events = isDone ? EPOLLIN.rawValue : EPOLLIN.rawValue | EPOLLOUT.rawValue
        _ = kiln_epoll_modify(epoll, link.descriptor, events, UInt64(link.descriptor))
    }

    private func receive(on link: OutgoingLink) {
        link.input.reserve(1_024)
        guard let base = link.input.base else { return }
        let count = recv(
            link.descriptor, base + link.input.count, link.input.capacity - link.input.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
            return drop(link, count == 0 ? "it hung up" : NodeError.text(errno))
        }
        link.input.count += count
        while link.input.count >= PeerFrame.headerBytes, let base = link.input.base {
            guard let frame = PeerFrame(at: base), frame.payloadCount <= 1_024 else {
                return drop(link, "it does not speak the protocol of kiln's nodes")
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard link.input.count >= total else { return }
            let payload = UnsafeRawBufferPointer(
                start: base + PeerFrame.headerBytes, count: frame.payloadCount)
            if let reason = take(frame, payload, link) { return drop(link, reason) }
            link.input.consume(total)
        }
    }

    private func take(
        _ frame: PeerFrame, _ payload: UnsafeRawBufferPointer, _ link: OutgoingLink
    ) -> String? {
        switch (frame.kind, link.state) {
        case (.challenge, .greeting):
            guard let greeting = link.greeting,
                let proof = PeerChallenge.proof(payload, greeting, cluster.key)
            else { return "its cluster key is another one" }
            link.state = .proving
            append(.proof, proof, to: link)
            return nil
        case (.welcome, .proving):
            link.state = .open
            link.failures = 0
            link.loggedReason = ""
            link.output.append(unsafe: link.waiting.unsafeBytes)
            link.waiting.removeAll()
            transmit(link)
            return nil
        case (.refused, _):
            return "it refuses this node: \(String(decoding: payload, as: UTF8.self))"
        default: return "it sent what was not asked for"
        }
    }

    /// Gives a link up until there is something to be sent again.
    private func drop(_ link: OutgoingLink, _ reason: String) {
        let wasOpen = link.state == .open
        if link.descriptor >= 0 { close(link.descriptor) }
        link.descriptor = -1
        link.state = .down
        link.output.removeAll()
        link.waiting.removeAll()
        link.sent = 0
        link.input.release()
        let wait = min(Self.longestRetry, Self.shortestRetry << Int64(min(link.failures, 6)))
        link.failures += 1
        link.due = now.advanced(by: .nanoseconds(Int64.random(in: wait / 2...wait)))
        if link.loggedReason != reason, !isEnding {
            link.loggedReason = reason
            shared.logger.warning("node at \(link.address) can't be reached: \(reason)")
        }
        guard wasOpen, let member = member(at: link.address) else { return }
        step(.linkClosed(member))
    }

    /// Whose address it is.
    private func member(at address: SWIMInstance.Address) -> NodeID? {
        instance.swim.members.first { $0.metadata.peer == address && $0.status.isLive }?.id
    }

    /// Ends greetings that take too long, and links that nobody uses.
    func expireLinks() {
        expireIncoming()
        for link in Array(outgoing.values) {
            switch link.state {
            case .down:
                let end = link.lastUsed.advanced(by: .nanoseconds(Self.idleNanoseconds))
                if now >= end, now >= link.due { outgoing[link.address] = nil }
            case .connecting, .greeting, .proving:
                if now >= link.due { drop(link, "no answer in time") }
            case .open: continue
            }
        }
    }
}
