/* See dns.h. The cache is a list of names, each with its addresses, its waiters and at
 * most one request at the resolver:
 *
 *      struct dns --> name -> name -> name
 *                        |-- addresses[0..count), `next` is the one to use
 *                        |-- waiters
 *                        '-- request (on a worker thread while `asking`)
 *
 * A list, because a fleet has some hundred names at most and asks each once a
 * second. A request that is under way cannot be taken back: its name lives until
 * the answer comes, which is why freeing takes a turn of the loop.
 *
 * A lookup that hangs, because nobody answers for its zone, holds a worker thread for half a
 * minute. So names that were slow, and such as are asked for the first time, are asked for a few
 * at a time, and those behind them wait: a name that is known to be quick always finds a thread.
 *
 * Limits: at most ADDRESSES_MAX addresses per name; the time to live of DNS is
 * not shown by getaddrinfo, so DNS_FRESH_MS is used instead. */
#include "probes/dns.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "registry/base/text.h"

enum { ADDRESSES_MAX = 16 };

struct waiter {
    struct waiter *after;
    void (*done)(void *context, const struct resolution *resolution);
    void *context;
};

struct name {
    struct name *after;
    struct dns *dns;
    uv_getaddrinfo_t request;
    bool asking; /* `request` belongs to libuv */
    char host[HOST_SIZE];
    char addresses[ADDRESSES_MAX][LITERAL_SIZE];
    size_t count;              /* of the last good answer; 0: there was none */
    size_t next;               /* the one to use */
    char problem[DETAIL_SIZE]; /* of the last request; "": it was good */
    uint64_t began_ms;         /* when the last request was made */
    uint64_t asked_ms;         /* when the last answer came, good or bad */
    bool answered;             /* one ever came, */
    bool slow;                 /* and the last one late */
    uint64_t wanted_ms;        /* when somebody asked for this name last */
    struct waiter *waiters;
    struct waiter **last_waiter;
};

struct dns {
    uv_loop_t *loop;
    struct name *first;
    size_t asking; /* requests under way */
    bool closing;
    /* never started; its closing is how libuv calls back in a later turn */
    uv_idle_t anchor;
    void (*done)(void *context); /* of dns_free */
    void *context;
};

struct dns *dns_new(struct uv_loop_s *loop)
{
    struct dns *dns = calloc(1, sizeof *dns);
    if (!dns) {
        return NULL;
    }
    dns->loop = loop;
    uv_idle_init(loop, &dns->anchor); /* cannot fail */
    uv_unref((uv_handle_t *)&dns->anchor);
    dns->anchor.data = dns;
    return dns;
}

/* ---- the list -------------------------------------------------------------------------------- */

static void drop_waiters(struct name *name, const void *context, bool all)
{
    struct waiter **at = &name->waiters;
    while (*at) {
        struct waiter *waiter = *at;
        if (all || waiter->context == context) {
            *at = waiter->after;
            free(waiter);
        } else {
            at = &waiter->after;
        }
    }
    name->last_waiter = at;
}

static struct name *find(const struct dns *dns, const char *host)
{
    for (struct name *name = dns->first; name; name = name->after) {
        if (text_equal(name->host, host)) {
            return name;
        }
    }
    return NULL;
}

static void sweep(struct dns *dns)
{
    uint64_t now = uv_now(dns->loop);
    struct name **at = &dns->first;
    while (*at) {
        struct name *name = *at;
        if (!name->asking && !name->waiters && now - name->wanted_ms > DNS_FORGET_MS) {
            *at = name->after;
            free(name);
        } else {
            at = &name->after;
        }
    }
}

static struct name *add(struct dns *dns, const char *host)
{
    sweep(dns);
    struct name *name = calloc(1, sizeof *name);
    if (!name) {
        return NULL;
    }
    if (!text_copy(name->host, sizeof name->host, host)) {
        free(name);
        return NULL;
    }
    name->dns = dns;
    name->last_waiter = &name->waiters;
    name->after = dns->first;
    dns->first = name;
    return name;
}

/* ---- the resolver ---------------------------------------------------------------------------- */

static void answer(const struct name *name, void (*done)(void *, const struct resolution *),
                   void *context)
{
    struct resolution resolution = {.host = name->host};
    if (name->count > 0) {
        memcpy(resolution.address, name->addresses[name->next], sizeof resolution.address);
    }
    memcpy(resolution.problem, name->problem, sizeof resolution.problem);
    if (name->count == 0 && !name->problem[0]) {
        text_tame(resolution.problem, sizeof resolution.problem, "out of memory");
    }
    done(context, &resolution);
}

/* A callback may ask for more, forget others, even of this name: so the list is taken apart from
 * its head. */
static void answer_all(struct name *name)
{
    name->wanted_ms = uv_now(name->dns->loop); /* no sweep takes it away meanwhile */
    while (name->waiters) {
        struct waiter waiter = *name->waiters;
        free(name->waiters);
        name->waiters = waiter.after;
        if (!name->waiters) {
            name->last_waiter = &name->waiters;
        }
        answer(name, waiter.done, waiter.context);
    }
}

/* The address in use stays in use while the resolver still gives it. */
static void keep_addresses(struct name *name, const struct addrinfo *found)
{
    char current[LITERAL_SIZE] = "";
    char literal[LITERAL_SIZE];
    if (name->count > 0) {
        memcpy(current, name->addresses[name->next], sizeof current);
    }
    size_t count = 0, next = 0;
    for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
        if (found->ai_family != AF_INET && found->ai_family != AF_INET6) {
            continue;
        }
        if (getnameinfo(found->ai_addr, found->ai_addrlen, literal, sizeof literal, NULL, 0,
                        NI_NUMERICHOST) != 0) {
            continue;
        }
        if (text_equal(literal, current)) {
            next = count;
        }
        memcpy(name->addresses[count++], literal, sizeof literal);
    }
    if (count == 0) {
        text_tame(name->problem, sizeof name->problem, "the name has no IPv4 or IPv6 address");
        return;
    }
    name->count = count;
    name->next = next;
    name->problem[0] = 0;
}

/* May its request be made now? */
static bool finds_thread(const struct name *name)
{
    int slow = 0, doubtful = 0;
    for (const struct name *other = name->dns->first; other; other = other->after) {
        bool hangs = uv_now(name->dns->loop) - other->began_ms > DNS_SLOW_MS;
        slow += other->asking && other->slow;
        doubtful += other->asking && (other->slow || hangs || !other->answered);
    }
    bool quick = name->answered && !name->slow;
    return quick || (doubtful < DNS_DOUBTFUL_MOST && (!name->slow || slow < DNS_SLOW_MOST));
}

static void ask(struct name *name);

/* A thread is free: first for names of which nothing is known, then for the slow. */
static void ask_for_waiting(struct dns *dns)
{
    for (int slow = 0; slow <= 1; slow++) {
        for (struct name *name = dns->first; name; name = name->after) {
            if (name->waiters && !name->asking && name->slow == slow && finds_thread(name)) {
                ask(name);
            }
        }
    }
}

static void released(uv_handle_t *anchor)
{
    struct dns *dns = anchor->data;
    while (dns->first) {
        struct name *name = dns->first;
        dns->first = name->after;
        free(name);
    }
    void (*done)(void *) = dns->done;
    void *context = dns->context;
    free(dns);
    if (done) {
        done(context);
    }
}

static void resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *found)
{
    struct name *name = request->data;
    struct dns *dns = name->dns;
    name->asking = false;
    dns->asking--;
    if (dns->closing) {
        uv_freeaddrinfo(found);
        if (dns->asking == 0) {
            uv_close((uv_handle_t *)&dns->anchor, released);
        }
        return;
    }
    if (status == 0) {
        keep_addresses(name, found);
    } else {
        text_tame(name->problem, sizeof name->problem, uv_strerror(status));
    }
    uv_freeaddrinfo(found);
    name->asked_ms = uv_now(dns->loop);
    name->answered = true;
    name->slow = name->asked_ms - name->began_ms > DNS_SLOW_MS;
    answer_all(name);
    ask_for_waiting(dns);
}

static void ask(struct name *name)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    name->request.data = name;
    name->began_ms = uv_now(name->dns->loop);
    int status =
        uv_getaddrinfo(name->dns->loop, &name->request, resolved, name->host, NULL, &hints);
    if (status == 0) {
        name->asking = true;
        name->dns->asking++;
    } else { /* not even sent: memory, or a name that IDNA refuses */
        text_tame(name->problem, sizeof name->problem, uv_strerror(status));
        name->asked_ms = uv_now(name->dns->loop);
    }
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool is_literal(const char *host)
{
    unsigned char ignored[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, ignored) == 1 || inet_pton(AF_INET6, host, ignored) == 1) {
        return true;
    }
    char bare[LITERAL_SIZE];
    size_t length = strcspn(host, "%");
    if (host[length] == 0 || length >= sizeof bare) {
        return false;
    }
    memcpy(bare, host, length);
    bare[length] = 0;
    return inet_pton(AF_INET6, bare, ignored) == 1;
}

static void answer_literally(const char *host, void (*done)(void *, const struct resolution *),
                             void *context)
{
    struct resolution resolution = {.host = host};
    if (!text_copy(resolution.address, sizeof resolution.address, host)) {
        text_tame(resolution.problem, sizeof resolution.problem, "the address is too long");
    }
    done(context, &resolution);
}

static bool wait_for(struct name *name, void (*done)(void *, const struct resolution *),
                     void *context)
{
    struct waiter *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        return false;
    }
    waiter->done = done;
    waiter->context = context;
    *name->last_waiter = waiter;
    name->last_waiter = &waiter->after;
    return true;
}

static bool is_due(const struct name *name)
{
    uint64_t age = uv_now(name->dns->loop) - name->asked_ms;
    if (name->problem[0]) {
        return age >= DNS_RETRY_MS;
    }
    return name->count == 0 || age >= DNS_FRESH_MS;
}

void dns_lookup(struct dns *dns, const char *host,
                void (*done)(void *context, const struct resolution *resolution), void *context)
{
    assert(!dns->closing);
    if (is_literal(host)) {
        answer_literally(host, done, context);
        return;
    }
    struct name *name = find(dns, host);
    if (!name) {
        name = add(dns, host);
    }
    if (!name) {
        struct resolution resolution = {.host = host,
                                        .problem = "out of memory, or the name is too long"};
        done(context, &resolution);
        return;
    }
    name->wanted_ms = uv_now(dns->loop);
    bool due = !name->asking && is_due(name);
    bool waits = due && !finds_thread(name);
    if (due && !waits) {
        ask(name);
    }
    if (name->count == 0 && (name->asking || waits) && wait_for(name, done, context)) {
        return;
    }
    answer(name, done, context);
}

void dns_cancel(struct dns *dns, const void *context)
{
    for (struct name *name = dns->first; name; name = name->after) {
        drop_waiters(name, context, false);
    }
}

void dns_next_address(struct dns *dns, const char *host, const char *address)
{
    struct name *name = find(dns, host);
    if (name && name->count > 1 && text_equal(name->addresses[name->next], address)) {
        name->next = (name->next + 1) % name->count;
    }
}

void dns_free(struct dns *dns, void (*done)(void *context), void *context)
{
    if (!dns) {
        if (done) {
            done(context);
        }
        return;
    }
    assert(!dns->closing);
    dns->closing = true;
    dns->done = done;
    dns->context = context;
    for (struct name *name = dns->first; name; name = name->after) {
        drop_waiters(name, NULL, true);
        if (name->asking) {
            uv_cancel((uv_req_t *)&name->request); /* helps when it still waits for a worker */
        }
    }
    if (dns->asking == 0) {
        uv_close((uv_handle_t *)&dns->anchor, released);
    }
}
