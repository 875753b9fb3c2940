/* Stories of who gets the writes when the primary is gone: nobody inherits them, somebody is
 * promoted. */
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/sim/plot.h"

/* The primary is away for some seconds and comes back; the second server gets nothing by that. */
static void blink_first(struct world *world)
{
    world_crash(world, 0);
    plot_pass(world, 5000);
    if (plot_second_writes(world)) {
        world_fail(world, "the second server inherited the writes");
    }
    world_return(world, 0);
    plot_await(world, plot_first_writes, "the first server writes again");
}

/* Open for writes in its file, as replicas of those who never knew better are. */
static void begin_open(struct world *world)
{
    plot_begin(world);
    world_open(world, 1);
    plot_pass(world, 3000);
}

static void a_replica_stopped_for_a_backup_does_not_inherit(struct world *world)
{
    begin_open(world);
    world_stop_channel(world, 1);
    plot_pass(world, 10000);
    blink_first(world);
    world_start_channel(world, 1);
    plot_await_well(world);
}

static void restart_probes(struct world *world)
{
    for (int i = 0; i < world->settings.probes; i++) {
        world_kill_probe(world, i);
        world_start_probe(world, i);
    }
}

/* After a power cut it is up first, and the probes were restarted as well. */
static void a_replica_started_without_its_channel_does_not_inherit(struct world *world)
{
    begin_open(world);
    world_restart(world, 1, false);
    plot_pass(world, 3000);
    blink_first(world);
    world_crash(world, 0);
    world_restart(world, 1, false);
    restart_probes(world);
    plot_pass(world, 5000);
    blink_first(world);
    world_start_channel(world, 1);
    plot_await_well(world);
}

static void who_was_promoted_and_restarted_unseen_is_followed(struct world *world)
{
    plot_begin(world);
    for (int i = 0; i < world->settings.probes; i++) {
        world_kill_probe(world, i);
    }
    world_crash(world, 0);
    world_promote(world, 1);
    world_restart(world, 1, true);
    for (int i = 0; i < world->settings.probes; i++) {
        world_start_probe(world, i);
    }
    plot_await(world, plot_second_writes, "the second server writes");
    world_follow(world, 2, 1);
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

/* Beside a primary that goes on: who is opened by mistake is no successor minutes later. */
static void a_promotion_beside_the_primary_is_void_when_that_blinks(struct world *world)
{
    plot_begin(world);
    world_promote(world, 1);
    plot_await(world, plot_in_conflict, "the rival is seen");
    plot_pass(world, 10000);
    blink_first(world);
    world_follow(world, 1, 0);
    plot_await_well(world);
}

static void accept(struct world *world, int database, bool replace)
{
    struct directives directives = {.accept_count = 1};
    strcpy(directives.accept[0].name, world->databases.at[database].name);
    directives.accept[0].epoch = oracle_topology(world->oracle)->epoch;
    directives.accept[0].replace = replace;
    char *value = directives_encode(&directives);
    world_log(world, false, "somebody accepts %s", directives.accept[0].name);
    ensemble_put(world->ensemble, SIM_ROOT "/clusters/" SIM_CLUSTER "/directives", value);
    free(value);
}

/* The second and the third, to one number, before anybody sees either. */
static void begin_tie(struct world *world)
{
    plot_begin(world);
    world_crash(world, 0);
    plot_await(world, plot_nobody_writes, "the writer is withdrawn");
    plot_cut_paths(world, 1, true);
    plot_cut_paths(world, 2, true);
    world_promote(world, 1);
    world_promote(world, 2);
    plot_cut_paths(world, 1, false);
    plot_cut_paths(world, 2, false);
    plot_await(world, plot_in_conflict, "both are seen");
}

static void blink_of_a_rival(struct world *world, int database)
{
    world_crash(world, database);
    plot_pass(world, 5000);
    if (!plot_nobody_writes(world)) {
        world_fail(world, "a blink ended the tie");
    }
    world_return(world, database);
    plot_pass(world, 3000);
}

static void a_tie_ends_by_a_word_and_by_no_blink(struct world *world)
{
    begin_tie(world);
    blink_of_a_rival(world, 2);
    blink_of_a_rival(world, 1);
    accept(world, 1, false);
    plot_await(world, plot_second_writes, "the second server writes");
    world_crash(world, 1);
    plot_pass(world, 5000);
    world_return(world, 1);
    plot_await(world, plot_second_writes, "the second server writes again");
    world_follow(world, 2, 1);
    world_return(world, 0);
    world_follow(world, 0, 1);
    plot_await_well(world);
}

static void an_acceptance_waits_for_its_member_and_brings_back_a_lower_timeline(struct world *world)
{
    plot_begin(world);
    world_promote(world, 1); /* by accident, beside a primary that is well */
    plot_await(world, plot_second_writes, "the second server writes");
    world_crash(world, 0);
    plot_pass(world, 1000);
    accept(world, 0, true);
    plot_pass(world, 5000);
    if (plot_first_writes(world)) {
        world_fail(world, "one that does not claim was accepted");
    }
    world_return(world, 0);
    plot_await(world, plot_first_writes, "the first server writes again");
    world_follow(world, 1, 0);
    plot_await_well(world);
}

static void a_backup_that_promotes_itself_is_held_through_a_blink(struct world *world)
{
    plot_begin(world);
    world_restore(world, 2, 0);
    plot_await(world, plot_in_conflict, "the rival is seen");
    plot_pass(world, 3000);
    blink_first(world);
    restart_probes(world);
    blink_first(world);
    world_follow(world, 2, 0);
    plot_await_well(world);
}

static void a_drained_standby_promoted_for_a_rehearsal_withdraws_nobody(struct world *world)
{
    plot_begin(world);
    plot_put_directives(world, "{ \"format\": 1, \"drain\": [\"pg-2\"] }");
    plot_pass(world, 1000);
    world_follow(world, 2, 1);
    plot_pass(world, 1000);
    world_promote(world, 1);
    plot_await(world, plot_in_conflict, "the rival is seen");
    plot_pass(world, 5000);
    blink_first(world);
    world_follow(world, 1, 0);
    world_follow(world, 2, 0);
    plot_await_well(world);
}

/* The probes' files without the first server, and with it. */
static void list_first(struct world *world, bool listed)
{
    struct cluster_settings *cluster = &world->cluster;
    static struct member_config first;
    if (listed) {
        memmove(&cluster->members[1], &cluster->members[0], 2 * sizeof *cluster->members);
        cluster->members[0] = first;
    } else {
        first = cluster->members[0];
        memmove(&cluster->members[0], &cluster->members[1], 2 * sizeof *cluster->members);
    }
    cluster->member_count = listed ? 3 : 2;
    world_reload(world);
    plot_await(world, listed ? plot_three_are_listed : plot_two_are_listed, "the list of members");
}

static void a_fence_outlives_a_reload(struct world *world)
{
    plot_begin(world);
    plot_crash_and_promote(world);
    world_return(world, 0);
    plot_await(world, plot_in_conflict, "the rival is seen");
    list_first(world, false);
    plot_pass(world, 5000);
    list_first(world, true);
    plot_pass(world, 3000);
    world_crash(world, 1);
    plot_pass(world, 5000);
    if (plot_first_writes(world)) {
        world_fail(world, "the fenced one inherited the writes");
    }
    world_return(world, 1);
    plot_await(world, plot_second_writes, "the second server writes again");
    world_follow(world, 0, 1);
    plot_await_well(world);
}

const struct story inheritance_stories[] = {
    {"a_replica_stopped_for_a_backup_does_not_inherit", ASYNC,
     a_replica_stopped_for_a_backup_does_not_inherit},
    {"a_replica_started_without_its_channel_does_not_inherit", ASYNC,
     a_replica_started_without_its_channel_does_not_inherit},
    {"who_was_promoted_and_restarted_unseen_is_followed", ASYNC,
     who_was_promoted_and_restarted_unseen_is_followed},
    {"a_promotion_beside_the_primary_is_void_when_that_blinks", ASYNC,
     a_promotion_beside_the_primary_is_void_when_that_blinks},
    {"a_fence_outlives_a_reload", ASYNC, a_fence_outlives_a_reload},
    {"a_tie_ends_by_a_word_and_by_no_blink", STREAMING, a_tie_ends_by_a_word_and_by_no_blink},
    {"an_acceptance_waits_for_its_member_and_brings_back_a_lower_timeline", STREAMING,
     an_acceptance_waits_for_its_member_and_brings_back_a_lower_timeline},
    {"a_backup_that_promotes_itself_is_held_through_a_blink", STREAMING,
     a_backup_that_promotes_itself_is_held_through_a_blink},
    {"a_drained_standby_promoted_for_a_rehearsal_withdraws_nobody", STREAMING,
     a_drained_standby_promoted_for_a_rehearsal_withdraws_nobody},
    {0},
};
