#include "tests/sim/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *client_name(const struct client *client)
{
    return client->name;
}

/* ---- events to the client -------------------------------------------------------------------- */

static struct queue_item *item_new(enum store_event_kind kind)
{
    struct queue_item *item = calloc(1, sizeof *item);
    assert(item);
    item->event.kind = kind;
    return item;
}

void item_free(struct queue_item *item)
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

static void put(struct queue *queue, struct queue_item *item)
{
    item->next = NULL;
    *queue->end = item;
    queue->end = &item->next;
}

struct queue_item *queue_take(struct queue *queue)
{
    struct queue_item *item = queue->first;
    if (item) {
        queue->first = item->next;
        queue->end = queue->first ? queue->end : &queue->first;
    }
    return item;
}

/* It is there now. */
void client_take_in(struct client *client, struct queue_item *item)
{
    put(&client->queue, item);
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
    struct queue_item *item = queue_take(&client->pipe);
    if (item->request) {
        forget_request(client, item->request);
    }
    if (item->event.kind == STORE_CHANGED) {
        drop_watch(client, item->path, item->list, true);
    }
    client->seen_zxid = item->zxid > client->seen_zxid ? item->zxid : client->seen_zxid;
    client_take_in(client, item);
}

/* On its way: in order with all else. */
static void send_here(struct client *client, struct queue_item *item)
{
    int64_t at_ms = client_now(client) +
                    chance_between(&client->ensemble->chance, client->least_ms, client->most_ms);
    client->received_ms = at_ms > client->received_ms ? at_ms : client->received_ms;
    put(&client->pipe, item);
    agenda_at(client->ensemble->agenda, client->received_ms, arrive_here, client,
              client->connection);
}

struct queue_item *answer_made_up(uint64_t tag, const char *path)
{
    struct queue_item *item = item_new(STORE_ANSWER);
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
    struct queue_item *item = item_new(STORE_CHANGED);
    item->path = strdup(watch->path);
    item->event.path = item->path;
    item->list = watch->list;
    watch->fired = true;
    send_here(client, item);
}

void client_receive(struct client *client, const struct change *change)
{
    bool structural = change->creates || change->drops;
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        bool same = strcmp(watch->path, change->node.path) == 0;
        bool concerns = watch->list
                            ? (same && change->drops) ||
                                  (structural && path_is_parent(watch->path, change->node.path))
                            : same;
        if (!watch->fired && concerns) {
            fire(client, watch);
        }
    }
}

void client_answered(struct client *client, struct request *request, const struct tree *tree)
{
    struct queue_item *item = item_new(STORE_ANSWER);
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
            /* a list of what is not there waits for its creation */
            arm(client, request->path, false);
        }
    }
    send_here(client, item);
}

/* ---- the link -------------------------------------------------------------------------------- */

static void try_connect(void *owner, uint64_t connection);

void client_try_later(struct client *client, int64_t least_ms, int64_t most_ms)
{
    struct ensemble *ensemble = client->ensemble;
    agenda_at(ensemble->agenda,
              client_now(client) + chance_between(&ensemble->chance, least_ms, most_ms),
              try_connect, client, client->connection);
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
    struct queue_item *item;
    client->connection++;
    while ((item = queue_take(&client->pipe))) {
        item->request = NULL; /* still unanswered */
        item_free(item);
    }
}

void client_leave_line(struct client *client)
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
void client_answer_unknown(struct client *client)
{
    while (client->unanswered) {
        struct request *request = client->unanswered;
        client->unanswered = request->next;
        client_take_in(client, answer_made_up(request->tag, request->path));
        request->dropped = true;
        if (request->idle) {
            request_free(request);
        }
    }
    client->unanswered_end = &client->unanswered;
}

void client_come_down(struct client *client)
{
    client_leave_line(client);
    client->deaf = false;
    if (client->phase == PHASE_UP) {
        client->phase = PHASE_DOWN;
        client->down_ms = client_now(client);
        client_take_in(client, item_new(STORE_DOWN));
    }
    client_answer_unknown(client);
    for (struct watch *watch = client->watches; watch; watch = watch->next) {
        watch->fired = false;
    }
    if (client->phase == PHASE_DOWN || client->phase == PHASE_TRYING) {
        client_try_later(client, 10, 100);
    }
}

void client_disconnected(struct client *client)
{
    client_leave_line(client);
    client_come_down(client);
}

static void go_away(struct client *client, const char *why)
{
    struct queue_item *item = item_new(STORE_GONE);
    item->event.detail = why;
    client->phase = PHASE_GONE;
    hang_up(client);
    client_take_in(client, item);
}

/* What happened to watched znodes while nobody listened: the client sends what it has seen. */
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
    struct queue_item *item = item_new(STORE_UP);
    client->phase = PHASE_UP;
    client->line = line_new(client->ensemble, client, client->server, client->session);
    item->event.session = client->session->id;
    item->event.renewed = renewed;
    client_take_in(client, item);
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
        /* the answer does not reach us: it was made in vain */
        session_falls_silent(client->session);
        client->session = NULL;
        client_try_later(client, 100, 400);
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
    const struct zk_server *server = &ensemble->servers[client->server];
    if (client->cut || client->frozen || ensemble->halted ||
        server->tree.zxid < client->seen_zxid) {
        /* a server that is behind what we have seen refuses us */
        client_try_later(client, 100, 400);
        return;
    }
    if (client->phase == PHASE_TRYING) {
        client->session = session_new(ensemble, client->timeout_ms);
        server_await(&ensemble->servers[client->server], ensemble_mark(ensemble), session_made,
                     client);
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
    if (client->dead || connection != client->connection ||
        (client->phase != PHASE_TRYING && client->phase != PHASE_DOWN)) {
        return;
    }
    if (client->frozen || client->cut || ensemble->halted) {
        if (!client->frozen && client_now(client) - client->down_ms > 2 * client->timeout_ms) {
            go_away(client, "no server was reached for too long");
        } else {
            client_try_later(client, 100, 400);
        }
        return;
    }
    client->server = (int)chance_below(&ensemble->chance, SERVERS);
    agenda_at(ensemble->agenda,
              client_now(client) +
                  2 * chance_between(&ensemble->chance, client->least_ms, client->most_ms),
              shake_hands, client, client->connection);
}

void client_notice_silence(void *owner, uint64_t connection)
{
    struct client *client = owner;
    if (!client->dead && client->deaf && connection == client->connection) {
        if (client->frozen) {
            agenda_at(client->ensemble->agenda, client_now(client) + 100, client_notice_silence,
                      client, connection);
        } else {
            client_come_down(client);
        }
    }
}

void client_drop_watches(struct client *client)
{
    while (client->watches) {
        drop_watch(client, client->watches->path, client->watches->list, client->watches->fired);
    }
}
