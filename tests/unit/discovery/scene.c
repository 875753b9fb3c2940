#include "tests/unit/discovery/scene.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static const struct probe_settings probe = {
    .interval_ms = 1000, .alert_interval_ms = 25, .timeout_ms = 500, .rise = 1, .fall = 3};
struct cluster_settings configured;
struct assessment assessment;
struct discovery discovery;
char scene_log[SCENE_LOG_SIZE];
int64_t now_ms;

const char ours[] = "7000000000000000001";
const char uuids[3][40] = {"aaaaaaaa-0000-0000-0000-000000000001",
                           "aaaaaaaa-0000-0000-0000-000000000002",
                           "aaaaaaaa-0000-0000-0000-000000000003"};

static void on_event(void *owner, enum discovery_event event, const struct candidate *candidate,
                     const char *why)
{
    static const char *const words[] = {"named", "verified", "refused", "forgotten"};
    size_t used = strlen(scene_log);
    ck_assert_ptr_eq(owner, &discovery);
    snprintf(scene_log + used, sizeof scene_log - used, "%s %s:%u %s\n", words[event],
             candidate->host, candidate->port, why);
}

bool scene_logged(const char *words)
{
    return strstr(scene_log, words) != NULL;
}

size_t scene_lines(void)
{
    size_t lines = 0;
    for (const char *at = scene_log; *at; at++) {
        lines += *at == '\n';
    }
    return lines;
}

void scene_list_anew(void)
{
    static struct cluster_settings listed;
    listed = configured;
    discovery_list(&discovery, &listed);
    assess_reload(&assessment, &listed, &probe);
}

void scene_configure(const char *name, const char *host, uint16_t port)
{
    struct member_config *config = &configured.members[configured.member_count++];
    strcpy(config->name, name);
    strcpy(config->host, host);
    config->port = port;
    config->weight = 100;
}

/* pg-1 at 10.0.0.1:5432 is configured. */
void scene_begin(enum kind kind)
{
    memset(&configured, 0, sizeof configured);
    memset(&discovery, 0, sizeof discovery);
    strcpy(configured.name, "orders");
    configured.policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                        kind, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    configured.discover = true;
    strcpy(configured.discover_within, "10.0.0.0/8, 127.0.0.1, fd00::/8");
    configured.discover_max = 8;
    configured.discover_forget_ms = 60000;
    scene_configure("pg-1", "10.0.0.1", 5432);
    discovery.owner = &discovery;
    discovery.on_event = on_event;
    scene_log[0] = '\0';
    now_ms = 1000000;
    discovery_reload(&discovery, &configured);
    assess_init(&assessment, "probe-a", &configured, &probe);
}

/* ---- what servers answer --------------------------------------------------------------------- */

struct observation scene_answers(const char *identity, const char *self_id)
{
    struct observation facts = {.answer = ANSWER_OK,
                                .writable = true,
                                .position = 1,
                                .received = -1,
                                .lag_ms = -1,
                                .group.queue = -1,
                                .claim = -1,
                                .ready = -1};
    strcpy(facts.identity, identity);
    strcpy(facts.self_id, self_id);
    strcpy(facts.lineage, identity[0] ? "1" : "");
    return facts;
}

struct observation scene_streams(struct observation facts, const char *host, uint16_t port,
                                 const char *upstream_id)
{
    facts.writable = false;
    facts.replica = facts.live = facts.applying = true;
    strcpy(facts.upstream_host, host);
    facts.upstream_port = port;
    strcpy(facts.upstream_id, upstream_id);
    return facts;
}

struct observation scene_names(struct observation facts, const char *host, uint16_t port)
{
    advertised_add(&facts.advertised, host, port);
    return facts;
}

static size_t index_of(const char *name)
{
    for (size_t i = 0; i < assessment.member_count; i++) {
        if (strcmp(assessment.members[i].config.name, name) == 0) {
            return i;
        }
    }
    ck_abort_msg("there is no %s", name);
    return 0;
}

bool scene_lists(const char *name)
{
    for (size_t i = 0; i < assessment.member_count; i++) {
        if (strcmp(assessment.members[i].config.name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A listed member was looked at. */
void scene_look(const char *name, struct observation facts)
{
    size_t i = index_of(name);
    now_ms += 1000;
    assess_look(&assessment, i, &facts, assessment.members[i].config.host, now_ms, now_ms);
    discovery_learn(&discovery, &assessment, i, now_ms);
    if (discovery_prune(&discovery, &assessment, "", now_ms)) {
        scene_list_anew();
    }
}

/* Who is tried next: "10.0.0.2:5432", "" nobody. */
const char *scene_next(void)
{
    static char address[ADDRESS_SIZE];
    const struct candidate *found = discovery_next(&discovery, &assessment, now_ms);
    snprintf(address, sizeof address, "%s", "");
    if (found) {
        snprintf(address, sizeof address, "%s:%u", found->host, found->port);
    }
    return address;
}

bool scene_trial(const char *host, uint16_t port, struct observation facts)
{
    bool joins = discovery_verify(&discovery, host, port, &facts, &assessment, "", now_ms);
    if (joins) {
        struct candidate found = {.port = port};
        char name[NAME_SIZE];
        strcpy(found.host, host);
        discovery_name(&found, name);
        scene_list_anew();
        assess_look(&assessment, index_of(name), &facts, host, now_ms, now_ms);
    }
    return joins;
}

struct observation scene_fails(enum answer answer)
{
    return (struct observation){.answer = answer, .detail = "no such luck"};
}

struct observation scene_feeds(struct observation facts, const char *host, uint16_t port,
                               const char *id)
{
    struct channel *channel = &facts.channels[facts.channel_count++];
    *channel = (struct channel){.live = true, .applying = true, .port = port, .lag_ms = 0};
    strcpy(channel->host, host);
    strcpy(channel->id, id);
    observation_follow(&facts, 0);
    facts.replica = true;
    facts.writable = false;
    return facts;
}
