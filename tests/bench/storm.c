/* storm HOW [HANDLES [SECONDS]] - how often many handles dial a registry that is not there.
 *
 *     refusing     nobody listens: each dial is refused at once
 *     hanging-up   each dial is accepted and closed at once
 *     dead         each dial is accepted, and nobody ever answers
 *
 * Prints the dials of each second, and those per second in the last half. A handle is one
 * connection: a host with a thousand of them is a thousand clients. It counts connect(2)
 * itself, for which it stands in. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <roster.h>

enum { HANDLES = 1000, SECONDS = 40 };

static atomic_ulong dials;

__attribute__((visibility("default"))) int connect(int fd, const struct sockaddr *address,
                                                   socklen_t len)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "connect");
    }
    if (address->sa_family == AF_INET || address->sa_family == AF_INET6) {
        atomic_fetch_add(&dials, 1);
    }
    return real(fd, address, len);
}

static int listener = -1;
static bool hangs_up;

static void *answer(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0 && hangs_up) {
            close(fd);
        }
    }
    return NULL;
}

/* The port to dial; 0: none could be had. */
static int prepare(const char *how)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    pthread_t thread;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(listener, (struct sockaddr *)&at, &len) != 0) {
        return 0;
    }
    hangs_up = strcmp(how, "hanging-up") == 0;
    if (strcmp(how, "refusing") != 0 &&
        (listen(listener, 4096) != 0 || pthread_create(&thread, NULL, answer, NULL) != 0)) {
        return 0;
    }
    return ntohs(at.sin_port);
}

static void raise_limits(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void open_handles(const char *servers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct roster *roster;
        struct roster_cluster *cluster;
        if (roster_open(&(struct roster_options){.servers = servers}, &roster) != ROSTER_OK) {
            fprintf(stderr, "storm: handle %zu: %s\n", i, roster_error());
            exit(1);
        }
        roster_subscribe(roster, "orders", &(struct roster_subscription){.wait_ms = -1}, &cluster);
    }
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "";
    size_t handles = argc > 2 ? strtoul(argv[2], NULL, 10) : HANDLES;
    int seconds = argc > 3 ? atoi(argv[3]) : SECONDS;
    char servers[32];
    if (strcmp(how, "refusing") != 0 && strcmp(how, "hanging-up") != 0 &&
        strcmp(how, "dead") != 0) {
        fputs("usage: storm refusing|hanging-up|dead [HANDLES [SECONDS]]\n", stderr);
        return 2;
    }
    raise_limits();
    int port = prepare(how);
    if (!port || handles == 0 || seconds < 2) {
        fprintf(stderr, "storm: %s\n", strerror(errno));
        return 1;
    }
    snprintf(servers, sizeof servers, "127.0.0.1:%d", port);
    open_handles(servers, handles);
    printf("%-11s %zu handles, dials each second:", how, handles);
    unsigned long before = 0, late = 0;
    for (int i = 0; i < seconds; i++) {
        sleep(1);
        unsigned long now = atomic_load(&dials);
        printf(" %lu", now - before);
        fflush(stdout);
        late += i >= seconds / 2 ? now - before : 0;
        before = now;
    }
    printf("\n%-11s %.1f dials a second in the last half\n", how,
           (double)late / (seconds - seconds / 2));
    fflush(stdout);
    _exit(0); /* closing them is not what is measured */
}
