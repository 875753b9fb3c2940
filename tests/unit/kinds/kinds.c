/* The table of kinds against the kinds' functions, and what follows from its columns. */
#include "registry/model/kinds.h"

#include "probes/kinds/kind.h"
#include "tests/unit/unit.h"

START_TEST(every_kind_has_a_word_an_engine_and_rules)
{
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        ck_assert(kind_names[kind][0]);
        ck_assert_int_eq(name_index(kind_names, kind_names[kind]), kind);
        ck_assert(kind_fits(kind, ENGINE_POSTGRESQL) || kind_fits(kind, ENGINE_MYSQL));
        ck_assert(kind_rules_of(kind)->claim_state && kind_rules_of(kind)->lag);
    }
    ck_assert_str_eq(kind_names[KIND_AUTO], "auto");
    ck_assert_ptr_null(kind_names[KIND_AUTO + 1]);
}
END_TEST

START_TEST(the_words_are_those_that_registries_hold)
{
    static const char *const words[] = {
        "streaming", "async", "group-replication", "galera", "stateless", "custom", "auto"};
    for (enum kind kind = 0; kind <= KIND_AUTO; kind++) {
        ck_assert_str_eq(kind_names[kind], words[kind]);
    }
}
END_TEST

START_TEST(servers_show_a_kind_if_and_only_if_it_has_a_rank)
{
    for (enum kind kind = 0; kind < KIND_AUTO; kind++) {
        ck_assert_int_eq(kind_rules_of(kind)->shows != NULL, kind_traits_of(kind)->rank > 0);
    }
    ck_assert_int_eq(kind_traits_of(KIND_AUTO)->rank, 0);
}
END_TEST

START_TEST(ranks_of_one_engine_differ)
{
    for (enum kind a = 0; a < KIND_AUTO; a++) {
        for (enum kind b = 0; b < a; b++) {
            bool together = kind_traits_of(a)->engines & kind_traits_of(b)->engines;
            ck_assert(!together || kind_traits_of(a)->rank == 0 ||
                      kind_traits_of(a)->rank != kind_traits_of(b)->rank);
        }
    }
}
END_TEST

START_TEST(a_default_query_and_writers_are_what_the_kind_allows)
{
    for (enum kind kind = 0; kind <= KIND_AUTO; kind++) {
        const struct kind_traits *traits = kind_traits_of(kind);
        ck_assert(traits->takes_query || !traits->default_query);
        ck_assert(traits->many_writers || traits->writers == WRITERS_SINGLE);
    }
}
END_TEST

START_TEST(an_unknown_kind_is_read_as_the_least_of_its_engine)
{
    ck_assert_int_eq(kind_least(ENGINE_POSTGRESQL), KIND_STREAMING);
    ck_assert_int_eq(kind_least(ENGINE_MYSQL), KIND_ASYNC);
    ck_assert_int_eq(kind_or_least(KIND_AUTO, ENGINE_MYSQL), KIND_ASYNC);
    ck_assert_int_eq(kind_or_least(KIND_GALERA, ENGINE_MYSQL), KIND_GALERA);
}
END_TEST

START_TEST(an_engine_with_one_kind_needs_nobody_to_show_it)
{
    ck_assert_int_eq(kind_only(ENGINE_POSTGRESQL), KIND_STREAMING);
    ck_assert_int_eq(kind_only(ENGINE_MYSQL), KIND_AUTO);
}
END_TEST

START_TEST(hints_list_kinds)
{
    char list[100];
    kind_list_fitting(ENGINE_POSTGRESQL, list, sizeof list);
    ck_assert_str_eq(list, "streaming, stateless, custom");
    kind_list_fitting(ENGINE_MYSQL, list, sizeof list);
    ck_assert_str_eq(list, "async, group-replication, galera, stateless, custom");
    kind_list_queried(list, sizeof list);
    ck_assert_str_eq(list, "custom, or stateless");
}
END_TEST

Suite *kinds_suite(void)
{
    Suite *suite = suite_create("kinds");
    TCase *tests = tcase_create("table");
    tcase_add_test(tests, every_kind_has_a_word_an_engine_and_rules);
    tcase_add_test(tests, the_words_are_those_that_registries_hold);
    tcase_add_test(tests, servers_show_a_kind_if_and_only_if_it_has_a_rank);
    tcase_add_test(tests, ranks_of_one_engine_differ);
    tcase_add_test(tests, a_default_query_and_writers_are_what_the_kind_allows);
    tcase_add_test(tests, an_unknown_kind_is_read_as_the_least_of_its_engine);
    tcase_add_test(tests, an_engine_with_one_kind_needs_nobody_to_show_it);
    tcase_add_test(tests, hints_list_kinds);
    suite_add_tcase(suite, tests);
    return suite;
}
