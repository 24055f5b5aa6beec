// What the C programs of the benchmarks share: clock, sockets, frames, quantiles.
#ifndef POLYBOT_BENCH_H
#define POLYBOT_BENCH_H
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static inline void die(const char *what) {
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

/// Nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share.
static inline int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static inline int unix_socket(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof address->sun_path) errno = ENAMETOOLONG, die(path);
    strcpy(address->sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    return fd;
}

static inline int unix_listen(const char *path) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 16)) die(path);
    return fd;
}

/// Connects, waiting up to five seconds for somebody to listen.
static inline int unix_connect(const char *path) {
    struct sockaddr_un address;
    int fd = unix_socket(path, &address);
    for (int attempt = 0; attempt < 500; attempt++) {
        if (!connect(fd, (struct sockaddr *)&address, sizeof address)) return fd;
        usleep(10000);
    }
    die(path);
    return -1;
}

static inline void write_all(int fd, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count > 0) {
        ssize_t written = send(fd, at, count, MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) die("send");
        at += written;
        count -= (size_t)written;
    }
}

/// A frame's length, four bytes big-endian.
static inline uint32_t frame_length(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static inline void put_frame_length(unsigned char *bytes, uint32_t length) {
    bytes[0] = (unsigned char)(length >> 24);
    bytes[1] = (unsigned char)(length >> 16);
    bytes[2] = (unsigned char)(length >> 8);
    bytes[3] = (unsigned char)length;
}

/// Sends `json` as one frame.
static inline void send_frame(int fd, const char *json) {
    size_t length = strlen(json);
    unsigned char *frame = malloc(length + 4);
    put_frame_length(frame, (uint32_t)length);
    memcpy(frame + 4, json, length);
    write_all(fd, frame, length + 4);
    free(frame);
}

/// A whole file in memory, writable but private, with a zero behind it.
static inline char *load(const char *path, size_t *count) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (fd < 0 || fstat(fd, &info)) die(path);
    char *bytes = malloc((size_t)info.st_size + 1);
    size_t done = 0;
    while (done < (size_t)info.st_size) {
        ssize_t got = read(fd, bytes + done, (size_t)info.st_size - done);
        if (got <= 0) die(path);
        done += (size_t)got;
    }
    close(fd);
    bytes[done] = 0;
    *count = done;
    return bytes;
}

/// A table of `count` times, shared through a file: the sender writes when it sent a message, the receiver reads.
static inline int64_t *share_times(const char *path, size_t count) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)(count * 8))) die(path);
    int64_t *times = mmap(NULL, count * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (times == MAP_FAILED) die("mmap");
    close(fd);
    return times;
}

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static inline void sort_times(int64_t *times, size_t count) { qsort(times, count, 8, compare_times); }

/// The value that `share` of the sorted ones do not exceed.
static inline int64_t quantile(const int64_t *sorted, size_t count, double share) {
    if (count == 0) return -1;
    size_t index = (size_t)(share * (double)count);
    return sorted[index < count ? index : count - 1];
}
#endif
