#include "registry/base/auth.h"

#include <string.h>

#include "registry/base/limits.h"
#include "tests/unit/unit.h"

START_TEST(a_user_and_a_password_are_needed_and_neither_is_repeated)
{
    static const struct {
        const char *auth, *sentence;
    } cases[] = {{"", "does not begin with 'digest:'"},
                 {"world:user:swordfish", "does not begin with 'digest:'"},
                 {"digest", "does not begin with 'digest:'"},
                 {"digest:", "has no user or no password"},
                 {"digest:swordfish", "has no user or no password"},
                 {"digest::swordfish", "has no user or no password"},
                 {"digest:user:", "has no user or no password"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sentence[SENTENCE_SIZE] = "";
        ck_assert_msg(!auth_is_valid(cases[i].auth, sentence, sizeof sentence), "'%s' was taken",
                      cases[i].auth);
        ck_assert_msg(strstr(sentence, cases[i].sentence), "'%s': %s", cases[i].auth, sentence);
        ck_assert_ptr_null(strstr(sentence, "swordfish"));
    }
}
END_TEST

START_TEST(a_password_may_hold_colons_and_is_bounded)
{
    char auth[SECRET_SIZE + 1] = "digest:user:a:secret", sentence[SENTENCE_SIZE] = "";
    ck_assert(auth_is_valid(auth, sentence, sizeof sentence));
    memset(auth + strlen(auth), 'x', sizeof auth - 1 - strlen(auth));
    ck_assert(!auth_is_valid(auth, sentence, sizeof sentence));
    ck_assert_ptr_nonnull(strstr(sentence, "longer than 255 bytes"));
    auth[SECRET_SIZE - 1] = '\0';
    ck_assert(auth_is_valid(auth, sentence, sizeof sentence));
}
END_TEST

Suite *auth_suite(void)
{
    Suite *suite = suite_create("auth");
    TCase *form = tcase_create("form");
    tcase_add_test(form, a_user_and_a_password_are_needed_and_neither_is_repeated);
    tcase_add_test(form, a_password_may_hold_colons_and_is_bounded);
    suite_add_tcase(suite, form);
    return suite;
}
