// The owner's side of forwarding: frames become entries of the batch like any client's commands.
internal import DataPlane
internal import Glibc
internal import Logging
internal import MemcacheProtocol
internal import Primitives
internal import Synchronization

extension DataLoop {
    /// Turns the frames of a peer's window into entries; a frame that is not whole waits.
    mutating func parseFrames(_ window: Int) {
        let connection = windows[window].connection
        let end = windows[window].count
        while connection.pointee.phase == .commands && !connection.pointee.isBlocked {
            let start = windows[window].parsed
            guard end - start >= PeerFrame.headerBytes else {
                connection.pointee.neededBytes = PeerFrame.headerBytes
                return
            }
            guard let frame = PeerFrame(at: windows[window].base + start) else {
                return refusePeer(connection, "it does not speak the protocol of kiln's nodes")
            }
            let isHello = frame.kind == .hello
            guard frame.payloadCount <= (isHello ? 1024 : peerPayloadLimit) else {
                return refusePeer(
                    connection, "its message of \(frame.payloadCount) bytes is too long")
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard end - start >= total else {
                connection.pointee.neededBytes = total
                return
            }
            windows[window].parsed = start + PeerFrame.headerBytes
            windows[window].count = start + total
            if isHello { greet(frame, window) } else { serve(frame, window) }
            windows[window].count = end
            windows[window].parsed = start + total
        }
    }

    /// A command with the largest value and the longest line.
    private var peerPayloadLimit: Int { shared.configuration.itemSizeLimitBytes + (64 << 10) }

    private mutating func serve(_ frame: PeerFrame, _ window: Int) {
        let connection = windows[window].connection
        guard connection.pointee.isGreeted, frame.kind == .request, let peers else {
            return refusePeer(connection, "it asks before it has said who it is")
        }
        if batch.isFull { runBatch() }
        if frame.epoch != peers.cluster.epoch {
            return appendFrameEntry(.frameMoved, window, frame)
        }
        if frame.deadline < now.instant {
            return appendFrameEntry(.frameExpired, window, frame)
        }
        appendFrameEntry(.frameStart, window, frame)
        while windows[window].parsed < windows[window].count {
            guard parseCommand(window) else {
                return refusePeer(connection, "its request is not whole")
            }
            if connection.pointee.phase == .swallowing {
                // A value this node refuses for its size: the frame's end is its end.
                connection.pointee.phase = .commands
                connection.pointee.swallowBytes = 0
                break
            }
            guard connection.pointee.phase == .commands else { return }
        }
        if batch.isFull { runBatch() }
        appendFrameEntry(.frameEnd, window, frame)
    }

    private mutating func appendFrameEntry(
        _ kind: BatchEntry.Kind, _ window: Int, _ frame: PeerFrame
    ) {
        batch.append(
            BatchEntry(
                kind: kind, verb: .get, endsRetrieval: false, window: Int32(window), command: 0,
                shard: 0, keyCount: 0, key: UnsafeRawPointer(arena),
                hash: KeyHash(value: frame.identifier), exptime: 0, valueStart: 0))
    }

    // MARK: Replies

    mutating func beginFrame(_ identifier: UInt64) {
        frameStart = (reply.bytes.count, reply.count)
        appendHeader(.reply, identifier)
    }

    /// The reply is complete: its length is known now.
    mutating func endFrame() {
        guard let start = frameStart else { return }
        frameStart = nil
        let count = reply.count - start.count - PeerFrame.headerBytes
        reply.bytes.overwrite(UInt32(truncatingIfNeeded: count), at: start.offset)
    }

    mutating func appendRefusal(_ kind: PeerFrame.Kind, _ identifier: UInt64) {
        appendHeader(kind, identifier)
    }

    private mutating func appendHeader(_ kind: PeerFrame.Kind, _ identifier: UInt64) {
        PeerFrame(
            kind, payloadCount: 0, identifier: identifier, epoch: peers?.cluster.epoch ?? 0
        ).encode(into: &reply.bytes)
    }

    // MARK: Greeting

    private mutating func greet(_ frame: PeerFrame, _ window: Int) {
        let connection = windows[window].connection
        let payload = UnsafeRawBufferPointer(
            start: windows[window].base + windows[window].parsed, count: frame.payloadCount)
        guard frame.version == PeerFrame.protocolVersion else {
            return refusePeer(
                connection,
                "it speaks version \(frame.version) of the protocol, this node"
                    + " \(PeerFrame.protocolVersion)")
        }
        guard let greeting = PeerGreeting(payload), let peers else {
            return refusePeer(connection, "it does not speak the protocol of kiln's nodes")
        }
        guard greeting.cluster == peers.cluster.identifier else {
            return refusePeer(connection, "it belongs to another cluster")
        }
        guard peers.cluster.members.contains(where: { $0.name == greeting.name }) else {
            return refusePeer(connection, "no member has its name")
        }
        runBatch()
        connection.pointee.isGreeted = true
        takeReplies(for: connection)
        PeerFrame(
            .welcome, payloadCount: 0, identifier: 0, epoch: peers.cluster.epoch,
            deadline: now.instant
        ).encode(into: &reply.bytes)
    }

    /// Tells a peer why it may not go on, and hangs up.
    private mutating func refusePeer(_ connection: ConnectionPointer, _ reason: String) {
        runBatch()
        // Half a reply is none.
        if frameStart != nil { dropReplies() }
        frameStart = nil
        guard connection.pointee.phase != .closed else { return }
        takeReplies(for: connection)
        PeerFrame(
            .refused, payloadCount: reason.utf8.count, identifier: 0,
            epoch: peers?.cluster.epoch ?? 0
        ).encode(into: &reply.bytes)
        reply.bytes.append(text: reason)
        deliver()
        let line = "peer at \(connection.pointee.peer.hostText) refused: \(reason)"
        let isNews = shared.refusals.withLock { known in
            if known.contains(line) { return false }
            if known.count >= Self.refusalLimit { known.removeFirst() }
            known.append(line)
            return true
        }
        if isNews { shared.logger.warning("\(line)") }
        close(connection, .error)
    }

    /// Refusals remembered.
    private static let refusalLimit = 64
}
