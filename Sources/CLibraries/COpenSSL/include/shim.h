// The digests that the feed path, the WebSocket handshake and the venue's requests need, from libcrypto.
#ifndef POLYBOT_COPENSSL_H
#define POLYBOT_COPENSSL_H
#include <stddef.h>

/// SHA-1 of `count` bytes into `digest` (20 bytes).
void copenssl_sha1(const void *bytes, size_t count, unsigned char *digest);

/// HMAC-SHA256 of `count` bytes with `key` into `digest` (32 bytes). Source: RFC 2104.
void copenssl_hmac_sha256(
    const void *key, size_t key_count, const void *bytes, size_t count, unsigned char *digest);
#endif
