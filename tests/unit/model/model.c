#include "registry/model/model.h"

#include <string.h>

#include "tests/unit/unit.h"

/* ---- names and answers ----------------------------------------------------------------------- */

START_TEST(names_and_values_agree)
{
    ck_assert_str_eq(engine_names[ENGINE_MYSQL], "mysql");
    ck_assert_str_eq(kind_names[KIND_ASYNC], "async");
    ck_assert_str_eq(role_names[ROLE_SECONDARY], "secondary");
    ck_assert_str_eq(health_names[HEALTH_DOWN], "down");
    ck_assert_str_eq(state_names[STATE_CONFLICT], "conflict");
    ck_assert_str_eq(lag_state_names[LAG_BROKEN], "broken");
    ck_assert_str_eq(conflict_names[CONFLICT_NONE], "none");
    ck_assert_str_eq(answer_names[ANSWER_NAME], "name-not-found");
    ck_assert_str_eq(answer_names[ANSWER_STALLED], "stalled");
    ck_assert_str_eq(answer_names[ANSWER_RIVAL], "rival");
    ck_assert_ptr_null(answer_names[ANSWER_RIVAL + 1]);
}
END_TEST

START_TEST(a_name_leads_back_to_its_value)
{
    for (int i = 0; answer_names[i]; i++) {
        ck_assert_int_eq(name_index(answer_names, answer_names[i]), i);
    }
    ck_assert_int_eq(name_index(answer_names, "nonsense"), -1);
    ck_assert_int_eq(name_index(answer_names, ""), -1);
}
END_TEST

START_TEST(a_server_that_speaks_is_up_whatever_it_says)
{
    static const enum answer up[] = {ANSWER_OK, ANSWER_SATURATED, ANSWER_AUTH, ANSWER_PRIVILEGE,
                                     ANSWER_TLS};
    for (size_t i = 0; i < sizeof up / sizeof *up; i++) {
        ck_assert_int_eq(answer_health(up[i]), HEALTH_UP);
    }
}
END_TEST

START_TEST(a_server_that_cannot_be_used_is_down)
{
    static const enum answer down[] = {ANSWER_REFUSED, ANSWER_TIMEOUT,  ANSWER_UNREACHABLE,
                                       ANSWER_STALLED, ANSWER_STARTING, ANSWER_STOPPING,
                                       ANSWER_PROTOCOL};
    for (size_t i = 0; i < sizeof down / sizeof *down; i++) {
        ck_assert_int_eq(answer_health(down[i]), HEALTH_DOWN);
    }
}
END_TEST

START_TEST(what_was_not_learnt_is_unknown)
{
    ck_assert_int_eq(answer_health(ANSWER_UNKNOWN), HEALTH_UNKNOWN);
    ck_assert_int_eq(answer_health(ANSWER_NAME), HEALTH_UNKNOWN);
    ck_assert_int_eq(answer_health(ANSWER_LOST), HEALTH_UNKNOWN);
}
END_TEST

START_TEST(a_silent_server_is_not_definite_and_one_that_answers_is)
{
    static const enum answer silent[] = {ANSWER_TIMEOUT, ANSWER_UNREACHABLE, ANSWER_STALLED,
                                         ANSWER_PROTOCOL, ANSWER_NAME};
    static const enum answer definite[] = {ANSWER_OK,        ANSWER_REFUSED,  ANSWER_AUTH,
                                           ANSWER_SATURATED, ANSWER_STARTING, ANSWER_STOPPING,
                                           ANSWER_TLS,       ANSWER_PRIVILEGE};
    for (size_t i = 0; i < sizeof silent / sizeof *silent; i++) {
        ck_assert(!answer_is_definite(silent[i]));
    }
    for (size_t i = 0; i < sizeof definite / sizeof *definite; i++) {
        ck_assert(answer_is_definite(definite[i]));
    }
}
END_TEST

/* ---- lineages -------------------------------------------------------------------------------- */

START_TEST(a_quorum_is_more_than_half)
{
    ck_assert_int_eq(quorum_of(1), 1);
    ck_assert_int_eq(quorum_of(2), 2);
    ck_assert_int_eq(quorum_of(3), 2);
    ck_assert_int_eq(quorum_of(4), 3);
    ck_assert_int_eq(quorum_of(15), 8);
}
END_TEST

/* ---- equality -------------------------------------------------------------------------------- */

static struct topology topology;
static struct report report;

/* The bytes behind a string's end and between fields differ: equality must not look at them. */
static void dirty(char *text, size_t size)
{
    size_t used = strlen(text) + 1;
    memset(text + used, 0x5A, size - used);
}

static void set_config(struct member_config *config, const char *name)
{
    memset(config, 0x5A, sizeof *config);
    strcpy(config->name, name);
    strcpy(config->host, "10.0.0.1");
    config->port = 5432;
    config->weight = 100;
    config->label_count = 1;
    strcpy(config->labels[0].key, "zone");
    strcpy(config->labels[0].value, "a");
}

static void setup(void)
{
    topology = (struct topology){.cluster = "c",
                                 .policy = {.witnesses = 3},
                                 .epoch = 7,
                                 .primary = "b",
                                 .rules = 1,
                                 .member_count = 2};
    report = (struct report){
        .cluster = "c", .probe = "p", .rules = 1, .policy = {.witnesses = 3}, .member_count = 2};
    set_config(&topology.members[0].config, "a");
    set_config(&topology.members[1].config, "b");
    topology.members[1].role = ROLE_PRIMARY;
    set_config(&report.members[0].config, "a");
    set_config(&report.members[1].config, "b");
}

START_TEST(members_are_found_by_name)
{
    ck_assert_ptr_eq(topology_member(&topology, "b"), &topology.members[1]);
    ck_assert_ptr_null(topology_member(&topology, "c"));
    ck_assert_ptr_null(topology_member(&topology, ""));
    ck_assert_ptr_eq(report_member(&report, "a"), &report.members[0]);
    ck_assert_ptr_null(report_member(&report, "c"));
}
END_TEST

START_TEST(equality_sees_values_not_bytes)
{
    struct topology copy = topology;
    dirty(copy.cluster, sizeof copy.cluster);
    dirty(copy.members[0].config.host, sizeof copy.members[0].config.host);
    memset(&copy.members[5], 0x5A, sizeof copy.members[5]);
    ck_assert(topology_equal(&topology, &copy));
    struct report other = report;
    dirty(other.members[0].version, sizeof other.members[0].version);
    memset(&other.members[5], 0x5A, sizeof other.members[5]);
    ck_assert(report_equal(&report, &other));
}
END_TEST

START_TEST(the_account_of_a_verdict_is_not_the_verdict)
{
    struct topology copy = topology;
    strcpy(copy.by, "someone");
    strcpy(copy.why, "because");
    copy.at_wall_ms = 1;
    copy.seen_wall_ms = 2;
    copy.evidence_count = 1;
    ck_assert(topology_equal(&topology, &copy));
    struct report other = report;
    other.seen_wall_ms = 1;
    ck_assert(report_equal(&report, &other));
}
END_TEST

START_TEST(a_sentence_is_the_same_whoever_counts_the_witnesses)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"", "", true},
        {"read by 2 of 3 witnesses", "read by 13 of 3 witnesses", true},
        {"read by 2 of 3 witnesses", "read by 2 of 5 witnesses", false},
        {"on timeline 7, read by 2 of 3", "on timeline 8, read by 2 of 3", false},
        {"pg-1 is primary", "pg-1 is primary; pg-2 refuses connections", false},
        {"pg-1", "pg-2", false},
        {"read by 2 of 3", "read by two of 3", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(why_equal(cases[i].a, cases[i].b) == cases[i].equal, "%s", cases[i].a);
        ck_assert_msg(why_equal(cases[i].b, cases[i].a) == cases[i].equal, "%s", cases[i].a);
    }
}
END_TEST

#define DIFFERS(record, change)                                                                    \
    do {                                                                                           \
        __typeof__(record) was = record;                                                           \
        record.change;                                                                             \
        ck_assert_msg(!_Generic((record), struct topology                                          \
                                : topology_equal, struct report                                    \
                                : report_equal)(&was, &record),                                    \
                      #change);                                                                    \
        record = was;                                                                              \
    } while (0)

START_TEST(every_material_field_of_a_topology_counts)
{
    DIFFERS(topology, directives_mzxid++);
    DIFFERS(topology, cluster[0] = 'd');
    DIFFERS(topology, policy.engine = ENGINE_MYSQL);
    DIFFERS(topology, policy.kind = KIND_ASYNC);
    DIFFERS(topology, policy.conflict = CONFLICT_NONE);
    DIFFERS(topology, policy.witnesses = 5);
    DIFFERS(topology, directives_mzxid++);
    DIFFERS(topology, epoch = 8);
    DIFFERS(topology, state = STATE_SUSPECT);
    DIFFERS(topology, primary[0] = 'a');
    DIFFERS(topology, last_primary[0] = 'a');
    DIFFERS(topology, lineage[0] = '1');
    DIFFERS(topology, identity[0] = '1');
    DIFFERS(topology, rule = RULE_TIE);
    DIFFERS(topology, foreign_rule[0] = 'x');
    DIFFERS(topology, rules = 2);
    DIFFERS(topology, member_count = 1);
    DIFFERS(topology, members[1].config.name[0] = 'x');
    DIFFERS(topology, members[1].config.host[0] = 'x');
    DIFFERS(topology, members[1].config.port = 1);
    DIFFERS(topology, members[1].config.weight = 1);
    DIFFERS(topology, members[1].config.label_count = 0);
    DIFFERS(topology, members[1].config.labels[0].key[0] = 'x');
    DIFFERS(topology, members[1].config.labels[0].value[0] = 'x');
    DIFFERS(topology, members[1].role = ROLE_NONE);
    DIFFERS(topology, members[1].health = HEALTH_UP);
    DIFFERS(topology, members[1].reason = ANSWER_RIVAL);
    DIFFERS(topology, members[1].fenced = true);
    DIFFERS(topology, members[1].fenced_epoch = 1);
    DIFFERS(topology, members[1].drained = true);
    DIFFERS(topology, members[1].claims = true);
    DIFFERS(topology, members[1].upstream[0] = 'a');
    DIFFERS(topology, members[1].lag.state = LAG_OK);
    DIFFERS(topology, members[1].lag.bytes = 1);
    DIFFERS(topology, members[1].lag.ms = 1);
}
END_TEST

START_TEST(every_material_field_of_a_report_counts)
{
    DIFFERS(report, cluster[0] = 'd');
    DIFFERS(report, probe[0] = 'd');
    DIFFERS(report, rules = 2);
    DIFFERS(report, abstains[0] = 'x');
    DIFFERS(report, policy.witnesses = 5);
    DIFFERS(report, member_count = 1);
    DIFFERS(report, members[1].config.port = 1);
    DIFFERS(report, members[1].answer = ANSWER_OK);
    DIFFERS(report, members[1].claim = true);
    DIFFERS(report, members[1].writable = true);
    DIFFERS(report, members[1].live = true);
    DIFFERS(report, members[1].replica = true);
    DIFFERS(report, members[1].lineage[0] = '1');
    DIFFERS(report, members[1].identity[0] = '1');
    DIFFERS(report, members[1].upstream[0] = 'a');
    DIFFERS(report, members[1].replicas = 1);
    DIFFERS(report, members[1].lag.ms = 1);
    DIFFERS(report, members[1].version[0] = '1');
    DIFFERS(report, members[1].last_role = ROLE_PRIMARY);
    DIFFERS(report, members[1].last_lineage[0] = '1');
}
END_TEST

Suite *model_suite(void)
{
    Suite *suite = suite_create("model");
    TCase *words = tcase_create("words");
    tcase_add_test(words, names_and_values_agree);
    tcase_add_test(words, a_name_leads_back_to_its_value);
    tcase_add_test(words, a_server_that_speaks_is_up_whatever_it_says);
    tcase_add_test(words, a_server_that_cannot_be_used_is_down);
    tcase_add_test(words, what_was_not_learnt_is_unknown);
    tcase_add_test(words, a_silent_server_is_not_definite_and_one_that_answers_is);
    tcase_add_test(words, a_quorum_is_more_than_half);
    suite_add_tcase(suite, words);
    TCase *records = tcase_create("records");
    tcase_add_checked_fixture(records, setup, NULL);
    tcase_add_test(records, members_are_found_by_name);
    tcase_add_test(records, equality_sees_values_not_bytes);
    tcase_add_test(records, the_account_of_a_verdict_is_not_the_verdict);
    tcase_add_test(records, a_sentence_is_the_same_whoever_counts_the_witnesses);
    tcase_add_test(records, every_material_field_of_a_topology_counts);
    tcase_add_test(records, every_material_field_of_a_report_counts);
    suite_add_tcase(suite, records);
    return suite;
}
