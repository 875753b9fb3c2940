/* Who may do what: the lists that follow from the rules. */
#include "registry/model/access.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

#define PROBE "roster:shMOpcHjo1QYAvCQAAajcGAfEbY="
#define OTHER_PROBE "next:n4ganTQV+ydgVrKmMTeEIOHvxSc="
#define OPERATOR "ops:9haYA/nqM3XxNMGh/CO/vVlsjwY="
#define NODE "node:eKm7CCgUeLQmQ+V5LVuT4xJjoMU="

static const char auth[] = "digest:roster:secret";

static struct access_list wanted(const char *operators, const char *nodes, enum access_kind kind)
{
    struct access_rules rules;
    struct access_list list;
    access_rules_make(&rules, auth, NULL, operators, nodes);
    access_want(&rules, kind, &list);
    return list;
}

static struct access_list list_of(const char *scheme, const char *id, unsigned may)
{
    struct access_list list = {.count = 1, .entries = {{.may = may}}};
    strcpy(list.entries[0].scheme, scheme);
    strcpy(list.entries[0].id, id);
    return list;
}

START_TEST(every_path_has_its_kind)
{
    static const struct {
        const char *path;
        enum access_kind kind;
    } cases[] = {
        {"/", ACCESS_ROOT},
        {"/db", ACCESS_ROOT},
        {"/db/roster", ACCESS_ROOT},
        {"/db/rosters", ACCESS_OTHER},
        {"/dbx", ACCESS_OTHER},
        {"/db/roster/probes", ACCESS_PROBES},
        {"/db/roster/probes/clusters", ACCESS_PRESENCE},
        {"/db/roster/probes/a/b", ACCESS_OTHER},
        {"/db/roster/clusters", ACCESS_CLUSTERS},
        {"/db/roster/clusters/reports", ACCESS_CLUSTER},
        {"/db/roster/clusters/topology/reports", ACCESS_REPORTS},
        {"/db/roster/clusters/c/reports/topology", ACCESS_REPORT},
        {"/db/roster/clusters/c/reports/a/b", ACCESS_OTHER},
        {"/db/roster/clusters/c/topology", ACCESS_TOPOLOGY},
        {"/db/roster/clusters/c/topology/x", ACCESS_OTHER},
        {"/db/roster/clusters/c/topologyx", ACCESS_OTHER},
        {"/db/roster/clusters/c/directives", ACCESS_DIRECTIVES},
        {"/db/roster/clustersx", ACCESS_OTHER},
        {"/db/roster/mine", ACCESS_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(access_kind_of("/db/roster", cases[i].path) == cases[i].kind, "%s",
                      cases[i].path);
    }
}
END_TEST

START_TEST(without_credentials_everybody_may_do_everything)
{
    struct access_rules rules;
    struct access_list list;
    access_rules_make(&rules, "", NULL, NULL, NULL);
    access_want(&rules, ACCESS_TOPOLOGY, &list);
    ck_assert_uint_eq(access_of_anybody(&list), MAY_ALL);
}
END_TEST

START_TEST(one_auth_alone_may_do_everything_and_everybody_reads)
{
    for (int kind = 0; kind < ACCESS_KINDS; kind++) {
        struct access_list list = wanted(NULL, "", (enum access_kind)kind);
        ck_assert_uint_eq(access_of_anybody(&list), MAY_READ);
        ck_assert_uint_eq(access_of_id(&list, PROBE), MAY_ALL);
        ck_assert_uint_eq(access_of_id(&list, OPERATOR), 0);
    }
}
END_TEST

START_TEST(three_roles_are_told_apart)
{
    struct access_list list = wanted(OPERATOR, NODE, ACCESS_TOPOLOGY);
    ck_assert_uint_eq(access_of_anybody(&list), 0);
    ck_assert_uint_eq(access_of_id(&list, PROBE), MAY_READ | MAY_WRITE);
    ck_assert_uint_eq(access_of_id(&list, NODE), MAY_READ);
    ck_assert_uint_eq(access_of_id(&list, OPERATOR) & MAY_WRITE, 0);
    list = wanted(OPERATOR, NODE, ACCESS_DIRECTIVES);
    ck_assert_uint_eq(access_of_id(&list, PROBE), MAY_READ);
    ck_assert_uint_eq(access_of_id(&list, OPERATOR), MAY_ALL);
    list = wanted(OPERATOR, NODE, ACCESS_CLUSTER);
    ck_assert_uint_eq(access_of_id(&list, PROBE), MAY_READ | MAY_CREATE);
}
END_TEST

START_TEST(no_node_may_more_than_read_and_operators_change_every_list)
{
    for (int kind = 0; kind < ACCESS_KINDS; kind++) {
        struct access_list list = wanted(OPERATOR, NODE, (enum access_kind)kind);
        ck_assert_uint_eq(access_of_id(&list, NODE), MAY_READ);
        ck_assert_uint_eq(access_of_id(&list, OPERATOR) & MAY_ADMIN, MAY_ADMIN);
        ck_assert_uint_eq(access_of_id(&list, PROBE) & MAY_ADMIN, 0);
    }
}
END_TEST

START_TEST(an_id_of_two_roles_has_the_rights_of_both)
{
    struct access_list list = wanted(PROBE ", " OPERATOR, NODE, ACCESS_TOPOLOGY);
    ck_assert_uint_eq(list.count, 3);
    ck_assert_uint_eq(access_of_id(&list, PROBE), MAY_READ | MAY_WRITE | MAY_ADMIN);
}
END_TEST

START_TEST(probes_of_former_and_next_credentials_are_probes)
{
    struct access_rules rules;
    struct access_list list;
    access_rules_make(&rules, auth, OTHER_PROBE, OPERATOR, NULL);
    access_want(&rules, ACCESS_REPORT, &list);
    ck_assert_uint_eq(access_of_id(&list, OTHER_PROBE), MAY_READ | MAY_WRITE);
}
END_TEST

START_TEST(an_address_is_anybody)
{
    struct access_list list = list_of("ip", "10.0.0.0/8", MAY_WRITE);
    ck_assert_uint_eq(access_of_anybody(&list), MAY_WRITE);
    list = list_of("sasl", "probe", MAY_ALL);
    ck_assert_uint_eq(access_of_anybody(&list), 0);
}
END_TEST

START_TEST(lists_are_compared_as_sets_of_rights)
{
    struct access_list wanted_list = wanted(OPERATOR, NULL, ACCESS_TOPOLOGY);
    struct access_list list = {.count = wanted_list.count};
    for (size_t i = 0; i < list.count; i++) {
        list.entries[i] = wanted_list.entries[list.count - 1 - i];
    }
    ck_assert(access_equal(&list, &wanted_list));
    list.entries[0].may |= MAY_WRITE;
    ck_assert(!access_equal(&list, &wanted_list));
    list.entries[0].may &= ~(unsigned)MAY_WRITE;
    list.count--;
    ck_assert(!access_equal(&list, &wanted_list));
    ck_assert(!access_equal(&wanted_list, &list));
    wanted_list.cut = true;
    ck_assert(!access_equal(&wanted_list, &wanted_list));
}
END_TEST

START_TEST(lists_are_printed_for_people)
{
    char text[SENTENCE_SIZE];
    struct access_list list = wanted(OPERATOR, NULL, ACCESS_TOPOLOGY);
    ck_assert_str_eq(access_print(&list, false, text, sizeof text), "roster rw, ops ra, anyone r");
    ck_assert_str_eq(access_print(&list, true, text, sizeof text),
                     PROBE " rw, " OPERATOR " ra, anyone r");
    list = list_of("ip", "::1", MAY_ALL);
    ck_assert_str_eq(access_print(&list, false, text, sizeof text), "ip:::1 cdrwa");
    list.count = 0;
    ck_assert_str_eq(access_print(&list, false, text, sizeof text), "nobody");
    ck_assert_str_eq(access_print_may(MAY_ALL, text, sizeof text),
                     "write it, create below it, delete below it, change its access list");
}
END_TEST

START_TEST(ids_are_a_list_and_each_is_checked)
{
    struct access_ids ids;
    char sentence[SENTENCE_SIZE], many[ACCESS_IDS_MAX * 64 + 64] = "";
    ck_assert(access_ids_parse(PROBE " ,\t" NODE "," PROBE, &ids, sentence, sizeof sentence));
    ck_assert_uint_eq(ids.count, 2);
    ck_assert_str_eq(ids.ids[1], NODE);
    ck_assert(!access_ids_parse(PROBE ",", &ids, sentence, sizeof sentence));
    ck_assert(!access_ids_parse("roster:secret", &ids, sentence, sizeof sentence));
    ck_assert_uint_eq(ids.count, 2);
    for (int i = 0; i <= ACCESS_IDS_MAX; i++) {
        char one[64];
        snprintf(one, sizeof one, "%su%d:eKm7CCgUeLQmQ+V5LVuT4xJjoMU=", i ? "," : "", i);
        strcat(many, one);
    }
    ck_assert(!access_ids_parse(many, &ids, sentence, sizeof sentence));
    ck_assert_str_eq(sentence, "has more than 8 ids");
}
END_TEST

Suite *access_suite(void)
{
    Suite *suite = suite_create("access");
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, every_path_has_its_kind);
    tcase_add_test(rules, without_credentials_everybody_may_do_everything);
    tcase_add_test(rules, one_auth_alone_may_do_everything_and_everybody_reads);
    tcase_add_test(rules, three_roles_are_told_apart);
    tcase_add_test(rules, no_node_may_more_than_read_and_operators_change_every_list);
    tcase_add_test(rules, an_id_of_two_roles_has_the_rights_of_both);
    tcase_add_test(rules, probes_of_former_and_next_credentials_are_probes);
    suite_add_tcase(suite, rules);
    TCase *lists = tcase_create("lists");
    tcase_add_test(lists, an_address_is_anybody);
    tcase_add_test(lists, lists_are_compared_as_sets_of_rights);
    tcase_add_test(lists, lists_are_printed_for_people);
    tcase_add_test(lists, ids_are_a_list_and_each_is_checked);
    suite_add_tcase(suite, lists);
    return suite;
}
