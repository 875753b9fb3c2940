#include "probes/discovery/discovery.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/discovery/scene.h"
#include "tests/unit/unit.h"

/* ---- names and addresses --------------------------------------------------------------------- */

START_TEST(a_server_that_a_member_names_is_listed_once_it_answers_with_the_identity)
{
    scene_begin(KIND_STREAMING);
    ck_assert_str_eq(scene_next(), "");
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert(!scene_lists("10.0.0.2-5432"));
    ck_assert_str_eq(scene_next(), ""); /* it is on trial already */
    ck_assert(scene_trial("10.0.0.2", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    ck_assert(scene_lists("10.0.0.2-5432") && scene_lists("pg-1"));
    ck_assert_str_eq(assessment.members[0].config.name, "10.0.0.2-5432");
    ck_assert_uint_eq(assessment.members[0].config.weight, 100);
    ck_assert_str_eq(scene_log, "named 10.0.0.2:5432 pg-1\nverified 10.0.0.2:5432 \n");
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(scene_next(), "");
    ck_assert_uint_eq(scene_lines(), 2);
}
END_TEST

START_TEST(where_no_port_is_told_those_of_the_configured_members_are_tried)
{
    scene_begin(KIND_STREAMING);
    scene_configure("pg-2", "10.0.0.9", 5433);
    scene_configure("pg-3", "10.0.0.8", 5432);
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    scene_look("pg-2", scene_fails(ANSWER_REFUSED));
    scene_look("pg-3", scene_fails(ANSWER_REFUSED));
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert_str_eq(scene_next(), "10.0.0.2:5433");
    ck_assert_str_eq(scene_next(), "");
}
END_TEST

START_TEST(nobody_is_tried_before_every_member_was_looked_at)
{
    scene_begin(KIND_STREAMING);
    scene_configure("pg-2", "db.example.org", 5432); /* 10.0.0.2, as will turn out */
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(scene_next(), "");
    struct observation facts = scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "");
    assess_look(&assessment, 1, &facts, "10.0.0.2", now_ms, now_ms);
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert(!scene_trial("10.0.0.2", 5432, facts));
    ck_assert(scene_logged("refused 10.0.0.2:5432 it is a member already"));
    ck_assert_uint_eq(assessment.member_count, 2);
}
END_TEST

START_TEST(a_name_that_is_configured_elsewhere_is_not_listed_twice)
{
    scene_begin(KIND_STREAMING);
    scene_configure("10.0.0.2-5432", "db.example.org", 5432); /* which cannot be resolved */
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    scene_look("10.0.0.2-5432", scene_fails(ANSWER_NAME));
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert(!scene_trial("10.0.0.2", 5432,
                           scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    ck_assert(scene_logged("refused 10.0.0.2:5432 it is a member already"));
    ck_assert_uint_eq(assessment.member_count, 2);
}
END_TEST

START_TEST(names_and_addresses_out_of_range_are_told_once_and_never_tried)
{
    scene_begin(KIND_STREAMING);
    for (int i = 0; i < 3; i++) {
        struct observation facts = scene_names(scene_answers(ours, "1"), "192.0.2.1", 5432);
        facts = scene_names(facts, "pg-2.example.org", 5432);
        facts = scene_names(facts, "127.0.0.1", 5432); /* the loopback of 10.0.0.1 */
        facts = scene_names(facts, "10.0.0.2.3", 5432);
        facts = scene_names(facts, "fe80::1%eth0", 5432);
        scene_look("pg-1", facts);
        ck_assert_str_eq(scene_next(), "");
    }
    ck_assert(scene_logged("refused 192.0.2.1:5432 it is outside"));
    ck_assert(scene_logged("refused pg-2.example.org:5432 it is a name"));
    ck_assert(scene_logged("refused 127.0.0.1:5432 it is a loopback address"));
    ck_assert_uint_eq(scene_lines(), 5);
}
END_TEST

START_TEST(loopback_counts_when_the_one_who_names_it_was_reached_over_loopback)
{
    scene_begin(KIND_STREAMING);
    strcpy(configured.members[0].host, "127.0.0.1");
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    struct observation facts = scene_names(scene_answers(ours, "1"), "127.0.0.1", 5433);
    facts = scene_names(facts, "localhost", 5432);
    facts = scene_names(facts, "::1", 5432); /* itself, spelled differently */
    facts = scene_names(facts, "::ffff:127.0.0.1", 5432);
    scene_look("pg-1", facts);
    ck_assert_str_eq(scene_next(), "127.0.0.1:5433");
    ck_assert_str_eq(scene_next(), "");
    ck_assert_uint_eq(scene_lines(), 1);
}
END_TEST

START_TEST(an_address_has_one_name_at_every_probe)
{
    static const struct {
        const char *host, *name;
    } cases[] = {{"10.0.0.7", "10.0.0.7-5432"},
                 {"fd00::2", "fd00__2-5432"},
                 {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                  "ffff_ffff_ffff_ffff_ffff_ffff_ffff_ffff-5432"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct candidate found = {.port = 5432};
        char name[NAME_SIZE];
        strcpy(found.host, cases[i].host);
        discovery_name(&found, name);
        ck_assert_str_eq(name, cases[i].name);
    }
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "FD00:0::2", 5432));
    ck_assert_str_eq(scene_next(), "fd00::2:5432");
}
END_TEST

/* ---- who belongs ----------------------------------------------------------------------------- */

START_TEST(a_stranger_is_refused_with_its_identity_told_once_and_asked_more_and_more_rarely)
{
    int64_t waits = 0;
    int trials = 0;
    scene_begin(KIND_STREAMING);
    for (int i = 0; i < 600; i++) { /* ten minutes */
        scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
        waits++;
        if (scene_next()[0]) {
            trials++;
            waits = 0;
            ck_assert(!scene_trial(
                "10.0.0.2", 5432,
                scene_streams(scene_answers("7000000000000000002", "2"), "10.0.0.1", 5432, "")));
        }
        ck_assert_int_le(waits, TRIAL_AGAIN_MOST_MS / 1000 + 1);
    }
    ck_assert_int_le(trials, 17);
    ck_assert_int_ge(trials, 10);
    ck_assert_uint_eq(scene_lines(), 2);
    ck_assert(
        scene_logged("refused 10.0.0.2:5432 it belongs to another cluster: 7000000000000000002"));
    ck_assert(!scene_lists("10.0.0.2-5432"));
}
END_TEST

START_TEST(one_that_refuses_our_account_is_not_pressed)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert(!scene_trial("10.0.0.2", 5432, scene_fails(ANSWER_AUTH)));
    ck_assert(scene_logged("refused 10.0.0.2:5432 it gives no answer: auth, no such luck"));
    now_ms += TRIAL_AGAIN_MOST_MS - 1;
    ck_assert_str_eq(scene_next(), "");
    now_ms += 1;
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
}
END_TEST

START_TEST(without_the_clusters_identity_nobody_can_be_verified)
{
    scene_begin(KIND_STREAMING);
    scene_configure("pg-2", "10.0.0.9", 5432);
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    scene_look("pg-2",
               scene_answers("7000000000000000002", "9")); /* who of the two is the stranger? */
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    scene_next();
    ck_assert(!scene_trial("10.0.0.2", 5432,
                           scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    now_ms += TRIAL_AGAIN_MS;
    scene_next();
    struct observation facts = scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "");
    ck_assert(discovery_verify(&discovery, "10.0.0.2", 5432, &facts, &assessment, ours,
                               now_ms)); /* the registry knows */
}
END_TEST

START_TEST(one_that_is_no_standby_must_be_followed)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_streams(scene_answers(ours, "1"), "10.0.0.3", 5432, ""),
                                   "10.0.0.2", 5432));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert_str_eq(scene_next(), "10.0.0.3:5432");
    ck_assert(!scene_trial("10.0.0.2", 5432, scene_answers(ours, "2")));
    ck_assert(scene_logged("refused 10.0.0.2:5432 it is no standby"));
    ck_assert(scene_trial("10.0.0.3", 5432, scene_answers(ours, "3")));
}
END_TEST

START_TEST(a_listed_one_that_turns_into_a_stranger_goes)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    scene_next();
    ck_assert(scene_trial("10.0.0.2", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    scene_look("10.0.0.2-5432",
               scene_streams(scene_answers("7000000000000000002", "5"), "10.0.0.1", 5432, ""));
    ck_assert(!scene_lists("10.0.0.2-5432"));
    ck_assert(scene_logged("refused 10.0.0.2:5432 it belongs to another cluster"));
}
END_TEST

/* ---- bounds and time ------------------------------------------------------------------------- */

START_TEST(there_are_no_more_than_configured_and_the_others_are_told_why)
{
    scene_begin(KIND_STREAMING);
    configured.discover_max = 1;
    discovery_reload(&discovery, &configured);
    scene_look("pg-1", scene_names(scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432),
                                   "10.0.0.3", 5432));
    scene_next();
    scene_next();
    ck_assert(scene_trial("10.0.0.2", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    ck_assert(!scene_trial("10.0.0.3", 5432,
                           scene_streams(scene_answers(ours, "3"), "10.0.0.1", 5432, "")));
    ck_assert(scene_logged("refused 10.0.0.3:5432 there are discover_max already"));
    ck_assert_uint_eq(assessment.member_count, 2);
}
END_TEST

START_TEST(a_flood_of_names_takes_no_more_than_its_room_and_pushes_no_member_out)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    scene_next();
    ck_assert(scene_trial("10.0.0.2", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    for (unsigned i = 0; i < 100; i++) {
        struct observation facts = scene_answers(ours, "1");
        for (unsigned k = 0; k < 40; k++) {
            char host[32];
            snprintf(host, sizeof host, "%s.1.%u.%u", i % 2 ? "10" : "192", i, k);
            facts = scene_names(facts, host, 5432);
        }
        ck_assert_uint_eq(facts.advertised.count, ADVERTISED_MAX);
        scene_look("pg-1", facts);
        scene_look("10.0.0.2-5432", scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, ""));
        ck_assert_uint_le(discovery.count, CANDIDATES_MAX);
    }
    for (int i = 0; i < TRIALS_MAX; i++) {
        ck_assert_str_ne(scene_next(), "");
    }
    ck_assert_str_eq(scene_next(), ""); /* so many at a time */
    ck_assert(scene_lists("10.0.0.2-5432"));
    /* What is barred gives way to what is not. */
    scene_begin(KIND_STREAMING);
    for (unsigned i = 0; i < 3; i++) {
        struct observation facts = scene_answers(ours, "1");
        for (unsigned k = 0; k < ADVERTISED_MAX; k++) {
            char host[32];
            snprintf(host, sizeof host, "192.1.%u.%u", i, k);
            facts = scene_names(facts, host, 5432);
        }
        scene_look("pg-1", facts);
    }
    ck_assert_uint_eq(discovery.count, CANDIDATES_MAX);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
}
END_TEST

START_TEST(one_that_is_silent_and_named_by_nobody_is_forgotten)
{
    scene_begin(KIND_STREAMING);
    struct observation alone = scene_answers(ours, "1"),
                       standby = scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "");
    scene_look("pg-1", scene_names(alone, "10.0.0.2", 5432));
    scene_next();
    ck_assert(scene_trial("10.0.0.2", 5432, standby));
    for (int i = 0; i < 100; i++) { /* it answers, though nobody names it */
        scene_look("pg-1", alone);
        scene_look("10.0.0.2-5432", standby);
    }
    for (int i = 0; i < 100; i++) { /* it is named, though it does not answer */
        scene_look("pg-1", scene_names(alone, "10.0.0.2", 5432));
        scene_look("10.0.0.2-5432", scene_fails(ANSWER_REFUSED));
    }
    ck_assert(scene_lists("10.0.0.2-5432"));
    for (int i = 0; i < 30; i++) {
        scene_look("pg-1", alone);
        ck_assert(scene_lists("10.0.0.2-5432"));
        scene_look("10.0.0.2-5432", scene_fails(ANSWER_REFUSED));
    }
    scene_look("pg-1", alone);
    ck_assert(!scene_lists("10.0.0.2-5432"));
    ck_assert(scene_logged("forgotten 10.0.0.2:5432"));
    ck_assert_uint_eq(scene_lines(), 3);
    ck_assert_uint_eq(discovery.count, 0);
}
END_TEST

START_TEST(a_reload_keeps_what_is_still_allowed)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432),
                                   "10.0.0.3", 5432));
    scene_next();
    scene_next();
    ck_assert(scene_trial("10.0.0.2", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    ck_assert(scene_lists("10.0.0.2-5432"));
    ck_assert_str_eq(scene_next(), "10.0.0.3:5432"); /* its trial begins anew */
    ck_assert(scene_trial("10.0.0.3", 5432,
                          scene_streams(scene_answers(ours, "3"), "10.0.0.1", 5432, "")));
    strcpy(configured.discover_within, "10.0.0.2/31");
    scene_configure("three", "10.0.0.3", 5432);
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    ck_assert(scene_lists("10.0.0.2-5432") && scene_lists("three") &&
              !scene_lists("10.0.0.3-5432"));
    strcpy(configured.discover_within, "10.0.0.3");
    discovery_reload(&discovery, &configured);
    scene_list_anew();
    ck_assert(!scene_lists("10.0.0.2-5432"));
    configured.discover = false;
    discovery_reload(&discovery, &configured);
    ck_assert_uint_eq(discovery.count, 0);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(scene_next(), "");
}
END_TEST

START_TEST(the_registry_gives_addresses_to_try_and_no_members)
{
    struct member_config config = {.name = "10.0.0.2-5432", .host = "10.0.0.2", .port = 5432};
    scene_begin(KIND_STREAMING);
    discovery_restore(&discovery, &config, now_ms);
    strcpy(config.name, "pg-9"); /* somebody configured it once */
    strcpy(config.host, "10.0.0.9");
    discovery_restore(&discovery, &config, now_ms);
    strcpy(config.name, "192.0.2.1-5432");
    strcpy(config.host, "192.0.2.1");
    discovery_restore(&discovery, &config, now_ms);
    ck_assert(!discovery_is_settled(&discovery));
    scene_look("pg-1", scene_answers(ours, "1"));
    ck_assert_str_eq(scene_next(), "10.0.0.2:5432");
    ck_assert_str_eq(scene_next(), "");
    ck_assert(!scene_lists("10.0.0.2-5432"));
    ck_assert(!scene_trial("10.0.0.2", 5432, scene_fails(ANSWER_REFUSED)));
    ck_assert(discovery_is_settled(&discovery));
}
END_TEST

Suite *discovery_suite(void)
{
    Suite *suite = suite_create("discovery");
    TCase *tcase = tcase_create("discovery");
    tcase_add_test(tcase, a_server_that_a_member_names_is_listed_once_it_answers_with_the_identity);
    tcase_add_test(tcase, where_no_port_is_told_those_of_the_configured_members_are_tried);
    tcase_add_test(tcase, nobody_is_tried_before_every_member_was_looked_at);
    tcase_add_test(tcase, a_name_that_is_configured_elsewhere_is_not_listed_twice);
    tcase_add_test(tcase, names_and_addresses_out_of_range_are_told_once_and_never_tried);
    tcase_add_test(tcase, loopback_counts_when_the_one_who_names_it_was_reached_over_loopback);
    tcase_add_test(tcase, an_address_has_one_name_at_every_probe);
    tcase_add_test(
        tcase, a_stranger_is_refused_with_its_identity_told_once_and_asked_more_and_more_rarely);
    tcase_add_test(tcase, one_that_refuses_our_account_is_not_pressed);
    tcase_add_test(tcase, without_the_clusters_identity_nobody_can_be_verified);
    tcase_add_test(tcase, one_that_is_no_standby_must_be_followed);
    tcase_add_test(tcase, a_listed_one_that_turns_into_a_stranger_goes);
    tcase_add_test(tcase, there_are_no_more_than_configured_and_the_others_are_told_why);
    tcase_add_test(tcase, a_flood_of_names_takes_no_more_than_its_room_and_pushes_no_member_out);
    tcase_add_test(tcase, one_that_is_silent_and_named_by_nobody_is_forgotten);
    tcase_add_test(tcase, a_reload_keeps_what_is_still_allowed);
    tcase_add_test(tcase, the_registry_gives_addresses_to_try_and_no_members);
    suite_add_tcase(suite, tcase);
    return suite;
}
