#include "registry/base/random.h"

#include <string.h>

#include "registry/base/text.h"
#include "tests/unit/unit.h"

START_TEST(the_sequence_is_that_of_splitmix64)
{
    uint64_t state = 1234567; /* the reference implementation's first numbers from this seed */
    ck_assert_uint_eq(random_next(&state), UINT64_C(6457827717110365317));
    ck_assert_uint_eq(random_next(&state), UINT64_C(3203168211198807973));
    ck_assert_uint_eq(random_next(&state), UINT64_C(9817491932198370423));
}
END_TEST

START_TEST(a_uuid_says_its_version_and_variant)
{
    char uuid[UUID_SIZE];
    ck_assert_str_eq(random_uuid(uuid, 0, 0), "00000000-0000-4000-8000-000000000000");
    ck_assert_str_eq(random_uuid(uuid, UINT64_MAX, UINT64_MAX),
                     "ffffffff-ffff-4fff-bfff-ffffffffffff");
    ck_assert_str_eq(random_uuid(uuid, UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)),
                     "01234567-89ab-4def-bedc-ba9876543210");
    ck_assert(text_is_name(uuid));
}
END_TEST

Suite *random_suite(void)
{
    Suite *suite = suite_create("random");
    TCase *tcase = tcase_create("random");
    tcase_add_test(tcase, the_sequence_is_that_of_splitmix64);
    tcase_add_test(tcase, a_uuid_says_its_version_and_variant);
    suite_add_tcase(suite, tcase);
    return suite;
}
