// get, gets, gat, gats, touch and delete.
public import MemcacheProtocol
public import Primitives
import Storage

extension ShardInstance {
    /// The word `VALUE`, two spaces and numbers of flags and size, a space and a CAS, two line
    /// ends, room for a word.
    private static let retrievalOverhead = 6 + 11 + 11 + 21 + 2 + 2 + 8

    /// Answers one key of `get`, `gets`, `gat` or `gats`: a `VALUE` line and the value, or nothing.
    ///
    /// The `END` after the last key is the caller's.
    public mutating func retrieve(
        _ verb: Verb, key: RawSpan, hash: KeyHash, exptime: Int64, at now: ClockReading,
        reply: inout ReplyBuffer
    ) {
        guard let found = store.retrieve(key, hash: hash, at: now.instant) else {
            noteFetch(of: nil, key, hash, now)
            return countMiss(verb)
        }
        if watching.contains(.fetchers) { noteFetch(of: found.item, key, hash, now) }
        guard !found.state.contains(.stub) else { return countMiss(verb) }
        let showsCAS = verb == .gets || verb == .gats
        appendItem(found, key: key, showsCAS: showsCAS, reply: &reply)
        if verb == .get || verb == .gets {
            counters.cmdGet &+= 1
            counters.getHits &+= 1
        } else {
            counters.cmdTouch &+= 1
            counters.touchHits &+= 1
            let attributes = store.attributes(of: found.item)
            changeExpiry(of: found.item, attributes, exptime, key, hash, now)
        }
    }

    /// Appends `VALUE <key> <flags> <bytes> [<cas>]`, the value and their line ends.
    @inline(__always)
    private mutating func appendItem(
        _ found: RetrievedItem, key: RawSpan, showsCAS: Bool, reply: inout ReplyBuffer
    ) {
        let count = found.value.count
        let copies = count < ReplyBuffer.spliceBytes
        reply.bytes.reserve(key.byteCount &+ Self.retrievalOverhead &+ (copies ? count : 0))
        reply.bytes.appendReserved(word: ReplyWord.value, length: 6)
        reply.bytes.appendReserved(key)
        reply.bytes.appendReserved(UInt8(ascii: " "))
        reply.bytes.appendReserved(decimal: UInt64(found.flags))
        reply.bytes.appendReserved(UInt8(ascii: " "))
        reply.bytes.appendReserved(decimal: UInt64(count))
        if showsCAS {
            reply.bytes.appendReserved(UInt8(ascii: " "))
            reply.bytes.appendReserved(decimal: store.attributes(of: found.item).cas)
        }
        reply.bytes.appendReserved(word: ReplyWord.lineEnd, length: 2)
        if copies {
            reply.bytes.appendReserved(found.value.bytes)
        } else {
            reply.splice(store.pin(found.item), shard: index)
        }
        reply.bytes.appendReserved(word: ReplyWord.lineEnd, length: 2)
    }

    @inline(never)
    private mutating func countMiss(_ verb: Verb) {
        if verb == .get || verb == .gets {
            counters.cmdGet &+= 1
            counters.getMisses &+= 1
        } else {
            counters.cmdTouch &+= 1
            counters.touchMisses &+= 1
        }
    }

    private mutating func changeExpiry(
        of item: Item, _ attributes: ItemAttributes, _ exptime: Int64, _ key: RawSpan,
        _ hash: KeyHash,
        _ now: ClockReading
    ) {
        var changed = attributes
        changed.expiry = Expiry(exptime: exptime, at: now)
        if changed.expiry != attributes.expiry { update(item, key, hash, to: changed, now) }
    }

    mutating func touch(
        _ command: Command, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        counters.cmdTouch &+= 1
        if let item = find(key, hash, now), case let attributes = store.attributes(of: item),
            !attributes.state.contains(.stub)
        {
            counters.touchHits &+= 1
            store.noteRead(item, at: now.instant)
            changeExpiry(of: item, attributes, command.exptime, key, hash, now)
            if !command.noreply { reply.bytes.append(ReplyText.touched) }
        } else {
            counters.touchMisses &+= 1
            if !command.noreply { reply.bytes.append(ReplyText.notFound) }
        }
    }

    mutating func delete(
        _ command: Command, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        var deleted = false
        if let item = find(key, hash, now) {
            // A stub is voided too, and answered as the miss that it is.
            deleted = !store.attributes(of: item).state.contains(.stub)
            if deleted { noteDeletion(of: item, key, by: "delete") }
            store.remove(item)
        }
        if deleted {
            counters.deleteHits &+= 1
            if !command.noreply { reply.bytes.append(ReplyText.deleted) }
        } else {
            counters.deleteMisses &+= 1
            if !command.noreply { reply.bytes.append(ReplyText.notFound) }
        }
    }
}

/// Short pieces of replies as one word each, lowest byte first, for `appendReserved(word:length:)`.
enum ReplyWord {
    /// The first word of a retrieved item, and a space.
    static let value: UInt64 = 0x20_45_55_4C_41_56
    /// The code of a meta reply with a value, and a space.
    static let metaValue: UInt64 = 0x20_41_56
    /// `STORED` and a line end.
    static let stored: UInt64 = 0x0A_0D_44_45_52_4F_54_53
    /// A line end.
    static let lineEnd: UInt64 = 0x0A_0D
}
