#include "watchers/cli/view.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/limits.h"
#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

/* Spelt out rather than taken from model.h: the numbers are those of roster.h. */
static const char *const state_texts[] = {[ROSTER_STATE_OK] = "ok",
                                          [ROSTER_STATE_SUSPECT] = "suspect",
                                          [ROSTER_STATE_NO_PRIMARY] = "no-primary",
                                          [ROSTER_STATE_CONFLICT] = "conflict"};
static const char *const role_texts[] = {[ROSTER_ROLE_NONE] = "none",
                                         [ROSTER_ROLE_PRIMARY] = "primary",
                                         [ROSTER_ROLE_SECONDARY] = "secondary"};
static const char *const health_texts[] = {
    [ROSTER_HEALTH_UNKNOWN] = "unknown", [ROSTER_HEALTH_UP] = "up", [ROSTER_HEALTH_DOWN] = "down"};
static const char *const lag_texts[] = {
    [ROSTER_LAG_UNKNOWN] = "unknown", [ROSTER_LAG_OK] = "ok", [ROSTER_LAG_BROKEN] = "broken"};

const char *view_state_name(enum roster_topology_state state)
{
    assert((size_t)state < sizeof state_texts / sizeof *state_texts);
    return state_texts[state];
}

const char *view_role_name(enum roster_role role)
{
    assert((size_t)role < sizeof role_texts / sizeof *role_texts);
    return role_texts[role];
}

const char *view_health_name(enum roster_health health)
{
    assert((size_t)health < sizeof health_texts / sizeof *health_texts);
    return health_texts[health];
}

/* ---- a handle -------------------------------------------------------------------------------- */

/* Everything with --verbose; warnings for watch too. The other verbs end with a sentence of their
 * own. */
static void on_log_line(void *context, enum roster_log_level level, const char *line)
{
    static const char *const levels[] = {"error", "warning", "notice", "info", "debug"};
    const struct args *args = context;
    if (has_option(args, OPTION_VERBOSE) ||
        (level <= ROSTER_LOG_WARNING && args->verb->run == watch_run)) {
        fprintf(stderr, "roster: %s: %s\n", levels[level], line);
    }
}

int open_roster(const struct args *args, struct roster **ret_roster)
{
    struct roster_options options = {
        .servers = args->servers,
        .root = args->root,
        .auth = args->auth,
        .cache_dir = args->cache,
        .log = on_log_line,
        .log_context = (void *)(uintptr_t)args,
    };
    enum roster_status status = roster_open(&options, ret_roster);
    if (status == ROSTER_OK) {
        return CLI_DONE;
    }
    return fail(status == ROSTER_INVALID ? CLI_USAGE : CLI_INTERNAL, "%s",
                status == ROSTER_INVALID ? roster_error() : roster_strerror(status));
}

/* ---- reading --------------------------------------------------------------------------------- */

/* libroster does not list clusters; a client of the registry does. */
static int no_cluster(const struct args *args)
{
    struct client *client;
    int code = client_open(args, &client);
    if (code == CLI_DONE) {
        code = client_no_cluster(client, args, args->operands[0]);
        client_close(client);
    }
    return code;
}

static int refuse(enum roster_status status, const struct roster_state *state,
                  const struct args *args)
{
    const char *cluster = args->operands[0];
    if (state->refused[0]) {
        return fail(CLI_NO_CLUSTER, "%s has no topology that can be followed: %s", cluster,
                    state->refused);
    }
    switch (status) {
    case ROSTER_UNREACHABLE:
        return unreachable(args->servers, "");
    case ROSTER_NO_CLUSTER:
        return no_cluster(args);
    case ROSTER_INVALID:
        return fail(CLI_USAGE, "%s", roster_error());
    default:
        return fail(CLI_INTERNAL, "%s", roster_strerror(status));
    }
}

int view_follow(struct roster *roster, const struct args *args, struct roster_cluster **ret_cluster)
{
    int64_t deadline_ms = clock_mono_ms() + args->timeout_ms;
    struct roster_subscription subscription = {
        .wait_ms = (int)(args->timeout_ms < INT32_MAX ? args->timeout_ms : INT32_MAX)};
    enum roster_status status =
        roster_subscribe(roster, args->operands[0], &subscription, ret_cluster);
    struct roster_state state = {0};
    if (status != ROSTER_OK) {
        if (*ret_cluster) {
            roster_state(*ret_cluster, &state);
        }
        return refuse(status, &state, args);
    }
    /* It may be from the cache, or its witnesses are not counted yet: wait for the registry. */
    while (roster_state(*ret_cluster, &state) == ROSTER_OK &&
           (state.cached || state.witnesses_now < 0) && !state.refused[0] &&
           clock_mono_ms() < deadline_ms) {
        poll(NULL, 0, 5);
    }
    return CLI_DONE;
}

/* The same verdict as libroster's, or none. */
static void read_topology(struct client *client, const struct args *args, struct view *view)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_topology(path, sizeof path, args->root, view->cluster), &value);
    if (rc != STORE_OK || !client_decode(&value, view->cluster, &view->topology, &error) ||
        view->topology.epoch != view->state.epoch) {
        memset(&view->topology, 0, sizeof view->topology);
    }
    client_value_release(&value);
}

static void read_directives(struct client *client, const struct args *args, struct view *view)
{
    char path[PATH_SIZE];
    struct client_value value = {0};
    struct codec_error error;
    enum store_rc rc =
        client_get(client, path_directives(path, sizeof path, args->root, view->cluster), &value);
    view->has_directives =
        rc == STORE_NO_NODE ||
        (rc == STORE_OK &&
         directives_decode(value.data ? value.data : "", value.len, &view->directives, &error));
    if (!view->has_directives && rc != STORE_UNKNOWN) {
        text_copy(view->directives_refused, sizeof view->directives_refused,
                  rc == STORE_OK ? error.sentence : store_rc_names[rc]);
    }
    client_value_release(&value);
}

/* libroster reads one znode per cluster and knows the witnesses of the last verdict only; those
 * that watch now are in the reports, and the orders beside. */
static void look_around(const struct args *args, struct view *view)
{
    struct client *client;
    struct client_names probes = {0};
    if (!view->state.connected || client_open(args, &client) != CLI_DONE) {
        return;
    }
    if (client_probes(client, args, &probes) == STORE_OK) {
        client_witnesses(client, args, view->cluster, &probes, &view->state.witnesses_now);
    }
    read_topology(client, args, view);
    read_directives(client, args, view);
    client_names_release(&probes);
    client_close(client);
}

bool view_read(struct view *view, const struct args *args, struct roster_cluster *cluster)
{
    memset(view, 0, sizeof *view);
    view->cluster = args->operands[0];
    if (roster_state(cluster, &view->state) != ROSTER_OK) {
        return false;
    }
    look_around(args, view);
    return roster_members(cluster, view->members, ROSTER_MEMBERS_MAX, &view->member_count) ==
           ROSTER_OK;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

/* "zone=a,rack=7" as an object. A comma not followed by KEY= belongs to the value before it. */
static void put_labels(struct json_writer *json, const char *labels)
{
    json_writer_open(json, "labels", '{');
    while (*labels) {
        char key[LABEL_KEY_SIZE + 1];
        char value[sizeof((struct roster_member *)0)->labels];
        size_t key_length = strcspn(labels, "=");
        const char *from = labels + key_length + (labels[key_length] == '=');
        const char *end = from + strcspn(from, ",");
        while (*end && strcspn(end + 1, "=") >= strcspn(end + 1, ",")) {
            end += 1 + strcspn(end + 1, ",");
        }
        snprintf(key, sizeof key, "%.*s", (int)key_length, labels);
        snprintf(value, sizeof value, "%.*s", (int)(end - from), from);
        json_writer_text(json, key, value);
        labels = end + (*end == ',');
    }
    json_writer_close(json, '}');
}

static void put_lag(struct json_writer *json, const struct roster_endpoint *endpoint,
                    const struct member *seen)
{
    if (endpoint->role != ROSTER_ROLE_SECONDARY && endpoint->lag_state == ROSTER_LAG_UNKNOWN) {
        json_writer_text(json, "lag", NULL);
        return;
    }
    json_writer_open(json, "lag", '{');
    json_writer_text(json, "state", lag_texts[endpoint->lag_state]);
    json_writer_amount(json, "bytes", endpoint->lag_bytes);
    json_writer_amount(json, "ms", endpoint->lag_ms);
    json_writer_amount(json, "transactions", endpoint->lag_transactions);
    json_writer_amount(json, "delay", seen && seen->lag.delay_ms > 0 ? seen->lag.delay_ms : -1);
    json_writer_close(json, '}');
}

static struct claim claim_at(const struct view *view, const struct roster_member *member)
{
    const struct member *seen = topology_member(&view->topology, member->endpoint.name);
    return claim_in_view(member, &view->state, seen ? bar_names[seen->bar] : "");
}

static void put_acts(struct json_writer *json, unsigned acts)
{
    if (!acts) {
        json_writer_text(json, "acts", NULL);
        return;
    }
    json_writer_open(json, "acts", '[');
    for (unsigned act = 0; act_names[act]; act++) {
        if (acts >> act & 1) {
            json_writer_text(json, NULL, act_names[act]);
        }
    }
    json_writer_close(json, ']');
}

static bool is_blank(const struct record *record)
{
    return !record->start_ms && !record->acts && !record->writable && !record->accepted &&
           record->channel == CHANNEL_NONE && !record->source[0] && !record->streamed[0] &&
           !record->lineage[0] && !record->self[0];
}

/* What the verdict remembers of the member. */
static void put_record(struct json_writer *json, const struct member *member)
{
    const struct record *record = member ? &member->record : NULL;
    if (!record || is_blank(record)) {
        json_writer_text(json, "record", NULL);
        return;
    }
    json_writer_open(json, "record", '{');
    json_writer_number(json, "start", record->start_ms);
    json_writer_bool(json, "writable", record->writable);
    json_writer_text(json, "channel",
                     record->channel == CHANNEL_NONE ? NULL : channel_names[record->channel]);
    json_writer_text(json, "source", record->source);
    json_writer_text(json, "streamed", record->streamed);
    json_writer_text(json, "lineage", record->lineage);
    json_writer_text(json, "self", record->self);
    json_writer_amount(json, "accepted", record->accepted > 0 ? record->accepted : -1);
    put_acts(json, record->acts);
    json_writer_close(json, '}');
}

static void put_member(struct json_writer *json, const struct view *view,
                       const struct roster_member *member)
{
    struct claim claim = claim_at(view, member);
    const struct roster_endpoint *endpoint = &member->endpoint;
    const struct member *known = topology_member(&view->topology, endpoint->name);
    json_writer_open(json, NULL, '{');
    json_writer_text(json, "name", endpoint->name);
    json_writer_text(json, "host", endpoint->host);
    json_writer_number(json, "port", endpoint->port);
    json_writer_text(json, "role", role_texts[endpoint->role]);
    json_writer_text(json, "health", health_texts[endpoint->health]);
    json_writer_text(json, "reason", member->reason);
    json_writer_bool(json, "fenced", member->fenced != 0);
    json_writer_bool(json, "drained", member->drained != 0);
    json_writer_bool(json, "claims", member->claims != 0);
    json_writer_text(json, "bar", bar_of(&claim));
    json_writer_text(json, "condition", member->condition);
    json_writer_text(json, "closed_by", known ? known->closed_by : "");
    json_writer_bool(json, "sync", member->sync != 0);
    json_writer_text(json, "upstream", member->upstream);
    put_lag(json, endpoint, topology_member(&view->topology, endpoint->name));
    json_writer_number(json, "weight", endpoint->weight);
    put_labels(json, member->labels);
    put_record(json, known);
    json_writer_close(json, '}');
}

void view_scene(const struct view *view, struct remark_scene *ret_scene)
{
    *ret_scene = (struct remark_scene){
        .cluster = view->cluster,
        .elected = view->topology.elected > 0 ? view->topology.elected : view->state.epoch,
        .directives = view->has_directives ? &view->directives : NULL,
    };
    for (size_t i = 0; i < view->member_count && i < MEMBERS_MAX; i++) {
        ret_scene->members[ret_scene->member_count++] = (struct remark_member){
            view->members[i].endpoint.name, claim_at(view, &view->members[i])};
    }
}

static void put_remarks(struct json_writer *json, const struct view *view)
{
    static struct remark remarks[REMARKS_MAX];
    static struct remark_scene scene;
    view_scene(view, &scene);
    size_t count = remarks_of(&scene, remarks);
    json_writer_open(json, "remarks", '[');
    for (size_t i = 0; i < count; i++) {
        json_writer_text(json, NULL, remarks[i].text);
    }
    json_writer_close(json, ']');
}

void print_remarks(const struct remark_scene *scene)
{
    static struct remark remarks[REMARKS_MAX];
    size_t count = remarks_of(scene, remarks);
    for (size_t i = 0; i < count; i++) {
        printf("%s  ", i == 0 ? "\n" : "");
        output_put(remarks[i].kind == REMARK_REFUSED ? BAD : DOUBTFUL, "%s", remarks[i].text);
        printf("\n");
    }
}

void view_json(const struct view *view, FILE *to)
{
    const struct roster_state *state = &view->state;
    struct json_writer json = {.to = to};
    json_writer_open(&json, NULL, '{');
    json_writer_text(&json, "cluster", view->cluster);
    json_writer_text(&json, "engine", state->engine);
    json_writer_text(&json, "kind", state->kind);
    json_writer_number(&json, "witnesses", state->witnesses);
    json_writer_number(&json, "epoch", state->epoch);
    json_writer_text(&json, "state", state_texts[state->state]);
    json_writer_text(&json, "primary", state->primary);
    json_writer_text(&json, "lineage", state->lineage);
    json_writer_text(&json, "identity", state->identity);
    json_writer_text(&json, "why", state->why);
    json_writer_text(&json, "rule", state->rule);
    json_writer_text(&json, "by", state->by);
    json_writer_time(&json, "at_wall", state->at_wall_ms);
    json_writer_open(&json, "members", '[');
    for (size_t i = 0; i < view->member_count; i++) {
        put_member(&json, view, &view->members[i]);
    }
    json_writer_close(&json, ']');
    json_writer_amount(&json, "age_ms", state->age_ms);
    json_writer_amount(&json, "witnesses_now", state->witnesses_now);
    json_writer_number(&json, "quorum", state->quorum);
    json_writer_bool(&json, "connected", state->connected != 0);
    json_writer_bool(&json, "cached", state->cached != 0);
    json_writer_text(&json, "refused", state->refused);
    put_remarks(&json, view);
    json_writer_close(&json, '}');
    putc('\n', to);
}
