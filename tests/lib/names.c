/* names.so, preloaded: nobody answers for names that begin with "dead-"; it takes a minute. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_found)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *, struct addrinfo **))dlsym(
            RTLD_NEXT, "getaddrinfo");
    if (host && strncmp(host, "dead-", 5) == 0) {
        sleep(60);
        return EAI_AGAIN;
    }
    return next(host, service, hints, ret_found);
}
