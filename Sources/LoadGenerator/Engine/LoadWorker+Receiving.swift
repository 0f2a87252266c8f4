// Reading answers, recording them, and letting their clients go on.
import Glibc

extension LoadWorker {
    /// Receives once and handles every reply that is complete.
    mutating func receive(_ index: Int) throws(LoadError) {
        guard connections[index].descriptor >= 0 else { return }
        while true {
            let count = recv(
                connections[index].descriptor, received.baseAddress, received.count, 0)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            guard count > 0 else {
                let reason = count == 0 ? "the server closed it" : systemText(errno)
                return try lose(index, reason: reason)
            }
            try consume(UnsafeRawBufferPointer(rebasing: received[..<count]), on: index)
            if count < received.count { return }
        }
    }

    /// Handles the replies in `bytes`; neighbours that were sent together are recorded together.
    private mutating func consume(
        _ bytes: UnsafeRawBufferPointer, on index: Int
    ) throws(LoadError) {
        let now = monotonicNanoseconds()
        lastHeard = now
        let client = connections[index].client
        var run: (command: PendingCommand, count: UInt64, keys: UInt64, hits: UInt64)?
        var position = 0
        while position < bytes.count {
            guard connections[index].pending.count > 0 else {
                throw unexpected("a reply nobody asked for", on: index)
            }
            let command = connections[index].pending.first
            guard
                let outcome = connections[index].replies.next(
                    in: bytes, at: &position, form: command.form)
            else { break }
            connections[index].pending.removeFirst()
            clients[client].outstanding -= 1
            outstanding -= 1
            switch outcome {
            case .answered(let hits) where command.group < 0:
                if let present = run, present.command.sent == command.sent,
                    present.command.intended == command.intended,
                    present.command.operation == command.operation
                {
                    run = (
                        command, present.count + 1, present.keys + UInt64(command.keys),
                        present.hits + UInt64(hits)
                    )
                } else {
                    record(run, at: now)
                    run = (command, 1, UInt64(command.keys), UInt64(hits))
                }
            case .answered(let hits):
                finishPart(command, hits: hits, failure: nil, at: now)
            case .failed(let line):
                shown.errors += 1
                if command.group < 0 {
                    recording.failed(command.operation, line: line, at: now)
                } else {
                    finishPart(command, hits: 0, failure: line, at: now)
                }
            case .garbage(let text): throw unexpected(text, on: index)
            }
            if plan.isOpenLoop { freeSlot(of: client, command, at: now) }
        }
        record(run, at: now)
        if !plan.isOpenLoop && clients[client].outstanding == 0 { try sendBatch(client, at: now) }
    }

    @inline(__always)
    private mutating func record(
        _ run: (command: PendingCommand, count: UInt64, keys: UInt64, hits: UInt64)?, at now: Int64
    ) {
        guard let run else { return }
        recording.answered(
            run.command, count: run.count, keys: run.keys, hits: run.hits, at: now,
            isOpenLoop: plan.isOpenLoop)
        shown.requests += run.count
        shown.latencySum &+= UInt64(max(now - run.command.intended, 0)) &* run.count
        if run.command.operation != .set {
            shown.keysRead += run.keys
            shown.hits += run.hits
        }
    }

    /// A part of a split read is done, and with it, perhaps, the read.
    private mutating func finishPart(
        _ command: PendingCommand, hits: Int, failure: String?, at now: Int64
    ) {
        guard
            let read = groups.finishPart(command.group, hits: hits, failed: failure != nil)
        else { return }
        if read.failed {
            recording.failed(.multiGet, line: failure, at: now)
        } else {
            record((command, 1, UInt64(read.keys), UInt64(read.hits)), at: now)
        }
    }

    /// Open loop: the client of a finished operation may send again.
    private mutating func freeSlot(of client: Int, _ command: PendingCommand, at now: Int64) {
        if command.group >= 0 && groups.isOpen(command.group) { return }
        freeSlots.append(FreeSlots.Slot(client: client, since: now))
    }

    private func unexpected(_ text: String, on index: Int) -> LoadError {
        .unexpectedReply(server: plan.servers[connections[index].server].name, reply: text)
    }
}
