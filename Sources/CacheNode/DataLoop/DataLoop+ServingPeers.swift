// The owner's side of forwarding: frames become entries of the batch like any client's commands.
internal import DataPlane
internal import Glibc
internal import Logging
internal import MemcacheProtocol
internal import Placement
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
            guard frame.kind == .request, frame.payloadCount <= peerPayloadLimit else {
                return refusePeer(
                    connection, "it sent what no node asks, or \(frame.payloadCount) bytes at once")
            }
            let total = PeerFrame.headerBytes + frame.payloadCount
            guard end - start >= total else {
                connection.pointee.neededBytes = total
                return
            }
            windows[window].parsed = start + PeerFrame.headerBytes
            windows[window].count = start + total
            serve(frame, window)
            windows[window].count = end
            windows[window].parsed = start + total
        }
    }

    /// A command with the largest value and the longest line.
    private var peerPayloadLimit: Int { shared.configuration.itemSizeLimitBytes + (64 << 10) }

    private mutating func serve(_ frame: PeerFrame, _ window: Int) {
        let connection = windows[window].connection
        if batch.isFull { runBatch() }
        let refusal =
            gate.map { gate in
                gate.pointee.refusal(epoch: frame.epoch, deadline: frame.deadline, at: now.instant)
            } ?? ServeGate.Refusal.behind
        if let refusal {
            return appendFrameEntry(.frameRefused, window, frame, reason: refusal.rawValue)
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
        _ kind: BatchEntry.Kind, _ window: Int, _ frame: PeerFrame, reason: UInt8 = 0
    ) {
        batch.append(
            BatchEntry(
                kind: kind, verb: .get, endsRetrieval: false, window: Int32(window), command: 0,
                shard: 0, keyCount: 0, key: UnsafeRawPointer(arena),
                hash: KeyHash(value: frame.identifier), exptime: Int64(reason), valueStart: 0))
    }

    // MARK: Replies

    mutating func beginFrame(_ identifier: UInt64) {
        frameStart = (reply.bytes.count, reply.count)
        frameIdentifier = identifier
        frameRefusal = nil
        appendHeader(.reply, identifier, payloadCount: 0)
    }

    /// The reply is complete: its length is known now.
    ///
    /// That of a request which was not executed is taken back.
    mutating func endFrame() {
        guard let start = frameStart else { return }
        frameStart = nil
        if let refusal = frameRefusal {
            frameRefusal = nil
            reply.bytes.truncate(to: start.offset)
            return appendRefusal(frameIdentifier, refusal.rawValue)
        }
        let count = reply.count - start.count - PeerFrame.headerBytes
        reply.bytes.overwrite(UInt32(truncatingIfNeeded: count), at: start.offset)
    }

    mutating func appendRefusal(_ identifier: UInt64, _ reason: UInt8) {
        appendHeader(.notExecuted, identifier, payloadCount: 1)
        reply.bytes.append(reason)
    }

    private mutating func appendHeader(
        _ kind: PeerFrame.Kind, _ identifier: UInt64, payloadCount: Int
    ) {
        PeerFrame(
            kind, payloadCount: payloadCount, identifier: identifier, epoch: peers?.epoch ?? 0
        ).encode(into: &reply.bytes)
    }

    // MARK: Refusing

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
            epoch: peers?.epoch ?? 0
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
