// SHA1() of OpenSSL 3 looks the algorithm up anew in every call, under locks and with three allocations; the functions
// that it calls deprecated do not, and a book is hashed for every message.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "shim.h"

#include <openssl/sha.h>

void copenssl_sha1(const void *bytes, size_t count, unsigned char *digest) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, bytes, count);
    SHA1_Final(digest, &context);
}
