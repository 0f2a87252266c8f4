// What happens to clients whose connections break.
import CLinux
import Glibc
import Primitives

extension LoadWorker {
    /// A connection broke: ends the run, or counts its requests as errors and opens it again.
    mutating func lose(_ index: Int, reason: String) throws(LoadError) {
        guard plan.settings.continuesOnError else {
            throw .connectionLost(
                server: plan.servers[connections[index].server].name, reason: reason)
        }
        let now = monotonicNanoseconds()
        let client = connections[index].client
        close(connections[index].descriptor)
        connections[index].descriptor = -1
        connections[index].awaitsRoom = false
        connections[index].isConnecting = false
        connections[index].output.removeAll()
        connections[index].flushed = 0
        connections[index].replies.reset()
        connections[index].reopensAt = now + Self.reopenNanoseconds
        broken.append(index)
        while connections[index].pending.count > 0 {
            let command = connections[index].pending.first
            connections[index].pending.removeFirst()
            clients[client].outstanding -= 1
            outstanding -= 1
            if command.group < 0 {
                fail(command.operation, client: client, at: now)
            } else if groups.finishPart(command.group, hits: 0, failed: true) != nil {
                fail(.multiGet, client: client, at: now)
            }
        }
        if !plan.isOpenLoop && clients[client].outstanding == 0 { park(client) }
    }

    /// Gives up on servers that have not said anything for too long.
    mutating func noticeSilence(at now: Int64) throws(LoadError) {
        if outstanding == 0 { lastHeard = now }
        guard now - lastHeard > Int64(Self.silenceSeconds) * 1_000_000_000 else { return }
        lastHeard = now
        for index in 0..<(clientCount * connectionsPerClient)
        where connections[index].pending.count > 0 {
            let server = plan.servers[connections[index].server].name
            guard plan.settings.continuesOnError else {
                throw .timedOut(server: server, seconds: Self.silenceSeconds)
            }
            try lose(index, reason: "no answer within \(Self.silenceSeconds) s")
        }
    }

    /// Counts an operation that could not be sent, or lost its connection.
    mutating func fail(_ operation: OperationKind, client: Int, at now: Int64) {
        recording.failed(operation, line: nil, at: now)
        shown.errors += 1
        if plan.isOpenLoop { freeSlots.append(FreeSlots.Slot(client: client, since: now)) }
    }

    /// Lets a client rest that has nowhere to send to.
    mutating func park(_ client: Int) {
        guard isSending, !plan.isOpenLoop, !clients[client].isParked else { return }
        clients[client].isParked = true
        parked.append(client)
    }

    /// Opens broken connections whose time has come, and wakes resting clients.
    mutating func recover(at now: Int64) throws(LoadError) {
        let due = broken.filter { connections[$0].reopensAt <= now }
        guard !due.isEmpty || broken.isEmpty else { return }
        broken.removeAll { connections[$0].reopensAt <= now }
        for index in due { try reopen(index, at: now) }
        let resting = parked
        parked = []
        for client in resting {
            clients[client].isParked = false
            if clients[client].outstanding == 0 { try sendBatch(client, at: now) }
        }
    }

    private mutating func reopen(_ index: Int, at now: Int64) throws(LoadError) {
        do throws(LoadError) {
            let descriptor = try plan.servers[connections[index].server].startConnecting()
            connections[index].descriptor = descriptor
            connections[index].isConnecting = true
            connections[index].awaitsRoom = true
            let bits = EPOLLIN.rawValue | EPOLLOUT.rawValue
            _ = kiln_epoll_add(epoll, descriptor, bits, UInt64(index))
        } catch .cannotConnect {
            connections[index].reopensAt = now + Self.reopenNanoseconds
            broken.append(index)
        }
    }

    /// Whether the connection is open: false when the attempt to open it has just failed.
    mutating func finishConnecting(_ index: Int) throws(LoadError) -> Bool {
        guard connections[index].isConnecting else { return true }
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(connections[index].descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        guard code == 0 else {
            try lose(index, reason: systemText(code))
            return false
        }
        connections[index].isConnecting = false
        return true
    }
}
