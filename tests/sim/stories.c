#include "tests/sim/stories.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/narrations.h"
#include "tests/sim/plot.h"
#include "tests/sim/store_mem.h"

#define TOPOLOGY SIM_ROOT "/clusters/" SIM_CLUSTER "/topology"

/* ---- helpers of the stories ------------------------------------------------------------------ */

static bool is_suspect(struct world *world)
{
    return oracle_topology(world->oracle)->state == STATE_SUSPECT;
}

static void delay_probes(struct world *world, int64_t least_ms, int64_t most_ms)
{
    for (int i = 0; i < world->settings.probes; i++) {
        store_mem_delay(sim_probe_store(world->probes[i]), least_ms, most_ms);
    }
}

/* ---- the stories ----------------------------------------------------------------------------- */

static void promotion_after_a_crash(struct world *world)
{
    plot_begin(world);
    world_crash(world, 0);
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
    plot_pass(world, 3000);
    world_promote(world, 1);
    int64_t promoted_ms = world_now(world);
    plot_await(world, plot_second_writes, "the second server writes");
    if (world_now(world) - promoted_ms > 100) {
        world_fail(world, "L1: it took %lld ms", (long long)(world_now(world) - promoted_ms));
    }
    world_follow(world, 2, 1);
    plot_pass(world, 5000);
}

static void the_old_primary_returns(struct world *world)
{
    plot_begin(world);
    plot_crash_and_promote(world);
    plot_pass(world, 5000);
    world_return(world, 0); /* it still takes writes, on its old timeline */
    plot_await(world, plot_in_conflict, "the rival is seen");
    plot_pass(world, 10000);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void a_registry_outage_spans_a_failover(struct world *world)
{
    plot_begin(world);
    world_log(world, false, "the registry is gone");
    oracle_halted(world->oracle, true);
    ensemble_halt(world->ensemble);
    plot_pass(world, 5000);
    world_crash(world, 0);
    plot_pass(world, 2000);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_pass(world, 30000);
    if (strcmp(router_writer(world->routers[0]), "pg-1") != 0) {
        world_fail(world, "S12: the router forgot what it knew");
    }
    world_log(world, false, "the registry is back");
    ensemble_resume(world->ensemble);
    oracle_halted(world->oracle, false);
    plot_await(world, plot_second_writes, "the second server writes");
    plot_pass(world, 5000); /* until the last probe is back, whose report is an old one */
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void all_sessions_expire_at_once(struct world *world)
{
    plot_begin(world);
    world_log(world, false, "all sessions expire");
    for (int i = 0; i < world->settings.probes; i++) {
        store_mem_expire(sim_probe_store(world->probes[i]));
    }
    store_mem_expire(router_store(world->routers[0]));
    plot_await_well(world);
    plot_pass(world, 10000);
    world_log(world, false, "and again, as the primary crashes");
    world_crash(world, 0);
    for (int i = 0; i < world->settings.probes; i++) {
        store_mem_expire(sim_probe_store(world->probes[i]));
    }
    plot_await(world, plot_nobody_writes, "nobody writes");
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_await(world, plot_second_writes, "the second server writes");
}

/* Its write is on the way while the world moves on without it. */
static void a_probe_is_stopped_between_read_and_write(struct world *world)
{
    plot_begin(world);
    world_log(world, false, "the way of probe-a to the registry takes 3 s");
    store_mem_delay(sim_probe_store(world->probes[0]), 3000, 3000);
    world_crash(world, 0);
    plot_pass(world, 1000);
    world_freeze_probe(world, 0);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_await(world, plot_second_writes, "the second server writes");
    plot_pass(world, 6000);
    world_return(world, 0);
    world_follow(world, 0, 1);
    world_thaw_probe(world, 0);
    store_mem_delay(sim_probe_store(world->probes[0]), 0, 2);
    plot_await_well(world);
}

static void a_probe_is_stopped_for_long(struct world *world)
{
    plot_begin(world);
    world_freeze_probe(world, 0);
    plot_pass(world, 60000);
    plot_crash_and_promote(world);
    world_return(world, 0);
    world_follow(world, 0, 1);
    world_thaw_probe(world, 0);
    plot_await_well(world);
}

static void unknown_outcome(struct world *world, bool carried_out)
{
    plot_begin(world);
    for (int i = 0; i < world->settings.probes; i++) {
        store_mem_break_at(sim_probe_store(world->probes[i]), TOPOLOGY, carried_out);
    }
    plot_crash_and_promote(world);
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void the_verdict_was_written_and_nobody_heard(struct world *world)
{
    unknown_outcome(world, true);
}

static void the_verdict_was_lost_and_nobody_knows(struct world *world)
{
    unknown_outcome(world, false);
}

static void the_topology_is_deleted_by_hand(struct world *world)
{
    plot_begin(world);
    plot_crash_and_promote(world);
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
    world_log(world, false, "somebody deletes the topology");
    ensemble_delete(world->ensemble, TOPOLOGY);
    plot_pass(world, 1000);
    plot_await_well(world);
    world_log(world, false, "somebody overwrites the topology");
    delay_probes(world, 20, 20); /* so that the router reads it before it is put back */
    ensemble_put(world->ensemble, TOPOLOGY, "{ \"format\": 1, ");
    plot_pass(world, 1000);
    delay_probes(world, 0, 2);
    plot_await_well(world);
}

/* All probes are replaced while the directives cannot be read, which hold the writer. */
static void a_hold_outlives_probes_that_start_blind(struct world *world)
{
    plot_begin(world);
    plot_put_directives(world, "{ \"format\": 1, \"hold\": \"pg-1\" }");
    plot_pass(world, 1000);
    plot_put_directives(world, "{ hold pg-1 }");
    plot_pass(world, 1000);
    for (int i = 0; i < 3; i++) {
        world_kill_probe(world, i);
        world_start_probe(world, i);
        plot_pass(world, 5000);
    }
    world_crash(world, 0);
    plot_pass(world, 2000);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_pass(world, 30000);
    if (!plot_first_writes(world)) {
        world_fail(world, "the hold was lost");
    }
    plot_put_directives(world, "{ \"format\": 1, \"hold\": null }");
    plot_await(world, plot_second_writes, "the second server writes");
}

static void three_probes_race(struct world *world)
{
    plot_begin(world);
    uint64_t writes = world->ensemble->writes;
    delay_probes(world, 5, 5);
    plot_crash_and_promote(world);
    plot_pass(world, 1000);
    writes = world->ensemble->writes - writes;
    if (writes > 40) {
        world_fail(world, "L4: %llu writes for one failover", (unsigned long long)writes);
    }
}

static void one_probe_is_left(struct world *world)
{
    plot_begin(world);
    world_kill_probe(world, 1);
    world_kill_probe(world, 2);
    plot_pass(world, 30000);
    world_crash(world, 0);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_pass(world, 30000); /* one witness of three decides nothing */
    world_start_probe(world, 1);
    plot_await(world, plot_second_writes, "the second server writes");
}

static void all_probes_are_replaced(struct world *world)
{
    plot_begin(world);
    for (int i = 0; i < world->settings.probes; i++) {
        world_kill_probe(world, i);
    }
    world_crash(world, 0);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_pass(world, 60000); /* nobody reports, nobody forgets */
    for (int i = 0; i < world->settings.probes; i++) {
        world_start_probe(world, i);
    }
    plot_await(world, plot_second_writes, "the second server writes");
}

/* The topology is deleted while only a probe that was away for long is there to put it back. */
static void who_knows_more_puts_it_back(struct world *world)
{
    plot_begin(world);
    world_freeze_probe(world, 0);
    plot_crash_and_promote(world);
    plot_pass(world, 5000);
    world_freeze_probe(world, 1);
    world_freeze_probe(world, 2);
    plot_pass(world, 20000);
    world_log(world, false, "somebody deletes the topology");
    ensemble_delete(world->ensemble, TOPOLOGY);
    world_return(world, 0); /* it still takes writes, on its old timeline */
    world_crash(world, 1);
    world_crash(world, 2); /* nothing is left that shows the newer one */
    world_start_probe(world, 3);
    world_thaw_probe(world, 0);
    plot_await(world, plot_first_writes, "the first server writes");
    world_thaw_probe(world, 1);
    world_thaw_probe(world, 2);
    plot_await(world, plot_nobody_writes, "the fence is back");
}

static void a_hung_primary_is_kept_and_then_replaced(struct world *world)
{
    plot_begin(world);
    world_hang(world, 0);
    plot_pass(world, 10000);
    plot_cut_paths(world, 1, true); /* so that its follower's new timeline is what is seen first */
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
    plot_cut_paths(world, 1, false);
    plot_await(world, plot_second_writes, "the second server writes");
    plot_pass(world, 3000);
    world_return(world, 0); /* it never knew */
    plot_await(world, plot_in_conflict, "the rival is seen");
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void two_claim_the_same_timeline(struct world *world)
{
    plot_begin(world);
    world_crash(world, 0);
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
    world_cut_path(world, 0, 2, true);
    world_cut_path(world, 1, 2, true);
    world_promote(world, 1);
    world_promote(world, 2); /* elsewhere, to the same number */
    plot_await(world, plot_second_writes, "the second server writes");
    world_cut_path(world, 0, 2, false);
    world_cut_path(world, 1, 2, false);
    plot_await(world, plot_in_conflict, "the rival is seen");
    plot_pass(world, 5000);
    world_follow(world, 2, 1);
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void a_planned_switch_without_an_order(struct world *world)
{
    plot_begin(world);
    world_demote(world, 0);
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
    world_promote(world, 1);
    world_follow(world, 0, 1);
    world_follow(world, 2, 1);
    plot_await_well(world);
}

/* Nothing happens, and nothing but beats is written. */
static void a_quiet_minute(struct world *world)
{
    plot_begin(world);
    plot_pass(world, 10000);
    uint64_t writes = world->ensemble->writes;
    plot_pass(world, 60000);
    writes = world->ensemble->writes - writes;
    if (writes > 3 * 31) {
        world_fail(world, "S15: %llu writes in a quiet minute", (unsigned long long)writes);
    }
}

/* Old sessions are served, and the server is lost to whoever comes: only a fresh connection shows
 * it, and only a fresh one clears it. */
static void an_accept_loop_hangs(struct world *world)
{
    plot_begin(world);
    world_set_door(world, 0, DOOR_STUCK);
    plot_await(world, is_suspect, "the primary is suspect");
    plot_pass(world, 10000); /* its old sessions go on to answer */
    world_set_door(world, 0, DOOR_OPEN);
    plot_await_well(world);
}

/* It answers, and what it answers over the session that we have is the truth. */
static void a_full_server_goes_on_as_it_was(struct world *world)
{
    plot_begin(world);
    world_set_door(world, 0, DOOR_FULL);
    plot_pass(world, 60000);
    world_log(world, false, "it closes its connections");
    world_close_connections(world, 0);
    plot_await(world, is_suspect, "the primary is suspect");
    world_set_door(world, 0, DOOR_OPEN);
    plot_await_well(world);
}

static void a_probe_tries_what_the_registry_knew_before_it_votes(struct world *world)
{
    plot_begin(world);
    world->settings.facts = true;
    world_kill_probe(world, 2);
    /* so that nobody else names them */
    world->databases.at[1].stream_cut = world->databases.at[2].stream_cut = true;
    world_start_probe(world, 2);
    plot_await_well(world);
    world_kill_probe(world, 2);
    world_cut_path(world, 2, 2, true);
    world_start_probe(world, 2); /* what was tried in vain need not be waited for */
    plot_pass(world, 10000);
    world_cut_path(world, 2, 2, false);
    plot_await_well(world);
}

/* No server answers, so none shows its kind: without the verdict's, nobody could vote. */
static void the_kind_is_known_from_the_verdict(struct world *world)
{
    plot_begin(world);
    for (int i = 0; i < world->settings.probes; i++) {
        world_kill_probe(world, i);
    }
    for (int i = 0; i < world->databases.count; i++) {
        world_crash(world, i);
    }
    for (int i = 0; i < world->settings.probes; i++) {
        world_start_probe(world, i);
    }
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
}

static int connections(const struct world *world, int database)
{
    int sum = 0;
    for (int i = 0; i < world->settings.probes; i++) {
        sum += sim_probe_connections(world->probes[i], database);
    }
    return sum;
}

/* Looks are in flight at a server that hangs; whoever stays keeps its connection. */
static void a_reload_spares_what_it_does_not_change(struct world *world)
{
    plot_begin(world);
    world_hang(world, 0);
    plot_pass(world, 1300);
    int before = connections(world, 1);
    world->cluster.member_count = 2;
    world_reload(world);
    plot_await(world, plot_two_are_listed, "the third server is listed no more");
    world->cluster.member_count = 3;
    world_reload(world);
    plot_await(world, plot_three_are_listed, "the third server is listed again");
    plot_pass(world, 100);
    if (connections(world, 1) - before > 3) { /* at most a fresh one each */
        world_fail(world, "a reload that changed nothing of pg-2 made %d connections to it",
                   connections(world, 1) - before);
    }
    before = connections(world, 1);
    strcpy(world->cluster.password, "another");
    world_reload(world);
    plot_pass(world, 100);
    if (connections(world, 1) - before < 3) {
        world_fail(world, "another password made %d connections", connections(world, 1) - before);
    }
    world_return(world, 0);
    plot_await_well(world);
}

static void a_probe_that_is_told_to_stop_leaves_nothing_behind(struct world *world)
{
    plot_begin(world);
    world_stop_probe(world, 2);
    plot_pass(world, 100);
    if (tree_find(&world->ensemble->head, SIM_ROOT "/probes/probe-c")) {
        world_fail(world, "its presence is left");
    }
    world_crash(world, 0);
    world_promote(world, 1);
    world_follow(world, 2, 1);
    plot_await(world, plot_second_writes, "the second server writes");
}

static const struct story various_stories[] = {
    {"promotion_after_a_crash", STREAMING, promotion_after_a_crash},
    {"the_old_primary_returns", STREAMING, the_old_primary_returns},
    {"a_registry_outage_spans_a_failover", STREAMING, a_registry_outage_spans_a_failover},
    {"all_sessions_expire_at_once", STREAMING, all_sessions_expire_at_once},
    {"a_probe_is_stopped_between_read_and_write", STREAMING,
     a_probe_is_stopped_between_read_and_write},
    {"a_probe_is_stopped_for_long", STREAMING, a_probe_is_stopped_for_long},
    {"the_verdict_was_written_and_nobody_heard", STREAMING,
     the_verdict_was_written_and_nobody_heard},
    {"the_verdict_was_lost_and_nobody_knows", STREAMING, the_verdict_was_lost_and_nobody_knows},
    {"the_topology_is_deleted_by_hand", STREAMING, the_topology_is_deleted_by_hand},
    {"a_hold_outlives_probes_that_start_blind", STREAMING, a_hold_outlives_probes_that_start_blind},
    {"three_probes_race", STREAMING, three_probes_race},
    {"one_probe_is_left", STREAMING, one_probe_is_left},
    {"all_probes_are_replaced", STREAMING, all_probes_are_replaced},
    {"who_knows_more_puts_it_back", STREAMING, who_knows_more_puts_it_back},
    {"a_hung_primary_is_kept_and_then_replaced", STREAMING,
     a_hung_primary_is_kept_and_then_replaced},
    {"two_claim_the_same_timeline", STREAMING, two_claim_the_same_timeline},
    {"a_planned_switch_without_an_order", ASYNC, a_planned_switch_without_an_order},
    {"an_accept_loop_hangs", STREAMING, an_accept_loop_hangs},
    {"a_full_server_goes_on_as_it_was", STREAMING, a_full_server_goes_on_as_it_was},
    {"a_probe_tries_what_the_registry_knew_before_it_votes", STREAMING_DISCOVERY,
     a_probe_tries_what_the_registry_knew_before_it_votes},
    {"the_kind_is_known_from_the_verdict", STREAMING_AUTO, the_kind_is_known_from_the_verdict},
    {"a_reload_spares_what_it_does_not_change", STREAMING, a_reload_spares_what_it_does_not_change},
    {"a_probe_that_is_told_to_stop_leaves_nothing_behind", STREAMING,
     a_probe_that_is_told_to_stop_leaves_nothing_behind},
    {"a_quiet_minute", STREAMING, a_quiet_minute},
    {0},
};

static bool play(const struct story *story, bool loud)
{
    static struct world world;
    world_init(&world,
               &(struct world_settings){.seed = 1,
                                        .kind = story->stage == ASYNC ? KIND_ASYNC : KIND_STREAMING,
                                        .databases = 3,
                                        .probes = 3,
                                        .routers = 1,
                                        .witnesses = 3,
                                        .unlisted = story->stage == STREAMING_DISCOVERY,
                                        .auto_kind = story->stage == STREAMING_AUTO,
                                        .loud = loud});
    story->play(&world);
    bool good = world.fault[0] == '\0' && strcmp(world.narration, narration_of(story->name)) == 0;
    if (good) {
        printf("ok %s\n", story->name);
    } else if (world.fault[0]) {
        printf("not ok %s %s\n%s", story->name, world.fault, world.narration);
    } else {
        printf("not ok %s has another narration\n--- wanted\n%s--- got\n%s", story->name,
               narration_of(story->name), world.narration);
    }
    fflush(stdout);
    world_release(&world);
    return good;
}

int stories_play(const char *only, bool loud)
{
    int failed = 0;
    bool found = false;
    const struct story *const shelves[] = {various_stories, inheritance_stories};
    for (size_t k = 0; k < sizeof shelves / sizeof *shelves; k++) {
        for (const struct story *story = shelves[k]; story->name; story++) {
            if (!only || strcmp(only, story->name) == 0) {
                found = true;
                failed += !play(story, loud);
            }
        }
    }
    return found ? failed : -1;
}
