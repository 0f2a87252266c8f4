// Values too large for a connection's buffer: received straight into storage, judged when they are
// there.
public import MemcacheProtocol
public import Primitives
import Storage

/// A value that is still arriving.
///
/// The connection fills ``destination`` and then hands the upload back, to
/// ``ShardInstance/finishUpload(_:_:line:key:hash:at:reply:)`` or
/// ``ShardInstance/abandonUpload(_:)``: one of both, always, or its memory stays taken.
public struct Upload: ~Copyable {
    let reservation: Reservation
    let rule: StoreRule

    /// Where the data block goes, without its line end.
    public var destination: UnsafeMutableRawBufferPointer { reservation.destination }
}

extension ShardInstance {
    /// Makes room for the value of a storage command that doesn't fit the connection's buffer.
    ///
    /// - Returns: nil where there is none: the error has been appended, the caller swallows the
    ///   data block.
    public mutating func beginUpload(
        _ command: Command, line: RawSpan, key: RawSpan, hash: KeyHash, at now: ClockReading,
        reply: inout ReplyBuffer
    ) -> Upload? {
        let rule = Self.storeRule(of: command, at: now)
        do {
            let reservation = try store.reserve(
                key, valueCount: command.valueCount, attributes: rule.attributes, at: now.instant)
            return Upload(reservation: reservation, rule: rule)
        } catch {
            let result = StoreResult(outcome: StoreOutcome(error), valueCount: command.valueCount)
            dropStale(rule, key, hash, now)
            finish(result, rule, key, now)
            Self.answer(result, command, line, key, &reply)
            return nil
        }
    }

    /// Ends a storage command whose data block has arrived in `upload.destination`.
    ///
    /// Its conditions are judged now, as ``execute`` judges them; its time to live counts from its
    /// beginning.
    public mutating func finishUpload(
        _ upload: consuming Upload, _ command: Command, line: RawSpan, key: RawSpan, hash: KeyHash,
        at now: ClockReading, reply: inout ReplyBuffer
    ) {
        let rule = upload.rule
        let result: StoreResult
        switch decide(rule, key, hash, now) {
        case .put(let attributes):
            result = commit(upload.reservation, attributes, rule, key, hash, now)
        case .extend(let item, let attributes):
            let value = UnsafeRawBufferPointer(upload.destination)
            result = extend(item, with: value.bytes, attributes, rule, key, hash, now)
            store.abort(upload.reservation)
        case .refuse(let outcome):
            store.abort(upload.reservation)
            result = StoreResult(outcome: outcome, valueCount: command.valueCount)
        }
        finish(result, rule, key, now)
        Self.answer(result, command, line, key, &reply)
    }

    /// Forgets an upload: its connection is gone, or its data block did not end as it should.
    public mutating func abandonUpload(_ upload: consuming Upload) {
        store.abort(upload.reservation)
    }

    /// Removes what a storage command was to replace whose value is larger than the limit.
    ///
    /// The caller has answered and swallows the data block.
    public mutating func refuseLargeValue(
        _ command: Command, key: RawSpan, hash: KeyHash, at now: ClockReading
    ) {
        let rule = Self.storeRule(of: command, at: now)
        dropStale(rule, key, hash, now)
        finish(StoreResult(outcome: .tooLarge, valueCount: command.valueCount), rule, key, now)
    }

    private static func storeRule(of command: Command, at now: ClockReading) -> StoreRule {
        command.verb == .metaSet
            ? StoreRule(meta: command, at: now) : StoreRule(classic: command, at: now)
    }

    private static func answer(
        _ result: StoreResult, _ command: Command, _ line: RawSpan, _ key: RawSpan,
        _ reply: inout ReplyBuffer
    ) {
        if command.verb == .metaSet {
            answerMetaSet(command, line, key, result, &reply)
        } else {
            answerClassic(command, result.outcome, &reply)
        }
    }

    /// Stores what has arrived; the reservation is used up.
    private mutating func commit(
        _ reservation: Reservation, _ attributes: ItemAttributes, _ rule: StoreRule,
        _ key: RawSpan, _ hash: KeyHash, _ now: ClockReading
    ) -> StoreResult {
        let expiry = attributes.expiry
        if (expiry == .never) == (rule.attributes.expiry == .never),
            !expiry.hasPassed(at: now.instant)
        {
            store.commit(reservation, key, hash: hash, attributes: attributes, at: now.instant)
            let count = reservation.destination.count
            return StoreResult(outcome: .stored, cas: attributes.cas, valueCount: count)
        }
        // An older CAS was accepted and brought the old item's end with it: the reserved space has
        // no field for it, or has one too many. That is rare enough for a copy.
        let value = UnsafeRawBufferPointer(reservation.destination)
        let result = put(value.bytes, attributes, rule, key, hash, now)
        store.abort(reservation)
        return result
    }
}
