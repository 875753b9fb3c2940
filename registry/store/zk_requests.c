#include "registry/store/zk_requests.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zookeeper/zookeeper.h>

#include "registry/store/zk_acl.h"

enum {
    /* requests under way; further ones wait here. Past 65,536 the client hangs up. */
    WINDOW = 1024,
    /* one request; ZooKeeper stops at 1 MiB, which looks like a lost link, for ever */
    PACKET_MAX = 1000000,
    OP_OVERHEAD = 128 /* a step's bytes beside its path and data, amply */
};

enum request_kind {
    REQUEST_GET,
    REQUEST_LIST,
    REQUEST_SYNC,
    REQUEST_WRITE,
    REQUEST_ACCESS,
    REQUEST_PROTECT
};

/* A write's own copies: the client keeps pointers to the results until it completes. */
struct transaction {
    size_t n;
    zoo_op_t ops[STORE_OPS_MAX];
    zoo_op_result_t results[STORE_OPS_MAX];
    struct Stat stats[STORE_OPS_MAX];
    size_t bytes;  /* of its paths and data */
    size_t widest; /* the step with the most data */
    bool creates;  /* a single create, which is sent as such for the sake of its stat */
    char text[];   /* paths and data */
};

struct zk_request {
    struct queue_item item;
    struct queue *queue;
    struct zk_request *next, *prev; /* in `requests`, by issue */
    enum request_kind kind;
    bool sent; /* counted as under way */
    /* in the queue, or out of it; the client's thread sets it, ours reads it when that has
     * ended */
    bool answered;
    uint64_t tag;
    bool watch;
    struct transaction *transaction; /* of a write; NULL when it is too large to be sent */
    struct ACL_vector *acl;          /* PROTECT: the new list, */
    int32_t aversion;                /* and what it replaces */
    /* the answer */
    int rc;
    struct store_stat stat;
    char *data;
    size_t len;
    char **names;
    size_t name_count;
    struct access_list *access;
    char path[];
};

/* ---- callbacks: on the client's threads, they only hand over --------------------------------- */

static void answered(struct zk_request *request, int rc)
{
    request->rc = rc;
    request->answered = true;
    queue_put(request->queue, &request->item);
}

static struct store_stat stat_of(const struct Stat *stat)
{
    return (struct store_stat){stat->czxid, stat->mzxid, stat->version, stat->ephemeralOwner,
                               stat->aversion};
}

static void got(int rc, const char *value, int value_len, const struct Stat *stat,
                const void *context)
{
    struct zk_request *request = (struct zk_request *)(uintptr_t)context;
    if (rc == ZOK) {
        request->stat = stat_of(stat);
        if (value && value_len >= 0) {
            request->len = (size_t)value_len;
            request->data = malloc(request->len + 1);
            if (request->data) {
                memcpy(request->data, value, request->len);
                request->data[request->len] = '\0';
            } else {
                rc = ZOPERATIONTIMEOUT; /* it happened, but we do not know its result */
            }
        }
    }
    answered(request, rc);
}

static void listed(int rc, const struct String_vector *strings, const void *context)
{
    struct zk_request *request = (struct zk_request *)(uintptr_t)context;
    if (rc == ZOK) {
        size_t count = (size_t)strings->count;
        size_t size = 0;
        for (size_t i = 0; i < count; i++) {
            size += strlen(strings->data[i]) + 1;
        }
        request->names = malloc((count + 1) * sizeof *request->names + size);
        if (request->names) {
            char *to = (char *)(request->names + count + 1);
            for (size_t i = 0; i < count; i++) {
                request->names[i] = to;
                to = stpcpy(to, strings->data[i]) + 1;
            }
            request->names[count] = NULL;
            request->name_count = count;
        } else {
            rc = ZOPERATIONTIMEOUT;
        }
    }
    answered(request, rc);
}

static void got_access(int rc, struct ACL_vector *acl, struct Stat *stat, const void *context)
{
    struct zk_request *request = (struct zk_request *)(uintptr_t)context;
    if (rc == ZOK) {
        request->stat = stat_of(stat);
        request->access = malloc(sizeof *request->access);
        if (request->access) {
            zk_acl_read(acl, request->access);
        } else {
            rc = ZOPERATIONTIMEOUT;
        }
    }
    answered(request, rc);
}

static void synced(int rc, const char *value, const void *context)
{
    (void)value;
    answered((struct zk_request *)(uintptr_t)context, rc);
}

static void wrote(int rc, const void *context)
{
    answered((struct zk_request *)(uintptr_t)context, rc);
}

static void created(int rc, const char *value, const struct Stat *stat, const void *context)
{
    struct zk_request *request = (struct zk_request *)(uintptr_t)context;
    (void)value;
    if (rc == ZOK && stat) {
        request->stat = stat_of(stat);
    }
    answered(request, rc);
}

/* Of the exists before a read, whose only use is the watch. */
static void looked(int rc, const struct Stat *stat, const void *context)
{
    (void)rc;
    (void)stat;
    (void)context;
}

/* ---- sending --------------------------------------------------------------------------------- */

static bool is_sound(const struct zk_request *request)
{
    return request->kind != REQUEST_WRITE || request->transaction;
}

static void answer_unsent(struct zk_request *request)
{
    answered(request, is_sound(request) ? ZCONNECTIONLOSS : ZBADARGUMENTS);
}

static void link_request(struct zk_requests *requests, struct zk_request *request)
{
    request->prev = requests->last;
    *(requests->last ? &requests->last->next : &requests->first) = request;
    requests->last = request;
}

static void unlink_request(struct zk_requests *requests, struct zk_request *request)
{
    assert(request != requests->waiting && request->answered);
    *(request->prev ? &request->prev->next : &requests->first) = request->next;
    *(request->next ? &request->next->prev : &requests->last) = request->prev;
}

/* Watches the znode, absent or not, which a read does only where there is one. Nothing slips in
 * between it and the read behind it: the watch is there first. */
static int send_exists(struct zk_requests *requests, const struct zk_request *request)
{
    return request->watch ? zoo_aexists(requests->link, request->path, 1, looked, NULL) : ZOK;
}

static int send_get(struct zk_requests *requests, struct zk_request *request)
{
    int rc = send_exists(requests, request);
    return rc != ZOK ? rc : zoo_aget(requests->link, request->path, 0, got, request);
}

/* For an absent znode, the exists watches its creation; for one that exists, the list itself
 * watches its children. */
static int send_list(struct zk_requests *requests, struct zk_request *request)
{
    int rc = send_exists(requests, request);
    return rc != ZOK
               ? rc
               : zoo_aget_children(requests->link, request->path, request->watch, listed, request);
}

static int send_write(struct zk_requests *requests, struct zk_request *request)
{
    struct transaction *write = request->transaction;
    if (!is_sound(request)) {
        return ZBADARGUMENTS;
    }
    if (write->creates) {
        const zoo_op_t *op = &write->ops[0];
        return zoo_acreate2(requests->link, op->create_op.path, op->create_op.data,
                            op->create_op.datalen, op->create_op.acl, op->create_op.flags, created,
                            request);
    }
    return zoo_amulti(requests->link, (int)write->n, write->ops, write->results, wrote, request);
}

static int send_request(struct zk_requests *requests, struct zk_request *request)
{
    switch (request->kind) {
    case REQUEST_GET:
        return send_get(requests, request);
    case REQUEST_LIST:
        return send_list(requests, request);
    case REQUEST_SYNC:
        return zoo_async(requests->link, request->path, synced, request);
    case REQUEST_WRITE:
        return send_write(requests, request);
    case REQUEST_ACCESS:
        return zoo_aget_acl(requests->link, request->path, got_access, request);
    case REQUEST_PROTECT:
        return zoo_aset_acl(requests->link, request->path, request->aversion, request->acl, wrote,
                            request);
    }
    return ZBADARGUMENTS;
}

/* Hand as many of the waiting requests to the client as the window takes. */
static void send_waiting(struct zk_requests *requests)
{
    while (requests->waiting && requests->link && requests->under_way < WINDOW) {
        struct zk_request *request = requests->waiting;
        requests->waiting = request->next;
        request->sent = true;
        requests->under_way++;
        int rc = send_request(requests, request);
        if (rc == ZMARSHALLINGERROR) {
            /* out of memory; whether it kept the request is not known: let the session end
             * first */
            queue_lose(requests->queue);
        } else if (rc != ZOK) {
            answered(request, rc);
        }
    }
}

static void issue(struct zk_requests *requests, struct zk_request *request)
{
    link_request(requests, request);
    if (!requests->link) {
        answer_unsent(request);
        return;
    }
    if (!requests->waiting) {
        requests->waiting = request;
    }
    send_waiting(requests);
}

/* A request cannot fail, so there is no going on without the memory for one. */
static void *must_have(void *memory)
{
    if (!memory) {
        abort();
    }
    return memory;
}

static struct zk_request *new_request(struct zk_requests *requests, enum request_kind kind,
                                      uint64_t tag, const char *path, bool watch)
{
    size_t size = strlen(path) + 1;
    struct zk_request *request = must_have(calloc(1, sizeof *request + size));
    request->item.kind = ITEM_ANSWER;
    request->queue = requests->queue;
    request->kind = kind;
    request->tag = tag;
    request->watch = watch;
    memcpy(request->path, path, size);
    return request;
}

static void free_request(struct zk_request *request)
{
    free(request->transaction);
    free(request->data);
    free(request->names);
    free(request->acl);
    free(request->access);
    free(request);
}

void zk_request_free(struct queue_item *item)
{
    free_request((struct zk_request *)(void *)item);
}

/* ---- requests -------------------------------------------------------------------------------- */

void zk_requests_get(struct zk_requests *requests, uint64_t tag, const char *path, bool watch)
{
    issue(requests, new_request(requests, REQUEST_GET, tag, path, watch));
}

void zk_requests_list(struct zk_requests *requests, uint64_t tag, const char *path, bool watch)
{
    issue(requests, new_request(requests, REQUEST_LIST, tag, path, watch));
}

void zk_requests_sync(struct zk_requests *requests, uint64_t tag, const char *path)
{
    issue(requests, new_request(requests, REQUEST_SYNC, tag, path, false));
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

static void prepare(struct zk_requests *requests, struct transaction *write, size_t i,
                    const struct store_op *op, char **text)
{
    const char *path = *text;
    *text = stpcpy(*text, op->path) + 1;
    const char *data = *text;
    const struct ACL_vector *acl = zk_acls_for(requests->acls, path);
    int len = 0;
    if (has_data(op) && op->len > 0) {
        memcpy(*text, op->data, op->len);
        *text += op->len;
        len = (int)op->len;
    }
    switch (op->kind) {
    case STORE_CREATE:
        zoo_create_op_init(&write->ops[i], path, data, len, acl, ZOO_PERSISTENT, NULL, 0);
        break;
    case STORE_CREATE_EPHEMERAL:
        zoo_create_op_init(&write->ops[i], path, data, len, acl, ZOO_EPHEMERAL, NULL, 0);
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

void zk_requests_write(struct zk_requests *requests, uint64_t tag, const struct store_op *ops,
                       size_t n)
{
    bool fits;
    assert(n <= STORE_OPS_MAX);
    struct zk_request *request = new_request(requests, REQUEST_WRITE, tag, "", false);
    size_t size = measure(ops, n, &fits);
    if (!fits) {
        issue(requests, request);
        return;
    }
    struct transaction *write = must_have(calloc(1, sizeof *write + size));
    char *text = write->text;
    write->n = n;
    write->creates =
        n == 1 && (ops[0].kind == STORE_CREATE || ops[0].kind == STORE_CREATE_EPHEMERAL);
    write->bytes = size;
    for (size_t i = 0; i < n; i++) {
        prepare(requests, write, i, &ops[i], &text);
        write->widest =
            has_data(&ops[i]) && ops[i].len > ops[write->widest].len ? i : write->widest;
    }
    request->transaction = write;
    issue(requests, request);
}

void zk_requests_access(struct zk_requests *requests, uint64_t tag, const char *path)
{
    issue(requests, new_request(requests, REQUEST_ACCESS, tag, path, false));
}

void zk_requests_protect(struct zk_requests *requests, uint64_t tag, const char *path,
                         const struct access_list *list, int32_t aversion)
{
    struct zk_request *request = new_request(requests, REQUEST_PROTECT, tag, path, false);
    request->acl = must_have(zk_acl_new(list));
    request->aversion = aversion;
    issue(requests, request);
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool changes(const struct zk_request *request)
{
    return request->kind == REQUEST_WRITE || request->kind == REQUEST_PROTECT;
}

static enum store_rc rc_of(const struct zk_request *request)
{
    switch (request->rc) {
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
        return changes(request) && request->rc > ZAPIERROR ? STORE_UNKNOWN : STORE_FAILED;
    }
}

/* Steps before and behind the refused one are marked as fine or as rolled back. */
static size_t refused_step(const struct transaction *write)
{
    for (size_t i = 0; i < write->n; i++) {
        if (write->results[i].err != ZOK && write->results[i].err != ZRUNTIMEINCONSISTENCY) {
            return i;
        }
    }
    return 0;
}

static void outcome_of_write(const struct zk_request *request, struct store_event *event)
{
    const struct transaction *write = request->transaction;
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

void zk_requests_take(struct zk_requests *requests, struct queue_item *item,
                      struct store_event *ret_event)
{
    struct zk_request *request = (struct zk_request *)(void *)item;
    unlink_request(requests, request);
    assert(!request->sent || requests->under_way > 0);
    requests->under_way -= request->sent;
    send_waiting(requests);
    *ret_event = (struct store_event){.kind = STORE_ANSWER,
                                      .tag = request->tag,
                                      .path = request->path,
                                      .rc = rc_of(request),
                                      .stat = request->stat,
                                      .data = request->data,
                                      .len = request->len,
                                      .names = (const char *const *)request->names,
                                      .name_count = request->name_count,
                                      .access = request->access};
    outcome_of_write(request, ret_event);
    requests->answered_bytes =
        request->transaction && ret_event->rc != STORE_UNKNOWN ? request->transaction->bytes : 0;
}

/* What is in the list was not taken from the queue: where it has an answer by now, that is the
 * loss of the link. */
bool zk_requests_largest_write(const struct zk_requests *requests, const char **ret_path,
                               size_t *ret_bytes)
{
    const struct transaction *largest = NULL;
    for (const struct zk_request *at = requests->first; at; at = at->next) {
        if (at->sent && at->transaction && (!largest || at->transaction->bytes > largest->bytes)) {
            largest = at->transaction;
        }
    }
    if (largest) {
        const zoo_op_t *op = &largest->ops[largest->widest];
        *ret_path = op->type == ZOO_SETDATA_OP ? op->set_op.path : op->create_op.path;
        *ret_bytes = largest->bytes;
    }
    return largest != NULL;
}

void zk_requests_link_down(struct zk_requests *requests)
{
    struct zk_request *request = requests->waiting;
    requests->link = NULL;
    requests->waiting = NULL;
    while (request) {
        struct zk_request *next = request->next;
        answer_unsent(request);
        request = next;
    }
}

void zk_requests_settle(struct zk_requests *requests)
{
    zk_requests_link_down(requests);
    for (struct zk_request *request = requests->first; request; request = request->next) {
        if (!request->answered) {
            answered(request, ZCLOSING);
        }
    }
}
