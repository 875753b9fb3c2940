#include "registry/store/connect_string.h"

#include <string.h>

#include "registry/base/text.h"
#include "tests/unit/unit.h"

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

Suite *connect_string_suite(void)
{
    Suite *suite = suite_create("connect_string");
    TCase *servers = tcase_create("servers");
    tcase_add_test(servers, servers_are_a_list_with_a_chroot_at_its_end);
    tcase_add_test(servers, servers_that_are_none_are_refused_with_a_sentence);
    tcase_add_test(servers, servers_are_bounded);
    suite_add_tcase(suite, servers);
    return suite;
}
