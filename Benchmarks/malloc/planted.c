// Allocates a known number of times by each entry point: what a working counter must see exactly.
//
// Waits for a line on standard input, allocates ARGV[1] times per kind, says so, and waits again,
// so that its own start-up and exit lie outside the counted stretch.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int times = argc > 1 ? atoi(argv[1]) : 1000;
    char line;
    if (write(1, "r", 1) != 1 || read(0, &line, 1) != 1) return 1;
    for (int i = 0; i < times; i++) {
        void *volatile blocks[5];
        void *aligned = NULL;
        blocks[0] = malloc(24);
        blocks[1] = calloc(3, 8);
        blocks[2] = realloc(NULL, 24);
        blocks[3] = aligned_alloc(64, 64);
        if (posix_memalign(&aligned, 64, 64) != 0) return 1;
        blocks[4] = aligned;
        for (int j = 0; j < 5; j++) free(blocks[j]);
    }
    if (write(1, "d", 1) != 1 || read(0, &line, 1) != 1) return 1;
    return 0;
}
