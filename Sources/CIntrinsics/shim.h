// Processor hints and memory operations that Swift has no word for. No system call, no state: pure rooms may use it.
#ifndef KILN_CINTRINSICS_SHIM_H
#define KILN_CINTRINSICS_SHIM_H

#include <stdint.h>

/// Asks the processor to fetch the cache line at `address`. Never faults, whatever the address.
static inline void kiln_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

/// Asks the processor to fetch the cache line at `address` for writing.
static inline void kiln_prefetch_write(const void *address) { __builtin_prefetch(address, 1, 3); }

/// Whether two byte ranges are equal.
static inline int kiln_equal(const void *a, const void *b, unsigned long count) {
    return __builtin_memcmp(a, b, count) == 0;
}

/// The first `byte` in `count` bytes from `start`, or null.
static inline const void *kiln_find_byte(const void *start, int byte, unsigned long count) {
    return __builtin_memchr(start, byte, count);
}

/// Relaxed atomic accesses: for words that another thread may read while one writes them, where only the
/// single word must not tear. On x86-64 and AArch64 they are plain loads and stores.
static inline uint64_t kiln_load_relaxed(const uint64_t *word) {
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}
static inline void kiln_store_relaxed(uint64_t *word, uint64_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

#endif
