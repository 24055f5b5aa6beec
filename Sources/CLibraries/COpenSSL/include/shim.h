// The digests that the feed path and the WebSocket handshake need, from libcrypto.
#ifndef POLYBOT_COPENSSL_H
#define POLYBOT_COPENSSL_H
#include <stddef.h>

/// SHA-1 of `count` bytes into `digest` (20 bytes).
void copenssl_sha1(const void *bytes, size_t count, unsigned char *digest);
#endif
