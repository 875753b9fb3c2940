/* What the command line says of an order, from the verdict before it and the one that took it. */
#include "watchers/cli/outcome.h"

#include <string.h>

#include "registry/base/text.h"
#include "tests/unit/unit.h"

static struct topology before, after;
static struct directive word;
static char sentence[SENTENCE_SIZE];

/* m0 is primary, m1 and m2 follow it; `after` is the same until a test changes it. */
static void setup(void)
{
    memset(&before, 0, sizeof before);
    strcpy(before.cluster, "orders");
    strcpy(before.primary, "m0");
    before.epoch = 7;
    before.member_count = 3;
    for (size_t i = 0; i < 3; i++) {
        struct member *member = &before.members[i];
        strcpy(member->config.name, i == 0 ? "m0" : i == 1 ? "m1" : "m2");
        member->config.weight = 100;
        member->health = HEALTH_UP;
        member->reason = ANSWER_OK;
        member->role = i == 0 ? ROLE_PRIMARY : ROLE_SECONDARY;
        strcpy(member->upstream, i == 0 ? "" : "m0");
    }
    after = before;
    word = (struct directive){.member = "m1", .weight = -1, .hold = ""};
}

static void becomes(enum order order, enum outcome outcome, const char *text)
{
    word.order = order;
    enum outcome is = outcome_of(&word, &before, &after, sentence, sizeof sentence);
    ck_assert_str_eq(sentence, text);
    ck_assert_int_eq(is, outcome);
}

static void make_primary(struct topology *topology, size_t index)
{
    for (size_t i = 0; i < topology->member_count; i++) {
        topology->members[i].role = i == index ? ROLE_PRIMARY : ROLE_SECONDARY;
        strcpy(topology->members[i].upstream,
               i == index ? "" : topology->members[index].config.name);
    }
    strcpy(topology->primary, topology->members[index].config.name);
    topology->epoch++;
}

static void no_primary(struct topology *topology)
{
    topology->members[0].role = ROLE_NONE;
    topology->primary[0] = '\0';
    topology->state = STATE_NO_PRIMARY;
    topology->epoch++;
}

static void make_rival(struct topology *topology, size_t index)
{
    topology->members[index].role = ROLE_NONE;
    topology->members[index].upstream[0] = '\0';
    topology->members[index].claims = true;
    topology->members[index].reason = ANSWER_RIVAL;
    topology->state = STATE_CONFLICT;
}

START_TEST(a_drain_holds_once_the_member_is_drained)
{
    becomes(ORDER_DRAIN, OUTCOME_PENDING, "still pending: orders/m1 is not drained yet");
    after.members[1].drained = true;
    becomes(ORDER_DRAIN, OUTCOME_HOLDS, "orders/m1 is drained");
    becomes(ORDER_UNDRAIN, OUTCOME_PENDING, "still pending: orders/m1 is still drained");
    after.members[1].drained = false;
    becomes(ORDER_UNDRAIN, OUTCOME_HOLDS, "orders/m1 is not drained");
}
END_TEST

START_TEST(a_drained_primary_stays_or_hands_over)
{
    word.member = "m0";
    after.members[0].drained = true;
    becomes(ORDER_DRAIN, OUTCOME_HOLDS,
            "orders/m0 is drained, and stays primary until the database has another");
    make_primary(&after, 1);
    becomes(ORDER_DRAIN, OUTCOME_HOLDS, "orders/m0 is drained; m1 is primary as of epoch 8");
}
END_TEST

START_TEST(a_weight_is_that_of_the_verdict)
{
    becomes(ORDER_WEIGHT, OUTCOME_HOLDS, "orders/m1 has the weight that is configured, 100");
    word.weight = 7;
    becomes(ORDER_WEIGHT, OUTCOME_PENDING, "still pending: orders/m1 has weight 100");
    after.members[1].config.weight = 7;
    becomes(ORDER_WEIGHT, OUTCOME_HOLDS, "orders/m1 has weight 7");
}
END_TEST

START_TEST(a_hold_holds_at_the_primary_and_waits_at_another)
{
    word.member = "m0";
    becomes(ORDER_HOLD, OUTCOME_HOLDS, "orders is held at m0, primary as of epoch 7");
    word.member = "m1";
    becomes(ORDER_HOLD, OUTCOME_PENDING,
            "still pending: orders is held at m1, and no other can become primary; m1 does not "
            "claim to be primary (it follows m0)");
    becomes(ORDER_RELEASE, OUTCOME_HOLDS, "orders is not held");
}
END_TEST

START_TEST(a_member_that_left_is_waited_for_or_needs_nothing)
{
    static const struct {
        enum order order;
        enum outcome outcome;
        const char *text;
    } cases[] = {
        {ORDER_DRAIN, OUTCOME_PENDING, "still pending: m9 is no member of orders at present"},
        {ORDER_HOLD, OUTCOME_PENDING, "still pending: m9 is no member of orders at present"},
        {ORDER_ACCEPT, OUTCOME_PENDING, "still pending: m9 is no member of orders at present"},
        {ORDER_UNDRAIN, OUTCOME_HOLDS, "orders/m9 is not drained"},
        {ORDER_WEIGHT, OUTCOME_HOLDS, "orders/m9 has no weight of its own: it is no member"},
    };
    word.member = "m9";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        becomes(cases[i].order, cases[i].outcome, cases[i].text);
    }
}
END_TEST

START_TEST(an_acceptance_holds_when_the_member_is_primary)
{
    make_rival(&before, 1);
    make_primary(&after, 1);
    becomes(ORDER_ACCEPT, OUTCOME_HOLDS, "orders/m1 is primary as of epoch 8");
    after.members[2].role = ROLE_PRIMARY;
    word.member = "m2";
    becomes(ORDER_ACCEPT, OUTCOME_HOLDS, "orders/m2 takes writes beside others as of epoch 8");
}
END_TEST

START_TEST(an_acceptance_of_a_member_that_does_not_claim_is_pending)
{
    becomes(ORDER_ACCEPT, OUTCOME_PENDING,
            "still pending: orders/m1 does not claim to be primary (it follows m0)");
    after.members[1].health = HEALTH_DOWN;
    after.members[1].reason = ANSWER_REFUSED;
    becomes(ORDER_ACCEPT, OUTCOME_PENDING,
            "still pending: orders/m1 does not claim to be primary (down: refused)");
}
END_TEST

START_TEST(an_acceptance_that_ends_a_fence_holds)
{
    before.members[1].fenced = true;
    becomes(ORDER_ACCEPT, OUTCOME_HOLDS,
            "orders/m1 is not fenced any more; m0 is primary as of epoch 7");
    before.members[1].fenced = false;
    before.members[1].reason = ANSWER_STRANGER;
    no_primary(&after);
    becomes(ORDER_ACCEPT, OUTCOME_HOLDS, "orders/m1 is no stranger any more");
}
END_TEST

START_TEST(an_acceptance_that_something_stands_against_is_refused_with_the_way_out)
{
    after.members[1].drained = true;
    becomes(ORDER_ACCEPT, OUTCOME_REFUSED,
            "orders/m1 is drained, so it does not become primary; `roster undrain orders m1` ends "
            "that");
    make_rival(&after, 1);
    becomes(
        ORDER_ACCEPT, OUTCOME_REFUSED,
        "orders/m1 claims and does not become primary: the operator drained it; `roster undrain "
        "orders m1` ends that");
    after.members[1].drained = false;
    becomes(ORDER_ACCEPT, OUTCOME_REFUSED,
            "orders/m1 claims and does not become primary: it claims beside a primary, and nothing "
            "shows that it is the newer one; `roster accept --replace orders m1` puts it in the "
            "place of m0");
    no_primary(&after);
    after.rule = RULE_TIE;
    becomes(ORDER_ACCEPT, OUTCOME_REFUSED,
            "orders/m1 claims and does not become primary: another claim is as good");
    word.hold = "m2";
    becomes(ORDER_ACCEPT, OUTCOME_REFUSED,
            "orders is held at m2, so m1 does not become primary; `roster release orders` ends "
            "that");
}
END_TEST

START_TEST(what_replaces_is_a_claim_against_a_primary_that_is_up_and_followed)
{
    ck_assert(outcome_replaces("m1", &before)); /* the word could only mean that */
    ck_assert(!outcome_replaces("m0", &before));
    ck_assert(!outcome_replaces("m9", &before));
    make_rival(&before, 1);
    ck_assert(outcome_replaces("m1", &before));
    before.members[1].fenced = true;
    ck_assert(outcome_replaces("m1", &before));
    before.members[1].claims = false; /* it is only freed */
    ck_assert(!outcome_replaces("m1", &before));
    before.members[1].claims = true;
    before.members[2].upstream[0] = '\0';
    ck_assert(!outcome_replaces("m1", &before)); /* nobody follows m0 */
    strcpy(before.members[2].upstream, "m0");
    before.members[0].health = HEALTH_DOWN;
    ck_assert(!outcome_replaces("m1", &before));
    before.members[0].health = HEALTH_UP;
    before.state = STATE_SUSPECT;
    ck_assert(!outcome_replaces("m1", &before));
    no_primary(&before);
    ck_assert(!outcome_replaces("m1", &before));
}
END_TEST

Suite *outcome_suite(void)
{
    Suite *suite = suite_create("outcome");
    TCase *tcase = tcase_create("outcome");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_drain_holds_once_the_member_is_drained);
    tcase_add_test(tcase, a_drained_primary_stays_or_hands_over);
    tcase_add_test(tcase, a_weight_is_that_of_the_verdict);
    tcase_add_test(tcase, a_hold_holds_at_the_primary_and_waits_at_another);
    tcase_add_test(tcase, a_member_that_left_is_waited_for_or_needs_nothing);
    tcase_add_test(tcase, an_acceptance_holds_when_the_member_is_primary);
    tcase_add_test(tcase, an_acceptance_of_a_member_that_does_not_claim_is_pending);
    tcase_add_test(tcase, an_acceptance_that_ends_a_fence_holds);
    tcase_add_test(tcase, an_acceptance_that_something_stands_against_is_refused_with_the_way_out);
    tcase_add_test(tcase, what_replaces_is_a_claim_against_a_primary_that_is_up_and_followed);
    suite_add_tcase(suite, tcase);
    return suite;
}
