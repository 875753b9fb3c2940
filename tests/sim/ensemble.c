#include "tests/sim/ensemble.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- the log --------------------------------------------------------------------------------- */

static void apply_next(void *owner, uint64_t arg)
{
    struct zk_server *server = owner;
    struct ensemble *ensemble = server->ensemble;
    (void)arg;
    const struct txn *txn = &ensemble->log[server->applied++];
    tree_apply(&server->tree, txn);
    for (size_t i = 0; i < txn->count; i++) {
        for (struct line *line = ensemble->lines; line; line = line->next) {
            if (line->client && &ensemble->servers[line->server] == server) {
                client_receive(line->client, &txn->changes[i]);
            }
        }
    }
    struct waiter *due = NULL;
    for (struct waiter **at = &server->waiters; *at;) {
        struct waiter *waiter = *at;
        if (waiter->zxid <= server->tree.zxid) {
            *at = waiter->next;
            waiter->next = due;
            due = waiter;
        } else {
            at = &waiter->next;
        }
    }
    while (due) {
        struct waiter *waiter = due;
        due = waiter->next;
        waiter->run(waiter->owner, 0);
        free(waiter);
    }
}

void server_await(struct zk_server *server, int64_t zxid, void (*run)(void *owner, uint64_t arg),
                  void *owner)
{
    if (server->tree.zxid >= zxid) {
        run(owner, 0);
        return;
    }
    struct waiter *waiter = calloc(1, sizeof *waiter);
    assert(waiter);
    *waiter = (struct waiter){zxid, run, owner, server->waiters};
    server->waiters = waiter;
}

/* Takes the transaction over. */
static void commit(struct ensemble *ensemble, struct txn *txn, const char *by)
{
    for (size_t i = 0; i < txn->count; i++) {
        ensemble->writes++;
        if (ensemble->on_change) {
            ensemble->on_change(ensemble->owner, &txn->changes[i], by);
        }
    }
    if (ensemble->log_count == ensemble->log_room) {
        ensemble->log_room = ensemble->log_room ? 2 * ensemble->log_room : 256;
        ensemble->log = realloc(ensemble->log, ensemble->log_room * sizeof *ensemble->log);
        assert(ensemble->log);
    }
    ensemble->log[ensemble->log_count++] = *txn;
    tree_apply(&ensemble->head, txn);
    for (int i = 0; i < SERVERS; i++) {
        struct zk_server *server = &ensemble->servers[i];
        int64_t at_ms =
            ensemble->agenda->now_ms + chance_between(&ensemble->chance, 0, 2) + server->lag_ms;
        server->apply_ms = at_ms > server->apply_ms ? at_ms : server->apply_ms;
        agenda_at(ensemble->agenda, server->apply_ms, apply_next, server, 0);
    }
}

int64_t ensemble_mark(struct ensemble *ensemble)
{
    struct txn txn;
    tree_end_session(&ensemble->head, -1, ++ensemble->zxid, &txn);
    commit(ensemble, &txn, NULL);
    return ensemble->zxid;
}

/* ---- sessions -------------------------------------------------------------------------------- */

struct session *session_new(struct ensemble *ensemble, int64_t timeout_ms)
{
    struct session *session = calloc(1, sizeof *session);
    assert(session);
    session->id = 0x100000000 + ++ensemble->sessions_made;
    session->timeout_ms = timeout_ms;
    session->ensemble = ensemble;
    session->next = ensemble->sessions;
    ensemble->sessions = session;
    return session;
}

void session_end(struct session *session)
{
    struct ensemble *ensemble = session->ensemble;
    struct txn txn;
    if (session->over) {
        return;
    }
    session->over = true;
    tree_end_session(&ensemble->head, session->id, ++ensemble->zxid, &txn);
    commit(ensemble, &txn, "expiry");
    if (session->line && session->line->client) {
        client_disconnected(session->line->client);
    }
}

static void expire(void *owner, uint64_t lease)
{
    struct session *session = owner;
    if (lease == session->lease && !session->ensemble->halted) {
        session_end(session);
    }
}

void session_shows_life(struct session *session)
{
    session->lease++;
}

void session_falls_silent(struct session *session)
{
    struct ensemble *ensemble = session->ensemble;
    session->lease++; /* the server counts in ticks: up to one more */
    int64_t wait_ms =
        session->timeout_ms + chance_between(&ensemble->chance, 0, session->timeout_ms / 4);
    agenda_at(ensemble->agenda, ensemble->agenda->now_ms + wait_ms, expire, session,
              session->lease);
}

/* ---- lines ----------------------------------------------------------------------------------- */

struct request *request_new(struct ensemble *ensemble, enum request_kind kind, uint64_t tag)
{
    struct request *request = calloc(1, sizeof *request);
    assert(request);
    *request = (struct request){
        .kind = kind, .tag = tag, .ensemble = ensemble, .older = ensemble->requests};
    if (ensemble->requests) {
        ensemble->requests->newer = request;
    }
    ensemble->requests = request;
    return request;
}

void request_free(struct request *request)
{
    *(request->newer ? &request->newer->older : &request->ensemble->requests) = request->older;
    if (request->older) {
        request->older->newer = request->newer;
    }
    for (size_t i = 0; i < request->op_count; i++) {
        free((void *)(uintptr_t)request->ops[i].path);
        free((void *)(uintptr_t)request->ops[i].data);
    }
    free(request->ops);
    free(request->path);
    free(request);
}

struct line *line_new(struct ensemble *ensemble, struct client *client, int server,
                      struct session *session)
{
    struct line *line = calloc(1, sizeof *line);
    assert(line);
    *line = (struct line){.ensemble = ensemble,
                          .client = client,
                          .by = client_name(client),
                          .server = server,
                          .session = session,
                          .next = ensemble->lines};
    ensemble->lines = line;
    session->line = line;
    session_shows_life(session);
    return line;
}

static void work(struct line *line);

static void finish(void *owner, uint64_t arg)
{
    struct request *request = owner;
    struct line *line = request->line;
    (void)arg;
    line->first = request->behind;
    line->last = line->first ? line->last : NULL;
    line->working = false;
    if (request->dropped) {
        request_free(request);
    } else {
        request->idle = true;
        if (line->client) {
            client_answered(line->client, request, &line->ensemble->servers[line->server].tree);
        }
    }
    work(line);
}

/* The request reached the leader. */
static void lead(void *owner, uint64_t arg)
{
    struct request *request = owner;
    struct line *line = request->line;
    struct ensemble *ensemble = line->ensemble;
    (void)arg;
    if (request->kind == REQUEST_SYNC) {
        request->zxid = ensemble->zxid;
    } else if (ensemble->halted || line->session->over || line->session->line != line) {
        request->rc = STORE_FAILED; /* the session moved or is over: nobody receives this */
        request->zxid = 0;
    } else {
        struct txn txn;
        request->rc = tree_execute(&ensemble->head, request->ops, request->op_count,
                                   ++ensemble->zxid, line->session->id, &txn, &request->failed_op);
        request->zxid = ensemble->zxid;
        if (request->rc == STORE_OK && request->op_count == 1 && txn.count == 1) {
            request->stat = txn.changes[0].node.stat;
        }
        commit(ensemble, &txn, line->by);
    }
    server_await(&ensemble->servers[line->server], request->zxid, finish, request);
}

static void work(struct line *line)
{
    struct request *request = line->first;
    if (!request || line->working) {
        return;
    }
    line->working = true;
    if (request->kind == REQUEST_WRITE || request->kind == REQUEST_SYNC) {
        agenda_at(line->ensemble->agenda, line->ensemble->agenda->now_ms + 1, lead, request, 0);
    } else {
        finish(request, 0);
    }
}

void line_take(struct line *line, struct request *request)
{
    if (line->last) {
        line->last->behind = request;
    } else {
        line->first = request;
    }
    line->last = request;
    work(line);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void put(struct ensemble *ensemble, const struct store_op *op)
{
    struct txn txn;
    size_t failed;
    enum store_rc rc = tree_execute(&ensemble->head, op, 1, ++ensemble->zxid, 0, &txn, &failed);
    assert(rc == STORE_OK);
    (void)rc;
    commit(ensemble, &txn, NULL);
}

void ensemble_put(struct ensemble *ensemble, const char *path, const char *data)
{
    bool there = tree_find(&ensemble->head, path) != NULL;
    put(ensemble,
        &(struct store_op){there ? STORE_SET : STORE_CREATE, path, data, strlen(data), -1});
}

void ensemble_delete(struct ensemble *ensemble, const char *path)
{
    if (tree_find(&ensemble->head, path)) {
        put(ensemble, &(struct store_op){.kind = STORE_DELETE, .path = path, .version = -1});
    }
}

void ensemble_halt(struct ensemble *ensemble)
{
    ensemble->halted = true;
    clients_halted(ensemble);
}

void ensemble_resume(struct ensemble *ensemble)
{
    ensemble->halted = false;
    for (struct session *session = ensemble->sessions; session; session = session->next) {
        if (!session->over) {
            session_falls_silent(session);
        }
    }
}

struct ensemble *ensemble_new(struct agenda *agenda, uint64_t seed)
{
    struct ensemble *ensemble = calloc(1, sizeof *ensemble);
    assert(ensemble);
    ensemble->agenda = agenda;
    ensemble->chance.state = seed;
    ensemble->zxid = 0x100000000;
    for (int i = 0; i < SERVERS; i++) {
        ensemble->servers[i].ensemble = ensemble;
    }
    struct change *root = calloc(1, sizeof *root);
    assert(root);
    *root = (struct change){.creates = true, .node = {.path = strdup("/"), .data = strdup("")}};
    struct txn txn = {.zxid = ensemble->zxid, .changes = root, .count = 1};
    commit(ensemble, &txn, NULL);
    return ensemble;
}

void ensemble_free(struct ensemble *ensemble)
{
    if (!ensemble) {
        return;
    }
    clients_free(ensemble);
    while (ensemble->requests) {
        request_free(ensemble->requests);
    }
    while (ensemble->lines) {
        struct line *line = ensemble->lines;
        ensemble->lines = line->next;
        free(line);
    }
    while (ensemble->sessions) {
        struct session *session = ensemble->sessions;
        ensemble->sessions = session->next;
        free(session);
    }
    for (int i = 0; i < SERVERS; i++) {
        while (ensemble->servers[i].waiters) {
            struct waiter *waiter = ensemble->servers[i].waiters;
            ensemble->servers[i].waiters = waiter->next;
            free(waiter);
        }
        tree_release(&ensemble->servers[i].tree);
    }
    for (size_t i = 0; i < ensemble->log_count; i++) {
        txn_release(&ensemble->log[i]);
    }
    free(ensemble->log);
    tree_release(&ensemble->head);
    free(ensemble);
}
