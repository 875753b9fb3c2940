#include "registry/store/zk_names.h"

#include <arpa/inet.h>
#include <assert.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "registry/base/entropy.h"
#include "registry/base/text.h"
#include "registry/store/dial.h"

enum {
    ADDRESSES_MAX = 8, /* of one name */
    STACK_SIZE = 256 * 1024
};

struct name {
    char host[HOST_SIZE];
    uint16_t port;
    bool literal;
    bool busy;  /* a thread looks it up */
    bool asked; /* to be looked up */
    size_t count;
    char addresses[ADDRESSES_MAX][LITERAL_SIZE]; /* of the last lookup that found any */
    int error;                                   /* of the last lookup, as of getaddrinfo; 0 */
};

struct zk_names {
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    unsigned users; /* its owner, and each thread that looks up */
    bool stop;
    struct queue *queue; /* NULL: the owner is gone */
    unsigned edition;
    size_t count;
    struct name names[SERVERS_MAX];
    char chroot[sizeof((struct connect_string *)0)->chroot];
    /* the owner's */
    bool looked_up;    /* the last lookup ended, and was taken note of */
    unsigned failures; /* lookups in a row that left a name without an address */
    int64_t due_ms;    /* of the next one; 0: none is needed */
    bool has_spawner;
    pthread_t spawner;
};

struct errand {
    struct zk_names *names;
    size_t index;
};

static void lock(struct zk_names *names)
{
    pthread_mutex_lock(&names->lock);
}

static void unlock(struct zk_names *names)
{
    pthread_mutex_unlock(&names->lock);
}

/* With the lock held, which it gives back. */
static void leave(struct zk_names *names)
{
    assert(names->users > 0);
    bool last = --names->users == 0;
    unlock(names);
    if (last) {
        pthread_cond_destroy(&names->wake);
        pthread_mutex_destroy(&names->lock);
        free(names);
    }
}

/* ---- looking up ------------------------------------------------------------------------------ */

static size_t copy_addresses(const struct addrinfo *found, char to[ADDRESSES_MAX][LITERAL_SIZE])
{
    size_t count = 0;
    for (; found && count < ADDRESSES_MAX; found = found->ai_next) {
        bool told = getnameinfo(found->ai_addr, found->ai_addrlen, to[count], LITERAL_SIZE, NULL, 0,
                                NI_NUMERICHOST) == 0;
        for (size_t i = 0; told && i < count; i++) {
            told = !text_equal(to[i], to[count]);
        }
        count += told;
    }
    return count;
}

static void take_found(struct zk_names *names, struct name *name, int error,
                       char addresses[ADDRESSES_MAX][LITERAL_SIZE], size_t count)
{
    bool same =
        count == name->count && memcmp(addresses, name->addresses, sizeof name->addresses) == 0;
    name->busy = false;
    name->error = count ? 0 : error ? error : EAI_NONAME;
    if (count && !same) {
        memcpy(name->addresses, addresses, sizeof name->addresses);
        name->count = count;
        names->edition++;
    }
    if (names->queue) {
        queue_ring(names->queue);
    }
}

static void *look_up(void *arg)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char addresses[ADDRESSES_MAX][LITERAL_SIZE] = {{0}};
    struct errand *errand = arg;
    struct zk_names *names = errand->names;
    struct name *name = &names->names[errand->index];
    struct addrinfo *found = NULL;
    int error = getaddrinfo(name->host, NULL, &hints, &found); /* its host never changes */
    size_t count = error == 0 ? copy_addresses(found, addresses) : 0;
    if (error == 0) {
        freeaddrinfo(found);
    }
    free(errand);
    lock(names);
    take_found(names, name, error, addresses, count);
    leave(names);
    return NULL;
}

/* No signal of the program is ever handled on these threads. */
static bool make_thread(pthread_t *ret_thread, bool detached, void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setdetachstate(&attributes,
                                detached ? PTHREAD_CREATE_DETACHED : PTHREAD_CREATE_JOINABLE);
    pthread_attr_setstacksize(
        &attributes, STACK_SIZE < PTHREAD_STACK_MIN ? (size_t)PTHREAD_STACK_MIN : STACK_SIZE);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool made = pthread_create(ret_thread, &attributes, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return made;
}

/* With the lock held. */
static void start_lookup(struct zk_names *names, size_t index)
{
    struct errand *errand = malloc(sizeof *errand);
    struct name *name = &names->names[index];
    pthread_t thread;
    name->asked = false;
    if (errand) {
        *errand = (struct errand){names, index};
        name->busy = true;
        names->users++;
        if (make_thread(&thread, true, look_up, errand)) {
            return;
        }
        names->users--;
        free(errand);
    }
    char none[ADDRESSES_MAX][LITERAL_SIZE] = {{0}};
    take_found(names, name, EAI_MEMORY, none, 0);
}

static void *spawn(void *arg)
{
    struct zk_names *names = arg;
    lock(names);
    while (!names->stop) {
        bool any = false;
        for (size_t i = 0; i < names->count && !names->stop; i++) {
            if (names->names[i].asked) {
                any = true;
                start_lookup(names, i);
            }
        }
        if (!any) {
            pthread_cond_wait(&names->wake, &names->lock);
        }
    }
    unlock(names);
    return NULL;
}

/* ---- for the store --------------------------------------------------------------------------- */

/* With a scope it is a name to us: the lookup takes it literally, too. */
static bool is_literal(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

struct zk_names *zk_names_new(const struct connect_string *servers, struct queue *queue)
{
    bool any = false;
    struct zk_names *names = calloc(1, sizeof *names);
    if (!names) {
        return NULL;
    }
    pthread_mutex_init(&names->lock, NULL);
    pthread_cond_init(&names->wake, NULL);
    names->users = 1;
    names->queue = queue;
    names->count = servers->count;
    strcpy(names->chroot, servers->chroot);
    for (size_t i = 0; i < servers->count; i++) {
        struct name *name = &names->names[i];
        strcpy(name->host, servers->entries[i].host);
        name->port = servers->entries[i].port;
        name->literal = is_literal(name->host);
        name->count = name->literal && text_copy(name->addresses[0], LITERAL_SIZE, name->host);
        any = any || !name->literal;
    }
    names->has_spawner = any && make_thread(&names->spawner, false, spawn, names);
    if (any && !names->has_spawner) {
        zk_names_free(names);
        return NULL;
    }
    return names;
}

void zk_names_free(struct zk_names *names)
{
    if (!names) {
        return;
    }
    lock(names);
    names->stop = true;
    names->queue = NULL;
    pthread_cond_signal(&names->wake);
    unlock(names);
    if (names->has_spawner) {
        pthread_join(names->spawner, NULL); /* it never looks up itself */
    }
    lock(names);
    leave(names);
}

int64_t zk_names_step(struct zk_names *names, int64_t now_ms, struct zk_names_state *ret_state)
{
    zk_names_look(names, ret_state);
    if (ret_state->pending > 0) {
        return 0;
    }
    if (!names->looked_up) {
        names->looked_up = true;
        names->failures = ret_state->missing ? names->failures + 1 : 0;
        names->due_ms =
            ret_state->missing ? now_ms + dial_pause_ms(names->failures, 0, entropy_draw()) : 0;
    }
    if (names->due_ms && now_ms >= names->due_ms) {
        zk_names_look_up(names);
    }
    return names->due_ms;
}

void zk_names_look_up(struct zk_names *names)
{
    names->looked_up = false;
    names->due_ms = 0;
    lock(names);
    for (size_t i = 0; i < names->count; i++) {
        names->names[i].asked = !names->names[i].literal && !names->names[i].busy;
    }
    pthread_cond_signal(&names->wake);
    unlock(names);
}

void zk_names_look(struct zk_names *names, struct zk_names_state *ret_state)
{
    *ret_state = (struct zk_names_state){0};
    lock(names);
    ret_state->edition = names->edition;
    for (size_t i = 0; i < names->count; i++) {
        const struct name *name = &names->names[i];
        ret_state->addresses += name->count;
        ret_state->pending += name->busy || name->asked;
        ret_state->missing += name->error != 0 || name->count == 0;
        if (name->error && !ret_state->why[0]) {
            snprintf(ret_state->why, sizeof ret_state->why, "%s does not resolve (%s)", name->host,
                     gai_strerror(name->error));
        }
    }
    unlock(names);
}

static bool is_listed(const char *list, const char *entry)
{
    size_t len = strlen(entry);
    for (const char *at = list; *at; at += strspn(at, ",")) {
        size_t part = strcspn(at, ",");
        if (part == len && memcmp(at, entry, len) == 0) {
            return true;
        }
        at += part;
    }
    return false;
}

void zk_names_list(struct zk_names *names, char *to, size_t size)
{
    char entry[ADDRESS_SIZE];
    struct text text;
    text_init(&text, to, size);
    size_t room = size - strlen(names->chroot);
    lock(names);
    for (size_t i = 0; i < names->count; i++) {
        for (size_t k = 0; k < names->names[i].count; k++) {
            snprintf(entry, sizeof entry, "%s:%u", names->names[i].addresses[k],
                     names->names[i].port);
            if (text.used + strlen(entry) + 2 <= room && !is_listed(to, entry)) {
                text_put(&text, "%s%s", text.used ? "," : "", entry);
            }
        }
    }
    unlock(names);
    text_put(&text, "%s", names->chroot);
}
