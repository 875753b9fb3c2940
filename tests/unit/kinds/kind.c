/* What a server's facts mean, kind by kind. */
#include "probes/kinds/kind.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct observation facts;

static struct claim_state claim_state(enum kind kind)
{
    return kind_rules_of(kind)->claim_state(&facts, NULL);
}

static void begin_group(int size, int reachable)
{
    facts = (struct observation){
        .answer = ANSWER_OK, .writable = true, .lag_ms = -1, .claim = -1, .ready = -1};
    facts.group = (struct group){
        .type = GROUP_REPLICATION, .leads = true, .size = size, .reachable = reachable, .queue = 7};
}

START_TEST(a_group_primary_needs_a_majority_of_its_own_view)
{
    begin_group(3, 2);
    ck_assert(claim_state(KIND_GROUP).claim);
    begin_group(3, 1);
    ck_assert(!claim_state(KIND_GROUP).claim);
    ck_assert(!claim_state(KIND_GROUP).writable);
    ck_assert_int_eq(claim_state(KIND_GROUP).condition, CONDITION_MINORITY);
    begin_group(4, 2); /* half is lost */
    ck_assert_int_eq(claim_state(KIND_GROUP).condition, CONDITION_MINORITY);
    begin_group(1, 1);
    ck_assert(claim_state(KIND_GROUP).claim);
}
END_TEST

START_TEST(a_group_primary_is_writable_itself_and_online)
{
    begin_group(3, 3);
    facts.writable = false; /* the moment before it drops super_read_only */
    ck_assert(!claim_state(KIND_GROUP).claim);
    begin_group(3, 3);
    facts.group.state = CONDITION_RECOVERING;
    ck_assert(!claim_state(KIND_GROUP).claim);
    begin_group(3, 3);
    facts.group.leads = false;
    ck_assert(!claim_state(KIND_GROUP).claim);
    begin_group(3, 3);
    facts.group.many = true;
    ck_assert(claim_state(KIND_GROUP).claim && claim_state(KIND_GROUP).shared);
}
END_TEST

START_TEST(a_server_started_without_its_group_is_no_primary)
{
    begin_group(0, 0);
    facts.group = (struct group){0};
    ck_assert(!claim_state(KIND_GROUP).claim);
    ck_assert_int_eq(claim_state(KIND_GROUP).condition, CONDITION_LEFT);
    ck_assert(!claim_state(KIND_GALERA).claim);
    ck_assert_int_eq(claim_state(KIND_GALERA).condition, CONDITION_LEFT);
}
END_TEST

START_TEST(a_group_member_lags_by_its_queue)
{
    begin_group(3, 3);
    struct lag lag = kind_rules_of(KIND_GROUP)->lag(&facts, NULL);
    ck_assert_int_eq(lag.state, LAG_OK);
    ck_assert_int_eq(lag.transactions, 7);
    facts.group.state = CONDITION_ERROR;
    ck_assert_int_eq(kind_rules_of(KIND_GROUP)->lag(&facts, NULL).state, LAG_BROKEN);
    begin_group(3, 3);
    facts.group.type = GROUP_GALERA;
    lag = kind_rules_of(KIND_GALERA)->lag(&facts, NULL);
    ck_assert_int_eq(lag.state, LAG_OK);
    ck_assert_int_eq(lag.transactions, 7);
    ck_assert_int_eq(kind_rules_of(KIND_STATELESS)->lag(&facts, NULL).state, LAG_UNKNOWN);
}
END_TEST

START_TEST(a_galera_node_writes_when_in_service)
{
    static const struct {
        enum condition state;
        bool claim;
    } cases[] = {{CONDITION_FIT, true},         {CONDITION_DONOR, true},
                 {CONDITION_RECOVERING, false}, {CONDITION_REJECTING, false},
                 {CONDITION_UNREADY, false},    {CONDITION_MINORITY, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin_group(3, 3);
        facts.group.type = GROUP_GALERA;
        facts.group.state = cases[i].state;
        ck_assert_int_eq(claim_state(KIND_GALERA).claim, cases[i].claim);
        ck_assert_int_eq(claim_state(KIND_GALERA).shared, cases[i].claim);
        ck_assert_int_eq(claim_state(KIND_GALERA).condition, cases[i].state);
    }
    begin_group(3, 3);
    facts.group.type = GROUP_GALERA;
    facts.writable = false; /* read_only */
    ck_assert(!claim_state(KIND_GALERA).claim);
}
END_TEST

START_TEST(a_server_shows_its_kind)
{
    begin_group(3, 3);
    ck_assert_int_eq(kind_shown(ENGINE_MYSQL, &facts), KIND_GROUP);
    facts.group.type = GROUP_GALERA;
    ck_assert_int_eq(kind_shown(ENGINE_MYSQL, &facts), KIND_GALERA);
    facts.group.type = GROUP_NONE;
    ck_assert_int_eq(kind_shown(ENGINE_MYSQL, &facts), KIND_ASYNC);
    ck_assert_int_eq(kind_shown(ENGINE_POSTGRESQL, &facts), KIND_STREAMING);
}
END_TEST

START_TEST(a_replica_whose_replay_is_paused_says_so)
{
    facts = (struct observation){.answer = ANSWER_OK, .replica = true, .live = true};
    ck_assert_int_eq(claim_state(KIND_STREAMING).condition, CONDITION_PAUSED);
    facts.applying = true;
    ck_assert_int_eq(claim_state(KIND_STREAMING).condition, CONDITION_FIT);
}
END_TEST

START_TEST(a_server_that_is_closed_and_fed_by_nobody_is_frozen)
{
    static const enum kind kinds[] = {KIND_STREAMING, KIND_ASYNC};
    for (size_t i = 0; i < 2; i++) {
        facts = (struct observation){.answer = ANSWER_OK, .lag_ms = -1, .position = -1};
        ck_assert_int_eq(kind_rules_of(kinds[i])->lag(&facts, NULL).state, LAG_BROKEN);
        facts.writable = true;
        ck_assert_int_eq(kind_rules_of(kinds[i])->lag(&facts, NULL).state, LAG_UNKNOWN);
    }
}
END_TEST

Suite *kind_suite(void)
{
    Suite *suite = suite_create("kind");
    TCase *tests = tcase_create("judging");
    tcase_add_test(tests, a_group_primary_needs_a_majority_of_its_own_view);
    tcase_add_test(tests, a_group_primary_is_writable_itself_and_online);
    tcase_add_test(tests, a_server_started_without_its_group_is_no_primary);
    tcase_add_test(tests, a_group_member_lags_by_its_queue);
    tcase_add_test(tests, a_galera_node_writes_when_in_service);
    tcase_add_test(tests, a_server_shows_its_kind);
    tcase_add_test(tests, a_replica_whose_replay_is_paused_says_so);
    tcase_add_test(tests, a_server_that_is_closed_and_fed_by_nobody_is_frozen);
    suite_add_tcase(suite, tests);
    return suite;
}
