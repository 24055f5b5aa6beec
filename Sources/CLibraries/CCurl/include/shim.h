// libcurl's variadic calls, one plain function for each kind of argument.
#ifndef POLYBOT_CCURL_H
#define POLYBOT_CCURL_H
#include <curl/curl.h>

typedef size_t (*ccurl_write_callback)(char *bytes, size_t size, size_t count, void *context);
typedef int (*ccurl_progress_callback)(
    void *context, curl_off_t down_total, curl_off_t down_now, curl_off_t up_total, curl_off_t up_now);
typedef int (*ccurl_prereq_callback)(
    void *context, char *remote_address, char *local_address, int remote_port, int local_port);

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
static inline CURLcode ccurl_set_long(CURL *h, CURLoption o, long v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode ccurl_set_string(CURL *h, CURLoption o, const char *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode ccurl_set_pointer(CURL *h, CURLoption o, void *v) { return curl_easy_setopt(h, o, v); }
static inline CURLcode ccurl_set_list(CURL *h, CURLoption o, struct curl_slist *v) { return curl_easy_setopt(h, o, v); }
/// CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION.
static inline CURLcode ccurl_set_write(CURL *h, CURLoption o, ccurl_write_callback v) {
    return curl_easy_setopt(h, o, v);
}
static inline CURLcode ccurl_set_progress(CURL *h, ccurl_progress_callback v) {
    return curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, v);
}
static inline CURLcode ccurl_set_prereq(CURL *h, ccurl_prereq_callback v) {
    return curl_easy_setopt(h, CURLOPT_PREREQFUNCTION, v);
}
/// Sockets that no child process inherits; libcurl's own would keep a connection open in whatever the daemon starts.
CURLcode ccurl_set_private_sockets(CURL *h);
/// Asks the kernel for `bytes` of receive buffer on such sockets, instead of what it finds by itself.
CURLcode ccurl_set_receive_buffer(CURL *h, int bytes);
static inline CURLcode ccurl_get_long(CURL *h, CURLINFO i, long *v) { return curl_easy_getinfo(h, i, v); }
static inline CURLcode ccurl_get_socket(CURL *h, curl_socket_t *v) {
    return curl_easy_getinfo(h, CURLINFO_ACTIVESOCKET, v);
}
static inline CURLMcode ccurl_multi_set_long(CURLM *m, CURLMoption o, long v) { return curl_multi_setopt(m, o, v); }
#endif
