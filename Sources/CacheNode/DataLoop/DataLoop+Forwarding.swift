// Commands on keys that other nodes own: sent there, and their replies put in order.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import MemcacheProtocol
internal import Primitives
internal import Storage

extension DataLoop {
    /// The links and the table of owners, where the node has peers.
    static func openPeers(
        _ shared: NodeShared
    ) -> (links: PeerLinks?, owners: UnsafeMutablePointer<UInt8>?) {
        guard let cluster = shared.configuration.cluster else { return (nil, nil) }
        let table = cluster.ownerTable
        let owners = UnsafeMutablePointer<UInt8>.allocate(capacity: table.count)
        owners.initialize(from: table, count: table.count)
        let incarnation = UInt64(bitPattern: shared.startedUnixSeconds)
        return (PeerLinks(cluster, incarnation: incarnation), owners)
    }

    /// Who owns a key that is not this node's; -1 for its own keys, and for what a peer asks: a
    /// request is forwarded once.
    @inline(__always)
    func otherOwner(of hash: KeyHash, _ connection: ConnectionPointer) -> Int {
        guard let owners else { return -1 }
        let owner = Int(owners[Int(hash.value &>> (64 &- StaticCluster.tableBits))])
        return owner == ownMember || connection.pointee.isPeer ? -1 : owner
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
        case .frameMoved: appendRefusal(.moved, entry.pointee.hash.value)
        case .frameExpired: appendRefusal(.expired, entry.pointee.hash.value)
        default: assertionFailure("\(entry.pointee.kind) stays on its node")
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
        let link = peers.links[position]
        guard link.takesRequests else {
            fail(queue, queue.expect(), failure, isKnown: true)
            return
        }
        let deadline = Instant(nanoseconds: now.instant.nanoseconds + PeerLink.requestNanoseconds)
        let identifier = link.add(
            PendingForward(
                queue: queue, slot: queue.expect(), failure: failure, isPart: isPart,
                deadline: deadline))
        PeerFrame(
            .request, payloadCount: text.count, identifier: identifier,
            epoch: peers.cluster.epoch,
            deadline: Instant(nanoseconds: deadline.nanoseconds + link.clockDistance)
        ).encode(into: &link.output)
        link.output.append(unsafe: text)
        if queue.isFull { hold(connection) }
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
    private func hold(_ connection: ConnectionPointer) {
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
        if !queue.ready.isEmpty {
            deliver()
            queue.ready.withUnsafeBytes { reply.bytes.append(unsafe: $0) }
            queue.removeReady()
            sendComposed(to: connection)
        }
        guard connection.pointee.phase != .closed else { return }
        if queue.mustClose { return close(connection) }
        guard connection.pointee.output == nil else { return }
        if connection.pointee.isHeld && queue.hasRoom { release(connection) }
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
