/* From the lines of a file to a configuration: what is read, and what is refused line by line. */
#include <stdlib.h>
#include <string.h>

#include "registry/base/log.h"
#include "registry/base/text.h"
#include "tests/unit/config/ini.h"
#include "tests/unit/unit.h"

/* ---- good files ------------------------------------------------------------------------------ */

START_TEST(a_minimal_file_gets_its_defaults)
{
    ini_load(MINIMAL);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.errors, "");
    ck_assert_str_eq(ini.config->registry.servers, "zk1:2181");
    ck_assert_str_eq(ini.config->registry.root, "/roster");
    ck_assert_str_eq(ini.config->registry.auth, "");
    ck_assert_int_eq(ini.config->registry.session_timeout_ms, 10000);
    ck_assert_int_eq(ini.config->probe.interval_ms, 1000);
    ck_assert_int_eq(ini.config->probe.alert_interval_ms, 25);
    ck_assert_int_eq(ini.config->probe.timeout_ms, 500);
    ck_assert_int_eq(ini.config->probe.rise, 2);
    ck_assert_int_eq(ini.config->probe.fall, 3);
    ck_assert_int_eq(ini.config->probe.log_level, LOG_NOTICE);
    ck_assert(text_is_name(ini.config->probe.name));
    ck_assert_uint_eq(ini.config->cluster_count, 1);
    const struct cluster_settings *orders = &ini.config->clusters[0];
    ck_assert_str_eq(orders->name, "orders");
    ck_assert_int_eq(orders->policy.engine, ENGINE_POSTGRESQL);
    ck_assert_int_eq(orders->policy.kind, KIND_STREAMING);
    ck_assert_int_eq(orders->policy.conflict, CONFLICT_HOLD);
    ck_assert_int_eq(orders->policy.witnesses, 1);
    ck_assert_str_eq(orders->user, "roster");
    ck_assert_str_eq(orders->database, "postgres");
    ck_assert_str_eq(orders->password, "");
    ck_assert_int_eq(orders->tls, TLS_PREFER);
    ck_assert_uint_eq(orders->member_count, 1);
    ck_assert_str_eq(orders->members[0].name, "pg-1");
    ck_assert_str_eq(orders->members[0].host, "10.0.0.1");
    ck_assert_uint_eq(orders->members[0].port, 5432);
    ck_assert_uint_eq(orders->members[0].weight, 100);
    ck_assert_uint_eq(orders->members[0].label_count, 0);
}
END_TEST

START_TEST(mysql_has_defaults_of_its_own)
{
    ini_load(HEAD "[cluster shop]\nengine = mysql\n[member shop/a]\naddress = db:3306\n");
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_int_eq(ini.config->clusters[0].policy.kind, KIND_AUTO); /* the servers are to tell */
    ck_assert_int_eq(ini.config->clusters[0].tls, TLS_OFF);
    ck_assert_str_eq(ini.config->clusters[0].database, "");
}
END_TEST

START_TEST(every_setting_arrives)
{
    ini_write("password", 0600, "hunter 2\r\nnot this\n", 19);
    ini_write("ca.pem", 0644, "-", 1);
    ini_load("\xef\xbb\xbf; a comment\r\n"
             "# another\r\n"
             "[registry]\r\n"
             "servers = zk1:2181, [::1]:2182/base\r\n"
             "root = /other/roster\r\n"
             "session_timeout = 1.5s\r\n"
             "auth = digest:roster:a;b c\r\n"
             "[ probe ] ; inline\r\n"
             "\tname = probe-a\r\n"
             "interval=2s\r\n"
             "alert_interval = 10ms ; inline\r\n"
             "timeout = 1s\r\n"
             "rise = 4\r\n"
             "fall = 5\r\n"
             "log_level = debug\r\n"
             "state_folder = /var/lib/roster\r\n"
             "[cluster orders]\r\n"
             "engine = postgresql\r\n"
             "kind = streaming\r\n"
             "witnesses = 3\r\n"
             "conflict = none\r\n"
             "user = monitor me\r\n"
             "database = template1\r\n"
             "password_file = password\r\n"
             "tls = verify\r\n"
             "tls_ca = ca.pem\r\n"
             "[member orders/b]\r\n"
             "address = [2001:db8::1]:5433\r\n"
             "weight = 0\r\n"
             "label.zone = b\r\n"
             "label.rack = 7 = 8\r\n"
             "[member   orders/a]\r\n"
             "address = db:5432");
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->registry.servers, "zk1:2181, [::1]:2182/base");
    ck_assert_str_eq(ini.config->registry.root, "/other/roster");
    ck_assert_str_eq(ini.config->registry.auth, "digest:roster:a;b c");
    ck_assert_int_eq(ini.config->registry.session_timeout_ms, 1500);
    ck_assert_str_eq(ini.config->probe.name, "probe-a");
    ck_assert_int_eq(ini.config->probe.interval_ms, 2000);
    ck_assert_int_eq(ini.config->probe.alert_interval_ms, 10);
    ck_assert_int_eq(ini.config->probe.timeout_ms, 1000);
    ck_assert_int_eq(ini.config->probe.rise, 4);
    ck_assert_int_eq(ini.config->probe.fall, 5);
    ck_assert_int_eq(ini.config->probe.log_level, LOG_DEBUG);
    ck_assert_str_eq(ini.config->probe.state_folder, "/var/lib/roster");
    const struct cluster_settings *orders = &ini.config->clusters[0];
    ck_assert_int_eq(orders->policy.witnesses, 3);
    ck_assert_int_eq(orders->policy.conflict, CONFLICT_NONE);
    ck_assert_str_eq(orders->user, "monitor me");
    ck_assert_str_eq(orders->database, "template1");
    ck_assert_str_eq(orders->password, "hunter 2");
    ck_assert_int_eq(orders->tls, TLS_VERIFY);
    ck_assert_int_eq(strncmp(orders->tls_ca, ini.folder, strlen(ini.folder)), 0);
    ck_assert_str_eq(orders->tls_ca + strlen(ini.folder), "/ca.pem");
    ck_assert_uint_eq(orders->member_count, 2);
    ck_assert_str_eq(orders->members[0].name, "a");
    const struct member_config *b = &orders->members[1];
    ck_assert_str_eq(b->name, "b");
    ck_assert_str_eq(b->host, "2001:db8::1");
    ck_assert_uint_eq(b->weight, 0);
    ck_assert_uint_eq(b->label_count, 2);
    ck_assert_str_eq(b->labels[0].key, "rack");
    ck_assert_str_eq(b->labels[0].value, "7 = 8");
    ck_assert_str_eq(b->labels[1].key, "zone");
}
END_TEST

START_TEST(lines_longer_than_inih_can_take_arrive_whole)
{
    /* A blank, a semicolon, an equals sign and a bracket each come to stand at the place where
     * inih's line ends. */
    for (size_t length = 120; length < 300; length++) {
        char servers[SERVERS_SIZE], content[2 * SERVERS_SIZE];
        struct text text, file;
        text_init(&text, servers, sizeof servers);
        for (int i = 0; text.used + 30 < length; i++) {
            text_put(&text, "%sz%d:2181", i ? " , " : "", i);
        }
        text_put(&text, ", ");
        while (text.used < length) {
            text_put(&text, "h");
        }
        text_put(&text, ":1");
        text_init(&file, content, sizeof content);
        text_put(&file, "[registry]\nservers = %s ; and a comment = [x]\n" ORDERS MEMBER, servers);
        ck_assert(!file.cut);
        ini_load(content);
        ck_assert_msg(ini.config, "%zu: %s", length, ini.errors);
        ck_assert_str_eq(ini.config->registry.servers, servers);
    }
}
END_TEST

START_TEST(a_value_behind_many_blanks_arrives)
{
    char content[1024];
    snprintf(content, sizeof content, "[registry]\nservers = %300s\n" ORDERS MEMBER, "zk1:2181");
    ini_load(content);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->registry.servers, "zk1:2181");
}
END_TEST

START_TEST(long_names_are_not_cut)
{
    char cluster[NAME_SIZE], member[NAME_SIZE], content[1024];
    memset(cluster, 'c', sizeof cluster - 1);
    memset(member, 'm', sizeof member - 1);
    cluster[NAME_SIZE - 1] = member[NAME_SIZE - 1] = '\0';
    snprintf(content, sizeof content,
             HEAD "[cluster %s]\nengine = mysql\n[member %s/%s]\naddress = a:1\n", cluster, cluster,
             member);
    ini_load(content);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->clusters[0].name, cluster);
    ck_assert_str_eq(ini.config->clusters[0].members[0].name, member);
}
END_TEST

/* ---- bad files ------------------------------------------------------------------------------- */

START_TEST(a_bad_line_is_named_with_a_hint)
{
    ini_refuses(HEAD, "[prob]\nname = x", ORDERS MEMBER,
                "[prob]: there is no such section (did you mean probe?");
    ini_refuses(HEAD ORDERS MEMBER, "[cluster]\nengine = mysql", "", "[cluster]: has no name");
    ini_refuses(HEAD ORDERS MEMBER, "[member pg-2]\naddress = b:1", "",
                "[member pg-2]: does not say whose member it is");
    ini_refuses(HEAD ORDERS MEMBER, "[member orders/pg 2]\naddress = b:1", "",
                "'pg 2' is not a name");
    ini_refuses(HEAD ORDERS MEMBER, "[member orders/a/b]\naddress = b:1", "",
                "'a/b' is not a name");
    ini_refuses(HEAD ORDERS MEMBER, "[probe a]\nname = x", "", "takes no name");
    ini_refuses(HEAD ORDERS MEMBER, "[probe", "", "the heading has no ']'");
    ini_refuses(HEAD ORDERS MEMBER, "[probe] x", "", "something behind the heading");
    ini_refuses(HEAD, "root = roster", ORDERS MEMBER,
                "[registry] root: 'roster' is not a znode path (a path such as /roster");
    ini_refuses(HEAD, "root = /roster/", ORDERS MEMBER, "is not a znode path");
    ini_refuses(HEAD, "session_timeout = 10", ORDERS MEMBER,
                "[registry] session_timeout: 10 has no unit (in which unit? 10ms, 10s)");
    ini_refuses(HEAD, "session_timeout = 999ms", ORDERS MEMBER, "out of range (from 1s to 5m)");
    ini_refuses(HEAD, "auth = digest:me", ORDERS MEMBER, "has no user or no password");
    ini_refuses(HEAD "auth = digest:a:b\n", "operators = ops:secret", ORDERS MEMBER,
                "operators: what follows 'ops:' is no SHA-1 in base64");
    ini_refuses(HEAD, "auth = world:x:y", ORDERS MEMBER, "does not begin with 'digest:'");
    ini_refuses(HEAD, "sesion_timeout = 1s", ORDERS MEMBER,
                "there is no such setting here (did you mean session_timeout?)");
    ini_refuses(HEAD, "interval = 1s", ORDERS MEMBER, "it belongs to a [probe] section");
    ini_refuses(HEAD, "colour = red", ORDERS MEMBER,
                "there are auth, nodes, operators, probes, root, servers, session_timeout");
    ini_refuses(HEAD, "root", ORDERS MEMBER,
                "[registry]: this is not a setting (write KEY = VALUE");
    ini_refuses(HEAD, "root: /x", ORDERS MEMBER, "this is not a setting");
    ini_refuses(HEAD, "= /x", ORDERS MEMBER, "there is no key");
    ini_refuses(HEAD, "root =", ORDERS MEMBER,
                "[registry] root: has no value (leave the line out for the default, /roster)");
    ini_refuses(HEAD, "root = ; nothing", ORDERS MEMBER, "has no value");
    ini_refuses(HEAD, "root = \"/x\"", ORDERS MEMBER, "quotes would be part of the value");
    ini_refuses(HEAD, "root = /x # comment", ORDERS MEMBER, "a comment begins with ';'");
    ini_refuses(
        HEAD ORDERS, "kind = asynch", MEMBER,
        "'asynch' is unknown (did you mean async? one of streaming, async, group-replication, "
        "galera, stateless, custom, auto)");
    ini_refuses(HEAD ORDERS, "kind = async", MEMBER,
                "async does not fit engine postgresql (one of streaming, stateless, custom, auto)");
    ini_refuses(HEAD ORDERS, "witnesses = 16", MEMBER, "16 is out of range (from 1 to 15)");
    ini_refuses(HEAD ORDERS, "witnesses = many", MEMBER,
                "'many' is not a whole number (from 1 to 15)");
    ini_refuses(HEAD ORDERS, "conflict = holt", MEMBER, "did you mean hold?");
    ini_refuses(HEAD ORDERS, "tls_ca = /nowhere/ca.pem", MEMBER,
                "/nowhere/ca.pem cannot be opened: No such file or directory");
    ini_refuses(HEAD ORDERS, "tls_ca = /tmp", MEMBER, "/tmp is a directory");
    ini_refuses(HEAD ORDERS MEMBER, "weight = 1001", "",
                "[member orders/pg-1] weight: 1001 is out of range (from 0 to 1000)");
    ini_refuses(HEAD ORDERS MEMBER, "label.=x", "", "the label's key is not a name");
    ini_refuses(HEAD ORDERS MEMBER, "label.a b=x", "", "the label's key is not a name");
    ini_refuses(HEAD ORDERS "[member orders/a]\n", "address = 10.0.0.1", "",
                "'10.0.0.1' has no port");
    ini_refuses(HEAD ORDERS "[member orders/a]\n", "address = ::1:5432", "",
                "brackets round an IPv6 address");
    ini_refuses(HEAD ORDERS "[member orders/a]\n", "address = db:0", "", "'db:0' is not host:port");
    ini_refuses(HEAD ORDERS MEMBER "[probe]\n", "interval = 20ms", "",
                "20ms is out of range (from 50ms to 1h)");
    ini_refuses(HEAD ORDERS MEMBER "[probe]\n", "name = a b", "", "'a b' is not a name");
    ini_refuses(HEAD ORDERS MEMBER "[probe]\n", "interval = soon", "",
                "'soon' is not a duration (a number and a unit (ms, s, m, h, d), such as 1s)");
    ini_refuses(HEAD ORDERS MEMBER "[probe]\ninterval = 50ms\n", "alert_interval = 60ms", "",
                "is longer than interval");
    ini_refuses(HEAD ORDERS MEMBER "[probe]\n", "log_level = loud", "",
                "one of error, warning, notice, info, debug");
    ini_refuses("", "root = /x", MINIMAL, "this setting stands before any section");
}
END_TEST

START_TEST(engines_that_do_not_exist_are_refused)
{
    ini_refuses(HEAD "[cluster orders]\n", "engine = postgres", MEMBER, "did you mean postgresql?");
    ini_refuses(HEAD "[cluster orders]\n", "engine = mariadb", MEMBER, "mysql is MariaDB, too");
    ini_refuses(HEAD "[cluster orders]\n", "engine = PostgreSQL", MEMBER,
                "did you mean postgresql?");
}
END_TEST

START_TEST(all_mistakes_are_printed_in_one_run_in_the_order_of_the_file)
{
    ini_load("x = 1\n"
             "[registry]\n"
             "server = zk1\n"
             "[cluster orders]\n"
             "engine = oracle\n"
             "witnesses = 0\n"
             "[member order/a]\n"
             "adress = a:1\n"
             "[probe]\n"
             "rise = 0\n");
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(1, "before any section");
    HAS_ERROR(2, "[registry] servers: must be set");
    HAS_ERROR(3, "did you mean servers?");
    HAS_ERROR(
        4,
        "[cluster orders]: this cluster has no members (add [member orders/NAME] with an address)");
    HAS_ERROR(5, "'oracle' is unknown");
    HAS_ERROR(6, "0 is out of range");
    HAS_ERROR(7, "there is no cluster 'order' (did you mean orders/a?)");
    HAS_ERROR(8, "did you mean address?");
    HAS_ERROR(10, "0 is out of range");
    long before = 0;
    for (const char *at = ini.errors; *at; at += strcspn(at, "\n") + 1) {
        long line = strtol(at + strlen(ini.path) + 1, NULL, 10);
        ck_assert_int_ge(line, before);
        before = line;
    }
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
    static const char nul[] = HEAD "root = /a\0b\n" ORDERS MEMBER;
    ini_load_bytes(nul, sizeof nul - 1);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(3, "NUL byte");
    ck_assert_uint_eq(ini_error_count(), 1);
    ini_refuses(HEAD, "root = /caf\xe9", ORDERS MEMBER, "is not UTF-8");
    ini_refuses(HEAD, "root = /a\x1b[m", ORDERS MEMBER, "control character");
    ini_refuses(HEAD, "root = /a\rroot = /b", ORDERS MEMBER, "control character");
}
END_TEST

START_TEST(lines_that_are_too_long_are_refused)
{
    static char line[LINE_SIZE + 1];
    memcpy(line, "root = /", 8);
    memset(line + 8, 'x', LINE_SIZE - 8);
    ini_refuses(HEAD, line, ORDERS MEMBER, "the line is longer than 4095 bytes");
    line[LINE_SIZE - 1] = '\0';
    ini_refuses(HEAD, line, ORDERS MEMBER, "is not a znode path");
    memset(line, 'k', 100);
    memcpy(line + 100, "=1", 3);
    ini_refuses(HEAD, line, ORDERS MEMBER, "is too long for a key");
    char content[2 * LINE_SIZE];
    memset(line, ';', LINE_SIZE);
    line[LINE_SIZE] = '\0';
    snprintf(content, sizeof content, MINIMAL "%s\n",
             line); /* but a comment may be of any length */
    ini_load(content);
    ck_assert_msg(ini.config, "%s", ini.errors);
}
END_TEST

START_TEST(an_indented_line_is_not_swallowed_by_the_one_above)
{
    ini_load("[registry]\nservers = zk1:2181\n  root = /x\n" ORDERS MEMBER);
    ck_assert_msg(ini.config, "%s", ini.errors);
    ck_assert_str_eq(ini.config->registry.servers, "zk1:2181");
    ck_assert_str_eq(ini.config->registry.root, "/x");
    ini_refuses("[registry]\nservers = zk1:2181\n", "   ,zk2:2181", ORDERS MEMBER,
                "a value cannot go on in the next line");
}
END_TEST

START_TEST(settings_below_a_bad_heading_do_not_land_in_the_section_above)
{
    ini_load(HEAD "[regestry]\nservers = other:1\nroot = /other\n" ORDERS MEMBER);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(3, "did you mean registry?");
    ck_assert_uint_eq(ini_error_count(), 1);
}
END_TEST

/* ---- the file -------------------------------------------------------------------------------- */

START_TEST(a_folder_or_nothing_is_no_configuration)
{
    ini_load_path(ini.folder);
    ck_assert_ptr_null(ini.config);
    ck_assert_ptr_nonnull(strstr(ini.errors, "is a directory"));
    ini_load_path("/nowhere/roster-probe.ini");
    ck_assert_ptr_null(ini.config);
    ck_assert_str_eq(ini.errors,
                     "/nowhere/roster-probe.ini: cannot be opened: No such file or directory\n");
    ini_load_path("/dev/null");
    ck_assert_ptr_null(ini.config);
    ck_assert_ptr_nonnull(strstr(ini.errors, "regular file"));
}
END_TEST

START_TEST(an_endless_file_is_refused)
{
    size_t size = FILE_SIZE_MAX + 1;
    char *content = malloc(size);
    memset(content, '\n', size);
    ini_load_bytes(content, size);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(0, "is larger than");
    ini_load_bytes(content, size - 1);
    ck_assert_ptr_null(ini.config);
    HAS_ERROR(0, "[registry]: this section is missing");
    free(content);
}
END_TEST

START_TEST(nothing_is_freed_twice_when_there_is_nothing)
{
    config_free(NULL);
}
END_TEST

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *good = tcase_create("good files");
    TCase *bad = tcase_create("bad files");
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(good, ini_setup, ini_teardown);
    tcase_add_test(good, a_minimal_file_gets_its_defaults);
    tcase_add_test(good, mysql_has_defaults_of_its_own);
    tcase_add_test(good, every_setting_arrives);
    tcase_add_test(good, lines_longer_than_inih_can_take_arrive_whole);
    tcase_add_test(good, a_value_behind_many_blanks_arrives);
    tcase_add_test(good, long_names_are_not_cut);
    suite_add_tcase(suite, good);
    tcase_add_checked_fixture(bad, ini_setup, ini_teardown);
    tcase_add_test(bad, a_bad_line_is_named_with_a_hint);
    tcase_add_test(bad, engines_that_do_not_exist_are_refused);
    tcase_add_test(bad, all_mistakes_are_printed_in_one_run_in_the_order_of_the_file);
    tcase_add_test(bad, bytes_that_are_no_text_are_refused);
    tcase_add_test(bad, lines_that_are_too_long_are_refused);
    tcase_add_test(bad, an_indented_line_is_not_swallowed_by_the_one_above);
    tcase_add_test(bad, settings_below_a_bad_heading_do_not_land_in_the_section_above);
    suite_add_tcase(suite, bad);
    tcase_add_checked_fixture(files, ini_setup, ini_teardown);
    tcase_add_test(files, a_folder_or_nothing_is_no_configuration);
    tcase_add_test(files, an_endless_file_is_refused);
    tcase_add_test(files, nothing_is_freed_twice_when_there_is_nothing);
    suite_add_tcase(suite, files);
    return suite;
}
