// Commands on keys that other nodes own: sent there, and their replies put in order.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import MemcacheProtocol
internal import Placement
internal import Primitives
internal import Storage

extension DataLoop {
    /// Where a key belongs, as far as this loop may tell.
    @inline(__always)
    func place(
        _ key: UnsafeRawBufferPointer, _ hash: KeyHash, _ connection: ConnectionPointer
    ) -> KeyPlace {
        guard isClustered else { return .here(floor: Version(value: 0)) }
        return clusterPlace(key, hash, isPeer: connection.pointee.isPeer)
    }

    @inline(never)
    private func clusterPlace(
        _ key: UnsafeRawBufferPointer, _ hash: KeyHash, isPeer: Bool
    ) -> KeyPlace {
        guard let gate else { return .withheld }
        switch gate.pointee.verdict(key.bytes, hash) {
        case .serve(let floor): return .here(floor: floor)
        case .withhold: return .withheld
        // A request is forwarded once.
        case .forward(let owner): return isPeer ? .moved : .other(owner)
        }
    }

    // MARK: Into the batch

    mutating func appendForward(_ window: Int, _ slot: Int, _ owner: Int, bytes: Int) {
        batch.commandCount &+= 1
        batch.append(
            BatchEntry(
                kind: .forward, verb: batch.commands[slot].verb, endsRetrieval: false,
                window: Int32(window), command: Int32(slot), shard: Int32(owner), keyCount: 0,
                key: UnsafeRawPointer(arena), hash: KeyHash(value: 0), exptime: Int64(bytes),
                valueStart: windows[window].parsed))
        windows[window].parsed &+= bytes
    }

    mutating func appendForwardedKey(
        _ window: Int, _ verb: Verb, _ key: UnsafeRawBufferPointer, _ owner: Int, exptime: Int64,
        isLast: Bool, isOnly: Bool
    ) {
        guard let start = key.baseAddress else { return }
        batch.append(
            BatchEntry(
                kind: .forwardKey, verb: verb, endsRetrieval: isLast, window: Int32(window),
                command: 0, shard: Int32(owner), keyCount: -Int32(key.count), key: start,
                hash: KeyHash(value: 0), exptime: exptime, valueStart: isOnly ? 1 : 0))
    }

    /// Adds a key of a retrieval that this node must not serve: a miss.
    mutating func appendWithheldKey(
        _ window: Int, _ verb: Verb, _ place: KeyPlace, isLast: Bool, isOnly: Bool
    ) {
        batch.append(
            BatchEntry(
                kind: .withheldKey, verb: verb, endsRetrieval: isLast, window: Int32(window),
                command: place == .moved ? 1 : 0, shard: 0, keyCount: 0,
                key: UnsafeRawPointer(arena), hash: KeyHash(value: 0), exptime: 0,
                valueStart: isOnly ? 1 : 0))
    }

    /// Adds a command that this node must not execute.
    mutating func appendWithheld(_ window: Int, _ slot: Int, _ place: KeyPlace, bytes: Int) {
        batch.commandCount &+= 1
        batch.append(
            BatchEntry(
                kind: .withheld, verb: batch.commands[slot].verb, endsRetrieval: false,
                window: Int32(window), command: Int32(slot), shard: place == .moved ? 1 : 0,
                keyCount: 0, key: UnsafeRawPointer(arena), hash: KeyHash(value: 0), exptime: 0,
                valueStart: 0))
        windows[window].parsed &+= bytes
    }

    // MARK: Out of the batch

    /// Executes an entry that goes to another node, or came from one.
    @inline(never)
    mutating func executeBetweenNodes(
        _ entry: UnsafeMutablePointer<BatchEntry>, _ connection: ConnectionPointer
    ) {
        switch entry.pointee.kind {
        case .forwardKey: gather(entry, connection)
        case .forward: forward(entry, connection)
        case .frameStart: beginFrame(entry.pointee.hash.value)
        case .frameEnd: endFrame()
        case .frameRefused:
            appendRefusal(
                entry.pointee.hash.value, UInt8(truncatingIfNeeded: entry.pointee.exptime))
        case .withheldKey: withholdKey(entry, connection)
        case .withheld: withhold(entry, connection)
        default: assertionFailure("\(entry.pointee.kind) stays on its node")
        }
    }

    /// A key that this node must not serve: nothing of it is told.
    private mutating func withholdKey(
        _ entry: UnsafeMutablePointer<BatchEntry>, _ connection: ConnectionPointer
    ) {
        let changes = entry.pointee.verb == .gat || entry.pointee.verb == .gats
        if connection.pointee.isPeer {
            // Of several keys the others are answered: this one is a miss.
            if entry.pointee.valueStart == 1 {
                frameRefusal = entry.pointee.command == 1 ? .moved : .withheld
            }
        } else if changes {
            // Some keys may have been touched: the line as a whole has failed.
            if entry.pointee.valueStart == 1 {
                noteExecuted(entry.pointee.verb)
                return reply.bytes.append(ForwardFailure.withheld)
            }
            connection.pointee.phase = .closing
        }
        guard entry.pointee.endsRetrieval else { return }
        if hasGathered { sendGathered() }
        reply.bytes.append("END\r\n")
        noteExecuted(entry.pointee.verb)
    }

    private mutating func withhold(
        _ entry: UnsafeMutablePointer<BatchEntry>, _ connection: ConnectionPointer
    ) {
        noteExecuted(entry.pointee.verb)
        guard !connection.pointee.isPeer else {
            frameRefusal = entry.pointee.shard == 1 ? .moved : .withheld
            return
        }
        let failure = ForwardFailure(batch.commands[Int(entry.pointee.command)])
        switch failure {
        case .error: reply.bytes.append(ForwardFailure.withheld)
        case .close: connection.pointee.phase = .closing
        default: reply.bytes.append(failure.reply(isKnown: true))
        }
    }

    private mutating func forward(
        _ entry: UnsafeMutablePointer<BatchEntry>, _ connection: ConnectionPointer
    ) {
        let text = UnsafeRawBufferPointer(
            start: windows[Int(entry.pointee.window)].base + entry.pointee.valueStart,
            count: Int(entry.pointee.exptime))
        let failure = ForwardFailure(batch.commands[Int(entry.pointee.command)])
        send(text, to: Int(entry.pointee.shard), for: connection, failure, isPart: false)
        noteExecuted(entry.pointee.verb)
    }

    /// Adds a key to what its owner is asked at the end of the line.
    private mutating func gather(
        _ entry: UnsafeMutablePointer<BatchEntry>, _ connection: ConnectionPointer
    ) {
        guard let peers else { return }
        if peers.gatherOwner != connection {
            for keys in peers.gathers { keys.text.removeAll() }
            peers.gatherOwner = connection
        }
        let keys = peers.gathers[Int(entry.pointee.shard)]
        let verb = entry.pointee.verb
        if keys.text.count == 0 { keys.begin(verb, exptime: entry.pointee.exptime) }
        keys.text.append(UInt8(ascii: " "))
        keys.text.append(
            unsafe: UnsafeRawBufferPointer(
                start: entry.pointee.key, count: -Int(entry.pointee.keyCount)))
        peers.gatherChanges = verb == .gat || verb == .gats
        hasGathered = true
        guard entry.pointee.endsRetrieval else { return }
        noteExecuted(verb)
        if entry.pointee.valueStart == 1 { return sendGathered(isWhole: true) }
        sendGathered()
        reply.bytes.append("END\r\n")
    }

    /// Asks the owners of the keys gathered so far; `isWhole` where that is one key and its line.
    mutating func sendGathered(isWhole: Bool = false) {
        hasGathered = false
        guard let peers, let connection = peers.gatherOwner else { return }
        peers.gatherOwner = nil
        for (position, keys) in peers.gathers.enumerated() where keys.text.count > 0 {
            keys.text.append("\r\n")
            let failure: ForwardFailure =
                peers.gatherChanges ? (isWhole ? .error : .close) : isWhole ? .end : .nothing
            if connection.pointee.phase != .closed {
                send(
                    keys.text.unsafeBytes, to: position, for: connection, failure,
                    isPart: !isWhole)
            }
            keys.text.removeAll()
        }
    }

    /// Sends a command to its owner; its reply takes its place among the connection's.
    private mutating func send(
        _ text: UnsafeRawBufferPointer, to position: Int, for connection: ConnectionPointer,
        _ failure: ForwardFailure, isPart: Bool
    ) {
        guard let peers else { return }
        let queue = connection.pointee.queue ?? ReplyQueue(connection)
        connection.pointee.queue = queue
        takeReplies(for: connection)
        moveComposed(to: queue)
        peers.touch(queue)
        let request = PendingForward(
            queue: queue, slot: queue.expect(), failure: failure, isPart: isPart,
            deadline: Instant(
                nanoseconds: now.instant.nanoseconds + PeerLink.requestNanoseconds))
        if let link = peers.links[position], link.takesRequests {
            enqueue(request, text, on: link, peers)
        } else if let link = peers.links[position], link.letsRequestsWait {
            link.wait(request, text)
        } else {
            return fail(queue, request.slot, failure, isKnown: true)
        }
        if queue.isFull { hold(connection) }
    }

    /// Appends a request's frame to what the link sends.
    func enqueue(
        _ request: PendingForward, _ text: UnsafeRawBufferPointer, on link: PeerLink,
        _ peers: PeerLinks
    ) {
        let identifier = link.add(request)
        PeerFrame(
            .request, payloadCount: text.count, identifier: identifier,
            epoch: peers.epoch,
            deadline: Instant(nanoseconds: request.deadline.nanoseconds + link.clockDistance)
        ).encode(into: &link.output)
        link.output.append(unsafe: text)
    }

    /// Puts what is composed behind the replies that wait.
    private mutating func moveComposed(to queue: ReplyQueue) {
        guard reply.count > 0 else { return }
        let owner = replyOwner
        if reply.splices.isEmpty {
            queue.append(reply.bytes.unsafeBytes)
        } else {
            // A large value among forwarded ones is copied: pins are for what is sent at once.
            var flat: [UInt8] = []
            flat.reserveCapacity(reply.count)
            var position = 0
            let bytes = reply.bytes.unsafeBytes
            for splice in reply.splices {
                flat.append(contentsOf: bytes[position..<splice.offset])
                flat.append(contentsOf: splice.value.bytes)
                position = splice.offset
            }
            flat.append(contentsOf: bytes[position...])
            flat.withUnsafeBytes { queue.append($0) }
        }
        dropReplies()
        replyOwner = owner
    }

    /// Keeps the composed replies behind those that other nodes still have to give; false where
    /// there are none.
    mutating func holdBack(_ connection: ConnectionPointer) -> Bool {
        guard let peers, let queue = connection.pointee.queue, !queue.isEmpty else { return false }
        moveComposed(to: queue)
        replyOwner = nil
        peers.touch(queue)
        if queue.isFull { hold(connection) }
        return true
    }

    /// Executes nothing more for a connection until replies have come and gone.
    func hold(_ connection: ConnectionPointer, untilAnswered: Bool = false) {
        if untilAnswered { connection.pointee.queue?.mustDrain = true }
        guard !connection.pointee.isHeld else { return }
        connection.pointee.isHeld = true
        if connection.pointee.output == nil { setInterest(connection, 0) }
    }

    func fail(_ queue: ReplyQueue, _ slot: Int, _ failure: ForwardFailure, isKnown: Bool) {
        let text = failure.reply(isKnown: isKnown)
        queue.complete(
            slot,
            with: UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        if failure == .close { queue.mustClose = true }
    }

    // MARK: From the queues

    /// Sends what has become ready in the turn.
    mutating func flushQueues() {
        guard let peers, !peers.touched.isEmpty else { return }
        for queue in peers.takeTouched() { flush(queue) }
    }

    private mutating func flush(_ queue: ReplyQueue) {
        guard let connection = queue.connection else { return }
        guard queue.byteCount <= ReplyQueue.closeLimit else { return close(connection, .error) }
        // Who does not read is sent the rest when it does.
        guard connection.pointee.output == nil else { return }
        if queue.hasReady { deliver() }
        while queue.hasReady, connection.pointee.output == nil,
            connection.pointee.phase != .closed
        {
            queue.takeReady { reply.bytes.append(unsafe: $0) }
            sendComposed(to: connection)
        }
        guard connection.pointee.phase != .closed else { return }
        if queue.mustClose { return close(connection) }
        guard connection.pointee.output == nil else { return }
        if connection.pointee.isHeld && queue.mayGoOn { release(connection) }
        guard queue.isEmpty else { return }
        if connection.pointee.phase == .streaming { hasRunnableStream = true }
        if connection.pointee.phase == .closing && !connection.pointee.isBatched {
            close(connection)
        }
    }

    /// Its waiting commands go on in the next turn.
    private mutating func release(_ connection: ConnectionPointer) {
        connection.pointee.isHeld = false
        setInterest(connection, connection.pointee.readInterest)
        guard connection.pointee.phase != .streaming, !connection.pointee.isBatched,
            !connection.pointee.hasYielded, connection.pointee.input.count > 0
        else { return }
        connection.pointee.hasYielded = true
        yielded.append(connection)
    }

    /// A closed connection's answers are dropped as they come.
    func dropQueue(_ connection: ConnectionPointer) {
        connection.pointee.queue?.connection = nil
        connection.pointee.queue = nil
    }
}

/// Where a key belongs, as a loop's table and lease say.
enum KeyPlace: Equatable {
    /// This node serves it; items below `floor` are misses.
    case here(floor: Version)
    /// The member with this index of the table owns it.
    case other(Int)
    /// This node owns it and must not serve it now.
    case withheld
    /// Another node owns it, and who asks is a node itself.
    case moved
}

extension GatheredKeys {
    /// Begins a line for the keys that follow.
    func begin(_ verb: Verb, exptime: Int64) {
        switch verb {
        case .gets: text.append("gets")
        case .gat: text.append(text: "gat \(exptime)")
        case .gats: text.append(text: "gats \(exptime)")
        default: text.append("get")
        }
    }
}
