#include "shim.h"

#include <stdint.h>
#include <sys/socket.h>

static curl_socket_t open_private_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    int receive_buffer = (int)(intptr_t)context;
    // Before connecting, as the window that is promised follows from it. The kernel may grant less, or nothing.
    if (fd >= 0 && receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    return fd;
}

CURLcode ccurl_set_private_sockets(CURL *h) {
    return curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, open_private_socket);
}

CURLcode ccurl_set_receive_buffer(CURL *h, int bytes) {
    return curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, (void *)(intptr_t)bytes);
}
