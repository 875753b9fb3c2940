/* Bands of lag, and what feeds a replica. */
#include "probes/assess/lag.h"

#include <string.h>

#include "probes/assess/assess.h"
#include "tests/unit/unit.h"

static struct band band;

static void add(int64_t value, int times)
{
    for (int i = 0; i < times; i++) {
        band_add(&band, value, LAG_MS_FLOOR);
    }
}

START_TEST(the_first_sample_sets_the_band)
{
    band = (struct band){0};
    add(-1, 1);
    ck_assert(!band.known);
    add(0, 1);
    ck_assert(band.known);
    ck_assert_int_eq(band.top, 0);
    band = (struct band){0};
    add(1, 1);
    ck_assert_int_eq(band.top, LAG_MS_FLOOR);
}
END_TEST

START_TEST(a_band_widens_and_narrows_after_samples_in_a_row)
{
    band = (struct band){0};
    add(100, 1);
    add(1000, LAG_RISES - 1);
    add(100, 1); /* a spike */
    add(1000, LAG_RISES - 1);
    ck_assert_int_eq(band.top, 128);
    add(1000, 1);
    ck_assert_int_eq(band.top, 1024);
    add(0, LAG_FALLS - 1);
    ck_assert_int_eq(band.top, 1024);
    add(0, 1);
    ck_assert_int_eq(band.top, 0);
}
END_TEST

START_TEST(a_band_has_an_end_however_far)
{
    band = (struct band){0};
    add(INT64_MAX, 1);
    ck_assert_int_gt(band.top, INT64_MAX / 4);
}
END_TEST

/* ---- feeds ----------------------------------------------------------------------------------- */

static struct assessment assessment;

/* m0 is the primary; each further one replicates from the one before it, and all is well. */
static void chain(enum kind kind, size_t count)
{
    memset(&assessment, 0, sizeof assessment);
    assessment.policy = (struct policy){.engine = ENGINE_MYSQL, .kind = kind};
    assessment.fresh_ms = 1000;
    assessment.member_count = count;
    for (size_t i = 0; i < count; i++) {
        struct assessed *member = &assessment.members[i];
        observation_init(&member->facts);
        member->config.port = 3306;
        member->config.host[0] = (char)('a' + i);
        member->answered = member->looked = true;
        member->last = member->standing = member->facts.answer = ANSWER_OK;
        member->facts.writable = i == 0;
        member->facts.replica = member->facts.live = member->facts.applying = i > 0;
        member->facts.upstream_host[0] = i > 0 ? (char)('a' + i - 1) : '\0';
        member->facts.upstream_port = 3306;
    }
}

static enum feed feed(size_t i)
{
    return lag_feed(&assessment, &assessment.members[i], 5000);
}

START_TEST(a_chain_flows)
{
    chain(KIND_ASYNC, 3);
    ck_assert_int_eq(feed(0), FEED_FLOWS);
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(behind_a_silent_member_nothing_is_known)
{
    chain(KIND_ASYNC, 3);
    assessment.members[0].last = ANSWER_STALLED;
    ck_assert_int_eq(feed(2), FEED_SILENT);
    assessment.members[0].responded_ms = 4500;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(one_that_is_cut_off_cuts_off_those_behind_it)
{
    chain(KIND_ASYNC, 3);
    assessment.members[1].facts.live = false;
    ck_assert_int_eq(feed(2), FEED_CUT);
    assessment.members[1].facts.archived = true;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(a_paused_standby_passes_on_only_where_its_kind_does)
{
    chain(KIND_ASYNC, 3);
    assessment.members[1].facts.applying = false;
    ck_assert_int_eq(feed(2), FEED_CUT);
    chain(KIND_STREAMING, 3);
    assessment.members[1].facts.applying = false;
    ck_assert_int_eq(feed(2), FEED_FLOWS);
}
END_TEST

START_TEST(a_circle_ends)
{
    chain(KIND_ASYNC, 3);
    struct observation *first = &assessment.members[0].facts;
    first->writable = false;
    first->replica = first->live = first->applying = true;
    first->upstream_host[0] = 'c';
    ck_assert_int_eq(feed(1), FEED_FLOWS);
}
END_TEST

Suite *lag_suite(void)
{
    Suite *suite = suite_create("lag");
    TCase *tests = tcase_create("lag");
    tcase_add_test(tests, the_first_sample_sets_the_band);
    tcase_add_test(tests, a_band_widens_and_narrows_after_samples_in_a_row);
    tcase_add_test(tests, a_band_has_an_end_however_far);
    tcase_add_test(tests, a_chain_flows);
    tcase_add_test(tests, behind_a_silent_member_nothing_is_known);
    tcase_add_test(tests, one_that_is_cut_off_cuts_off_those_behind_it);
    tcase_add_test(tests, a_paused_standby_passes_on_only_where_its_kind_does);
    tcase_add_test(tests, a_circle_ends);
    suite_add_tcase(suite, tests);
    return suite;
}
