#include "probes/connect.h"

#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/drivers/driver.h"
#include "registry/base/clock.h"
#include "registry/base/text.h"
#include "registry/model/paths.h"
#include "registry/store/connect_string.h"
#include "registry/store/zk_chroot.h"

enum { REGISTRY_MS = 3000, POLL_MS = 100, ADDRESSES_MAX = 8 };

/* NOTE: it works, and the operator should know. */
enum outcome { WELL, NOTE, FAILED };

struct connection_check {
    const struct config *config;
    size_t failures;
};

static void print(struct connection_check *all, enum outcome outcome, const char *what,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

static void print(struct connection_check *all, enum outcome outcome, const char *what,
                  const char *format, ...)
{
    static const char *const words[] = {"ok", "note", "FAILED"};
    char answer[2 * SENTENCE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(answer, sizeof answer, format, args);
    va_end(args);
    printf("%-7s %s: %s\n", words[outcome], what, answer);
    fflush(stdout);
    all->failures += outcome == FAILED;
}

/* ---- names ----------------------------------------------------------------------------------- */

struct addresses {
    size_t count;
    char literal[ADDRESSES_MAX][LITERAL_SIZE];
};

/* NULL, or why there is none. */
static const char *resolve(const char *host, struct addresses *ret_addresses)
{
    struct addrinfo *all, hints = {.ai_socktype = SOCK_STREAM};
    int status = getaddrinfo(host, NULL, &hints, &all);
    *ret_addresses = (struct addresses){0};
    if (status != 0) {
        return gai_strerror(status);
    }
    for (struct addrinfo *at = all; at && ret_addresses->count < ADDRESSES_MAX; at = at->ai_next) {
        ret_addresses->count +=
            getnameinfo(at->ai_addr, at->ai_addrlen, ret_addresses->literal[ret_addresses->count],
                        LITERAL_SIZE, NULL, 0, NI_NUMERICHOST) == 0;
    }
    freeaddrinfo(all);
    return ret_addresses->count > 0 ? NULL : "it has no address";
}

/* ---- the registry ---------------------------------------------------------------------------- */

/* The next event of a kind, or NULL in time. */
static bool await(struct store *store, enum store_event_kind kind, struct store_event *ret_event)
{
    int64_t deadline_ms = clock_mono_ms() + REGISTRY_MS;
    for (;;) {
        int64_t now_ms = clock_mono_ms();
        while (store_next(store, now_ms, ret_event)) {
            if (ret_event->kind == kind) {
                return true;
            }
            if (ret_event->kind == STORE_GONE) {
                store_renew(store);
            }
        }
        if (now_ms >= deadline_ms) {
            return false;
        }
        struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
        poll(&fd, 1, POLL_MS);
    }
}

static struct store *open_store(const struct config *config, const char *servers)
{
    char sentence[SENTENCE_SIZE];
    struct store_zk_options options = {.servers = servers,
                                       .session_timeout_ms = config->registry.session_timeout_ms,
                                       .auth = config->registry.auth};
    struct store *store = store_zk_new(&options, sentence, sizeof sentence);
    if (store) {
        store_renew(store);
    }
    return store;
}

static void try_server(struct connection_check *all, const struct zk_server *server)
{
    char address[ADDRESS_SIZE], what[ADDRESS_SIZE + 16];
    struct addresses addresses;
    struct store_event event;
    text_address(address, sizeof address, server->host, server->port);
    snprintf(what, sizeof what, "registry %s", address);
    const char *problem = resolve(server->host, &addresses);
    if (problem) {
        print(all, FAILED, what, "the name does not resolve: %s", problem);
        return;
    }
    struct store *store = open_store(all->config, address);
    bool up = store && await(store, STORE_UP, &event);
    print(all, up ? WELL : FAILED, what, up ? "answers" : "no session within %d ms", REGISTRY_MS);
    store_close(store);
}

/* What the probe does at a path, or below it. */
static const struct deed {
    enum access_kind kind;
    unsigned needs;
    const char *words;
} deeds[] = {
    {ACCESS_ROOT, MAY_CREATE, "create folders"},
    {ACCESS_PROBES, MAY_CREATE | MAY_DELETE | MAY_WRITE, "say that it lives"},
    {ACCESS_CLUSTERS, MAY_CREATE, "create clusters"},
    {ACCESS_REPORTS, MAY_CREATE | MAY_DELETE | MAY_WRITE, "report"},
    {ACCESS_TOPOLOGY, MAY_READ | MAY_WRITE, "write the verdict"},
    {ACCESS_DIRECTIVES, MAY_READ, "read the directives"},
};

static unsigned may_of_ours(const struct connection_check *all, const struct access_list *list)
{
    char id[DIGEST_ID_SIZE];
    const char *auth = all->config->registry.auth;
    return access_of_anybody(list) | (auth[0] ? access_of_id(list, digest_id(auth, id)) : 0);
}

static void judge_access(struct connection_check *all, const char *path, const struct deed *deed,
                         const struct access_list *list)
{
    char is[SENTENCE_SIZE];
    unsigned lacks = deed->needs & ~may_of_ours(all, list);
    access_print(list, false, is, sizeof is);
    if (lacks) {
        print(all, FAILED, path, "these credentials may not %s (%s)", deed->words, is);
    } else if (all->config->registry.auth[0] && (access_of_anybody(list) & ~(unsigned)MAY_READ)) {
        print(all, NOTE, path, "anybody may write, see roster protect (%s)", is);
    } else {
        print(all, WELL, path, "may %s (%s)", deed->words, is);
    }
}

static void try_access(struct connection_check *all, struct store *store, const char *path)
{
    struct store_event event;
    enum access_kind kind = access_kind_of(all->config->registry.root, path);
    const struct deed *deed = deeds;
    while (deed->kind != kind) {
        deed++;
    }
    store_access(store, TAG_CALLER, path);
    if (!await(store, STORE_ANSWER, &event) || event.rc == STORE_UNKNOWN) {
        print(all, FAILED, path, "no answer within %d ms", REGISTRY_MS);
    } else if (event.rc == STORE_NO_NODE) {
        print(all, NOTE, path, "does not exist yet: the first probe creates it");
    } else if (event.rc != STORE_OK) {
        print(all, FAILED, path, "these credentials may not even read it (%s)",
              store_rc_names[event.rc]);
    } else {
        judge_access(all, path, deed, event.access);
    }
}

static void try_paths(struct connection_check *all, struct store *store)
{
    char path[PATH_SIZE];
    const char *root = all->config->registry.root;
    try_access(all, store, root);
    try_access(all, store, path_probes(path, sizeof path, root));
    try_access(all, store, path_clusters(path, sizeof path, root));
    for (size_t i = 0; i < all->config->cluster_count; i++) {
        const char *cluster = all->config->clusters[i].name;
        try_access(all, store, path_reports(path, sizeof path, root, cluster));
        try_access(all, store, path_topology(path, sizeof path, root, cluster));
        try_access(all, store, path_directives(path, sizeof path, root, cluster));
    }
}

static void try_registry(struct connection_check *all)
{
    const struct registry_settings *registry = &all->config->registry;
    struct connect_string servers;
    struct store_event event;
    char sentence[SENTENCE_SIZE] = "";
    struct store_zk_options options = {.servers = registry->servers,
                                       .session_timeout_ms = registry->session_timeout_ms,
                                       .auth = registry->auth};
    if (!connect_string_parse(registry->servers, &servers, sentence, sizeof sentence)) {
        return; /* it was checked */
    }
    for (size_t i = 0; i < servers.count; i++) {
        try_server(all, &servers.entries[i]);
    }
    if (servers.chroot[0]) {
        enum chroot_answer answer = zk_chroot_ask(&options, REGISTRY_MS, sentence, sizeof sentence);
        print(all, answer == CHROOT_FINE ? WELL : FAILED, "chroot", "%s",
              answer == CHROOT_FINE ? servers.chroot : sentence);
        if (answer != CHROOT_FINE) {
            return;
        }
    }
    struct store *store = open_store(all->config, registry->servers);
    if (store && await(store, STORE_UP, &event)) {
        try_paths(all, store);
    }
    store_close(store);
}

/* ---- servers --------------------------------------------------------------------------------- */

static void wait_for(const struct driver *driver, struct link *link, struct want *want,
                     int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - clock_mono_ms();
    if (want->kind == WANT_BLOCKING) {
        driver->run_blocking(link);
        driver->resume(link, 0, want);
        return;
    }
    if (left_ms <= 0) {
        driver->expire(link);
        want->kind = WANT_NOTHING;
        return;
    }
    struct pollfd fd = {.fd = want->fd, .events = (short)want->events};
    int timeout = want->tick_ms > 0 && want->tick_ms < left_ms ? want->tick_ms : (int)left_ms;
    int ready = poll(&fd, 1, timeout);
    if (ready > 0 || (ready == 0 && want->tick_ms > 0)) {
        driver->resume(link, ready > 0 ? fd.revents : 0, want);
    }
}

/* One look, with a deadline for each phase, as the probe has it. */
static const struct observation *look(const struct driver *driver, struct link *link,
                                      const char *address, int64_t timeout_ms)
{
    struct want want;
    driver->start(link, address, &want);
    enum phase phase = want.phase;
    int64_t deadline_ms = clock_mono_ms() + timeout_ms;
    while (want.kind != WANT_NOTHING) {
        if (want.phase != phase) {
            phase = want.phase;
            deadline_ms = clock_mono_ms() + timeout_ms;
        }
        wait_for(driver, link, &want, deadline_ms);
    }
    return driver->observation(link);
}

static void judge_member(struct connection_check *all, const char *what,
                         const struct observation *seen)
{
    if (seen->answer != ANSWER_OK) {
        print(all, FAILED, what, "%s%s%s", answer_names[seen->answer], seen->detail[0] ? ": " : "",
              seen->detail);
    } else if (seen->missing[0]) {
        print(all, FAILED, what, "the account lacks %s (version %s)", seen->missing, seen->version);
    } else {
        print(all, WELL, what, "version %s, %s%s", seen->version,
              seen->replica ? "a replica" : "no replica", seen->writable ? ", writable" : "");
    }
}

static void try_member(struct connection_check *all, const struct cluster_settings *cluster,
                       const struct member_config *member)
{
    char what[2 * NAME_SIZE + ADDRESS_SIZE + 8], address[ADDRESS_SIZE];
    struct addresses addresses;
    const struct driver *driver =
        cluster->policy.engine == ENGINE_POSTGRESQL ? &driver_pg : &driver_mysql;
    struct target target = {.cluster = cluster,
                            .config = member,
                            .application = "roster-probe --check",
                            .timeout_ms = all->config->probe.timeout_ms};
    text_address(address, sizeof address, member->host, member->port);
    snprintf(what, sizeof what, "%s/%s %s", cluster->name, member->name, address);
    const char *problem = resolve(member->host, &addresses);
    struct link *link = problem ? NULL : driver->open(&target);
    if (!link) {
        print(all, FAILED, what, "%s%s", problem ? "the name does not resolve: " : "no memory",
              problem ? problem : "");
        return;
    }
    const struct observation *seen = NULL;
    for (size_t i = 0; i < addresses.count && (!seen || seen->answer == ANSWER_REFUSED); i++) {
        seen = look(driver, link, addresses.literal[i], target.timeout_ms);
    }
    judge_member(all, what, seen);
    driver->close(link);
}

bool connect_all(const struct config *config)
{
    struct connection_check all = {.config = config};
    try_registry(&all);
    for (size_t i = 0; i < config->cluster_count; i++) {
        const struct cluster_settings *cluster = &config->clusters[i];
        for (size_t k = 0; k < cluster->member_count; k++) {
            try_member(&all, cluster, &cluster->members[k]);
        }
    }
    return all.failures == 0;
}
