/* library_test, fifth part: the names of the registry's servers, and a resolver that fails or
 * hangs. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/system/library_test.h"

/* ---- a resolver that can be made to fail, or to hang ----------------------------------------- */

static atomic_int resolver_hangs, resolver_hung;
static atomic_int beta_is_known; /* alpha always is; both are this machine */
static atomic_int asked_for_beta;

__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_list)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    bool alpha = host && strcmp(host, "alpha") == 0, beta = host && strcmp(host, "beta") == 0;
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    struct in_addr literal;
    if (atomic_load(&resolver_hangs) && !(host && inet_pton(AF_INET, host, &literal) == 1)) {
        atomic_fetch_add(&resolver_hung, 1);
        while (atomic_load(&resolver_hangs)) {
            pause_ms(5);
        }
        atomic_fetch_sub(&resolver_hung, 1);
    }
    atomic_fetch_add(&asked_for_beta, beta);
    if (beta && !atomic_load(&beta_is_known)) {
        return EAI_AGAIN;
    }
    return real(alpha || beta ? "127.0.0.1" : host, service, hints, ret_list);
}

/* ---- a server that can be taken away --------------------------------------------------------- */

static struct relay {
    pthread_t thread;
    atomic_bool stop;
    int listener, port, to_port;
} relay;

static int dial(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool pass_on(int from, int to)
{
    char bytes[4096];
    ssize_t n = read(from, bytes, sizeof bytes);
    return n > 0 && write(to, bytes, (size_t)n) == n;
}

/* One connection at a time is enough. */
static void *run_relay(void *arg)
{
    int client = -1, server = -1;
    (void)arg;
    while (!atomic_load(&relay.stop)) {
        struct pollfd fds[] = {
            {relay.listener, POLLIN, 0}, {client, POLLIN, 0}, {server, POLLIN, 0}};
        if (poll(fds, client < 0 ? 1 : 3, 20) <= 0) {
            continue;
        }
        if (client < 0 && fds[0].revents) {
            client = accept(relay.listener, NULL, NULL);
            server = dial(relay.to_port);
        } else if ((fds[1].revents && !pass_on(client, server)) ||
                   (fds[2].revents && !pass_on(server, client))) {
            close(client);
            close(server);
            client = server = -1;
        }
    }
    close(relay.listener);
    close(client);
    close(server);
    return NULL;
}

static void start_relay(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    relay = (struct relay){.listener = socket(AF_INET, SOCK_STREAM, 0)};
    CHECK(relay.listener >= 0 && bind(relay.listener, (struct sockaddr *)&at, sizeof at) == 0 &&
          listen(relay.listener, 8) == 0 &&
          getsockname(relay.listener, (struct sockaddr *)&at, &len) == 0);
    relay.port = ntohs(at.sin_port);
    relay.to_port = atoi(strrchr(servers, ':') + 1);
    CHECK(pthread_create(&relay.thread, NULL, run_relay, NULL) == 0);
}

static void stop_relay(void)
{
    atomic_store(&relay.stop, true);
    pthread_join(relay.thread, NULL);
}

/* ---- the tests ------------------------------------------------------------------------------- */

static void a_hung_resolver_delays_neither_open_nor_close(void)
{
    struct roster_cluster *cluster;
    atomic_store(&resolver_hangs, 1);
    int64_t start_ms = now_ms();
    struct roster *roster =
        open_with((struct roster_options){.servers = "localhost:1", .log = log_line});
    CHECK(roster_subscribe(roster, "orders", &(struct roster_subscription){.wait_ms = -1},
                           &cluster) == ROSTER_UNREACHABLE);
    EVENTUALLY(atomic_load(&resolver_hung) > 0);
    CHECK(now_ms() - start_ms < 5000);
    start_ms = now_ms();
    roster_close(roster);
    CHECK(now_ms() - start_ms < 4000);
    atomic_store(&resolver_hangs, 0); /* its thread comes back, and cleans up after itself */
    EVENTUALLY(count_entries("/proc/self/task") == threads_at_start);
}

/* Started while one of two names has an address, it is not bound to that server. */
static void a_list_with_a_name_missing_is_completed_while_the_link_is_well(void)
{
    char list[64];
    atomic_store(&beta_is_known, 0);
    start_relay();
    snprintf(list, sizeof list, "alpha:%d,beta:%d", relay.port, relay.to_port);
    struct roster *roster = open_for((struct roster_options){.servers = list}, 10000);
    struct roster_cluster *cluster = followed(roster, "orders");
    int asked = atomic_load(&asked_for_beta);
    atomic_store(&beta_is_known, 1);
    EVENTUALLY(atomic_load(&asked_for_beta) > asked);
    CHECK(state_of(cluster).connected);
    stop_relay();
    int64_t lost_ms = now_ms();
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    int64_t took_ms = now_ms() - lost_ms;
    roster_close(roster);
    if (took_ms > 2000) {
        fail("it was followed after %lld ms", (long long)took_ms);
    }
}

/* The link is lost before the missing name was looked up again: then that is done at once. */
static void a_name_that_is_missing_is_looked_up_when_the_link_is_lost(void)
{
    char list[64];
    atomic_store(&beta_is_known, 0);
    start_relay();
    snprintf(list, sizeof list, "alpha:%d,beta:%d", relay.port, relay.to_port);
    struct roster *roster = open_for((struct roster_options){.servers = list}, 10000);
    struct roster_cluster *cluster = followed(roster, "orders");
    atomic_store(&beta_is_known, 1);
    stop_relay();
    int64_t lost_ms = now_ms();
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    int64_t took_ms = now_ms() - lost_ms;
    roster_close(roster);
    if (took_ms > 2000) {
        fail("it was followed after %lld ms", (long long)took_ms);
    }
}

static void known_addresses_serve_while_the_resolver_hangs(void)
{
    char list[64];
    snprintf(list, sizeof list, "alpha:%s", strrchr(servers, ':') + 1);
    struct roster *roster = open_with((struct roster_options){.servers = list});
    struct roster_cluster *cluster = followed(roster, "orders");
    atomic_store(&resolver_hangs, 1);
    stop_server();
    EVENTUALLY(state_of(cluster).age_ms > 3 * SESSION_MS); /* the session ends meanwhile */
    continue_server();
    EVENTUALLY(state_of(cluster).connected);
    put_topology("orders", 2, "b");
    EVENTUALLY(writes_to(cluster, "b"));
    atomic_store(&resolver_hangs, 0);
    roster_close(roster);
    EVENTUALLY(count_entries("/proc/self/task") == threads_at_start);
}

static void a_name_that_does_not_resolve_is_named(void)
{
    struct roster_cluster *cluster;
    atomic_store(&beta_is_known, 0);
    struct roster *roster = open_with((struct roster_options){.servers = "beta:1"});
    roster_subscribe(roster, "orders", &(struct roster_subscription){.wait_ms = -1}, &cluster);
    EVENTUALLY(strstr(state_of(cluster).refused, "beta does not resolve"));
    roster_close(roster);
}

const struct test names_tests[] = {
    TEST(a_hung_resolver_delays_neither_open_nor_close, false),
    TEST(a_list_with_a_name_missing_is_completed_while_the_link_is_well, true),
    TEST(a_name_that_is_missing_is_looked_up_when_the_link_is_lost, true),
    TEST(known_addresses_serve_while_the_resolver_hangs, true),
    TEST(a_name_that_does_not_resolve_is_named, false),
    {0},
};
