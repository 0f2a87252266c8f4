// From the entries of a batch to replies.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import Logging
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives
internal import Storage

extension DataLoop {
    /// Executes the batch's entries in order.
    mutating func runBatch() {
        let count = batch.count
        guard count > 0 else { return }
        for position in 0..<count where batch.entries[position].keyCount > 0 {
            let entry = batch.entries + position
            shards.prefetch(Int(entry.pointee.shard))
            probes[Int(entry.pointee.shard)].prefetchItem(entry.pointee.hash)
        }
        for position in 0..<count { execute(batch.entries + position) }
        if hasGathered { sendGathered() }
        counters.add(.keys, count)
        batch.removeAll()
    }

    private mutating func execute(_ entry: UnsafeMutablePointer<BatchEntry>) {
        let connection = windows[Int(entry.pointee.window)].connection
        guard connection.pointee.phase != .closed else { return }
        takeReplies(for: connection)
        switch entry.pointee.kind {
        case .key:
            retrieve(entry)
        case .metaKey:
            retrieveMeta(entry)
        case .command:
            executeKeyed(entry)
        case .node:
            answer(batch.commands[Int(entry.pointee.command)], window: Int(entry.pointee.window))
        case .failure:
            if hasGathered { sendGathered() }
            fail(entry)
        case .badChunk:
            if !batch.commands[Int(entry.pointee.command)].noreply {
                reply.bytes.append("CLIENT_ERROR bad data chunk\r\n")
            }
        case .end:
            if hasGathered { sendGathered() }
            reply.bytes.append("END\r\n")
        case .forwardKey, .forward, .frameStart, .frameEnd, .frameRefused, .withheldKey, .withheld:
            executeBetweenNodes(entry, connection)
        }
        if reply.count > Self.deliverBytes && frameStart == nil { deliver() }
    }

    @inline(__always)
    private mutating func retrieve(_ entry: UnsafeMutablePointer<BatchEntry>) {
        let key = UnsafeRawBufferPointer(
            start: entry.pointee.key, count: Int(entry.pointee.keyCount))
        let (verb, hash, exptime, time) = (
            entry.pointee.verb, entry.pointee.hash, entry.pointee.exptime, now
        )
        let (floor, isClustered) = (entry.pointee.floor, isClustered)
        let isSample = detector.countDown()
        let before = isSample ? reply.count : 0
        shards.withShard(Int(entry.pointee.shard)) { shard in
            if isClustered { shard.setFloor(floor) }
            shard.retrieve(
                verb, key: key.bytes, hash: hash, exptime: exptime, at: time, reply: &reply)
            if !shard.watching.isEmpty { watch(&shard, entry, time) }
        }
        if isSample { takeSample(entry, replyStart: before) }
        if entry.pointee.endsRetrieval {
            if hasGathered { sendGathered() }
            reply.bytes.append("END\r\n")
            noteExecuted(verb)
        }
    }

    /// `mg key v`; where the item's lease state has to be shown, it is executed as any other meta
    /// get.
    @inline(__always)
    private mutating func retrieveMeta(_ entry: UnsafeMutablePointer<BatchEntry>) {
        let key = UnsafeRawBufferPointer(
            start: entry.pointee.key, count: Int(entry.pointee.keyCount))
        let (hash, time) = (entry.pointee.hash, now)
        let (floor, isClustered) = (entry.pointee.floor, isClustered)
        let before = reply.count
        let isDone = shards.withShard(Int(entry.pointee.shard)) { shard in
            if isClustered { shard.setFloor(floor) }
            let isDone = shard.retrieveMeta(key: key.bytes, hash: hash, at: time, reply: &reply)
            if !shard.watching.isEmpty { watch(&shard, entry, time) }
            return isDone
        }
        guard isDone else { return executeKeyed(entry) }
        if detector.countDown() { takeSample(entry, replyStart: before) }
        noteExecuted(.metaGet)
    }

    private mutating func executeKeyed(_ entry: UnsafeMutablePointer<BatchEntry>) {
        let window = windows[Int(entry.pointee.window)]
        let key = UnsafeRawBufferPointer(
            start: entry.pointee.key, count: Int(entry.pointee.keyCount))
        let line = UnsafeRawBufferPointer(start: window.base, count: window.count)
        let (hash, time) = (entry.pointee.hash, now)
        let command = batch.commands + Int(entry.pointee.command)
        let value = UnsafeRawBufferPointer(
            start: window.base + entry.pointee.valueStart, count: command.pointee.valueCount)
        let (floor, isClustered) = (entry.pointee.floor, isClustered)
        let isSample = detector.countDown()
        let before = isSample ? reply.count : 0
        shards.withShard(Int(entry.pointee.shard)) { shard in
            if isClustered { shard.setFloor(floor) }
            let growth = growthMark(of: shard, entry)
            shard.execute(
                command.pointee, line: line.bytes, key: key.bytes, hash: hash, value: value.bytes,
                at: time, reply: &reply)
            if growth.buckets != 0 { noteGrowth(of: shard, since: growth) }
            if !shard.watching.isEmpty { watch(&shard, entry, time) }
        }
        if isSample { takeSample(entry, replyStart: before) }
        noteExecuted(entry.pointee.verb)
    }

    private mutating func fail(_ entry: UnsafeMutablePointer<BatchEntry>) {
        let error = batch.errors[Int(entry.pointee.command)]
        let command = batch.commands[Int(entry.pointee.command)]
        counters.add(.protocolErrors, 1)
        if error.reason == .valueTooLarge {
            refuseLargeValue(
                command, window: Int(entry.pointee.window), slot: Int(entry.pointee.command))
        }
        if shared.configuration.verbosity > 0 {
            shared.logger.info("client error: \(error)")
        }
        guard !command.noreply, error.reply.utf8CodeUnitCount > 0 else { return }
        reply.bytes.append(error.reply)
        reply.bytes.append("\r\n")
    }

    /// Lets the shard drop what a value too large to store would have replaced.
    private mutating func refuseLargeValue(_ command: Command, window: Int, slot: Int) {
        let sent = UnsafeRawBufferPointer(
            start: windows[window].base + command.key.lowerBound, count: command.key.count)
        var key = sent
        if command.meta.keyIsBase64 {
            let space = batch.decodedKey(slot)
            guard let count = Base64.decode(sent.bytes, into: space) else { return }
            key = UnsafeRawBufferPointer(rebasing: space[0..<count])
        }
        let hash = KeyHash(of: key.bytes)
        let time = now
        shards.withShard(shards.shard(of: hash)) { shard in
            shard.refuseLargeValue(command, key: key.bytes, hash: hash, at: time)
            if !shard.watching.isEmpty {
                tap.take(
                    &shard, command.verb, key,
                    descriptor: windows[window].connection.pointee.descriptor, at: time)
            }
        }
    }

    @inline(__always)
    mutating func noteExecuted(_ verb: Verb) {
        latencies.note(CommandGroup(verb))
    }
}

extension CommandGroup {
    init(_ verb: Verb) {
        switch verb {
        case .get, .gets: self = .get
        case .set, .add, .replace, .append, .prepend, .cas: self = .set
        case .touch, .gat, .gats: self = .touch
        case .delete: self = .delete
        case .incr, .decr: self = .arithmetic
        case .metaGet: self = .metaGet
        case .metaSet: self = .metaSet
        case .metaDelete: self = .metaDelete
        case .metaArithmetic: self = .metaArithmetic
        default: self = .other
        }
    }
}
