#include "registry/verdict/tally.h"

#include <string.h>

#include "tests/unit/unit.h"
#include "tests/unit/world.h"

static struct world world;

/* m0 is primary on timeline 7, m1 and m2 stream from it; three probes agree. */
static void begin_streaming(void)
{
    world_init(&world, KIND_STREAMING, 3, 3, 3);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
    world_standby(&world, ALL, 2, 0, "7");
    ck_assert(world_resolve(&world));
}

START_TEST(lag_is_the_greatest_bound_that_a_quorum_reaches)
{
    begin_streaming();
    world.reports[0].members[1].lag.bytes = 65536;
    world.reports[1].members[1].lag.bytes = 131072;
    ck_assert(world_resolve(&world));
    ck_assert_int_eq(world.previous.members[1].lag.bytes, 65536);
}
END_TEST

/* ---- direct ---------------------------------------------------------------------------------- */

static struct voters voters;

static struct tally count(const char *name)
{
    struct tally tally;
    struct evidence evidence = world_evidence(&world);
    ck_assert(voters_select(evidence.previous, evidence.votes, evidence.count, &voters));
    tally_count(&tally, &voters, name);
    return tally;
}

static void begin(void)
{
    world_init(&world, KIND_STREAMING, 3, 3, 2);
    world_primary(&world, ALL, 0, "7");
    world_standby(&world, ALL, 1, 0, "7");
}

START_TEST(what_a_quorum_reports_alike_is_counted)
{
    begin();
    world_fails(&world, 2, 0, ANSWER_REFUSED);
    struct tally primary = count("m0"), standby = count("m1");
    ck_assert_int_eq(primary.quorum, 2);
    ck_assert_uint_eq(primary.count, 3);
    ck_assert_int_eq(primary.up, 2);
    ck_assert_int_eq(primary.down, 1);
    ck_assert_int_eq(primary.unfit, 1);
    ck_assert_int_eq(primary.denies, 0);
    ck_assert_ptr_nonnull(primary.claim);
    ck_assert_str_eq(primary.lineage, "7");
    ck_assert_int_eq(primary.reason, ANSWER_OK);
    ck_assert_int_eq(standby.follows, 3);
    ck_assert_int_eq(standby.denies, 3);
    ck_assert_str_eq(standby.upstream, "m0");
    ck_assert(standby.live);
    ck_assert_ptr_null(standby.claim);
}
END_TEST

START_TEST(what_no_quorum_reports_alike_is_absent)
{
    begin();
    world_primary(&world, 0, 0, "8");
    world_fails(&world, 2, 0, ANSWER_TIMEOUT);
    world_standby(&world, 0, 1, 1, "8");
    world_fails(&world, 1, 1, ANSWER_TIMEOUT);
    struct tally primary = count("m0"), standby = count("m1");
    ck_assert_ptr_null(primary.claim); /* 7 and 8: two timelines, two claims */
    ck_assert(primary.has_lineage);
    ck_assert_str_eq(primary.lineage, "7"); /* both reach 7 */
    ck_assert_ptr_null(standby.upstream);
    ck_assert(!standby.live);
}
END_TEST

START_TEST(an_unlisted_member_has_no_tally)
{
    begin();
    struct tally tally = count("m9");
    ck_assert_uint_eq(tally.count, 0);
    ck_assert_ptr_null(tally.identity);
    ck_assert_ptr_null(tally.condition);
    ck_assert(!tally.has_lineage);
    ck_assert_int_eq(tally.reason, ANSWER_UNKNOWN);
}
END_TEST

START_TEST(the_reason_is_the_commonest_of_those_that_make_the_health)
{
    begin();
    world_fails(&world, 1, 0, ANSWER_TIMEOUT);
    world_fails(&world, 2, 0, ANSWER_TIMEOUT);
    ck_assert_int_eq(count("m0").reason, ANSWER_TIMEOUT);
    world_fails(&world, 0, 0, ANSWER_REFUSED);
    ck_assert_int_eq(count("m0").reason, ANSWER_TIMEOUT);
    world_fails(&world, 1, 0, ANSWER_REFUSED);
    ck_assert_int_eq(count("m0").reason, ANSWER_REFUSED);
}
END_TEST

START_TEST(of_views_under_one_stamp_the_newest_that_a_quorum_reaches_is_claimed)
{
    static const char *const views[] = {"s:4", "s:6", "s:5"};
    world_init(&world, KIND_GROUP, 3, 3, 1);
    for (int p = 0; p < 3; p++) {
        struct member_report claim = {
            .answer = ANSWER_OK, .claim = true, .writable = true, .lag = LAG_NOT_KNOWN};
        strcpy(claim.lineage, views[p]);
        world_says(&world, p, 0, &claim);
    }
    ck_assert_str_eq(count("m0").claim->lineage, "s:5");
}
END_TEST

/* A quorum has got no answer for so long that it knows no lag any more. */
START_TEST(a_lag_that_nobody_knows_any_more_is_not_known)
{
    begin();
    for (int p = 0; p < 3; p++) {
        world_fails(&world, p, 1, ANSWER_AUTH);
        world.reports[p].members[1].lag = (struct lag){LAG_OK, 0, 0, -1, 0};
    }
    struct lag lag = {LAG_OK, 7, 7, 7, 7};
    struct tally tally = count("m1");
    ck_assert(!tally_lag(&tally, &lag)); /* it was known a moment ago */
    world.reports[0].members[1].lag = LAG_NOT_KNOWN;
    tally = count("m1");
    ck_assert(!tally_lag(&tally, &lag));
    ck_assert_int_eq(lag.ms, 7);
    world.reports[1].members[1].lag = LAG_NOT_KNOWN;
    tally = count("m1");
    ck_assert(tally_lag(&tally, &lag));
    ck_assert(lag_equal(&lag, &LAG_NOT_KNOWN));
    world.reports[1].rules = RULES_WITH_LAST_LAG - 1; /* it never gives one */
    tally = count("m1");
    ck_assert(!tally_lag(&tally, &lag));
}
END_TEST

START_TEST(one_probe_cannot_raise_the_lag_and_unknown_is_less_than_any)
{
    struct lag lag = {LAG_BROKEN, 1, 1, 1, 0};
    begin();
    world.reports[0].members[1].lag = (struct lag){LAG_OK, 500, -1, 7, 0};
    world.reports[1].members[1].lag = (struct lag){LAG_OK, 20, 30, -1, 0};
    world.reports[2].members[1].lag = (struct lag){LAG_OK, 10, -1, -1, 0};
    struct tally tally = count("m1");
    ck_assert(tally_lag(&tally, &lag));
    ck_assert(lag_equal(&lag, &(struct lag){LAG_OK, 20, -1, -1, 0}));
    world.reports[0].members[1].lag.state = LAG_BROKEN;
    world.reports[1].members[1].lag.state = LAG_UNKNOWN;
    tally = count("m1");
    ck_assert(!tally_lag(&tally, &lag));
    ck_assert_int_eq(lag.bytes, 20); /* unchanged */
}
END_TEST

START_TEST(a_lineage_is_older_when_a_quorum_of_answers_has_an_older_one)
{
    begin();
    world_primary(&world, 0, 0, "6");
    struct tally tally = count("m0");
    ck_assert(!tally_is_older(&tally, "7"));
    ck_assert(tally_is_older(&tally, "8"));
}
END_TEST

START_TEST(lacking_and_overtaking_need_a_quorum_of_whole_reports)
{
    world_init(&world, KIND_ASYNC, 3, 3, 3);
    world_primary(&world, ALL, 0, "");
    world_primary(&world, ALL, 1, "");
    world_standby(&world, ALL, 2, 1, "");
    struct tally tally = count("m1");
    ck_assert(tally_overtakes(&tally, &voters, "m0"));
    ck_assert(!tally_lacks(&tally, &voters, "m0"));
    for (int p = 0; p < 2; p++) {
        world.reports[p].members[1].lacks = 1u << 0;
        tally = count("m1");
        ck_assert_int_eq(tally_lacks(&tally, &voters, "m0"), p == 1);
        ck_assert_int_eq(tally_overtakes(&tally, &voters, "m0"), p == 0);
    }
}
END_TEST

Suite *tally_suite(void)
{
    Suite *suite = suite_create("tally");
    TCase *tcase = tcase_create("tally");
    tcase_add_test(tcase, lag_is_the_greatest_bound_that_a_quorum_reaches);
    tcase_add_test(tcase, what_a_quorum_reports_alike_is_counted);
    tcase_add_test(tcase, what_no_quorum_reports_alike_is_absent);
    tcase_add_test(tcase, an_unlisted_member_has_no_tally);
    tcase_add_test(tcase, the_reason_is_the_commonest_of_those_that_make_the_health);
    tcase_add_test(tcase, of_views_under_one_stamp_the_newest_that_a_quorum_reaches_is_claimed);
    tcase_add_test(tcase, a_lag_that_nobody_knows_any_more_is_not_known);
    tcase_add_test(tcase, one_probe_cannot_raise_the_lag_and_unknown_is_less_than_any);
    tcase_add_test(tcase, a_lineage_is_older_when_a_quorum_of_answers_has_an_older_one);
    tcase_add_test(tcase, lacking_and_overtaking_need_a_quorum_of_whole_reports);
    suite_add_tcase(suite, tcase);
    return suite;
}
