/* Time lag by positions at both ends. */
#include "probes/assess/trail.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct trail trail;

static void at(int64_t number, int64_t began_ms, int64_t ended_ms)
{
    struct position position = position_at(number);
    trail_add(&trail, &position, began_ms, ended_ms);
}

static struct span span(int64_t number, int64_t began_ms, int64_t ended_ms)
{
    struct position position = position_at(number);
    return trail_span(&trail, &position, began_ms, ended_ms);
}

/* The source at seconds 1 to 4; -1: not looked at. Then a replica at second 5. */
static const struct {
    int64_t source[4];
    int64_t applied;
    int64_t least_ms, most_ms;
} table[] = {
    {{-1, -1, -1, -1}, 7, -1, -1},   /* nothing is known of the source */
    {{7, 7, 7, 7}, -1, -1, -1},      /* nor of the replica */
    {{7, 7, 7, 7}, 7, 0, 1000},      /* it had all when the source was looked at last */
    {{7, 7, 7, 7}, 9, 0, 1000},      /* it is ahead of what was seen */
    {{7, 8, 9, 10}, 9, 1000, 2000},  /* it lacks the last step */
    {{7, 8, 9, 10}, 7, 3000, 4000},  /* the link died at second 1 */
    {{7, 8, 8, 8}, 7, 3000, 4000},   /* the same; the source stands still since */
    {{7, 7, 7, 10}, 7, 1000, 2000},  /* nothing was written for long: it had all until then */
    {{7, 7, 7, 10}, 8, 1000, 2000},  /* the middle of a long transaction */
    {{7, 8, 9, 10}, 5, 4000, -1},    /* never seen with all: by the first look at the source */
    {{9, -1, -1, 10}, 9, 1000, 4000} /* looks failed in between: the bounds are further apart */
};

START_TEST(a_replica_is_behind_by_a_span)
{
    trail.count = 0;
    for (int s = 0; s < 4; s++) {
        if (table[_i].source[s] >= 0) {
            at(table[_i].source[s], 1000 * (s + 1), 1000 * (s + 1));
        }
    }
    struct span seen = span(table[_i].applied, 5000, 5000);
    ck_assert_int_eq(seen.least_ms, table[_i].least_ms);
    ck_assert_int_eq(seen.most_ms, table[_i].most_ms);
}
END_TEST

/* Whenever in a look an answer came about, the bounds hold. */
START_TEST(a_slow_look_makes_the_span_wider)
{
    trail.count = 0;
    at(7, 1000, 1400);
    at(8, 2000, 2400);
    struct span seen = span(7, 3000, 3400);
    ck_assert_int_eq(seen.least_ms, 600);
    ck_assert_int_eq(seen.most_ms, 2400);
    seen = span(7, 2300, 2300); /* it ended before the other one */
    ck_assert_int_eq(seen.least_ms, 0);
}
END_TEST

START_TEST(one_that_went_back_begins_anew)
{
    trail.count = 0;
    at(7, 1000, 1000);
    at(9, 2000, 2000);
    at(8, 3000, 3000); /* restored */
    ck_assert_int_eq(trail.count, 1);
    ck_assert_int_eq(span(8, 4000, 4000).most_ms, 1000);
    ck_assert_int_eq(span(7, 4000, 4000).least_ms, 1000);
    ck_assert_int_eq(span(7, 4000, 4000).most_ms, -1);
}
END_TEST

/* A source that moves each second for a day. */
START_TEST(marks_get_sparser_with_age_and_stay_true)
{
    trail.count = 0;
    int64_t end_ms = INT64_C(86400000);
    for (int64_t ms = 0; ms <= end_ms; ms += 1000) {
        at(ms, ms, ms);
    }
    ck_assert_int_le(trail.count, MARKS_MAX);
    for (int64_t behind_ms = 1000; behind_ms < end_ms; behind_ms *= 2) {
        struct span seen = span(end_ms - behind_ms, end_ms, end_ms);
        ck_assert_int_le(seen.least_ms, behind_ms);
        ck_assert_int_ge(seen.most_ms, behind_ms);
        ck_assert_int_ge(seen.least_ms, behind_ms / 2 - 2000); /* and near */
        ck_assert_int_le(seen.most_ms, 2 * behind_ms + 2000);
    }
}
END_TEST

/* Sources that write in bursts, replicas that apply with pauses, looks that fail and take their
 * time: whatever is seen, what is so lies within the span; a span is never negative; and while both
 * stand still it grows by as much as time passes. */
START_TEST(the_truth_lies_within_the_span)
{
    enum { STEPS = 3000, STEP_MS = 100 };
    static int64_t written[STEPS + 1], applied[STEPS + 1];
    srand((unsigned)_i + 1);
    bool writes = true, applies = true;
    for (int s = 1; s <= STEPS; s++) {
        writes = rand() % 20 ? writes : !writes;
        applies = rand() % 30 ? applies : !applies;
        written[s] = written[s - 1] + (writes ? rand() % 5 : 0);
        int64_t more = applied[s - 1] + (applies ? rand() % 8 : 0);
        applied[s] = more < written[s - 1] ? more : written[s - 1];
    }
    trail.count = 0;
    struct span before = {-1, -1};
    int last = 0;
    int64_t was_moved_ms = -1;
    for (int s = 10; s < STEPS; s++) {
        int began = s - rand() % 4, then = began + rand() % (s - began + 1);
        if (rand() % 3 == 0 && then >= last) { /* one look after the other */
            at(written[then], began * STEP_MS, s * STEP_MS);
            last = then;
        }
        /* the first moment at which the source had something that the replica lacks now */
        int lacks = s;
        while (lacks > 0 && written[lacks] > applied[s]) {
            lacks--;
        }
        int64_t truth_ms = lacks == s ? 0 : (s - lacks - 1) * STEP_MS;
        struct span seen = span(applied[s], s * STEP_MS, s * STEP_MS);
        ck_assert_int_ge(seen.least_ms, seen.most_ms < 0 && trail.count == 0 ? -1 : 0);
        ck_assert_int_le(seen.least_ms, truth_ms);
        ck_assert(seen.most_ms < 0 || seen.most_ms >= truth_ms);
        int64_t moved_ms = trail.count ? trail.marks[trail.count - 1].first_ms : -1;
        bool still = moved_ms == was_moved_ms && applied[s] == applied[s - 1];
        ck_assert(!still || seen.least_ms >= before.least_ms);
        before = seen;
        was_moved_ms = moved_ms;
    }
}
END_TEST

Suite *trail_suite(void)
{
    Suite *suite = suite_create("trail");
    TCase *tests = tcase_create("trail");
    tcase_add_loop_test(tests, a_replica_is_behind_by_a_span, 0, sizeof table / sizeof *table);
    tcase_add_test(tests, a_slow_look_makes_the_span_wider);
    tcase_add_test(tests, one_that_went_back_begins_anew);
    tcase_add_test(tests, marks_get_sparser_with_age_and_stay_true);
    tcase_add_loop_test(tests, the_truth_lies_within_the_span, 0, 20);
    suite_add_tcase(suite, tests);
    return suite;
}
