// Connections come and go.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import Primitives
internal import Synchronization

extension DataLoop {
    /// Connections accepted per listener and turn.
    private static let acceptsPerTurn = 64

    /// Asks epoll for new connections; one loop accepts for all and deals them round robin.
    static func listen(_ shared: NodeShared, _ epoll: Int32) throws(NodeError) {
        for (position, listener) in shared.listeners.enumerated() {
            guard
                kiln_epoll_add(epoll, listener.descriptor, EPOLLIN.rawValue, UInt64(position + 1))
                    == 0
            else { throw .system(call: "epoll_ctl", code: errno) }
        }
    }

    func stopListening() {
        for listener in shared.listeners {
            epoll_ctl(epoll, EPOLL_CTL_DEL, listener.descriptor, nil)
            Glibc.close(listener.descriptor)
        }
    }

    mutating func accept(_ listener: Int) {
        for _ in 0..<Self.acceptsPerTurn {
            let descriptor = kiln_accept(shared.listeners[listener].descriptor)
            if descriptor < 0 {
                if errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM {
                    pauseAccepting()
                } else if errno == ECONNABORTED || errno == EINTR {
                    continue
                }
                return
            }
            if shared.connections.load(ordering: .relaxed) >= shared.connectionLimit {
                refuse(descriptor)
                continue
            }
            shared.connections.wrappingAdd(1, ordering: .relaxed)
            let loop = nextLoop
            nextLoop = (nextLoop + 1) % shared.configuration.threads
            if loop == number {
                adopt(descriptor, listener: listener)
            } else {
                shared.inboxes[loop].post(.adopt(descriptor: descriptor, listener: listener))
            }
        }
    }

    /// Tells a client that the node is full, as memcached does.
    private func refuse(_ descriptor: Int32) {
        let text: StaticString = "ERROR Too many open connections\r\n"
        _ = send(descriptor, text.utf8Start, text.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
        Glibc.close(descriptor)
        counters.add(.rejectedConnections, 1)
    }

    /// Without descriptors `accept` would fail over and over: listen again after a tick.
    private mutating func pauseAccepting() {
        guard !acceptsPaused else { return }
        acceptsPaused = true
        counters.add(.acceptPauses, 1)
        counters.set(.acceptsPaused, to: 1)
        acceptPauseStart = shared.clock.now
        shared.logger.warning("out of file descriptors: no new connections until some are closed")
        setListening(0)
    }

    mutating func resumeAccepting() {
        acceptsPaused = false
        counters.set(.acceptsPaused, to: 0)
        let pause = shared.clock.now.nanoseconds - acceptPauseStart.nanoseconds
        counters.add(.acceptPausedMicroseconds, Int(pause / 1000))
        guard !isStopping else { return }
        setListening(EPOLLIN.rawValue)
    }

    private func setListening(_ events: UInt32) {
        for (position, listener) in shared.listeners.enumerated() {
            _ = kiln_epoll_modify(epoll, listener.descriptor, events, UInt64(position + 1))
        }
    }

    mutating func adopt(_ descriptor: Int32, listener: Int) {
        if !shared.listeners[listener].isUnix {
            var one: Int32 = 1
            setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, 4)
            // A client whose machine is gone must not hold its buffers for ever.
            setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &one, 4)
        }
        add(descriptor, listener: listener, isPeer: false)
    }

    /// Serves another node, which has proved who it is.
    mutating func adoptPeer(_ descriptor: Int32) {
        add(descriptor, listener: 0, isPeer: true)
    }

    private mutating func add(_ descriptor: Int32, listener: Int, isPeer: Bool) {
        let connection = ConnectionPointer.allocate(capacity: 1)
        let second = UInt32(truncatingIfNeeded: now.instant.nanoseconds / 1_000_000_000)
        let identifier = shared.connectionNumbers.wrappingAdd(1, ordering: .relaxed).newValue
        let peer = PeerAddress(farEndOf: descriptor)
        connection.initialize(
            to: Connection(
                descriptor: descriptor, number: identifier, listener: listener, peer: peer,
                second: second, isPeer: isPeer))
        guard !isStopping,
            kiln_epoll_add(
                epoll, descriptor, EPOLLIN.rawValue, UInt64(UInt(bitPattern: connection))) == 0
        else {
            Glibc.close(descriptor)
            shared.connections.wrappingSubtract(1, ordering: .relaxed)
            connection.deinitialize(count: 1)
            connection.deallocate()
            return
        }
        connection.pointee.next = connections
        connections?.pointee.previous = connection
        connections = connection
        bufferBytes += MemoryLayout<Connection>.stride
        counters.add(.currentConnections, 1)
        counters.add(.totalConnections, 1)
        tap.noteOpened(peer, descriptor: descriptor)
    }

    /// Ends a connection; its memory is freed when the turn is over, since events may still name
    /// it.
    mutating func close(_ connection: ConnectionPointer, _ reason: CloseReason = .normal) {
        guard connection.pointee.phase != .closed else { return }
        tap.noteClosed(
            connection.pointee.peer, descriptor: connection.pointee.descriptor, reason)
        connection.pointee.phase = .closed
        if !yielded.isEmpty { yielded.removeAll { $0 == connection } }
        if replyOwner == connection { dropReplies() }
        dropOutput(connection)
        dropUpload(connection)
        dropStream(connection)
        dropQueue(connection)
        Glibc.close(connection.pointee.descriptor)
        if let previous = connection.pointee.previous {
            previous.pointee.next = connection.pointee.next
        } else {
            connections = connection.pointee.next
        }
        connection.pointee.next?.pointee.previous = connection.pointee.previous
        shared.connections.wrappingSubtract(1, ordering: .relaxed)
        counters.add(.currentConnections, -1)
        closed.append(connection)
    }

    mutating func freeClosed() {
        for connection in closed {
            // Not before: a window of the turn may still lie in it.
            connection.pointee.input.release()
            noteInput(connection)
            connection.deinitialize(count: 1)
            connection.deallocate()
            bufferBytes -= MemoryLayout<Connection>.stride
        }
        closed.removeAll(keepingCapacity: true)
    }
}
