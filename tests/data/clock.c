/* The clocks of a process, moved by what stands in a file: two numbers of eight
   bytes, the seconds to add to the clock on the wall and to the one that only
   goes forward. Loaded before the C library by LD_PRELOAD. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const long long *moved;

__attribute__((constructor)) static void open_file(void) {
    const char *path = getenv("TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file >= 0) {
        void *map = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
        moved = map == MAP_FAILED ? NULL : map;
        close(file);
    }
}

int clock_gettime(clockid_t id, struct timespec *time) {
    long failed = syscall(SYS_clock_gettime, id, time);
    if (!failed && moved && id == CLOCK_REALTIME) time->tv_sec += moved[0];
    if (!failed && moved && id == CLOCK_MONOTONIC) time->tv_sec += moved[1];
    return (int)failed;
}
