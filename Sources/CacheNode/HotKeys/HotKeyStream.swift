// The answers to `kiln hotkeys` and `kiln top`, composed and sent piece by piece.
internal import DataPlane
internal import HotKeys
internal import Primitives
internal import Storage
internal import Synchronization

/// Waits for the merging thread's answer, adds what the items look like now, and sends it as JSON.
struct HotKeyStream: ReplyStream {
    /// Which verb is answered.
    enum Verb {
        case hotkeys, top
    }

    /// Keys looked up at a time: others' requests come in between.
    private static let rowsPerStep = 64

    private let verb: Verb
    private let request: HotKeyRequest
    private var answer: HotKeyAnswer?
    private var rows: [JSONLine] = []
    private var text: [UInt8] = []
    private var sent = 0

    init(_ verb: Verb, _ request: HotKeyRequest) {
        self.verb = verb
        self.request = request
    }

    mutating func produce(
        _ shared: NodeShared, at now: ClockReading, into reply: inout ByteWriter
    ) -> StreamStep {
        if answer == nil { answer = request.take() }
        guard let answer else { return .waiting }
        if text.isEmpty {
            let end = min(answer.rows.count, rows.count + Self.rowsPerStep)
            for index in rows.count..<end {
                rows.append(describe(answer.rows[index], rank: index + 1, shared, now))
            }
            if end < answer.rows.count { return .more }
            let json = compose(answer, shared, now).closed
            text = Array("VALUE kiln 0 \(json.utf8.count)\r\n\(json)\r\nEND\r\n".utf8)
        }
        let end = min(text.count, sent + DataLoop.streamBytes)
        reply.append(text.span.bytes.extracting(sent..<end))
        sent = end
        return sent < text.count ? .more : .ended
    }

    private func compose(
        _ answer: HotKeyAnswer, _ shared: NodeShared, _ now: ClockReading
    ) -> JSONLine {
        let summary = answer.summary
        var json = JSONLine()
        json.add("schema_version", JSONLine.schemaVersion)
        json.add("window_ms", summary.milliseconds)
        if verb == .hotkeys {
            json.add("ops_per_s", summary.total.operations)
            json.add("bytes_per_s", summary.total.bytes)
            json.add("sampling", summary.samplingPeriod)
            json.add("hot_keys", rows)
        } else {
            json.add("time_unix_s", Int(now.unixSeconds))
            json.add("nodes", [load(summary, shared)])
            json.add("hot_keys", rows)
            json.add("events", answer.events.map { event($0, shared) })
        }
        return json
    }

    // MARK: One key

    private func describe(
        _ row: HotKeyRow, rank: Int, _ shared: NodeShared, _ now: ClockReading
    ) -> JSONLine {
        let item = row.key.flatMap { Self.peek($0.key, hash: $0.hash, shared, now) }
        var json = JSONLine()
        json.add("rank", rank)
        json.add("key", row.name)
        json.add("keys", row.keyCount)
        json.add("ops_per_s", row.rates.operations)
        json.add("error", row.rates.error)
        json.add("share", row.share)
        json.add("reads_per_s", row.rates.reads)
        json.add("writes_per_s", row.rates.writes)
        json.add("hits_per_s", row.rates.hits)
        json.add("misses_per_s", row.rates.misses)
        json.add("bytes_per_s", row.rates.bytes)
        json.add("clients", row.rates.clientCount)
        json.add("value_bytes", optional: item?.valueBytes)
        json.add("ttl_s", optional: item?.ttlSeconds)
        json.add("owner", row.key.map { shared.ownerName(of: $0.key) } ?? shared.clientName)
        json.add("copies", [String]())
        json.add("state", row.tracked?.state.rawValue ?? "seen")
        // For a key without a state of its own: when it was first listed.
        let since = row.tracked?.since ?? row.key?.firstSeen ?? now.instant.nanoseconds
        json.add("since", Int(shared.clock.originSeconds + since / 1_000_000_000))
        return json
    }

    /// Size and time to live of a key's item, without any trace of the look: neither its access
    /// time nor its frequency changes.
    private static func peek(
        _ key: [UInt8], hash: UInt64, _ shared: NodeShared, _ now: ClockReading
    ) -> (valueBytes: Int, ttlSeconds: Int?)? {
        let hash = KeyHash(value: hash)
        let shards = shared.shards.access
        return shards.withShard(shards.shard(of: hash)) { shard in
            guard let item = shard.store.find(key.span.bytes, hash: hash, at: now.instant) else {
                return nil
            }
            let left = shard.store.attributes(of: item).expiry.secondsLeft(at: now.instant)
            return (shard.store.valueCount(of: item), left < 0 ? nil : Int(left))
        }
    }

    // MARK: The live screen

    private func event(_ decision: PromotionPolicy.Decision, _ shared: NodeShared) -> JSONLine {
        var json = JSONLine()
        json.add("time_unix_s", Int(shared.clock.originSeconds + decision.at / 1_000_000_000))
        let name = shared.hotKeys.name(decision.key)
        json.add("text", "\(decision.action.rawValue) \(name): \(decision.reason)")
        return json
    }

    private func load(_ summary: HotKeyWindow.Summary, _ shared: NodeShared) -> JSONLine {
        let totals = NodeTotals(of: shared)
        let reads = summary.total.hits + summary.total.misses
        var json = JSONLine()
        json.add("name", shared.clientName)
        json.add("state", "alive")
        json.add("ops_per_s", summary.total.operations)
        json.add("hit_ratio", optional: reads > 0 ? summary.total.hits / reads : nil)
        json.add("connections", Int(clamping: totals[.currentConnections]))
        json.add("bytes", totals.store.liveBytes)
        json.add("limit_bytes", shared.shards.pool.limitBytes)
        json.add(
            "loops",
            summary.loops.map { busy in
                var loop = JSONLine()
                loop.add("busy", busy)
                return loop
            })
        return json
    }
}
