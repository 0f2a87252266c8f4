// Counts a process's heap allocations, for processes that are linked against libc dynamically.
//
// Loaded by LD_PRELOAD, it stands before malloc and its relatives, counts a call in a file shared
// by mmap (named by COUNT_MALLOC_FILE, so another process can read it at any time), and hands it on
// to glibc's own entry points. Swift's runtime allocates through malloc as well, linked in or not.
//
// The file holds the counters below, native 64-bit, in the order of `enum counter`.
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

enum counter { MALLOC, CALLOC, REALLOC, ALIGNED, FREE, BYTES, COUNTERS };

// Calls before the file is mapped are counted here and carried over.
static _Atomic uint64_t early[COUNTERS];
static _Atomic(_Atomic uint64_t *) counters = early;

static inline void count(enum counter which, uint64_t bytes) {
    _Atomic uint64_t *at = atomic_load_explicit(&counters, memory_order_relaxed);
    atomic_fetch_add_explicit(&at[which], 1, memory_order_relaxed);
    if (bytes) atomic_fetch_add_explicit(&at[BYTES], bytes, memory_order_relaxed);
}

__attribute__((constructor)) static void map_counters(void) {
    const char *path = getenv("COUNT_MALLOC_FILE");
    if (!path) return;
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) return;
    if (ftruncate(file, 0) == 0 && ftruncate(file, sizeof early) == 0) {
        void *shared = mmap(NULL, sizeof early, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared != MAP_FAILED) {
            _Atomic uint64_t *at = shared;
            for (int i = 0; i < COUNTERS; i++) atomic_store(&at[i], atomic_load(&early[i]));
            atomic_store(&counters, at);
        }
    }
    close(file);
}

void *malloc(size_t size) {
    count(MALLOC, size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count(CALLOC, number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *block, size_t size) {
    count(REALLOC, size);
    return __libc_realloc(block, size);
}

void *reallocarray(void *block, size_t number, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(number, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, total);
}

void *memalign(size_t alignment, size_t size) {
    count(ALIGNED, size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **block, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1))) return EINVAL;
    void *found = memalign(alignment, size);
    if (!found) return ENOMEM;
    *block = found;
    return 0;
}

void free(void *block) {
    if (block) count(FREE, 0);
    __libc_free(block);
}
