// A bare signature of libsecp256k1: what no program can go below.
//
//     sign COUNT     prints one line of JSON, in nanoseconds
#include "bench.h"
#include <secp256k1.h>
#include <secp256k1_recovery.h>

int main(int argc, char **argv) {
    if (argc != 2) return 64;
    size_t count = (size_t)atol(argv[1]), warm = count / 10 + 100;
    secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    unsigned char key[32], digest[32], compact[64];
    memset(key, 0x4f, sizeof key);
    memset(digest, 0x17, sizeof digest);
    if (!context || !secp256k1_context_randomize(context, digest)) return 1;
    int64_t *times = malloc(count * sizeof *times);
    for (size_t i = 0; i < count + warm; i++) {
        secp256k1_ecdsa_recoverable_signature signature;
        int recovery;
        memcpy(digest, &i, sizeof i);
        int64_t start = now_ns();
        if (!secp256k1_ecdsa_sign_recoverable(context, &signature, digest, key, NULL, NULL)) return 1;
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context, compact, &recovery, &signature);
        if (i >= warm) times[i - warm] = now_ns() - start;
    }
    sort_times(times, count);
    printf("{\"p50\":%lld,\"p99\":%lld}\n", (long long)quantile(times, count, 0.5), (long long)quantile(times, count, 0.99));
    return 0;
}
