#include "tests/unit/world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static const char identity[] = "7710429185476665205";

void world_init(struct world *world, enum kind kind, int witnesses, size_t probes, size_t members)
{
    memset(world, 0, sizeof *world);
    world->count = probes;
    for (size_t p = 0; p < probes; p++) {
        struct report *report = &world->reports[p];
        strcpy(report->cluster, "orders");
        snprintf(report->probe, sizeof report->probe, "probe-%c", (char)('a' + p));
        report->rules = MODEL_RULES;
        report->policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                         kind, CONFLICT_HOLD, WRITERS_SINGLE, (uint8_t)witnesses};
        report->member_count = (uint8_t)members;
        for (size_t m = 0; m < members; m++) {
            struct member_config *config = &report->members[m].config;
            snprintf(config->name, sizeof config->name, "m%zu", m);
            snprintf(config->host, sizeof config->host, "10.0.0.%zu", m + 1);
            config->port = 5432;
            config->weight = 100;
            report->members[m].lag = LAG_NOT_KNOWN;
        }
    }
}

void world_says(struct world *world, int probe, size_t m, const struct member_report *member_report)
{
    for (size_t p = 0; p < world->count; p++) {
        if (probe == ALL || (size_t)probe == p) {
            struct member_report *to = &world->reports[p].members[m];
            struct member_config config = to->config;
            *to = *member_report;
            to->config = config;
        }
    }
}

static void fill(struct member_report *member_report, const struct world *world,
                 const char *lineage)
{
    bool ordered = world->reports[0].policy.kind == KIND_STREAMING;
    member_report->answer = ANSWER_OK;
    strcpy(member_report->lineage, ordered ? lineage : "");
    strcpy(member_report->identity, ordered ? identity : "");
    strcpy(member_report->version, "15.20");
    member_report->start_ms = world->restarts * WORLD_RESTART_MS + WORLD_RESTART_MS;
}

void world_primary(struct world *world, int probe, size_t m, const char *lineage)
{
    struct member_report member_report = {.claim = true, .writable = true, .lag = LAG_NOT_KNOWN};
    fill(&member_report, world, lineage);
    world_says(world, probe, m, &member_report);
}

void world_standby(struct world *world, int probe, size_t m, size_t upstream, const char *lineage)
{
    struct member_report member_report = {
        .replica = true, .live = true, .channel = CHANNEL_LIVE, .lag = {LAG_OK, 0, 0, -1}};
    fill(&member_report, world, lineage);
    snprintf(member_report.upstream, sizeof member_report.upstream, "m%zu", upstream);
    world_says(world, probe, m, &member_report);
}

void world_fails(struct world *world, int probe, size_t m, enum answer answer)
{
    struct member_report member_report = {.answer = answer, .lag = LAG_NOT_KNOWN};
    world_says(world, probe, m, &member_report);
}

void world_server(struct world *world, int probe, size_t m, bool writable,
                  enum channel_state channel, size_t upstream)
{
    struct member_report member_report = {.claim = writable && channel <= CHANNEL_APPLYING,
                                          .writable = writable,
                                          .replica = channel != CHANNEL_NONE,
                                          .live = channel == CHANNEL_LIVE,
                                          .channel = channel,
                                          .lag = LAG_NOT_KNOWN};
    fill(&member_report, world, "");
    if (member_report.replica) {
        snprintf(member_report.upstream, sizeof member_report.upstream, "m%zu", upstream);
    }
    world_says(world, probe, m, &member_report);
}

struct evidence world_evidence(const struct world *world)
{
    struct evidence evidence = {.previous = world->has_previous ? &world->previous : NULL,
                                .directives = &world->directives};
    for (size_t p = 0; p < world->count; p++) {
        size_t at = world->backwards ? world->count - 1 - p : p;
        evidence.votes[evidence.count++] = (struct vote){&world->reports[at], (int64_t)at + 1};
    }
    return evidence;
}

bool world_resolve(struct world *world)
{
    static struct topology topology;
    struct evidence evidence = world_evidence(world);
    if (!resolve(&evidence, &topology)) {
        return false;
    }
    world->previous = topology;
    world->has_previous = true;
    return true;
}

void world_settle(struct world *world)
{
    static struct topology once;
    ck_assert(world_resolve(world));
    once = world->previous;
    ck_assert(world_resolve(world));
    ck_assert_msg(topology_equal(&once, &world->previous), "not idempotent: %s / %s", once.why,
                  world->previous.why);
}

void world_expect(struct world *world, const char *primary)
{
    world_settle(world);
    ck_assert_msg(strcmp(world->previous.primary, primary) == 0, "'%s' is primary: %s",
                  world->previous.primary, world->previous.why);
}

void world_begin(struct world *world, enum kind kind, size_t members)
{
    world_init(world, kind, 3, 3, members);
    world_primary(world, ALL, 0, "7");
    for (size_t m = 1; m < members; m++) {
        world_standby(world, ALL, m, 0, "7");
    }
    world_expect(world, "m0");
}

struct member_report *world_seen(struct world *world, size_t probe, size_t m)
{
    return &world->reports[probe].members[m];
}

void world_take(struct world *world, size_t m, bool stood, bool late)
{
    for (size_t p = 0; p < world->count; p++) {
        struct member_report *report = world_seen(world, p, m);
        report->acts = world->previous.members[m].record.acts & ACT_PROMOTES;
        report->stood = stood;
        report->late = late;
    }
}

void world_replica(struct world *world, size_t m, size_t upstream, enum channel_state channel,
                   bool writable)
{
    world_standby(world, ALL, m, upstream, "");
    for (size_t p = 0; p < world->count; p++) {
        struct member_report *report = world_seen(world, p, m);
        report->channel = channel;
        report->live = channel == CHANNEL_LIVE;
        report->writable = writable;
        report->claim = writable && channel <= CHANNEL_APPLYING;
        report->lag.state = channel == CHANNEL_LIVE ? LAG_OK : LAG_BROKEN;
    }
}

void world_opened(struct world *world, size_t m)
{
    world_primary(world, ALL, m, "");
}

void world_closed(struct world *world, size_t m)
{
    world_primary(world, ALL, m, "");
    for (size_t p = 0; p < world->count; p++) {
        world_seen(world, p, m)->claim = world_seen(world, p, m)->writable = false;
    }
}

void world_gone(struct world *world, size_t m)
{
    world_fails(world, ALL, m, ANSWER_REFUSED);
}
