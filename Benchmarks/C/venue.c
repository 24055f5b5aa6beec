// The beginning of the path: a venue that serves recorded terms and books, and then plays price changes from memory.
//
//   venue MARKETS MESSAGES TIMES COUNT
//
// MARKETS holds one market a line, tab-separated: condition id, answer to /clob-markets, and for each outcome its token
// and its `book` text. MESSAGES holds price changes, each behind a four-byte length. Prints its port; then for the line
// "go RATE" on standard input it sends COUNT messages at RATE a second (0: as fast as they are taken), notes in TIMES
// when each was sent, and prints "done".
#include "bench.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/sha.h>
#include <poll.h>

enum { CONNECTIONS_MAX = 32, REQUEST_MAX = 1 << 20, FLOOD_BATCH = 16 };

typedef struct { char *condition, *terms, *token[2], *book[2]; } Market;
typedef struct { int fd, is_stream; size_t count; unsigned char *bytes; } Connection;

static Market *markets;
static size_t market_count;
static Connection connections[CONNECTIONS_MAX];
static int stream_count;

static void load_markets(const char *path) {
    size_t count;
    char *text = load(path, &count);
    markets = malloc(sizeof *markets * (count / 100 + 1));
    for (char *line; (line = strsep(&text, "\n")) && *line;) {
        Market *market = &markets[market_count++];
        char **fields[] = {&market->condition, &market->terms, &market->token[0],
                           &market->book[0],   &market->token[1], &market->book[1]};
        for (size_t field = 0; field < 6; field++) *fields[field] = strsep(&line, "\t");
        if (!market->book[1]) errno = EINVAL, die(path);
    }
}

static void send_text(int fd, const char *text) {
    size_t length = strlen(text);
    unsigned char head[4] = {0x81, 126, (unsigned char)(length >> 8), (unsigned char)length};
    if (length < 126) head[1] = (unsigned char)length;
    if (length > 0xFFFF) errno = EMSGSIZE, die("book");
    write_all(fd, head, length < 126 ? 2 : 4);
    write_all(fd, text, length);
}

/// Answers one HTTP request: the upgrade, a market's terms, or 404.
static void answer(Connection *connection, char *request) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char response[1 << 16];
    char *key = strcasestr(request, "sec-websocket-key: ");
    if (key) {
        char joined[128], accept[32] = {0};
        unsigned char digest[21] = {0};
        int length = snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key + 19);
        SHA1((unsigned char *)joined, (size_t)length, digest);
        for (int group = 0; group < 7; group++) {
            unsigned char *three = digest + group * 3;
            uint32_t bits = (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2];
            for (int letter = 0; letter < 4; letter++)
                accept[group * 4 + letter] = alphabet[bits >> (18 - 6 * letter) & 63];
        }
        accept[27] = '=';
        snprintf(
            response, sizeof response,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: %s\r\n\r\n",
            accept);
        connection->is_stream = 1;
        stream_count++;
    } else {
        const char *body = NULL;
        for (size_t index = 0; index < market_count && !body; index++)
            if (!strncmp(request, "GET /clob-markets/", 18) && !strncmp(request + 18, markets[index].condition, 66))
                body = markets[index].terms;
        snprintf(
            response, sizeof response, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
            body ? "200 OK" : "404 Not Found", body ? strlen(body) : 2, body ? body : "{}");
    }
    write_all(connection->fd, response, strlen(response));
}

/// A text of the client: every token in it gets its book.
static void take_text(int fd, char *text) {
    for (char *at = text; (at = strchr(at, '"')); at++) {
        size_t length = strspn(at + 1, "0123456789");
        if (length < 60) continue;
        for (size_t index = 0; index < market_count; index++)
            for (int outcome = 0; outcome < 2; outcome++)
                if (!strncmp(markets[index].token[outcome], at + 1, length))
                    send_text(fd, markets[index].book[outcome]);
        at += length;
    }
}

static size_t take_frame(Connection *connection) {
    unsigned char *bytes = connection->bytes;
    if (connection->count < 2) return 0;
    size_t length = bytes[1] & 127, head = length == 126 ? 4 : length == 127 ? 10 : 2;
    if (connection->count < head + 4) return 0;
    if (head > 2) length = 0;
    for (size_t index = 2; index < head; index++) length = length << 8 | bytes[index];
    if (connection->count < head + 4 + length) return 0;
    char *text = malloc(length + 1);
    for (size_t index = 0; index < length; index++)
        text[index] = (char)(bytes[head + 4 + index] ^ bytes[head + index % 4]);
    text[length] = 0;
    if ((bytes[0] & 15) == 1) take_text(connection->fd, text);
    free(text);
    return head + 4 + length;
}

static size_t take_request(Connection *connection) {
    char *end = memmem(connection->bytes, connection->count, "\r\n\r\n", 4);
    if (!end) return 0;
    *end = 0;
    answer(connection, (char *)connection->bytes);
    return (size_t)(end + 4 - (char *)connection->bytes);
}

static void take(Connection *connection) {
    ssize_t got = recv(connection->fd, connection->bytes + connection->count, REQUEST_MAX - connection->count, 0);
    if (got <= 0) {
        close(connection->fd);
        if (connection->is_stream) exit(0);
        connection->fd = -1;
        return;
    }
    connection->count += (size_t)got;
    for (size_t taken; (taken = connection->is_stream ? take_frame(connection) : take_request(connection));) {
        connection->count -= taken;
        memmove(connection->bytes, connection->bytes + taken, connection->count);
    }
}

/// Serves until a line comes on standard input, which it returns.
static char *serve(int listener) {
    static char line[256];
    for (;;) {
        struct pollfd polled[CONNECTIONS_MAX + 2] = {{.fd = 0, .events = POLLIN}, {.fd = listener, .events = POLLIN}};
        for (int index = 0; index < CONNECTIONS_MAX; index++)
            polled[index + 2] = (struct pollfd){.fd = connections[index].fd, .events = POLLIN};
        if (poll(polled, CONNECTIONS_MAX + 2, -1) < 0) die("poll");
        for (int index = 0; index < CONNECTIONS_MAX; index++)
            if (polled[index + 2].revents) take(&connections[index]);
        if (polled[1].revents) {
            int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC), slot = 0, one = 1;
            while (slot < CONNECTIONS_MAX && connections[slot].fd >= 0) slot++;
            if (fd < 0 || slot == CONNECTIONS_MAX) errno = EMFILE, die("accept");
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            connections[slot] = (Connection){.fd = fd, .bytes = connections[slot].bytes};
            if (!connections[slot].bytes) connections[slot].bytes = malloc(REQUEST_MAX);
        }
        if (polled[0].revents) return fgets(line, sizeof line, stdin);
    }
}

int main(int argc, char **argv) {
    if (argc != 5) return fprintf(stderr, "usage: venue MARKETS MESSAGES TIMES COUNT\n"), 64;
    load_markets(argv[1]);
    size_t size, count = strtoul(argv[4], NULL, 10);
    unsigned char *messages = (unsigned char *)load(argv[2], &size);
    size_t *ends = malloc((count + 1) * sizeof *ends);
    ends[0] = 0;
    // The four-byte length becomes a WebSocket header of four bytes, so that any run of messages is ready to send.
    for (size_t index = 0, at = 0; index < count; index++) {
        uint32_t length = at + 4 <= size ? frame_length(messages + at) : 0;
        if (length < 126 || length > 0xFFFF) errno = EINVAL, die(argv[2]);
        messages[at] = 0x81;
        messages[at + 1] = 126;
        ends[index + 1] = at += 4 + length;
    }
    int64_t *times = share_times(argv[3], count);
    for (int index = 0; index < CONNECTIONS_MAX; index++) connections[index].fd = -1;

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t address_size = sizeof address;
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 16)) die("listen");
    getsockname(listener, (struct sockaddr *)&address, &address_size);
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);

    char *line = serve(listener);
    if (!line || strncmp(line, "go ", 3) || !stream_count) return 1;
    double rate = atof(line + 3);
    size_t batch = rate > 0 ? 1 : FLOOD_BATCH;
    int64_t start = now_ns();
    for (size_t index = 0; index < count; index += batch) {
        if (batch > count - index) batch = count - index;
        if (rate > 0) {
            int64_t due = start + (int64_t)((double)index * 1e9 / rate);
            struct timespec until = {due / 1000000000, due % 1000000000};
            if (now_ns() < due) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        }
        int64_t now = now_ns();
        for (size_t sent = index; sent < index + batch; sent++) times[sent] = now;
        // Whoever has two connections hears everything twice.
        for (int slot = 0; slot < CONNECTIONS_MAX; slot++)
            if (connections[slot].fd >= 0 && connections[slot].is_stream)
                write_all(connections[slot].fd, messages + ends[index], ends[index + batch] - ends[index]);
    }
    puts("done");
    fflush(stdout);
    serve(listener);
    return 0;
}
