// `stats`: memcached's names in memcached's order, then Kiln's own. docs/stats.md says what each
// means here, and which of memcached's are left out.
internal import CLinux
internal import DataPlane
internal import Glibc
internal import MemcacheProtocol
internal import Primitives
internal import Storage
internal import Synchronization

extension DataLoop {
    mutating func appendGeneralStatistics() {
        let totals = shared.totals
        appendProcess()
        appendConnections(totals)
        appendCommands(totals.shards, totals)
        appendNode(totals)
        appendCrawlerAndLog(totals)
        appendItems(totals.store)
        appendOwn(totals)
        reply.bytes.append(ReplyText.end)
    }

    private mutating func appendProcess() {
        reply.bytes.appendStatistic("pid", Int(shared.processIdentifier))
        reply.bytes.appendStatistic("uptime", Int(now.unixSeconds - shared.startedUnixSeconds))
        reply.bytes.appendStatistic("time", Int(now.unixSeconds))
        reply.bytes.append("STAT version ")
        reply.bytes.append(KilnVersion.memcached)
        reply.bytes.append(ReplyText.lineEnd)
        reply.bytes.appendStatistic("pointer_size", MemoryLayout<UnsafeRawPointer>.size * 8)
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        reply.bytes.appendStatistic(
            "rusage_user", seconds: Int(usage.ru_utime.tv_sec),
            microseconds: Int(usage.ru_utime.tv_usec))
        reply.bytes.appendStatistic(
            "rusage_system", seconds: Int(usage.ru_stime.tv_sec),
            microseconds: Int(usage.ru_stime.tv_usec))
    }

    private mutating func appendConnections(_ totals: NodeTotals) {
        reply.bytes.appendStatistic("max_connections", shared.connectionLimit)
        reply.bytes.appendStatistic("curr_connections", totals[.currentConnections])
        reply.bytes.appendStatistic("total_connections", totals[.totalConnections])
        reply.bytes.appendStatistic("rejected_connections", totals[.rejectedConnections])
        reply.bytes.appendStatistic("connection_structures", totals[.currentConnections])
        reply.bytes.appendStatistic("reserved_fds", CacheNodeMain.reservedDescriptors)
    }

    private mutating func appendCommands(_ shards: ShardCounters, _ totals: NodeTotals) {
        let counts: [(StaticString, UInt64)] = [
            ("cmd_get", shards.cmdGet), ("cmd_set", shards.cmdSet),
            ("cmd_flush", totals[.flushCommands]), ("cmd_touch", shards.cmdTouch),
            ("cmd_meta", shards.cmdMeta), ("get_hits", shards.getHits),
            ("get_misses", shards.getMisses), ("get_expired", shards.getExpired),
            ("get_flushed", shards.getFlushed), ("delete_misses", shards.deleteMisses),
            ("delete_hits", shards.deleteHits), ("incr_misses", shards.incrMisses),
            ("incr_hits", shards.incrHits), ("decr_misses", shards.decrMisses),
            ("decr_hits", shards.decrHits), ("cas_misses", shards.casMisses),
            ("cas_hits", shards.casHits), ("cas_badval", shards.casBadval),
            ("touch_hits", shards.touchHits), ("touch_misses", shards.touchMisses),
            ("store_too_large", shards.storeTooLarge), ("store_no_memory", shards.storeNoMemory),
            // Nobody can authenticate yet, so nobody has.
            ("auth_cmds", 0), ("auth_errors", 0),
        ]
        for (name, value) in counts { reply.bytes.appendStatistic(name, value) }
    }

    private mutating func appendNode(_ totals: NodeTotals) {
        if shared.configuration.idleTimeoutSeconds > 0 {
            reply.bytes.appendStatistic("idle_kicks", totals[.idleKicks])
        }
        reply.bytes.appendStatistic("bytes_read", totals[.bytesRead])
        reply.bytes.appendStatistic("bytes_written", totals[.bytesWritten])
        reply.bytes.appendStatistic("limit_maxbytes", shared.shards.pool.limitBytes)
        reply.bytes.appendStatistic("accepting_conns", totals[.acceptsPaused] == 0 ? 1 : 0)
        reply.bytes.appendStatistic("listen_disabled_num", totals[.acceptPauses])
        reply.bytes.appendStatistic("time_in_listen_disabled_us", totals[.acceptPausedMicroseconds])
        reply.bytes.appendStatistic("threads", shared.configuration.threads)
        reply.bytes.appendStatistic("conn_yields", totals[.connectionYields])
        let buckets = max(1, totals.indexBuckets)
        reply.bytes.appendStatistic(
            "hash_power_level", Int.bitWidth - 1 - buckets.leadingZeroBitCount)
        reply.bytes.appendStatistic("hash_bytes", totals.store.indexBytes)
        // The indexes grow a bucket at a time, never in one go.
        reply.bytes.appendStatistic("hash_is_expanding", 0)
    }

    private mutating func appendCrawlerAndLog(_ totals: NodeTotals) {
        reply.bytes.appendStatistic("lru_crawler_running", shared.crawler.runningCount > 0 ? 1 : 0)
        reply.bytes.appendStatistic(
            "lru_crawler_starts", shared.crawler.starts.load(ordering: .relaxed))
        let watchers = shared.watchers
        let dropped = watchers.dropped.load(ordering: .relaxed) &+ totals.eventsDropped
        reply.bytes.appendStatistic("log_worker_dropped", dropped)
        reply.bytes.appendStatistic("log_worker_written", watchers.written.load(ordering: .relaxed))
        reply.bytes.appendStatistic(
            "log_watcher_skipped", watchers.skipped.load(ordering: .relaxed))
        reply.bytes.appendStatistic("log_watcher_sent", watchers.sent.load(ordering: .relaxed))
        reply.bytes.appendStatistic("log_watchers", watchers.count)
    }

    private mutating func appendItems(_ store: StoreStatistics) {
        reply.bytes.appendStatistic("bytes", store.liveBytes)
        reply.bytes.appendStatistic("curr_items", store.items)
        let counts: [(StaticString, UInt64)] = [
            ("total_items", store.totalItems), ("expired_unfetched", store.expiredUnfetched),
            ("evicted_unfetched", store.evictedUnfetched), ("evicted_active", store.evictedActive),
            ("evictions", store.evictions), ("reclaimed", store.reclaimed),
            ("crawler_reclaimed", store.reclaimed),
            ("crawler_items_checked", shared.crawler.itemsChecked.load(ordering: .relaxed)),
            ("direct_reclaims", store.merges),
        ]
        for (name, value) in counts { reply.bytes.appendStatistic(name, value) }
    }

    private mutating func appendOwn(_ totals: NodeTotals) {
        let store = totals.store
        reply.bytes.appendStatistic("kiln_version", text: KilnVersion.current)
        let sizes: [(StaticString, Int)] = [
            ("kiln_shards", shared.shards.access.count),
            ("kiln_segment_bytes", shared.shards.segmentBytes),
            ("kiln_segments", store.slots), ("kiln_dead_bytes", store.deadBytes),
            ("kiln_pending_bytes", store.pendingBytes),
        ]
        for (name, value) in sizes { reply.bytes.appendStatistic(name, value) }
        let counts: [(StaticString, UInt64)] = [
            ("kiln_buffer_bytes", totals[.bufferBytes]), ("kiln_merges", store.merges),
            ("kiln_compactions", store.compactions),
            ("kiln_segments_expired", store.segmentsExpired),
            ("kiln_chain_evictions", store.chainEvictions),
            ("kiln_protocol_errors", totals[.protocolErrors]),
            ("kiln_blocked_connections", totals[.blockedConnections]),
            ("kiln_turns", totals[.turns]), ("kiln_keys", totals[.keys]),
            ("kiln_longest_turn_us", (totals[.longestTurn] + 999) / 1000),
            // Not prefixed: scripts that load a server until its index has grown look for this
            // name.
            ("index_growth_pause_max_us", (totals[.indexGrowthPause] + 999) / 1000),
        ]
        for (name, value) in counts { reply.bytes.appendStatistic(name, value) }
    }
}
