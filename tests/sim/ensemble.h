/* A ZooKeeper ensemble of virtual time: a leader, SERVERS servers that follow
 * its log each with its own delay, sessions, and lines to clients.
 *
 *   client --(delay)--> line at a server --write--> leader --> log --> every server, in order,
 *                            |                                         each in its time
 *                            |  read: from the server's own tree, behind its earlier requests
 *                            |  sync: waits until the server has what the leader had
 *                            +--> answers and watch events, in order, back to the client
 *
 * What it keeps of the real one: zxid order, versions, transactions with checks, ephemerals,
 * one-shot watches, sessions that move between servers and expire, reads that may be old (but never
 * older than what the session has seen), answers that get lost, writes of a lost line that may
 * still arrive. */
#ifndef ROSTER_TESTS_SIM_ENSEMBLE_H
#define ROSTER_TESTS_SIM_ENSEMBLE_H

#include "tests/sim/agenda.h"
#include "tests/sim/chance.h"
#include "tests/sim/tree.h"

enum { SERVERS = 3 };

struct client;
struct ensemble;

struct session {
    int64_t id;
    int64_t timeout_ms;
    bool over;
    struct line *line; /* where it is served; another's writes are refused */
    /* grows whenever the session shows life: an expiry of a former lease is void */
    uint64_t lease;
    struct ensemble *ensemble;
    struct session *next;
};

enum request_kind { REQUEST_GET, REQUEST_LIST, REQUEST_SYNC, REQUEST_WRITE };

struct request {
    enum request_kind kind;
    uint64_t tag;
    bool watch;
    char *path;           /* reads */
    struct store_op *ops; /* writes; owned, strings too */
    size_t op_count;
    bool lost;    /* never arrives */
    bool dropped; /* the client waits no more: whoever holds it frees it */
    bool idle;    /* nobody but the client holds it */
    enum store_rc rc;
    struct store_stat stat;
    size_t failed_op;
    int64_t zxid; /* the server must have this one before it answers */
    struct line *line;
    struct request *behind; /* in the line */
    struct request *next;   /* among the client's unanswered */
    struct ensemble *ensemble;
    struct request *newer, *older; /* among all there are */
};

/* One connection, as the server sees it. Outlives the client's side while requests are on their
 * way. */
struct line {
    struct ensemble *ensemble;
    struct client *client; /* NULL: cut */
    const char *by;
    int server;
    struct session *session;
    struct request *first, *last; /* arrived, in order */
    bool working;
    struct line *next;
};

/* Runs when a server has a transaction. */
struct waiter {
    int64_t zxid;
    void (*run)(void *owner, uint64_t arg);
    void *owner;
    struct waiter *next;
};

struct zk_server {
    struct ensemble *ensemble;
    struct tree tree;
    size_t applied;   /* transactions of the log */
    int64_t apply_ms; /* when the latest that is under way will be applied */
    int64_t lag_ms;   /* more than the usual millisecond or two */
    struct waiter *waiters;
};

struct ensemble {
    struct agenda *agenda;
    struct chance chance;
    bool halted;
    int64_t zxid;
    struct tree head; /* the leader's */
    struct txn *log;
    size_t log_count, log_room;
    struct zk_server servers[SERVERS];
    struct session *sessions;
    struct line *lines;
    struct client *clients;
    struct request *requests;
    int64_t sessions_made;
    /* The oracle's: called for every change, while the leader's tree is still as before. `by`:
     * who wrote, NULL the operator. */
    void (*on_change)(void *owner, const struct change *change, const char *by);
    void *owner;
    uint64_t writes; /* changes of znodes so far */
};

struct ensemble *ensemble_new(struct agenda *agenda, uint64_t seed);
void ensemble_free(struct ensemble *ensemble);

/* Nobody is served, nothing expires; afterwards every session has its whole timeout again. */
void ensemble_halt(struct ensemble *ensemble);
void ensemble_resume(struct ensemble *ensemble);

/* The server at hand of an operator, past all delays. */
void ensemble_put(struct ensemble *ensemble, const char *path, const char *data);
void ensemble_delete(struct ensemble *ensemble, const char *path);

void session_end(struct session *session);

/* ---- between the two sides ------------------------------------------------------------------- */

struct session *session_new(struct ensemble *ensemble, int64_t timeout_ms);
void session_shows_life(struct session *session);
/* it expires after its timeout, unless it shows life before */
void session_falls_silent(struct session *session);

struct line *line_new(struct ensemble *ensemble, struct client *client, int server,
                      struct session *session);
void line_take(struct line *line, struct request *request); /* a request arrived */

/* An empty transaction; returns its zxid. */
int64_t ensemble_mark(struct ensemble *ensemble);
void server_await(struct zk_server *server, int64_t zxid, void (*run)(void *owner, uint64_t arg),
                  void *owner);

struct request *request_new(struct ensemble *ensemble, enum request_kind kind, uint64_t tag);
void request_free(struct request *request);

/* In client.c and store_mem.c. */
void client_answered(struct client *client, struct request *request, const struct tree *tree);
void client_receive(struct client *client, const struct change *change);
void client_disconnected(struct client *client);
const char *client_name(const struct client *client);
void clients_free(struct ensemble *ensemble);
void clients_halted(struct ensemble *ensemble);

#endif
