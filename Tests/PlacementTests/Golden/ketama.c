// Writes ketama.txt: where libmemcached's weighted ketama puts some keys, for several lists of servers.
//
//   apt-get install libmemcached-dev
//   cc -Wall -Wextra -Werror -O1 -o /tmp/ketama ketama.c -lmemcached && /tmp/ketama > ketama.txt
//
// One line per list: the servers as HOST|PORT|WEIGHT, then for every key of the file the index of its server as
// one digit in base 36.
#include <libmemcached/memcached.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS = 600, KEY_LIMIT = 250 };

static char keys[KEYS][KEY_LIMIT + 1];

/// SplitMix64, so that the file comes out the same everywhere.
static uint64_t next_random(uint64_t *state) {
    uint64_t z = (*state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/// Keys such as applications use, and keys of every length up to the limit.
static void make_keys(void) {
    uint64_t random = 1;
    for (int number = 0; number < KEYS; number++) {
        if (number < 200) {
            snprintf(keys[number], sizeof keys[number], "user:%d:profile", number);
        } else if (number < 300) {
            snprintf(keys[number], sizeof keys[number], "%d", number - 200);
        } else {
            int length = number < 300 + KEY_LIMIT ? number - 299 : 16;
            for (int i = 0; i < length; i++) keys[number][i] = (char)('!' + next_random(&random) % 94);
            keys[number][length] = 0;
        }
    }
}

static void check(memcached_return_t result, memcached_st *client) {
    if (memcached_success(result)) return;
    fprintf(stderr, "ketama: %s\n", memcached_strerror(client, result));
    exit(1);
}

/// One list of servers, and where every key goes.
static void write_list(const char *servers) {
    memcached_st *client = memcached_create(NULL);
    check(memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1), client);
    char copy[4096];
    snprintf(copy, sizeof copy, "%s", servers);
    for (char *server = strtok(copy, " "); server != NULL; server = strtok(NULL, " ")) {
        char host[256];
        unsigned port, weight;
        if (sscanf(server, "%255[^|]|%u|%u", host, &port, &weight) != 3) abort();
        check(memcached_server_add_with_weight(client, host, (in_port_t)port, weight), client);
    }
    printf("servers %s\nowners ", servers);
    for (int number = 0; number < KEYS; number++) {
        uint32_t index = memcached_generate_hash(client, keys[number], strlen(keys[number]));
        putchar("0123456789abcdefghijklmnopqrstuvwxyz"[index]);
    }
    putchar('\n');
    memcached_free(client);
}

/// `count` servers of equal weight on `port`, or on rising ports.
static void write_equal(int count, const char *host, int port, int step) {
    char servers[4096] = "";
    for (int number = 0; number < count; number++) {
        char server[128];
        snprintf(server, sizeof server, host, number + 1);
        size_t used = strlen(servers);
        snprintf(servers + used, sizeof servers - used, "%s%s|%d|1", used ? " " : "", server, port + number * step);
    }
    write_list(servers);
}

int main(void) {
    make_keys();
    printf("# libmemcached %s, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED; written by ketama.c\n", memcached_lib_version());
    for (int number = 0; number < KEYS; number++) printf("key %s\n", keys[number]);
    for (int count = 1; count <= 10; count++) {
        write_equal(count, "10.0.1.%d", 11211, 0);
        write_equal(count, "cache-%d.example.net", 11212, 0);
        write_equal(count, "127.0.0.1", 11211, 1);
    }
    write_equal(13, "node%d", 22122, 7);
    write_equal(20, "10.0.0.%d", 11211, 0);
    // One of the counts whose equal shares single precision rounds down: 39 digests, not 40.
    write_equal(25, "10.1.0.%d", 11211, 0);
    write_equal(31, "10.2.0.%d", 11211, 0);
    // The list of libketama's own example.
    write_list("10.0.1.1|11211|600 10.0.1.2|11211|300 10.0.1.3|11211|200 10.0.1.4|11211|350 "
               "10.0.1.5|11211|1000 10.0.1.6|11211|800 10.0.1.7|11211|950 10.0.1.8|11211|100");
    write_list("a|11211|1 b|11212|2");
    write_list("a|11212|3 b|11212|1 c|11211|3");
    write_list("10.0.0.1|11211|7 10.0.0.1|11212|11 10.0.0.2|1|13 10.0.0.2|65535|17 ::1|11211|19 fe80::1|11300|23");
    // A server whose share is too small for a single digest.
    write_list("large|11211|1000 small|11211|1 medium|11311|30");
    // Points that fall together: the first of the two has the keys.
    write_list("twin|11211|1 other|11211|1 twin|11211|1");
    write_list("x|11211|1000000 y|11211|999999 z|11213|333333");
    write_list("Upper.Case|11211|1 upper.case|11211|1 under_score|4242|1");
    return 0;
}
