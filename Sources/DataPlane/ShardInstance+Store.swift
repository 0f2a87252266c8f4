// set, add, replace, append, prepend, cas and ms: one judgement for all of them.
import MemcacheProtocol
import Primitives
import Storage

extension ShardInstance {
    mutating func storeClassic(
        _ command: Command, _ key: RawSpan, _ hash: KeyHash, _ value: RawSpan, _ now: ClockReading,
        _ reply: inout ReplyBuffer
    ) {
        let rule = StoreRule(classic: command, at: now)
        let result = store(rule, key, hash, value, now)
        Self.answerClassic(command, result.outcome, &reply)
    }

    static func answerClassic(
        _ command: Command, _ outcome: StoreOutcome, _ reply: inout ReplyBuffer
    ) {
        guard !command.noreply else { return }
        if outcome == .stored {
            reply.bytes.reserve(8)
            reply.bytes.appendReserved(word: ReplyWord.stored, length: 8)
        } else {
            reply.bytes.append(outcome.reply)
        }
    }

    /// What a storage command did: its end, and the CAS and size the item has now.
    struct StoreResult {
        var outcome: StoreOutcome
        var cas: UInt64 = 0
        var valueCount: Int
    }

    /// Judges `rule` and stores `value` accordingly.
    mutating func store(
        _ rule: StoreRule, _ key: RawSpan, _ hash: KeyHash, _ value: RawSpan, _ now: ClockReading
    ) -> StoreResult {
        let result: StoreResult
        switch decide(rule, key, hash, now) {
        case .put(let attributes):
            result = put(value, attributes, rule, key, hash, now)
        case .extend(let item, let attributes):
            result = extend(item, with: value, attributes, rule, key, hash, now)
        case .refuse(let outcome):
            result = StoreResult(outcome: outcome, valueCount: value.byteCount)
        }
        finish(result, rule, key, now)
        return result
    }

    /// Counts a storage command and tells watchers.
    mutating func finish(
        _ result: StoreResult, _ rule: StoreRule, _ key: RawSpan, _ now: ClockReading
    ) {
        switch result.outcome {
        case .tooLarge:
            counters.storeTooLarge &+= 1
        case .outOfMemory:
            counters.storeNoMemory &+= 1
        case .stored, .notStored, .exists, .notFound:
            counters.cmdSet &+= 1
        }
        guard watching.contains(.mutations) else { return }
        events.note(
            .stored(status: result.outcome.name, command: rule.name), key: key,
            size: result.valueCount,
            secondsToLive: rule.attributes.expiry.secondsLeft(at: now.instant))
    }

    mutating func put(
        _ value: RawSpan, _ attributes: ItemAttributes, _ rule: StoreRule, _ key: RawSpan,
        _ hash: KeyHash,
        _ now: ClockReading
    ) -> StoreResult {
        let stored = StoreResult(outcome: .stored, cas: attributes.cas, valueCount: value.byteCount)
        if attributes.expiry.hasPassed(at: now.instant) {
            drop(key, hash, now)
            return stored
        }
        do {
            try store.put(key, hash: hash, value: value, attributes: attributes, at: now.instant)
            return stored
        } catch {
            dropStale(rule, key, hash, now)
            return StoreResult(outcome: StoreOutcome(error), valueCount: value.byteCount)
        }
    }

    /// Removes the old value that a refused new one was to replace: it must not be served as
    /// current.
    ///
    /// As in memcached that holds for `set` and for `ms` in any mode.
    mutating func dropStale(_ rule: StoreRule, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading)
    {
        if rule.mode == .set || rule.isMeta { drop(key, hash, now) }
    }

    mutating func extend(
        _ item: Item, with value: RawSpan, _ attributes: ItemAttributes, _ rule: StoreRule,
        _ key: RawSpan,
        _ hash: KeyHash, _ now: ClockReading
    ) -> StoreResult {
        let count = store.valueCount(of: item) + value.byteCount
        do {
            try store.extend(
                item, key, hash: hash, with: value, atFront: rule.mode == .prepend,
                attributes: attributes, at: now.instant)
            return StoreResult(outcome: .stored, cas: attributes.cas, valueCount: count)
        } catch {
            // The old value stays, and memcached answers a sum that is too large in the same way.
            return StoreResult(outcome: .notStored, valueCount: value.byteCount)
        }
    }

    /// Judges the conditions of a storage command; mints the version where it is to be stored.
    mutating func decide(
        _ rule: StoreRule, _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading
    ) -> StoreDecision {
        // A plain set has no condition: it needs no look-up unless somebody watches them.
        if rule.mode == .set && watching.isEmpty { return put(rule) }
        if let item = find(key, hash, now) {
            let old = store.attributes(of: item)
            if rule.isMeta || !old.state.contains(.stub) { return decide(rule, against: item, old) }
        }
        switch rule.mode {
        case .set, .add:
            return put(rule)
        case .append, .prepend:
            return rule.creates ? put(rule) : .refuse(.notStored)
        case .replace:
            return .refuse(.notStored)
        case .cas:
            counters.casMisses &+= 1
            return .refuse(.notFound)
        }
    }

    private mutating func decide(
        _ rule: StoreRule, against item: Item, _ old: ItemAttributes
    ) -> StoreDecision {
        switch rule.mode {
        case .set, .replace:
            return put(rule)
        case .add:
            return .refuse(.notStored)
        case .append, .prepend:
            guard rule.compareCAS == 0 || rule.compareCAS == old.cas else {
                return .refuse(.exists)
            }
            // The lease state goes: this is a new value. Flags and time to live stay those of the
            // old one.
            var attributes = old
            attributes.version = mint()
            attributes.clientCAS = rule.attributes.clientCAS
            attributes.state = []
            return .extend(item, attributes)
        case .cas:
            return decideCAS(rule, old)
        }
    }

    private mutating func decideCAS(_ rule: StoreRule, _ old: ItemAttributes) -> StoreDecision {
        if rule.compareCAS == old.cas {
            counters.casHits &+= 1
            return put(rule)
        }
        guard rule.acceptsOlderCAS, rule.compareCAS != 0, rule.compareCAS < old.cas else {
            counters.casBadval &+= 1
            return .refuse(.exists)
        }
        // The writer's read is out of date: its value is better than none, but somebody has to
        // write again.
        counters.casHits &+= 1
        var attributes = rule.attributes
        attributes.version = mint()
        attributes.expiry = old.expiry
        attributes.state.formUnion(.stale)
        attributes.state.formUnion(old.state.intersection(.won))
        return .put(attributes)
    }

    private mutating func put(_ rule: StoreRule) -> StoreDecision {
        var attributes = rule.attributes
        attributes.version = mint()
        return .put(attributes)
    }
}

extension ShardInstance {
    mutating func metaSet(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ hash: KeyHash, _ value: RawSpan,
        _ now: ClockReading, _ reply: inout ReplyBuffer
    ) {
        let rule = StoreRule(meta: command, at: now)
        let result = store(rule, key, hash, value, now)
        Self.answerMetaSet(command, line, key, result, &reply)
    }

    static func answerMetaSet(
        _ command: Command, _ line: RawSpan, _ key: RawSpan, _ result: StoreResult,
        _ reply: inout ReplyBuffer
    ) {
        guard let code = result.outcome.code else {
            return reply.bytes.append(result.outcome.reply)
        }
        if result.outcome == .stored && command.meta.isQuiet { return }
        reply.bytes.append(code)
        var flags = MetaFlagList(command)
        while let (letter, argument) = flags.next(in: line) {
            switch letter {
            case UInt8(ascii: "c"):
                MetaReply.append("c", result.cas, to: &reply.bytes)
            case UInt8(ascii: "s"):
                MetaReply.append("s", UInt64(result.valueCount), to: &reply.bytes)
            default:
                MetaReply.appendEcho(letter, argument, line, key, command, to: &reply.bytes)
            }
        }
        reply.bytes.append(ReplyText.lineEnd)
    }
}
