#include "tests/sim/database.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { START_APART_MS = 60000 };

static const char identity[] = "7710429185476665205";

static void reign(struct databases *databases, int i, int64_t now_ms)
{
    assert(databases->reign_count < REIGNS_MAX);
    databases->reigns[databases->reign_count++] =
        (struct reign){i, databases->at[i].timeline, now_ms};
}

void databases_init(struct databases *databases, enum kind kind, int count)
{
    *databases = (struct databases){.kind = kind, .count = count};
    for (int i = 0; i < count; i++) {
        struct database *it = &databases->at[i];
        snprintf(it->name, sizeof it->name, "%s-%d", kind == KIND_STREAMING ? "pg" : "my", i + 1);
        strcpy(it->identity, kind == KIND_STREAMING ? identity : "");
        snprintf(it->address, sizeof it->address, "10.0.0.%d", i + 1);
        it->timeline = 1;
        it->standby = i > 0;
        it->writable = i == 0;
        it->upstream = i > 0 ? 0 : -1;
    }
    reign(databases, 0, 0);
}

/* Whoever streams has the history of what it streams from. */
static void settle(struct databases *databases)
{
    for (int round = 0; round < databases->count; round++) {
        for (int i = 0; i < databases->count; i++) {
            if (databases_streams(databases, i)) {
                databases->at[i].timeline = databases->at[databases->at[i].upstream].timeline;
            }
        }
    }
}

void databases_crash(struct databases *databases, int i)
{
    databases->at[i].condition = CRASHED;
    databases->at[i].stopped = false; /* it starts with the server */
    databases->at[i].starts++;
    databases->at[i].boot++;
}

void databases_hang(struct databases *databases, int i)
{
    databases->at[i].condition = HUNG;
}

void databases_return(struct databases *databases, int i)
{
    databases->at[i].condition = RUNNING;
    settle(databases);
}

bool databases_promote(struct databases *databases, int i, int64_t now_ms)
{
    struct database *it = &databases->at[i];
    bool replica = databases->kind == KIND_ASYNC && it->standby;
    if (it->condition != RUNNING || (it->writable && !replica)) {
        return false;
    }
    it->timeline++;
    it->standby = it->stopped = false;
    it->writable = true;
    it->upstream = -1;
    reign(databases, i, now_ms);
    settle(databases);
    return true;
}

/* Open, and fed by nobody: writes that went to it would stay there. */
static void may_reign(struct databases *databases, int i, int64_t now_ms)
{
    if (databases_writes(databases, i)) {
        reign(databases, i, now_ms);
    }
}

void databases_open(struct databases *databases, int i, int64_t now_ms)
{
    assert(databases->kind == KIND_ASYNC);
    databases->at[i].writable = true;
    may_reign(databases, i, now_ms);
}

void databases_stop_channel(struct databases *databases, int i, int64_t now_ms)
{
    assert(databases->kind == KIND_ASYNC && databases->at[i].standby);
    databases->at[i].stopped = true;
    may_reign(databases, i, now_ms);
}

void databases_start_channel(struct databases *databases, int i)
{
    databases->at[i].stopped = false;
    settle(databases);
}

void databases_restart(struct databases *databases, int i, bool channel, int64_t now_ms)
{
    databases_crash(databases, i);
    databases->at[i].stopped =
        databases->kind == KIND_ASYNC && databases->at[i].standby && !channel;
    databases_return(databases, i);
    may_reign(databases, i, now_ms);
}

void databases_restore(struct databases *databases, int i, int upstream, int64_t now_ms)
{
    struct database *it = &databases->at[i];
    assert(databases->kind == KIND_STREAMING);
    databases_crash(databases, i);
    it->condition = RUNNING;
    it->standby = false;
    it->writable = true;
    it->upstream = -1;
    it->timeline = databases->at[upstream].timeline + 1;
    reign(databases, i, now_ms);
}

void databases_demote(struct databases *databases, int i)
{
    databases->at[i].writable = false;
    if (databases->kind == KIND_STREAMING) {
        databases->at[i].standby = true; /* by a restart */
        databases->at[i].starts++;
    }
}

/* The history of what it follows becomes its own. */
void databases_follow(struct databases *databases, int i, int upstream)
{
    struct database *it = &databases->at[i];
    it->starts += databases->kind == KIND_STREAMING && !it->standby;
    it->standby = true;
    it->stopped = false;
    it->writable = false;
    it->upstream = upstream;
    it->timeline = databases->at[upstream].timeline;
    settle(databases);
}

bool databases_writes(const struct databases *databases, int i)
{
    const struct database *it = &databases->at[i];
    return it->condition == RUNNING && it->writable && !databases_follows(databases, i);
}

bool databases_follows(const struct databases *databases, int i)
{
    return databases->at[i].standby && !databases->at[i].stopped;
}

bool databases_streams(const struct databases *databases, int i)
{
    const struct database *it = &databases->at[i];
    if (!databases_follows(databases, i) || it->upstream < 0 || it->stream_cut ||
        it->condition != RUNNING) {
        return false;
    }
    const struct database *up = &databases->at[it->upstream];
    return up->condition == RUNNING && up->timeline >= it->timeline;
}

int64_t databases_newest(const struct databases *databases)
{
    int64_t newest = 0;
    for (int i = 0; i < databases->reign_count; i++) {
        newest = databases->reigns[i].timeline > newest ? databases->reigns[i].timeline : newest;
    }
    return newest;
}

bool databases_reigned(const struct databases *databases, const char *name, const char *lineage)
{
    char text[LINEAGE_SIZE];
    for (int i = 0; i < databases->reign_count; i++) {
        const struct reign *it = &databases->reigns[i];
        snprintf(text, sizeof text, "%lld", (long long)it->timeline);
        if (strcmp(databases->at[it->server].name, name) == 0 &&
            (databases->kind != KIND_STREAMING || strcmp(text, lineage) == 0)) {
            return true;
        }
    }
    return false;
}

static void fill_upstream(const struct databases *databases, const struct database *it,
                          struct observation *observation)
{
    if (it->upstream >= 0 && (observation->live || databases->kind == KIND_ASYNC)) {
        strcpy(observation->upstream_host, databases->at[it->upstream].name);
        observation->upstream_port = 5432;
    }
}

/* Whoever streams from it is named, as pg_stat_replication does: by an address without a port. */
static void fill_standbys(const struct databases *databases, int i, struct observation *observation)
{
    for (int k = 0; k < databases->count; k++) {
        if (databases->at[k].upstream == i && databases_streams(databases, k)) {
            advertised_add(&observation->advertised, databases->at[k].address, 0);
        }
    }
}

bool databases_is_silent(const struct databases *databases, int i, bool connected)
{
    const struct database *it = &databases->at[i];
    return it->condition == HUNG ||
           (it->condition == RUNNING && it->door == DOOR_STUCK && !connected);
}

void databases_look(struct databases *databases, int i, bool connected,
                    struct observation *ret_observation)
{
    static const enum answer failures[] = {[CRASHED] = ANSWER_REFUSED,
                                           [HUNG] = ANSWER_STALLED,
                                           [STARTING] = ANSWER_STARTING,
                                           [STOPPING] = ANSWER_STOPPING};
    const struct database *it = &databases->at[i];
    observation_init(ret_observation);
    if (it->condition != RUNNING) {
        ret_observation->answer = failures[it->condition];
        snprintf(ret_observation->detail, sizeof ret_observation->detail,
                 "as the simulator wants it");
        return;
    }
    if (it->door == DOOR_FULL && !connected) {
        ret_observation->answer = ANSWER_SATURATED;
        return;
    }
    ret_observation->answer = ANSWER_OK;
    strcpy(ret_observation->version,
           databases->kind == KIND_STREAMING ? "15.20" : "10.11.19-MariaDB");
    strcpy(ret_observation->identity, it->identity);
    ret_observation->start_ms = (it->starts + 1) * START_APART_MS;
    ret_observation->writable = it->writable;
    ret_observation->replica = it->standby;
    ret_observation->live = databases_streams(databases, i);
    ret_observation->connecting =
        databases->kind == KIND_ASYNC && databases_follows(databases, i) && !ret_observation->live;
    ret_observation->applying = databases_follows(databases, i);
    fill_upstream(databases, it, ret_observation);
    fill_standbys(databases, i, ret_observation);
    if (databases->kind == KIND_STREAMING) {
        snprintf(ret_observation->lineage, sizeof ret_observation->lineage, "%lld",
                 (long long)it->timeline);
        databases->written += it->writable;
        ret_observation->position = 1000000000 + databases->written - it->lag_bytes;
    }
    ret_observation->lag_ms = ret_observation->live ? it->lag_ms : -1;
}
