#include "tests/unit/probes/shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/unit/unit.h"

struct shell shell;

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    size_t used = strlen(shell.told);
    va_list args;
    va_start(args, format);
    vsnprintf(shell.told + used, sizeof shell.told - used, format, args);
    va_end(args);
}

/* Is that told, one after the other? What was told is forgotten. */
bool shell_is_told(const char *words)
{
    bool found = strstr(shell.told, words) != NULL;
    if (!found) {
        printf("%s", shell.told);
    }
    shell.told[0] = '\0';
    return found;
}

bool shell_is_not_told(const char *words)
{
    bool found = strstr(shell.told, words) != NULL;
    shell.told[0] = '\0';
    return !found;
}

/* ---- the shell ------------------------------------------------------------------------------- */

struct fake_server *shell_server_at(const char *host)
{
    for (size_t i = 0; i < shell.server_count; i++) {
        if (strcmp(shell.servers[i].host, host) == 0) {
            return &shell.servers[i];
        }
    }
    return NULL;
}

void shell_step(struct probe_event event);

static void resolve(struct slot *slot)
{
    shell_step((struct probe_event){
        .kind = EVENT_RESOLVED, .slot = slot, .address = "10.9.9.9", .text = ""});
}

void shell_answer_now(const char *host)
{
    struct fake_server *server = shell_server_at(host);
    shell_step((struct probe_event){.kind = EVENT_LOOK_ENDED,
                                    .slot = server->slot,
                                    .observation = &server->says,
                                    .remains = server->says.answer == ANSWER_OK ? REMAINS_SESSION
                                                                                : REMAINS_NOTHING});
}

static void ask(struct slot *slot)
{
    struct fake_server *server = shell_server_at(slot->config.host);
    ck_assert_ptr_nonnull(server);
    server->slot = slot;
    if (!server->silent) {
        shell_answer_now(server->host);
    }
}

static void perform(const struct probe_action *action)
{
    switch (action->kind) {
    case ACTION_RESOLVE:
        if (!action->slot->shell) {
            action->slot->shell = action->slot->config.name;
            tell("open %s\n", action->slot->config.name);
        }
        resolve(action->slot);
        break;
    case ACTION_ASK:
    case ACTION_ASK_FRESH:
        ask(action->slot);
        break;
    case ACTION_CLOSE:
        tell("close one\n");
        break;
    case ACTION_RENEW:
        tell("renew\n");
        shell.renewing = true;
        break;
    case ACTION_RELOAD:
        tell("reload\n");
        shell_step((struct probe_event){.kind = EVENT_RELOAD, .config = &shell.config});
        break;
    case ACTION_REMEMBER:
        break;
    case ACTION_STOP:
        tell("stop %d within %lld ms\n", action->exit_code,
             (long long)(action->at_ms - shell.agenda.now_ms));
        break;
    case ACTION_CLOSE_STORE:
        tell("close the store\n");
        shell.closed = true;
        break;
    case ACTION_WAKE:
        shell.wake_ms = action->at_ms;
        break;
    default:
        break; /* connections: slot.c's */
    }
}

void shell_step(struct probe_event event)
{
    static bool performing;
    struct probe_action action;
    event.now = (struct probe_time){shell.agenda.now_ms, 1795224000000 + shell.agenda.now_ms};
    probe_step(shell.probe, &event);
    if (performing) {
        return;
    }
    performing = true;
    while (probe_next(shell.probe, &action)) {
        perform(&action);
    }
    performing = false;
}

void shell_step_kind(enum probe_event_kind kind)
{
    shell_step((struct probe_event){.kind = kind, .text = "SIGTERM"});
}

static void on_fact(void *owner, const struct fact *fact)
{
    const char *cluster = fact->cluster ? fact->cluster : "";
    (void)owner;
    switch (fact->kind) {
    case FACT_SLIPPED:
        tell("not scheduled for %lld ms\n", (long long)fact->number);
        break;
    case FACT_NOT_REACHED:
        tell("registry not reached\n");
        break;
    case FACT_LOOKS_CLOSELY:
        tell("%s looks closely: %s %s\n", cluster, fact->member, fact->text);
        break;
    case FACT_ABSTAINS:
        tell("%s abstains: %s\n", cluster, fact->text);
        break;
    case FACT_VOTES:
        tell("%s votes\n", cluster);
        break;
    case FACT_KIND:
        tell("%s is %s\n", cluster, kind_names[fact->number]);
        break;
    case FACT_MEMBER:
        tell("%s/%s %s\n", cluster, fact->member, answer_names[fact->assessed->standing]);
        break;
    case FACT_DISCOVERY:
        tell("%s discovery %d %s\n", cluster, (int)fact->event, fact->candidate->host);
        break;
    case FACT_WITHDRAWN:
        tell("%s withdrawn\n", cluster);
        break;
    case FACT_NAME_CONFLICT:
        tell("name conflict\n");
        break;
    default:
        break;
    }
}

static void on_ready(void *owner)
{
    (void)owner;
    shell.ready = true;
}

static bool nobody_is_gone(const struct presence *presence)
{
    (void)presence;
    return false;
}

void shell_renew(void)
{
    shell.renewing = false;
    store_renew(shell.store);
    shell_step_kind(EVENT_RENEWED);
}

void shell_pass(int64_t ms)
{
    for (int64_t end_ms = shell.agenda.now_ms + ms;
         shell.agenda.now_ms < end_ms && !shell.closed;) {
        int64_t next_ms = shell.agenda.now_ms + 1;
        while (agenda_step(&shell.agenda, next_ms)) {
        }
        if (shell.ready && !shell.renewing) {
            shell.ready = false;
            shell_step_kind(EVENT_STORE);
        }
        if (shell.agenda.now_ms >= shell.wake_ms) {
            shell_step_kind(EVENT_TIMER);
        }
    }
}

/* Time goes by, and we do not. */
void shell_stand_still(int64_t ms)
{
    int64_t end_ms = shell.agenda.now_ms + ms;
    while (agenda_step(&shell.agenda, end_ms)) {
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

struct fake_server *shell_add_member(struct cluster_settings *cluster, const char *name)
{
    struct member_config *member = &cluster->members[cluster->member_count++];
    struct fake_server *server = shell_server_at(name);
    *member = (struct member_config){.port = 5432, .weight = 100};
    strcpy(member->name, name);
    strcpy(member->host, name);
    if (!server) {
        ck_assert_uint_lt(shell.server_count, SERVERS_MAX_HERE);
        server = &shell.servers[shell.server_count++];
        strcpy(server->host, name);
    }
    return server;
}

void shell_answers(const char *host, enum answer answer)
{
    struct fake_server *server = shell_server_at(host);
    server->says = (struct observation){
        .answer = answer, .position = -1, .received = -1, .lag_ms = -1, .group = {.queue = -1}};
    if (answer == ANSWER_OK) {
        strcpy(server->says.version, "15.20");
        strcpy(server->says.identity, "7000000000000000001");
        strcpy(server->says.lineage, "1");
        server->says.writable = true;
    }
}

void shell_answers_as_standby(const char *host)
{
    shell_answers(host, ANSWER_OK);
    struct observation *says = &shell_server_at(host)->says;
    says->writable = false;
    says->replica = says->applying = true;
}

struct cluster_settings *shell_add_cluster(const char *name)
{
    struct cluster_settings *cluster = &shell.clusters[shell.config.cluster_count++];
    strcpy(cluster->name, name);
    cluster->policy =
        (struct policy){ENGINE_POSTGRESQL, KIND_STREAMING, CONFLICT_HOLD, WRITERS_SINGLE, 1};
    return cluster;
}

void shell_put(const char *path, char *data)
{
    ensemble_put(shell.ensemble, path, data);
    free(data);
}

/* What the registry has of orders from a former life: two members, one of them discovered. */
void shell_put_topology(enum kind kind)
{
    static struct topology topology;
    topology = (struct topology){
        .cluster = "orders",
        .policy = {ENGINE_POSTGRESQL, kind, CONFLICT_HOLD, WRITERS_SINGLE, 1},
        .epoch = 1,
        .primary = "a1",
        .lineage = "1",
        .identity = "7000000000000000001",
        .rule = RULE_SOLE_CLAIMANT,
        .rules = MODEL_RULES,
        .by = "probe-z",
        .at_wall_ms = 1795224000000,
        .member_count = 2,
        .members = {{.config = {.name = "10.0.0.2-5432", .host = "10.0.0.2", .port = 5432},
                     .role = ROLE_SECONDARY,
                     .health = HEALTH_UP,
                     .reason = ANSWER_OK,
                     .lag = LAG_NOT_KNOWN},
                    {.config = {.name = "a1", .host = "a1", .port = 5432},
                     .role = ROLE_PRIMARY,
                     .health = HEALTH_UP,
                     .reason = ANSWER_OK,
                     .lag = LAG_NOT_KNOWN}}};
    shell_put("/roster", strdup(""));
    shell_put("/roster/clusters", strdup(""));
    shell_put("/roster/clusters/orders", strdup(""));
    shell_put("/roster/clusters/orders/topology", topology_encode(&topology));
}

void shell_setup(void)
{
    shell.agenda = (struct agenda){.now_ms = 1000000};
    shell.ensemble = ensemble_new(&shell.agenda, 1);
    shell.store = store_mem_new(shell.ensemble, "probe-a", 10000, on_ready, NULL);
    shell.config = (struct config){.probe = {.name = "probe-a",
                                             .interval_ms = INTERVAL,
                                             .alert_interval_ms = 25,
                                             .timeout_ms = TIMEOUT,
                                             .rise = 1,
                                             .fall = 3},
                                   .clusters = shell.clusters};
    strcpy(shell.config.registry.root, "/roster");
    memset(shell.clusters, 0, sizeof shell.clusters);
    memset(shell.servers, 0, sizeof shell.servers);
    shell.server_count = 0;
    shell.wake_ms = INT64_MAX;
    shell.ready = shell.renewing = shell.closed = false;
    shell.told[0] = '\0';
    /* orders: a1 writes, a2 follows */
    shell_add_member(shell_add_cluster("orders"), "a1");
    shell_add_member(&shell.clusters[0], "a2");
    shell_answers("a1", ANSWER_OK);
    shell_answers_as_standby("a2");
}

void shell_teardown(void)
{
    store_mem_kill(shell.store);
    probe_free(shell.probe);
    ensemble_free(shell.ensemble);
    agenda_release(&shell.agenda);
}

void shell_start_unconnected(void)
{
    struct probe_setup setting = {.store = shell.store,
                                  .config = &shell.config,
                                  .presence = {.host = "h", .pid = 1, .version = "1", .nonce = 7},
                                  .registry_uuid = "00000000-0000-4000-8000-000000000001",
                                  .is_gone = nobody_is_gone,
                                  .seed = 1,
                                  .now = {shell.agenda.now_ms, shell.agenda.now_ms},
                                  .log = on_fact};
    shell.probe = probe_new(&setting);
    ck_assert_ptr_nonnull(shell.probe);
    shell_step_kind(EVENT_TIMER);
    ck_assert(shell.renewing);
}

void shell_start(void)
{
    shell_start_unconnected();
    shell_renew();
}

void shell_start_and_settle(void)
{
    shell_start();
    shell_pass(5000);
    ck_assert(shell_is_told("orders votes"));
}
