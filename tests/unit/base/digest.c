/* The ids of ZooKeeper's scheme "digest". */
#include "registry/base/digest.h"

#include <string.h>

#include "registry/base/limits.h"
#include "tests/unit/unit.h"

START_TEST(an_id_is_the_user_and_the_hash_that_zookeeper_computes)
{
    char id[DIGEST_ID_SIZE], long_auth[SECRET_SIZE] = "digest:a:";
    ck_assert_str_eq(digest_id("digest:roster:secret", id), "roster:shMOpcHjo1QYAvCQAAajcGAfEbY=");
    memset(long_auth + 9, 'b', 200);
    ck_assert_str_eq(digest_id(long_auth, id), "a:n4ganTQV+ydgVrKmMTeEIOHvxSc=");
    /* the last text that fits one block with its length, and the first that does not */
    char edge[SECRET_SIZE] = "digest:u:";
    memset(edge + 9, 'p', 53);
    ck_assert_str_eq(digest_id(edge, id), "u:9haYA/nqM3XxNMGh/CO/vVlsjwY=");
    edge[9 + 53] = 'p';
    ck_assert_str_eq(digest_id(edge, id), "u:eKm7CCgUeLQmQ+V5LVuT4xJjoMU=");
}
END_TEST

START_TEST(the_longest_user_has_an_id)
{
    char auth[SECRET_SIZE] = "digest:", id[DIGEST_ID_SIZE], sentence[SENTENCE_SIZE];
    memset(auth + 7, 'u', sizeof auth - 10);
    memcpy(auth + sizeof auth - 3, ":p", 3);
    digest_id(auth, id);
    ck_assert_uint_eq(strlen(id), sizeof auth - 10 + 1 + DIGEST_HASH_LENGTH);
    ck_assert(digest_id_is_valid(id, sentence, sizeof sentence));
}
END_TEST

START_TEST(what_is_no_id_is_refused_and_a_password_is_not_repeated)
{
    static const struct {
        const char *id, *sentence;
    } cases[] = {
        {"", "has no user"},
        {"roster", "has no user"},
        {":shMOpcHjo1QYAvCQAAajcGAfEbY=", "has no user"},
        {"roster:swordfish", "what follows 'roster:' is no SHA-1"},
        {"roster:shMOpcHjo1QYAvCQAAajcGAfEbYx", "is no SHA-1"},
        {"digest:roster:swordfish", "what follows 'digest:' is no SHA-1"},
    };
    char sentence[SENTENCE_SIZE];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert(!digest_id_is_valid(cases[i].id, sentence, sizeof sentence));
        ck_assert_msg(strstr(sentence, cases[i].sentence), "%s: %s", cases[i].id, sentence);
        ck_assert_ptr_null(strstr(sentence, "swordfish"));
    }
}
END_TEST

START_TEST(a_hash_that_the_server_does_not_show_matches_any)
{
    ck_assert(digest_id_equal("a:shMOpcHjo1QYAvCQAAajcGAfEbY=", "a:x"));
    ck_assert(digest_id_equal("a:x", "a:shMOpcHjo1QYAvCQAAajcGAfEbY="));
    ck_assert(!digest_id_equal("a:x", "b:shMOpcHjo1QYAvCQAAajcGAfEbY="));
    ck_assert(!digest_id_equal("a:n4ganTQV+ydgVrKmMTeEIOHvxSc=", "a:shMOpcHjo1QYAvCQAAajcGAfEbY="));
    ck_assert(!digest_id_equal("a", "a:x"));
}
END_TEST

Suite *digest_suite(void)
{
    Suite *suite = suite_create("digest");
    TCase *ids = tcase_create("ids");
    tcase_add_test(ids, an_id_is_the_user_and_the_hash_that_zookeeper_computes);
    tcase_add_test(ids, the_longest_user_has_an_id);
    tcase_add_test(ids, what_is_no_id_is_refused_and_a_password_is_not_repeated);
    tcase_add_test(ids, a_hash_that_the_server_does_not_show_matches_any);
    suite_add_tcase(suite, ids);
    return suite;
}
