// The end of the path: reads delta frames from a socket and looks up when the venue sent what they tell.
//
//   subscriber PATH MARKETS TIMES BASE COUNT
//
// MARKETS holds one market a line, its condition id first. Message i has the venue time BASE + 1 + i (ms); TIMES holds
// when it was sent. Prints "ready" once every market's book is there and trusted, and one line of JSON at the end:
// after COUNT deltas, or when nothing has come for three seconds after the first.
#include "bench.h"
#include <poll.h>

enum { QUIET_MS = 3000, MARKETS_MAX = 1 << 16 };

static int64_t sequence_out;
static unsigned char buffer[2 << 20];

static void say(int fd, const char *type, const char *body) {
    size_t size = strlen(body) + 128;
    char *json = malloc(size);
    snprintf(
        json, size, "{\"v\":1,\"seq\":%lld,\"type\":\"%s\",\"sent_time\":1790000000000000,\"body\":%s}",
        (long long)++sequence_out, type, body);
    send_frame(fd, json);
    free(json);
}

/// Subscribes to every market named in `path`; returns their number.
static size_t subscribe(int fd, const char *path) {
    size_t count, markets = 0;
    char *text = load(path, &count), *body = malloc(count + 128), *at = body;
    at += sprintf(at, "{\"id\":1,\"markets\":[");
    for (char *line = text; line && *line; markets++) {
        char *end = strchr(line, '\n');
        at += sprintf(at, "%s\"%.66s\"", markets ? "," : "", line);
        line = end ? end + 1 : NULL;
    }
    sprintf(at, "],\"reference_prices\":[]}");
    say(fd, "subscribe", body);
    free(text);
    free(body);
    return markets;
}

static const char *find(const char *text, size_t count, const char *what) {
    const char *found = memmem(text, count, what, strlen(what));
    return found ? found + strlen(what) : NULL;
}

int main(int argc, char **argv) {
    if (argc != 6) return fprintf(stderr, "usage: subscriber PATH MARKETS TIMES BASE COUNT\n"), 64;
    int64_t base = strtoll(argv[4], NULL, 10);
    size_t wanted = strtoul(argv[5], NULL, 10);
    int64_t *sent = share_times(argv[3], wanted), *latencies = malloc(wanted * 8);
    int fd = unix_connect(argv[1]);
    say(fd, "hello", "{\"daemon\":\"bench\",\"version\":\"1\",\"instance\":\"1\",\"pid\":1}");
    size_t markets = subscribe(fd, argv[2]);

    static char is_trusted[MARKETS_MAX];
    size_t trusted = 0, deltas = 0, repeated = 0, distrusted = 0, held = 0;
    int64_t last = 0;
    int is_ready = 0;
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    while (deltas < wanted) {
        // Pings and status keep coming; only deltas count.
        if (deltas && (poll(&waiting, 1, QUIET_MS) == 0 || now_ns() - last > QUIET_MS * 1000000ll)) break;
        ssize_t got = recv(fd, buffer + held, sizeof buffer - held, 0);
        if (got <= 0) break;
        int64_t now = now_ns();
        held += (size_t)got;
        size_t start = 0;
        while (held - start >= 4) {
            size_t length = frame_length(buffer + start);
            if (held - start < 4 + length) break;
            const char *frame = (const char *)buffer + start + 4;
            start += 4 + length;
            const char *type = find(frame, length < 96 ? length : 96, "\"type\":\"");
            if (!type) continue;
            size_t rest = length - (size_t)(type - frame);
            if (!memcmp(type, "delta\"", 6)) {
                const char *time = find(type, rest, "\"venue_time\":");
                int64_t index = time ? strtoll(time, NULL, 10) / 1000 - base - 1 : -1;
                if (index < 0 || (size_t)index >= wanted) continue;
                latencies[deltas++] = now - sent[index];
                last = now;
            } else if (!memcmp(type, "book\"", 5)) {
                const char *n = find(type, rest, "\"n\":");
                long number = n ? strtol(n, NULL, 10) : 0;
                if (find(type, rest, "\"conflated\":")) repeated++;
                if (number <= 0 || number >= MARKETS_MAX || !find(type, rest, "\"trusted\":true")) continue;
                if (!is_trusted[number]) is_trusted[number] = 1, trusted++;
            } else if (!memcmp(type, "trust\"", 6)) {
                distrusted++;
            } else if (!memcmp(type, "ping\"", 5)) {
                char body[64];
                const char *id = find(type, rest, "\"id\":");
                snprintf(body, sizeof body, "{\"id\":%lld}", id ? strtoll(id, NULL, 10) : 0);
                say(fd, "pong", body);
            }
        }
        memmove(buffer, buffer + start, held - start);
        held -= start;
        if (!is_ready && trusted == markets) is_ready = 1, distrusted = 0, puts("ready"), fflush(stdout);
    }
    sort_times(latencies, deltas);
    printf(
        "{\"deltas\":%zu,\"conflated\":%zu,\"distrusted\":%zu,\"p50\":%lld,\"p99\":%lld,\"elapsed\":%lld}\n", deltas,
        repeated, distrusted, (long long)quantile(latencies, deltas, 0.5), (long long)quantile(latencies, deltas, 0.99),
        (long long)(last - sent[0]));
    return 0;
}
