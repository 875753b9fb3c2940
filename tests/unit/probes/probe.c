/* The probe's step, narrated: events go in, and what is to be done and logged is
 * read like a log. The registry is the simulator's, in memory. */
#include "probes/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/config/config.h"
#include "registry/model/codec.h"
#include "registry/model/paths.h"
#include "tests/sim/store_mem.h"
#include "tests/unit/unit.h"

enum { INTERVAL = 1000, TIMEOUT = 500, SERVERS_MAX_HERE = 8, TOLD = 16 * 1024 };

/* How a server answers from now on, over whatever connection. */
struct fake_server {
    char host[HOST_SIZE];
    struct observation says;
    bool silent;       /* its look stays in flight */
    struct slot *slot; /* that asked it last */
};

static struct agenda agenda;
static struct ensemble *ensemble;
static struct store *store;
static struct probe *probe;
static struct config config;
static struct cluster_settings clusters[3];
static struct fake_server servers[SERVERS_MAX_HERE];
static size_t server_count;
static int64_t wake_ms;
static bool ready, renewing, closed;
static char told[TOLD];

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell(const char *format, ...)
{
    size_t used = strlen(told);
    va_list args;
    va_start(args, format);
    vsnprintf(told + used, sizeof told - used, format, args);
    va_end(args);
}

/* Is that told, one after the other? What was told is forgotten. */
static bool is_told(const char *words)
{
    bool found = strstr(told, words) != NULL;
    if (!found) {
        printf("%s", told);
    }
    told[0] = '\0';
    return found;
}

static bool is_not_told(const char *words)
{
    bool found = strstr(told, words) != NULL;
    told[0] = '\0';
    return !found;
}

/* ---- the shell ------------------------------------------------------------------------------- */

static struct fake_server *server_at(const char *host)
{
    for (size_t i = 0; i < server_count; i++) {
        if (strcmp(servers[i].host, host) == 0) {
            return &servers[i];
        }
    }
    return NULL;
}

static void step(struct probe_event event);

static void resolve(struct slot *slot)
{
    step((struct probe_event){
        .kind = EVENT_RESOLVED, .slot = slot, .address = "10.9.9.9", .text = ""});
}

static void answer_now(const char *host)
{
    struct fake_server *server = server_at(host);
    step((struct probe_event){.kind = EVENT_LOOK_ENDED,
                              .slot = server->slot,
                              .observation = &server->says,
                              .remains = server->says.answer == ANSWER_OK ? REMAINS_SESSION
                                                                          : REMAINS_NOTHING});
}

static void ask(struct slot *slot)
{
    struct fake_server *server = server_at(slot->config.host);
    ck_assert_ptr_nonnull(server);
    server->slot = slot;
    if (!server->silent) {
        answer_now(server->host);
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
        renewing = true;
        break;
    case ACTION_RELOAD:
        tell("reload\n");
        step((struct probe_event){.kind = EVENT_RELOAD, .config = &config});
        break;
    case ACTION_REMEMBER:
        break;
    case ACTION_STOP:
        tell("stop %d within %lld ms\n", action->exit_code,
             (long long)(action->at_ms - agenda.now_ms));
        break;
    case ACTION_CLOSE_STORE:
        tell("close the store\n");
        closed = true;
        break;
    case ACTION_WAKE:
        wake_ms = action->at_ms;
        break;
    default:
        break; /* connections: slot.c's */
    }
}

static void step(struct probe_event event)
{
    static bool performing;
    struct probe_action action;
    event.now = (struct probe_time){agenda.now_ms, 1795224000000 + agenda.now_ms};
    probe_step(probe, &event);
    if (performing) {
        return;
    }
    performing = true;
    while (probe_next(probe, &action)) {
        perform(&action);
    }
    performing = false;
}

static void step_kind(enum probe_event_kind kind)
{
    step((struct probe_event){.kind = kind, .text = "SIGTERM"});
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
    ready = true;
}

static bool nobody_is_gone(const struct presence *presence)
{
    (void)presence;
    return false;
}

static void renew(void)
{
    renewing = false;
    store_renew(store);
    step_kind(EVENT_RENEWED);
}

static void pass(int64_t ms)
{
    for (int64_t end_ms = agenda.now_ms + ms; agenda.now_ms < end_ms && !closed;) {
        int64_t next_ms = agenda.now_ms + 1;
        while (agenda_step(&agenda, next_ms)) {
        }
        if (ready && !renewing) {
            ready = false;
            step_kind(EVENT_STORE);
        }
        if (agenda.now_ms >= wake_ms) {
            step_kind(EVENT_TIMER);
        }
    }
}

/* Time goes by, and we do not. */
static void stand_still(int64_t ms)
{
    int64_t end_ms = agenda.now_ms + ms;
    while (agenda_step(&agenda, end_ms)) {
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

static struct fake_server *add_member(struct cluster_settings *cluster, const char *name)
{
    struct member_config *member = &cluster->members[cluster->member_count++];
    struct fake_server *server = server_at(name);
    *member = (struct member_config){.port = 5432, .weight = 100};
    strcpy(member->name, name);
    strcpy(member->host, name);
    if (!server) {
        ck_assert_uint_lt(server_count, SERVERS_MAX_HERE);
        server = &servers[server_count++];
        strcpy(server->host, name);
    }
    return server;
}

static void answers(const char *host, enum answer answer)
{
    struct fake_server *server = server_at(host);
    server->says = (struct observation){
        .answer = answer, .position = -1, .received = -1, .lag_ms = -1, .group = {.queue = -1}};
    if (answer == ANSWER_OK) {
        strcpy(server->says.version, "15.20");
        strcpy(server->says.identity, "7000000000000000001");
        strcpy(server->says.lineage, "1");
        server->says.writable = true;
    }
}

static void answers_as_standby(const char *host)
{
    answers(host, ANSWER_OK);
    struct observation *says = &server_at(host)->says;
    says->writable = false;
    says->replica = says->applying = true;
}

static struct cluster_settings *add_cluster(const char *name)
{
    struct cluster_settings *cluster = &clusters[config.cluster_count++];
    strcpy(cluster->name, name);
    cluster->policy =
        (struct policy){ENGINE_POSTGRESQL, KIND_STREAMING, CONFLICT_HOLD, WRITERS_SINGLE, 1};
    return cluster;
}

static void put(const char *path, char *data)
{
    ensemble_put(ensemble, path, data);
    free(data);
}

/* What the registry has of orders from a former life: two members, one of them discovered. */
static void put_topology(enum kind kind)
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
    put("/roster", strdup(""));
    put("/roster/clusters", strdup(""));
    put("/roster/clusters/orders", strdup(""));
    put("/roster/clusters/orders/topology", topology_encode(&topology));
}

static void setup(void)
{
    agenda = (struct agenda){.now_ms = 1000000};
    ensemble = ensemble_new(&agenda, 1);
    store = store_mem_new(ensemble, "probe-a", 10000, on_ready, NULL);
    config = (struct config){.probe = {.name = "probe-a",
                                       .interval_ms = INTERVAL,
                                       .alert_interval_ms = 25,
                                       .timeout_ms = TIMEOUT,
                                       .rise = 1,
                                       .fall = 3},
                             .clusters = clusters};
    strcpy(config.registry.root, "/roster");
    memset(clusters, 0, sizeof clusters);
    memset(servers, 0, sizeof servers);
    server_count = 0;
    wake_ms = INT64_MAX;
    ready = renewing = closed = false;
    told[0] = '\0';
    /* orders: a1 writes, a2 follows */
    add_member(add_cluster("orders"), "a1");
    add_member(&clusters[0], "a2");
    answers("a1", ANSWER_OK);
    answers_as_standby("a2");
}

static void teardown(void)
{
    store_mem_kill(store);
    probe_free(probe);
    ensemble_free(ensemble);
    agenda_release(&agenda);
}

static void start_unconnected(void)
{
    struct probe_setup setting = {.store = store,
                                  .config = &config,
                                  .presence = {.host = "h", .pid = 1, .version = "1", .nonce = 7},
                                  .registry_uuid = "00000000-0000-4000-8000-000000000001",
                                  .is_gone = nobody_is_gone,
                                  .seed = 1,
                                  .now = {agenda.now_ms, agenda.now_ms},
                                  .log = on_fact};
    probe = probe_new(&setting);
    ck_assert_ptr_nonnull(probe);
    step_kind(EVENT_TIMER);
    ck_assert(renewing);
}

static void start(void)
{
    start_unconnected();
    renew();
}

static void start_and_settle(void)
{
    start();
    pass(5000);
    ck_assert(is_told("orders votes"));
}

/* ---- abstention ------------------------------------------------------------------------------ */

START_TEST(a_probe_votes_once_every_member_was_looked_at)
{
    server_at("a2")->silent = true;
    start();
    pass(300);
    ck_assert(strstr(told, "orders abstains: starting\n"));
    ck_assert(is_not_told("orders votes"));
    answer_now("a2");
    ck_assert(is_told("orders votes"));
}
END_TEST

START_TEST(when_every_target_of_every_cluster_fails_at_once_it_is_us)
{
    add_member(add_cluster("stock"), "b1");
    answers("b1", ANSWER_OK);
    start_and_settle();
    answers("a1", ANSWER_TIMEOUT);
    answers("a2", ANSWER_TIMEOUT);
    pass(2000);
    ck_assert(is_not_told("abstains")); /* b1 answers */
    answers("b1", ANSWER_TIMEOUT);
    pass(2000);
    ck_assert(strstr(told, "orders abstains: blind"));
    ck_assert(is_told("stock abstains: blind"));
    answers("b1", ANSWER_OK); /* one proves that we see */
    pass(2000);
    ck_assert(strstr(told, "orders votes"));
    ck_assert(is_told("stock votes"));
}
END_TEST

START_TEST(a_definite_failure_is_seen_and_makes_nobody_blind)
{
    start_and_settle();
    answers("a1", ANSWER_REFUSED);
    answers("a2", ANSWER_TIMEOUT);
    pass(3000);
    ck_assert(is_not_told("abstains"));
}
END_TEST

START_TEST(one_target_proves_nothing_of_us)
{
    clusters[0].member_count = 1;
    start();
    pass(5000);
    answers("a1", ANSWER_TIMEOUT);
    pass(3000);
    ck_assert(strstr(told, "orders/a1 timeout"));
    ck_assert(is_not_told("abstains"));
}
END_TEST

START_TEST(a_cluster_that_leaves_counts_no_more)
{
    add_member(add_cluster("stock"), "b1");
    answers("b1", ANSWER_OK);
    start_and_settle();
    answers("a1", ANSWER_TIMEOUT);
    answers("a2", ANSWER_TIMEOUT);
    config.cluster_count = 1;
    step_kind(EVENT_RELOAD_ASKED);
    ck_assert(is_told("stock withdrawn"));
    pass(2000);
    ck_assert(is_told("orders abstains: blind"));
}
END_TEST

START_TEST(a_gap_in_our_own_time_is_a_slip_for_an_interval)
{
    start_and_settle();
    stand_still(5000);
    step_kind(EVENT_TIMER);
    ck_assert(strstr(told, "not scheduled for 5"));
    ck_assert(strstr(told, "orders looks closely:  this process was not scheduled"));
    ck_assert(is_told("orders abstains: slipped"));
    pass(INTERVAL - 100);
    ck_assert(is_not_told("votes"));
    pass(500);
    ck_assert(is_told("orders votes"));
}
END_TEST

START_TEST(a_clock_that_goes_back_is_a_slip_and_no_end)
{
    start_and_settle();
    agenda.now_ms -= 5000;
    step_kind(EVENT_STORE);
    ck_assert(is_told("orders abstains: slipped"));
}
END_TEST

START_TEST(whatever_comes_first_after_a_gap_the_gap_is_seen_before_it_is_acted_on)
{
    start_and_settle();
    stand_still(5000);
    answers("a1", ANSWER_TIMEOUT); /* the first look after it */
    step_kind(EVENT_STORE);
    ck_assert(strncmp(told, "not scheduled", strlen("not scheduled")) == 0);
}
END_TEST

START_TEST(a_short_gap_is_none)
{
    start_and_settle();
    stand_still(BEAT_MS);
    step_kind(EVENT_TIMER);
    ck_assert(is_not_told("not scheduled"));
}
END_TEST

START_TEST(blind_is_said_before_slipped_and_slipped_before_starting)
{
    clusters[0].discover = true;
    strcpy(clusters[0].discover_within, "10.0.0.0/24");
    clusters[0].discover_max = 8;
    answers("a1", ANSWER_TIMEOUT);
    answers("a2", ANSWER_TIMEOUT);
    start_unconnected();
    pass(300);
    ck_assert(is_told("orders abstains: blind"));
    stand_still(3000);
    step_kind(EVENT_TIMER);
    ck_assert(is_not_told("orders abstains: slipped")); /* and still blind */
    answers("a1", ANSWER_OK);
    answers_as_standby("a2");
    pass(300);
    ck_assert(is_told("orders abstains: slipped"));
    pass(INTERVAL);
    ck_assert(is_told("orders abstains: starting")); /* the registry was not read yet */
}
END_TEST

/* ---- discovery and the hint ------------------------------------------------------------------ */

static void discover(void)
{
    clusters[0].member_count = 1; /* a1 */
    clusters[0].discover = true;
    strcpy(clusters[0].discover_within, "10.0.0.0/24");
    clusters[0].discover_max = 8;
    clusters[0].discover_forget_ms = 3600 * 1000;
    strcpy(servers[server_count++].host, "10.0.0.2");
    answers_as_standby("10.0.0.2");
}

START_TEST(a_probe_abstains_until_what_the_registry_knew_was_tried)
{
    discover();
    put_topology(KIND_STREAMING);
    server_at("10.0.0.2")->silent = true;
    start();
    pass(1000);
    ck_assert(strstr(told, "orders discovery 0 10.0.0.2\n")); /* named, by the registry */
    ck_assert(strstr(told, "open 10.0.0.2-5432\n"));          /* on trial */
    ck_assert(strstr(told, "orders abstains: starting"));
    ck_assert(is_not_told("orders votes"));
}
END_TEST

START_TEST(what_is_verified_is_a_member_from_its_trial_on)
{
    discover();
    put_topology(KIND_STREAMING);
    start();
    pass(1000);
    ck_assert(strstr(told, "orders discovery 1 10.0.0.2\n"));
    const char *member = strstr(told, "orders/10.0.0.2-5432 ok\n");
    ck_assert_ptr_nonnull(member);
    ck_assert_ptr_nonnull(strstr(member, "orders votes"));
    ck_assert_ptr_nonnull(strstr(member, "open 10.0.0.2-5432\n")); /* a slot of its own */
}
END_TEST

START_TEST(what_was_tried_in_vain_is_not_waited_for)
{
    discover();
    put_topology(KIND_STREAMING);
    answers("10.0.0.2", ANSWER_TIMEOUT);
    start();
    pass(1000);
    ck_assert(strstr(told, "orders discovery 2 10.0.0.2\n"));
    ck_assert(is_told("orders votes"));
}
END_TEST

START_TEST(a_registry_that_is_away_holds_the_start_up_for_seconds_only)
{
    discover();
    start_unconnected();
    pass(4900);
    ck_assert(is_not_told("orders votes"));
    pass(400);
    ck_assert(is_told("orders votes"));
}
END_TEST

START_TEST(a_reload_begins_trials_anew)
{
    discover();
    put_topology(KIND_STREAMING);
    server_at("10.0.0.2")->silent = true;
    start();
    pass(1000);
    ck_assert(is_told("open 10.0.0.2-5432\n"));
    step_kind(EVENT_RELOAD_ASKED);
    ck_assert(is_told("close one\n"));
    pass(2000);
    ck_assert(is_told("open 10.0.0.2-5432\n"));
}
END_TEST

START_TEST(a_kind_that_no_server_shows_is_known_from_the_verdict)
{
    clusters[0].policy.kind = KIND_AUTO;
    put_topology(KIND_STREAMING);
    answers("a1", ANSWER_REFUSED);
    answers("a2", ANSWER_REFUSED);
    start_unconnected();
    pass(300);
    ck_assert(strstr(told, "orders abstains"));
    ck_assert(is_not_told("orders is streaming"));
    renew();
    pass(1000);
    ck_assert(strstr(told, "orders is streaming"));
    ck_assert(is_told("orders votes"));
}
END_TEST

/* ---- the cadence ----------------------------------------------------------------------------- */

START_TEST(a_change_at_one_member_makes_all_be_looked_at_closely)
{
    start_and_settle();
    answers("a1", ANSWER_REFUSED);
    pass(1200);
    ck_assert(strstr(told, "orders/a1 refused"));
    ck_assert(is_told("orders looks closely: a1 refused"));
}
END_TEST

START_TEST(a_server_that_sends_unasked_is_asked_again_within_the_step)
{
    start_and_settle();
    pass(500); /* it was not asked just now */
    answers("a1", ANSWER_REFUSED);
    step((struct probe_event){.kind = EVENT_UNSOLICITED, .slot = server_at("a1")->slot});
    ck_assert(strstr(told, "orders looks closely: a1 refused\n"));
    ck_assert(is_told("orders/a1 refused"));
}
END_TEST

/* ---- the registry ---------------------------------------------------------------------------- */

START_TEST(a_registry_that_is_not_reached_is_logged_once)
{
    start_unconnected();
    ensemble_halt(ensemble);
    renew();
    pass(2900);
    ck_assert(is_not_told("registry not reached"));
    pass(400);
    ck_assert(is_told("registry not reached"));
    pass(5000);
    ck_assert(is_not_told("registry not reached"));
}
END_TEST

START_TEST(a_session_that_is_over_is_renewed_and_looks_go_on_meanwhile)
{
    start_and_settle();
    store_mem_expire(store);
    for (int i = 0; i < 15000 && !renewing; i++) {
        pass(1);
    }
    ck_assert(is_told("renew\n"));
    answers("a1", ANSWER_REFUSED);
    pass(1200);
    ck_assert(is_told("orders/a1 refused"));
    renew();
    pass(3000);
    ck_assert_ptr_nonnull(tree_find(&ensemble->head, "/roster/probes/probe-a"));
}
END_TEST

START_TEST(our_name_in_the_hands_of_one_that_lives_stops_us)
{
    struct store *rival = store_mem_new(ensemble, "rival", 3600 * 1000, NULL, NULL);
    struct presence presence = {
        .probe = "probe-a", .host = "elsewhere", .pid = 9, .version = "1", .nonce = 8, .beat = 1};
    put("/roster", strdup(""));
    put("/roster/probes", strdup(""));
    store_renew(rival);
    stand_still(50);
    char *json = presence_encode(&presence);
    store_write(
        rival, 0,
        &(struct store_op){STORE_CREATE_EPHEMERAL, "/roster/probes/probe-a", json, strlen(json), 0},
        1);
    free(json);
    stand_still(50);
    start();
    for (int i = 0; i < 10 && !closed; i++) {
        presence.beat++;
        put("/roster/probes/probe-a", presence_encode(&presence));
        pass(BEAT_MS);
    }
    ck_assert(strstr(told, "name conflict\n"));
    ck_assert(strstr(told, "stop 1 within 1800 ms\n"));
    ck_assert(is_told("close the store\n"));
}
END_TEST

/* ---- reload and stop ------------------------------------------------------------------------- */

START_TEST(a_reload_that_changes_nothing_of_a_member_spares_it)
{
    start_and_settle();
    clusters[0].members[1].weight = 50;
    step_kind(EVENT_RELOAD_ASKED);
    ck_assert(is_told("reload\norders looks closely:  the configuration was reloaded\n"));
    pass(1000);
    ck_assert(is_not_told("open"));
}
END_TEST

START_TEST(a_reload_closes_what_is_gone_and_opens_what_is_new)
{
    start_and_settle();
    clusters[0].member_count = 1;
    add_member(&clusters[0], "a3");
    answers_as_standby("a3");
    step_kind(EVENT_RELOAD_ASKED);
    pass(100);
    ck_assert(strstr(told, "close one\n"));
    ck_assert(is_told("open a3\n"));
}
END_TEST

START_TEST(another_password_asks_everybody_anew)
{
    start_and_settle();
    strcpy(clusters[0].password, "another");
    step_kind(EVENT_RELOAD_ASKED);
    pass(100);
    ck_assert(strstr(told, "close one\nclose one\n"));
    ck_assert(strstr(told, "open a1\n"));
    ck_assert(is_told("open a2\n"));
}
END_TEST

START_TEST(another_timeout_asks_everybody_anew)
{
    static struct config before;
    start_and_settle();
    before = config; /* the probe holds it until the next one was stepped */
    before.probe.timeout_ms = TIMEOUT;
    step((struct probe_event){.kind = EVENT_RELOAD, .config = &before});
    told[0] = '\0';
    config.probe.timeout_ms = 2 * TIMEOUT;
    step_kind(EVENT_RELOAD_ASKED);
    ck_assert(is_told("close one\nclose one\n"));
}
END_TEST

START_TEST(a_look_in_flight_survives_a_reload_that_spares_it)
{
    start_and_settle();
    server_at("a1")->silent = true;
    pass(1500);
    clusters[0].members[0].weight = 50;
    step_kind(EVENT_RELOAD_ASKED);
    pass(1000);
    ck_assert(is_not_told("open a1")); /* and is not asked twice at once: slot.c asserts it */
}
END_TEST

START_TEST(a_reload_waits_while_the_session_is_renewed)
{
    start_unconnected();
    step_kind(EVENT_RELOAD_ASKED);
    ck_assert(is_not_told("reload\n"));
    renew();
    ck_assert(is_told("reload\n"));
}
END_TEST

START_TEST(a_stop_closes_all_and_then_the_store)
{
    start_and_settle();
    step_kind(EVENT_STOP);
    ck_assert(is_told("close one\nclose one\nstop 0 within 1800 ms\nclose the store\n"));
    step_kind(EVENT_STOP);
    step_kind(EVENT_RELOAD_ASKED);
    step_kind(EVENT_TIMER);
    ck_assert_str_eq(told, "");
}
END_TEST

START_TEST(a_stop_waits_for_the_store_while_it_is_renewed)
{
    start_unconnected();
    pass(100);
    told[0] = '\0';
    step_kind(EVENT_STOP);
    ck_assert_str_eq(told, "close one\nclose one\nstop 0 within 4500 ms\n");
    renew();
    ck_assert(is_told("close the store\n"));
}
END_TEST

Suite *probe_suite(void)
{
    Suite *suite = suite_create("probe");
    TCase *tcase = tcase_create("probe");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_probe_votes_once_every_member_was_looked_at);
    tcase_add_test(tcase, when_every_target_of_every_cluster_fails_at_once_it_is_us);
    tcase_add_test(tcase, a_definite_failure_is_seen_and_makes_nobody_blind);
    tcase_add_test(tcase, one_target_proves_nothing_of_us);
    tcase_add_test(tcase, a_cluster_that_leaves_counts_no_more);
    tcase_add_test(tcase, a_gap_in_our_own_time_is_a_slip_for_an_interval);
    tcase_add_test(tcase, a_clock_that_goes_back_is_a_slip_and_no_end);
    tcase_add_test(tcase, whatever_comes_first_after_a_gap_the_gap_is_seen_before_it_is_acted_on);
    tcase_add_test(tcase, a_short_gap_is_none);
    tcase_add_test(tcase, blind_is_said_before_slipped_and_slipped_before_starting);
    tcase_add_test(tcase, a_probe_abstains_until_what_the_registry_knew_was_tried);
    tcase_add_test(tcase, what_is_verified_is_a_member_from_its_trial_on);
    tcase_add_test(tcase, what_was_tried_in_vain_is_not_waited_for);
    tcase_add_test(tcase, a_registry_that_is_away_holds_the_start_up_for_seconds_only);
    tcase_add_test(tcase, a_reload_begins_trials_anew);
    tcase_add_test(tcase, a_kind_that_no_server_shows_is_known_from_the_verdict);
    tcase_add_test(tcase, a_change_at_one_member_makes_all_be_looked_at_closely);
    tcase_add_test(tcase, a_server_that_sends_unasked_is_asked_again_within_the_step);
    tcase_add_test(tcase, a_registry_that_is_not_reached_is_logged_once);
    tcase_add_test(tcase, a_session_that_is_over_is_renewed_and_looks_go_on_meanwhile);
    tcase_add_test(tcase, our_name_in_the_hands_of_one_that_lives_stops_us);
    tcase_add_test(tcase, a_reload_that_changes_nothing_of_a_member_spares_it);
    tcase_add_test(tcase, a_reload_closes_what_is_gone_and_opens_what_is_new);
    tcase_add_test(tcase, another_password_asks_everybody_anew);
    tcase_add_test(tcase, another_timeout_asks_everybody_anew);
    tcase_add_test(tcase, a_look_in_flight_survives_a_reload_that_spares_it);
    tcase_add_test(tcase, a_reload_waits_while_the_session_is_renewed);
    tcase_add_test(tcase, a_stop_closes_all_and_then_the_store);
    tcase_add_test(tcase, a_stop_waits_for_the_store_while_it_is_renewed);
    suite_add_tcase(suite, tcase);
    return suite;
}
