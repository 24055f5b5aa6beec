// A bare subscriber of the market channel: counts the texts that come in a time, and reads nothing of them.
//
//   counter PORT SECONDS < subscription
//
// Prints {"messages":…,"bytes":…,"elapsed":…} with nanoseconds; the time begins with the first text after the books.
#include "bench.h"
#include <arpa/inet.h>

static unsigned char input[8 << 20];
static size_t filled, used;
static int channel;

static void fill(void) {
    if (used) memmove(input, input + used, filled - used), filled -= used, used = 0;
    ssize_t got = recv(channel, input + filled, sizeof input - filled, 0);
    if (got <= 0) die("recv");
    filled += (size_t)got;
}

/// Passes over one frame.
static size_t skip_frame(void) {
    for (;;) {
        size_t ready = filled - used, head = 2;
        const unsigned char *at = input + used;
        if (ready >= 10) {
            size_t length = at[1] & 0x7f;
            if (length == 126) length = (size_t)at[2] << 8 | at[3], head = 4;
            else if (length == 127) length = frame_length(at + 6), head = 10;
            if (length + head > sizeof input) errno = EMSGSIZE, die("frame");
            if (ready >= head + length) return used += head + length, length;
        }
        fill();
    }
}

/// Sends a masked text; the mask is zero.
static void send_text(const char *text, size_t length) {
    unsigned char head[14] = {0x81, 0x80 | 127};
    put_frame_length(head + 6, (uint32_t)length);
    write_all(channel, head, sizeof head);
    write_all(channel, text, length);
}

int main(int count, char **arguments) {
    if (count != 3) return 64;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    channel = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (channel < 0 || connect(channel, (struct sockaddr *)&address, sizeof address)) die("connect");
    const char *upgrade = "GET /ws/market HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    write_all(channel, upgrade, strlen(upgrade));
    while (filled < 4 || memcmp(input + filled - 4, "\r\n\r\n", 4)) {
        if (recv(channel, input + filled++, 1, 0) != 1) die("upgrade");
    }
    used = filled;
    static char subscription[1 << 20];
    send_text(subscription, fread(subscription, 1, sizeof subscription, stdin));
    skip_frame();
    int64_t start = now_ns(), stop = start + (int64_t)atoi(arguments[2]) * 1000000000, now = start;
    int64_t messages = 0, bytes = 0;
    for (; now < stop; now = now_ns()) {
        for (int index = 0; index < 64; index++) bytes += (int64_t)skip_frame(), messages++;
    }
    printf("{\"messages\":%lld,\"bytes\":%lld,\"elapsed\":%lld}\n", (long long)messages, (long long)bytes,
           (long long)(now - start));
    return 0;
}
