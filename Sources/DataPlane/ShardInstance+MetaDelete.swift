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
            return Self.answer(ReplyText.metaNotFound, command, line, key, &reply)
        }
        let old = store.attributes(of: item)
        guard !meta.has("C") || meta.compareCAS == old.cas else {
            counters.deleteMisses &+= 1
            return Self.answer(ReplyText.metaExists, command, line, key, &reply)
        }
        if meta.has("x") {
            guard empty(command, old, key, hash, now) else {
                return reply.bytes.append(ReplyText.outOfMemory)
            }
        } else if meta.has("I") {
            invalidate(item, old, command, key, hash, now)
        } else {
            noteDeletion(of: item, key, by: "md")
            store.remove(item)
        }
        if !meta.has("I") { counters.deleteHits &+= 1 }
        if !meta.isQuiet { Self.answer(ReplyText.metaHeader, command, line, key, &reply) }
    }

    private static func answer(
        _ code: StaticString, _ command: Command, _ line: RawSpan, _ key: RawSpan,
        _ reply: inout ReplyBuffer
    ) {
        reply.bytes.append(code)
        MetaReply.finish(command, line, key, to: &reply.bytes)
    }

    /// Marks the item stale (`I`): the next `mg` wins.
    ///
    /// The CAS changes, which voids older wins.
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

    /// Takes the item's value and flags away and gives it the time to live of `T` (`x`).
    ///
    /// Its CAS stays the same unless `I` or `E` changes it, while its version rises as for every
    /// change.
    private mutating func empty(
        _ command: Command, _ old: ItemAttributes, _ key: RawSpan, _ hash: KeyHash,
        _ now: ClockReading
    ) -> Bool {
        let meta = command.meta
        var attributes = ItemAttributes(version: mint())
        attributes.flags = command.clientFlags
        attributes.expiry = Expiry(exptime: meta.exptime, at: now)
        if meta.has("I") { attributes.state = .stale }
        attributes.clientCAS = meta.has("E") ? meta.newCAS : meta.has("I") ? 0 : old.cas
        guard !attributes.expiry.hasPassed(at: now.instant) else {
            drop(key, hash, now)
            return true
        }
        do {
            try store.put(
                key, hash: hash, value: RawSpan(), attributes: attributes, at: now.instant)
            return true
        } catch {
            return false
        }
    }
}
