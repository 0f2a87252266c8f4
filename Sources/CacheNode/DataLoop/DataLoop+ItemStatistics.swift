// `stats items`, `stats slabs` and `stats settings`.
//
// memcached keeps items of one size range in a slab class of pages and chunks. Here there is one
// class, number 1: a page is a segment, and a chunk is an item of the mean size, so that what tools
// compute of them (fill, pages, age) is true of the node as a whole.
internal import DataPlane
internal import Logging
internal import MemcacheProtocol
internal import Primitives
internal import Storage
internal import Synchronization

extension DataLoop {
    mutating func appendItemStatistics() {
        let totals = shared.totals
        let store = totals.store
        guard store.items > 0 else { return reply.bytes.append(ReplyText.end) }
        let items = UInt64(store.items)
        let values: [(StaticString, UInt64)] = [
            ("number", items), ("number_hot", 0), ("number_warm", 0), ("number_cold", items),
            ("age_hot", 0), ("age_warm", 0), ("age", UInt64(oldestSeconds())),
            ("mem_requested", UInt64(max(0, store.liveBytes))), ("evicted", store.evictions),
            ("evicted_nonzero", store.evictedNonzero),
            ("evicted_time", UInt64(store.evictedSeconds)), ("outofmemory", store.outOfMemory),
            ("tailrepairs", 0), ("reclaimed", store.reclaimed),
            ("expired_unfetched", store.expiredUnfetched),
            ("evicted_unfetched", store.evictedUnfetched),
            ("evicted_active", store.evictedActive), ("crawler_reclaimed", store.reclaimed),
            ("crawler_items_checked", shared.crawler.itemsChecked.load(ordering: .relaxed)),
            ("direct_reclaims", store.merges), ("hits_to_hot", 0), ("hits_to_warm", 0),
            ("hits_to_cold", totals.shards.getHits), ("hits_to_temp", 0),
        ]
        for (name, value) in values {
            reply.bytes.appendClassStatistic(name, value, group: "items:")
        }
        reply.bytes.append(ReplyText.end)
    }

    private func oldestSeconds() -> Int {
        var oldest = 0
        let time = now.instant
        for shard in 0..<shared.shards.access.count {
            oldest = max(
                oldest, shared.shards.access.withShard(shard) { $0.store.oldestSeconds(at: time) })
        }
        return oldest
    }

    mutating func appendSlabStatistics() {
        let totals = shared.totals
        let (store, shards) = (totals.store, totals.shards)
        let held = store.slots * shared.shards.segmentBytes
        if store.slots > 0 {
            let mean =
                store.items > 0 ? max(1, (store.liveBytes + store.items - 1) / store.items) : 1
            let chunks = max(store.items, held / mean)
            let values: [(StaticString, UInt64)] = [
                ("chunk_size", UInt64(mean)),
                ("chunks_per_page", UInt64(max(1, shared.shards.segmentBytes / mean))),
                ("total_pages", UInt64(store.slots)), ("total_chunks", UInt64(chunks)),
                ("used_chunks", UInt64(store.items)), ("free_chunks", UInt64(chunks - store.items)),
                ("free_chunks_end", 0), ("get_hits", shards.getHits), ("cmd_set", shards.cmdSet),
                ("delete_hits", shards.deleteHits), ("incr_hits", shards.incrHits),
                ("decr_hits", shards.decrHits), ("cas_hits", shards.casHits),
                ("cas_badval", shards.casBadval), ("touch_hits", shards.touchHits),
            ]
            for (name, value) in values { reply.bytes.appendClassStatistic(name, value) }
        }
        reply.bytes.appendStatistic("active_slabs", store.slots > 0 ? 1 : 0)
        reply.bytes.appendStatistic("total_malloced", held)
        reply.bytes.append(ReplyText.end)
    }

    // MARK: Settings

    mutating func appendSettings() {
        appendAddressSettings()
        appendLimitSettings()
        appendSwitches()
        reply.bytes.append(ReplyText.end)
    }

    private mutating func appendAddressSettings() {
        let settings = shared.configuration
        reply.bytes.appendStatistic("maxbytes", shared.shards.pool.limitBytes)
        reply.bytes.appendStatistic("maxconns", shared.connectionLimit)
        let port = shared.listeners.first { !$0.isUnix }?.port ?? 0
        reply.bytes.appendStatistic("tcpport", port)
        reply.bytes.appendStatistic("udpport", 0)
        let hosts = settings.listen.map(\.host).joined(separator: ",")
        reply.bytes.appendStatistic(
            "inter", text: settings.unixSocketPath != nil || hosts.isEmpty ? "NULL" : hosts)
        reply.bytes.appendStatistic("verbosity", shared.verbosity.load(ordering: .relaxed))
        // Items older than this many seconds are misses: none are, only a flush ends them.
        reply.bytes.appendStatistic("oldest", 0)
        reply.bytes.appendStatistic("evictions", text: settings.evicts ? "on" : "off")
        reply.bytes.appendStatistic("domain_socket", text: settings.unixSocketPath ?? "NULL")
        reply.bytes.appendStatistic("umask", text: String(settings.unixSocketMask, radix: 8))
        reply.bytes.appendStatistic("shutdown_command", flag: settings.allowsShutdown)
    }

    private mutating func appendLimitSettings() {
        let settings = shared.configuration
        reply.bytes.appendStatistic("num_threads", settings.threads)
        reply.bytes.appendStatistic("stat_key_prefix", text: ":")
        reply.bytes.appendStatistic("detail_enabled", flag: shared.prefixes.isEnabled)
        reply.bytes.appendStatistic("reqs_per_event", settings.requestsPerEvent)
        reply.bytes.appendStatistic("cas_enabled", flag: true)
        reply.bytes.appendStatistic("tcp_backlog", settings.backlog)
        reply.bytes.appendStatistic("binding_protocol", text: "ascii")
        reply.bytes.appendStatistic("auth_enabled_sasl", flag: false)
        reply.bytes.appendStatistic("auth_enabled_ascii", flag: false)
        reply.bytes.appendStatistic("item_size_max", settings.itemSizeLimitBytes)
        // A connection above the limit is told so and closed.
        reply.bytes.appendStatistic("maxconns_fast", flag: true)
        reply.bytes.appendStatistic("hashpower_init", 0)
        let crawler = shared.crawler
        reply.bytes.appendStatistic("lru_crawler", flag: crawler.isEnabled.load(ordering: .relaxed))
        reply.bytes.appendStatistic(
            "lru_crawler_sleep", crawler.sleepMicroseconds.load(ordering: .relaxed))
        reply.bytes.appendStatistic(
            "lru_crawler_tocrawl", crawler.itemsPerRun.load(ordering: .relaxed))
    }

    private mutating func appendSwitches() {
        let settings = shared.configuration
        reply.bytes.appendStatistic("flush_enabled", flag: settings.flushAllEnabled)
        reply.bytes.appendStatistic("dump_enabled", flag: settings.dumpEnabled)
        reply.bytes.appendStatistic("hash_algorithm", text: "xxh3")
        reply.bytes.appendStatistic("idle_timeout", settings.idleTimeoutSeconds)
        reply.bytes.appendStatistic("watcher_logbuf_size", WatchHub.queueBytes)
        reply.bytes.appendStatistic("worker_logbuf_size", WatchTap.limitBytes)
        reply.bytes.appendStatistic(
            "track_sizes", flag: shared.crawler.tracksSizes.load(ordering: .relaxed))
        reply.bytes.appendStatistic("inline_ascii_response", flag: false)
        reply.bytes.appendStatistic("ssl_enabled", flag: false)
        reply.bytes.appendStatistic("kiln_watch_enabled", flag: settings.watchEnabled)
    }
}
