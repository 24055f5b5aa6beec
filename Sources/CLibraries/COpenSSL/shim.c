// SHA1() and HMAC() of OpenSSL 3 look the algorithm up anew in every call, under locks and with allocations; the functions
// that it calls deprecated do not, and a book is hashed for every message, a request signed for every order.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "shim.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

void copenssl_sha1(const void *bytes, size_t count, unsigned char *digest) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, bytes, count);
    SHA1_Final(digest, &context);
}

void copenssl_hmac_sha256(
    const void *key, size_t key_count, const void *bytes, size_t count, unsigned char *digest) {
    SHA256_CTX context;
    unsigned char block[SHA256_CBLOCK] = {0};
    if (key_count > sizeof block) {
        SHA256_Init(&context);
        SHA256_Update(&context, key, key_count);
        SHA256_Final(block, &context);
    } else if (key_count > 0) {
        memcpy(block, key, key_count);
    }
    for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36;
    SHA256_Init(&context);
    SHA256_Update(&context, block, sizeof block);
    SHA256_Update(&context, bytes, count);
    SHA256_Final(digest, &context);
    for (size_t index = 0; index < sizeof block; index++) block[index] ^= 0x36 ^ 0x5c;
    SHA256_Init(&context);
    SHA256_Update(&context, block, sizeof block);
    SHA256_Update(&context, digest, SHA256_DIGEST_LENGTH);
    SHA256_Final(digest, &context);
    OPENSSL_cleanse(block, sizeof block);
    OPENSSL_cleanse(&context, sizeof context);
}
