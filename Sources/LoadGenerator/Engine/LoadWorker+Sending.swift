// Composing requests and handing them to the kernel.
import CLinux
import Glibc
import Primitives

extension LoadWorker {
    /// Closed loop: sends a client's next requests in one go.
    mutating func sendBatch(_ client: Int, at now: Int64) throws(LoadError) {
        guard isSending, allowance > 0 else { return }
        let count = Int(min(UInt64(plan.settings.pipeline), allowance))
        if allowance != .max { allowance -= UInt64(count) }
        let fixed = fixedConnection(of: client)
        for _ in 0..<count { compose(client, fixed, intended: now, sent: now) }
        try flushAll(of: client, fixed)
        if clients[client].outstanding == 0 { park(client) }
    }

    /// Open loop: sends what is due as long as clients are free; gives the time it ended.
    mutating func sendDue(until now: Int64, phaseEnd: Int64) throws(LoadError) -> Int64 {
        guard var schedule else { return now }
        defer { self.schedule = schedule }
        var now = now
        while schedule.next <= now, schedule.next < phaseEnd, allowance > 0, freeSlots.count > 0 {
            touched.removeAll(keepingCapacity: true)
            for _ in 0..<Self.dueLimit {
                guard schedule.next <= now, schedule.next < phaseEnd, allowance > 0,
                    let slot = freeSlots.popFirst()
                else { break }
                let intended = schedule.next
                schedule.advance()
                if allowance != .max { allowance -= 1 }
                recording.lag.record(now - max(intended, slot.since), count: 1)
                compose(
                    slot.client, fixedConnection(of: slot.client), intended: intended, sent: now)
                touched.append(slot.client)
            }
            for client in touched { try flushAll(of: client, nil) }
            now = monotonicNanoseconds()
        }
        return now
    }

    /// The connection for all of a batch, or nil where each key decides.
    private mutating func fixedConnection(of client: Int) -> Int? {
        switch plan.settings.routing {
        case .sticky: return client
        case .any:
            let server = Int(serverRandom.below(UInt64(connectionsPerClient)))
            return client * connectionsPerClient + server
        case .ketama: return nil
        }
    }

    /// Appends one operation to the output of the connection, or connections, it goes to.
    private mutating func compose(_ client: Int, _ fixed: Int?, intended: Int64, sent: Int64) {
        let draw = source.next()
        let keysPerGet = draw.isWrite ? 1 : plan.settings.keysPerGet
        if let fixed {
            compose(draw, keysPerGet, client, fixed, intended, sent)
        } else if keysPerGet == 1 {
            let server = keyServers?.server(of: draw.key, source) ?? 0
            compose(draw, 1, client, client * connectionsPerClient + server, intended, sent)
        } else {
            composeSplit(draw, client, keysPerGet, intended, sent)
        }
    }

    /// An operation that goes to one connection as a whole.
    @inline(__always)
    private mutating func compose(
        _ draw: RequestSource.Draw, _ keysPerGet: Int, _ client: Int, _ index: Int,
        _ intended: Int64, _ sent: Int64
    ) {
        guard let form = begin(draw, keysPerGet, on: index) else {
            return fail(operation(draw, keysPerGet), client: client, at: sent)
        }
        expect(
            PendingCommand(
                intended: intended, sent: sent, group: -1, keys: Int32(keysPerGet), form: form,
                operation: operation(draw, keysPerGet)), on: index)
    }

    /// A read of several keys, a part for each server that owns some of them.
    private mutating func composeSplit(
        _ draw: RequestSource.Draw, _ client: Int, _ keyCount: Int, _ intended: Int64, _ sent: Int64
    ) {
        var keys: [(server: Int, key: UInt64)] = []
        keys.reserveCapacity(keyCount)
        for number in 0..<keyCount {
            let key = number == 0 ? draw.key : source.nextKey()
            keys.append((keyServers?.server(of: key, source) ?? 0, key))
        }
        let group = groups.begin()
        let parts = (0..<connectionsPerClient).compactMap { server in
            let own = keys.filter { $0.server == server }.map(\.key)
            return own.isEmpty ? nil : (index: client * connectionsPerClient + server, keys: own)
        }
        for part in parts { groups.addPart(group, keys: part.keys.count) }
        for part in parts {
            guard connections[part.index].descriptor >= 0 else {
                // Nobody will answer this part; the read fails when its last part is done.
                if groups.finishPart(group, hits: 0, failed: true) != nil {
                    fail(.multiGet, client: client, at: sent)
                }
                continue
            }
            let form = appendRead(of: part.keys, on: part.index)
            expect(
                PendingCommand(
                    intended: intended, sent: sent, group: group, keys: Int32(part.keys.count),
                    form: form, operation: .multiGet), on: part.index)
        }
    }

    private func operation(_ draw: RequestSource.Draw, _ keysPerGet: Int) -> OperationKind {
        draw.isWrite ? .set : keysPerGet > 1 ? .multiGet : .get
    }

    /// Appends the bytes of an operation; nil when the connection is broken.
    @inline(__always)
    private mutating func begin(
        _ draw: RequestSource.Draw, _ keysPerGet: Int, on index: Int
    ) -> ReplyForm? {
        guard connections[index].descriptor >= 0 else { return nil }
        if draw.isWrite { return appendWrite(draw, on: index) }
        if keysPerGet == 1 { return appendRead(draw.key, on: index) }
        var keys = [draw.key]
        keys.reserveCapacity(keysPerGet)
        for _ in 1..<keysPerGet { keys.append(source.nextKey()) }
        return appendRead(of: keys, on: index)
    }

    @inline(__always)
    private mutating func appendRead(_ key: UInt64, on index: Int) -> ReplyForm {
        switch wire {
        case .text:
            connections[index].output.append("get ")
            source.appendKey(key, to: &connections[index].output)
            connections[index].output.append("\r\n")
            return .text
        case .meta:
            connections[index].output.append("mg ")
            source.appendKey(key, to: &connections[index].output)
            connections[index].output.append(" v\r\n")
            return .meta
        }
    }

    private mutating func appendRead(of keys: [UInt64], on index: Int) -> ReplyForm {
        switch wire {
        case .text:
            connections[index].output.append("get")
            for key in keys {
                connections[index].output.append(" ")
                source.appendKey(key, to: &connections[index].output)
            }
            connections[index].output.append("\r\n")
            return .text
        case .meta:
            for key in keys {
                connections[index].output.append("mg ")
                source.appendKey(key, to: &connections[index].output)
                connections[index].output.append(" v q\r\n")
            }
            connections[index].output.append("mn\r\n")
            return .metaBatch
        }
    }

    private mutating func appendWrite(_ draw: RequestSource.Draw, on index: Int) -> ReplyForm {
        connections[index].output.append(wire == .text ? "set " : "ms ")
        source.appendKey(draw.key, to: &connections[index].output)
        switch wire {
        case .text:
            connections[index].output.append(" 0 ")
            connections[index].output.append(decimal: UInt64(plan.settings.ttlSeconds))
            connections[index].output.append(" ")
            connections[index].output.append(decimal: UInt64(draw.valueBytes))
        case .meta:
            connections[index].output.append(" ")
            connections[index].output.append(decimal: UInt64(draw.valueBytes))
            if plan.settings.ttlSeconds > 0 {
                connections[index].output.append(" T")
                connections[index].output.append(decimal: UInt64(plan.settings.ttlSeconds))
            }
        }
        connections[index].output.append("\r\n")
        connections[index].output.append(unsafe: values.bytes(draw.valueBytes))
        connections[index].output.append("\r\n")
        return .stored
    }

    @inline(__always)
    private mutating func expect(_ command: PendingCommand, on index: Int) {
        connections[index].pending.append(command)
        clients[connections[index].client].outstanding += 1
        outstanding += 1
        recording.serverRequests[connections[index].server] += 1
    }

    /// Sends what the client's connections hold.
    private mutating func flushAll(of client: Int, _ fixed: Int?) throws(LoadError) {
        if let fixed { return try flush(fixed) }
        let first = client * connectionsPerClient
        for index in first..<(first + connectionsPerClient) {
            if connections[index].output.count > connections[index].flushed { try flush(index) }
        }
    }

    /// Hands a connection's output to the kernel; asks for room where it does not take all.
    private mutating func flush(_ index: Int) throws(LoadError) {
        guard connections[index].descriptor >= 0, !connections[index].awaitsRoom else { return }
        let bytes = connections[index].output.unsafeBytes
        while connections[index].flushed < bytes.count {
            let count = send(
                connections[index].descriptor,
                bytes.baseAddress.map { $0 + connections[index].flushed },
                bytes.count - connections[index].flushed, Int32(MSG_NOSIGNAL))
            if count > 0 {
                connections[index].flushed += count
            } else if count < 0 && errno == EAGAIN {
                return awaitRoom(index, true)
            } else if count >= 0 || errno != EINTR {
                return try lose(index, reason: systemText(errno))
            }
        }
        connections[index].output.removeAll()
        connections[index].flushed = 0
    }

    /// Goes on with an output that the kernel did not take at once.
    mutating func flushRest(_ index: Int) throws(LoadError) {
        guard try finishConnecting(index) else { return }
        awaitRoom(index, false)
        try flush(index)
    }

    private mutating func awaitRoom(_ index: Int, _ awaits: Bool) {
        connections[index].awaitsRoom = awaits
        let bits = EPOLLIN.rawValue | (awaits ? EPOLLOUT.rawValue : 0)
        _ = kiln_epoll_modify(epoll, connections[index].descriptor, bits, UInt64(index))
    }
}
