// `kiln <verb> [words]`: questions to the node itself, answered in JSON.
internal import DataPlane
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives
internal import Storage
internal import Synchronization

extension DataLoop {
    /// Answers `VALUE kiln 0 <bytes>`, the JSON and `END`, or one error line.
    mutating func answerKiln(_ command: Command, _ window: Int) {
        let words = words(of: command, window)
        switch words.first {
        case "hotkeys": answerHotKeys(words.dropFirst(), windows[window].connection)
        case "top": answerTop(words.dropFirst(), windows[window].connection)
        case "why" where words.count == 2: answerWhy(words[1])
        case "why": refuse("why: one key, percent-encoded")
        case "members", "ring", "raft", "events", "forget", "leave":
            let connection = windows[window].connection
            guard peers != nil else {
                return refuse("this node is alone: start it with --join, --data-dir or the like")
            }
            ask(.verb(words, mayChange: connection.pointee.peer.isOfThisMachine), connection)
        default:
            refuse(
                "unknown verb; hotkeys, why, top, members, ring, raft, events, forget and leave"
                    + " are known")
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

    // MARK: hotkeys and top

    private mutating func answerHotKeys(
        _ words: ArraySlice<String>, _ connection: ConnectionPointer
    ) {
        guard shared.hotKeys.isOn else { return refuse("hot keys are off (--hot-keys)") }
        let (question, problem) = HotKeyQuestion.read(words)
        guard let question else { return refuse(problem) }
        if shared.hotKeys.redactsKeys && !question.groups.isEmpty {
            return refuse("names are redacted: groups would tell them")
        }
        ask(question, .hotkeys, connection)
    }

    private mutating func answerTop(_ words: ArraySlice<String>, _ connection: ConnectionPointer) {
        guard shared.hotKeys.isOn else { return refuse("hot keys are off (--hot-keys)") }
        let (question, problem) = HotKeyQuestion.read(words)
        guard let question, question.groups.isEmpty, question.historySeconds == 0 else {
            return refuse(problem.isEmpty ? "top: n, sort and filter are known" : problem)
        }
        ask(question, .top, connection)
    }

    /// Leaves the question with the merging thread; the connection waits for the answer.
    private mutating func ask(
        _ question: HotKeyQuestion, _ verb: HotKeyStream.Verb, _ connection: ConnectionPointer
    ) {
        let request = HotKeyRequest(question, loop: number)
        guard shared.hotKeys.ask(request) else {
            return reply.bytes.append("SERVER_ERROR kiln: too many questions, ask again\r\n")
        }
        start(HotKeyStream(verb, request), for: connection)
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
        json.add("schema_version", JSONLine.schemaVersion)
        json.add("key", shared.hotKeys.name(key))
        json.add("owner", shared.ownerName(of: key))
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
            state.decisions.latest(HotKeyRequest.shownDecisions, of: hash.value).map {
                decision($0)
            })
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
    static func decodedKey(_ word: String) -> [UInt8]? {
        var key: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                key.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexadecimalDigit),
                let low = rest.popFirst().flatMap(hexadecimalDigit)
            else { return nil }
            key.append(high << 4 | low)
        }
        return (1...ProtocolLimits.keyBytes).contains(key.count) ? key : nil
    }

    private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
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
            let name = shared.hotKeys.name(key.key)
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
