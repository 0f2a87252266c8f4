// `kiln <verb> [words]`: questions to the node itself, answered in JSON.
internal import DataPlane
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives
internal import Storage
internal import Synchronization

extension DataLoop {
    /// The version of every answer; it rises when a member changes its name or meaning.
    private static let schemaVersion = 1
    /// Decisions shown with a key, and on the live screen.
    private static let shownDecisions = 20

    /// Answers `VALUE kiln 0 <bytes>`, the JSON and `END`, or one error line.
    mutating func answerKiln(_ command: Command, _ window: Int) {
        let words = words(of: command, window)
        switch words.first {
        case "hotkeys": answerHotKeys(words.dropFirst())
        case "top": answerTop(words.dropFirst())
        case "why" where words.count == 2: answerWhy(words[1])
        case "why": refuse("why: one key, percent-encoded")
        default: refuse("unknown verb; hotkeys, why and top are known")
        }
    }

    private mutating func refuse(_ reason: String) {
        reply.bytes.append(text: "CLIENT_ERROR kiln: \(reason)\r\n")
    }

    private mutating func answer(_ json: JSONLine) {
        let text = json.closed
        reply.bytes.append(text: "VALUE kiln 0 \(text.utf8.count)\r\n\(text)\r\n")
        reply.bytes.append(ReplyText.end)
    }

    /// The node's name, as clients know it.
    private var nodeName: String {
        guard let listener = shared.listeners.first else { return "-" }
        return listener.isUnix ? listener.name : "\(listener.name):\(listener.port)"
    }

    // MARK: hotkeys

    private mutating func answerHotKeys(_ words: ArraySlice<String>) {
        guard shared.hotKeys.isOn else { return refuse("hot keys are off (--hot-keys)") }
        let (question, problem) = HotKeyQuestion.read(words)
        guard let question else { return refuse(problem) }
        if shared.hotKeys.redactsKeys && !question.groups.isEmpty {
            return refuse("names are redacted: groups would tell them")
        }
        let state = shared.hotKeys.current
        let summary =
            question.historySeconds > 0
            ? state.history.summary(
                of: Int64(question.historySeconds) * 1_000_000_000, before: now.instant)
            : state.latest
        var json = JSONLine()
        json.add("schema_version", Self.schemaVersion)
        json.add("window_ms", summary.milliseconds)
        json.add("ops_per_s", summary.total.operations)
        json.add("bytes_per_s", summary.total.bytes)
        json.add("sampling", summary.samplingPeriod)
        json.add("hot_keys", hotKeyList(summary, question, state))
        answer(json)
    }

    private mutating func hotKeyList(
        _ summary: HotKeyWindow.Summary, _ question: HotKeyQuestion, _ state: HotKeyBoard.State
    ) -> [JSONLine] {
        let board = shared.hotKeys
        let rows = HotKeyRow.rows(summary, question) { board.name($0.key, hash: $0.hash) }
        return rows.enumerated().map { describe($0.element, rank: $0.offset + 1, state) }
    }

    private mutating func describe(
        _ row: HotKeyRow, rank: Int, _ state: HotKeyBoard.State
    ) -> JSONLine {
        let item = row.key.flatMap { peek($0.key, hash: $0.hash) }
        let tracked = row.key.flatMap { state.policy.state(of: $0.hash) }
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
        json.add("owner", nodeName)
        json.add("copies", [String]())
        json.add("state", tracked?.state.rawValue ?? "seen")
        json.add("since", Int(shared.clock.originSeconds + (sinceSeconds(row, tracked))))
        return json
    }

    /// When the key's state began; for a key without one, when it was first listed.
    private func sinceSeconds(_ row: HotKeyRow, _ tracked: PromotionPolicy.Tracked?) -> Int64 {
        (tracked?.since ?? row.key?.firstSeen ?? now.instant.nanoseconds) / 1_000_000_000
    }

    /// Size and time to live of a key's item, without any trace of the look: neither its access
    /// time nor its frequency changes.
    private func peek(_ key: [UInt8], hash: UInt64) -> (valueBytes: Int, ttlSeconds: Int?)? {
        let (hash, time) = (KeyHash(value: hash), now)
        return shards.withShard(shards.shard(of: hash)) { shard in
            guard let item = shard.store.find(key.span.bytes, hash: hash, at: time.instant) else {
                return nil
            }
            let left = shard.store.attributes(of: item).expiry.secondsLeft(at: time.instant)
            return (shard.store.valueCount(of: item), left < 0 ? nil : Int(left))
        }
    }

    // MARK: why

    private mutating func answerWhy(_ word: String) {
        guard shared.hotKeys.isOn else { return refuse("hot keys are off (--hot-keys)") }
        guard let key = Self.decodedKey(word) else {
            return refuse("why: a key of 1 through 250 bytes, percent-encoded")
        }
        let state = shared.hotKeys.current
        let hash = KeyHash(of: key.span.bytes)
        let settings = state.policy.settings
        let tracked = state.policy.state(of: hash.value)
        let listed = state.latest.keys.first { $0.hash == hash.value }
        var json = JSONLine()
        json.add("schema_version", Self.schemaVersion)
        json.add("key", shared.hotKeys.name(key, hash: hash.value))
        json.add("owner", nodeName)
        json.add("mode", shared.hotKeys.mode.rawValue)
        json.add("state", tracked?.state.rawValue ?? (listed == nil ? "cold" : "seen"))
        json.add("heat", listed.map { state.policy.heat(of: $0) } ?? 0)
        json.add("ops_per_s", listed?.rates.operations ?? 0)
        json.add("bytes_per_s", listed?.rates.bytes ?? 0)
        json.add("share", listed?.share ?? 0)
        json.add("write_share", listed?.rates.writeShare ?? 0)
        json.add("copies", tracked?.copies ?? 1)
        json.add("flaps", tracked?.flaps ?? 0)
        json.add("promote_heat", settings.promoteHeat)
        json.add("promote_ops_per_s", settings.promoteOperationsPerSecond)
        json.add("promote_bytes_per_s", settings.promoteBytesPerSecond)
        json.add("write_share_limit", settings.writeShareLimit)
        json.add(
            "decisions",
            state.decisions.latest(Self.shownDecisions, of: hash.value).map { decision($0) })
        answer(json)
    }

    private func decision(_ decision: PromotionPolicy.Decision) -> JSONLine {
        var json = JSONLine()
        json.add(
            "time_unix_s", Int(shared.clock.originSeconds + decision.at / 1_000_000_000))
        json.add("action", decision.action.rawValue)
        json.add("copies", decision.copies)
        json.add("reason", decision.reason)
        return json
    }

    /// The bytes of a percent-encoded key; nil where it is none.
    private static func decodedKey(_ word: String) -> [UInt8]? {
        var key: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                key.append(byte)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, digits.first != UInt8(ascii: "+"),
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
            else { return nil }
            key.append(value)
            rest = rest.dropFirst(2)
        }
        return (1...ProtocolLimits.keyBytes).contains(key.count) ? key : nil
    }

    // MARK: top

    private mutating func answerTop(_ words: ArraySlice<String>) {
        guard shared.hotKeys.isOn else { return refuse("hot keys are off (--hot-keys)") }
        let (question, problem) = HotKeyQuestion.read(words)
        guard let question, question.groups.isEmpty, question.historySeconds == 0 else {
            return refuse(problem.isEmpty ? "top: n, sort and filter are known" : problem)
        }
        let state = shared.hotKeys.current
        var json = JSONLine()
        json.add("schema_version", Self.schemaVersion)
        json.add("window_ms", state.latest.milliseconds)
        json.add("time_unix_s", Int(now.unixSeconds))
        json.add("nodes", [load(state.latest)])
        json.add("hot_keys", hotKeyList(state.latest, question, state))
        json.add(
            "events",
            state.decisions.latest(Self.shownDecisions).map { made in
                var event = JSONLine()
                event.add(
                    "time_unix_s", Int(shared.clock.originSeconds + made.at / 1_000_000_000))
                let name = shared.hotKeys.name(made.key, hash: made.hash)
                event.add("text", "\(made.action.rawValue) \(name): \(made.reason)")
                return event
            })
        answer(json)
    }

    private func load(_ summary: HotKeyWindow.Summary) -> JSONLine {
        let totals = NodeTotals(of: shared)
        let reads = summary.total.hits + summary.total.misses
        var json = JSONLine()
        json.add("name", nodeName)
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

    // MARK: stats hotkeys

    /// `STAT hotkeys:<rank>:<name> <value>`, for tools that read statistics only.
    mutating func appendHotKeys() {
        let state = shared.hotKeys.current
        reply.bytes.appendStatistic("hotkeys:mode", text: shared.hotKeys.mode.rawValue)
        reply.bytes.appendStatistic("hotkeys:window_ms", state.latest.milliseconds)
        reply.bytes.appendStatistic("hotkeys:listed", state.latest.keys.count)
        reply.bytes.appendStatistic(
            "hotkeys:ops_per_s", UInt64(max(0, state.latest.total.operations)))
        for (index, key) in state.latest.keys.prefix(HotKeyQuestion().count).enumerated() {
            let name = shared.hotKeys.name(key.key, hash: key.hash)
            let status = state.policy.state(of: key.hash)?.state.rawValue ?? "seen"
            let values: [(String, String)] = [
                ("key", name), ("ops_per_s", "\(UInt64(max(0, key.rates.operations)))"),
                ("error", "\(UInt64(max(0, key.rates.error)))"),
                ("writes_per_s", "\(UInt64(max(0, key.rates.writes)))"),
                ("bytes_per_s", "\(UInt64(max(0, key.rates.bytes)))"), ("state", status),
            ]
            for (word, value) in values {
                reply.bytes.append(text: "STAT hotkeys:\(index + 1):\(word) \(value)\r\n")
            }
        }
        reply.bytes.append(ReplyText.end)
    }
}
