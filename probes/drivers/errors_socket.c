/* The part of errors.h that reads and sets a socket; errors.c is pure. */
#include "probes/drivers/errors.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool is_same(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    if (a->any.sa_family == AF_INET) {
        return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    }
    return a->any.sa_family == AF_INET6 && a->v6.sin6_port == b->v6.sin6_port &&
           memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0;
}

int errors_of_connect(int fd)
{
    int error = 0;
    socklen_t size = sizeof error;
    union address here = {.any = {0}}, there = {.any = {0}};
    socklen_t here_size = sizeof here, there_size = sizeof there;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
        return errno;
    }
    if (error != 0) {
        return error;
    }
    if (getsockname(fd, &here.any, &here_size) != 0 ||
        getpeername(fd, &there.any, &there_size) != 0) {
        return errno;
    }
    return is_same(&here, &there) ? ECONNREFUSED : 0;
}

void errors_keep_alive(int fd, int64_t timeout_ms)
{
    const struct {
        int level, option, value;
    } settings[] = {{SOL_SOCKET, SO_KEEPALIVE, 1},
                    {IPPROTO_TCP, TCP_KEEPIDLE, 10},
                    {IPPROTO_TCP, TCP_KEEPINTVL, 2},
                    {IPPROTO_TCP, TCP_KEEPCNT, 3},
                    {IPPROTO_TCP, TCP_USER_TIMEOUT, (int)(2 * timeout_ms + 1000)}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        setsockopt(fd, settings[i].level, settings[i].option, &settings[i].value, sizeof(int));
    }
}
