#include "registry/model/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* ---- the design's samples -------------------------------------------------------------------- */

static const char topology_sample[] =
    "{\n"
    "  \"format\": 1, \"cluster\": \"orders\", \"engine\": \"postgresql\", \"kind\": "
    "\"streaming\", \"witnesses\": 3, "
    "\"conflict\": \"hold\",\n"
    "  \"epoch\": 7, \"state\": \"ok\", \"primary\": \"pg-2\", \"lineage\": \"8\", \"identity\": "
    "\"7710429185476665205\",\n"
    "  \"why\": \"pg-2 is primary on timeline 8, read by 3 of 3 witnesses; pg-1 (timeline 7) "
    "refuses connections\",\n"
    "  \"rule\": \"newest-lineage\", \"rule_id\": 3, \"rules\": 1, \"by\": \"probe-a\", "
    "\"at_wall\": "
    "\"2026-11-21T01:22:33.123Z\",\n"
    "  \"members\": [\n"
    "    { \"name\": \"pg-1\", \"host\": \"10.0.0.1\", \"port\": 5432, \"role\": \"none\", "
    "\"health\": \"down\", \"reason\": "
    "\"refused\","
    " \"fenced\": true, \"weight\": 100, \"labels\": { \"zone\": \"a\" } },\n"
    "    { \"name\": \"pg-2\", \"host\": \"10.0.0.2\", \"port\": 5432, \"role\": \"primary\", "
    "\"health\": \"up\", \"weight\": 100,"
    " \"labels\": { \"zone\": \"b\" } },\n"
    "    { \"name\": \"pg-3\", \"host\": \"10.0.0.3\", \"port\": 5432, \"role\": \"secondary\", "
    "\"health\": \"up\", \"upstream\": "
    "\"pg-2\","
    " \"lag\": { \"state\": \"ok\", \"bytes\": 0, \"ms\": 0 }, \"weight\": 100, \"labels\": {} }\n"
    "  ],\n"
    "  \"evidence\": { \"probe-a\": \"4294967412\", \"probe-b\": \"4294967409\", \"probe-c\": "
    "\"4294967414\", \"directives\": "
    "\"4294967301\" }\n"
    "}\n";

static const char report_sample[] =
    "{\n"
    "  \"format\": 1, \"cluster\": \"orders\", \"probe\": \"probe-a\", \"rules\": 1, \"abstains\": "
    "null,\n"
    "  \"config\": { \"engine\": \"postgresql\", \"kind\": \"streaming\", \"witnesses\": 3, "
    "\"conflict\": \"hold\" },\n"
    "  \"members\": [\n"
    "    { \"name\": \"pg-1\", \"host\": \"10.0.0.1\", \"port\": 5432, \"weight\": 100, "
    "\"labels\": { \"zone\": \"a\" },"
    " \"answer\": \"refused\", \"last_role\": \"primary\", \"last_lineage\": \"7\" },\n"
    "    { \"name\": \"pg-2\", \"host\": \"10.0.0.2\", \"port\": 5432, \"weight\": 100, "
    "\"labels\": { \"zone\": \"b\" },"
    " \"answer\": \"ok\", \"claim\": true, \"writable\": true, \"lineage\": \"8\", \"identity\": "
    "\"7710429185476665205\","
    " \"upstream\": null, \"replicas\": [ \"pg-3\" ], \"version\": \"15.20\" },\n"
    "    { \"name\": \"pg-3\", \"host\": \"10.0.0.3\", \"port\": 5432, \"weight\": 100, "
    "\"labels\": {},"
    " \"answer\": \"ok\", \"live\": true, \"replica\": "
    "true, \"lineage\": \"8\","
    " \"identity\": \"7710429185476665205\", \"upstream\": \"pg-2\", \"replicas\": [],"
    " \"lag\": { \"state\": \"ok\", \"bytes\": 0 }, \"version\": \"15.20\" }\n"
    "  ]\n"
    "}\n";

static struct codec_error error;
static struct topology topology;
static struct report report;

static bool reads_topology(const char *text)
{
    return topology_decode(text, strlen(text), &topology, &error);
}

static bool reads_report(const char *text)
{
    return report_decode(text, strlen(text), &report, &error);
}

/* A sample with the first `old` in it replaced; the caller frees it. */
static char *with(const char *sample, const char *old, const char *new)
{
    const char *at = strstr(sample, old);
    ck_assert_msg(at != NULL, "%s is not in the sample", old);
    size_t before = (size_t)(at - sample);
    char *text = malloc(strlen(sample) + strlen(new) + 1);
    memcpy(text, sample, before);
    strcpy(text + before, new);
    strcat(text, at + strlen(old));
    return text;
}

static void topology_refused(const char *old, const char *new, const char *sentence)
{
    char *text = with(topology_sample, old, new);
    ck_assert_msg(!reads_topology(text), "%s -> %s was taken", old, new);
    ck_assert_str_eq(error.sentence, sentence);
    ck_assert(!error.foreign);
    free(text);
}

static void report_refused(const char *old, const char *new, const char *sentence)
{
    char *text = with(report_sample, old, new);
    ck_assert_msg(!reads_report(text), "%s -> %s was taken", old, new);
    ck_assert_str_eq(error.sentence, sentence);
    free(text);
}

/* ---- there and back -------------------------------------------------------------------------- */

START_TEST(a_topology_is_written_as_people_read_it)
{
    ck_assert_msg(reads_topology(topology_sample), "%s", error.sentence);
    char *text = topology_encode(&topology);
    ck_assert_str_eq(text, topology_sample);
    free(text);
    ck_assert_int_eq(topology.epoch, 7);
    ck_assert_int_eq(topology.members[0].reason, ANSWER_REFUSED);
    ck_assert_int_eq(topology.members[2].lag.state, LAG_OK);
    ck_assert_int_eq(topology.members[1].lag.bytes, -1);
    ck_assert_int_eq(topology.evidence_count, 3);
    ck_assert_int_eq(topology.directives_mzxid, 4294967301);
    ck_assert_int_eq(topology.at_wall_ms, 1795224153123);
}
END_TEST

START_TEST(a_report_is_written_as_people_read_it)
{
    ck_assert_msg(reads_report(report_sample), "%s", error.sentence);
    char *text = report_encode(&report);
    ck_assert_str_eq(text, report_sample);
    free(text);
    ck_assert_uint_eq(report.members[1].replicas, 1u << 2);
    ck_assert(report.members[2].live && report.members[2].replica);
    ck_assert_int_eq(report.members[2].lag.ms, -1);
}
END_TEST

START_TEST(a_topology_without_a_primary_reads_back)
{
    struct topology bare = {.cluster = "c",
                            .policy = {ENGINE_MYSQL, KIND_ASYNC, CONFLICT_NONE, WRITERS_SINGLE, 1},
                            .epoch = 3};
    bare.state = STATE_NO_PRIMARY;
    bare.rules = 1;
    bare.seen_wall_ms = 1795224153000;
    strcpy(bare.last_primary, "m-1");
    strcpy(bare.by, "p");
    char *text = topology_encode(&bare);
    ck_assert_msg(reads_topology(text), "%s\n%s", error.sentence, text);
    ck_assert(topology_equal(&bare, &topology));
    ck_assert_int_eq(topology.seen_wall_ms, bare.seen_wall_ms);
    free(text);
}
END_TEST

/* Every field at its widest. */
static void fill(char *to, size_t size, char with_what)
{
    memset(to, with_what, size - 1);
    to[size - 1] = '\0';
}

static void fill_config(struct member_config *config, int i)
{
    fill(config->name, sizeof config->name, (char)(i < 26 ? 'a' + i : 'A' + i - 26));
    fill(config->host, sizeof config->host, 'h');
    config->port = 65535;
    config->weight = 1000;
    config->label_count = LABELS_MAX;
    for (int j = 0; j < LABELS_MAX; j++) {
        fill(config->labels[j].key, sizeof config->labels[j].key, (char)('a' + j));
        fill(config->labels[j].value, sizeof config->labels[j].value, '"');
    }
}

static int member_order(int i)
{
    return i < 6 ? 26 + i : i - 6; /* capitals sort first */
}

START_TEST(the_largest_topology_reads_back_and_fits_a_znode)
{
    static struct topology big;
    big = (struct topology){
        .policy = {ENGINE_POSTGRESQL, KIND_STREAMING, CONFLICT_HOLD, WRITERS_SINGLE, WITNESSES_MAX},
        .epoch = INT64_C(1) << 53};
    big.state = STATE_CONFLICT;
    big.rules = 1000000;
    big.at_wall_ms = 1795224153123;
    fill(big.cluster, sizeof big.cluster, 'c');
    fill(big.lineage, sizeof big.lineage, '9');
    fill(big.identity, sizeof big.identity, '\\');
    fill(big.why, sizeof big.why, '"');
    fill(big.foreign_rule, sizeof big.foreign_rule, 'r');
    fill(big.by, sizeof big.by, 'b');
    big.member_count = MEMBERS_MAX;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct member *member = &big.members[i];
        fill_config(&member->config, member_order(i));
        *member = (struct member){.config = member->config,
                                  .role = ROLE_SECONDARY,
                                  .health = HEALTH_UNKNOWN,
                                  .reason = ANSWER_STRANGER,
                                  .fenced = true,
                                  .fenced_epoch = INT64_C(1) << 53,
                                  .drained = true,
                                  .claims = true,
                                  .lag = {LAG_BROKEN, INT64_MAX, INT64_MAX, INT64_MAX}};
        fill(member->upstream, sizeof member->upstream, 'u');
    }
    big.evidence_count = WITNESSES_MAX + 1;
    for (int i = 0; i <= WITNESSES_MAX; i++) {
        fill(big.evidence[i].probe, sizeof big.evidence[i].probe, (char)('a' + i));
        big.evidence[i].mzxid = INT64_MAX;
    }
    big.directives_mzxid = INT64_MAX;
    char *text = topology_encode(&big);
    ck_assert_uint_lt(strlen(text), PAYLOAD_MAX);
    ck_assert_msg(reads_topology(text), "%s", error.sentence);
    ck_assert(topology_equal(&big, &topology));
    ck_assert_int_eq(topology.evidence_count, WITNESSES_MAX + 1);
    ck_assert_int_eq(topology.evidence[WITNESSES_MAX].mzxid, INT64_MAX);
    ck_assert_str_eq(topology.why, big.why);
    free(text);
}
END_TEST

START_TEST(the_largest_report_reads_back_and_fits_a_znode)
{
    static struct report big;
    big = (struct report){.policy = {ENGINE_MYSQL, KIND_ASYNC, CONFLICT_NONE, WRITERS_SINGLE, 1},
                          .rules = 1,
                          .member_count = MEMBERS_MAX};
    fill(big.cluster, sizeof big.cluster, 'c');
    fill(big.probe, sizeof big.probe, 'p');
    fill(big.abstains, sizeof big.abstains, 'x');
    big.seen_wall_ms = 1;
    for (int i = 0; i < MEMBERS_MAX; i++) {
        struct member_report *member_report = &big.members[i];
        fill_config(&member_report->config, member_order(i));
        member_report->answer = i % 2 ? ANSWER_OK : ANSWER_STALLED;
        member_report->claim = i % 2;
        member_report->writable = member_report->live = member_report->replica = true;
        member_report->replicas = UINT32_MAX;
        member_report->lag = (struct lag){LAG_OK, INT64_MAX, INT64_MAX, -1, 0};
        member_report->left = (struct left){UINT8_MAX, UINT8_MAX};
        member_report->last_role = ROLE_SECONDARY;
        fill(member_report->lineage, sizeof member_report->lineage, '8');
        fill(member_report->identity, sizeof member_report->identity, '"');
        fill(member_report->upstream, sizeof member_report->upstream, 'u');
        fill(member_report->version, sizeof member_report->version, 'v');
        fill(member_report->last_lineage, sizeof member_report->last_lineage, '7');
    }
    char *text = report_encode(&big);
    ck_assert_uint_lt(strlen(text), PAYLOAD_MAX);
    ck_assert_msg(reads_report(text), "%s", error.sentence);
    ck_assert(report_equal(&big, &report));
    ck_assert_int_eq(report.seen_wall_ms, 1);
    free(text);
}
END_TEST

START_TEST(lags_read_back_as_they_are)
{
    static const struct lag lags[] = {
        {LAG_UNKNOWN, -1, -1, -1, 0}, {LAG_UNKNOWN, 0, 0, -1, 0},
        {LAG_OK, 0, -1, 7, 0},        {LAG_OK, -1, 16, -1, 3600000},
        {LAG_BROKEN, -1, -1, 0, 0},   {LAG_BROKEN, INT64_C(1) << 60, 1, -1, 0},
        {LAG_UNKNOWN, -1, -1, -1, 1}};
    ck_assert(reads_report(report_sample));
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
        static struct report written;
        written = report;
        written.members[0].lag = lags[i];
        char *text = report_encode(&written);
        ck_assert_msg(reads_report(text), "%s", error.sentence);
        ck_assert(lag_equal(&report.members[0].lag, &lags[i]));
        free(text);
    }
}
END_TEST

START_TEST(foreign_bytes_become_valid_json)
{
    ck_assert(reads_topology(topology_sample));
    strcpy(topology.why, "\"quoted\" back\\slash\nline\x1b[31m gr\xc3\xbc\xc3\x9f \xff\xc0\xaf "
                         "\xed\xa0\x80 \xc2\x9b end\xe2\x82");
    char *text = topology_encode(&topology);
    ck_assert_msg(reads_topology(text), "%s", error.sentence);
    ck_assert_str_eq(topology.why,
                     "\"quoted\" back\\slash line [31m gr\xc3\xbc\xc3\x9f ??? ???   end??");
    free(text);
}
END_TEST

START_TEST(times_out_of_all_reason_do_not_spoil_a_record)
{
    static const int64_t times[] = {INT64_MIN, -1, 0, INT64_MAX};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        ck_assert(reads_topology(topology_sample));
        topology.at_wall_ms = topology.seen_wall_ms = times[i];
        char *text = topology_encode(&topology);
        ck_assert_msg(reads_topology(text), "%s", error.sentence);
        free(text);
    }
}
END_TEST

/* ---- leniency -------------------------------------------------------------------------------- */

START_TEST(unknown_keys_are_skipped)
{
    char *text = with(topology_sample, "\"epoch\": 7",
                      "\"colour\": { \"x\": [ 1, 2.5, null ] }, \"epoch\": 7");
    ck_assert_msg(reads_topology(text), "%s", error.sentence);
    free(text);
    text = with(topology_sample, "\"health\": \"down\"", "\"health\": \"down\", \"mood\": \"sad\"");
    ck_assert_msg(reads_topology(text), "%s", error.sentence);
    char *canonical = topology_encode(&topology);
    ck_assert_str_eq(canonical, topology_sample);
    free(canonical);
    free(text);
}
END_TEST

START_TEST(members_in_any_order_are_sorted_and_replicas_follow)
{
    static const char text[] =
        "{\"format\":1,\"cluster\":\"c\",\"probe\":\"p\",\"rules\":1,\"config\":{\"engine\":"
        "\"mysql\",\"witnesses\":1},"
        "\"members\":[{\"name\":\"z\",\"host\":\"h\",\"port\":1,\"answer\":\"ok\",\"replicas\":["
        "\"a\",\"m\",\"gone\"]},"
        "{\"name\":\"a\",\"host\":\"h\",\"port\":2,\"answer\":\"ok\",\"replicas\":[\"z\"],"
        "\"labels\":{\"z\":\"1\",\"b\":\"2\"}},"
        "{\"name\":\"m\",\"host\":\"h\",\"port\":3,\"answer\":\"timeout\"}]}";
    ck_assert_msg(reads_report(text), "%s", error.sentence);
    ck_assert_str_eq(report.members[0].config.name, "a");
    ck_assert_str_eq(report.members[1].config.name, "m");
    ck_assert_str_eq(report.members[2].config.name, "z");
    ck_assert_uint_eq(report.members[0].replicas, 1u << 2);
    ck_assert_uint_eq(report.members[2].replicas, 1u << 0 | 1u << 1);
    ck_assert_str_eq(report.members[0].config.labels[0].key, "b");
    ck_assert_uint_eq(report.members[0].config.weight, 100);
    ck_assert_int_eq(report.policy.kind, KIND_ASYNC);
    ck_assert_int_eq(report.policy.conflict, CONFLICT_HOLD);
}
END_TEST

START_TEST(false_null_and_absence_of_an_optional_key_are_one)
{
    static struct report before;
    ck_assert(reads_report(report_sample));
    before = report;
    char *text = with(report_sample, "\"answer\": \"ok\", \"live\": true",
                      "\"answer\": \"ok\", \"claim\": false, \"writable\": false, \"sync\": null, "
                      "\"live\": true");
    char *whole = with(text, "\"bytes\": 0", "\"bytes\": 0, \"ms\": null, \"transactions\": null");
    ck_assert_msg(reads_report(whole), "%s", error.sentence);
    ck_assert_int_eq(memcmp(&report, &before, sizeof report), 0);
    free(whole);
    free(text);
}
END_TEST

/* ---- a rule's word and number ---------------------------------------------------------------- */

static void rule_reads(const char *written, enum rule rule, const char *name)
{
    char *text = with(topology_sample, "\"rule\": \"newest-lineage\", \"rule_id\": 3", written);
    ck_assert_msg(reads_topology(text), "%s", error.sentence);
    ck_assert_int_eq(topology.rule, rule);
    ck_assert_str_eq(topology_rule(&topology), name);
    ck_assert_str_eq(topology.foreign_rule, rule == RULE_FOREIGN ? name : "");
    free(text);
}

START_TEST(a_rule_is_its_number_and_without_one_its_word)
{
    rule_reads("\"rule\": \"kept\", \"rule_id\": 8", RULE_KEPT, "kept");
    rule_reads("\"rule\": \"kept\"", RULE_KEPT, "kept"); /* the version before the number */
    rule_reads("\"rule\": \"kept\", \"rule_id\": null", RULE_KEPT, "kept");
    /* a version that has a better word for it */
    rule_reads("\"rule\": \"stays\", \"rule_id\": 8", RULE_KEPT, "kept");
}
END_TEST

START_TEST(a_rule_of_a_newer_version_leaves_the_topology_readable)
{
    rule_reads("\"rule\": \"promoted\", \"rule_id\": 1000", RULE_FOREIGN, "promoted");
    char *text = topology_encode(&topology);
    ck_assert_ptr_nonnull(strstr(text, "\"rule\": \"promoted\", \"rules\": 1"));
    free(text);
    rule_reads("\"rule\": \"promoted\"", RULE_FOREIGN, "promoted");
    rule_reads("\"rule\": \"\"", RULE_FOREIGN, "");
    /* its number is not known here, but its word is */
    rule_reads("\"rule\": \"kept\", \"rule_id\": 1000", RULE_KEPT, "kept");
}
END_TEST

/* ---- strictness ------------------------------------------------------------------------------ */

START_TEST(what_is_not_json_is_refused)
{
    static const char *const garbage[] = {"",
                                          "x",
                                          "{",
                                          "[]",
                                          "1",
                                          "null",
                                          "\"format\"",
                                          "{\"format\":1}x",
                                          "{\"format\":1,}",
                                          "{'format':1}",
                                          "{\"format\":1,\"format\":1}",
                                          "{\"format\":\"\xff\"}",
                                          "{\"format\":1,\"cluster\":\"a\\u0000b\"}"};
    for (size_t i = 0; i < sizeof garbage / sizeof *garbage; i++) {
        memset(&error, 0, sizeof error);
        ck_assert_msg(!reads_topology(garbage[i]), "%s", garbage[i]);
        ck_assert(error.sentence[0] && !error.foreign);
    }
    ck_assert(!topology_decode("{}\0{}", 5, &topology, &error));
}
END_TEST

START_TEST(another_format_is_refused_as_foreign)
{
    ck_assert(!reads_topology("{\"format\":2,\"shape\":\"new\"}"));
    ck_assert_str_eq(error.sentence,
                     "format: is 2 where only 1 is understood (it was written by a newer roster)");
    ck_assert(error.foreign);
    ck_assert(!reads_topology("{\"format\":\"1\"}"));
    ck_assert_str_eq(error.sentence, "format: is not a whole number");
    ck_assert(!error.foreign);
    ck_assert(!reads_topology("{}"));
    ck_assert_str_eq(error.sentence, "format: is missing");
}
END_TEST

START_TEST(too_much_is_refused_before_it_is_read)
{
    size_t len = PAYLOAD_MAX + 1;
    char *text = malloc(len);
    memset(text, ' ', len);
    ck_assert(!topology_decode(text, len, &topology, &error));
    ck_assert_str_eq(error.sentence, "is 524289 bytes long where 524288 are the most");
    memset(text, '[', len);
    ck_assert(!topology_decode(text, len - 1, &topology, &error));
    free(text);
}
END_TEST

START_TEST(a_refusal_says_where_and_changes_nothing)
{
    memset(&topology, 0x5A, sizeof topology);
    static struct topology before;
    before = topology;
    char *text = with(topology_sample, "\"port\": 5432, \"role\": \"secondary\"",
                      "\"port\": 70000, \"role\": \"secondary\"");
    ck_assert(!reads_topology(text));
    ck_assert_str_eq(error.sentence, "members[2].port: 70000 is not in 1..65535");
    ck_assert_int_eq(memcmp(&before, &topology, sizeof topology), 0);
    free(text);
}
END_TEST

START_TEST(wrong_values_in_a_topology_are_refused)
{
    topology_refused("\"orders\"", "\"or/ders\"",
                     "cluster: 'or/ders' is not a name ([A-Za-z0-9._-]{1,63})");
    topology_refused("\"cluster\"", "\"clutter\"", "cluster: is missing");
    topology_refused("\"postgresql\"", "\"oracle\"", "engine: 'oracle' is not known here");
    topology_refused("\"kind\": \"streaming\"", "\"kind\": \"raft\"",
                     "kind: 'raft' is not known here");
    topology_refused("\"witnesses\": 3", "\"witnesses\": 0", "witnesses: 0 is not in 1..15");
    topology_refused("\"witnesses\": 3", "\"witnesses\": \"3\"",
                     "witnesses: is not a whole number");
    topology_refused("\"epoch\": 7", "\"epoch\": 7.0", "epoch: is not a whole number");
    topology_refused("\"epoch\": 7", "\"epoch\": 0", "epoch: 0 is not in 1..9007199254740992");
    topology_refused("\"state\": \"ok\"", "\"state\": \"fine\"", "state: 'fine' is not known here");
    topology_refused("\"lineage\": \"8\"", "\"lineage\": \"8x\"",
                     "lineage: '8x' is neither a number nor STAMP:NUMBER");
    topology_refused("\"lineage\": \"8\"", "\"lineage\": 8", "lineage: is not a string");
    topology_refused("\"why\": \"pg-2", "\"why\": \"\\u001b[31m", "why: holds a control character");
    topology_refused("\"by\": \"probe-a\"", "\"by\": \"directives\"",
                     "by: 'directives' cannot be a probe's name");
    topology_refused(
        "T01:22", " 01:22",
        "at_wall: '2026-11-21 01:22:33.123Z' is not a time like 2026-11-21T01:22:33.123Z");
    topology_refused(
        "2026-", "1066-",
        "at_wall: '1066-11-21T01:22:33.123Z' is not a time like 2026-11-21T01:22:33.123Z");
    topology_refused("\"10.0.0.1\"", "\"10.0.0.1 \"",
                     "members[0].host: '10.0.0.1 ' is not a host name or address");
    topology_refused("\"fenced\": true", "\"fenced\": 1",
                     "members[0].fenced: is neither true nor false");
    topology_refused("\"reason\": \"refused\"", "\"reason\": \"bored\"",
                     "members[0].reason: 'bored' is not known here");
    topology_refused("{ \"zone\": \"a\" }", "{ \"zone\": 1 }",
                     "members[0].labels.zone: is not a string");
    topology_refused("\"bytes\": 0", "\"bytes\": -5",
                     "members[2].lag.bytes: -5 is not in 0..9223372036854775807");
    topology_refused("\"4294967412\"", "\"-1\"", "evidence.probe-a: '-1' is not a number");
    topology_refused("\"4294967412\"", "\"9223372036854775808\"",
                     "evidence.probe-a: '9223372036854775808' is more than 9223372036854775807");
    topology_refused("\"4294967412\"", "4294967412", "evidence.probe-a: is not a string");
    topology_refused("\"probe-b\"", "\"probe b\"",
                     "evidence.probe b: is not filed under a probe's name");
    topology_refused("\"members\": [", "\"members\": {}, \"x\": [", "members: is not a list");
}
END_TEST

START_TEST(a_verdict_that_contradicts_itself_is_refused)
{
    topology_refused("\"primary\": \"pg-2\"", "\"primary\": \"pg-9\"",
                     "members[1]: has role primary, but the topology's primary is pg-9");
    topology_refused("\"primary\": \"pg-2\"", "\"primary\": null",
                     "members[1]: has role primary, but the topology's primary is null");
    topology_refused("\"role\": \"primary\"", "\"role\": \"none\"",
                     "members[1]: has role none, but the topology's primary is pg-2");
    topology_refused("\"role\": \"secondary\"", "\"role\": \"primary\"",
                     "members[2]: has role primary, but the topology's primary is pg-2");
    topology_refused("\"pg-3\"", "\"pg-1\"", "members[2]: 'pg-1' is listed twice");
    topology_refused("\"role\": \"primary\",", "\"role\": \"primary\", \"fenced\": true,",
                     "members[1]: is both primary and fenced");
    topology_refused("\"state\": \"ok\"", "\"state\": \"no-primary\"",
                     "state: is no-primary, but primary is pg-2");
    char *text = with(topology_sample, "\"primary\": \"pg-2\"", "\"primary\": null");
    char *roleless = with(text, "\"role\": \"primary\"", "\"role\": \"none\"");
    ck_assert(!reads_topology(roleless));
    ck_assert_str_eq(error.sentence, "state: is ok, but primary is null");
    free(roleless);
    free(text);
    static const char nobody[] = "{\"format\":1,\"cluster\":\"c\",\"engine\":\"mysql\","
                                 "\"witnesses\":1,\"epoch\":1,\"state\":\"ok\",\"primary\":\"a\","
                                 "\"why\":\"\",\"rule\":\"\",\"rules\":1,\"by\":\"p\",\"at_wall\":"
                                 "\"2026-11-21T01:22:33.123Z\",\"members\":[]}";
    ck_assert(!reads_topology(nobody));
    ck_assert_str_eq(error.sentence, "primary: 'a' is not one of the members");
}
END_TEST

START_TEST(wrong_values_in_a_report_are_refused)
{
    report_refused("\"answer\": \"refused\"", "\"answer\": null", "members[0].answer: is missing");
    report_refused("\"answer\": \"refused\"", "\"answer\": \"refused\", \"claim\": true",
                   "members[0].claim: cannot be true of a member that did not answer");
    report_refused("\"probe-a\"", "\"directives\"", "probe: 'directives' cannot be a probe's name");
    report_refused("\"config\": {", "\"config\": 3, \"x\": {", "config: is not an object");
    report_refused("\"witnesses\": 3, ", "", "config.witnesses: is missing");
    report_refused("[ \"pg-3\" ]", "[ 3 ]", "members[1].replicas[0]: is not a string");
    report_refused("\"pg-3\", \"host\"", "\"pg-2\", \"host\"",
                   "members[2]: 'pg-2' is listed twice");
    report_refused("\"abstains\": null", "\"abstains\": \"a word that is much too long for this\"",
                   "abstains: is longer than 31 bytes");
    report_refused("\"rules\": 1", "\"rules\": 0", "rules: 0 is not in 1..1000000");
    report_refused("\"last_role\": \"primary\"", "\"last_role\": 1",
                   "members[0].last_role: is not a string");
    report_refused("\"answer\": \"refused\"",
                   "\"answer\": \"refused\", \"left\": { \"sessions\": 256 }",
                   "members[0].left.sessions: 256 is not in 0..255");
}
END_TEST

START_TEST(more_members_than_fit_are_refused)
{
    char *text = malloc(8192);
    strcpy(text, "{\"format\":1,\"cluster\":\"c\",\"probe\":\"p\",\"rules\":1,\"config\":{"
                 "\"engine\":\"mysql\",\"witnesses\":1},"
                 "\"members\":[");
    for (int i = 0; i <= MEMBERS_MAX; i++) {
        sprintf(text + strlen(text),
                "%s{\"name\":\"m%d\",\"host\":\"h\",\"port\":1,\"answer\":\"ok\"}", i ? "," : "",
                i);
    }
    strcat(text, "]}");
    ck_assert(!reads_report(text));
    ck_assert_str_eq(error.sentence, "members: has 33 elements where 32 are the most");
    free(text);
}
END_TEST

/* A hand, or a merge of two hands: members, labels, evidence, relations. */
START_TEST(what_is_listed_again_in_the_same_words_is_one)
{
    static struct topology once;
    ck_assert(reads_topology(topology_sample));
    once = topology;
    char *evidence =
        with(topology_sample, "\"evidence\": {", "\"evidence\": { \"probe-c\": \"4294967414\",");
    char *labels = with(evidence, "\"zone\": \"a\"", "\"zone\": \"a\", \"zone\": \"a\"");
    char *members = with(labels, "\"members\": [",
                         "\"members\": [ { \"health\": \"up\", \"name\": \"pg-2\", \"host\": "
                         "\"10.0.0.2\", \"port\": 5432, \"role\": \"primary\", \"weight\": 100, "
                         "\"labels\": { \"zone\": \"b\" } },");
    ck_assert_msg(reads_topology(members), "%s", error.sentence);
    ck_assert(error.mended);
    ck_assert_int_eq(memcmp(&once, &topology, sizeof once), 0);
    char *fences = with(topology_sample, "\"evidence\":",
                        "\"fences\": [ { \"name\": \"pg-9\", \"host\": \"h\", \"port\": 1, "
                        "\"epoch\": 3 }, { \"name\": \"pg-9\", \"host\": \"h\", \"port\": 1, "
                        "\"epoch\": 3 } ], \"evidence\":");
    ck_assert_msg(reads_topology(fences), "%s", error.sentence);
    ck_assert_uint_eq(topology.fence_count, 1);
    free(fences);
    free(members);
    free(labels);
    free(evidence);
    char *relations = with(report_sample, "[ \"pg-3\" ]", "[ \"pg-3\", \"pg-3\" ]");
    char *twice = with(relations, "\"config\"", "\"members\": [], \"config\"");
    ck_assert(reads_report(relations));
    ck_assert_uint_eq(report.members[1].replicas, 4);
    ck_assert(!reads_report(twice));
    ck_assert_str_eq(error.sentence, "members: stands twice, and not with the same value");
    free(twice);
    free(relations);
}
END_TEST

Suite *codec_suite(void)
{
    Suite *suite = suite_create("codec");
    TCase *round_trips = tcase_create("there and back");
    tcase_add_test(round_trips, a_topology_is_written_as_people_read_it);
    tcase_add_test(round_trips, a_report_is_written_as_people_read_it);
    tcase_add_test(round_trips, a_topology_without_a_primary_reads_back);
    tcase_add_test(round_trips, the_largest_topology_reads_back_and_fits_a_znode);
    tcase_add_test(round_trips, the_largest_report_reads_back_and_fits_a_znode);
    tcase_add_test(round_trips, lags_read_back_as_they_are);
    tcase_add_test(round_trips, foreign_bytes_become_valid_json);
    tcase_add_test(round_trips, times_out_of_all_reason_do_not_spoil_a_record);
    tcase_add_test(round_trips, what_is_listed_again_in_the_same_words_is_one);
    suite_add_tcase(suite, round_trips);
    TCase *leniency = tcase_create("leniency");
    tcase_add_test(leniency, unknown_keys_are_skipped);
    tcase_add_test(leniency, members_in_any_order_are_sorted_and_replicas_follow);
    tcase_add_test(leniency, false_null_and_absence_of_an_optional_key_are_one);
    tcase_add_test(leniency, a_rule_is_its_number_and_without_one_its_word);
    tcase_add_test(leniency, a_rule_of_a_newer_version_leaves_the_topology_readable);
    suite_add_tcase(suite, leniency);
    TCase *strictness = tcase_create("strictness");
    tcase_add_test(strictness, what_is_not_json_is_refused);
    tcase_add_test(strictness, another_format_is_refused_as_foreign);
    tcase_add_test(strictness, too_much_is_refused_before_it_is_read);
    tcase_add_test(strictness, a_refusal_says_where_and_changes_nothing);
    tcase_add_test(strictness, wrong_values_in_a_topology_are_refused);
    tcase_add_test(strictness, a_verdict_that_contradicts_itself_is_refused);
    tcase_add_test(strictness, wrong_values_in_a_report_are_refused);
    tcase_add_test(strictness, more_members_than_fit_are_refused);
    suite_add_tcase(suite, strictness);
    return suite;
}
