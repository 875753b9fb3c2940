/* Keys that a member has only when there is something to say. */
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"

static struct codec_error error;
static struct topology topology;
static struct report report;

static bool reads_report(const char *text)
{
    return report_decode(text, strlen(text), &report, &error);
}

START_TEST(an_alias_reads_back)
{
    static struct topology again;
    topology = (struct topology){.cluster = "orders",
                                 .policy = {.kind = KIND_STREAMING, .witnesses = 1},
                                 .epoch = 1,
                                 .state = STATE_NO_PRIMARY,
                                 .rule = RULE_NO_CLAIM,
                                 .rules = MODEL_RULES,
                                 .by = "a",
                                 .at_wall_ms = 1,
                                 .member_count = 1};
    topology.members[0] = (struct member){
        .config = {.name = "vip", .host = "h", .port = 1}, .alias = "pg-1", .lag = LAG_NOT_KNOWN};
    char *text = topology_encode(&topology);
    ck_assert_ptr_nonnull(strstr(text, "\"alias\": \"pg-1\""));
    ck_assert_msg(topology_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert(topology_equal(&topology, &again));
    strcpy(again.members[0].alias, "");
    ck_assert(!topology_equal(&topology, &again));
    free(text);
}
END_TEST

START_TEST(what_a_probe_has_left_behind_reads_back)
{
    static struct report left;
    left = (struct report){.cluster = "orders",
                           .probe = "probe-a",
                           .policy = {.kind = KIND_STREAMING, .witnesses = 1},
                           .rules = 1,
                           .member_count = 1};
    left.members[0] = (struct member_report){.config = {.name = "pg-1", .host = "h", .port = 1},
                                             .answer = ANSWER_STALLED,
                                             .lag = LAG_NOT_KNOWN};
    char *text = report_encode(&left);
    ck_assert_ptr_null(strstr(text, "\"left\""));
    ck_assert(reads_report(text));
    ck_assert(report_equal(&left, &report));
    free(text);
    left.members[0].left = (struct left){.sessions = 2, .handshakes = 3};
    text = report_encode(&left);
    ck_assert_ptr_nonnull(strstr(text, "\"left\": { \"sessions\": 2, \"handshakes\": 3 }"));
    ck_assert(!report_equal(&left, &report));
    ck_assert(report_alike(&left, &report)); /* nobody looks closer for that */
    ck_assert_msg(reads_report(text), "%s", error.sentence);
    ck_assert(report_equal(&left, &report));
    free(text);
}
END_TEST

START_TEST(what_closes_a_server_reads_back)
{
    static struct topology again;
    static struct report seen;
    report = (struct report){.cluster = "c",
                             .probe = "a",
                             .rules = MODEL_RULES,
                             .policy = {.engine = ENGINE_MYSQL, .kind = KIND_ASYNC, .witnesses = 1},
                             .member_count = 1};
    report.members[0] = (struct member_report){.config = {.name = "m", .host = "h", .port = 1},
                                               .answer = ANSWER_OK,
                                               .closed_by = "innodb_read_only",
                                               .lag = LAG_NOT_KNOWN};
    char *written = report_encode(&report);
    ck_assert_msg(report_decode(written, strlen(written), &seen, &error), "%s", error.sentence);
    ck_assert(report_equal(&report, &seen));
    seen.members[0].closed_by[0] = '\0';
    ck_assert(!report_equal(&report, &seen));
    free(written);
    topology =
        (struct topology){.cluster = "c",
                          .policy = {.engine = ENGINE_MYSQL, .kind = KIND_ASYNC, .witnesses = 1},
                          .epoch = 1,
                          .state = STATE_NO_PRIMARY,
                          .rule = RULE_NOT_WRITABLE,
                          .rules = MODEL_RULES,
                          .by = "a",
                          .at_wall_ms = 1,
                          .member_count = 1};
    topology.members[0] = (struct member){.config = {.name = "m", .host = "h", .port = 1},
                                          .closed_by = "innodb_read_only",
                                          .lag = LAG_NOT_KNOWN};
    written = topology_encode(&topology);
    ck_assert_msg(topology_decode(written, strlen(written), &again, &error), "%s", error.sentence);
    ck_assert(topology_equal(&topology, &again));
    again.members[0].closed_by[0] = '\0';
    ck_assert(!topology_equal(&topology, &again));
    free(written);
}
END_TEST

Suite *codec_members_suite(void)
{
    Suite *suite = suite_create("codec_members");
    TCase *cases = tcase_create("keys of members");
    tcase_add_test(cases, an_alias_reads_back);
    tcase_add_test(cases, what_a_probe_has_left_behind_reads_back);
    tcase_add_test(cases, what_closes_a_server_reads_back);
    suite_add_tcase(suite, cases);
    return suite;
}
