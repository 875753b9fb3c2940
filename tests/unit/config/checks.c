/* What takes more than one line to judge. */
#include <string.h>

#include "registry/base/text.h"
#include "tests/unit/config/ini.h"
#include "tests/unit/unit.h"

/* ---- sections -------------------------------------------------------------------------------- */

START_TEST(an_even_number_of_witnesses_is_a_warning)
{
    ini_load(HEAD ORDERS "witnesses = 4\n" MEMBER);
    ck_assert_ptr_nonnull(ini.config);
    HAS_ERROR(5, "[cluster orders] witnesses: warning: 4 is even");
}
END_TEST

#define SHOP "[cluster orders]\nengine = mysql\n"

START_TEST(a_query_belongs_to_kinds_that_are_asked_by_it)
{
    char query[QUERY_SIZE + 16] = "query = ";
    ini_load(
        HEAD ORDERS
        "kind = custom\nquery = SELECT a::text, b = 'c' AS claim FROM t WHERE d <> 'e;f'\n" MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->clusters[0].query,
                     "SELECT a::text, b = 'c' AS claim FROM t WHERE d <> 'e;f'");
    ini_load(HEAD SHOP "kind = stateless\n" MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->clusters[0].query, "");
    ck_assert_int_eq(ini.config->clusters[0].policy.writers, WRITERS_ALL);
    ini_load(HEAD SHOP "kind = stateless\nwriters = single\nquery = SELECT 1 AS ready\n" MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_int_eq(ini.config->clusters[0].policy.writers, WRITERS_SINGLE);
    ini_refuses(HEAD SHOP "kind = custom\nquery = SELECT 1\n", "writers = all", MEMBER,
                "writers: all does not fit kind custom");
    ini_refuses(HEAD, "[cluster orders]", "engine = mysql\nkind = custom\n" MEMBER,
                "query: must be set for kind custom");
    ini_refuses(HEAD ORDERS, "query = SELECT 1", MEMBER,
                "query: does not fit kind auto, which has its own question (kind = custom, or");
    ini_refuses(HEAD ORDERS "kind = streaming\n", "query = SELECT 1", MEMBER,
                "query: does not fit kind streaming");
    ini_refuses(HEAD SHOP "kind = galera\n", "query = SELECT 1", MEMBER,
                "query: does not fit kind galera");
    memset(query + strlen(query), 'x', QUERY_SIZE);
    ini_refuses(HEAD ORDERS "kind = custom\n", query, MEMBER, "query: is longer than 3071 bytes");
    query[strlen("query = ") + QUERY_SIZE - 1] = '\0';
    char content[8192];
    snprintf(content, sizeof content, HEAD ORDERS "kind = custom\n%s\n" MEMBER, query);
    ini_load(content);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_uint_eq(strlen(ini.config->clusters[0].query), QUERY_SIZE - 1);
}
END_TEST

START_TEST(what_must_be_set_is_missed)
{
    ini_load("");
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(0, "[registry]: this section is missing");
    HAS_ERROR(0, "there is nothing to watch");
    ini_load("[registry]\n[cluster orders]\n[member orders/a]\n");
    HAS_ERROR(1, "[registry] servers: must be set");
    HAS_ERROR(2, "[cluster orders] engine: must be set (one of postgresql, mysql");
    HAS_ERROR(3, "[member orders/a] address: must be set (host:port");
    ck_assert_uint_eq(ini_error_count(), 3);
}
END_TEST

START_TEST(what_is_there_twice_is_refused)
{
    ini_refuses(MINIMAL, "[registry]\nroot = /x", "",
                "[registry]: this section stands twice: first on line 1");
    ini_refuses(MINIMAL, "[cluster orders]\nwitnesses = 3", "",
                "[cluster orders]: this section stands twice: first on line 3");
    ini_refuses(MINIMAL, "[member orders/pg-1]\naddress = x:1", "",
                "this section stands twice: first on line 5");
    ini_refuses(HEAD, "servers = zk2:2181", ORDERS MEMBER,
                "[registry] servers: is set twice: first on line 2");
    ini_refuses(MINIMAL "label.zone = a\n", "label.zone = b", "",
                "label.zone: is set twice: first on line 7");
}
END_TEST

START_TEST(discovery_needs_to_know_where)
{
    ini_load(
        HEAD ORDERS
        "discover = yes\ndiscover_within = 10.0.0.0/8, fd00::/8\ndiscover_forget = 5m\n" MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert(ini.config->clusters[0].discover);
    ck_assert_str_eq(ini.config->clusters[0].discover_within, "10.0.0.0/8, fd00::/8");
    ck_assert_int_eq(ini.config->clusters[0].discover_max, 8);
    ck_assert_int_eq(ini.config->clusters[0].discover_forget_ms, 300000);
    ini_load(HEAD ORDERS "discover = yes\n" MEMBER);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(3, "discover_within: must be set with discover = yes");
    ini_load(HEAD ORDERS "discover = yes\ndiscover_within = 10.0.0.0/40\n" MEMBER);
    ck_assert_uint_eq(ini_error_count(), 1);
    HAS_ERROR(6, "discover_within: '10.0.0.0/40': behind the slash stands a number from 0 to 32 "
                 "(ranges of addresses");
    ini_refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\n", "discover = maybe", MEMBER,
                "'maybe' is unknown");
    ini_refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\ndiscover = yes\n", "discover_max = 32",
                MEMBER, "out of range");
    ini_refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\nkind = stateless\n", "discover = yes",
                MEMBER, "does not fit kind stateless");
    ini_refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\ndiscover = yes\n", "discover_max = 31",
                MEMBER "[member orders/pg-2]\naddress = 10.0.0.2:5432\n",
                "beside the 2 configured ones there is room for 30");
    ini_load(HEAD ORDERS "discover_max = 3\n" MEMBER);
    ck_assert_ptr_nonnull(ini.config);
    HAS_ERROR(5, "discover_max: warning: has no effect without discover");
}
END_TEST

START_TEST(tls_settings_go_together)
{
    ini_write("ca.pem", 0644, "-", 1);
    ini_load(HEAD ORDERS "tls = verify\n" MEMBER);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(3, "tls_ca: must be set (tls = verify needs to know whom to believe)");
    ini_refuses(HEAD "[cluster orders]\nengine = mysql\n", "tls_ca = ca.pem", MEMBER,
                "has no effect while tls is off");
    ini_load(HEAD ORDERS "tls = verify\ntls_ca = ca.pem\n" MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
}
END_TEST

/* ---- members --------------------------------------------------------------------------------- */

START_TEST(clusters_are_sorted_and_members_find_theirs_from_anywhere)
{
    ini_load("[member b/y]\naddress = h1:1\n[cluster c]\nengine = mysql\n[cluster b]\nengine = "
             "mysql\n[member c/x]\naddress = h2:1\n"
             "[member b/x]\naddress = h3:1\n" HEAD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_uint_eq(ini.config->cluster_count, 2);
    ck_assert_str_eq(ini.config->clusters[0].name, "b");
    ck_assert_uint_eq(ini.config->clusters[0].member_count, 2);
    ck_assert_str_eq(ini.config->clusters[0].members[0].host, "h3");
    ck_assert_str_eq(ini.config->clusters[1].members[0].host, "h2");
}
END_TEST

START_TEST(as_many_members_as_fit_and_no_more)
{
    char content[4096];
    struct text text;
    for (int count = MEMBERS_MAX; count <= MEMBERS_MAX + 1; count++) {
        text_init(&text, content, sizeof content);
        text_put(&text, HEAD ORDERS);
        for (int i = 0; i < count; i++) {
            text_put(&text, "[member orders/m%02d]\naddress = h%d:1\n", i, i);
        }
        ck_assert(!text.cut);
        ini_load(content);
        ck_assert_int_eq(ini.config != NULL, count == MEMBERS_MAX);
    }
    HAS_ERROR(5 + 2 * MEMBERS_MAX, "at most 32 members");
}
END_TEST

START_TEST(one_address_is_one_member)
{
    ini_refuses(MINIMAL "[member orders/pg-2]\n", "address = 10.0.0.1:5432", "",
                "10.0.0.1:5432 is the address of [member orders/pg-1] as well, on line 6");
    ini_refuses(MINIMAL "[cluster b]\nengine = mysql\n[member b/a]\n", "address = 10.0.0.1:5432",
                "", "[member orders/pg-1] as well");
    ini_refuses(HEAD ORDERS "[member orders/a]\naddress = Db.Example:1\n[member orders/b]\n",
                "address = dB.example.:1", "", "[member orders/a] as well");
    ini_refuses(HEAD ORDERS "[member orders/a]\naddress = [::1]:1\n[member orders/b]\n",
                "address = [0:0::0001]:1", "", "[member orders/a] as well");
    ini_load(MINIMAL "[member orders/pg-2]\naddress = 10.0.0.1:5433\n");
    ck_assert_msg(ini.config, "%s", ini.errors);
}
END_TEST

START_TEST(too_many_labels_are_refused)
{
    ini_load(
        MINIMAL
        "label.1=x\nlabel.2=x\nlabel.3=x\nlabel.4=x\nlabel.5=x\nlabel.6=x\nlabel.7=x\nlabel.8=x\n");
    ck_assert_msg(ini.config, "%s", ini.errors);
    ini_refuses(
        MINIMAL
        "label.1=x\nlabel.2=x\nlabel.3=x\nlabel.4=x\nlabel.5=x\nlabel.6=x\nlabel.7=x\nlabel.8=x\n",
        "label.9=x", "", "is one label too many: a member has at most 8");
}
END_TEST

/* ---- secrets --------------------------------------------------------------------------------- */

#define WITH_PASSWORD HEAD ORDERS "password_file = password\n" MEMBER

START_TEST(the_password_file_must_be_there_and_be_a_secret)
{
    ini_load(WITH_PASSWORD);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(5, "password cannot be opened: No such file or directory");
    ini_write("password", 0644, "hunter2\n", 8);
    ini_load(WITH_PASSWORD);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(5, "has mode 0644, open to others than its owner (chmod 600 ");
    ini_write("password", 0604, "hunter2\n", 8);
    ini_load(WITH_PASSWORD);
    ck_assert_ptr_null(ini.config);
    ini_write("password", 0400, "hunter2", 7);
    ini_load(WITH_PASSWORD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->clusters[0].password, "hunter2");
}
END_TEST

START_TEST(a_mark_before_the_password_is_no_part_of_it)
{
    ini_write("password", 0600, "\xef\xbb\xbfhunter2\r\n", 12);
    ini_load(WITH_PASSWORD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->clusters[0].password, "hunter2");
    ini_write("password", 0600, "\xef\xbb\xbf\n", 4);
    ini_load(WITH_PASSWORD);
    HAS_ERROR(5, "is empty");
    char content[3 + SECRET_SIZE + 1] = "\xef\xbb\xbf";
    memset(content + 3, 'p', SECRET_SIZE - 1);
    memcpy(content + 3 + SECRET_SIZE - 1, "\r\n", 2);
    ini_write("password", 0600, content, sizeof content);
    ini_load(WITH_PASSWORD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_uint_eq(strlen(ini.config->clusters[0].password), SECRET_SIZE - 1);
}
END_TEST

START_TEST(the_password_is_the_first_line_and_fits)
{
    char content[SECRET_SIZE + 2];
    memset(content, 'p', sizeof content);
    ini_write("password", 0600, content, SECRET_SIZE - 1);
    ini_load(WITH_PASSWORD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_uint_eq(strlen(ini.config->clusters[0].password), SECRET_SIZE - 1);
    memcpy(content + SECRET_SIZE - 1, "\r\n", 2);
    ini_write("password", 0600, content, SECRET_SIZE + 1);
    ini_load(WITH_PASSWORD);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_uint_eq(strlen(ini.config->clusters[0].password), SECRET_SIZE - 1);
    memset(content, 'p', sizeof content);
    ini_write("password", 0600, content, SECRET_SIZE);
    ini_load(WITH_PASSWORD);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(5, "is longer than 255 bytes");
    ck_assert_ptr_null(strstr(ini.errors, "ppp"));
    ini_write("password", 0600, "\nhunter2\n", 9);
    ini_load(WITH_PASSWORD);
    HAS_ERROR(5, "is empty");
    ini_write("password", 0600, "a\0b\n", 4);
    ini_load(WITH_PASSWORD);
    HAS_ERROR(5, "NUL byte");
    ini_write("password", 0600, "", 0);
    ini_load(WITH_PASSWORD);
    HAS_ERROR(5, "is empty");
}
END_TEST

START_TEST(a_file_with_a_secret_in_it_must_be_one)
{
    static const char content[] = HEAD "auth = digest:roster:hunter2\n" ORDERS MEMBER;
    ini_write("roster-probe.ini", 0644, content, strlen(content));
    ini_load_path(ini.path);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(3, "[registry] auth: is a secret, but this file has mode 0644");
    ck_assert_ptr_null(strstr(ini.errors, "hunter2"));
    ini_write("roster-probe.ini", 0644, MINIMAL, strlen(MINIMAL));
    ini_load_path(ini.path);
    ck_assert_msg(ini.config, "%s", ini.errors);
}
END_TEST

#define OPS "ops:9haYA/nqM3XxNMGh/CO/vVlsjwY="

START_TEST(roles_need_credentials_of_our_own)
{
    struct access_rules rules;
    ini_refuses(HEAD, "operators = " OPS, ORDERS MEMBER,
                "[registry] operators: has no effect without auth (set auth, too)");
    ini_load(HEAD "auth = digest:roster:secret\noperators = " OPS "\n" ORDERS MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    config_access_rules(&ini.config->registry, &rules);
    ck_assert(access_ids_hold(&rules.operators, OPS));
    ck_assert(access_ids_hold(&rules.probes, "roster:shMOpcHjo1QYAvCQAAajcGAfEbY="));
    ck_assert_uint_eq(rules.nodes.count, 0);
}
END_TEST

Suite *checks_suite(void)
{
    Suite *suite = suite_create("checks");
    TCase *sections = tcase_create("sections");
    TCase *members = tcase_create("members");
    TCase *secrets = tcase_create("secrets");
    tcase_add_checked_fixture(sections, ini_setup, ini_teardown);
    tcase_add_test(sections, an_even_number_of_witnesses_is_a_warning);
    tcase_add_test(sections, a_query_belongs_to_kinds_that_are_asked_by_it);
    tcase_add_test(sections, what_must_be_set_is_missed);
    tcase_add_test(sections, what_is_there_twice_is_refused);
    tcase_add_test(sections, discovery_needs_to_know_where);
    tcase_add_test(sections, tls_settings_go_together);
    suite_add_tcase(suite, sections);
    tcase_add_checked_fixture(members, ini_setup, ini_teardown);
    tcase_add_test(members, clusters_are_sorted_and_members_find_theirs_from_anywhere);
    tcase_add_test(members, as_many_members_as_fit_and_no_more);
    tcase_add_test(members, one_address_is_one_member);
    tcase_add_test(members, too_many_labels_are_refused);
    suite_add_tcase(suite, members);
    tcase_add_checked_fixture(secrets, ini_setup, ini_teardown);
    tcase_add_test(secrets, the_password_file_must_be_there_and_be_a_secret);
    tcase_add_test(secrets, the_password_is_the_first_line_and_fits);
    tcase_add_test(secrets, a_mark_before_the_password_is_no_part_of_it);
    tcase_add_test(secrets, a_file_with_a_secret_in_it_must_be_one);
    tcase_add_test(secrets, roles_need_credentials_of_our_own);
    suite_add_tcase(suite, secrets);
    return suite;
}
