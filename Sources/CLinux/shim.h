// What Swift's Glibc overlay cannot express: macros with casts, unions and variadic calls of Linux.
#ifndef KILN_CLINUX_SHIM_H
#define KILN_CLINUX_SHIM_H

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static inline int kiln_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}
static inline int kiln_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t data) {
    struct epoll_event event = {.events = events, .data.u64 = data};
    return epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &event);
}
static inline uint64_t kiln_epoll_data(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t kiln_epoll_events(const struct epoll_event *event) { return event->events; }

// glibc shows these two under _GNU_SOURCE only, which would change types that Swift's Glibc module has seen already.
extern int accept4(int listener, struct sockaddr *address, socklen_t *count, int flags);
extern int pthread_setname_np(pthread_t thread, const char *name);

/// Names the calling thread, for `top -H` and debuggers; at most 15 bytes.
static inline void kiln_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

/// Lets the calling thread's sleeps end within a nanosecond of their time instead of the default 50 microseconds.
static inline void kiln_sleep_precisely(void) { prctl(PR_SET_TIMERSLACK, 1UL); }

/// accept4 with SOCK_NONBLOCK | SOCK_CLOEXEC and no peer address.
static inline int kiln_accept(int listener) {
    return accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/// Reserves `count` bytes of address space; pages are taken when they are first touched. Null on failure.
static inline void *kiln_reserve(unsigned long count) {
    void *address = mmap(0, count, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return address == MAP_FAILED ? 0 : address;
}

/// Asks for huge pages: a random access then costs one TLB miss less. Harmless where there are none.
static inline void kiln_prefer_huge_pages(void *address, unsigned long count) {
    madvise(address, count, MADV_HUGEPAGE);
}

/// Makes one huge page of the small ones at `address`, keeping their contents (Linux 6.1); 0 on success.
static inline int kiln_collapse(void *address, unsigned long count) {
    return madvise(address, count, 25 /* MADV_COLLAPSE */);
}

#endif
