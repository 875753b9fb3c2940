#include "tests/sim/store_mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/client.h"

static struct client *client_of(struct store *store)
{
    return (struct client *)store;
}

/* ---- requests -------------------------------------------------------------------------------- */

static void arrive_there(void *owner, uint64_t arg)
{
    struct request *request = owner;
    struct line *line = (struct line *)(uintptr_t)arg;
    if (request->lost) {
        request->idle = true;
        if (request->dropped) {
            request_free(request);
        }
        return;
    }
    request->line = line;
    line_take(line, request);
}

static void cut_now(void *owner, uint64_t arg)
{
    (void)arg;
    struct client *client = owner;
    client_disconnected(client);
}

/* A story wants this write to have an unknown outcome. */
static bool breaks_here(struct client *client, const struct request *request)
{
    for (size_t i = 0; client->break_at[0] && i < request->op_count; i++) {
        if (strcmp(request->ops[i].path, client->break_at) == 0 &&
            request->ops[i].kind != STORE_CHECK) {
            client->break_at[0] = '\0';
            return true;
        }
    }
    return false;
}

static void issue(struct client *client, struct request *request)
{
    if (client->phase != PHASE_UP) {
        client_take_in(client, answer_made_up(request->tag, request->path));
        request_free(request);
        return;
    }
    *client->unanswered_end = request;
    client->unanswered_end = &request->next;
    if (client->deaf) {
        request->idle = true; /* its unknown outcome is delivered when the silence is noticed */
        return;
    }
    bool breaks = breaks_here(client, request);
    request->lost = breaks && !client->break_carried_out;
    int64_t at_ms = client_now(client) +
                    chance_between(&client->ensemble->chance, client->least_ms, client->most_ms);
    client->sent_ms = at_ms > client->sent_ms ? at_ms : client->sent_ms;
    agenda_at(client->ensemble->agenda, client->sent_ms, arrive_there, request,
              (uint64_t)(uintptr_t)client->line);
    if (breaks) {
        agenda_at(client->ensemble->agenda, client->sent_ms + 1, cut_now, client, 0);
    }
}

static struct request *reading(struct store *store, enum request_kind kind, uint64_t tag,
                               const char *path, bool watch)
{
    struct request *request = request_new(client_of(store)->ensemble, kind, tag);
    request->watch = watch;
    request->path = strdup(path);
    return request;
}

static void mem_get(struct store *store, uint64_t tag, const char *path, bool watch)
{
    issue(client_of(store), reading(store, REQUEST_GET, tag, path, watch));
}

static void mem_list(struct store *store, uint64_t tag, const char *path, bool watch)
{
    issue(client_of(store), reading(store, REQUEST_LIST, tag, path, watch));
}

static void mem_sync(struct store *store, uint64_t tag, const char *path)
{
    issue(client_of(store), reading(store, REQUEST_SYNC, tag, path, false));
}

static void mem_write(struct store *store, uint64_t tag, const struct store_op *ops, size_t n)
{
    struct request *request = request_new(client_of(store)->ensemble, REQUEST_WRITE, tag);
    assert(n <= STORE_OPS_MAX);
    request->op_count = n;
    request->ops = calloc(n, sizeof *request->ops);
    assert(request->ops);
    for (size_t i = 0; i < n; i++) {
        request->ops[i] = ops[i];
        request->ops[i].path = strdup(ops[i].path);
        char *data = calloc(1, ops[i].len + 1);
        assert(data);
        memcpy(data, ops[i].data ? ops[i].data : "", ops[i].len);
        request->ops[i].data = data;
    }
    issue(client_of(store), request);
}

static int mem_fd(const struct store *store)
{
    (void)store;
    return -1;
}

static bool mem_next(struct store *store, int64_t now_ms, struct store_event *ret_event)
{
    struct client *client = client_of(store);
    (void)now_ms;
    item_free(client->delivered);
    client->delivered = queue_take(&client->queue);
    if (client->delivered) {
        *ret_event = client->delivered->event;
    }
    return client->delivered != NULL;
}

static void mem_renew(struct store *store)
{
    struct client *client = client_of(store);
    client_leave_line(client);
    client_answer_unknown(client);
    client_drop_watches(client);
    client->session = NULL;
    client->seen_zxid = 0;
    client->deaf = false;
    client->phase = PHASE_TRYING;
    client->down_ms = client_now(client);
    client_try_later(client, 0, 5);
}

static void mem_close(struct store *store)
{
    struct client *client = client_of(store);
    if (client->session && client->phase == PHASE_UP && !client->deaf && !client->cut &&
        !client->ensemble->halted) {
        struct session *session = client->session;
        store_mem_kill(store);
        session_end(session);
    } else {
        store_mem_kill(store);
    }
}

/* ---- faults ---------------------------------------------------------------------------------- */

void store_mem_cut(struct store *store, bool silent)
{
    struct client *client = client_of(store);
    client->cut = true;
    if (!client->line) {
        return;
    }
    client_leave_line(client);
    if (silent) {
        client->deaf = true;
        agenda_at(client->ensemble->agenda, client_now(client) + client->timeout_ms * 2 / 3,
                  client_notice_silence, client, client->connection);
    } else {
        client_come_down(client);
    }
}

void store_mem_mend(struct store *store)
{
    struct client *client = client_of(store);
    client->cut = false;
    if (client->deaf && !client->frozen) {
        client_come_down(client);
    }
}

void store_mem_freeze(struct store *store)
{
    struct client *client = client_of(store);
    client->frozen = true;
    if (client->line) {
        session_falls_silent(client->session);
    }
}

void store_mem_thaw(struct store *store)
{
    struct client *client = client_of(store);
    client->frozen = false;
    if (client->line) {
        session_shows_life(client->session);
    }
}

void store_mem_kill(struct store *store)
{
    struct client *client = client_of(store);
    client_leave_line(client);
    client->dead = true;
    client->ready = NULL;
    client_answer_unknown(client);
    client_drop_watches(client);
}

void store_mem_delay(struct store *store, int64_t least_ms, int64_t most_ms)
{
    client_of(store)->least_ms = least_ms;
    client_of(store)->most_ms = most_ms;
}

void store_mem_break_at(struct store *store, const char *path, bool carried_out)
{
    strcpy(client_of(store)->break_at, path);
    client_of(store)->break_carried_out = carried_out;
}

void store_mem_expire(struct store *store)
{
    if (client_of(store)->session) {
        session_end(client_of(store)->session);
    }
}

bool store_mem_is_up(const struct store *store)
{
    return ((const struct client *)store)->phase == PHASE_UP;
}

int64_t store_mem_session(const struct store *store)
{
    const struct client *client = (const struct client *)store;
    return client->session && !client->session->over ? client->session->id : 0;
}

void clients_halted(struct ensemble *ensemble)
{
    for (struct client *client = ensemble->clients; client; client = client->next) {
        if (!client->dead && client->line) {
            client_disconnected(client);
        }
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

struct store *store_mem_new(struct ensemble *ensemble, const char *name, int64_t timeout_ms,
                            void (*ready)(void *owner), void *owner)
{
    static const struct store_ops ops = {.get = mem_get,
                                         .list = mem_list,
                                         .sync = mem_sync,
                                         .write = mem_write,
                                         .fd = mem_fd,
                                         .next = mem_next,
                                         .renew = mem_renew,
                                         .close = mem_close};
    struct client *client = calloc(1, sizeof *client);
    assert(client && strlen(name) < sizeof client->name);
    *client = (struct client){.store.ops = &ops,
                              .ensemble = ensemble,
                              .timeout_ms = timeout_ms,
                              .ready = ready,
                              .owner = owner,
                              .least_ms = 0,
                              .most_ms = 2,
                              .next = ensemble->clients};
    strcpy(client->name, name);
    client->unanswered_end = &client->unanswered;
    client->queue.end = &client->queue.first;
    client->pipe.end = &client->pipe.first;
    ensemble->clients = client;
    return &client->store;
}

void clients_free(struct ensemble *ensemble)
{
    while (ensemble->clients) {
        struct client *client = ensemble->clients;
        ensemble->clients = client->next;
        store_mem_kill(&client->store);
        item_free(client->delivered);
        struct queue_item *item;
        while ((item = queue_take(&client->queue))) {
            item_free(item);
        }
        free(client);
    }
}
