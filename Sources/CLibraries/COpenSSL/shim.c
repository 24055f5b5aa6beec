#include "shim.h"

#include <openssl/sha.h>

void copenssl_sha1(const void *bytes, size_t count, unsigned char *digest) { SHA1(bytes, count, digest); }
