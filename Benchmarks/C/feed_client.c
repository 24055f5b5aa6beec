// The C counterpart of feedd on the path: reads the market channel, keeps the books, writes frames to one subscriber.
//
//   feed_client PORT PATH MARKETS [batch]
//
// It trusts what it reads: no hashes, no UTF-8 check, no slow consumers, no reconnects. One write a message, or with
// `batch` one write for all that one read brought.
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>

enum { LEVELS = 1001, TABLE = 1 << 12 };

typedef struct {
    char *condition, *token;
    long n, update;
    int64_t sizes[2][LEVELS];
} Market;

typedef struct { const char *at; size_t count; } Text;

static Market *table[TABLE];
static size_t market_count;
static int subscriber, is_batching;
static long sequence;
static unsigned char output[4 << 20];
static size_t output_count;

static size_t slot(const char *condition) {
    uint32_t hash = 2166136261u;
    for (int index = 50; index < 66; index++) hash = (hash ^ (unsigned char)condition[index]) * 16777619u;
    return hash % TABLE;
}

static Market *market_named(const char *condition) {
    size_t at = slot(condition);
    while (table[at] && memcmp(table[at]->condition, condition, 66)) at = (at + 1) % TABLE;
    return table[at];
}

static char *put(char *at, const char *text) {
    size_t count = strlen(text);
    memcpy(at, text, count);
    return at + count;
}

static char *put_integer(char *at, int64_t value) {
    char digits[20];
    int start = 20;
    do digits[--start] = (char)('0' + value % 10); while (value /= 10);
    memcpy(at, digits + start, (size_t)(20 - start));
    return at + 20 - start;
}

static int64_t integer(Text text) {
    int64_t value = 0;
    for (size_t index = 0; index < text.count; index++) value = value * 10 + (text.at[index] - '0');
    return value;
}

static int64_t micros(Text text) {
    int64_t value = 0, places = -1;
    for (size_t index = 0; index < text.count; index++) {
        if (text.at[index] == '.') { places = 0; continue; }
        value = value * 10 + (text.at[index] - '0');
        if (places >= 0) places++;
    }
    for (places = places < 0 ? 0 : places; places < 6; places++) value *= 10;
    return value;
}

static int64_t wall_micros(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static char *begin(const char *type) {
    char *at = (char *)output + output_count + 4;
    at = put_integer(put(at, "{\"v\":1,\"seq\":"), ++sequence);
    at = put(put(put(at, ",\"type\":\""), type), "\",\"sent_time\":");
    return put(put_integer(at, wall_micros()), ",\"body\":");
}

static void flush(void) {
    if (output_count) write_all(subscriber, output, output_count);
    output_count = 0;
}

static void end(char *at) {
    *at++ = '}';
    size_t count = (size_t)(at - (char *)output) - output_count - 4;
    put_frame_length(output + output_count, (uint32_t)count);
    output_count += 4 + count;
    if (!is_batching || output_count > sizeof output / 2) flush();
}

static char *put_side(char *at, Market *market, int side) {
    *at++ = '[';
    for (int level = 0, any = 0; level < LEVELS; level++) {
        int tick = side ? level : LEVELS - 1 - level;
        if (!market->sizes[side][tick]) continue;
        if (any++) *at++ = ',';
        at = put_integer(put(at, "["), (int64_t)tick * 1000);
        at = put(put_integer(put(at, ","), market->sizes[side][tick]), "]");
    }
    return put(at, "]");
}

static void publish_book(Market *market, int64_t time) {
    char *at = put(put_integer(put(begin("book"), "{\"n\":"), market->n), ",\"market\":\"");
    memcpy(at, market->condition, 66);
    at = put(
        at + 66, "\",\"epoch\":1,\"update\":1,\"trusted\":true,\"settled\":true,\"source\":\"ws\",\"tick\":10000,"
                 "\"bids\":");
    at = put_side(put(put_side(at, market, 0), ",\"asks\":"), market, 1);
    at = put_integer(put(at, ",\"venue_time\":"), time * 1000);
    end(put(put_integer(put(at, ",\"received_time\":"), wall_micros()), "}"));
}

/// Reads one text of the channel, key by key; all values in it are strings, objects or arrays.
static void take(const char *text, size_t count, int64_t received) {
    const char *at = text, *stop = text + count;
    Text price = {0}, size = {0}, token = {0}, side = {0};
    Market *market = NULL;
    int64_t time = 0;
    int is_book = 0, is_bids = 0, is_in_levels = 0, changes = 0;
    char levels[512], *level = levels;
    while ((at = memchr(at, '"', (size_t)(stop - at)))) {
        const char *key = ++at;
        at = memchr(at, '"', (size_t)(stop - at));
        size_t length = (size_t)(at - key);
        at += 2;
        if (*at != '"') {
            if (length == 4 && (!memcmp(key, "bids", 4) || !memcmp(key, "asks", 4)))
                is_bids = key[0] == 'b', is_in_levels = 1;
            continue;
        }
        Text value = {at + 1, 0};
        at = memchr(value.at, '"', (size_t)(stop - value.at));
        value.count = (size_t)(at++ - value.at);
        switch (length) {
        case 4:
            if (!memcmp(key, "size", 4)) size = value;
            if (!memcmp(key, "side", 4)) side = value;
            break;
        case 5: if (!memcmp(key, "price", 5)) price = value; break;
        case 6: if (!memcmp(key, "market", 6)) market = market_named(value.at); break;
        case 8: if (!memcmp(key, "asset_id", 8)) token = value; break;
        case 9: if (!memcmp(key, "timestamp", 9)) time = integer(value); break;
        case 10: if (!memcmp(key, "event_type", 10)) is_book = value.count == 4; break;
        }
        if (*at != '}' || !price.at || !size.at || !market) continue;
        int is_first = token.count == strlen(market->token) && !memcmp(token.at, market->token, token.count);
        int64_t amount = micros(size), tick = micros(price) / 1000;
        if (!is_first) tick = LEVELS - 1 - tick;
        int is_ask = (is_in_levels ? is_bids : side.at[0] == 'B') != is_first;
        if (market->sizes[is_ask][tick] != amount) {
            market->sizes[is_ask][tick] = amount;
            if (!is_book && level < levels + sizeof levels - 64) {
                level = put(level, changes++ ? ",[\"" : "[\"");
                level = put_integer(put(put(level, is_ask ? "ask" : "bid"), "\","), tick * 1000);
                level = put(put_integer(put(level, ","), amount), "]");
            }
        }
        price.at = size.at = NULL;
        if (at + 1 < stop && at[1] == ']') is_in_levels = 0;
    }
    if (!market) return;
    if (is_book) return publish_book(market, time);
    if (!changes) return;
    char *out = put_integer(put(begin("delta"), "{\"n\":"), market->n);
    out = put_integer(put(out, ",\"epoch\":1,\"update\":"), ++market->update);
    out = put(out, ",\"settled\":true,\"levels\":[");
    memcpy(out, levels, (size_t)(level - levels));
    out = put_integer(put(out + (level - levels), "],\"venue_time\":"), time * 1000);
    end(put(put_integer(put(out, ",\"received_time\":"), received), "}"));
}

static char *load_markets(const char *path) {
    size_t count;
    char *text = load(path, &count), *tokens = malloc(count + 64);
    char *at = put(tokens, "{\"type\":\"market\",\"assets_ids\":[");
    for (char *line; (line = strsep(&text, "\n")) && *line;) {
        Market *market = calloc(1, sizeof *market);
        char *fields[6];
        for (int field = 0; field < 6; field++) fields[field] = strsep(&line, "\t");
        market->condition = fields[0];
        market->token = fields[2];
        market->n = (long)++market_count;
        market->update = 1;
        size_t place = slot(market->condition);
        while (table[place]) place = (place + 1) % TABLE;
        table[place] = market;
        at = put(put(put(at, market_count > 1 ? ",\"" : "\""), fields[2]), "\",\"");
        at = put(put(at, fields[4]), "\"");
    }
    put(at, "]}")[0] = 0;
    return tokens;
}

static int connect_to_venue(int port, const char *subscription) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    const char *request =
        "GET /ws/market HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    write_all(fd, request, strlen(request));
    char head[1024];
    size_t count = 0;
    while (count < 4 || memcmp(head + count - 4, "\r\n\r\n", 4))
        if (count == sizeof head || recv(fd, head + count++, 1, 0) != 1) die("handshake");
    // A masking key of zero leaves the text as it is.
    size_t length = strlen(subscription);
    unsigned char frame[14] = {0x81, 0xFF};
    for (int index = 0; index < 8; index++) frame[2 + index] = (unsigned char)((uint64_t)length >> (56 - 8 * index));
    write_all(fd, frame, sizeof frame);
    write_all(fd, subscription, length);
    return fd;
}

int main(int argc, char **argv) {
    if (argc < 4) return fprintf(stderr, "usage: feed_client PORT PATH MARKETS [batch]\n"), 64;
    is_batching = argc == 5;
    char *subscription = load_markets(argv[3]);
    subscriber = accept(unix_listen(argv[2]), NULL, NULL);
    if (subscriber < 0) die("accept");
    int fd = connect_to_venue(atoi(argv[1]), subscription);
    static unsigned char input[256 << 10];
    size_t held = 0;
    for (;;) {
        ssize_t got = recv(fd, input + held, sizeof input - held, 0);
        if (got <= 0) return 0;
        int64_t received = wall_micros();
        held += (size_t)got;
        size_t start = 0;
        while (held - start >= 4) {
            size_t length = input[start + 1], head = length == 126 ? 4 : 2;
            if (length == 126) length = (size_t)input[start + 2] << 8 | input[start + 3];
            if (held - start < head + length) break;
            take((const char *)input + start + head, length, received);
            start += head + length;
        }
        flush();
        memmove(input, input + start, held - start);
        held -= start;
    }
}
