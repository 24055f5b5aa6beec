// A journal as C would write it: write(2) of each group, and fdatasync on a thread of its own for whatever has come meanwhile.
//
//     journal FILE GROUPS GROUP_BYTES     prints one line of JSON, in nanoseconds
#include "bench.h"
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static int is_wanted, is_over, fd;

static void *synchronise(void *unused) {
    (void)unused;
    pthread_mutex_lock(&mutex);
    while (is_wanted || !is_over) {
        if (!is_wanted) {
            pthread_cond_wait(&wake, &mutex);
            continue;
        }
        is_wanted = 0;
        pthread_mutex_unlock(&mutex);
        if (fdatasync(fd)) die("fdatasync");
        pthread_mutex_lock(&mutex);
    }
    pthread_mutex_unlock(&mutex);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) return 64;
    size_t count = (size_t)atol(argv[2]), length = (size_t)atol(argv[3]);
    fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) die(argv[1]);
    char *group = malloc(length);
    memset(group, 'x', length);
    group[length - 1] = '\n';
    int64_t *times = malloc(count * sizeof *times);
    pthread_t thread;
    if (pthread_create(&thread, NULL, synchronise, NULL)) die("pthread_create");
    int64_t start = now_ns();
    for (size_t i = 0; i < count; i++) {
        int64_t before = now_ns();
        if (write(fd, group, length) != (ssize_t)length) die("write");
        pthread_mutex_lock(&mutex);
        is_wanted = 1;
        pthread_cond_signal(&wake);
        pthread_mutex_unlock(&mutex);
        times[i] = now_ns() - before;
    }
    int64_t appended = now_ns() - start;
    pthread_mutex_lock(&mutex);
    is_over = 1;
    pthread_cond_signal(&wake);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    if (fdatasync(fd)) die("fdatasync");
    int64_t synced = now_ns() - start;
    sort_times(times, count);
    printf("{\"p50\":%lld,\"p99\":%lld,\"appended\":%lld,\"synced\":%lld}\n", (long long)quantile(times, count, 0.5),
           (long long)quantile(times, count, 0.99), (long long)appended, (long long)synced);
    return 0;
}
