// What the data path tells the detector, and what the detector tells the board.
internal import DataPlane
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives

extension DataLoop {
    /// Milliseconds until the loop has something to do of itself.
    var waitMilliseconds: Int32 {
        let left = (subWindowEnd.nanoseconds &- now.instant.nanoseconds) / 1_000_000 &+ 1
        return Int32(truncatingIfNeeded: min(Int64(Self.tickMilliseconds), max(0, left)))
    }

    /// Tells the detector of the entry that was just executed, whose reply begins at
    /// `replyStart`.
    @inline(never)
    mutating func takeSample(_ entry: UnsafeMutablePointer<BatchEntry>, replyStart: Int) {
        let verb = entry.pointee.verb
        // A long reply may have been sent in the middle: what is left of it is what is seen.
        let start = min(replyStart, reply.count)
        let replied = reply.count - start
        let isWrite = verb.changesItem(batch.commands + Int(entry.pointee.command))
        let isStored =
            entry.pointee.kind == .command && verb.hasDataBlock
        let sample = KeySample(
            hash: entry.pointee.hash.value, isWrite: isWrite,
            isHit: replied > 0 && !isMetaMiss(replied),
            byteCount: isStored
                ? batch.commands[Int(entry.pointee.command)].valueCount : replied,
            client: UInt64(windows[Int(entry.pointee.window)].connection.pointee.number))
        let key = UnsafeRawBufferPointer(
            start: entry.pointee.key, count: Int(entry.pointee.keyCount))
        detector.record(sample, key: key.bytes)
    }

    /// Tells the detector of a large value that was stored.
    @inline(never)
    mutating func takeSample(
        of command: Command, _ hash: KeyHash, _ key: [UInt8], _ connection: ConnectionPointer
    ) {
        let sample = KeySample(
            hash: hash.value, isWrite: true, isHit: false, byteCount: command.valueCount,
            client: UInt64(connection.pointee.number))
        detector.record(sample, key: key.span.bytes)
    }

    /// Whether the last `count` bytes of the replies are a meta command's word for a miss: `EN`,
    /// `NF`.
    private func isMetaMiss(_ count: Int) -> Bool {
        // A long reply has a value in it, which may be spliced and not lie in the buffer at all.
        guard count < ReplyBuffer.spliceBytes, count <= reply.bytes.count else { return false }
        let first = reply.bytes.unsafeBytes[reply.bytes.count - count]
        return first == UInt8(ascii: "E") || first == UInt8(ascii: "N")
    }

    /// Puts down what was counted in the sub-window, and begins the next.
    @inline(never)
    mutating func endSubWindow() {
        let time = shared.clock.threadNanoseconds
        var report = detector.endSubWindow(at: now.instant)
        let busy = Double(time - subWindowStartTime) / Double(report.end - report.start)
        report.busyShare = min(1, max(0, busy))
        subWindowStartTime = time
        subWindowEnd = HotKeyDetector.end(ofSubWindowAt: now.instant)
        shared.hotKeys.put(report, loop: number)
    }
}

extension Verb {
    /// Whether a data block follows the line.
    fileprivate var hasDataBlock: Bool {
        switch self {
        case .set, .add, .replace, .append, .prepend, .cas, .metaSet: true
        default: false
        }
    }

    /// Whether the command may change its item: a copy elsewhere would not do for it.
    fileprivate func changesItem(_ command: UnsafeMutablePointer<Command>) -> Bool {
        switch self {
        case .get, .gets, .metaDebug: false
        case .metaGet:
            command.pointee.meta.has("N") || command.pointee.meta.has("R")
                || command.pointee.meta.has("T") || command.pointee.meta.has("E")
        default: true
        }
    }
}
