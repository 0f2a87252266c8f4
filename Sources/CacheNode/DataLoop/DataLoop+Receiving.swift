// From the socket to a window of bytes.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives

extension DataLoop {
    /// Most that is received at once into a connection's own buffer beyond what its command needs.
    private static let privateReceiveBytes = 4 << 10

    mutating func receive(_ connection: ConnectionPointer) {
        if connection.pointee.hasYielded { return }
        if connection.pointee.phase == .uploading { return receiveUpload(connection) }
        if connection.pointee.input.count > 0 { return receivePrivately(connection) }
        if arenaUsed + Self.receiveBytes > arenaBytes || windowCount == Self.eventLimit {
            now = shared.clock.reading
            processWindows()
            if connection.pointee.phase == .closed { return }
        }
        let start = arena + arenaUsed
        let count = recv(connection.pointee.descriptor, start, Self.receiveBytes, 0)
        guard noteReceived(count, connection) else { return }
        // The next window begins on a cache line of its own.
        arenaUsed += (count + 63) & ~63
        addWindow(connection, start, count, isPrivate: false)
    }

    /// Receives behind a partial command, so that it is in one piece.
    private mutating func receivePrivately(_ connection: ConnectionPointer) {
        let have = connection.pointee.input.count
        guard inputBytes <= inputLimit else { return refuseInput(connection) }
        // The buffer grows with what has arrived, never with what was merely announced.
        let missing = connection.pointee.neededBytes - have
        connection.pointee.input.reserve(
            missing > 0
                ? min(missing, max(have, Self.privateReceiveBytes))
                : max(have, Self.privateReceiveBytes))
        noteInput(connection)
        guard let base = connection.pointee.input.base else { return }
        let room = connection.pointee.input.capacity - have
        let count = recv(connection.pointee.descriptor, base + have, room, 0)
        guard noteReceived(count, connection) else { return }
        connection.pointee.input.count += count
        addWindow(connection, base, have + count, isPrivate: true)
    }

    /// Keeps account of a connection's input buffer, whose size may have changed.
    mutating func noteInput(_ connection: ConnectionPointer) {
        let growth = connection.pointee.input.takeGrowth()
        bufferBytes += growth
        inputBytes += growth
    }

    /// All connections' partial commands together have used up their share of memory.
    private mutating func refuseInput(_ connection: ConnectionPointer) {
        let text: StaticString = "SERVER_ERROR out of memory reading request\r\n"
        _ = send(
            connection.pointee.descriptor, text.utf8Start, text.utf8CodeUnitCount,
            Int32(MSG_NOSIGNAL))
        close(connection)
    }

    private mutating func noteReceived(_ count: Int, _ connection: ConnectionPointer) -> Bool {
        if count > 0 {
            counters.add(.bytesRead, count)
            connection.pointee.lastActiveSecond = UInt32(
                truncatingIfNeeded: now.instant.nanoseconds / 1_000_000_000)
            return true
        }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return false }
        if count == 0 && connection.pointee.hasOutstanding {
            // It says nothing more, and may still read what it has asked for.
            connection.pointee.phase = .closing
            setInterest(connection, 0)
            return false
        }
        close(connection, count < 0 ? .error : .normal)
        return false
    }

    mutating func addWindow(
        _ connection: ConnectionPointer, _ base: UnsafeMutableRawPointer, _ count: Int,
        isPrivate: Bool
    ) {
        connection.pointee.isBatched = true
        (windows + windowCount).initialize(
            to: Window(connection: connection, base: base, count: count, isPrivate: isPrivate))
        windowCount += 1
    }

    // MARK: Uploads

    /// Receives a large value straight into storage.
    private mutating func receiveUpload(_ connection: ConnectionPointer) {
        guard let upload = connection.pointee.upload else { return }
        let destination = upload.pointee.upload.destination
        let left = destination.count - upload.pointee.received
        let count = withUnsafeMutablePointer(to: &upload.pointee.tail) { tail in
            var parts = (
                iovec(
                    iov_base: destination.baseAddress.map { $0 + upload.pointee.received },
                    iov_len: left),
                iovec(
                    iov_base: UnsafeMutableRawPointer(tail) + upload.pointee.tailReceived,
                    iov_len: 2 - upload.pointee.tailReceived)
            )
            return withUnsafeMutableBytes(of: &parts) { raw in
                readv(
                    connection.pointee.descriptor,
                    raw.assumingMemoryBound(to: iovec.self).baseAddress, 2)
            }
        }
        guard noteReceived(count, connection) else { return }
        upload.pointee.received += min(count, left)
        upload.pointee.tailReceived += max(0, count - left)
        guard upload.pointee.tailReceived == 2 else { return }
        if windowCount == Self.eventLimit {
            now = shared.clock.reading
            processWindows()
        }
        // An empty window: the upload is finished when the turn's requests are executed, in their
        // order.
        addWindow(connection, arena, 0, isPrivate: false)
    }

    /// Starts receiving the value of `command` into storage; the window ends inside it.
    mutating func startUpload(
        _ window: Int, _ command: Command, key: UnsafeRawBufferPointer, _ hash: KeyHash,
        floor: Version
    ) {
        let connection = windows[window].connection
        let shard = shards.shard(of: hash)
        let time = now
        let lineStart = windows[window].parsed
        let line = Array(
            UnsafeRawBufferPointer(
                start: windows[window].base + lineStart, count: command.lineCount))
        let keyBytes = Array(key)
        // The saved line begins at 0: the command's ranges move with it.
        let moved = command.moved(by: -lineStart)
        takeReplies(for: connection)
        var upload: Upload?
        shards.withShard(shard) { instance in
            instance.setFloor(floor)
            upload = instance.beginUpload(
                moved, line: line.span.bytes, key: keyBytes.span.bytes, hash: hash, at: time,
                reply: &reply)
            if !instance.watching.isEmpty {
                tap.take(
                    &instance, command.verb, key, descriptor: connection.pointee.descriptor,
                    at: time)
            }
        }
        windows[window].parsed += command.lineCount
        guard let upload = upload.take() else {
            connection.pointee.phase = .swallowing
            connection.pointee.swallowBytes = command.valueCount + 2
            return
        }
        let pending = UnsafeMutablePointer<PendingUpload>.allocate(capacity: 1)
        pending.initialize(
            to: PendingUpload(
                upload: upload, command: moved, line: line, key: keyBytes, hash: hash, shard: shard)
        )
        connection.pointee.upload = pending
        connection.pointee.phase = .uploading
        moveIntoUpload(window, pending)
    }

    /// Moves what has arrived of the value to where it belongs; the rest is received there.
    private func moveIntoUpload(_ window: Int, _ pending: UnsafeMutablePointer<PendingUpload>) {
        let from = windows[window].parsed
        let have = windows[window].count - from
        let destination = pending.pointee.upload.destination
        let part = min(have, destination.count)
        if part > 0, let start = destination.baseAddress {
            start.copyMemory(from: windows[window].base + from, byteCount: part)
        }
        if have > part {
            pending.pointee.tail.0 = windows[window].base.load(
                fromByteOffset: from + part, as: UInt8.self)
            pending.pointee.tailReceived = 1
        }
        pending.pointee.received = part
        windows[window].parsed = windows[window].count
    }

    /// Executes the command whose value has arrived in full.
    mutating func finishUpload(_ connection: ConnectionPointer) {
        guard let pending = connection.pointee.upload, pending.pointee.tailReceived == 2 else {
            return
        }
        connection.pointee.upload = nil
        connection.pointee.phase = .commands
        let done = pending.move()
        pending.deallocate()
        takeReplies(for: connection)
        let time = now
        let isWhole = done.tail == (UInt8(ascii: "\r"), UInt8(ascii: "\n"))
        // The key may have gone to another owner since the line came.
        let hash = done.hash
        let place: KeyPlace = done.key.withUnsafeBytes { self.place($0, hash, connection) }
        guard case .here(let floor) = place else {
            let failure = ForwardFailure(done.command)
            done.abandon(shards: shards)
            if failure == .close { connection.pointee.phase = .closing }
            if failure == .error { reply.bytes.append(ForwardFailure.withheld) }
            return
        }
        let (command, key) = (done.command, done.key)
        let finished = done.finish(
            shards: shards, isWhole: isWhole, floor: floor, at: time, reply: &reply, tap: &tap,
            descriptor: connection.pointee.descriptor)
        if !finished && !command.noreply { reply.bytes.append("CLIENT_ERROR bad data chunk\r\n") }
        if detector.countDown() { takeSample(of: command, hash, key, connection) }
        noteExecuted(command.verb)
    }

    mutating func dropUpload(_ connection: ConnectionPointer) {
        guard let pending = connection.pointee.upload else { return }
        connection.pointee.upload = nil
        let done = pending.move()
        pending.deallocate()
        done.abandon(shards: shards)
    }
}

extension PendingUpload {
    /// Hands the value to its shard; false, and the space given back, where its line end is
    /// missing.
    consuming func finish(
        shards: ShardAccess, isWhole: Bool, floor: Version, at time: ClockReading,
        reply: inout ReplyBuffer,
        tap: inout WatchTap, descriptor: Int32
    ) -> Bool {
        guard isWhole else {
            abandon(shards: shards)
            return false
        }
        let (command, hash, line, key) = (self.command, self.hash, self.line, self.key)
        var upload: Upload? = self.upload
        shards.withShard(self.shard) { instance in
            guard let upload = upload.take() else { return }
            instance.setFloor(floor)
            instance.finishUpload(
                upload, command, line: line.span.bytes, key: key.span.bytes, hash: hash, at: time,
                reply: &reply)
            if !instance.watching.isEmpty {
                key.withUnsafeBytes {
                    tap.take(&instance, command.verb, $0, descriptor: descriptor, at: time)
                }
            }
        }
        return true
    }

    /// Gives the space back.
    consuming func abandon(shards: ShardAccess) {
        var upload: Upload? = self.upload
        shards.withShard(self.shard) { instance in
            if let upload = upload.take() { instance.abandonUpload(upload) }
        }
    }
}
