#include "watchers/cli/refusal.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
    struct claim claim;
    const char *bar, *exit;
} cases[] = {
    {{.claims = true,
      .fenced = true,
      .reason = "rival",
      .primary = "m0",
      .rule = "sole-claimant",
      .bar = ""},
     "fenced",
     "roster accept orders m1"},
    {{.claims = true,
      .drained = true,
      .reason = "rival",
      .primary = "m0",
      .rule = "sole-claimant",
      .bar = ""},
     "drained",
     "roster undrain orders m1"},
    {{.claims = true,
      .fenced = true,
      .reason = "stranger",
      .primary = "m0",
      .rule = "sole-claimant",
      .bar = ""},
     "identity",
     "roster accept orders m1"},
    {{.claims = true, .reason = "rival", .primary = "", .rule = "tie", .bar = ""},
     "tie",
     "roster accept orders m1"},
    {{.claims = true, .reason = "rival", .primary = "", .rule = "outdated", .bar = ""},
     "older",
     "roster accept orders m1"},
    {{.claims = true, .reason = "rival", .primary = "m0", .rule = "sole-claimant", .bar = ""},
     "held",
     "roster accept orders m1"},
};

START_TEST(a_claim_that_does_not_win_has_a_bar_and_a_way_out)
{
    char exit[160];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_str_eq(bar_of(&cases[i].claim), cases[i].bar);
        ck_assert_str_eq(bar_exit(cases[i].bar, "orders", "m1", exit, sizeof exit), cases[i].exit);
        ck_assert_ptr_null(strstr(bar_text(cases[i].bar), "does not say why"));
    }
}
END_TEST

START_TEST(what_the_verdict_says_goes_before_what_is_derived)
{
    struct claim claim = cases[0].claim;
    for (int bar = BAR_NONE + 1; bar_names[bar]; bar++) {
        char exit[160];
        claim.bar = bar_names[bar];
        ck_assert_str_eq(bar_of(&claim), bar_names[bar]);
        ck_assert_ptr_nonnull(bar_text(bar_names[bar]));
        ck_assert_str_ne(bar_text(bar_names[bar]), bar_text("moon"));
        ck_assert_ptr_nonnull(
            strstr(bar_exit(bar_names[bar], "orders", "m1", exit, sizeof exit), " orders m1"));
    }
}
END_TEST

START_TEST(who_does_not_claim_is_not_barred)
{
    struct claim claim = {.fenced = true, .drained = true, .reason = "stranger", .primary = ""};
    ck_assert_ptr_null(bar_of(&claim));
}
END_TEST

START_TEST(a_bar_of_a_newer_version_has_the_general_way_out)
{
    char exit[160];
    ck_assert_ptr_nonnull(strstr(bar_text("moon"), "does not say why"));
    ck_assert_str_eq(bar_exit("moon", "orders", "m1", exit, sizeof exit),
                     "roster accept orders m1");
}
END_TEST

START_TEST(both_records_of_a_member_lead_to_the_same_bar)
{
    struct topology topology = {.primary = "m0", .state = STATE_CONFLICT};
    struct member member = {.claims = true, .drained = true, .reason = ANSWER_RIVAL};
    struct roster_state state = {.primary = "m0", .rule = "sole-claimant"};
    struct roster_member shown = {.claims = 1, .drained = 1, .reason = "rival"};
    struct claim one = claim_of(&member, &topology);
    struct claim other = claim_in_view(&shown, &state, "");
    ck_assert_str_eq(bar_of(&one), bar_of(&other));
    shown.endpoint.role = ROSTER_ROLE_PRIMARY;
    other = claim_in_view(&shown, &state, "");
    ck_assert_ptr_null(bar_of(&other));
}
END_TEST

Suite *refusal_suite(void)
{
    Suite *suite = suite_create("refusal");
    TCase *tcase = tcase_create("refusal");
    tcase_add_test(tcase, a_claim_that_does_not_win_has_a_bar_and_a_way_out);
    tcase_add_test(tcase, what_the_verdict_says_goes_before_what_is_derived);
    tcase_add_test(tcase, who_does_not_claim_is_not_barred);
    tcase_add_test(tcase, a_bar_of_a_newer_version_has_the_general_way_out);
    tcase_add_test(tcase, both_records_of_a_member_lead_to_the_same_bar);
    suite_add_tcase(suite, tcase);
    return suite;
}
