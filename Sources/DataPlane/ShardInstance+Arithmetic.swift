// incr, decr and ma.
import MemcacheProtocol
import Primitives
import Storage

/// What adding to a number comes to, before anything is stored.
private enum DeltaOutcome {
    case sum(NumberWrite)
    case notFound, notNumeric, otherCAS
}

/// A number that is to be written back.
private struct NumberWrite {
    var number: UInt64
    /// Bytes of the value to write: a number that gets shorter keeps its width.
    var width: Int
    /// Whether the item has been read since it was stored, and stays the same item.
    var staysFetched = false
    var attributes: ItemAttributes
}

extension ShardInstance {
    mutating func count(
        _ command: Command, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        let increments = command.verb == .incr
        let answer: StaticString
        switch add(command.number, increments, compareCAS: 0, isMeta: false, key, hash, now) {
        case .sum(let sum):
            if write(sum, key, hash, now) {
                guard !command.noreply else { return }
                reply.bytes.append(decimal: sum.number)
                answer = ReplyText.lineEnd
            } else {
                answer = ReplyText.outOfMemory
            }
        case .notNumeric:
            answer = ReplyText.nonNumeric
        case .notFound, .otherCAS:
            countMiss(increments)
            answer = ReplyText.notFound
        }
        if !command.noreply { reply.bytes.append(answer) }
    }

    mutating func metaArithmetic(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        let meta = command.meta
        // The parser lets no other modes through than I, + (or none), D and -.
        let increments = meta.mode != UInt8(ascii: "D") && meta.mode != UInt8(ascii: "-")
        switch add(
            meta.delta, increments, compareCAS: meta.compareCAS, isMeta: true, key, hash, now)
        {
        case .sum(var sum):
            sum.attributes.clientCAS = meta.newCAS
            answer(&sum, created: false, command, line, key, hash, now, &reply)
        case .notFound where meta.has("N"):
            var sum = newNumber(command)
            answer(&sum, created: true, command, line, key, hash, now, &reply)
        case .notFound:
            countMiss(increments)
            reply.bytes.append(ReplyText.metaNotFound)
            MetaReply.finish(command, line, key, to: &reply.bytes)
        case .otherCAS:
            reply.bytes.append(ReplyText.metaExists)
            MetaReply.finish(command, line, key, to: &reply.bytes)
        case .notNumeric:
            reply.bytes.append(ReplyText.nonNumeric)
        }
    }

    /// The number to create on a miss (`N`), as `J` says.
    private mutating func newNumber(_ command: Command) -> NumberWrite {
        var attributes = ItemAttributes(version: mint())
        attributes.clientCAS = command.meta.newCAS
        let number = command.meta.initialValue
        return NumberWrite(
            number: number, width: StoredNumber.digits(of: number), attributes: attributes)
    }

    private mutating func countMiss(_ increments: Bool) {
        if increments {
            counters.incrMisses &+= 1
        } else {
            counters.decrMisses &+= 1
        }
    }

    /// Reads the number of `key` and adds to it, without storing anything.
    private mutating func add(
        _ delta: UInt64, _ increments: Bool, compareCAS: UInt64, isMeta: Bool, _ key: RawSpan,
        _ hash: KeyHash, _ now: ClockReading
    ) -> DeltaOutcome {
        guard let item = find(key, hash, now) else { return .notFound }
        var attributes = store.attributes(of: item)
        if attributes.state.contains(.stub) && !isMeta { return .notFound }
        let width = store.valueCount(of: item)
        guard width > 0, !Self.isChunked(key.byteCount, width, attributes) else {
            return .notNumeric
        }
        guard compareCAS == 0 || compareCAS == attributes.cas else { return .otherCAS }
        guard width <= StoredNumber.longestValue else { return .notNumeric }
        guard let number = StoredNumber.read(store.value(of: item)) else { return .notNumeric }
        let sum: UInt64
        if increments {
            counters.incrHits &+= 1
            sum = number &+ delta
        } else {
            counters.decrHits &+= 1
            sum = number < delta ? 0 : number - delta
        }
        attributes.version = mint()
        attributes.clientCAS = 0
        let digits = StoredNumber.digits(of: sum)
        // A number that outgrows its value becomes a new item, which owes nobody a refresh.
        let stays = digits <= width
        if !stays { attributes.state = [] }
        return .sum(
            NumberWrite(
                number: sum, width: max(width, digits),
                staysFetched: stays && store.wasFetched(item),
                attributes: attributes))
    }

    /// Whether memcached would keep the item in several chunks: it looks at nothing else then.
    private static func isChunked(_ keyCount: Int, _ width: Int, _ attributes: ItemAttributes)
        -> Bool
    {
        // Its header, CAS and the ends of key and value; its largest chunk is half a page.
        width + keyCount + 59 + (attributes.flags == 0 ? 0 : 4) > 512 << 10
    }

    /// Stores a number; false where there is no memory for it, and then the old one stays.
    private mutating func write(
        _ sum: NumberWrite, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading
    ) -> Bool {
        if sum.attributes.expiry.hasPassed(at: now.instant) {
            drop(key, hash, now)
            return true
        }
        StoredNumber.write(sum.number, width: sum.width, to: &scratch)
        let digits = scratch.unsafeBytes
        do {
            let item = try store.put(
                key, hash: hash, value: digits.bytes, attributes: sum.attributes, at: now.instant)
            if sum.staysFetched { store.noteRead(item, at: now.instant) }
            return true
        } catch {
            return false
        }
    }

    /// Composes the reply to a successful `ma`, applies its time to live on the way, and stores the
    /// number.
    private mutating func answer(
        _ sum: inout NumberWrite, created: Bool, _ command: Command, _ line: RawSpan,
        _ key: RawSpan,
        _ hash: KeyHash, _ now: ClockReading, _ reply: inout ReplyBuffer
    ) {
        let meta = command.meta
        let start = reply.bytes.count
        if meta.has("v") {
            reply.bytes.append(ReplyText.metaValue)
            reply.bytes.append(decimal: UInt64(StoredNumber.digits(of: sum.number)))
        } else {
            reply.bytes.append(ReplyText.metaHeader)
        }
        var flags = MetaFlagList(command)
        while let (letter, argument) = flags.next(in: line) {
            switch letter {
            case UInt8(ascii: "c"):
                MetaReply.append("c", sum.attributes.cas, to: &reply.bytes)
            case UInt8(ascii: "t"):
                MetaReply.appendSecondsLeft(
                    sum.attributes.expiry.secondsLeft(at: now.instant), to: &reply.bytes)
            case UInt8(ascii: "T"):
                sum.attributes.expiry = Expiry(exptime: meta.exptime, at: now)
            case UInt8(ascii: "N"):
                if created { sum.attributes.expiry = Expiry(exptime: meta.vivifyExptime, at: now) }
            default:
                MetaReply.appendEcho(letter, argument, line, key, command, to: &reply.bytes)
            }
        }
        reply.bytes.append(ReplyText.lineEnd)
        if meta.has("v") {
            reply.bytes.append(decimal: sum.number)
            reply.bytes.append(ReplyText.lineEnd)
        }
        if !write(sum, key, hash, now) {
            reply.bytes.truncate(to: start)
            reply.bytes.append(ReplyText.outOfMemory)
        } else if created {
            if watching.contains(.mutations) { noteCreation(sum, key) }
        } else if meta.isQuiet {
            // As in memcached, quiet hides the answer to a change but not to a creation.
            reply.bytes.truncate(to: start)
        }
    }

    private mutating func noteCreation(_ sum: NumberWrite, _ key: RawSpan) {
        events.note(.stored(status: "stored", command: "add"), key: key, size: sum.width)
    }
}
