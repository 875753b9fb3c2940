#include "registry/config/config.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/log.h"
#include "registry/base/text.h"
#include "registry/config/settings.h"
#include "registry/store/connect_string.h"
#include "tests/unit/unit.h"

/* ---- a folder with an INI in it ---------------------------------------------------------------- */

static char folder[64];
static char ini[96];
static struct config *config;
static char *said; /* the errors */
static size_t said_size;

static void make_folder(void)
{
    strcpy(folder, "/tmp/roster-config-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(ini, sizeof ini, "%s/roster-probe.ini", folder);
}

static void remove_folder(void)
{
    static const char *const files[] = {"roster-probe.ini", "password", "ca.pem"};
    config_free(config);
    config = NULL;
    free(said);
    said = NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        unlink(path);
    }
    rmdir(folder);
}

static void write_file(const char *name, mode_t mode, const void *content, size_t size)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void load_path(const char *path)
{
    config_free(config);
    free(said);
    said = NULL;
    FILE *errors = open_memstream(&said, &said_size);
    ck_assert_ptr_nonnull(errors);
    config = config_load(path, errors);
    ck_assert_int_eq(fclose(errors), 0);
}

static void load_bytes(const void *content, size_t size)
{
    write_file("roster-probe.ini", 0600, content, size);
    load_path(ini);
}

static void load(const char *content)
{
    load_bytes(content, strlen(content));
}

/* Is there a complaint on that line with these words in it? Line 0: about the file as a whole. */
static bool is_said(int line, const char *words)
{
    char start[128];
    if (line > 0) {
        snprintf(start, sizeof start, "%s:%d: ", ini, line);
    } else {
        snprintf(start, sizeof start, "%s: ", ini);
    }
    for (const char *at = said, *next; *at; at = next) {
        next = at + strcspn(at, "\n") + 1;
        const char *found = strstr(at, words);
        if (strncmp(at, start, strlen(start)) == 0 && found && found < next) {
            return true;
        }
    }
    return false;
}

static size_t complaints_count(void)
{
    size_t n = 0;
    for (const char *at = said; *at; at++) {
        n += *at == '\n';
    }
    return n;
}

#define COMPLAINS(line, words)                                                                     \
    ck_assert_msg(is_said(line, words), "line %d: expected '%s', said:\n%s", line, words, said)

#define HEAD "[registry]\nservers = zk1:2181\n"          /* lines 1, 2 */
#define ORDERS "[cluster orders]\nengine = postgresql\n" /* two lines */
#define MEMBER "[member orders/pg-1]\naddress = 10.0.0.1:5432\n"
#define MINIMAL HEAD ORDERS MEMBER

/* One bad line in an otherwise good file: refused, with these words, and nothing else is wrong. */
static void refuses(const char *before, const char *bad, const char *after, const char *words)
{
    char content[8192];
    int line = 1;
    snprintf(content, sizeof content, "%s%s\n%s", before, bad, after);
    for (const char *at = before; *at; at++) {
        line += *at == '\n';
    }
    load(content);
    ck_assert_msg(!config, "'%s' was taken", bad);
    COMPLAINS(line, words);
    ck_assert_msg(complaints_count() == 1, "'%s' gave more than one complaint:\n%s", bad, said);
}

/* ---- good files -------------------------------------------------------------------------------- */

START_TEST(a_minimal_file_gets_its_defaults)
{
    load(MINIMAL);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(said, "");
    ck_assert_str_eq(config->registry.servers, "zk1:2181");
    ck_assert_str_eq(config->registry.root, "/roster");
    ck_assert_str_eq(config->registry.auth, "");
    ck_assert_int_eq(config->registry.session_timeout_ms, 10000);
    ck_assert_int_eq(config->probe.interval_ms, 1000);
    ck_assert_int_eq(config->probe.alert_interval_ms, 25);
    ck_assert_int_eq(config->probe.timeout_ms, 500);
    ck_assert_int_eq(config->probe.rise, 1);
    ck_assert_int_eq(config->probe.fall, 3);
    ck_assert_int_eq(config->probe.log_level, LOG_NOTICE);
    ck_assert(text_is_name(config->probe.name));
    ck_assert_uint_eq(config->cluster_count, 1);
    const struct cluster_settings *orders = &config->clusters[0];
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
    load(HEAD "[cluster shop]\nengine = mysql\n[member shop/a]\naddress = db:3306\n");
    ck_assert_msg(config, "%s", said);
    ck_assert_int_eq(config->clusters[0].policy.kind, KIND_AUTO); /* the servers are to tell */
    ck_assert_int_eq(config->clusters[0].tls, TLS_OFF);
    ck_assert_str_eq(config->clusters[0].database, "");
}
END_TEST

START_TEST(every_setting_arrives)
{
    write_file("password", 0600, "hunter 2\r\nnot this\n", 19);
    write_file("ca.pem", 0644, "-", 1);
    load("\xef\xbb\xbf; a comment\r\n"
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
         "rise = 2\r\n"
         "fall = 5\r\n"
         "log_level = debug\r\n"
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
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->registry.servers, "zk1:2181, [::1]:2182/base");
    ck_assert_str_eq(config->registry.root, "/other/roster");
    ck_assert_str_eq(config->registry.auth, "digest:roster:a;b c");
    ck_assert_int_eq(config->registry.session_timeout_ms, 1500);
    ck_assert_str_eq(config->probe.name, "probe-a");
    ck_assert_int_eq(config->probe.interval_ms, 2000);
    ck_assert_int_eq(config->probe.alert_interval_ms, 10);
    ck_assert_int_eq(config->probe.timeout_ms, 1000);
    ck_assert_int_eq(config->probe.rise, 2);
    ck_assert_int_eq(config->probe.fall, 5);
    ck_assert_int_eq(config->probe.log_level, LOG_DEBUG);
    const struct cluster_settings *orders = &config->clusters[0];
    ck_assert_int_eq(orders->policy.witnesses, 3);
    ck_assert_int_eq(orders->policy.conflict, CONFLICT_NONE);
    ck_assert_str_eq(orders->user, "monitor me");
    ck_assert_str_eq(orders->database, "template1");
    ck_assert_str_eq(orders->password, "hunter 2");
    ck_assert_int_eq(orders->tls, TLS_VERIFY);
    ck_assert_int_eq(strncmp(orders->tls_ca, folder, strlen(folder)), 0);
    ck_assert_str_eq(orders->tls_ca + strlen(folder), "/ca.pem");
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

START_TEST(clusters_are_sorted_and_members_find_theirs_from_anywhere)
{
    load("[member b/y]\naddress = h1:1\n[cluster c]\nengine = mysql\n[cluster b]\nengine = "
         "mysql\n[member c/x]\naddress = h2:1\n"
         "[member b/x]\naddress = h3:1\n" HEAD);
    ck_assert_msg(config, "%s", said);
    ck_assert_uint_eq(config->cluster_count, 2);
    ck_assert_str_eq(config->clusters[0].name, "b");
    ck_assert_uint_eq(config->clusters[0].member_count, 2);
    ck_assert_str_eq(config->clusters[0].members[0].host, "h3");
    ck_assert_str_eq(config->clusters[1].members[0].host, "h2");
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
        load(content);
        ck_assert_msg(config, "%zu: %s", length, said);
        ck_assert_str_eq(config->registry.servers, servers);
    }
}
END_TEST

START_TEST(a_value_behind_many_blanks_arrives)
{
    char content[1024];
    snprintf(content, sizeof content, "[registry]\nservers = %300s\n" ORDERS MEMBER, "zk1:2181");
    load(content);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->registry.servers, "zk1:2181");
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
    load(content);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->clusters[0].name, cluster);
    ck_assert_str_eq(config->clusters[0].members[0].name, member);
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
        load(content);
        ck_assert_int_eq(config != NULL, count == MEMBERS_MAX);
    }
    COMPLAINS(5 + 2 * MEMBERS_MAX, "at most 32 members");
}
END_TEST

START_TEST(an_even_number_of_witnesses_is_a_warning)
{
    load(HEAD ORDERS "witnesses = 4\n" MEMBER);
    ck_assert_ptr_nonnull(config);
    COMPLAINS(5, "[cluster orders] witnesses: warning: 4 is even");
}
END_TEST

/* ---- bad files --------------------------------------------------------------------------------- */

START_TEST(a_bad_line_is_named_with_a_hint)
{
    refuses(HEAD, "[prob]\nname = x", ORDERS MEMBER,
            "[prob]: there is no such section (did you mean probe?");
    refuses(HEAD ORDERS MEMBER, "[cluster]\nengine = mysql", "", "[cluster]: has no name");
    refuses(HEAD ORDERS MEMBER, "[member pg-2]\naddress = b:1", "",
            "[member pg-2]: does not say whose member it is");
    refuses(HEAD ORDERS MEMBER, "[member orders/pg 2]\naddress = b:1", "", "'pg 2' is not a name");
    refuses(HEAD ORDERS MEMBER, "[member orders/a/b]\naddress = b:1", "", "'a/b' is not a name");
    refuses(HEAD ORDERS MEMBER, "[probe a]\nname = x", "", "takes no name");
    refuses(HEAD ORDERS MEMBER, "[probe", "", "the heading has no ']'");
    refuses(HEAD ORDERS MEMBER, "[probe] x", "", "something behind the heading");
    refuses(HEAD, "root = roster", ORDERS MEMBER,
            "[registry] root: 'roster' is not a znode path (a path such as /roster");
    refuses(HEAD, "root = /roster/", ORDERS MEMBER, "is not a znode path");
    refuses(HEAD, "session_timeout = 10", ORDERS MEMBER,
            "[registry] session_timeout: 10 has no unit (in which unit? 10ms, 10s)");
    refuses(HEAD, "session_timeout = 999ms", ORDERS MEMBER, "out of range (from 1s to 5m)");
    refuses(HEAD, "auth = digest:me", ORDERS MEMBER, "has no user or no password");
    refuses(HEAD, "auth = world:x:y", ORDERS MEMBER, "does not begin with 'digest:'");
    refuses(HEAD, "sesion_timeout = 1s", ORDERS MEMBER,
            "there is no such setting here (did you mean session_timeout?)");
    refuses(HEAD, "interval = 1s", ORDERS MEMBER, "it belongs to a [probe] section");
    refuses(HEAD, "colour = red", ORDERS MEMBER, "there are auth, root, servers, session_timeout");
    refuses(HEAD, "root", ORDERS MEMBER, "[registry]: this is not a setting (write KEY = VALUE");
    refuses(HEAD, "root: /x", ORDERS MEMBER, "this is not a setting");
    refuses(HEAD, "= /x", ORDERS MEMBER, "there is no key");
    refuses(HEAD, "root =", ORDERS MEMBER,
            "[registry] root: has no value (leave the line out for the default, /roster)");
    refuses(HEAD, "root = ; nothing", ORDERS MEMBER, "has no value");
    refuses(HEAD, "root = \"/x\"", ORDERS MEMBER, "quotes would be part of the value");
    refuses(HEAD, "root = /x # comment", ORDERS MEMBER, "a comment begins with ';'");
    refuses(HEAD ORDERS, "kind = asynch", MEMBER,
            "'asynch' is unknown (did you mean async? one of streaming, async, group-replication, "
            "galera, stateless, custom, auto)");
    refuses(HEAD ORDERS, "kind = async", MEMBER,
            "async does not fit engine postgresql (one of streaming, stateless, custom, auto)");
    refuses(HEAD ORDERS, "witnesses = 16", MEMBER, "16 is out of range (from 1 to 15)");
    refuses(HEAD ORDERS, "witnesses = many", MEMBER, "'many' is not a whole number (from 1 to 15)");
    refuses(HEAD ORDERS, "conflict = holt", MEMBER, "did you mean hold?");
    refuses(HEAD ORDERS, "tls_ca = /nowhere/ca.pem", MEMBER,
            "/nowhere/ca.pem cannot be opened: No such file or directory");
    refuses(HEAD ORDERS, "tls_ca = /tmp", MEMBER, "/tmp is a directory");
    refuses(HEAD ORDERS MEMBER, "weight = 1001", "",
            "[member orders/pg-1] weight: 1001 is out of range (from 0 to 1000)");
    refuses(HEAD ORDERS MEMBER, "label.=x", "", "the label's key is not a name");
    refuses(HEAD ORDERS MEMBER, "label.a b=x", "", "the label's key is not a name");
    refuses(HEAD ORDERS "[member orders/a]\n", "address = 10.0.0.1", "", "'10.0.0.1' has no port");
    refuses(HEAD ORDERS "[member orders/a]\n", "address = ::1:5432", "",
            "brackets round an IPv6 address");
    refuses(HEAD ORDERS "[member orders/a]\n", "address = db:0", "", "'db:0' is not host:port");
    refuses(HEAD ORDERS MEMBER "[probe]\n", "interval = 20ms", "",
            "20ms is out of range (from 50ms to 1h)");
    refuses(HEAD ORDERS MEMBER "[probe]\n", "name = a b", "", "'a b' is not a name");
    refuses(HEAD ORDERS MEMBER "[probe]\n", "interval = soon", "",
            "'soon' is not a duration (a number and a unit (ms, s, m, h, d), such as 1s)");
    refuses(HEAD ORDERS MEMBER "[probe]\ninterval = 50ms\n", "alert_interval = 60ms", "",
            "is longer than interval");
    refuses(HEAD ORDERS MEMBER "[probe]\n", "log_level = loud", "",
            "one of error, warning, notice, info, debug");
    refuses("", "root = /x", MINIMAL, "this setting stands before any section");
}
END_TEST

#define SHOP "[cluster orders]\nengine = mysql\n"

START_TEST(a_query_belongs_to_kinds_that_are_asked_by_it)
{
    char query[QUERY_SIZE + 16] = "query = ";
    load(
        HEAD ORDERS
        "kind = custom\nquery = SELECT a::text, b = 'c' AS claim FROM t WHERE d <> 'e;f'\n" MEMBER);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->clusters[0].query,
                     "SELECT a::text, b = 'c' AS claim FROM t WHERE d <> 'e;f'");
    load(HEAD SHOP "kind = stateless\n" MEMBER);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->clusters[0].query, "");
    ck_assert_int_eq(config->clusters[0].policy.writers, WRITERS_ALL);
    load(HEAD SHOP "kind = stateless\nwriters = single\nquery = SELECT 1 AS ready\n" MEMBER);
    ck_assert_msg(config, "%s", said);
    ck_assert_int_eq(config->clusters[0].policy.writers, WRITERS_SINGLE);
    refuses(HEAD SHOP "kind = custom\nquery = SELECT 1\n", "writers = all", MEMBER,
            "writers: all does not fit kind custom");
    refuses(HEAD, "[cluster orders]", "engine = mysql\nkind = custom\n" MEMBER,
            "query: must be set for kind custom");
    refuses(HEAD ORDERS, "query = SELECT 1", MEMBER,
            "query: does not fit kind auto, which has its own question (kind = custom, or");
    refuses(HEAD ORDERS "kind = streaming\n", "query = SELECT 1", MEMBER,
            "query: does not fit kind streaming");
    refuses(HEAD SHOP "kind = galera\n", "query = SELECT 1", MEMBER,
            "query: does not fit kind galera");
    memset(query + strlen(query), 'x', QUERY_SIZE);
    refuses(HEAD ORDERS "kind = custom\n", query, MEMBER, "query: is longer than 3071 bytes");
    query[strlen("query = ") + QUERY_SIZE - 1] = '\0';
    char content[8192];
    snprintf(content, sizeof content, HEAD ORDERS "kind = custom\n%s\n" MEMBER, query);
    load(content);
    ck_assert_msg(config, "%s", said);
    ck_assert_uint_eq(strlen(config->clusters[0].query), QUERY_SIZE - 1);
}
END_TEST

START_TEST(engines_that_do_not_exist_are_refused)
{
    refuses(HEAD "[cluster orders]\n", "engine = postgres", MEMBER, "did you mean postgresql?");
    refuses(HEAD "[cluster orders]\n", "engine = mariadb", MEMBER, "mysql is MariaDB, too");
    refuses(HEAD "[cluster orders]\n", "engine = PostgreSQL", MEMBER, "did you mean postgresql?");
}
END_TEST

START_TEST(all_mistakes_are_told_in_one_run_in_the_order_of_the_file)
{
    load("x = 1\n"
         "[registry]\n"
         "server = zk1\n"
         "[cluster orders]\n"
         "engine = oracle\n"
         "witnesses = 0\n"
         "[member order/a]\n"
         "adress = a:1\n"
         "[probe]\n"
         "rise = 0\n");
    ck_assert_ptr_null(config);
    COMPLAINS(1, "before any section");
    COMPLAINS(2, "[registry] servers: must be set");
    COMPLAINS(3, "did you mean servers?");
    COMPLAINS(
        4,
        "[cluster orders]: this cluster has no members (add [member orders/NAME] with an address)");
    COMPLAINS(5, "'oracle' is unknown");
    COMPLAINS(6, "0 is out of range");
    COMPLAINS(7, "there is no cluster 'order' (did you mean orders/a?)");
    COMPLAINS(8, "did you mean address?");
    COMPLAINS(10, "0 is out of range");
    long before = 0;
    for (const char *at = said; *at; at += strcspn(at, "\n") + 1) {
        long line = strtol(at + strlen(ini) + 1, NULL, 10);
        ck_assert_int_ge(line, before);
        before = line;
    }
}
END_TEST

START_TEST(what_must_be_set_is_missed)
{
    load("");
    ck_assert_ptr_null(config);
    COMPLAINS(0, "[registry]: this section is missing");
    COMPLAINS(0, "there is nothing to watch");
    load("[registry]\n[cluster orders]\n[member orders/a]\n");
    COMPLAINS(1, "[registry] servers: must be set");
    COMPLAINS(2, "[cluster orders] engine: must be set (one of postgresql, mysql");
    COMPLAINS(3, "[member orders/a] address: must be set (host:port");
    ck_assert_uint_eq(complaints_count(), 3);
}
END_TEST

START_TEST(what_stands_twice_is_refused)
{
    refuses(MINIMAL, "[registry]\nroot = /x", "",
            "[registry]: this section stands twice: first on line 1");
    refuses(MINIMAL, "[cluster orders]\nwitnesses = 3", "",
            "[cluster orders]: this section stands twice: first on line 3");
    refuses(MINIMAL, "[member orders/pg-1]\naddress = x:1", "",
            "this section stands twice: first on line 5");
    refuses(HEAD, "servers = zk2:2181", ORDERS MEMBER,
            "[registry] servers: is set twice: first on line 2");
    refuses(MINIMAL "label.zone = a\n", "label.zone = b", "",
            "label.zone: is set twice: first on line 7");
}
END_TEST

START_TEST(one_address_is_one_member)
{
    refuses(MINIMAL "[member orders/pg-2]\n", "address = 10.0.0.1:5432", "",
            "10.0.0.1:5432 is the address of [member orders/pg-1] as well, on line 6");
    refuses(MINIMAL "[cluster b]\nengine = mysql\n[member b/a]\n", "address = 10.0.0.1:5432", "",
            "[member orders/pg-1] as well");
    refuses(HEAD ORDERS "[member orders/a]\naddress = Db.Example:1\n[member orders/b]\n",
            "address = dB.example.:1", "", "[member orders/a] as well");
    refuses(HEAD ORDERS "[member orders/a]\naddress = [::1]:1\n[member orders/b]\n",
            "address = [0:0::0001]:1", "", "[member orders/a] as well");
    load(MINIMAL "[member orders/pg-2]\naddress = 10.0.0.1:5433\n");
    ck_assert_msg(config, "%s", said);
}
END_TEST

START_TEST(too_many_labels_are_refused)
{
    load(
        MINIMAL
        "label.1=x\nlabel.2=x\nlabel.3=x\nlabel.4=x\nlabel.5=x\nlabel.6=x\nlabel.7=x\nlabel.8=x\n");
    ck_assert_msg(config, "%s", said);
    refuses(
        MINIMAL
        "label.1=x\nlabel.2=x\nlabel.3=x\nlabel.4=x\nlabel.5=x\nlabel.6=x\nlabel.7=x\nlabel.8=x\n",
        "label.9=x", "", "is one label too many: a member has at most 8");
}
END_TEST

START_TEST(bytes_that_are_no_text_are_refused)
{
    static const char nul[] = HEAD "root = /a\0b\n" ORDERS MEMBER;
    load_bytes(nul, sizeof nul - 1);
    ck_assert_ptr_null(config);
    COMPLAINS(3, "NUL byte");
    ck_assert_uint_eq(complaints_count(), 1);
    refuses(HEAD, "root = /caf\xe9", ORDERS MEMBER, "is not UTF-8");
    refuses(HEAD, "root = /a\x1b[m", ORDERS MEMBER, "control character");
    refuses(HEAD, "root = /a\rroot = /b", ORDERS MEMBER, "control character");
}
END_TEST

START_TEST(lines_that_are_too_long_are_refused)
{
    static char line[LINE_SIZE + 1];
    memcpy(line, "root = /", 8);
    memset(line + 8, 'x', LINE_SIZE - 8);
    refuses(HEAD, line, ORDERS MEMBER, "the line is longer than 4095 bytes");
    line[LINE_SIZE - 1] = '\0';
    refuses(HEAD, line, ORDERS MEMBER, "is not a znode path");
    memset(line, 'k', 100);
    memcpy(line + 100, "=1", 3);
    refuses(HEAD, line, ORDERS MEMBER, "is too long for a key");
    char content[2 * LINE_SIZE];
    memset(line, ';', LINE_SIZE);
    line[LINE_SIZE] = '\0';
    snprintf(content, sizeof content, MINIMAL "%s\n",
             line); /* but a comment may be of any length */
    load(content);
    ck_assert_msg(config, "%s", said);
}
END_TEST

START_TEST(an_indented_line_is_not_swallowed_by_the_one_above)
{
    load("[registry]\nservers = zk1:2181\n  root = /x\n" ORDERS MEMBER);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->registry.servers, "zk1:2181");
    ck_assert_str_eq(config->registry.root, "/x");
    refuses("[registry]\nservers = zk1:2181\n", "   ,zk2:2181", ORDERS MEMBER,
            "a value cannot go on in the next line");
}
END_TEST

START_TEST(settings_below_a_bad_heading_do_not_land_in_the_section_above)
{
    load(HEAD "[regestry]\nservers = other:1\nroot = /other\n" ORDERS MEMBER);
    ck_assert_ptr_null(config);
    COMPLAINS(3, "did you mean registry?");
    ck_assert_uint_eq(complaints_count(), 1);
}
END_TEST

/* ---- files ------------------------------------------------------------------------------------- */

START_TEST(a_folder_or_nothing_is_no_configuration)
{
    load_path(folder);
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(strstr(said, "is a directory"));
    load_path("/nowhere/roster-probe.ini");
    ck_assert_ptr_null(config);
    ck_assert_str_eq(said,
                     "/nowhere/roster-probe.ini: cannot be opened: No such file or directory\n");
    load_path("/dev/null");
    ck_assert_ptr_null(config);
    ck_assert_ptr_nonnull(strstr(said, "regular file"));
}
END_TEST

START_TEST(an_endless_file_is_refused)
{
    size_t size = FILE_SIZE_MAX + 1;
    char *content = malloc(size);
    memset(content, '\n', size);
    load_bytes(content, size);
    ck_assert_ptr_null(config);
    COMPLAINS(0, "is larger than");
    load_bytes(content, size - 1);
    ck_assert_ptr_null(config);
    COMPLAINS(0, "[registry]: this section is missing");
    free(content);
}
END_TEST

#define WITH_PASSWORD HEAD ORDERS "password_file = password\n" MEMBER

START_TEST(the_password_file_must_be_there_and_be_a_secret)
{
    load(WITH_PASSWORD);
    ck_assert_ptr_null(config);
    COMPLAINS(5, "password cannot be opened: No such file or directory");
    write_file("password", 0644, "hunter2\n", 8);
    load(WITH_PASSWORD);
    ck_assert_ptr_null(config);
    COMPLAINS(5, "has mode 0644, open to others than its owner (chmod 600 ");
    write_file("password", 0604, "hunter2\n", 8);
    load(WITH_PASSWORD);
    ck_assert_ptr_null(config);
    write_file("password", 0400, "hunter2", 7);
    load(WITH_PASSWORD);
    ck_assert_msg(config, "%s", said);
    ck_assert_str_eq(config->clusters[0].password, "hunter2");
}
END_TEST

START_TEST(the_password_is_the_first_line_and_fits)
{
    char content[SECRET_SIZE + 2];
    memset(content, 'p', sizeof content);
    write_file("password", 0600, content, SECRET_SIZE - 1);
    load(WITH_PASSWORD);
    ck_assert_msg(config, "%s", said);
    ck_assert_uint_eq(strlen(config->clusters[0].password), SECRET_SIZE - 1);
    memcpy(content + SECRET_SIZE - 1, "\r\n", 2);
    write_file("password", 0600, content, SECRET_SIZE + 1);
    load(WITH_PASSWORD);
    ck_assert_msg(config, "%s", said);
    ck_assert_uint_eq(strlen(config->clusters[0].password), SECRET_SIZE - 1);
    memset(content, 'p', sizeof content);
    write_file("password", 0600, content, SECRET_SIZE);
    load(WITH_PASSWORD);
    ck_assert_ptr_null(config);
    COMPLAINS(5, "is longer than 255 bytes");
    ck_assert_ptr_null(strstr(said, "ppp"));
    write_file("password", 0600, "\nhunter2\n", 9);
    load(WITH_PASSWORD);
    COMPLAINS(5, "is empty");
    write_file("password", 0600, "a\0b\n", 4);
    load(WITH_PASSWORD);
    COMPLAINS(5, "NUL byte");
    write_file("password", 0600, "", 0);
    load(WITH_PASSWORD);
    COMPLAINS(5, "is empty");
}
END_TEST

START_TEST(a_file_with_a_secret_in_it_must_be_one)
{
    static const char content[] = HEAD "auth = digest:roster:hunter2\n" ORDERS MEMBER;
    write_file("roster-probe.ini", 0644, content, strlen(content));
    load_path(ini);
    ck_assert_ptr_null(config);
    COMPLAINS(3, "[registry] auth: is a secret, but this file has mode 0644");
    ck_assert_ptr_null(strstr(said, "hunter2"));
    write_file("roster-probe.ini", 0644, MINIMAL, strlen(MINIMAL));
    load_path(ini);
    ck_assert_msg(config, "%s", said);
}
END_TEST

START_TEST(discovery_needs_to_know_where)
{
    load(HEAD ORDERS
         "discover = yes\ndiscover_within = 10.0.0.0/8, fd00::/8\ndiscover_forget = 5m\n" MEMBER);
    ck_assert_msg(config, "%s", said);
    ck_assert(config->clusters[0].discover);
    ck_assert_str_eq(config->clusters[0].discover_within, "10.0.0.0/8, fd00::/8");
    ck_assert_int_eq(config->clusters[0].discover_max, 8);
    ck_assert_int_eq(config->clusters[0].discover_forget_ms, 300000);
    load(HEAD ORDERS "discover = yes\n" MEMBER);
    ck_assert_ptr_null(config);
    COMPLAINS(3, "discover_within: must be set with discover = yes");
    load(HEAD ORDERS "discover = yes\ndiscover_within = 10.0.0.0/40\n" MEMBER);
    ck_assert_uint_eq(complaints_count(), 1);
    COMPLAINS(6, "discover_within: '10.0.0.0/40': behind the slash stands a number from 0 to 32 "
                 "(ranges of addresses");
    refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\n", "discover = maybe", MEMBER,
            "'maybe' is unknown");
    refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\ndiscover = yes\n", "discover_max = 32",
            MEMBER, "out of range");
    refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\nkind = stateless\n", "discover = yes",
            MEMBER, "does not fit kind stateless");
    refuses(HEAD ORDERS "discover_within = 10.0.0.0/8\ndiscover = yes\n", "discover_max = 31",
            MEMBER "[member orders/pg-2]\naddress = 10.0.0.2:5432\n",
            "beside the 2 configured ones there is room for 30");
    load(HEAD ORDERS "discover_max = 3\n" MEMBER);
    ck_assert_ptr_nonnull(config);
    COMPLAINS(5, "discover_max: warning: has no effect without discover");
}
END_TEST

START_TEST(tls_settings_go_together)
{
    write_file("ca.pem", 0644, "-", 1);
    load(HEAD ORDERS "tls = verify\n" MEMBER);
    ck_assert_ptr_null(config);
    COMPLAINS(3, "tls_ca: must be set (tls = verify needs to know whom to believe)");
    refuses(HEAD "[cluster orders]\nengine = mysql\n", "tls_ca = ca.pem", MEMBER,
            "has no effect while tls is off");
    load(HEAD ORDERS "tls = verify\ntls_ca = ca.pem\n" MEMBER);
    ck_assert_msg(config, "%s", said);
}
END_TEST

/* ---- printing ---------------------------------------------------------------------------------- */

static char *printed(void)
{
    char *out = NULL;
    size_t size;
    FILE *to = open_memstream(&out, &size);
    config_print(config, to);
    fclose(to);
    return out;
}

START_TEST(every_effective_setting_is_printed_with_its_origin_and_no_secret)
{
    write_file("password", 0600, "hunter2\n", 8);
    load(HEAD "auth = digest:roster:swordfish\n" ORDERS "password_file = password\n" MEMBER
              "label.zone = a\n");
    ck_assert_msg(config, "%s", said);
    char *out = printed();
    ck_assert_ptr_nonnull(
        strstr(out, "servers         = zk1:2181                         ; line 2\n"));
    ck_assert_ptr_nonnull(
        strstr(out, "interval        = 1s                               ; default\n"));
    ck_assert_ptr_nonnull(
        strstr(out, ";auth           = (not shown)                      ; line 3\n"));
    ck_assert_ptr_nonnull(strstr(out, "[member orders/pg-1]\n"));
    ck_assert_ptr_nonnull(
        strstr(out, "label.zone      = a                                ; line 9\n"));
    ck_assert_ptr_nonnull(strstr(out, "/password"));
    ck_assert_ptr_null(strstr(out, "hunter2"));
    ck_assert_ptr_null(strstr(out, "swordfish"));
    for (size_t i = 0; i < settings_count; i++) {
        ck_assert_msg(settings[i].type == SETTING_LABEL || strstr(out, settings[i].key),
                      "%s is not printed", settings[i].key);
    }
    free(out);
}
END_TEST

START_TEST(what_is_printed_is_an_ini_that_says_the_same)
{
    load(HEAD "[probe]\nname = probe-a\ninterval = 90s\n" ORDERS
              "kind = custom\nquery = SELECT 'it''s' = x AS claim\nuser = monitor me\n" MEMBER
              "label.zone = a\n[member orders/pg-2]\naddress = [::1]:5432\n[cluster "
              "b]\nengine=mysql\n[member b/x]\naddress = x:1\n");
    ck_assert_msg(config, "%s", said);
    char *once = printed();
    struct config *was = config;
    config = NULL;
    load(once);
    ck_assert_msg(config, "%s\n%s", said, once);
    ck_assert_mem_eq(&config->registry, &was->registry, sizeof was->registry);
    ck_assert_mem_eq(&config->probe, &was->probe, sizeof was->probe);
    ck_assert_uint_eq(config->cluster_count, was->cluster_count);
    ck_assert_mem_eq(config->clusters, was->clusters, was->cluster_count * sizeof *was->clusters);
    config_free(was);
    free(once);
}
END_TEST

START_TEST(what_a_reload_cannot_change_is_named)
{
    char changes[SENTENCE_SIZE];
    load(MINIMAL);
    struct config *was = config;
    config = NULL;
    load("[registry]\nservers = zk2:2181\n[probe]\nname = other\ninterval = 2s\n" ORDERS MEMBER);
    ck_assert_str_eq(config_fixed_changes(was, config, changes, sizeof changes),
                     "[registry] servers, [probe] name");
    ck_assert_str_eq(config_fixed_changes(was, was, changes, sizeof changes), "");
    config_free(was);
}
END_TEST

START_TEST(the_table_is_sorted_and_its_defaults_are_good)
{
    for (size_t i = 0; i < settings_count; i++) {
        const struct setting *setting = &settings[i], *next = setting + 1;
        ck_assert(i + 1 == settings_count || setting->section < next->section ||
                  (setting->section == next->section && strcmp(setting->key, next->key) < 0));
        ck_assert_ptr_eq(settings_find(setting->section, setting->key), setting);
        ck_assert_ptr_nonnull(setting->meaning);
        ck_assert(!setting->required || !setting->usual[0]);
        for (int engine = ENGINE_POSTGRESQL; engine <= ENGINE_MYSQL; engine++) {
            void *values = calloc(1, section_size(setting->section));
            setting_default(setting, (enum engine)engine, values);
            free(values);
        }
    }
}
END_TEST

START_TEST(nothing_is_freed_twice_when_there_is_nothing)
{
    config_free(NULL);
}
END_TEST

/* ---- servers ----------------------------------------------------------------------------------- */

START_TEST(servers_are_a_list_with_a_chroot_at_its_end)
{
    struct connect_string servers;
    char sentence[SENTENCE_SIZE];
    ck_assert(connect_string_parse(" zk1:2181 ,[2001:db8::1]:2182,\t10.0.0.1:2183 /a/b", &servers,
                                   sentence, sizeof sentence));
    ck_assert_uint_eq(servers.count, 3);
    ck_assert_str_eq(servers.entries[0].host, "zk1");
    ck_assert_str_eq(servers.entries[1].host, "2001:db8::1");
    ck_assert_uint_eq(servers.entries[2].port, 2183);
    ck_assert_str_eq(servers.chroot, "/a/b");
    ck_assert(connect_string_parse("zk:1", &servers, sentence, sizeof sentence));
    ck_assert_str_eq(servers.chroot, "");
}
END_TEST

START_TEST(servers_that_are_none_are_refused_with_a_sentence)
{
    static const struct {
        const char *from, *words;
    } cases[] = {{"", "empty entry"},
                 {"zk1:2181,", "empty entry"},
                 {",zk1:2181", "empty entry"},
                 {"/x", "empty entry"},
                 {"zk1", "'zk1' has no port: ZooKeeper's is 2181"},
                 {"zk1:0", "'zk1:0' is not"},
                 {"::1:2181", "is not host:port or [v6]:port"},
                 {"a:1/x,b:2", "chroot in the middle"},
                 {"a:1/", "is no chroot"},
                 {"a:1/x/", "is no chroot"},
                 {"a:1//x", "is no chroot"},
                 {"a:1,b:2,a:1", "'a:1' is listed twice"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct connect_string servers = {.count = 77};
        char sentence[SENTENCE_SIZE] = "";
        ck_assert_msg(!connect_string_parse(cases[i].from, &servers, sentence, sizeof sentence),
                      "'%s' was taken", cases[i].from);
        ck_assert_msg(strstr(sentence, cases[i].words), "'%s': %s", cases[i].from, sentence);
        ck_assert_uint_eq(servers.count, 77);
    }
}
END_TEST

START_TEST(servers_are_bounded)
{
    char from[SERVERS_SIZE + 8], sentence[SENTENCE_SIZE];
    struct connect_string servers;
    struct text text;
    text_init(&text, from, sizeof from);
    for (int i = 0; i < SERVERS_MAX; i++) {
        text_put(&text, "%sz%d:1", i ? "," : "", i);
    }
    ck_assert(connect_string_parse(from, &servers, sentence, sizeof sentence));
    text_put(&text, ",more:1");
    ck_assert(!connect_string_parse(from, &servers, sentence, sizeof sentence));
    ck_assert_ptr_nonnull(strstr(sentence, "more than 32"));
    memset(from, ' ', sizeof from - 1);
    from[sizeof from - 1] = '\0';
    ck_assert(!connect_string_parse(from, &servers, sentence, sizeof sentence));
    ck_assert_ptr_nonnull(strstr(sentence, "longer than"));
}
END_TEST

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *good = tcase_create("good files"), *bad = tcase_create("bad files"),
          *files = tcase_create("files"), *printing = tcase_create("printing"),
          *servers = tcase_create("servers");
    TCase *const cases[] = {good, bad, files, printing};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tcase_add_checked_fixture(cases[i], make_folder, remove_folder);
        suite_add_tcase(suite, cases[i]);
    }
    suite_add_tcase(suite, servers);
    tcase_add_test(good, a_minimal_file_gets_its_defaults);
    tcase_add_test(good, mysql_has_defaults_of_its_own);
    tcase_add_test(good, every_setting_arrives);
    tcase_add_test(good, clusters_are_sorted_and_members_find_theirs_from_anywhere);
    tcase_add_test(good, lines_longer_than_inih_can_take_arrive_whole);
    tcase_add_test(good, a_value_behind_many_blanks_arrives);
    tcase_add_test(good, long_names_are_not_cut);
    tcase_add_test(good, as_many_members_as_fit_and_no_more);
    tcase_add_test(good, an_even_number_of_witnesses_is_a_warning);
    tcase_add_test(bad, a_bad_line_is_named_with_a_hint);
    tcase_add_test(bad, a_query_belongs_to_kinds_that_are_asked_by_it);
    tcase_add_test(bad, engines_that_do_not_exist_are_refused);
    tcase_add_test(bad, all_mistakes_are_told_in_one_run_in_the_order_of_the_file);
    tcase_add_test(bad, what_must_be_set_is_missed);
    tcase_add_test(bad, what_stands_twice_is_refused);
    tcase_add_test(bad, one_address_is_one_member);
    tcase_add_test(bad, too_many_labels_are_refused);
    tcase_add_test(bad, bytes_that_are_no_text_are_refused);
    tcase_add_test(bad, lines_that_are_too_long_are_refused);
    tcase_add_test(bad, an_indented_line_is_not_swallowed_by_the_one_above);
    tcase_add_test(bad, settings_below_a_bad_heading_do_not_land_in_the_section_above);
    tcase_add_test(files, a_folder_or_nothing_is_no_configuration);
    tcase_add_test(files, an_endless_file_is_refused);
    tcase_add_test(files, the_password_file_must_be_there_and_be_a_secret);
    tcase_add_test(files, the_password_is_the_first_line_and_fits);
    tcase_add_test(files, a_file_with_a_secret_in_it_must_be_one);
    tcase_add_test(files, tls_settings_go_together);
    tcase_add_test(files, discovery_needs_to_know_where);
    tcase_add_test(printing, every_effective_setting_is_printed_with_its_origin_and_no_secret);
    tcase_add_test(printing, what_is_printed_is_an_ini_that_says_the_same);
    tcase_add_test(printing, what_a_reload_cannot_change_is_named);
    tcase_add_test(printing, the_table_is_sorted_and_its_defaults_are_good);
    tcase_add_test(printing, nothing_is_freed_twice_when_there_is_nothing);
    tcase_add_test(servers, servers_are_a_list_with_a_chroot_at_its_end);
    tcase_add_test(servers, servers_that_are_none_are_refused_with_a_sentence);
    tcase_add_test(servers, servers_are_bounded);
    return suite;
}
