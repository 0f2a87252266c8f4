// From a window of bytes to the entries of a batch.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import MemcacheProtocol
internal import Primitives
internal import Storage

extension DataLoop {
    /// A value that, with its line, is longer than this is received straight into storage.
    private static let uploadThresholdBytes = 64 << 10
    /// That begins when this much of it has arrived: announcing a value reserves nothing.
    private static let uploadStartBytes = 16 << 10

    /// Turns a window's bytes into entries, running the batch whenever it is full.
    mutating func parse(_ window: Int) {
        let connection = windows[window].connection
        if connection.pointee.phase == .uploading {
            runBatch()
            finishUpload(connection)
        }
        if connection.pointee.isPeer { return parseFrames(window) }
        var commands = 0
        while windows[window].parsed < windows[window].count && !connection.pointee.isBlocked {
            if commands == shared.configuration.requestsPerEvent && windowCount > 1
                && connection.pointee.phase == .commands
            {
                return yieldTurn(connection)
            }
            commands &+= 1
            switch connection.pointee.phase {
            case .commands: guard parseCommand(window) else { return }
            case .swallowing: swallow(window)
            case .uploading, .streaming, .closing, .closed: return
            }
        }
    }

    /// Leaves a connection's further commands for the next turn: others are waiting.
    private mutating func yieldTurn(_ connection: ConnectionPointer) {
        counters.add(.connectionYields, 1)
        connection.pointee.hasYielded = true
        yielded.append(connection)
    }

    /// Goes on with the connections that gave way in the turn before.
    mutating func continueYielded() {
        let waiting = yielded
        yielded.removeAll(keepingCapacity: true)
        for connection in waiting { connection.pointee.hasYielded = false }
        for connection in waiting
        where connection.pointee.phase != .closed && !connection.pointee.isBatched
            && !connection.pointee.isBlocked && connection.pointee.stream == nil
        {
            guard let base = connection.pointee.input.base, connection.pointee.input.count > 0
            else {
                continue
            }
            if windowCount == Self.eventLimit { processWindows() }
            addWindow(connection, base, connection.pointee.input.count, isPrivate: true)
        }
    }

    private func swallow(_ window: Int) {
        let connection = windows[window].connection
        let part = min(
            connection.pointee.swallowBytes, windows[window].count - windows[window].parsed)
        windows[window].parsed += part
        connection.pointee.swallowBytes -= part
        if connection.pointee.swallowBytes == 0 { connection.pointee.phase = .commands }
    }

    /// Parses one command; false where the window holds no further whole one.
    mutating func parseCommand(_ window: Int) -> Bool {
        if batch.isFull {
            runBatch()
            // What was executed may have ended the connection, or filled its client's window.
            let connection = windows[window].connection
            if connection.pointee.isBlocked || connection.pointee.phase != .commands { return true }
        }
        let slot = batch.commandCount
        switch parseLine(window, into: slot) {
        case .needMore:
            windows[window].connection.pointee.neededBytes = 0
            return false
        case .failed(let error):
            appendFailure(window, slot, error)
            return true
        case .complete:
            return appendCommand(window, slot)
        }
    }

    private mutating func parseLine(_ window: Int, into slot: Int) -> ParseStatus {
        let bytes = UnsafeRawBufferPointer(
            start: windows[window].base, count: windows[window].count
        ).bytes
        let from = windows[window].parsed
        let connection = windows[window].connection
        guard let started = connection.pointee.continuing else {
            return parser.parse(bytes, from: from, into: &batch.commands[slot])
        }
        let status = parser.parseContinuation(
            bytes, from: from, of: started.verb, into: &batch.commands[slot])
        batch.commands[slot].exptime = started.exptime
        return status
    }

    private mutating func appendCommand(_ window: Int, _ slot: Int) -> Bool {
        switch batch.commands[slot].verb {
        case .get, .gets, .gat, .gats:
            appendKeys(window, slot)
            return true
        case .set, .add, .replace, .append, .prepend, .cas, .metaSet:
            return appendStorage(window, slot)
        case .incr, .decr, .touch, .delete, .metaGet, .metaDelete, .metaArithmetic, .metaDebug:
            appendKeyed(window, slot, valueStart: 0, bytes: batch.commands[slot].lineCount)
            return true
        default:
            appendNode(window, slot)
            return true
        }
    }

    // MARK: Retrievals

    private mutating func appendKeys(_ window: Int, _ slot: Int) {
        let connection = windows[window].connection
        let command = batch.commands + slot
        let verb = command.pointee.verb
        let exptime = command.pointee.exptime
        let ends = !command.pointee.continues
        let wasContinuing = connection.pointee.continuing != nil
        if !ends && !wasContinuing {
            connection.pointee.continuing = command.pointee
        } else if ends {
            connection.pointee.continuing = nil
        }
        let lineEnd = windows[window].parsed &+ command.pointee.lineCount
        windows[window].parsed = lineEnd
        let base = UnsafeRawPointer(windows[window].base)
        var keys = KeyList(command.pointee)
        var key = keys.next(at: base)
        if key.count == 0 && ends {
            if batch.isFull { runBatch() }
            appendEntry(.end, window, verb)
        }
        if key.count == Self.clusterKey.utf8CodeUnitCount && asksForCluster(base + key.start) {
            batch.commands[slot].verb = .configGet
            batch.commandCount &+= 1
            return appendEntry(.node, window, .configGet, command: slot)
        }
        var isFirst = !wasContinuing
        while key.count > 0 {
            if batch.isFull {
                runBatch()
                // The bytes are gone with the connection.
                if connection.pointee.phase != .commands { return }
                if connection.pointee.isBlocked {
                    // The rest of the line is read when the client has read what there is.
                    connection.pointee.continuing = Command(retrieval: verb, exptime: exptime)
                    windows[window].parsed = key.start
                    return
                }
            }
            let start = base + key.start
            let count = key.count
            key = keys.next(at: base)
            let hash = KeyHash(of: UnsafeRawBufferPointer(start: start, count: count).bytes)
            let isLast = ends && key.count == 0
            let bytes = UnsafeRawBufferPointer(start: start, count: count)
            let place = place(bytes, hash, connection)
            let isOnly = isLast && isFirst
            isFirst = false
            guard case .here(let floor) = place else {
                if case .other(let owner) = place {
                    appendForwardedKey(
                        window, verb, bytes, owner, exptime: exptime, isLast: isLast,
                        isOnly: isOnly)
                } else {
                    appendWithheldKey(window, verb, place, isLast: isLast, isOnly: isOnly)
                }
                continue
            }
            let shard = shards.shard(of: hash)
            probes[shard].prefetchBucket(hash)
            batch.append(
                BatchEntry(
                    kind: .key, verb: verb, endsRetrieval: isLast,
                    window: Int32(truncatingIfNeeded: window), command: 0,
                    shard: Int32(truncatingIfNeeded: shard),
                    keyCount: Int32(truncatingIfNeeded: count),
                    key: start, hash: hash, exptime: exptime, valueStart: 0, floor: floor))
        }
    }

    /// The key under which older clients of ElastiCache ask for the cluster's nodes.
    private static let clusterKey: StaticString = "AmazonElastiCache:cluster"

    @inline(never)
    private func asksForCluster(_ key: UnsafeRawPointer) -> Bool {
        memcmp(key, Self.clusterKey.utf8Start, Self.clusterKey.utf8CodeUnitCount) == 0
    }

    mutating func appendEntry(
        _ kind: BatchEntry.Kind, _ window: Int, _ verb: Verb, command: Int = 0
    ) {
        batch.append(
            BatchEntry(
                kind: kind, verb: verb, endsRetrieval: false, window: Int32(window),
                command: Int32(command), shard: 0, keyCount: 0, key: UnsafeRawPointer(arena),
                hash: KeyHash(value: 0), exptime: 0, valueStart: 0))
    }

    // MARK: Commands on one key

    /// A command with a data block: only whole ones become entries.
    private mutating func appendStorage(_ window: Int, _ slot: Int) -> Bool {
        // Read field by field: a command is too large to be copied for each request.
        let command = batch.commands + slot
        let lineCount = command.pointee.lineCount
        let start = windows[window].parsed
        let needed = lineCount + command.pointee.valueCount + 2
        let have = windows[window].count - start
        if have < needed {
            guard needed > Self.uploadThresholdBytes && have >= Self.uploadStartBytes else {
                windows[window].connection.pointee.neededBytes = min(
                    needed, Self.uploadThresholdBytes)
                return false
            }
            guard let (key, hash) = key(of: slot, window) else { return true }
            guard case .here(let floor) = place(key, hash, windows[window].connection) else {
                // It is forwarded in one piece, or refused when it has come.
                windows[window].connection.pointee.neededBytes = needed
                return false
            }
            let started = command.pointee
            runBatch()
            if windows[window].connection.pointee.phase == .commands {
                startUpload(window, started, key: key, hash, floor: floor)
            }
            return true
        }
        let end = windows[window].base + (start + needed - 2)
        let isWhole =
            end.load(as: UInt8.self) == 13 && end.load(fromByteOffset: 1, as: UInt8.self) == 10
        if !isWhole {
            batch.commandCount &+= 1
            appendEntry(.badChunk, window, command.pointee.verb, command: slot)
            windows[window].parsed &+= needed
            return true
        }
        appendKeyed(window, slot, valueStart: start + lineCount, bytes: needed)
        return true
    }

    private mutating func appendKeyed(_ window: Int, _ slot: Int, valueStart: Int, bytes: Int) {
        guard let (key, hash) = key(of: slot, window), let keyStart = key.baseAddress else {
            return
        }
        let place = place(key, hash, windows[window].connection)
        guard case .here(let floor) = place else {
            if case .other(let owner) = place {
                return appendForward(window, slot, owner, bytes: bytes)
            }
            return appendWithheld(window, slot, place, bytes: bytes)
        }
        let shard = shards.shard(of: hash)
        probes[shard].prefetchBucket(hash)
        batch.commandCount &+= 1
        let isPlainRead =
            batch.commands[slot].verb == .metaGet
            && batch.commands[slot].meta.letters == MetaArguments.bit(UInt8(ascii: "v"))
        batch.append(
            BatchEntry(
                kind: isPlainRead ? .metaKey : .command, verb: batch.commands[slot].verb,
                endsRetrieval: false,
                window: Int32(truncatingIfNeeded: window), command: Int32(truncatingIfNeeded: slot),
                shard: Int32(truncatingIfNeeded: shard),
                keyCount: Int32(truncatingIfNeeded: key.count),
                key: keyStart, hash: hash, exptime: 0, valueStart: valueStart, floor: floor))
        windows[window].parsed &+= bytes
    }

    /// The key of a command, decoded, and its hash; nil, and the refusal noted, where it can't be
    /// decoded.
    private mutating func key(of slot: Int, _ window: Int) -> (UnsafeRawBufferPointer, KeyHash)? {
        let range = batch.commands[slot].key
        let sent = UnsafeRawBufferPointer(
            start: windows[window].base + range.lowerBound, count: range.count)
        guard batch.commands[slot].meta.keyIsBase64 else { return (sent, KeyHash(of: sent.bytes)) }
        let space = batch.decodedKey(slot)
        guard let count = Base64.decode(sent.bytes, into: space), count > 0 else {
            let swallows = batch.commands[slot].verb == .metaSet
            appendFailure(
                window, slot, ProtocolError(.keyNotBase64, swallows ? .skipValue : .skipLine))
            return nil
        }
        let key = UnsafeRawBufferPointer(rebasing: space[0..<count])
        return (key, KeyHash(of: key.bytes))
    }

    // MARK: Others

    private mutating func appendNode(_ window: Int, _ slot: Int) {
        if windows[window].connection.pointee.isPeer {
            return appendFailure(window, slot, ProtocolError(.unknownCommand, .close))
        }
        batch.commandCount &+= 1
        appendEntry(.node, window, batch.commands[slot].verb, command: slot)
        windows[window].parsed &+= batch.commands[slot].lineCount
        switch batch.commands[slot].verb {
        case .quit, .shutdown, .watch, .lruCrawler, .stats, .kiln, .flushAll:
            // What comes after these depends on how they end.
            runBatch()
        default: break
        }
    }

    private mutating func appendFailure(_ window: Int, _ slot: Int, _ error: ProtocolError) {
        let connection = windows[window].connection
        batch.errors[slot] = error
        batch.commandCount &+= 1
        appendEntry(.failure, window, batch.commands[slot].verb, command: slot)
        connection.pointee.continuing = nil
        if error.closes {
            windows[window].parsed = windows[window].count
            runBatch()
            connection.pointee.phase = connection.pointee.phase == .closed ? .closed : .closing
            return
        }
        let lineCount = batch.commands[slot].lineCount
        windows[window].parsed = min(windows[window].count, windows[window].parsed &+ lineCount)
        if error.swallowsValue {
            let valueCount = batch.commands[slot].valueCount
            runBatch()
            guard connection.pointee.phase == .commands else { return }
            connection.pointee.phase = .swallowing
            connection.pointee.swallowBytes = valueCount + 2
        }
    }
}

extension Command {
    /// A retrieval whose line goes on elsewhere.
    fileprivate init(retrieval verb: Verb, exptime: Int64) {
        self.init(verb: verb, lineCount: 0)
        self.exptime = exptime
    }
}
