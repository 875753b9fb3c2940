#include "tests/sim/store_mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* One thing on its way to the client, or there. */
struct item {
    struct store_event event;
    struct request *request; /* whose answer it is; made up ones have none */
    char *path;
    const char **names;
    bool list;               /* which watch was used up */
    int64_t zxid;
    struct item *next;
};

/* In order; the end is where the next one is put. */
struct queue {
    struct item *first, **end;
};

struct watch {
    char *path;
    bool list;
    bool fired; /* the news of it is on its way */
    struct watch *next;
};

enum phase { PHASE_IDLE, PHASE_TRYING, PHASE_UP, PHASE_DOWN, PHASE_GONE };

struct client {
    struct store store;
    struct ensemble *ensemble;
    char name[NAME_SIZE];
    int64_t timeout_ms;
    void (*ready)(void *owner);
    void *owner;

    enum phase phase;
    bool cut, deaf, frozen, dead;
    uint64_t connection;      /* grows with every one: what belongs to a former one is void */
    struct session *session;
    struct line *line;
    int server;
    int64_t seen_zxid;
    int64_t down_ms;
    int64_t least_ms, most_ms; /* a message's way */
    int64_t sent_ms, heard_ms; /* the latest moments at which messages arrive, there and here: they keep their order */
    char break_at[PATH_SIZE];
    bool break_carried_out;

    struct request *unanswered, **unanswered_end;
    struct watch *watches;
    struct queue pipe;        /* on its way here */
    struct queue inbox;
    struct item *told;        /* what the latest event points to */
    struct client *next;
};

static struct client *client_of(struct store *store)
{
    return (struct client *)store;
}

static int64_t now(const struct client *client)
{
    return client->ensemble->agenda->now_ms;
}

const char *client_name(const struct client *client)
{
    return client->name;
}

/* ---- events to the client -------------------------------------------------------------- */

static struct item *item_new(enum store_event_kind kind)
{
    struct item *item = calloc(1, sizeof *item);
    assert(item);
    item->event.kind = kind;
    return item;
}

static void item_free(struct item *item)
{
    if (item) {
        free(item->path);
        free(item->names);
        if (item->request) {
            request_free(item->request);
        }
        free(item);
    }
}

static void put(struct queue *queue, struct item *item)
{
    item->next = NULL;
    *queue->end = item;
    queue->end = &item->next;
}

static struct item *take(struct queue *queue)
{
    struct item *item = queue->first;
    if (item) {
        queue->first = item->next;
        queue->end = queue->first ? queue->end : &queue->first;
    }
    return item;
}

/* It is there now. */
static void take_in(struct client *client, struct item *item)
{
    put(&client->inbox, item);
    if (client->ready) {
        client->ready(client->owner);
    }
}

static void forget_request(struct client *client, struct request *request)
{
    struct request **at = &client->unanswered;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    if (client->unanswered_end == &request->next) {
        client->unanswered_end = at;
    }
}

static void drop_watch(struct client *client, const char *path, bool list, bool fired)
{
    for (struct watch **at = &client->watches; *at; at = &(*at)->next) {
        struct watch *watch = *at;
        if (watch->list == list && watch->fired == fired && strcmp(watch->path, path) == 0) {
            *at = watch->next;
            free(watch->path);
            free(watch);
            return;
        }
    }
}

static void arrive_here(void *owner, uint64_t connection)
{
    struct client *client = owner;
    if (client->dead || connection != client->connection) {
        return; /* it went with its connection */
    }
    struct item *item = take(&client->pipe);
    if (item->request) {
        forget_request(client, item->request);
    }
    if (item->event.kind == STORE_CHANGED) {
        drop_watch(client, item->path, item->list, true);
    }
    client->seen_zxid = item->zxid > client->seen_zxid ? item->zxid : client->seen_zxid;
    take_in(client, item);
}

/* On its way: in order with all else. */
static void send_here(struct client *client, struct item *item)
{
    int64_t at_ms = now(client) + chance_between(&client->ensemble->chance, client->least_ms, client->most_ms);
    client->heard_ms = at_ms > client->heard_ms ? at_ms : client->heard_ms;
    put(&client->pipe, item);
    agenda_at(client->ensemble->agenda, client->heard_ms, arrive_here, client, client->connection);
}

static struct item *made_up(uint64_t tag, const char *path)
{
    struct item *item = item_new(STORE_ANSWER);
    item->event.tag = tag;
    item->event.rc = STORE_UNKNOWN;
    if (path) {
        item->path = strdup(path);
        item->event.path = item->path;
    }
    return item;
}

static void arm(struct client *client, const char *path, bool list)
{
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        if (watch->list == list && !watch->fired && strcmp(watch->path, path) == 0) {
            return;
        }
    }
    struct watch *watch = calloc(1, sizeof *watch);
    assert(watch);
    *watch = (struct watch){strdup(path), list, false, client->watches};
    client->watches = watch;
}

static void fire(struct client *client, struct watch *watch)
{
    struct item *item = item_new(STORE_CHANGED);
    item->path = strdup(watch->path);
    item->event.path = item->path;
    item->list = watch->list;
    watch->fired = true;
    send_here(client, item);
}

void client_hears(struct client *client, const struct change *change)
{
    bool structural = change->creates || change->drops;
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        bool same = strcmp(watch->path, change->node.path) == 0;
        bool concerns = watch->list ? (same && change->drops) || (structural && path_is_parent(watch->path, change->node.path)) : same;
        if (!watch->fired && concerns) {
            fire(client, watch);
        }
    }
}

void client_answered(struct client *client, struct request *request, const struct tree *tree)
{
    struct item *item = item_new(STORE_ANSWER);
    item->request = request;
    item->zxid = tree->zxid;
    item->event.tag = request->tag;
    item->event.rc = request->rc;
    item->event.stat = request->stat;
    item->event.failed_op = request->failed_op;
    if (request->kind == REQUEST_GET || request->kind == REQUEST_LIST) {
        const struct znode *node = tree_find(tree, request->path);
        item->path = strdup(request->path);
        item->event.path = item->path;
        item->event.rc = node ? STORE_OK : STORE_NO_NODE;
        if (node && request->kind == REQUEST_GET) {
            item->event.stat = node->stat;
            item->event.data = node->len ? node->data : NULL;
            item->event.len = node->len;
        } else if (node) {
            item->names = tree_children(tree, request->path, &item->event.name_count);
            item->event.names = item->names;
        }
        if (request->watch && (node || request->kind == REQUEST_GET)) {
            arm(client, request->path, request->kind == REQUEST_LIST);
        } else if (request->watch) {
            arm(client, request->path, false); /* a list of what is not there waits for its creation */
        }
    }
    send_here(client, item);
}

/* ---- the link ------------------------------------------------------------------------------ */

static void try_connect(void *owner, uint64_t connection);

static void try_later(struct client *client, int64_t least_ms, int64_t most_ms)
{
    struct ensemble *ensemble = client->ensemble;
    agenda_at(ensemble->agenda, now(client) + chance_between(&ensemble->chance, least_ms, most_ms), try_connect, client,
              client->connection);
}

/* Requests on their way: the first few still arrive, nobody waits for any. */
static void strand(struct client *client)
{
    size_t on_way = 0;
    for (struct request *request = client->unanswered; request; request = request->next) {
        on_way += request->line == NULL;
    }
    size_t arriving = chance_below(&client->ensemble->chance, on_way + 1);
    for (struct request *request = client->unanswered; request; request = request->next) {
        if (request->line == NULL) {
            request->lost = request->lost || arriving == 0;
            arriving -= arriving > 0;
        }
    }
}

/* What was on its way here never comes. */
static void hang_up(struct client *client)
{
    struct item *item;
    client->connection++;
    while ((item = take(&client->pipe))) {
        item->request = NULL; /* still unanswered */
        item_free(item);
    }
}

static void leave_line(struct client *client)
{
    if (client->line) {
        if (client->session && !client->session->over && client->session->line == client->line) {
            session_falls_silent(client->session);
        }
        strand(client);
        client->line->client = NULL;
        client->line = NULL;
    }
    hang_up(client);
}

/* The client knows: everything unanswered is unknown. */
static void answer_unknown(struct client *client)
{
    while (client->unanswered) {
        struct request *request = client->unanswered;
        client->unanswered = request->next;
        take_in(client, made_up(request->tag, request->path));
        request->dropped = true;
        if (request->idle) {
            request_free(request);
        }
    }
    client->unanswered_end = &client->unanswered;
}

static void come_down(struct client *client)
{
    leave_line(client);
    client->deaf = false;
    if (client->phase == PHASE_UP) {
        client->phase = PHASE_DOWN;
        client->down_ms = now(client);
        take_in(client, item_new(STORE_DOWN));
    }
    answer_unknown(client);
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        watch->fired = false;
    }
    if (client->phase == PHASE_DOWN || client->phase == PHASE_TRYING) {
        try_later(client, 10, 100);
    }
}

void client_disconnected(struct client *client)
{
    leave_line(client);
    come_down(client);
}

static void go_away(struct client *client, const char *why)
{
    struct item *item = item_new(STORE_GONE);
    item->event.detail = why;
    client->phase = PHASE_GONE;
    hang_up(client);
    take_in(client, item);
}

/* What happened to watched znodes while nobody listened: the client says what it has seen. */
static void rearm_watches(struct client *client)
{
    const struct tree *tree = &client->ensemble->servers[client->server].tree;
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        const struct znode *node = tree_find(tree, watch->path);
        int64_t changed = node ? (watch->list ? node->pzxid : node->stat.mzxid) : 0;
        if (!node || changed > client->seen_zxid) {
            fire(client, watch);
        }
    }
}

static void come_up(struct client *client, bool renewed)
{
    struct item *item = item_new(STORE_UP);
    client->phase = PHASE_UP;
    client->line = line_new(client->ensemble, client, client->server, client->session);
    item->event.session = client->session->id;
    item->event.renewed = renewed;
    take_in(client, item);
    rearm_watches(client);
}

static void session_made(void *owner, uint64_t arg)
{
    struct client *client = owner;
    (void)arg;
    if (client->dead || client->phase != PHASE_TRYING) {
        return;
    }
    if (client->cut || client->ensemble->halted || client->session->over) {
        session_falls_silent(client->session); /* the answer does not reach us: it was made in vain */
        client->session = NULL;
        try_later(client, 100, 400);
        return;
    }
    come_up(client, true);
}

/* The server answers: the session lives, is over, or is made. */
static void shake_hands(void *owner, uint64_t connection)
{
    struct client *client = owner;
    struct ensemble *ensemble = client->ensemble;
    if (client->dead || connection != client->connection) {
        return;
    }
    const struct server *server = &ensemble->servers[client->server];
    if (client->cut || client->frozen || ensemble->halted || server->tree.zxid < client->seen_zxid) {
        try_later(client, 100, 400); /* a server that is behind what we have seen refuses us */
        return;
    }
    if (client->phase == PHASE_TRYING) {
        client->session = session_new(ensemble, client->timeout_ms);
        server_await(&ensemble->servers[client->server], ensemble_mark(ensemble), session_made, client);
    } else if (client->session->over) {
        go_away(client, "the session expired");
    } else {
        come_up(client, false);
    }
}

static void try_connect(void *owner, uint64_t connection)
{
    struct client *client = owner;
    struct ensemble *ensemble = client->ensemble;
    if (client->dead || connection != client->connection || (client->phase != PHASE_TRYING && client->phase != PHASE_DOWN)) {
        return;
    }
    if (client->frozen || client->cut || ensemble->halted) {
        if (!client->frozen && now(client) - client->down_ms > 2 * client->timeout_ms) {
            go_away(client, "no server was reached for too long");
        } else {
            try_later(client, 100, 400);
        }
        return;
    }
    client->server = (int)chance_below(&ensemble->chance, SERVERS);
    agenda_at(ensemble->agenda, now(client) + 2 * chance_between(&ensemble->chance, client->least_ms, client->most_ms), shake_hands,
              client, client->connection);
}

static void notice_silence(void *owner, uint64_t connection)
{
    struct client *client = owner;
    if (!client->dead && client->deaf && connection == client->connection) {
        if (client->frozen) {
            agenda_at(client->ensemble->agenda, now(client) + 100, notice_silence, client, connection);
        } else {
            come_down(client);
        }
    }
}

/* ---- requests ---------------------------------------------------------------------------------- */

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
        if (strcmp(request->ops[i].path, client->break_at) == 0 && request->ops[i].kind != STORE_CHECK) {
            client->break_at[0] = '\0';
            return true;
        }
    }
    return false;
}

static void issue(struct client *client, struct request *request)
{
    if (client->phase != PHASE_UP) {
        take_in(client, made_up(request->tag, request->path));
        request_free(request);
        return;
    }
    *client->unanswered_end = request;
    client->unanswered_end = &request->next;
    if (client->deaf) {
        request->idle = true; /* its unknown outcome is told when the silence is noticed */
        return;
    }
    bool breaks = breaks_here(client, request);
    request->lost = breaks && !client->break_carried_out;
    int64_t at_ms = now(client) + chance_between(&client->ensemble->chance, client->least_ms, client->most_ms);
    client->sent_ms = at_ms > client->sent_ms ? at_ms : client->sent_ms;
    agenda_at(client->ensemble->agenda, client->sent_ms, arrive_there, request, (uint64_t)(uintptr_t)client->line);
    if (breaks) {
        agenda_at(client->ensemble->agenda, client->sent_ms + 1, cut_now, client, 0);
    }
}

static struct request *reading(struct store *store, enum request_kind kind, uint64_t tag, const char *path, bool watch)
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
    item_free(client->told);
    client->told = take(&client->inbox);
    if (client->told) {
        *ret_event = client->told->event;
    }
    return client->told != NULL;
}

static void drop_watches(struct client *client)
{
    while (client->watches) {
        drop_watch(client, client->watches->path, client->watches->list, client->watches->fired);
    }
}

static void mem_renew(struct store *store)
{
    struct client *client = client_of(store);
    leave_line(client);
    answer_unknown(client);
    drop_watches(client);
    client->session = NULL;
    client->seen_zxid = 0;
    client->deaf = false;
    client->phase = PHASE_TRYING;
    client->down_ms = now(client);
    try_later(client, 0, 5);
}

static void mem_close(struct store *store)
{
    struct client *client = client_of(store);
    if (client->session && client->phase == PHASE_UP && !client->deaf && !client->cut && !client->ensemble->halted) {
        struct session *session = client->session;
        store_mem_kill(store);
        session_end(session);
    } else {
        store_mem_kill(store);
    }
}

/* ---- faults -------------------------------------------------------------------------------------- */

void store_mem_cut(struct store *store, bool silent)
{
    struct client *client = client_of(store);
    client->cut = true;
    if (!client->line) {
        return;
    }
    leave_line(client);
    if (silent) {
        client->deaf = true;
        agenda_at(client->ensemble->agenda, now(client) + client->timeout_ms * 2 / 3, notice_silence, client, client->connection);
    } else {
        come_down(client);
    }
}

void store_mem_mend(struct store *store)
{
    struct client *client = client_of(store);
    client->cut = false;
    if (client->deaf && !client->frozen) {
        come_down(client);
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
    leave_line(client);
    client->dead = true;
    client->ready = NULL;
    answer_unknown(client);
    drop_watches(client);
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

/* ---- life ------------------------------------------------------------------------------------------- */

struct store *store_mem_new(struct ensemble *ensemble, const char *name, int64_t timeout_ms, void (*ready)(void *owner), void *owner)
{
    static const struct store_ops ops = {mem_get, mem_list, mem_sync, mem_write, mem_fd, mem_next, mem_renew, mem_close};
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
    client->inbox.end = &client->inbox.first;
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
        item_free(client->told);
        struct item *item;
        while ((item = take(&client->inbox))) {
            item_free(item);
        }
        free(client);
    }
}
