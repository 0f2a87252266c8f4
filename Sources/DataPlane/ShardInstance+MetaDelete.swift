// md: delete, mark stale, or empty.
import MemcacheProtocol
import Primitives
import Storage

extension ShardInstance {
    mutating func metaDelete(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        let meta = command.meta
        guard let item = find(key, hash, now) else {
            counters.deleteMisses &+= 1
            return answer("NF", command, line, key, &reply)
        }
        let old = store.attributes(of: item)
        guard !meta.has("C") || meta.compareCAS == old.cas else {
            counters.deleteMisses &+= 1
            return answer("EX", command, line, key, &reply)
        }
        if meta.has("x") {
            guard empty(command, old, key, hash, now) else {
                return reply.bytes.append("SERVER_ERROR out of memory\r\n")
            }
        } else if meta.has("I") {
            invalidate(item, old, command, key, hash, now)
        } else {
            store.remove(item)
        }
        if !meta.has("I") { counters.deleteHits &+= 1 }
        if !meta.isQuiet { answer("HD", command, line, key, &reply) }
    }

    private func answer(
        _ code: StaticString, _ command: Command, _ line: RawSpan, _ key: RawSpan, _ reply: inout ReplyBuffer
    ) {
        reply.bytes.append(code)
        MetaReply.finish(command, line, key, to: &reply.bytes)
    }

    /// `I`: the item stays and is stale; the next `mg` wins. The CAS changes, which voids older wins.
    private mutating func invalidate(
        _ item: Item, _ old: ItemAttributes, _ command: Command, _ key: RawSpan, _ hash: KeyHash,
        _ now: ClockReading
    ) {
        var attributes = old
        attributes.version = mint()
        attributes.clientCAS = command.meta.newCAS
        attributes.state.formUnion(.stale)
        attributes.state.subtract(.won)
        if command.meta.has("T") {
            attributes.expiry = Expiry(exptime: command.meta.exptime, at: now)
        }
        update(item, key, hash, to: attributes, now)
    }

    /// `x`: the item stays without its value and flags, with the time to live of `T`; with `I` it is stale.
    ///
    /// Its CAS stays the same unless `I` or `E` changes it, while its version rises as for every change.
    private mutating func empty(
        _ command: Command, _ old: ItemAttributes, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading
    ) -> Bool {
        let meta = command.meta
        var attributes = ItemAttributes(version: mint())
        attributes.flags = command.clientFlags
        attributes.expiry = Expiry(exptime: meta.exptime, at: now)
        attributes.state = old.state.intersection(.binaryKey)
        if meta.has("I") { attributes.state.formUnion(.stale) }
        attributes.clientCAS = meta.has("E") ? meta.newCAS : meta.has("I") ? 0 : old.cas
        guard !attributes.expiry.hasPassed(at: now.instant) else {
            drop(key, hash, now)
            return true
        }
        do {
            try store.put(key, hash: hash, value: RawSpan(), attributes: attributes, at: now.instant)
            counters.totalItems &+= 1
            return true
        } catch {
            return false
        }
    }
}
