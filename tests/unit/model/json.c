#include "registry/model/json.h"

#include <stdio.h>
#include <string.h>

#include "registry/model/codec.h"
#include "registry/model/model.h"
#include "tests/unit/unit.h"

static struct codec_error error;
static struct json_value root;

static void open_root(const char *text)
{
    memset(&error, 0, sizeof error);
    ck_assert_msg(json_parse(&root, text, strlen(text), &error), "%s", error.sentence);
}

static void close_root(void)
{
    json_release(&root);
}

/* The root holds `"format": 1` and these keys. */
#define WITH(keys) open_root("{\"format\":1," keys "}")

START_TEST(an_error_names_its_place)
{
    struct json_value list, object;
    int64_t number = 5;
    WITH("\"a\":[{\"b\":{\"port\":70000}}]");
    ck_assert(json_get_list(&root, "a", REQUIRED, 1, &list));
    struct json_value element = json_element(&list, 0);
    ck_assert(json_get_object(&element, "b", REQUIRED, 1, &object));
    ck_assert(!json_get_number(&object, "port", REQUIRED, 1, 65535, &number));
    ck_assert_str_eq(error.sentence, "a[0].b.port: 70000 is not in 1..65535");
    ck_assert_int_eq(number, 5);
    close_root();
}
END_TEST

START_TEST(null_is_absence)
{
    char text[8] = "before";
    bool flag = true;
    WITH("\"a\":null");
    ck_assert(json_get_text(&root, "a", OPTIONAL, text, sizeof text));
    ck_assert(json_get_flag(&root, "a", &flag));
    ck_assert_str_eq(text, "before");
    ck_assert(flag);
    ck_assert(!json_get_text(&root, "a", REQUIRED, text, sizeof text));
    ck_assert_str_eq(error.sentence, "a: is missing");
    ck_assert(!json_get_text(&root, "b", REQUIRED, text, sizeof text));
    ck_assert_str_eq(error.sentence, "b: is missing");
    close_root();
}
END_TEST

START_TEST(a_text_that_does_not_fit_or_would_reach_a_terminal_is_refused)
{
    char text[4] = "";
    WITH("\"a\":\"abc\",\"b\":\"abcd\",\"c\":\"a\\u001b\",\"d\":\"\\u0085\"");
    ck_assert(json_get_text(&root, "a", REQUIRED, text, sizeof text));
    ck_assert_str_eq(text, "abc");
    ck_assert(!json_get_text(&root, "b", REQUIRED, text, sizeof text));
    ck_assert(!json_get_text(&root, "c", REQUIRED, text, sizeof text));
    ck_assert(!json_get_text(&root, "d", REQUIRED, text, sizeof text));
    ck_assert_str_eq(text, "abc");
    close_root();
}
END_TEST

START_TEST(digits_hold_what_a_double_cannot)
{
    uint64_t number = 0;
    WITH("\"a\":\"18446744073709551615\",\"b\":\"18446744073709551616\",\"c\":\"\",\"d\":\"1x\","
         "\"e\":1");
    ck_assert(json_get_digits(&root, "a", &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    ck_assert(!json_get_digits(&root, "b", &number));
    ck_assert(!json_get_digits(&root, "c", &number));
    ck_assert(!json_get_digits(&root, "d", &number));
    ck_assert(!json_get_digits(&root, "e", &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    close_root();
}
END_TEST

START_TEST(a_word_is_one_of_its_table)
{
    int role = 7;
    WITH("\"a\":\"secondary\",\"b\":\"king\"");
    ck_assert(json_get_choice(&root, "a", REQUIRED, role_names, &role));
    ck_assert_int_eq(role, ROLE_SECONDARY);
    ck_assert(!json_get_choice(&root, "b", REQUIRED, role_names, &role));
    ck_assert_str_eq(error.sentence, "b: 'king' is not known here");
    close_root();
}
END_TEST

START_TEST(containers_are_bounded_and_absent_ones_are_empty)
{
    struct json_value place, at;
    size_t keys = 0;
    WITH("\"a\":[1,2,3],\"b\":{\"x\":1,\"y\":2}");
    ck_assert(!json_get_list(&root, "a", REQUIRED, 2, &place));
    ck_assert_str_eq(error.sentence, "a: has 3 elements where 2 are the most");
    ck_assert(!json_get_list(&root, "b", REQUIRED, 2, &place));
    ck_assert(json_get_object(&root, "b", REQUIRED, 2, &place));
    for (void *iter = json_first(&place, &at); iter; iter = json_next(&place, iter, &at)) {
        keys++;
    }
    ck_assert_uint_eq(keys, 2);
    ck_assert(json_get_list(&root, "none", OPTIONAL, 2, &place));
    ck_assert_uint_eq(json_count(&place), 0);
    close_root();
}
END_TEST

START_TEST(a_key_that_stands_twice_is_one_when_its_values_agree)
{
    struct json_value object;
    int64_t number = 0;
    WITH("\"a\":{\"x\":[1,{\"y\":\"}\"}],\"z\":3,\"x\": [ 1, { \"\\u0079\" : \"}\" } ] }");
    ck_assert(error.mended);
    ck_assert(json_get_object(&root, "a", REQUIRED, 2, &object));
    ck_assert(json_get_number(&object, "z", REQUIRED, 0, 9, &number));
    ck_assert_int_eq(number, 3);
    close_root();
    WITH("\"a\":1");
    ck_assert(!error.mended);
    close_root();
}
END_TEST

START_TEST(a_key_that_stands_twice_with_two_values_is_refused_by_name)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"{\"format\":1,\"a\":1,\"a\":2}", "a: stands twice, and not with the same value"},
        {"{\"format\":1,\"a\":1,\"\\u0061\":\"1\"}",
         "a: stands twice, and not with the same value"},
        {"{\"format\":1,\"w\":{\"pg-2\":50,\"pg-1\":1,\"pg-2\":5}}",
         "w.pg-2: stands twice, and not with the same value"},
        {"{\"format\":1,\"m\":[{},{\"x\\\"\":{},\"x\\\"\":null}],\"format\":1}",
         "m[1].x\": stands twice, and not with the same value"},
        {"{\"format\":1,\"a\":1,\"a\":1",
         "is not JSON: line 1, column 23: '}' expected near end of file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!json_parse(&root, cases[i].text, strlen(cases[i].text), &error));
        ck_assert_str_eq(error.sentence, cases[i].sentence);
    }
}
END_TEST

START_TEST(doubles_without_end_are_refused)
{
    static char text[4096];
    size_t used = (size_t)sprintf(text, "{\"format\":1,\"format\":1,\"a\":");
    memset(text + used, '[', 1000);
    memset(text + used + 1000, ']', 1000);
    strcpy(text + used + 2000, "}");
    ck_assert(!json_parse(&root, text, strlen(text), &error));
    ck_assert_ptr_nonnull(strstr(error.sentence, "is nested too deep"));
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_test(tcase, an_error_names_its_place);
    tcase_add_test(tcase, null_is_absence);
    tcase_add_test(tcase, a_text_that_does_not_fit_or_would_reach_a_terminal_is_refused);
    tcase_add_test(tcase, digits_hold_what_a_double_cannot);
    tcase_add_test(tcase, a_word_is_one_of_its_table);
    tcase_add_test(tcase, containers_are_bounded_and_absent_ones_are_empty);
    tcase_add_test(tcase, a_key_that_stands_twice_is_one_when_its_values_agree);
    tcase_add_test(tcase, a_key_that_stands_twice_with_two_values_is_refused_by_name);
    tcase_add_test(tcase, doubles_without_end_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
