// mg and me. A win is the right, given to one client, to fill or refresh an item: W to that client,
// Z to all others until the item is written.
import MemcacheProtocol
public import Primitives
import Storage

/// The item that `mg` answers with: one that was found, or the stub it is about to create.
private struct MetaGetSubject {
    /// nil for a stub that is not stored yet.
    var item: Item?
    var attributes: ItemAttributes
    var valueCount = 0
    var wasFetched = false
    var secondsSinceAccess: Int64 = 0
    /// Whether this request wins.
    var wins = false
    /// Whether `T` set a time to live.
    var touched = false
}

extension ShardInstance {
    /// Answers `mg` with the flag `v` alone, the shape of a plain read.
    ///
    /// - Returns: false, and nothing appended, where the item's lease state has to be shown:
    ///   ``execute`` answers then.
    public mutating func retrieveMeta(
        key: RawSpan, hash: KeyHash, at now: ClockReading, reply: inout ReplyBuffer
    ) -> Bool {
        guard let found = store.retrieve(key, hash: hash, at: now.instant) else {
            noteFetch(of: nil, key, hash, now)
            counters.cmdGet &+= 1
            counters.getMisses &+= 1
            reply.bytes.append("EN\r\n")
            return true
        }
        guard found.state.isEmpty else { return false }
        if watching.contains(.fetchers) { noteFetch(of: found.item, key, hash, now) }
        counters.cmdGet &+= 1
        counters.getHits &+= 1
        let count = found.value.count
        let copies = count < ReplyBuffer.spliceBytes
        // `VA `, a number, two line ends, room for a word.
        reply.bytes.reserve(3 + 20 + 2 + 2 + 8 &+ (copies ? count : 0))
        reply.bytes.appendReserved(word: ReplyWord.metaValue, length: 3)
        reply.bytes.appendReserved(decimal: UInt64(count))
        reply.bytes.appendReserved(word: ReplyWord.lineEnd, length: 2)
        if copies {
            reply.bytes.appendReserved(found.value.bytes)
        } else {
            reply.splice(store.pin(found.item), shard: index)
        }
        reply.bytes.appendReserved(word: ReplyWord.lineEnd, length: 2)
        return true
    }

    mutating func metaGet(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        guard let item = find(key, hash, now) else {
            if command.meta.has("N") {
                vivify(command, line, key, hash, now, &reply)
            } else {
                metaGetMiss(command, line, key, &reply)
            }
            return
        }
        let before = store.attributes(of: item)
        var subject = MetaGetSubject(item: item, attributes: before)
        subject.valueCount = store.valueCount(of: item)
        if command.meta.has("h") { subject.wasFetched = store.wasFetched(item) }
        if command.meta.has("l") {
            subject.secondsSinceAccess = store.secondsSinceAccess(item, at: now.instant)
        }
        compose(&subject, command, line, key, now, &reply)
        if !command.meta.has("u") { store.noteRead(item, at: now.instant) }
        countHit(subject)
        if subject.attributes != before { update(item, key, hash, to: subject.attributes, now) }
    }

    /// Creates a stub on a miss (`N`); this client has the win.
    private mutating func vivify(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        var subject = MetaGetSubject(item: nil, attributes: ItemAttributes(version: mint()))
        subject.attributes.clientCAS = command.meta.newCAS
        subject.attributes.state = .stub
        let start = reply.bytes.count
        compose(&subject, command, line, key, now, &reply)
        if !subject.attributes.expiry.hasPassed(at: now.instant) {
            do {
                let stub = try store.put(
                    key, hash: hash, value: RawSpan(), attributes: subject.attributes,
                    at: now.instant)
                if !command.meta.has("u") { store.noteRead(stub, at: now.instant) }
            } catch {
                // No win without a stub that remembers it.
                reply.bytes.truncate(to: start)
                return metaGetMiss(command, line, key, &reply)
            }
        }
        countHit(subject)
    }

    private mutating func metaGetMiss(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ reply: inout ReplyBuffer
    ) {
        counters.cmdGet &+= 1
        counters.getMisses &+= 1
        guard !command.meta.isQuiet else { return }
        reply.bytes.append(ReplyText.metaMiss)
        MetaReply.finish(command, line, key, to: &reply.bytes)
    }

    private mutating func countHit(_ subject: MetaGetSubject) {
        if subject.touched {
            counters.cmdTouch &+= 1
            counters.touchHits &+= 1
        } else {
            counters.cmdGet &+= 1
            counters.getHits &+= 1
        }
    }

    /// Appends the whole reply and notes in `subject` what the request changes.
    private mutating func compose(
        _ subject: inout MetaGetSubject, _ command: Command, _ line: RawSpan, _ key: RawSpan,
        _ now: ClockReading, _ reply: inout ReplyBuffer
    ) {
        let sendsValue = command.meta.has("v")
        if sendsValue {
            reply.bytes.append(ReplyText.metaValue)
            reply.bytes.append(decimal: UInt64(subject.valueCount))
        } else {
            reply.bytes.append(ReplyText.metaHeader)
        }
        var flags = MetaFlagList(command)
        while let (letter, argument) = flags.next(in: line) {
            if letter == UInt8(ascii: "O") {
                MetaReply.appendOpaque(argument, line, to: &reply.bytes)
            } else {
                Self.apply(letter, to: &subject, command, key, now, &reply.bytes)
            }
        }
        Self.settleWin(&subject, &reply.bytes)
        reply.bytes.append(ReplyText.lineEnd)
        guard sendsValue else { return }
        if let item = subject.item { appendValue(of: item, subject.valueCount, &reply) }
        reply.bytes.append(ReplyText.lineEnd)
    }

    private mutating func appendValue(of item: Item, _ count: Int, _ reply: inout ReplyBuffer) {
        if count < ReplyBuffer.spliceBytes {
            reply.bytes.append(store.value(of: item))
        } else {
            reply.splice(store.pin(item), shard: index)
        }
    }

    /// Carries out one flag of the request.
    ///
    /// Order counts: `t` after `T` shows the new time to live, before it the old.
    private static func apply(
        _ letter: UInt8, to subject: inout MetaGetSubject, _ command: Command, _ key: RawSpan,
        _ now: ClockReading, _ output: inout ByteWriter
    ) {
        let meta = command.meta
        switch letter {
        case UInt8(ascii: "T"):
            subject.touched = true
            subject.attributes.expiry = Expiry(exptime: meta.exptime, at: now)
        case UInt8(ascii: "N"):
            guard subject.item == nil else { return }
            subject.attributes.expiry = Expiry(exptime: meta.vivifyExptime, at: now)
            subject.wins = true
        case UInt8(ascii: "R"):
            let expiry = subject.attributes.expiry
            if subject.item != nil, !subject.attributes.state.contains(.won), expiry != .never,
                meta.recacheTime != 0, expiry < Expiry(exptime: meta.recacheTime, at: now)
            {
                subject.wins = true
            }
        case UInt8(ascii: "s"):
            MetaReply.append("s", UInt64(subject.valueCount), to: &output)
        case UInt8(ascii: "t"):
            MetaReply.appendSecondsLeft(
                subject.attributes.expiry.secondsLeft(at: now.instant), to: &output)
        case UInt8(ascii: "c"):
            MetaReply.append("c", subject.attributes.cas, to: &output)
        case UInt8(ascii: "f"):
            MetaReply.append("f", UInt64(subject.attributes.flags), to: &output)
        case UInt8(ascii: "l"):
            MetaReply.append("l", UInt64(max(0, subject.secondsSinceAccess)), to: &output)
        case UInt8(ascii: "h"):
            MetaReply.append("h", subject.wasFetched ? 1 : 0, to: &output)
        case UInt8(ascii: "k"):
            let inBase64 = MetaReply.sendsBase64(key, subject.attributes.state, command)
            MetaReply.appendKey(key, inBase64: inBase64, to: &output)
        default:
            break
        }
    }

    /// Appends Z, X and W as memcached orders them: never both Z and W.
    private static func settleWin(_ subject: inout MetaGetSubject, _ output: inout ByteWriter) {
        let hadWinner = subject.attributes.state.contains(.won)
        if hadWinner { output.append(" Z") }
        if subject.attributes.state.contains(.stale) {
            output.append(" X")
            if !hadWinner { subject.wins = true }
        }
        if subject.wins {
            output.append(" W")
            subject.attributes.state.formUnion(.won)
        }
    }

    /// Bytes of an item in memcached beside key, value and flags: header, CAS, and the ends of
    /// both.
    static let memcachedItemOverhead = 48 + 8 + 1 + 2

    /// Describes an item in one line, for people (`me`).
    ///
    /// `exp` is negative as in memcached; `cls` and `size` are what memcached would show.
    mutating func metaDebug(
        _ command: Command, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        counters.cmdMeta &+= 1
        guard let item = find(key, hash, now) else { return reply.bytes.append("EN\r\n") }
        let attributes = store.attributes(of: item)
        reply.bytes.append(ReplyText.metaDebug)
        if MetaReply.sendsBase64(key, attributes.state, command) {
            Base64.encode(key, to: &reply.bytes)
        } else {
            reply.bytes.append(key)
        }
        let secondsLeft = attributes.expiry.secondsLeft(at: now.instant)
        reply.bytes.append(secondsLeft == 0 ? " exp=" : " exp=-")
        reply.bytes.append(decimal: secondsLeft.magnitude)
        reply.bytes.append(" la=")
        reply.bytes.append(decimal: UInt64(max(0, store.secondsSinceAccess(item, at: now.instant))))
        reply.bytes.append(" cas=")
        reply.bytes.append(decimal: attributes.cas)
        reply.bytes.append(store.wasFetched(item) ? " fetch=yes" : " fetch=no")
        reply.bytes.append(" cls=1 size=")
        let size = Self.memcachedItemOverhead + key.byteCount + store.valueCount(of: item)
        reply.bytes.append(decimal: UInt64(size + (attributes.flags == 0 ? 0 : 4)))
        reply.bytes.append(ReplyText.lineEnd)
    }
}
