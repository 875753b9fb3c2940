/* The small records: directives, presence, the registry's identity, a probe's memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"
#include "tests/unit/unit.h"

static struct codec_error error;

START_TEST(directives_read_back)
{
    static const char text[] = "{ \"format\": 1, \"drain\": [ \"pg-3\" ], \"weight\": { \"pg-2\": "
                               "50 }, \"hold\": \"pg-2\", "
                               "\"accept\": [ \"pg-1@7\" ] }\n";
    struct directives directives;
    ck_assert_msg(directives_decode(text, strlen(text), &directives, &error), "%s", error.sentence);
    ck_assert_str_eq(directives.drain[0], "pg-3");
    ck_assert_uint_eq(directives.weight[0].weight, 50);
    ck_assert_str_eq(directives.accept[0].name, "pg-1");
    ck_assert_int_eq(directives.accept[0].epoch, 7);
    char *again = directives_encode(&directives);
    ck_assert_str_eq(again, text);
    free(again);
}
END_TEST

START_TEST(no_directives_are_one_short_line)
{
    struct directives directives;
    static const struct directives none;
    ck_assert(directives_decode("{\"format\":1}", 12, &directives, &error));
    ck_assert_int_eq(memcmp(&directives, &none, sizeof none), 0);
    char *text = directives_encode(&directives);
    ck_assert_str_eq(text, "{ \"format\": 1, \"drain\": [], \"weight\": {}, \"hold\": null, "
                           "\"accept\": [] }\n");
    ck_assert(directives_decode(text, strlen(text), &directives, &error));
    ck_assert_int_eq(memcmp(&directives, &none, sizeof none), 0);
    free(text);
}
END_TEST

START_TEST(directives_out_of_order_or_twice_are_put_in_order)
{
    static const struct {
        const char *text, *canonical;
    } cases[] = {
        {"{\"format\":1,\"drain\":[\"b\",\"c\",\"a\"]}",
         "\"drain\": [ \"a\", \"b\", \"c\" ], \"weight\": {}, \"hold\": null, \"accept\": []"},
        {"{\"format\":1,\"drain\":[\"b\",\"a\",\"b\"]}",
         "\"drain\": [ \"a\", \"b\" ], \"weight\": {}, \"hold\": null, \"accept\": []"},
        {"{\"format\":1,\"weight\":{\"pg-3\":10,\"pg-1\":20,\"pg-3\":10}}",
         "\"drain\": [], \"weight\": { \"pg-1\": 20, \"pg-3\": 10 }, \"hold\": null, \"accept\": "
         "[]"},
        /* the later epoch includes the earlier one */
        {"{\"format\":1,\"accept\":[\"b@3\",\"a@7\",\"b@2\",\"a@9\"]}",
         "\"drain\": [], \"weight\": {}, \"hold\": null, \"accept\": [ \"a@9\", \"b@3\" ]"},
        {"{\"format\":1,\"hold\":\"a\",\"hold\":\"a\"}",
         "\"drain\": [], \"weight\": {}, \"hold\": \"a\", \"accept\": []"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct directives directives, again;
        ck_assert_msg(directives_decode(cases[i].text, strlen(cases[i].text), &directives, &error),
                      "%s: %s", cases[i].text, error.sentence);
        ck_assert_msg(error.mended || strstr(cases[i].text, "hold"), "%s", cases[i].text);
        char *text = directives_encode(&directives);
        ck_assert_msg(strstr(text, cases[i].canonical), "%s", text);
        ck_assert(directives_decode(text, strlen(text), &again, &error));
        ck_assert(!error.mended);
        ck_assert_int_eq(memcmp(&again, &directives, sizeof again), 0);
        free(text);
    }
}
END_TEST

/* Apart from the acceptances, where readers of versions before skip it. */
START_TEST(an_acceptance_that_replaces_is_named_beside)
{
    static const char text[] = "{ \"format\": 1, \"drain\": [], \"weight\": {}, \"hold\": null, "
                               "\"accept\": [ \"pg-1@7\", \"pg-2@7\" ], \"replace\": [ "
                               "\"pg-2@7\" ] }\n";
    static const char other[] = "{\"format\":1,\"accept\":[\"pg-2@9\"],\"replace\":[\"pg-2@7\","
                                "\"pg-9@9\"]}";
    struct directives directives;
    ck_assert_msg(directives_decode(text, strlen(text), &directives, &error), "%s", error.sentence);
    ck_assert(!directives.accept[0].replace);
    ck_assert(directives.accept[1].replace);
    char *again = directives_encode(&directives);
    ck_assert_str_eq(again, text);
    free(again);
    /* of another epoch, or of nobody: it says nothing */
    ck_assert(directives_decode(other, strlen(other), &directives, &error));
    ck_assert_uint_eq(directives.accept_count, 1);
    ck_assert(!directives.accept[0].replace);
}
END_TEST

START_TEST(wrong_directives_are_refused)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{\"format\":1,\"drain\":\"pg-1\"}", "drain: is not a list"},
        {"{\"format\":1,\"drain\":[\"\"]}", "drain[0]: '' is not a name ([A-Za-z0-9._-]{1,63})"},
        {"{\"format\":1,\"weight\":{\"a\":1001}}", "weight.a: 1001 is not in 0..1000"},
        {"{\"format\":1,\"weight\":{\"a b\":1}}", "weight.a b: is not a member's name"},
        {"{\"format\":1,\"hold\":7}", "hold: is not a string"},
        {"{\"format\":1,\"accept\":[\"pg-1\"]}", "accept[0]: is not of the form MEMBER@EPOCH"},
        {"{\"format\":1,\"accept\":[\"pg-1@\"]}", "accept[0]: is not of the form MEMBER@EPOCH"},
        {"{\"format\":1,\"accept\":[\"pg-1@-1\"]}", "accept[0]: is not of the form MEMBER@EPOCH"},
        {"{\"format\":1,\"accept\":[\"@1\"]}", "accept[0]: is not of the form MEMBER@EPOCH"},
        {"{\"format\":1,\"replace\":[\"pg-1\"]}", "replace[0]: is not of the form MEMBER@EPOCH"},
        {"{\"format\":1,\"weight\":{\"pg-2\":50,\"pg-1\":7,\"pg-2\":5}}",
         "weight.pg-2: stands twice, and not with the same value"},
        {"{\"format\":1,\"hold\":\"a\",\"hold\":\"b\"}",
         "hold: stands twice, and not with the same value"},
    };
    struct directives directives;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(!directives_decode(cases[i].text, strlen(cases[i].text), &directives, &error),
                      "%s", cases[i].text);
        ck_assert_str_eq(error.sentence, cases[i].sentence);
    }
}
END_TEST

START_TEST(presence_reads_back)
{
    struct presence presence = {.probe = "a",
                                .host = "host-1",
                                .pid = 4711,
                                .version = "0.1.0",
                                .nonce = UINT64_MAX,
                                .beat = 3};
    struct presence again;
    char *text = presence_encode(&presence);
    ck_assert_str_eq(text, "{ \"format\": 1, \"probe\": \"a\", \"host\": \"host-1\", \"pid\": "
                           "4711, \"version\": \"0.1.0\","
                           " \"nonce\": \"18446744073709551615\", \"beat\": \"3\" }\n");
    ck_assert_msg(presence_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert_uint_eq(again.nonce, UINT64_MAX);
    ck_assert_uint_eq(again.beat, 3);
    ck_assert_int_eq(again.pid, 4711);
    ck_assert_str_eq(again.boot, "");
    ck_assert_str_eq(again.pid_namespace, "");
    strstr(text, "51615\"")[4] = '6';
    ck_assert(!presence_decode(text, strlen(text), &again, &error));
    ck_assert_str_eq(error.sentence,
                     "nonce: '18446744073709551616' is more than 18446744073709551615");
    free(text);
}
END_TEST

START_TEST(a_presence_says_which_process_it_is_of)
{
    struct presence presence = {.probe = "a",
                                .host = "host-1",
                                .boot = "5f0c0d9e-8a55-4b0e-b1f6-0d2f1e3ab001",
                                .pid_namespace = "4026531836",
                                .pid = 1,
                                .version = "1"};
    struct presence again;
    char *text = presence_encode(&presence);
    ck_assert_str_eq(text, "{ \"format\": 1, \"probe\": \"a\", \"host\": \"host-1\", \"boot\": "
                           "\"5f0c0d9e-8a55-4b0e-b1f6-0d2f1e3ab001\", \"pid_namespace\": "
                           "\"4026531836\", \"pid\": 1, \"version\": \"1\", \"nonce\": \"0\", "
                           "\"beat\": \"0\" }\n");
    ck_assert_msg(presence_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert_str_eq(again.boot, presence.boot);
    ck_assert_str_eq(again.pid_namespace, presence.pid_namespace);
    free(text);
}
END_TEST

START_TEST(a_registry_id_reads_back)
{
    struct registry_id registry_id = {.registry = "0d9f5e4c-6a41-4c2b-9c55-2f9b61d3a001",
                                      .supersedes_count = 1,
                                      .supersedes = {"old"}};
    struct registry_id again;
    char *text = registry_id_encode(&registry_id);
    ck_assert_str_eq(text,
                     "{ \"format\": 1, \"registry\": \"0d9f5e4c-6a41-4c2b-9c55-2f9b61d3a001\", "
                     "\"supersedes\": [ \"old\" ] }\n");
    ck_assert_msg(registry_id_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert_str_eq(again.registry, registry_id.registry);
    ck_assert_str_eq(again.supersedes[0], "old");
    ck_assert(!registry_id_decode("{\"format\":1,\"registry\":\"\"}", 27, &again, &error));
    free(text);
}
END_TEST

START_TEST(an_identity_just_drawn_is_provisional)
{
    struct registry_id registry_id = {.registry = "a", .provisional = true}, again;
    char *text = registry_id_encode(&registry_id);
    ck_assert_str_eq(
        text,
        "{ \"format\": 1, \"registry\": \"a\", \"supersedes\": [], \"provisional\": true }\n");
    ck_assert_msg(registry_id_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert(again.provisional);
    free(text);
}
END_TEST

START_TEST(a_registry_that_went_back_is_marked_so)
{
    struct registry_id registry_id = {.registry = "a", .went_back = {15, 477}}, again;
    char *text = registry_id_encode(&registry_id);
    ck_assert_str_eq(text, "{ \"format\": 1, \"registry\": \"a\", \"supersedes\": [], "
                           "\"went_back\": { \"found\": \"15\", \"known\": \"477\" } }\n");
    ck_assert_msg(registry_id_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert(again.went_back.found == 15 && again.went_back.known == 477);
    free(text);
    static const char *const wrong[] = {
        "{\"format\":1,\"registry\":\"a\",\"went_back\":{\"found\":\"15\"}}",
        "{\"format\":1,\"registry\":\"a\",\"went_back\":7}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(!registry_id_decode(wrong[i], strlen(wrong[i]), &again, &error));
    }
}
END_TEST

START_TEST(what_a_probe_remembers_reads_back)
{
    static struct memory memory = {
        .registry_id = {.registry = "a", .supersedes_count = 1, .supersedes = {"old"}},
        .known_count = 2,
        .known = {{"orders", INT64_MAX}, {"sales", 7}}};
    static struct memory again;
    char *text = memory_encode(&memory);
    ck_assert_str_eq(text, "{ \"format\": 1, \"registry\": \"a\", \"supersedes\": [ \"old\" ], "
                           "\"topologies\": { \"orders\": \"9223372036854775807\", \"sales\": "
                           "\"7\" } }\n");
    ck_assert_msg(memory_decode(text, strlen(text), &again, &error), "%s", error.sentence);
    ck_assert_mem_eq(&memory, &again, sizeof memory);
    free(text);
    static const char *const wrong[] = {
        "{\"format\":1,\"registry\":\"a\",\"topologies\":{\"or ders\":\"7\"}}",
        "{\"format\":1,\"registry\":\"a\",\"topologies\":{\"orders\":7}}",
        "{\"format\":1,\"registry\":\"a\",\"topologies\":{\"orders\":\"9223372036854775808\"}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(!memory_decode(wrong[i], strlen(wrong[i]), &again, &error));
    }
}
END_TEST

Suite *codec_small_suite(void)
{
    Suite *suite = suite_create("codec_small");
    TCase *cases = tcase_create("small records");
    tcase_add_test(cases, directives_read_back);
    tcase_add_test(cases, no_directives_are_one_short_line);
    tcase_add_test(cases, directives_out_of_order_or_twice_are_put_in_order);
    tcase_add_test(cases, an_acceptance_that_replaces_is_named_beside);
    tcase_add_test(cases, wrong_directives_are_refused);
    tcase_add_test(cases, presence_reads_back);
    tcase_add_test(cases, a_presence_says_which_process_it_is_of);
    tcase_add_test(cases, a_registry_id_reads_back);
    tcase_add_test(cases, an_identity_just_drawn_is_provisional);
    tcase_add_test(cases, a_registry_that_went_back_is_marked_so);
    tcase_add_test(cases, what_a_probe_remembers_reads_back);
    suite_add_tcase(suite, cases);
    return suite;
}
