#include "watchers/cli/remarks.h"

#include <string.h>

#include "tests/unit/unit.h"

static struct remark_scene scene;
static struct directives directives;
static struct remark remarks[REMARKS_MAX];

/* m0 is primary; m1 does not claim. */
static void setup(void)
{
    memset(&directives, 0, sizeof directives);
    scene = (struct remark_scene){
        .cluster = "orders",
        .elected = 7,
        .member_count = 2,
        .members = {{"m0", {.reason = "", .primary = "m0", .rule = "", .bar = ""}},
                    {"m1", {.reason = "", .primary = "m0", .rule = "", .bar = ""}}},
        .directives = &directives,
    };
}

START_TEST(nothing_is_remarked_of_a_cluster_in_order)
{
    strcpy(directives.drain[directives.drain_count++], "m1");
    strcpy(directives.hold, "m0");
    ck_assert_uint_eq(remarks_of(&scene, remarks), 0);
}
END_TEST

START_TEST(a_claim_that_is_refused_has_its_reason_and_its_end)
{
    scene.members[1].claim.claims = scene.members[1].claim.fenced = true;
    ck_assert_uint_eq(remarks_of(&scene, remarks), 1);
    ck_assert_int_eq(remarks[0].kind, REMARK_REFUSED);
    ck_assert_str_eq(remarks[0].text,
                     "m1 claims and is refused (fenced): it was replaced and has not followed "
                     "since; `roster accept orders m1` ends that");
}
END_TEST

START_TEST(orders_that_name_nobody_are_told_with_the_command_that_takes_them_back)
{
    strcpy(directives.drain[directives.drain_count++], "m9");
    strcpy(directives.weight[directives.weight_count++].name, "m9");
    strcpy(directives.hold, "m9");
    directives.accept[directives.accept_count++] = (struct acceptance){"m9", 7, false};
    static const char *const texts[] = {
        "drain names m9, which is no member; `roster undrain orders m9` takes it back",
        "weight names m9, which is no member; `roster weight orders m9 default` takes it back",
        "hold names m9, which is no member; `roster release orders` takes it back",
        "accept names m9, which is no member",
    };
    ck_assert_uint_eq(remarks_of(&scene, remarks), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(remarks[i].kind, REMARK_UNLISTED);
        ck_assert_str_eq(remarks[i].text, texts[i]);
    }
}
END_TEST

START_TEST(an_acceptance_is_pending_while_its_member_does_not_claim)
{
    directives.accept[directives.accept_count++] = (struct acceptance){"m1", 7, false};
    ck_assert_uint_eq(remarks_of(&scene, remarks), 1);
    ck_assert_int_eq(remarks[0].kind, REMARK_PENDING);
    ck_assert_str_eq(remarks[0].text, "accept m1 is pending: it does not claim");
    scene.elected = 8; /* it had its time */
    ck_assert_uint_eq(remarks_of(&scene, remarks), 0);
    scene.elected = 7;
    strcpy(directives.accept[0].name, "m0");
    ck_assert_uint_eq(remarks_of(&scene, remarks), 0);
}
END_TEST

START_TEST(directives_that_are_not_known_are_not_guessed)
{
    scene.directives = NULL;
    scene.members[1].claim.claims = true;
    ck_assert_uint_eq(remarks_of(&scene, remarks), 1);
}
END_TEST

Suite *remarks_suite(void)
{
    Suite *suite = suite_create("remarks");
    TCase *tcase = tcase_create("remarks");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, nothing_is_remarked_of_a_cluster_in_order);
    tcase_add_test(tcase, a_claim_that_is_refused_has_its_reason_and_its_end);
    tcase_add_test(tcase, orders_that_name_nobody_are_told_with_the_command_that_takes_them_back);
    tcase_add_test(tcase, an_acceptance_is_pending_while_its_member_does_not_claim);
    tcase_add_test(tcase, directives_that_are_not_known_are_not_guessed);
    suite_add_tcase(suite, tcase);
    return suite;
}
