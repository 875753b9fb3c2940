#include "registry/model/paths.h"

#include <string.h>

#include "registry/base/limits.h"
#include "tests/unit/unit.h"

START_TEST(paths_are_as_the_design_says)
{
    char to[PATH_SIZE];
    ck_assert_str_eq(path_probes(to, sizeof to, "/roster"), "/roster/probes");
    ck_assert_str_eq(path_probe(to, sizeof to, "/roster", "a"), "/roster/probes/a");
    ck_assert_str_eq(path_clusters(to, sizeof to, "/roster"), "/roster/clusters");
    ck_assert_str_eq(path_cluster(to, sizeof to, "/roster", "c"), "/roster/clusters/c");
    ck_assert_str_eq(path_reports(to, sizeof to, "/roster", "c"), "/roster/clusters/c/reports");
    ck_assert_str_eq(path_report(to, sizeof to, "/roster", "c", "a"),
                     "/roster/clusters/c/reports/a");
    ck_assert_str_eq(path_topology(to, sizeof to, "/roster", "c"), "/roster/clusters/c/topology");
    ck_assert_str_eq(path_directives(to, sizeof to, "/roster", "c"),
                     "/roster/clusters/c/directives");
}
END_TEST

static void fill(char *to, size_t len)
{
    memset(to, 'x', len);
    to[len] = '\0';
}

START_TEST(the_longest_names_fit)
{
    char root[121], name[NAME_SIZE], to[PATH_SIZE];
    fill(root, 120);
    root[0] = '/';
    fill(name, NAME_SIZE - 1);
    ck_assert(path_is_root(root));
    ck_assert_uint_eq(strlen(path_report(to, sizeof to, root, name, name)), 120 + 10 + 63 + 9 + 63);
}
END_TEST

START_TEST(a_small_buffer_is_not_overrun)
{
    char to[8] = "xxxxxxx";
    ck_assert_str_eq(path_probe(to, sizeof to, "/roster", "a"), "/roster");
}
END_TEST

START_TEST(roots_are_told_from_what_is_none)
{
    static const char *const good[] = {"/roster", "/a/b", "/a.b/..c", "/-"};
    static const char *const bad[] = {"",   "/",     "roster", "/a/",  "//a",  "/a//b",
                                      "/.", "/a/..", "/a/./b", "/a b", "/a\n", "/\xc3\xbc"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(path_is_root(good[i]), "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ck_assert_msg(!path_is_root(bad[i]), "%s", bad[i]);
    }
    char root[122];
    fill(root, 121);
    root[0] = '/';
    ck_assert(!path_is_root(root));
}
END_TEST

Suite *paths_suite(void)
{
    Suite *suite = suite_create("paths");
    TCase *tests = tcase_create("paths");
    tcase_add_test(tests, paths_are_as_the_design_says);
    tcase_add_test(tests, the_longest_names_fit);
    tcase_add_test(tests, a_small_buffer_is_not_overrun);
    tcase_add_test(tests, roots_are_told_from_what_is_none);
    suite_add_tcase(suite, tests);
    return suite;
}
