// The Unix-socket hop: one frame there, one frame back.
//
//   hop server PATH          answers each frame with itself: blocking reads and writes, the least a hop can cost
//   hop epoll PATH           the same through one epoll loop, as a daemon with many descriptors needs it
//   hop client PATH ROUNDS   plays against either, or against a server of ours; prints half a round trip, ns
#include "bench.h"
#include <sys/epoll.h>

enum { BODY_BYTES = 500, WARM_UP = 2000 };

static void echo_ready(int fd, unsigned char *buffer, size_t size, size_t *count) {
    ssize_t got = recv(fd, buffer + *count, size - *count, 0);
    if (got <= 0) exit(0);
    *count += (size_t)got;
    size_t start = 0;
    while (*count - start >= 4) {
        size_t whole = 4 + frame_length(buffer + start);
        if (*count - start < whole) break;
        write_all(fd, buffer + start, whole);
        start += whole;
    }
    memmove(buffer, buffer + start, *count - start);
    *count -= start;
}

static void serve(const char *path, int through_epoll) {
    int fd = accept(unix_listen(path), NULL, NULL);
    if (fd < 0) die("accept");
    static unsigned char buffer[64 << 10];
    size_t count = 0;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    for (;;) {
        if (through_epoll && epoll_wait(epoll, &event, 1, -1) < 0) continue;
        echo_ready(fd, buffer, sizeof buffer, &count);
    }
}

/// A frame whose body has exactly BODY_BYTES bytes, whatever its number.
static void compose(unsigned char *frame, int64_t sequence) {
    char *body = (char *)frame + 4;
    int head = sprintf(
        body, "{\"v\":1,\"seq\":%lld,\"type\":\"metrics\",\"sent_time\":1790000000000000,\"body\":{\"padding\":\"",
        (long long)sequence);
    memset(body + head, 'x', (size_t)(BODY_BYTES - head - 3));
    memcpy(body + BODY_BYTES - 3, "\"}}", 3);
    put_frame_length(frame, BODY_BYTES);
}

static void await_answer(int fd) {
    static unsigned char buffer[64 << 10];
    static size_t count;
    for (;;) {
        while (count >= 4) {
            size_t whole = 4 + frame_length(buffer);
            if (count < whole) break;
            memmove(buffer, buffer + whole, count - whole);
            count -= whole;
            // A server of ours says hello and pings now and then; those are shorter.
            if (whole > BODY_BYTES / 2) return;
        }
        ssize_t got = recv(fd, buffer + count, sizeof buffer - count, 0);
        if (got <= 0) die("recv");
        count += (size_t)got;
    }
}

static void play(const char *path, size_t rounds) {
    int fd = unix_connect(path);
    send_frame(fd, "{\"v\":1,\"seq\":1,\"type\":\"hello\",\"sent_time\":1790000000000000,"
                   "\"body\":{\"daemon\":\"bench\",\"version\":\"1\",\"instance\":\"1\",\"pid\":1}}");
    unsigned char frame[4 + BODY_BYTES + 1];
    int64_t *times = malloc(rounds * 8);
    for (size_t round = 0; round < rounds + WARM_UP; round++) {
        compose(frame, (int64_t)round + 2);
        int64_t start = now_ns();
        write_all(fd, frame, 4 + BODY_BYTES);
        await_answer(fd);
        if (round >= WARM_UP) times[round - WARM_UP] = (now_ns() - start) / 2;
    }
    sort_times(times, rounds);
    printf(
        "{\"p50\":%lld,\"p99\":%lld}\n", (long long)quantile(times, rounds, 0.5),
        (long long)quantile(times, rounds, 0.99));
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "server")) serve(argv[2], 0);
    if (argc == 3 && !strcmp(argv[1], "epoll")) serve(argv[2], 1);
    if (argc == 4 && !strcmp(argv[1], "client")) return play(argv[2], strtoul(argv[3], NULL, 10)), 0;
    fprintf(stderr, "usage: hop server|epoll PATH, hop client PATH ROUNDS\n");
    return 64;
}
