/* One server that is listed twice: what proves it, what does not, and which of the two it is. */
#include "probes/assess/alias.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { LOOK_MS = 25, PROOF = 40 /* looks at each of two members, and more than enough */ };

static struct assessment assessment;
static const struct probe_settings settings = {
    .interval_ms = 1000, .timeout_ms = 500, .rise = 1, .fall = 3};
static int64_t now_ms;
static uint64_t serials[3]; /* what the servers have given out */

static void begin(enum kind kind, const char *a, const char *b, const char *c)
{
    static struct cluster_settings cluster;
    const char *const names[] = {a, b, c};
    cluster = (struct cluster_settings){.name = "orders", .member_count = 3};
    cluster.policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                     kind, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    for (size_t i = 0; i < 3; i++) {
        strcpy(cluster.members[i].name, names[i]);
        strcpy(cluster.members[i].host, names[i]);
        cluster.members[i].port = 5432;
    }
    assess_init(&assessment, "probe-a", &cluster, &settings);
    now_ms = 100000;
    for (uint64_t i = 0; i < 3; i++) {
        serials[i] = (1000 + i * 7) << 24;
    }
}

static void look(size_t i, const struct observation *facts)
{
    now_ms += LOOK_MS;
    assess_look(&assessment, i, facts, "10.0.0.1", now_ms, now_ms);
}

/* Member i leads to this server of PostgreSQL's: the first one writes. */
static void pg_at(size_t i, int server, int64_t position)
{
    struct observation facts;
    observation_init(&facts);
    facts.answer = ANSWER_OK;
    facts.writable = server == 0;
    facts.replica = server != 0;
    facts.position = position;
    facts.start_ms = 1795224000000;
    strcpy(facts.lineage, "1");
    strcpy(facts.identity, "77");
    snprintf(facts.self_id, sizeof facts.self_id, "%lld", 1795224000000000LL + server);
    look(i, &facts);
}

/* Of MariaDB's; all have one server_id. */
static void my_at(size_t i, int server)
{
    struct observation facts;
    observation_init(&facts);
    facts.answer = ANSWER_OK;
    facts.writable = server == 0;
    facts.serial = ++serials[server];
    strcpy(facts.self_id, "1");
    look(i, &facts);
}

static const char *alias(size_t i)
{
    return assessment.members[i].alias;
}

static const struct report *report(void)
{
    static struct report made;
    assess_report(&assessment, now_ms, "", &made);
    return &made;
}

START_TEST(a_server_of_postgresqls_is_known_by_its_start)
{
    begin(KIND_STREAMING, "pg-1", "pg-1-again", "pg-2");
    pg_at(0, 0, 100);
    pg_at(1, 0, 100);
    pg_at(2, 1, 100);
    ck_assert_str_eq(alias(0), "");
    ck_assert_str_eq(alias(1), "pg-1");
    ck_assert_str_eq(alias(2), "");
    ck_assert_str_eq(report()->members[1].alias, "pg-1");
    ck_assert_str_eq(report()->abstains, "");
}
END_TEST

START_TEST(a_log_that_is_behind_itself_is_anothers)
{
    begin(KIND_STREAMING, "pg-1", "pg-1-clone", "pg-2");
    pg_at(0, 0, 1000);
    pg_at(0, 0, 1100);
    pg_at(1, 0, 1000);
    pg_at(1, 0, 1001);
    pg_at(2, 1, 1000);
    pg_at(0, 0, 1101);
    pg_at(1, 0, 1002);
    ck_assert_str_eq(alias(1), "");
}
END_TEST

START_TEST(a_server_of_mariadbs_is_known_by_the_numbers_that_it_gives_out)
{
    begin(KIND_ASYNC, "a", "b", "c");
    for (int i = 0; i < PROOF; i++) {
        my_at(0, 0);
        my_at(1, 0);
        my_at(2, 2);
        ck_assert(alias(1)[0] || report()->abstains[0]);
        serials[0] += 3; /* others ask it, too */
    }
    ck_assert_str_eq(alias(1), "a");
    ck_assert_str_eq(alias(2), "");
    ck_assert_str_eq(report()->abstains, "");
}
END_TEST

START_TEST(clones_that_were_started_in_one_second_are_two)
{
    for (uint64_t lead = 0; lead < 5; lead++) {
        begin(KIND_ASYNC, "a", "b", "c");
        serials[1] = serials[0] + lead;
        for (int i = 0; i < PROOF; i++) {
            my_at(0, 0);
            my_at(1, 1);
            ck_assert_str_eq(alias(1), "");
        }
        my_at(2, 2);
        ck_assert_str_eq(report()->abstains, "");
    }
}
END_TEST

START_TEST(the_one_that_moves_is_the_alias_whatever_its_name)
{
    begin(KIND_STREAMING, "a-vip", "pg-1", "pg-2");
    for (int i = 0; i < 2; i++) {
        pg_at(1, 0, 100);
        pg_at(2, 1, 100);
        pg_at(0, 0, 100);
    }
    ck_assert_str_eq(alias(1), "a-vip"); /* by name alone */
    pg_at(0, 1, 100);
    ck_assert_str_eq(alias(0), "pg-2");
    pg_at(2, 1, 100);
    pg_at(1, 0, 100);
    ck_assert_str_eq(alias(1), "");
    pg_at(0, 0, 100);
    ck_assert_str_eq(alias(0), "pg-1");
    ck_assert_str_eq(alias(1), "");
}
END_TEST

START_TEST(the_last_verdict_tells_the_alias_and_the_primary)
{
    struct topology topology = {.primary = "pg-1"};
    begin(KIND_STREAMING, "a-vip", "pg-1", "pg-2");
    assess_verdict(&assessment, &topology);
    pg_at(1, 0, 100);
    pg_at(0, 0, 100);
    ck_assert_str_eq(alias(0), "pg-1");
    begin(KIND_STREAMING, "a-vip", "pg-1", "pg-2");
    topology = (struct topology){
        .member_count = 2,
        .members = {{.config = {.name = "a-vip"}, .alias = "pg-2"}, {.config = {.name = "pg-1"}}}};
    assess_verdict(&assessment, &topology);
    pg_at(1, 0, 100);
    pg_at(0, 0, 100);
    ck_assert_str_eq(alias(0), "pg-1");
}
END_TEST

START_TEST(a_restart_of_the_server_changes_nothing)
{
    begin(KIND_STREAMING, "pg-1", "pg-1-again", "pg-2");
    pg_at(0, 0, 100);
    pg_at(1, 0, 100);
    pg_at(2, 1, 100);
    pg_at(1, 2, 100); /* the second name shows the new run before the first does */
    ck_assert_str_eq(alias(1), "pg-1");
    pg_at(1, 2, 100);
    pg_at(0, 2, 100);
    ck_assert_str_eq(alias(0), "");
    ck_assert_str_eq(alias(1), "pg-1");
    look(1, &(struct observation){.answer = ANSWER_REFUSED});
    ck_assert_str_eq(alias(1), "pg-1");
}
END_TEST

START_TEST(one_that_goes_to_a_server_of_its_own_is_a_member)
{
    begin(KIND_STREAMING, "pg-1", "vip", "pg-2");
    pg_at(0, 0, 100);
    pg_at(1, 0, 100);
    pg_at(2, 1, 100);
    ck_assert_str_eq(alias(1), "pg-1");
    pg_at(1, 2, 100);
    pg_at(0, 0, 100);
    pg_at(2, 1, 100);
    pg_at(1, 2, 100);
    ck_assert_str_eq(alias(1), "");
}
END_TEST

Suite *alias_suite(void)
{
    Suite *suite = suite_create("alias");
    TCase *tcase = tcase_create("alias");
    tcase_add_test(tcase, a_server_of_postgresqls_is_known_by_its_start);
    tcase_add_test(tcase, a_log_that_is_behind_itself_is_anothers);
    tcase_add_test(tcase, a_server_of_mariadbs_is_known_by_the_numbers_that_it_gives_out);
    tcase_add_test(tcase, clones_that_were_started_in_one_second_are_two);
    tcase_add_test(tcase, the_one_that_moves_is_the_alias_whatever_its_name);
    tcase_add_test(tcase, the_last_verdict_tells_the_alias_and_the_primary);
    tcase_add_test(tcase, a_restart_of_the_server_changes_nothing);
    tcase_add_test(tcase, one_that_goes_to_a_server_of_its_own_is_a_member);
    suite_add_tcase(suite, tcase);
    return suite;
}
