#include "registry/verdict/rules.h"

#include <string.h>

#include "registry/base/text.h"
#include "tests/unit/unit.h"

static struct topology topology;
static char why[WHY_SIZE];

static void setup(void)
{
    memset(&topology, 0, sizeof topology);
    topology.policy.witnesses = 3;
    topology.member_count = 2;
    for (size_t i = 0; i < 2; i++) {
        strcpy(topology.members[i].config.name, i == 0 ? "m0" : "m1");
        topology.members[i].reason = ANSWER_OK;
    }
}

static const char *explain(enum rule rule, const char *primary, const char *last)
{
    topology.rule = rule;
    strcpy(topology.primary, primary);
    strcpy(topology.last_primary, last);
    rule_explain(&topology, 2, why, sizeof why);
    return why;
}

START_TEST(every_rule_has_a_name_that_leads_back_to_it_and_a_number_that_stays)
{
    static const struct {
        enum rule rule;
        const char *name;
        int number;
    } wire[] = {
        {RULE_NO_CLAIM, "no-claim", 1},
        {RULE_SOLE_CLAIMANT, "sole-claimant", 2},
        {RULE_NEWEST_LINEAGE, "newest-lineage", 3},
        {RULE_PREFERRED, "preferred", 4},
        {RULE_MOST_REPLICAS, "most-replicas", 5},
        {RULE_INCUMBENT, "incumbent-holds", 6},
        {RULE_HELD, "held", 7},
        {RULE_KEPT, "kept", 8},
        {RULE_NOT_WRITABLE, "not-writable", 9},
        {RULE_MINORITY, "minority", 10},
        {RULE_REFUSED, "refused", 11},
        {RULE_OUTDATED, "outdated", 12},
        {RULE_REWOUND, "rewound", 13},
        {RULE_STRANGER, "stranger", 14},
        {RULE_TIE, "tie", 15},
        {RULE_UNPROMOTED, "unpromoted", 16},
        {RULE_ACCEPTED, "accepted", 17},
    };
    ck_assert_uint_ge(sizeof wire / sizeof *wire, RULE_LAST);
    for (size_t i = 0; i < sizeof wire / sizeof *wire; i++) {
        ck_assert_int_eq(wire[i].rule, wire[i].number);
        ck_assert_str_eq(rule_names[wire[i].rule], wire[i].name);
        ck_assert_int_eq(name_index(rule_names, wire[i].name), wire[i].number);
    }
}
END_TEST

START_TEST(every_rule_that_names_a_primary_is_a_sentence_about_it)
{
    static const enum rule wins[] = {RULE_SOLE_CLAIMANT, RULE_NEWEST_LINEAGE, RULE_PREFERRED,
                                     RULE_MOST_REPLICAS, RULE_INCUMBENT,      RULE_HELD,
                                     RULE_KEPT};
    for (size_t i = 0; i < sizeof wins / sizeof *wins; i++) {
        ck_assert_msg(strncmp(explain(wins[i], "m0", ""), "m0 ", 3) == 0, "%s", why);
    }
    ck_assert_str_eq(explain(RULE_SOLE_CLAIMANT, "m0", ""),
                     "m0 is primary, read by 2 of 3 witnesses");
    strcpy(topology.lineage, "8");
    ck_assert_str_eq(explain(RULE_NEWEST_LINEAGE, "m0", ""),
                     "m0 is primary on timeline 8, read by 2 of 3 witnesses");
    strcpy(topology.lineage, "s:8");
    ck_assert_str_eq(explain(RULE_MOST_REPLICAS, "m0", ""),
                     "m0 is primary in view s:8, read by 2 of 3 witnesses, chosen because most "
                     "others follow it");
}
END_TEST

START_TEST(every_rule_without_a_primary_gives_the_reason)
{
    static const enum rule losses[] = {RULE_NO_CLAIM, RULE_NOT_WRITABLE, RULE_MINORITY,
                                       RULE_REFUSED,  RULE_OUTDATED,     RULE_REWOUND,
                                       RULE_STRANGER, RULE_TIE};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        ck_assert_msg(strncmp(explain(losses[i], "", "m1"), "no primary: ", 12) == 0, "%s", why);
        ck_assert(losses[i] == RULE_TIE || strstr(why, "m1"));
    }
}
END_TEST

/* The rule of a withdrawal stays while the withdrawal does; the server may be well by then. */
START_TEST(why_it_was_withdrawn_does_not_contradict_what_it_is_now)
{
    topology.members[1].reason = ANSWER_STARTING;
    ck_assert_str_eq(explain(RULE_REFUSED, "", "m1"),
                     "no primary: m1 refused connections and no member streamed from it; m1 is "
                     "starting up");
    topology.members[1].reason = ANSWER_RIVAL;
    topology.members[1].claims = true;
    ck_assert_ptr_nonnull(strstr(explain(RULE_NO_CLAIM, "", "m0"),
                                 "no primary: none that claims to be one may be it (m0 was the "
                                 "last); m1 claims"));
}
END_TEST

START_TEST(without_a_primary_the_command_that_ends_it_is_named)
{
    strcpy(topology.cluster, "orders");
    topology.members[1].claims = true;
    topology.members[1].bar = BAR_TIE;
    ck_assert_ptr_nonnull(strstr(explain(RULE_TIE, "", ""), ": roster accept orders m1"));
    topology.members[1].drained = true; /* an acceptance would wait for that */
    topology.members[1].bar = BAR_DRAINED;
    ck_assert_ptr_nonnull(strstr(explain(RULE_NO_CLAIM, "", "m0"), ": roster undrain orders m1"));
}
END_TEST

START_TEST(a_primary_that_is_in_no_file_is_said_to_be_so)
{
    topology.members[0].unlisted = true;
    ck_assert_ptr_nonnull(strstr(explain(RULE_KEPT, "m0", ""), "is in no probe's file"));
    ck_assert_ptr_nonnull(strstr(explain(RULE_HELD, "m0", ""), "held as primary by the operator"));
    ck_assert_ptr_nonnull(strstr(explain(RULE_HELD, "m0", ""), ", and is in no probe's file"));
    topology.members[0].unlisted = false;
    ck_assert_ptr_null(strstr(explain(RULE_HELD, "m0", ""), "file"));
}
END_TEST

START_TEST(a_rule_of_a_newer_version_is_shown_by_its_name)
{
    strcpy(topology.foreign_rule, "promoted");
    ck_assert_str_eq(explain(RULE_FOREIGN, "m0", ""),
                     "m0 is primary, read by 2 of 3 witnesses, by the rule promoted");
    ck_assert_str_eq(explain(RULE_FOREIGN, "", "m0"), "no primary, by the rule promoted");
    ck_assert_str_eq(topology_rule(&topology), "promoted");
}
END_TEST

START_TEST(other_members_follow_with_what_is_wrong_with_them)
{
    topology.members[1].claims = topology.members[1].fenced = true;
    topology.members[1].bar = BAR_FENCED;
    ck_assert_ptr_nonnull(strstr(explain(RULE_KEPT, "m0", ""), "; m1 claims to be primary too, "
                                                               "fenced"));
    topology.members[1].claims = topology.members[1].fenced = false;
    topology.members[1].bar = BAR_NONE;
    topology.members[1].reason = ANSWER_REFUSED;
    ck_assert_ptr_nonnull(strstr(explain(RULE_KEPT, "m0", ""), "; m1 refuses connections"));
    topology.members[1].reason = ANSWER_OK;
    topology.members[1].condition = CONDITION_RECOVERING;
    ck_assert_ptr_nonnull(strstr(explain(RULE_KEPT, "m0", ""), "; m1 is recovering"));
}
END_TEST

START_TEST(by_what_a_member_takes_no_writes_is_told)
{
    strcpy(topology.members[0].closed_by, "innodb_read_only");
    explain(RULE_NOT_WRITABLE, "", "m0");
    ck_assert_str_eq(why, "no primary: m0 said itself that it takes no writes; m0 takes no writes: "
                          "innodb_read_only");
}
END_TEST

START_TEST(a_win_stays_the_win_that_it_was)
{
    ck_assert(rule_stays(RULE_NEWEST_LINEAGE, RULE_SOLE_CLAIMANT, false));
    ck_assert(rule_stays(RULE_NEWEST_LINEAGE, RULE_KEPT, true));
    ck_assert(!rule_stays(RULE_NEWEST_LINEAGE, RULE_KEPT, false));
}
END_TEST

START_TEST(a_hold_shows_while_it_lasts)
{
    ck_assert(!rule_stays(RULE_HELD, RULE_SOLE_CLAIMANT, true));
    ck_assert(!rule_stays(RULE_SOLE_CLAIMANT, RULE_HELD, true));
}
END_TEST

START_TEST(a_foreign_rule_stays_while_the_state_does)
{
    ck_assert(rule_stays(RULE_FOREIGN, RULE_SOLE_CLAIMANT, true));
    ck_assert(!rule_stays(RULE_FOREIGN, RULE_SOLE_CLAIMANT, false));
}
END_TEST

Suite *rules_suite(void)
{
    Suite *suite = suite_create("rules");
    TCase *tcase = tcase_create("rules");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, every_rule_has_a_name_that_leads_back_to_it_and_a_number_that_stays);
    tcase_add_test(tcase, every_rule_that_names_a_primary_is_a_sentence_about_it);
    tcase_add_test(tcase, every_rule_without_a_primary_gives_the_reason);
    tcase_add_test(tcase, why_it_was_withdrawn_does_not_contradict_what_it_is_now);
    tcase_add_test(tcase, without_a_primary_the_command_that_ends_it_is_named);
    tcase_add_test(tcase, a_primary_that_is_in_no_file_is_said_to_be_so);
    tcase_add_test(tcase, a_rule_of_a_newer_version_is_shown_by_its_name);
    tcase_add_test(tcase, other_members_follow_with_what_is_wrong_with_them);
    tcase_add_test(tcase, by_what_a_member_takes_no_writes_is_told);
    tcase_add_test(tcase, a_win_stays_the_win_that_it_was);
    tcase_add_test(tcase, a_hold_shows_while_it_lasts);
    tcase_add_test(tcase, a_foreign_rule_stays_while_the_state_does);
    suite_add_tcase(suite, tcase);
    return suite;
}
