// Connections that other nodes have opened to this one, until their greeting is over and, for those
// of control planes, from then on.
internal import CLinux
internal import ControlPlane
internal import Glibc
internal import Logging
internal import Placement
internal import Primitives
internal import SWIM
internal import Synchronization

/// A connection that another node has opened.
struct IncomingLink {
    enum State {
        /// Nothing has been said, or not all of it.
        case silent
        /// It has said who it is, and has to prove it.
        case challenged(PeerGreeting, nonce: [UInt8])
        /// Its control plane's messages come over it.
        case control(name: String)
    }

    let descriptor: Int32
    let address: String
    var state = State.silent
    var input = InputBuffer()
    /// When the greeting has to be over.
    let deadline: Instant
}

extension ControlShell {
    /// Nodes whose greeting is not over, at most: a stranger cannot take more descriptors.
    private static let greetingLimit = 256
    private static let greetingNanoseconds: Int64 = 2_000_000_000
    /// The longest message of a control plane: a push-pull of 1,024 members, a piece of a snapshot.
    static let messageLimit = 16 << 20
    private static let receiveBytes = 64 << 10

    func accept(_ listener: Int32) {
        while true {
            let descriptor = kiln_accept(listener)
            guard descriptor >= 0 else { return }
            let greeting = incoming.values.count { link in
                if case .control = link.state { false } else { true }
            }
            guard greeting < Self.greetingLimit else {
                close(descriptor)
                continue
            }
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, 4)
            guard
                kiln_epoll_add(epoll, descriptor, EPOLLIN.rawValue, UInt64(descriptor)) == 0
            else {
                close(descriptor)
                continue
            }
            incoming[descriptor] = IncomingLink(
                descriptor: descriptor, address: PeerAddress(farEndOf: descriptor).hostText,
                deadline: now.advanced(by: .nanoseconds(Self.greetingNanoseconds)))
        }
    }

    func receive(from descriptor: Int32) {
        // Taken out, so that its buffer has one owner.
        guard var link = incoming.removeValue(forKey: descriptor) else { return }
        link.input.reserve(Self.receiveBytes)
        guard let base = link.input.base else { return }
        let count = recv(
            descriptor, base + link.input.count, link.input.capacity - link.input.count, 0)
        if count < 0 && (errno == EAGAIN || errno == EINTR) {
            incoming[descriptor] = link
            return
        }
        guard count > 0 else { return drop(&link) }
        link.input.count += count
        guard takeFrames(&link) else { return }
        incoming[descriptor] = link
    }

    private func drop(_ link: inout IncomingLink) {
        link.input.release()
        close(link.descriptor)
    }

    /// Takes what has come in full; false where the link is not this thread's any more.
    private func takeFrames(_ link: inout IncomingLink) -> Bool {
        while let base = link.input.base {
            if case .control = link.state {
                return takeMessages(&link)
            }
            guard link.input.count >= PeerFrame.headerBytes else { return true }
            guard let frame = PeerFrame(at: base), frame.payloadCount <= 1_024 else {
                refuse(&link, "it does not speak the protocol of kiln's nodes")
                return false
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard link.input.count >= total else { return true }
            let payload = UnsafeRawBufferPointer(
                start: base + PeerFrame.headerBytes, count: frame.payloadCount)
            if let reason = take(frame, payload, &link) {
                refuse(&link, reason)
                return false
            }
            if link.descriptor < 0 { return false }
            link.input.consume(total)
        }
        return true
    }

    /// Takes one frame of a greeting; the reason where it ends there.
    private func take(
        _ frame: PeerFrame, _ payload: UnsafeRawBufferPointer, _ link: inout IncomingLink
    ) -> String? {
        guard frame.version == PeerFrame.protocolVersion else {
            return "it speaks version \(frame.version) of the protocol, this node"
                + " \(PeerFrame.protocolVersion)"
        }
        switch (frame.kind, link.state) {
        case (.hello, .silent):
            guard let greeting = PeerGreeting(payload) else {
                return "it does not speak the protocol of kiln's nodes"
            }
            if let reason = objection(to: greeting) { return reason }
            let nonce = ClusterKey.randomBytes(PeerGreeting.nonceBytes)
            link.state = .challenged(greeting, nonce: nonce)
            reply(
                .challenge, PeerChallenge.make(greeting, cluster.key, nonce: nonce), link)
            return nil
        case (.proof, .challenged(let greeting, let nonce)):
            guard
                cluster.key.isCode(
                    payload, of: greeting.text(for: .caller, listenerNonce: nonce))
            else { return "its cluster key is another one" }
            reply(.welcome, [], link)
            welcome(greeting, &link)
            return nil
        default: return "it asks before it has said who it is"
        }
    }

    private func objection(to greeting: PeerGreeting) -> String? {
        let own = instance.identity.cluster
        // Who does not know its cluster yet may ask to join one.
        let mayBeStranger = greeting.purpose == .control
        guard greeting.cluster == own || (mayBeStranger && (greeting.cluster == 0 || own == 0))
        else { return "it belongs to another cluster" }
        return nil
    }

    /// The greeting is over: a control plane's link stays here, a loop's goes to a loop.
    private func welcome(_ greeting: PeerGreeting, _ link: inout IncomingLink) {
        guard greeting.purpose == .data else {
            link.state = .control(name: greeting.name)
            return
        }
        epoll_ctl(epoll, EPOLL_CTL_DEL, link.descriptor, nil)
        link.input.release()
        let loop = nextDataLoop
        nextDataLoop = (nextDataLoop + 1) % shared.inboxes.count
        shared.connections.wrappingAdd(1, ordering: .relaxed)
        shared.inboxes[loop].post(.adoptPeer(descriptor: link.descriptor))
        link = IncomingLink(descriptor: -1, address: link.address, deadline: link.deadline)
    }

    /// Sends a frame of a greeting; the kernel's buffer of a new connection has room for it.
    private func reply(_ kind: PeerFrame.Kind, _ payload: [UInt8], _ link: IncomingLink) {
        var bytes = ByteWriter(capacity: 128)
        PeerFrame(
            kind, payloadCount: payload.count, identifier: 0,
            epoch: instance.topology?.epoch ?? 0, deadline: shared.clock.now
        ).encode(into: &bytes)
        bytes.append(payload.span.bytes)
        let text = bytes.unsafeBytes
        _ = send(link.descriptor, text.baseAddress, text.count, Int32(MSG_NOSIGNAL))
    }

    /// Tells a node why it may not go on, and hangs up.
    private func refuse(_ link: inout IncomingLink, _ reason: String) {
        reply(.refused, Array(reason.utf8), link)
        let line = "peer at \(link.address) refused: \(reason)"
        if !refusals.contains(line) {
            if refusals.count >= Self.refusalLimit { refusals.removeFirst() }
            refusals.append(line)
            shared.logger.warning("\(line)")
        }
        drop(&link)
    }

    /// Refusals remembered: a node that tries again is not news.
    private static let refusalLimit = 64

    // MARK: Messages

    /// Takes the sealed messages that have come in full; false where the link is gone.
    private func takeMessages(_ link: inout IncomingLink) -> Bool {
        while link.input.count >= 4, let base = link.input.base {
            let count = Int(UInt32(littleEndian: base.loadUnaligned(as: UInt32.self)))
            guard count <= Self.messageLimit else {
                refuse(&link, "its message of \(count) bytes is too long")
                return false
            }
            guard link.input.count >= 4 + count else {
                link.input.reserve(4 + count - link.input.count)
                return true
            }
            let sealed = Array(UnsafeRawBufferPointer(start: base + 4, count: count))
            link.input.consume(4 + count)
            guard let text = cluster.key.open(sealed[...]) else {
                refuse(&link, "its cluster key is another one")
                return false
            }
            // A message of a later release that this one cannot read is skipped.
            guard let message = try? Message(protobuf: text) else { continue }
            step(.received(message, from: SWIMInstance.Address(link.address)))
        }
        return true
    }

    /// Ends greetings that take too long.
    func expireIncoming() {
        let late = incoming.values.filter { link in
            if case .control = link.state { false } else { now >= link.deadline }
        }
        for var link in late {
            incoming[link.descriptor] = nil
            drop(&link)
        }
    }
}
