/* Who replicates from whom, and what follows from it. */
#include "probes/assess/standing.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct assessment assessment;

static void begin(enum kind kind, size_t count)
{
    memset(&assessment, 0, sizeof assessment);
    assessment.policy = (struct policy){.engine = ENGINE_MYSQL, .kind = kind};
    assessment.fresh_ms = 1000;
    assessment.member_count = count;
    for (size_t i = 0; i < count; i++) {
        struct assessed *member = &assessment.members[i];
        observation_init(&member->facts);
        snprintf(member->config.host, sizeof member->config.host, "10.0.0.%zu", i + 1);
        member->config.port = 3306;
        member->answered = member->looked = true;
        member->answered_ms = 1000;
        member->last = member->standing = member->facts.answer = ANSWER_OK;
        snprintf(member->facts.self_id, sizeof member->facts.self_id, "id-%zu", i);
    }
}

static struct observation *facts_of(size_t i)
{
    return &assessment.members[i].facts;
}

static void follow(size_t i, const char *id, const char *host)
{
    struct observation *facts = facts_of(i);
    facts->replica = facts->live = facts->applying = true;
    strcpy(facts->upstream_id, id);
    strcpy(facts->upstream_host, host);
    facts->upstream_port = 3306;
}

START_TEST(an_upstream_is_found_by_its_identity_before_its_address)
{
    begin(KIND_ASYNC, 3);
    follow(0, "id-2", "10.0.0.2");
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 2);
    follow(0, "", "10.0.0.2");
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 1);
    follow(0, "id-9", "10.0.0.9");
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), -1);
}
END_TEST

START_TEST(a_server_id_is_no_proof_without_the_address)
{
    begin(KIND_ASYNC, 3);
    for (size_t i = 0; i < 3; i++) {
        snprintf(facts_of(i)->self_id, sizeof facts_of(i)->self_id, "%zu", i + 1);
    }
    follow(0, "2", "192.0.2.1"); /* of another cluster, with an id of ours */
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), -1);
    follow(0, "2", "10.0.0.2");
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 1);
    follow(0, "9", "10.0.0.2"); /* what this host has at that address is another server */
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), -1);
    facts_of(0)->live = false; /* connected last to what was there before */
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 1);
    follow(0, "", "10.0.0.2");
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 1);
    follow(0, "2", ""); /* a statement of the operator's has no address beside it */
    ck_assert_int_eq(standing_upstream(&assessment, facts_of(0)), 1);
    struct observation *facts = facts_of(2);
    facts->channel_count = 2;
    facts->channels[0] =
        (struct channel){.live = true, .port = 3306, .host = "192.0.2.1", .id = "1"};
    facts->channels[1] = (struct channel){.port = 3306, .host = "10.0.0.1", .id = "1"};
    standing_choose_channel(&assessment, facts);
    ck_assert_str_eq(facts->upstream_host, "10.0.0.1");
}
END_TEST

START_TEST(a_member_is_where_it_is_configured_and_where_it_was_reached)
{
    begin(KIND_ASYNC, 1);
    struct assessed *member = &assessment.members[0];
    strcpy(member->config.host, "db.example.org");
    ck_assert(!standing_is_at(member, "fd00::1", 3306));
    strcpy(member->address, "fd00:0::1");
    ck_assert(standing_is_at(member, "fd00::1", 3306));
    ck_assert(standing_is_at(member, "db.example.org", 3306));
    ck_assert(!standing_is_at(member, "fd00::1", 3307));
}
END_TEST

START_TEST(of_several_channels_the_one_that_leads_to_a_member_is_the_upstream)
{
    begin(KIND_ASYNC, 2);
    struct observation *facts = facts_of(1);
    facts->channel_count = 2;
    facts->channels[0] = (struct channel){.live = true, .port = 3306, .host = "192.0.2.1"};
    facts->channels[1] = (struct channel){.port = 3306, .host = "10.0.0.1"};
    standing_choose_channel(&assessment, facts);
    ck_assert_str_eq(facts->upstream_host, "10.0.0.1");
    ck_assert(!facts->live && facts->fed_elsewhere);
}
END_TEST

START_TEST(one_half_of_a_pair_claims_beside_a_read_only_one)
{
    begin(KIND_ASYNC, 2);
    follow(0, "id-1", "");
    follow(1, "id-0", "");
    facts_of(0)->writable = true;
    ck_assert(standing_claims(&assessment, &assessment.members[0]));
    facts_of(1)->writable = true;
    ck_assert(!standing_claims(&assessment, &assessment.members[0]));
    facts_of(1)->writable = false;
    assessment.members[1].standing = ANSWER_REFUSED; /* not known any more */
    ck_assert(!standing_claims(&assessment, &assessment.members[0]));
}
END_TEST

START_TEST(the_source_claims_with_the_newest_lineage_and_is_fresh)
{
    begin(KIND_STREAMING, 2);
    ck_assert_ptr_null(standing_source(&assessment, 1500));
    facts_of(0)->writable = facts_of(1)->writable = true;
    strcpy(facts_of(0)->lineage, "3");
    strcpy(facts_of(1)->lineage, "4");
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[1]);
    assessment.members[0].answered_ms = 2000;
    ck_assert_ptr_eq(standing_source(&assessment, 2500), &assessment.members[0]);
    ck_assert_ptr_null(standing_source(&assessment, 4000));
}
END_TEST

/* A rehearsal, or a history that the operator has left: who follows the primary is no less up to
 * date for that. */
START_TEST(the_verdicts_primary_is_the_source_beside_a_newer_lineage)
{
    begin(KIND_STREAMING, 2);
    facts_of(0)->writable = facts_of(1)->writable = true;
    strcpy(facts_of(0)->lineage, "3");
    strcpy(facts_of(1)->lineage, "4");
    assessment.members[0].was_primary = true;
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[0]);
    facts_of(0)->writable = false; /* it claims no more */
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[1]);
    assessment.members[0].was_primary = false;
    assessment.members[1].was_primary = facts_of(0)->writable = true;
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[1]);
}
END_TEST

START_TEST(a_fenced_server_and_a_stranger_are_no_source_whatever_their_lineage)
{
    begin(KIND_STREAMING, 3);
    static struct topology topology;
    memset(&topology, 0, sizeof topology);
    strcpy(topology.identity, "ours");
    topology.member_count = 2;
    for (size_t i = 0; i < 3; i++) {
        snprintf(assessment.members[i].config.name, NAME_SIZE, "m%zu", i);
        facts_of(i)->writable = true;
        snprintf(facts_of(i)->lineage, LINEAGE_SIZE, "%zu", 7 + i);
        strcpy(facts_of(i)->identity, i < 2 ? "ours" : "theirs");
    }
    strcpy(topology.members[0].config.name, "m0");
    strcpy(topology.members[1].config.name, "m1");
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[2]);
    assess_verdict(&assessment, &topology); /* between two primaries */
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[1]);
    topology.members[1].fenced = true;
    assess_verdict(&assessment, &topology);
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[0]);
    topology.members[1].fenced = false;
    topology.members[1].claims = true; /* a rival */
    assess_verdict(&assessment, &topology);
    ck_assert_ptr_eq(standing_source(&assessment, 1500), &assessment.members[0]);
}
END_TEST

START_TEST(rivals_lack_what_the_other_has)
{
    static struct report report;
    begin(KIND_ASYNC, 2);
    memset(&report, 0, sizeof report);
    report.member_count = 2;
    report.members[0].claim = report.members[1].claim = true;
    strcpy(facts_of(0)->gtids, "0-1-5");
    strcpy(facts_of(1)->gtids, "0-1-4");
    assessment.members[0].claims_since_ms = assessment.members[1].claims_since_ms = 500;
    standing_relate(&assessment, &report);
    ck_assert_uint_eq(report.members[0].lacks, 0);
    ck_assert_uint_eq(report.members[1].lacks, 1);
    /* Unordered, what is not known counts as lacking; ordered by lineage it does not. */
    report.members[1].lacks = 0;
    facts_of(0)->gtids[0] = '\0';
    standing_relate(&assessment, &report);
    ck_assert_uint_eq(report.members[0].lacks, 2);
    report.members[0].lacks = report.members[1].lacks = 0;
    strcpy(report.members[0].lineage, "1");
    strcpy(report.members[1].lineage, "1");
    standing_relate(&assessment, &report);
    ck_assert_uint_eq(report.members[0].lacks | report.members[1].lacks, 0);
}
END_TEST

Suite *standing_suite(void)
{
    Suite *suite = suite_create("standing");
    TCase *tests = tcase_create("standing");
    tcase_add_test(tests, an_upstream_is_found_by_its_identity_before_its_address);
    tcase_add_test(tests, a_server_id_is_no_proof_without_the_address);
    tcase_add_test(tests, a_member_is_where_it_is_configured_and_where_it_was_reached);
    tcase_add_test(tests, of_several_channels_the_one_that_leads_to_a_member_is_the_upstream);
    tcase_add_test(tests, one_half_of_a_pair_claims_beside_a_read_only_one);
    tcase_add_test(tests, the_source_claims_with_the_newest_lineage_and_is_fresh);
    tcase_add_test(tests, a_fenced_server_and_a_stranger_are_no_source_whatever_their_lineage);
    tcase_add_test(tests, the_verdicts_primary_is_the_source_beside_a_newer_lineage);
    tcase_add_test(tests, rivals_lack_what_the_other_has);
    suite_add_tcase(suite, tests);
    return suite;
}
