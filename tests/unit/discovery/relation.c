/* What shows that two servers belong together, or are one; as discovery uses it. */
#include "probes/discovery/relation.h"

#include <string.h>

#include "tests/unit/discovery/scene.h"
#include "tests/unit/unit.h"

START_TEST(a_second_address_of_a_member_is_refused_and_one_that_becomes_it_yields)
{
    scene_begin(KIND_STREAMING);
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.100", 5432));
    scene_next();
    ck_assert(!scene_trial("10.0.0.100", 5432, scene_answers(ours, "1")));
    ck_assert(scene_logged("it is a member already, by another address"));
    /* An address that moves: listed as one server, it is another one later. */
    scene_look("pg-1", scene_names(scene_answers(ours, "1"), "10.0.0.50", 5432));
    ck_assert_str_eq(scene_next(), "10.0.0.100:5432");
    ck_assert_str_eq(scene_next(), "10.0.0.50:5432");
    ck_assert(scene_trial("10.0.0.50", 5432,
                          scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "")));
    scene_look("10.0.0.50-5432", scene_answers(ours, "1"));
    ck_assert(!scene_lists("10.0.0.50-5432"));
    ck_assert(scene_lists("pg-1"));
    ck_assert(scene_logged("refused 10.0.0.50:5432 it is a member already"));
}
END_TEST

START_TEST(of_two_addresses_of_one_server_every_probe_lists_the_same)
{
    static const char *const order[][2] = {{"10.0.0.2", "10.0.0.3"}, {"10.0.0.3", "10.0.0.2"}};
    for (size_t i = 0; i < 2; i++) {
        scene_begin(KIND_STREAMING);
        struct observation standby = scene_streams(scene_answers(ours, "2"), "10.0.0.1", 5432, "");
        scene_look("pg-1", scene_names(scene_names(scene_answers(ours, "1"), order[i][0], 5432),
                                       order[i][1], 5432));
        scene_next();
        scene_next();
        scene_trial(order[i][0], 5432, standby);
        scene_trial(order[i][1], 5432, standby);
        scene_look("pg-1", scene_answers(ours, "1"));
        ck_assert(scene_lists("10.0.0.2-5432"));
        ck_assert(!scene_lists("10.0.0.3-5432"));
    }
}
END_TEST

START_TEST(without_an_identity_replication_tells_by_uuid)
{
    scene_begin(KIND_ASYNC);
    struct observation source =
        scene_names(scene_names(scene_answers("", uuids[0]), "10.0.0.2", 3306), "10.0.0.3", 3306);
    scene_look("pg-1", source);
    scene_next();
    scene_next();
    /* A source by another address than ours is the same by its UUID; another's replica is not. */
    ck_assert(
        scene_trial("10.0.0.2", 3306,
                    scene_streams(scene_answers("", uuids[1]), "vip.example.org", 3306, uuids[0])));
    ck_assert(!scene_trial("10.0.0.3", 3306,
                           scene_streams(scene_answers("", uuids[2]), "10.0.0.1", 5432,
                                         "bbbbbbbb-0000-0000-0000-000000000001")));
    ck_assert(scene_logged("refused 10.0.0.3:3306 nothing shows that it replicates"));
}
END_TEST

START_TEST(a_server_id_tells_only_with_the_address)
{
    scene_begin(KIND_ASYNC);
    scene_look("pg-1", scene_names(scene_names(scene_answers("", "1"), "10.0.0.2", 3306),
                                   "10.0.0.3", 3306));
    scene_next();
    scene_next();
    ck_assert(!scene_trial("10.0.0.2", 3306,
                           scene_streams(scene_answers("", "2"), "10.9.9.9", 3306, "1")));
    ck_assert(scene_trial("10.0.0.3", 3306,
                          scene_streams(scene_answers("", "3"), "10.0.0.1", 5432, "1")));
    /* One whose stream is down shows nothing. */
    struct observation down = scene_streams(scene_answers("", "2"), "10.0.0.1", 5432, "1");
    down.live = false;
    now_ms += TRIAL_AGAIN_MS;
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    ck_assert(!scene_trial("10.0.0.2", 3306, down));
}
END_TEST

START_TEST(a_source_is_found_by_its_replica)
{
    scene_begin(KIND_ASYNC);
    scene_look("pg-1", scene_streams(scene_answers("", "1"), "10.0.0.2", 3306, "2"));
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    ck_assert(!scene_trial("10.0.0.2", 3306, scene_answers("", "9")));
    now_ms += TRIAL_AGAIN_MS;
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    ck_assert(scene_trial("10.0.0.2", 3306, scene_answers("", "2")));
}
END_TEST

START_TEST(one_that_several_feed_may_be_found_and_finds_none_of_those)
{
    scene_begin(KIND_ASYNC);
    scene_look("pg-1", scene_names(scene_answers("", "1"), "10.0.0.2", 3306));
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    struct observation gathers = scene_feeds(
        scene_feeds(scene_answers("", "2"), "10.9.9.9", 3306, "9"), "10.0.0.1", 5432, "1");
    ck_assert(scene_trial("10.0.0.2", 3306, gathers));
    scene_look("10.0.0.2-3306", gathers);
    while (scene_next()[0]) {
    }
    ck_assert(!scene_trial("10.9.9.9", 3306, scene_answers("", "9")));
    ck_assert(!scene_lists("10.9.9.9-3306"));
}
END_TEST

START_TEST(the_members_of_a_group_have_its_identity)
{
    scene_begin(KIND_GROUP);
    struct observation self = scene_answers(uuids[0], uuids[1]);
    self.group.type = GROUP_REPLICATION;
    self = scene_names(scene_names(scene_names(self, "10.0.0.1", 5432), "10.0.0.2", 3306),
                       "10.0.0.3", 3306);
    scene_look("pg-1", self);
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    ck_assert_str_eq(scene_next(), "10.0.0.3:3306");
    struct observation other = scene_answers(uuids[0], uuids[2]);
    other.group.type = GROUP_REPLICATION;
    ck_assert(scene_trial("10.0.0.2", 3306, other));
    ck_assert(
        !scene_trial("10.0.0.3", 3306,
                     scene_answers("", "bbbbbbbb-0000-0000-0000-000000000003"))); /* in no group */
    ck_assert(scene_logged("refused 10.0.0.3:3306 it belongs to another cluster: none"));
}
END_TEST

START_TEST(galeras_nodes_may_have_one_server_id)
{
    scene_begin(KIND_GALERA);
    struct observation facts = scene_answers(uuids[0], "1");
    facts.group.type = GROUP_GALERA;
    advertised_add_addresses(&facts.advertised, "10.0.0.1:5432,,AUTO,10.0.0.2:3306,[fd00::3]:3306");
    scene_look("pg-1", facts);
    ck_assert_str_eq(scene_next(), "10.0.0.2:3306");
    ck_assert_str_eq(scene_next(), "fd00::3:3306");
    ck_assert_str_eq(scene_next(), "");
    ck_assert(scene_trial("10.0.0.2", 3306, facts));
    ck_assert(scene_trial("fd00::3", 3306, facts));
}
END_TEST

Suite *relation_suite(void)
{
    Suite *suite = suite_create("relation");
    TCase *tcase = tcase_create("relation");
    tcase_add_test(tcase, a_second_address_of_a_member_is_refused_and_one_that_becomes_it_yields);
    tcase_add_test(tcase, of_two_addresses_of_one_server_every_probe_lists_the_same);
    tcase_add_test(tcase, without_an_identity_replication_tells_by_uuid);
    tcase_add_test(tcase, a_server_id_tells_only_with_the_address);
    tcase_add_test(tcase, a_source_is_found_by_its_replica);
    tcase_add_test(tcase, one_that_several_feed_may_be_found_and_finds_none_of_those);
    tcase_add_test(tcase, the_members_of_a_group_have_its_identity);
    tcase_add_test(tcase, galeras_nodes_may_have_one_server_id);
    suite_add_tcase(suite, tcase);
    return suite;
}
