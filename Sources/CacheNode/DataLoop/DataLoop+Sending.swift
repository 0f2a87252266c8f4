// From replies to the socket.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import Primitives
internal import Storage

/// How far a send got.
private enum SendResult {
    case sent(Int)
    case failed
}

extension DataLoop {
    /// Parts per `sendmsg`.
    private static let partLimit = 64
    /// Bytes of replies kept for a client that does not read; above it the connection is closed.
    private static let outputLimitBytes = 8 << 20

    /// Makes `connection` the one whose replies are composed, sending those of the one before.
    @inline(__always)
    mutating func takeReplies(for connection: ConnectionPointer) {
        if replyOwner == connection { return }
        if replyOwner != nil { deliver() }
        replyOwner = connection
    }

    /// Sends the composed replies; what the client does not take at once is kept.
    mutating func deliver() {
        guard let connection = replyOwner else { return }
        replyOwner = nil
        guard reply.count > 0 else { return }
        if connection.pointee.queue != nil && holdBack(connection) { return }
        sendComposed(to: connection)
    }

    /// Sends what is composed, whatever waits elsewhere.
    mutating func sendComposed(to connection: ConnectionPointer) {
        if connection.pointee.output != nil { return keep(connection, from: 0) }
        if reply.splices.isEmpty {
            let bytes = reply.bytes.unsafeBytes
            let count = send(
                connection.pointee.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count == bytes.count {
                counters.add(.bytesWritten, count)
                reply.bytes.removeAll()
                return
            }
            return settle(
                connection, count >= 0 ? .sent(count) : errno == EAGAIN ? .sent(0) : .failed)
        }
        settle(connection, transmit(connection, reply.bytes.unsafeBytes, reply.splices, from: 0))
    }

    private mutating func settle(_ connection: ConnectionPointer, _ result: SendResult) {
        switch result {
        case .failed:
            dropReplies()
            close(connection, .error)
        case .sent(let count):
            counters.add(.bytesWritten, count)
            if count == reply.count { dropReplies() } else { keep(connection, from: count) }
        }
    }

    /// Gives the pins of the composed replies back and forgets them.
    mutating func dropReplies() {
        unpin(reply.splices)
        reply.removeAll()
        replyOwner = nil
    }

    private func unpin(_ splices: [Splice]) {
        for splice in splices {
            shards.withShard(splice.shard) { $0.unpin(splice.value.token) }
        }
    }

    /// Sends bytes and spliced values, skipping the first `skipped` bytes of all.
    private func transmit(
        _ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer, _ splices: [Splice],
        from skipped: Int
    ) -> SendResult {
        var sent = 0
        while true {
            let (count, wanted) = transmitOnce(connection, bytes, splices, from: skipped + sent)
            if wanted == 0 { return .sent(sent) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? .sent(sent) : .failed
            }
            sent += count
            if count < wanted { return .sent(sent) }
        }
    }

    /// One `sendmsg` of at most ``partLimit`` parts; how much was sent, and how much was offered.
    private func transmitOnce(
        _ connection: ConnectionPointer, _ bytes: UnsafeRawBufferPointer, _ splices: [Splice],
        from skipped: Int
    ) -> (count: Int, wanted: Int) {
        withUnsafeTemporaryAllocation(of: iovec.self, capacity: Self.partLimit) { parts in
            var used = 0
            var wanted = 0
            var skip = skipped
            var position = 0
            func add(_ part: UnsafeRawBufferPointer) {
                if skip >= part.count {
                    skip -= part.count
                    return
                }
                guard used < Self.partLimit, let start = part.baseAddress else { return }
                parts[used] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: start + skip),
                    iov_len: part.count - skip)
                wanted += part.count - skip
                skip = 0
                used += 1
            }
            for splice in splices {
                if used == Self.partLimit { break }
                add(UnsafeRawBufferPointer(rebasing: bytes[position..<splice.offset]))
                add(splice.value.bytes)
                position = splice.offset
            }
            add(UnsafeRawBufferPointer(rebasing: bytes[position...]))
            if wanted == 0 { return (0, 0) }
            var message = msghdr()
            message.msg_iov = parts.baseAddress
            message.msg_iovlen = used
            let count = sendmsg(connection.pointee.descriptor, &message, Int32(MSG_NOSIGNAL))
            return (count, wanted)
        }
    }

    // MARK: Clients that do not read

    /// Keeps the composed replies from byte `sent` on until the client reads; nothing more is
    /// executed for it.
    private mutating func keep(_ connection: ConnectionPointer, from sent: Int) {
        let second = UInt32(truncatingIfNeeded: now.instant.nanoseconds / 1_000_000_000)
        if let output = connection.pointee.output {
            let base = output.pointee.bytes.count
            output.pointee.bytes.append(contentsOf: reply.bytes.unsafeBytes)
            for splice in reply.splices { output.pointee.splices.append(splice.shifted(by: base)) }
        } else {
            let output = UnsafeMutablePointer<PendingOutput>.allocate(capacity: 1)
            output.initialize(
                to: PendingOutput(
                    bytes: Array(reply.bytes.unsafeBytes), splices: reply.splices, sent: sent,
                    progressSecond: second))
            connection.pointee.output = output
            setInterest(connection, EPOLLOUT.rawValue)
            counters.add(.blockedConnections, 1)
        }
        bufferBytes += reply.bytes.count
        reply.removeAll()
        if let output = connection.pointee.output,
            output.pointee.bytes.count > Self.outputLimitBytes
        {
            shared.logger.info(
                "connection \(connection.pointee.number) closed: it does not read its replies")
            close(connection, .error)
        }
    }

    /// Goes on sending to a client that has begun to read again.
    mutating func resume(_ connection: ConnectionPointer) {
        guard let output = connection.pointee.output else { return }
        let result = output.pointee.bytes.withUnsafeBytes { bytes in
            transmit(connection, bytes, output.pointee.splices, from: output.pointee.sent)
        }
        guard case .sent(let count) = result else { return close(connection, .error) }
        counters.add(.bytesWritten, count)
        output.pointee.sent += count
        if count > 0 {
            output.pointee.progressSecond = UInt32(
                truncatingIfNeeded: now.instant.nanoseconds / 1_000_000_000)
        }
        guard output.pointee.sent == output.pointee.total else { return }
        dropOutput(connection)
        if let queue = connection.pointee.queue { peers?.touch(queue) }
        if connection.pointee.phase == .closing && !connection.pointee.hasOutstanding {
            return close(connection)
        }
        setInterest(connection, connection.pointee.readInterest)
        // A waiting stream goes on by itself, at the end of the turn.
        if connection.pointee.phase != .streaming && !connection.pointee.isHeld {
            continueAfterReading(connection)
        }
    }

    /// The client has read everything: its waiting commands go on.
    mutating func continueAfterReading(_ connection: ConnectionPointer) {
        guard connection.pointee.input.count > 0, let base = connection.pointee.input.base else {
            return
        }
        if windowCount == Self.eventLimit {
            now = shared.clock.reading
            processWindows()
        }
        addWindow(connection, base, connection.pointee.input.count, isPrivate: true)
    }

    mutating func dropOutput(_ connection: ConnectionPointer) {
        guard let output = connection.pointee.output else { return }
        connection.pointee.output = nil
        bufferBytes -= output.pointee.bytes.count
        unpin(output.pointee.splices)
        output.deinitialize(count: 1)
        output.deallocate()
        counters.add(.blockedConnections, -1)
    }

    func setInterest(_ connection: ConnectionPointer, _ events: UInt32) {
        guard connection.pointee.interest != events else { return }
        connection.pointee.interest = events
        _ = kiln_epoll_modify(
            epoll, connection.pointee.descriptor, events, UInt64(UInt(bitPattern: connection)))
    }
}
