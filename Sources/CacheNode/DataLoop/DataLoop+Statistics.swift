// `stats` and its words.
internal import DataPlane
internal import HotKeys
internal import MemcacheProtocol
internal import Primitives
internal import Synchronization

/// What was counted up to the last `stats reset`.
struct StatisticsBaseline: Sendable {
    var totals = NodeTotals()
    /// Histograms by ``CommandGroup``; empty before the first reset.
    var latencies: [[UInt64]] = []
}

extension DataLoop {
    mutating func answerStatistics(_ command: Command, _ window: Int) {
        let words = words(of: command, window)
        let connection = windows[window].connection
        switch words.first {
        case nil: appendGeneralStatistics()
        case "settings": appendSettings()
        case "items": appendItemStatistics()
        case "slabs": appendSlabStatistics()
        case "latency": appendLatencies()
        case "hotkeys": appendHotKeys()
        case "cluster" where peers == nil:
            reply.bytes.append("STAT cluster_enabled 0\r\nEND\r\n")
        case "cluster": ask(.statistics, connection)
        case "reset": resetStatistics()
        case "detail": answerDetail(words)
        case "sizes": answerSizes(connection)
        case "sizes_enable": trackSizes(true)
        case "sizes_disable": trackSizes(false)
        case "conns":
            let survey = ConnectionSurvey(asking: connection.pointee.number, loop: number)
            start(ConnectionStream(survey), for: connection)
        case "cachedump": answerCachedump(words, connection)
        // memcached without external storage has nothing to tell of it either.
        case "extstore": reply.bytes.append(ReplyText.end)
        default: reply.bytes.append(ReplyText.error)
        }
    }

    private mutating func resetStatistics() {
        shared.resetStatistics()
        reply.bytes.append(ReplyText.reset)
    }

    private mutating func answerDetail(_ words: [String]) {
        switch words.dropFirst().first {
        case "on":
            shared.prefixes.enable(true)
            shared.applyWatching()
            reply.bytes.append(ReplyText.ok)
        case "off":
            shared.prefixes.enable(false)
            shared.applyWatching()
            reply.bytes.append(ReplyText.ok)
        case "dump":
            shared.prefixes.dump(into: &reply.bytes)
        default:
            reply.bytes.append(ReplyText.statsDetailUsage)
        }
    }

    private mutating func trackSizes(_ on: Bool) {
        shared.crawler.tracksSizes.store(on, ordering: .relaxed)
        // memcached leaves out the END here, and its clients wait for none.
        reply.bytes.appendStatistic("sizes_status", text: on ? "enabled" : "disabled")
    }

    private mutating func answerSizes(_ connection: ConnectionPointer) {
        guard shared.crawler.tracksSizes.load(ordering: .relaxed) else {
            reply.bytes.appendStatistic("sizes_status", text: "disabled")
            reply.bytes.append(ReplyText.end)
            return
        }
        guard let ticket = DumpTicket(shared.crawler) else {
            reply.bytes.append(ReplyText.crawlerBusy)
            return
        }
        let limit = shared.configuration.itemSizeLimitBytes
        start(SizesStream(ticket, itemSizeLimit: limit), for: connection)
    }

    /// Bytes that `stats cachedump` lists at the most, as in memcached.
    private static let cachedumpBytes = 2 << 20

    private mutating func answerCachedump(_ words: [String], _ connection: ConnectionPointer) {
        guard shared.configuration.dumpEnabled else {
            return reply.bytes.append(ReplyText.dumpNotAllowed)
        }
        guard words.count >= 3 else { return reply.bytes.append(ReplyText.badLine) }
        guard let itemClass = UInt32(words[1]), let limit = UInt32(words[2]) else {
            return reply.bytes.append(ReplyText.badFormat)
        }
        guard itemClass < ItemClass.limit else { return reply.bytes.append(ReplyText.illegalSlab) }
        guard itemClass == ItemClass.only else { return reply.bytes.append(ReplyText.end) }
        guard let ticket = DumpTicket(shared.crawler) else {
            return reply.bytes.append(ReplyText.crawlerBusy)
        }
        let stream = DumpStream(
            .cachedump, ticket, limit: limit == 0 ? .max : Int(limit), bytes: Self.cachedumpBytes)
        start(stream, for: connection)
    }

    // MARK: Latencies

    /// `latency:<group>:<name>`: counts, and quantiles in microseconds, rounded up.
    private mutating func appendLatencies() {
        let base = shared.baseline.withLock { $0.latencies }
        for group in CommandGroup.allCases {
            let summary = LatencySummary(
                of: group, in: shared, since: base.isEmpty ? [] : base[group.rawValue])
            guard summary.count > 0 else { continue }
            appendLatency(group, "count", summary.count)
            for (name, thousandths) in Self.quantiles {
                appendLatency(
                    group, name, (summary.quantile(thousandths: thousandths) + 999) / 1000)
            }
        }
        reply.bytes.append(ReplyText.end)
    }

    private static let quantiles: [(StaticString, UInt64)] = [
        ("p50_us", 500), ("p99_us", 990), ("p999_us", 999), ("max_us", 1000),
    ]

    private mutating func appendLatency(
        _ group: CommandGroup, _ name: StaticString, _ value: UInt64
    ) {
        reply.bytes.append("STAT latency:")
        reply.bytes.append(group.word)
        reply.bytes.append(":")
        reply.bytes.append(name)
        reply.bytes.append(" ")
        reply.bytes.append(decimal: value)
        reply.bytes.append(ReplyText.lineEnd)
    }
}

extension CommandGroup {
    /// Its name in `stats latency`.
    fileprivate var word: StaticString {
        switch self {
        case .get: "get"
        case .set: "set"
        case .touch: "touch"
        case .delete: "delete"
        case .arithmetic: "arithmetic"
        case .metaGet: "mg"
        case .metaSet: "ms"
        case .metaDelete: "md"
        case .metaArithmetic: "ma"
        case .other: "other"
        case .indexGrowth: "index_growth"
        }
    }
}

extension NodeShared {
    /// Begins all counts anew; sizes stay.
    func resetStatistics() {
        let totals = NodeTotals(of: self)
        let latencies = CommandGroup.allCases.map {
            LatencySummary(of: $0, in: self, since: []).counts
        }
        baseline.withLock { $0 = StatisticsBaseline(totals: totals, latencies: latencies) }
        watchers.resetCounts()
        crawler.resetCounts()
        prefixes.removeAll()
        for box in inboxes { box.post(.resetMaxima) }
    }

    /// What was counted since the last reset.
    var totals: NodeTotals {
        NodeTotals(of: self).since(baseline.withLock { $0.totals })
    }
}
