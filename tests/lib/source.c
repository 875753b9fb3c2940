/* source.so: preloaded into a server, it makes the server's connections over IPv4 leave from the
 * address in SOURCE_ADDRESS. On one machine a standby is so seen at the address where it listens,
 * as it is when each has a host of its own. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *to,
                                                   socklen_t size)
{
    int (*real)(int, const struct sockaddr *, socklen_t);
    const char *source = getenv("SOURCE_ADDRESS");
    struct sockaddr_in from = {.sin_family = AF_INET};
    *(void **)&real = dlsym(RTLD_NEXT, "connect");
    if (source && to->sa_family == AF_INET && inet_pton(AF_INET, source, &from.sin_addr) == 1) {
        /* it has not been bound before */
        bind(fd, (const struct sockaddr *)&from, sizeof from);
    }
    return real(fd, to, size);
}
