// XXH3 from Debian's libxxhash-dev, inlined from its header so that a short key costs no call.
#ifndef KILN_CXXHASH_SHIM_H
#define KILN_CXXHASH_SHIM_H

#define XXH_INLINE_ALL
#include <xxhash.h>

/// XXH3-64 of `count` bytes, seed 0: the same value on every machine and in every process.
static inline unsigned long long kiln_xxh3_64(const void *bytes, unsigned long count) {
    return XXH3_64bits(bytes, count);
}

#endif
