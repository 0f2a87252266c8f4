// Allocates once whenever the process receives from a socket: an allocation planted on a data path.
//
// Loaded by LD_PRELOAD after the counter, it shows that an allocation per request in the server
// under test would be counted, which no helper program can show.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

static inline void plant(void) {
    void *volatile block = malloc(24);
    free(block);
}

#define ORIGINAL(name) \
    static __typeof__(name) *original; \
    if (!original) original = (__typeof__(name) *)dlsym(RTLD_NEXT, #name); \
    plant();

ssize_t recv(int socket, void *buffer, size_t size, int flags) {
    ORIGINAL(recv)
    return original(socket, buffer, size, flags);
}

ssize_t recvmsg(int socket, struct msghdr *message, int flags) {
    ORIGINAL(recvmsg)
    return original(socket, message, flags);
}

ssize_t readv(int file, const struct iovec *parts, int count) {
    ORIGINAL(readv)
    return original(file, parts, count);
}

ssize_t read(int file, void *buffer, size_t size) {
    ORIGINAL(read)
    return original(file, buffer, size);
}
