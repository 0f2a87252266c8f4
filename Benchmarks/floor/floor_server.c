// The least a server of this kind can cost: epoll, one recv and one send per request, nothing stored.
//
// It answers every line `get KEY` with a value of 100 bytes that it makes up. What it costs per request is what the
// kernel takes for moving the bytes; no cache on sockets and epoll can go below it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 128, INPUT_BYTES = 4096, VALUE_BYTES = 100, REPLY_BYTES = 1 << 17 };

static char input[INPUT_BYTES], reply[REPLY_BYTES];

static int answer(int count) {
    int used = 0;
    char *next = input, *end = input + count, *line;
    while (next < end && (line = memchr(next, '\n', end - next)) && used < REPLY_BYTES - 512) {
        if (line - next < 6) return used;
        used += sprintf(reply + used, "VALUE %.*s 0 %d\r\n", (int)(line - next) - 5, next + 4, VALUE_BYTES);
        memset(reply + used, 'v', VALUE_BYTES);
        memcpy(reply + used + VALUE_BYTES, "\r\nEND\r\n", 7);
        used += VALUE_BYTES + 7;
        next = line + 1;
    }
    return used;
}

int main(int count, char **words) {
    if (count != 2) return 64;
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1(EPOLL_CLOEXEC);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((unsigned short)atoi(words[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) return perror("listen"), 71;
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int socket = events[i].data.fd;
            if (socket == listener) {
                event.data.fd = accept4(listener, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC);
                if (event.data.fd < 0) continue;
                setsockopt(event.data.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event);
                continue;
            }
            long received = recv(socket, input, INPUT_BYTES, 0);
            if (received <= 0) { close(socket); continue; }
            int used = answer((int)received);
            if (used > 0) send(socket, reply, used, MSG_NOSIGNAL);
        }
    }
}
