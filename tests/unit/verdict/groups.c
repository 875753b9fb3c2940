/* Verdicts on groups: Group Replication's views and Galera's configurations order what is seen
 * together. */
#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;
static const char uuid[] = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

static const struct member *member(size_t m)
{
    return &world.previous.members[m];
}

/* A verdict on the same evidence is the same. */
static void expect(const char *primary, enum state state, const char *rule)
{
    static struct topology once;
    once = world.previous;
    ck_assert(world_resolve(&world));
    ck_assert(topology_equal(&once, &world.previous));
    ck_assert_str_eq(world.previous.primary, primary);
    ck_assert_str_eq(state_names[world.previous.state], state_names[state]);
    ck_assert_str_eq(topology_rule(&world.previous), rule);
}

static struct member_report in_group(const char *view)
{
    struct member_report member_report = {.answer = ANSWER_OK, .lag = LAG_NOT_KNOWN};
    strcpy(member_report.identity, uuid);
    strcpy(member_report.lineage, view);
    return member_report;
}

/* ---- Group Replication: one primary ---------------------------------------------------------- */

static void leads(int probe, size_t m, const char *view)
{
    struct member_report member_report = in_group(view);
    member_report.claim = member_report.writable = true;
    world_says(&world, probe, m, &member_report);
}

static void follows(int probe, size_t m, const char *leader, const char *view)
{
    struct member_report member_report = in_group(view);
    member_report.replica = member_report.live = true;
    strcpy(member_report.upstream, leader);
    world_says(&world, probe, m, &member_report);
}

static void is_amiss(int probe, size_t m, enum condition condition, const char *view)
{
    struct member_report member_report = in_group(view);
    member_report.condition = condition;
    world_says(&world, probe, m, &member_report);
}

static void begin_group(void)
{
    world_init(&world, KIND_GROUP, 3, 3, 3);
    leads(ALL, 0, "17:3");
    follows(ALL, 1, "m0", "17:3");
    follows(ALL, 2, "m0", "17:3");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_str_eq(world.previous.lineage, "17:3");
}

START_TEST(the_newer_view_wins_while_the_old_primary_still_claims)
{
    begin_group();
    leads(ALL, 1, "17:4");
    follows(ALL, 2, "m1", "17:4");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_CONFLICT, "newest-lineage");
    ck_assert(member(0)->fenced);
    ck_assert_int_eq(member(0)->role, ROLE_NONE);
    follows(ALL, 0, "m1", "17:5"); /* back in the group */
    leads(ALL, 1, "17:5");
    follows(ALL, 2, "m1", "17:5");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(!member(0)->fenced);
    ck_assert_int_eq(member(0)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(in_one_view_the_one_that_others_name_wins)
{
    begin_group();
    leads(ALL, 1, "17:3"); /* a planned switch, looked at a moment apart */
    follows(ALL, 2, "m1", "17:3");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_CONFLICT, "most-replicas");
}
END_TEST

static void elect_beside(enum answer answer)
{
    begin_group();
    world_fails(&world, ALL, 0, answer);
    leads(ALL, 1, "17:4");
    follows(ALL, 2, "m1", "17:4");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "newest-lineage");
    ck_assert(member(0)->fenced);
}

START_TEST(an_election_in_a_newer_view_is_followed_whatever_the_old_primary_answers)
{
    static const enum answer answers[] = {ANSWER_SATURATED, ANSWER_AUTH,    ANSWER_PRIVILEGE,
                                          ANSWER_TLS,       ANSWER_UNKNOWN, ANSWER_NAME};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        elect_beside(answers[i]);
    }
}
END_TEST

START_TEST(nobody_is_elected_by_an_older_view_or_by_another_stamp_while_the_old_primary_is_mute)
{
    static const char *const views[] = {"17:2", "18:9"};
    for (size_t i = 0; i < 2; i++) {
        begin_group();
        world_fails(&world, ALL, 0, ANSWER_AUTH);
        leads(ALL, 1, views[i]);
        follows(ALL, 2, "m1", views[i]);
        ck_assert(world_resolve(&world));
        ck_assert_str_eq(world.previous.primary, "m0");
    }
}
END_TEST

START_TEST(a_switch_within_the_view_of_a_mute_primary_is_followed_once_others_name_the_new_one)
{
    begin_group();
    world_fails(&world, ALL, 0, ANSWER_SATURATED);
    leads(ALL, 1, "17:3");
    ck_assert(world_resolve(&world)); /* m2 names m0 still */
    ck_assert_str_eq(world.previous.primary, "m0");
    follows(ALL, 2, "m1", "17:3");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "most-replicas");
    begin_group();
    world_fails(&world, ALL, 0, ANSWER_SATURATED);
    leads(0, 1, "17:4"); /* to one of three only */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(a_view_under_another_stamp_orders_nothing)
{
    begin_group();
    leads(ALL, 1, "18:1");
    follows(ALL, 2, "m0", "17:3");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_int_eq(world.previous.state, STATE_CONFLICT);
}
END_TEST

START_TEST(probes_that_see_views_a_moment_apart_agree_on_the_primary)
{
    begin_group();
    leads(0, 0, "17:4");
    leads(1, 0, "17:5");
    leads(2, 0, "17:3");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
    ck_assert_str_eq(world.previous.lineage, "17:4"); /* two have reached it */
}
END_TEST

START_TEST(a_primary_without_a_majority_is_withdrawn_and_comes_back_in_the_same_view)
{
    begin_group();
    is_amiss(ALL, 0, CONDITION_MINORITY, "17:3");
    world_fails(&world, ALL, 1, ANSWER_STALLED);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "minority");
    ck_assert_int_eq(member(0)->condition, CONDITION_MINORITY);
    ck_assert_int_eq(member(0)->role, ROLE_NONE);
    leads(ALL, 0, "17:3");
    follows(ALL, 1, "m0", "17:3");
    follows(ALL, 2, "m0", "17:3");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "sole-claimant");
}
END_TEST

START_TEST(a_recovering_member_is_not_read_from)
{
    begin_group();
    is_amiss(ALL, 2, CONDITION_RECOVERING, "17:3");
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
    ck_assert_int_eq(member(2)->health, HEALTH_UP);
    ck_assert_int_eq(member(2)->condition, CONDITION_RECOVERING);
}
END_TEST

/* ---- Galera: all may write ------------------------------------------------------------------- */

static void writes(int probe, size_t m, const char *configuration, enum condition condition)
{
    struct member_report member_report = in_group(configuration);
    member_report.claim = member_report.shared = member_report.writable = true;
    member_report.condition = condition;
    world_says(&world, probe, m, &member_report);
}

static void all_write(const char *configuration)
{
    for (size_t m = 0; m < 3; m++) {
        writes(ALL, m, configuration, CONDITION_FIT);
    }
}

static void begin_galera(enum writers writers)
{
    world_init(&world, KIND_GALERA, 3, 3, 3);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].policy.writers = writers;
        world.reports[p].members[1].config.weight = 200;
    }
    all_write("conf:3");
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "preferred"); /* by weight */
}

START_TEST(one_of_several_writers_is_told_and_the_others_are_read)
{
    begin_galera(WRITERS_SINGLE);
    ck_assert_int_eq(member(1)->role, ROLE_PRIMARY);
    ck_assert_int_eq(member(0)->role, ROLE_SECONDARY);
    ck_assert_int_eq(member(2)->role, ROLE_SECONDARY);
    ck_assert(!member(0)->claims);
}
END_TEST

START_TEST(all_writers_are_told_where_all_may_write)
{
    begin_galera(WRITERS_ALL);
    for (size_t m = 0; m < 3; m++) {
        ck_assert_int_eq(member(m)->role, ROLE_PRIMARY);
    }
}
END_TEST

static void all_are_writers(void)
{
    for (size_t m = 0; m < 3; m++) {
        ck_assert_int_eq(member(m)->role, ROLE_PRIMARY);
    }
}

START_TEST(peers_stay_writers_until_a_quorum_says_that_one_is_down_or_serves_no_more)
{
    static const enum answer silent[] = {ANSWER_AUTH, ANSWER_SATURATED, ANSWER_UNKNOWN,
                                         ANSWER_PRIVILEGE};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        begin_galera(WRITERS_ALL);
        for (size_t m = 0; m < 3; m++) {
            world_fails(&world, ALL, m, silent[i]);
        }
        ck_assert(world_resolve(&world));
        all_are_writers();
        begin_galera(WRITERS_ALL);
        world_fails(&world, ALL, 2, silent[i]); /* one look is overdue */
        ck_assert(world_resolve(&world));
        all_are_writers();
    }
    begin_galera(WRITERS_ALL);
    world_fails(&world, 0, 2, ANSWER_REFUSED); /* by one probe alone */
    world_fails(&world, 1, 2, ANSWER_UNKNOWN);
    world_fails(&world, 2, 2, ANSWER_UNKNOWN);
    ck_assert(world_resolve(&world));
    all_are_writers();
    world_fails(&world, 1, 2, ANSWER_STARTING); /* each for itself */
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
    begin_galera(WRITERS_ALL);
    is_amiss(ALL, 2, CONDITION_MINORITY, "conf:5");
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
    begin_galera(WRITERS_ALL);
    is_amiss(0, 2, CONDITION_FIT, "conf:3"); /* read-only, to one probe */
    world_fails(&world, 1, 2, ANSWER_AUTH);
    world_fails(&world, 2, 2, ANSWER_AUTH);
    ck_assert(world_resolve(&world));
    all_are_writers();
    is_amiss(1, 2, CONDITION_FIT, "conf:3");
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(member(2)->role, ROLE_SECONDARY);
    begin_galera(WRITERS_ALL);
    world.directives = (struct directives){.drain_count = 1, .drain = {"m2"}};
    world_fails(&world, ALL, 2, ANSWER_AUTH);
    ck_assert(world_resolve(&world));
    ck_assert_int_ne(member(2)->role, ROLE_PRIMARY);
}
END_TEST

START_TEST(a_writer_that_comes_back_does_not_take_over)
{
    begin_galera(WRITERS_SINGLE);
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "preferred");
    ck_assert(member(1)->fenced);
    all_write("conf:5");
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "preferred");
    ck_assert(!member(1)->fenced); /* it writes in the same configuration */
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "preferred");
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(a_thawed_writer_under_an_old_configuration_is_left)
{
    begin_galera(WRITERS_SINGLE);
    writes(ALL, 0, "conf:4", CONDITION_FIT);
    writes(ALL, 2, "conf:4", CONDITION_FIT);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_CONFLICT, "preferred");
    ck_assert(member(1)->claims);
    ck_assert_int_eq(member(1)->role, ROLE_NONE);
}
END_TEST

START_TEST(those_who_claim_the_configuration_in_which_the_majority_was_lost_do_not_win)
{
    begin_galera(WRITERS_SINGLE);
    is_amiss(ALL, 1, CONDITION_MINORITY, "");
    world_fails(&world, ALL, 0, ANSWER_STALLED);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    ck_assert(world_resolve(&world));
    expect("", STATE_NO_PRIMARY, "minority");
    writes(ALL, 0, "conf:3", CONDITION_FIT); /* thawed: they do not know yet */
    writes(ALL, 2, "conf:3", CONDITION_FIT);
    for (int turn = 0; turn < 3; turn++) {
        ck_assert(world_resolve(&world));
        expect("", STATE_NO_PRIMARY, "minority");
    }
    all_write("conf:4");
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m1"); /* the last one, if it may */
    ck_assert_int_eq(world.previous.state, STATE_OK);
}
END_TEST

START_TEST(a_donor_writes_only_when_no_other_can)
{
    begin_galera(WRITERS_SINGLE);
    writes(ALL, 1, "conf:3", CONDITION_DONOR);
    ck_assert(world_resolve(&world));
    expect("m0", STATE_OK, "preferred");
    ck_assert_int_eq(member(1)->role, ROLE_NONE);
    begin_galera(WRITERS_SINGLE);
    writes(ALL, 1, "conf:3", CONDITION_DONOR);
    is_amiss(ALL, 0, CONDITION_RECOVERING, "");
    world_fails(&world, ALL, 2, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    expect("m1", STATE_OK, "preferred");
}
END_TEST

/* ---- Galera: a group that is built anew ------------------------------------------------------ */

/* In the run of the server that began at this minute. */
static void writes_since(size_t m, const char *configuration, int64_t minute)
{
    writes(ALL, m, configuration, CONDITION_FIT);
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[m].start_ms = minute * 60000;
    }
}

static void is_outside(size_t m, int64_t minute)
{
    is_amiss(ALL, m, CONDITION_MINORITY, "");
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[m].start_ms = minute * 60000;
    }
}

static void turn(const char *primary, enum state state)
{
    ck_assert(world_resolve(&world));
    expect(primary, state, topology_rule(&world.previous));
}

static void begin_dated_galera(void)
{
    begin_galera(WRITERS_SINGLE);
    for (size_t m = 0; m < 3; m++) {
        writes_since(m, "conf:3", 1);
    }
    turn("m1", STATE_OK);
}

static void lose_majority(void)
{
    begin_dated_galera();
    is_outside(1, 1);
    world_fails(&world, ALL, 0, ANSWER_STALLED);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    turn("", STATE_NO_PRIMARY);
}

START_TEST(a_lost_group_that_comes_back_under_the_number_that_it_had_needs_no_word)
{
    lose_majority();
    writes_since(0, "conf:3", 1); /* thawed */
    turn("", STATE_NO_PRIMARY);
    writes_since(0, "conf:3", 5); /* started since */
    turn("m0", STATE_OK);
    writes_since(1, "conf:3", 5);
    writes_since(2, "conf:3", 5);
    turn("m0", STATE_OK);
    ck_assert(!member(1)->fenced && !member(2)->fenced);
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(who_was_seen_outside_a_lost_group_is_in_another_configuration)
{
    lose_majority();
    writes_since(1, "conf:3", 1); /* the one that had said that it lost the majority */
    turn("m1", STATE_OK);
    lose_majority();
    is_outside(0, 1);
    turn("", STATE_NO_PRIMARY);
    writes_since(0, "conf:3", 1);
    turn("m0", STATE_OK);
    writes_since(2, "conf:3", 1); /* and this one never was */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
}
END_TEST

/* Each of them was the writer for a moment, and the last one is frozen. */
static void lose_one_after_the_other(void)
{
    begin_dated_galera();
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    turn("m0", STATE_OK);
    world_fails(&world, ALL, 0, ANSWER_REFUSED);
    turn("m2", STATE_OK);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    turn("m2", STATE_SUSPECT);
    ck_assert(member(0)->fenced && member(1)->fenced);
}

START_TEST(a_group_built_anew_gets_the_writes_from_a_frozen_node)
{
    lose_one_after_the_other();
    writes_since(0, "conf:1", 5);
    turn("m0", STATE_OK);
    ck_assert(!member(0)->fenced && member(2)->fenced);
    writes_since(0, "conf:2", 5);
    writes_since(1, "conf:2", 5);
    turn("m0", STATE_OK);
    ck_assert(!member(1)->fenced);
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
    writes_since(2, "conf:3", 1); /* thawed: the greater number is the older component's */
    turn("m0", STATE_CONFLICT);
    ck_assert_int_eq(member(1)->role, ROLE_SECONDARY);
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
    for (size_t m = 0; m < 2; m++) { /* the same number, by chance */
        writes_since(m, "conf:3", 5);
    }
    turn("m0", STATE_CONFLICT);
    ck_assert(member(2)->fenced);
    ck_assert_int_eq(member(2)->role, ROLE_NONE);
    is_outside(2, 1);
    turn("m0", STATE_OK);
    for (size_t m = 0; m < 3; m++) {
        writes_since(m, "conf:3", m == 2 ? 1 : 5);
    }
    turn("m0", STATE_OK);
    ck_assert(!member(2)->fenced);
    ck_assert_int_eq(member(2)->role, ROLE_SECONDARY);
}
END_TEST

START_TEST(of_a_group_built_anew_the_frozen_ones_win_by_no_number_that_they_reach)
{
    begin_dated_galera();
    world_fails(&world, ALL, 0, ANSWER_STALLED);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    is_outside(1, 1);
    turn("", STATE_NO_PRIMARY);
    writes_since(1, "conf:1", 5); /* bootstrapped */
    turn("m1", STATE_OK);
    writes_since(0, "conf:3", 1);
    writes_since(2, "conf:3", 1);
    turn("m1", STATE_CONFLICT);
    writes_since(0, "conf:4", 1); /* they are the majority of the former group */
    writes_since(2, "conf:4", 1);
    turn("m1", STATE_CONFLICT);
    ck_assert_int_eq(member(0)->role, ROLE_NONE);
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "");
}
END_TEST

START_TEST(a_fence_holds_against_a_component_that_stood_beside_the_last_writer)
{
    begin_dated_galera();
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    writes_since(0, "conf:4", 1);
    writes_since(2, "conf:4", 1);
    turn("m0", STATE_OK);
    writes_since(1, "conf:9", 5); /* whatever number it has come to */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
    ck_assert(member(1)->fenced);
    writes_since(1, "conf:1", 5); /* bootstrapped by mistake */
    turn("m0", STATE_CONFLICT);
    ck_assert(member(1)->fenced);
    world_fails(&world, ALL, 0, ANSWER_STALLED);
    world_fails(&world, ALL, 2, ANSWER_STALLED);
    turn("m0", STATE_SUSPECT);
    ck_assert(member(1)->fenced);
    world_fails(&world, ALL, 1, ANSWER_REFUSED);
    turn("m0", STATE_SUSPECT);
    writes_since(1, "conf:1", 5); /* a blink of it is no restart */
    ck_assert(world_resolve(&world));
    ck_assert_str_eq(world.previous.primary, "m0");
}
END_TEST

START_TEST(records_of_a_former_version_prove_no_component)
{
    lose_majority();
    for (size_t m = 0; m < 3; m++) {
        world.previous.members[m].record = (struct record){0};
    }
    for (size_t m = 0; m < 3; m++) {
        writes_since(m, "conf:3", 5);
    }
    turn("", STATE_NO_PRIMARY);
}
END_TEST

/* ---- two that could, and neither is a group -------------------------------------------------- */

static void begin_async_rivals(void)
{
    struct member_report writer = {
        .answer = ANSWER_OK, .claim = true, .writable = true, .lag = LAG_NOT_KNOWN};
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_says(&world, ALL, 0, &writer);
    world_says(&world, ALL, 1, &writer);
    world_standby(&world, ALL, 2, 0, "");
}

START_TEST(the_one_that_others_replicate_from_is_the_primary)
{
    begin_async_rivals();
    ck_assert(world_resolve(&world));
    expect("m0", STATE_CONFLICT, "most-replicas");
}
END_TEST

START_TEST(but_not_when_it_lacks_what_the_other_has)
{
    begin_async_rivals();
    for (size_t p = 0; p < 3; p++) {
        world.reports[p].members[0].lacks = 1 << 1;
    }
    ck_assert(world_resolve(&world));
    expect("", STATE_CONFLICT, "tie");
}
END_TEST

Suite *group_suite(void)
{
    Suite *suite = suite_create("group");
    TCase *group = tcase_create("one primary");
    tcase_add_test(group, the_newer_view_wins_while_the_old_primary_still_claims);
    tcase_add_test(group, in_one_view_the_one_that_others_name_wins);
    tcase_add_test(group, an_election_in_a_newer_view_is_followed_whatever_the_old_primary_answers);
    tcase_add_test(
        group,
        nobody_is_elected_by_an_older_view_or_by_another_stamp_while_the_old_primary_is_mute);
    tcase_add_test(
        group, a_switch_within_the_view_of_a_mute_primary_is_followed_once_others_name_the_new_one);
    tcase_add_test(group, a_view_under_another_stamp_orders_nothing);
    tcase_add_test(group, probes_that_see_views_a_moment_apart_agree_on_the_primary);
    tcase_add_test(group,
                   a_primary_without_a_majority_is_withdrawn_and_comes_back_in_the_same_view);
    tcase_add_test(group, a_recovering_member_is_not_read_from);
    suite_add_tcase(suite, group);
    TCase *galera = tcase_create("several writers");
    tcase_add_test(galera, one_of_several_writers_is_told_and_the_others_are_read);
    tcase_add_test(galera, all_writers_are_told_where_all_may_write);
    tcase_add_test(galera,
                   peers_stay_writers_until_a_quorum_says_that_one_is_down_or_serves_no_more);
    tcase_add_test(galera, a_writer_that_comes_back_does_not_take_over);
    tcase_add_test(galera, a_thawed_writer_under_an_old_configuration_is_left);
    tcase_add_test(galera,
                   those_who_claim_the_configuration_in_which_the_majority_was_lost_do_not_win);
    tcase_add_test(galera, a_donor_writes_only_when_no_other_can);
    suite_add_tcase(suite, galera);
    TCase *anew = tcase_create("built anew");
    tcase_add_test(anew, a_lost_group_that_comes_back_under_the_number_that_it_had_needs_no_word);
    tcase_add_test(anew, who_was_seen_outside_a_lost_group_is_in_another_configuration);
    tcase_add_test(anew, a_group_built_anew_gets_the_writes_from_a_frozen_node);
    tcase_add_test(anew, of_a_group_built_anew_the_frozen_ones_win_by_no_number_that_they_reach);
    tcase_add_test(anew, a_fence_holds_against_a_component_that_stood_beside_the_last_writer);
    tcase_add_test(anew, records_of_a_former_version_prove_no_component);
    suite_add_tcase(suite, anew);
    TCase *rivals = tcase_create("rivals without a group");
    tcase_add_test(rivals, the_one_that_others_replicate_from_is_the_primary);
    tcase_add_test(rivals, but_not_when_it_lacks_what_the_other_has);
    suite_add_tcase(suite, rivals);
    return suite;
}
