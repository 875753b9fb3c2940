#include "registry/store/zk_requests.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

enum {
    WINDOW = 1024,        /* requests under way; further ones wait here. Past 65,536 the client hangs up. */
    PACKET_MAX = 1000000, /* one request; ZooKeeper stops at 1 MiB, which looks like a lost link, for ever */
    OP_OVERHEAD = 128     /* a step's bytes beside its path and data, amply */
};

enum call_kind { CALL_GET, CALL_LIST, CALL_SYNC, CALL_WRITE };

/* A write's own copies: the client keeps pointers to the results until it completes. */
struct transaction {
    size_t n;
    zoo_op_t ops[STORE_OPS_MAX];
    zoo_op_result_t results[STORE_OPS_MAX];
    struct Stat stats[STORE_OPS_MAX];
    bool creates; /* a single create, which is sent as such for the sake of its stat */
    char text[];  /* paths and data */
};

struct call {
    struct item item;
    struct inbox *inbox;
    struct call *next, *prev; /* in `calls`, by issue */
    enum call_kind kind;
    bool sent;     /* counted as under way */
    bool answered; /* in the inbox, or out of it; the client's thread sets it, ours reads it when that has ended */
    uint64_t tag;
    bool watch;
    struct transaction *transaction; /* of a write; NULL when it is too large to be sent */
    /* the answer */
    int rc;
    struct store_stat stat;
    char *data;
    size_t len;
    char **names;
    size_t name_count;
    char path[];
};

/* ---- callbacks: on the client's threads, they only hand over ------------------------- */

static void answered(struct call *call, int rc)
{
    call->rc = rc;
    call->answered = true;
    inbox_put(call->inbox, &call->item);
}

static struct store_stat stat_of(const struct Stat *stat)
{
    return (struct store_stat){stat->czxid, stat->mzxid, stat->version, stat->ephemeralOwner};
}

static void got(int rc, const char *value, int value_len, const struct Stat *stat, const void *context)
{
    struct call *call = (struct call *)(uintptr_t)context;
    if (rc == ZOK) {
        call->stat = stat_of(stat);
        if (value && value_len >= 0) {
            call->len = (size_t)value_len;
            call->data = malloc(call->len + 1);
            if (call->data) {
                memcpy(call->data, value, call->len);
                call->data[call->len] = '\0';
            } else {
                rc = ZOPERATIONTIMEOUT; /* it happened, but we did not learn of it */
            }
        }
    }
    answered(call, rc);
}

static void listed(int rc, const struct String_vector *strings, const void *context)
{
    struct call *call = (struct call *)(uintptr_t)context;
    if (rc == ZOK) {
        size_t count = (size_t)strings->count;
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            size += strlen(strings->data[i]) + 1;
        }
        call->names = malloc((count + 1) * sizeof *call->names + size);
        if (call->names) {
            char *to = (char *)(call->names + count + 1);
            for (size_t i = 0; i < count; i++) {
                call->names[i] = to;
                to = stpcpy(to, strings->data[i]) + 1;
            }
            call->names[count] = NULL;
            call->name_count = count;
        } else {
            rc = ZOPERATIONTIMEOUT;
        }
    }
    answered(call, rc);
}

static void synced(int rc, const char *value, const void *context)
{
    (void)value;
    answered((struct call *)(uintptr_t)context, rc);
}

static void wrote(int rc, const void *context)
{
    answered((struct call *)(uintptr_t)context, rc);
}

static void created(int rc, const char *value, const struct Stat *stat, const void *context)
{
    struct call *call = (struct call *)(uintptr_t)context;
    (void)value;
    if (rc == ZOK && stat) {
        call->stat = stat_of(stat);
    }
    answered(call, rc);
}

/* Of the exists before a read, whose only use is the watch. */
static void looked(int rc, const struct Stat *stat, const void *context)
{
    (void)rc;
    (void)stat;
    (void)context;
}

/* ---- sending ------------------------------------------------------------------------------- */

static bool is_sound(const struct call *call)
{
    return call->kind != CALL_WRITE || call->transaction;
}

static void answer_unsent(struct call *call)
{
    answered(call, is_sound(call) ? ZCONNECTIONLOSS : ZBADARGUMENTS);
}

static void link_call(struct zk_calls *calls, struct call *call)
{
    call->prev = calls->last;
    *(calls->last ? &calls->last->next : &calls->first) = call;
    calls->last = call;
}

static void unlink_call(struct zk_calls *calls, struct call *call)
{
    assert(call != calls->waiting);
    *(call->prev ? &call->prev->next : &calls->first) = call->next;
    *(call->next ? &call->next->prev : &calls->last) = call->prev;
}

/* Watches the znode, absent or not, which a read does only where there is one. Nothing slips in between it and the read
 * behind it: the watch is there first. */
static int send_exists(struct zk_calls *calls, const struct call *call)
{
    return call->watch ? zoo_aexists(calls->link, call->path, 1, looked, NULL) : ZOK;
}

static int send_get(struct zk_calls *calls, struct call *call)
{
    int rc = send_exists(calls, call);
    return rc != ZOK ? rc : zoo_aget(calls->link, call->path, 0, got, call);
}

/* Of an absent znode, the exists tells when it comes; of one that is there, the list itself tells of its children. */
static int send_list(struct zk_calls *calls, struct call *call)
{
    int rc = send_exists(calls, call);
    return rc != ZOK ? rc : zoo_aget_children(calls->link, call->path, call->watch, listed, call);
}

static int send_write(struct zk_calls *calls, struct call *call)
{
    struct transaction *write = call->transaction;
    if (!is_sound(call)) {
        return ZBADARGUMENTS;
    }
    if (write->creates) {
        const zoo_op_t *op = &write->ops[0];
        return zoo_acreate2(calls->link, op->create_op.path, op->create_op.data, op->create_op.datalen, op->create_op.acl,
                            op->create_op.flags, created, call);
    }
    return zoo_amulti(calls->link, (int)write->n, write->ops, write->results, wrote, call);
}

static int send_call(struct zk_calls *calls, struct call *call)
{
    switch (call->kind) {
    case CALL_GET:
        return send_get(calls, call);
    case CALL_LIST:
        return send_list(calls, call);
    case CALL_SYNC:
        return zoo_async(calls->link, call->path, synced, call);
    case CALL_WRITE:
        return send_write(calls, call);
    }
    return ZBADARGUMENTS;
}

/* Hand as many of the waiting calls to the client as the window takes. */
static void send_waiting(struct zk_calls *calls)
{
    while (calls->waiting && calls->link && calls->under_way < WINDOW) {
        struct call *call = calls->waiting;
        calls->waiting = call->next;
        call->sent = true;
        calls->under_way++;
        int rc = send_call(calls, call);
        if (rc == ZMARSHALLINGERROR) {
            inbox_lose(calls->inbox); /* out of memory; whether it kept the call cannot be told: let the session end first */
        } else if (rc != ZOK) {
            answered(call, rc);
        }
    }
}

static void issue(struct zk_calls *calls, struct call *call)
{
    link_call(calls, call);
    if (!calls->link) {
        answer_unsent(call);
        return;
    }
    if (!calls->waiting) {
        calls->waiting = call;
    }
    send_waiting(calls);
}

/* A request cannot fail, so there is no going on without the memory for one. */
static void *must_have(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static struct call *new_call(struct zk_calls *calls, enum call_kind kind, uint64_t tag, const char *path, bool watch)
{
    size_t size = strlen(path) + 1;
    struct call *call = must_have(calloc(1, sizeof *call + size));
    call->item.kind = ITEM_ANSWER;
    call->inbox = calls->inbox;
    call->kind = kind;
    call->tag = tag;
    call->watch = watch;
    memcpy(call->path, path, size);
    return call;
}

static void free_call(struct call *call)
{
    free(call->transaction);
    free(call->data);
    free(call->names);
    free(call);
}

void zk_call_free(struct item *item)
{
    free_call((struct call *)(void *)item);
}

/* ---- requests ------------------------------------------------------------------------------ */

void zk_calls_get(struct zk_calls *calls, uint64_t tag, const char *path, bool watch)
{
    issue(calls, new_call(calls, CALL_GET, tag, path, watch));
}

void zk_calls_list(struct zk_calls *calls, uint64_t tag, const char *path, bool watch)
{
    issue(calls, new_call(calls, CALL_LIST, tag, path, watch));
}

void zk_calls_sync(struct zk_calls *calls, uint64_t tag, const char *path)
{
    issue(calls, new_call(calls, CALL_SYNC, tag, path, false));
}

static bool has_data(const struct store_op *op)
{
    return op->kind == STORE_CREATE || op->kind == STORE_CREATE_EPHEMERAL || op->kind == STORE_SET;
}

/* Bytes to copy, and whether they would fit into one packet. */
static size_t measure(const struct store_op *ops, size_t n, bool *ret_fits)
{
    size_t size = 0;
    *ret_fits = true;
    for (size_t i = 0; i < n; i++) {
        size_t len = has_data(&ops[i]) ? ops[i].len : 0;
        *ret_fits = *ret_fits && len <= PAYLOAD_MAX;
        size += strlen(ops[i].path) + 1 + len;
    }
    *ret_fits = *ret_fits && size + n * OP_OVERHEAD <= PACKET_MAX;
    return size;
}

static void prepare(struct zk_calls *calls, struct transaction *write, size_t i, const struct store_op *op, char **text)
{
    const char *path = *text;
    *text = stpcpy(*text, op->path) + 1;
    const char *data = *text;
    int len = 0;
    if (has_data(op) && op->len > 0) {
        memcpy(*text, op->data, op->len);
        *text += op->len;
        len = (int)op->len;
    }
    switch (op->kind) {
    case STORE_CREATE:
        zoo_create_op_init(&write->ops[i], path, data, len, calls->acls, ZOO_PERSISTENT, NULL, 0);
        break;
    case STORE_CREATE_EPHEMERAL:
        zoo_create_op_init(&write->ops[i], path, data, len, calls->acls, ZOO_EPHEMERAL, NULL, 0);
        break;
    case STORE_SET:
        zoo_set_op_init(&write->ops[i], path, data, len, op->version, &write->stats[i]);
        break;
    case STORE_DELETE:
        zoo_delete_op_init(&write->ops[i], path, op->version);
        break;
    case STORE_CHECK:
        zoo_check_op_init(&write->ops[i], path, op->version);
        break;
    }
}

void zk_calls_write(struct zk_calls *calls, uint64_t tag, const struct store_op *ops, size_t n)
{
    bool fits;
    assert(n <= STORE_OPS_MAX);
    struct call *call = new_call(calls, CALL_WRITE, tag, "", false);
    size_t size = measure(ops, n, &fits);
    if (!fits) {
        issue(calls, call);
        return;
    }
    struct transaction *write = must_have(calloc(1, sizeof *write + size));
    char *text = write->text;
    write->n = n;
    write->creates = n == 1 && (ops[0].kind == STORE_CREATE || ops[0].kind == STORE_CREATE_EPHEMERAL);
    for (size_t i = 0; i < n; i++) {
        prepare(calls, write, i, &ops[i], &text);
    }
    call->transaction = write;
    issue(calls, call);
}

/* ---- answers -------------------------------------------------------------------------------- */

static enum store_rc rc_of(const struct call *call)
{
    switch (call->rc) {
    case ZOK:
        return STORE_OK;
    case ZNONODE:
        return STORE_NO_NODE;
    case ZNODEEXISTS:
        return STORE_EXISTS;
    case ZBADVERSION:
        return STORE_BAD_VERSION;
    case ZNOTEMPTY:
        return STORE_NOT_EMPTY;
    case ZNOAUTH:
    case ZINVALIDACL:
        return STORE_DENIED;
    case ZBADARGUMENTS:
        return STORE_INVALID;
    case ZCONNECTIONLOSS:
    case ZOPERATIONTIMEOUT:
    case ZCLOSING:
    case ZINVALIDSTATE:
    case ZSESSIONEXPIRED:
    case ZAUTHFAILED:
        return STORE_UNKNOWN;
    default: /* an accident inside a server may strike before or after the deed; a read has none */
        return call->kind == CALL_WRITE && call->rc > ZAPIERROR ? STORE_UNKNOWN : STORE_FAILED;
    }
}

/* Steps before and behind the refused one say "fine" or "rolled back". */
static size_t refused_step(const struct transaction *write)
{
    for (size_t i = 0; i < write->n; i++) {
        if (write->results[i].err != ZOK && write->results[i].err != ZRUNTIMEINCONSISTENCY) {
            return i;
        }
    }
    return 0;
}

static void outcome_of_write(const struct call *call, struct store_event *event)
{
    const struct transaction *write = call->transaction;
    if (!write || write->creates) {
        return;
    }
    if (event->rc != STORE_OK) {
        event->failed_op = event->rc == STORE_UNKNOWN ? 0 : refused_step(write);
        return;
    }
    for (size_t i = 0; i < write->n; i++) {
        if (write->ops[i].type == ZOO_SETDATA_OP) {
            event->stat = stat_of(&write->stats[i]);
        }
    }
}

void zk_calls_take(struct zk_calls *calls, struct item *item, struct store_event *ret_event)
{
    struct call *call = (struct call *)(void *)item;
    unlink_call(calls, call);
    calls->under_way -= call->sent;
    send_waiting(calls);
    *ret_event = (struct store_event){.kind = STORE_ANSWER,
                                      .tag = call->tag,
                                      .path = call->path,
                                      .rc = rc_of(call),
                                      .stat = call->stat,
                                      .data = call->data,
                                      .len = call->len,
                                      .names = (const char *const *)call->names,
                                      .name_count = call->name_count};
    outcome_of_write(call, ret_event);
}

void zk_calls_link_down(struct zk_calls *calls)
{
    struct call *call = calls->waiting;
    calls->link = NULL;
    calls->waiting = NULL;
    while (call) {
        struct call *next = call->next;
        answer_unsent(call);
        call = next;
    }
}

void zk_calls_settle(struct zk_calls *calls)
{
    zk_calls_link_down(calls);
    for (struct call *call = calls->first; call; call = call->next) {
        if (!call->answered) {
            answered(call, ZCLOSING);
        }
    }
}
