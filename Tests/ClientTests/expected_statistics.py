"""Names of memcached 1.6.18's statistics that have no meaning in Kiln, each with the reason."""

_SLAB_MOVER = "pages of slab classes are moved in memcached; Kiln has segments and merges them"
_LRU_QUEUES = "names a move between memcached's LRU queues; Kiln evicts by merging segments"
_EXTSTORE = "extstore is not part of Kiln"
_TLS = "names an option of memcached's own TLS build"
_BUFFERS = "buffers belong to loops, not to connections: kiln_buffer_bytes counts them"
_NAPI = "thread choice by NAPI id is not offered"

#: group -> name (for `items` and `slabs`: without its class number) -> reason.
WITHOUT_MEANING: dict[str, dict[str, str]] = {
    "": {
        "libevent": "Kiln has its own event loop",
        "unexpected_napi_ids": _NAPI,
        "round_robin_fallback": _NAPI,
        **{
            name: _SLAB_MOVER
            for name in (
                "slab_reassign_rescues",
                "slab_reassign_chunk_rescues",
                "slab_reassign_evictions_nomem",
                "slab_reassign_inline_reclaim",
                "slab_reassign_busy_items",
                "slab_reassign_busy_deletes",
                "slab_reassign_running",
                "slabs_moved",
            )
        },
        **{name: _LRU_QUEUES for name in ("moves_to_cold", "moves_to_warm", "moves_within_lru", "lru_bumps_dropped")},
        **{
            name: _BUFFERS
            for name in (
                "response_obj_oom",
                "response_obj_count",
                "response_obj_bytes",
                "read_buf_count",
                "read_buf_bytes",
                "read_buf_bytes_free",
                "read_buf_oom",
            )
        },
        "slab_global_page_pool": _SLAB_MOVER,
        "malloc_fails": "items are not allocated one by one: store_no_memory counts refused writes",
        "lru_maintainer_juggles": "there is no LRU maintainer thread",
        "lrutail_reflocked": _LRU_QUEUES,
    },
    "settings": {
        **{
            name: _EXTSTORE
            for name in (
                "ext_item_size",
                "ext_item_age",
                "ext_low_ttl",
                "ext_recache_rate",
                "ext_wbuf_size",
                "ext_compact_under",
                "ext_drop_under",
                "ext_max_sleep",
                "ext_max_frag",
                "ext_drop_unread",
                "slab_automove_freeratio",
            )
        },
        **{
            name: _TLS
            for name in (
                "ssl_chain_cert",
                "ssl_key",
                "ssl_verify_mode",
                "ssl_keyformat",
                "ssl_ciphers",
                "ssl_ca_cert",
                "ssl_wbuf_size",
                "ssl_session_cache",
                "ssl_kernel_tls",
                "ssl_min_version",
            )
        },
        "num_napi_ids": _NAPI,
        "growth_factor": "there are no slab classes to size",
        "chunk_size": "there are no slab classes to size",
        "read_buf_mem_limit": _BUFFERS,
        "memory_file": "restartable memory files are not offered",
        "num_threads_per_udp": "no UDP",
        "inline_ascii_response": "an option memcached itself no longer has a use for",
        **{
            name: _SLAB_MOVER
            for name in (
                "slab_reassign",
                "slab_automove",
                "slab_automove_ratio",
                "slab_automove_window",
                "slab_chunk_max",
            )
        },
        **{
            name: _LRU_QUEUES
            for name in (
                "lru_maintainer_thread",
                "lru_segmented",
                "hot_lru_pct",
                "warm_lru_pct",
                "hot_max_factor",
                "warm_max_factor",
                "temp_lru",
                "temporary_ttl",
                "tail_repair_time",
            )
        },
    },
    "items": {
        **{
            name: _LRU_QUEUES
            for name in (
                "number_hot",
                "number_warm",
                "number_cold",
                "number_temp",
                "age_hot",
                "age_warm",
                "tailrepairs",
                "lrutail_reflocked",
                "moves_to_cold",
                "moves_to_warm",
                "moves_within_lru",
                "hits_to_hot",
                "hits_to_warm",
                "hits_to_cold",
                "hits_to_temp",
            )
        },
    },
    "slabs": {},
    "sizes": {},
    "conns": {},
}
