#include "probes/discovery/discovery.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* One cluster of one probe: configuration, what the members answered, and what is to be told. */
static const struct probe_settings probe = {
    .interval_ms = 1000, .alert_interval_ms = 25, .timeout_ms = 500, .rise = 1, .fall = 3};
static struct cluster_settings configured;
static struct assessment assessment;
static struct discovery discovery;
static char told[4096]; /* "verified 10.0.0.2:5432\n" */
static int64_t now_ms;

static const char ours[] = "7000000000000000001";
static const char uuids[][40] = {"aaaaaaaa-0000-0000-0000-000000000001",
                                 "aaaaaaaa-0000-0000-0000-000000000002",
                                 "aaaaaaaa-0000-0000-0000-000000000003"};

static void tell(void *owner, enum tidings tidings, const struct found *found, const char *why)
{
    static const char *const words[] = {"named", "verified", "refused", "forgotten"};
    size_t used = strlen(told);
    ck_assert_ptr_eq(owner, &discovery);
    snprintf(told + used, sizeof told - used, "%s %s:%u %s\n", words[tidings], found->host,
             found->port, why);
}

static bool is_told(const char *words)
{
    return strstr(told, words) != NULL;
}

static size_t lines_told(void)
{
    size_t lines = 0;
    for (const char *at = told; *at; at++) {
        lines += *at == '\n';
    }
    return lines;
}

static void list_anew(void)
{
    static struct cluster_settings listed;
    listed = configured;
    discovery_list(&discovery, &listed);
    assess_reload(&assessment, &listed, &probe);
}

static void configure(const char *name, const char *host, uint16_t port)
{
    struct member_config *config = &configured.members[configured.member_count++];
    strcpy(config->name, name);
    strcpy(config->host, host);
    config->port = port;
    config->weight = 100;
}

/* pg-1 at 10.0.0.1:5432 is configured. */
static void begin(enum kind kind)
{
    memset(&configured, 0, sizeof configured);
    memset(&discovery, 0, sizeof discovery);
    strcpy(configured.name, "orders");
    configured.policy = (struct policy){kind == KIND_STREAMING ? ENGINE_POSTGRESQL : ENGINE_MYSQL,
                                        kind, CONFLICT_HOLD, WRITERS_SINGLE, 3};
    configured.discover = true;
    strcpy(configured.discover_within, "10.0.0.0/8, 127.0.0.1, fd00::/8");
    configured.discover_max = 8;
    configured.discover_forget_ms = 60000;
    configure("pg-1", "10.0.0.1", 5432);
    discovery.owner = &discovery;
    discovery.tell = tell;
    told[0] = '\0';
    now_ms = 1000000;
    discovery_reload(&discovery, &configured);
    assess_init(&assessment, "probe-a", &configured, &probe);
}

/* ---- what servers answer --------------------------------------------------------------------- */

static struct observation answers(const char *identity, const char *self_id)
{
    struct observation facts = {.answer = ANSWER_OK,
                                .writable = true,
                                .position = 1,
                                .received = -1,
                                .lag_ms = -1,
                                .group.queue = -1,
                                .claim = -1,
                                .ready = -1};
    strcpy(facts.identity, identity);
    strcpy(facts.self_id, self_id);
    strcpy(facts.lineage, identity[0] ? "1" : "");
    return facts;
}

static struct observation streams(struct observation facts, const char *host, uint16_t port,
                                  const char *upstream_id)
{
    facts.writable = false;
    facts.replica = facts.live = facts.applying = true;
    strcpy(facts.upstream_host, host);
    facts.upstream_port = port;
    strcpy(facts.upstream_id, upstream_id);
    return facts;
}

static struct observation names(struct observation facts, const char *host, uint16_t port)
{
    advertised_add(&facts.advertised, host, port);
    return facts;
}

static size_t index_of(const char *name)
{
    for (size_t i = 0; i < assessment.member_count; i++) {
        if (strcmp(assessment.members[i].config.name, name) == 0) {
            return i;
        }
    }
    ck_abort_msg("there is no %s", name);
    return 0;
}

static bool is_listed(const char *name)
{
    for (size_t i = 0; i < assessment.member_count; i++) {
        if (strcmp(assessment.members[i].config.name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* A listed member was looked at. */
static void member_says(const char *name, struct observation facts)
{
    size_t i = index_of(name);
    now_ms += 1000;
    assess_look(&assessment, i, &facts, assessment.members[i].config.host, now_ms, now_ms);
    discovery_hear(&discovery, &assessment, i, now_ms);
    if (discovery_review(&discovery, &assessment, "", now_ms)) {
        list_anew();
    }
}

/* Who is tried next: "10.0.0.2:5432", "" nobody. */
static const char *next(void)
{
    static char address[ADDRESS_SIZE];
    const struct found *found = discovery_next(&discovery, &assessment, now_ms);
    snprintf(address, sizeof address, "%s", "");
    if (found) {
        snprintf(address, sizeof address, "%s:%u", found->host, found->port);
    }
    return address;
}

static bool trial(const char *host, uint16_t port, struct observation facts)
{
    bool joins = discovery_judge(&discovery, host, port, &facts, &assessment, "", now_ms);
    if (joins) {
        struct found found = {.port = port};
        char name[NAME_SIZE];
        strcpy(found.host, host);
        discovery_name(&found, name);
        list_anew();
        assess_look(&assessment, index_of(name), &facts, host, now_ms, now_ms);
    }
    return joins;
}

static struct observation fails(enum answer answer)
{
    return (struct observation){.answer = answer, .detail = "no such luck"};
}

/* ---- names and addresses --------------------------------------------------------------------- */

START_TEST(a_server_that_a_member_names_is_listed_once_it_answers_with_the_identity)
{
    begin(KIND_STREAMING);
    ck_assert_str_eq(next(), "");
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert(!is_listed("10.0.0.2-5432"));
    ck_assert_str_eq(next(), ""); /* it is on trial already */
    ck_assert(trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    ck_assert(is_listed("10.0.0.2-5432") && is_listed("pg-1"));
    ck_assert_str_eq(assessment.members[0].config.name, "10.0.0.2-5432");
    ck_assert_uint_eq(assessment.members[0].config.weight, 100);
    ck_assert_str_eq(told, "named 10.0.0.2:5432 pg-1\nverified 10.0.0.2:5432 \n");
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(next(), "");
    ck_assert_uint_eq(lines_told(), 2);
}
END_TEST

START_TEST(where_no_port_is_told_those_of_the_configured_members_are_tried)
{
    begin(KIND_STREAMING);
    configure("pg-2", "10.0.0.9", 5433);
    configure("pg-3", "10.0.0.8", 5432);
    discovery_reload(&discovery, &configured);
    list_anew();
    member_says("pg-2", fails(ANSWER_REFUSED));
    member_says("pg-3", fails(ANSWER_REFUSED));
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert_str_eq(next(), "10.0.0.2:5433");
    ck_assert_str_eq(next(), "");
}
END_TEST

START_TEST(nobody_is_tried_before_every_member_was_looked_at)
{
    begin(KIND_STREAMING);
    configure("pg-2", "db.example.org", 5432); /* 10.0.0.2, as will turn out */
    discovery_reload(&discovery, &configured);
    list_anew();
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 0));
    ck_assert_str_eq(next(), "");
    struct observation facts = streams(answers(ours, "2"), "10.0.0.1", 5432, "");
    assess_look(&assessment, 1, &facts, "10.0.0.2", now_ms, now_ms);
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert(!trial("10.0.0.2", 5432, facts));
    ck_assert(is_told("refused 10.0.0.2:5432 it is a member already"));
    ck_assert_uint_eq(assessment.member_count, 2);
}
END_TEST

START_TEST(names_and_addresses_out_of_range_are_told_once_and_never_tried)
{
    begin(KIND_STREAMING);
    for (int i = 0; i < 3; i++) {
        struct observation facts = names(answers(ours, "1"), "192.0.2.1", 5432);
        facts = names(facts, "pg-2.example.org", 5432);
        facts = names(facts, "127.0.0.1", 5432); /* the loopback of 10.0.0.1 */
        facts = names(facts, "10.0.0.2.3", 5432);
        facts = names(facts, "fe80::1%eth0", 5432);
        member_says("pg-1", facts);
        ck_assert_str_eq(next(), "");
    }
    ck_assert(is_told("refused 192.0.2.1:5432 it is outside"));
    ck_assert(is_told("refused pg-2.example.org:5432 it is a name"));
    ck_assert(is_told("refused 127.0.0.1:5432 it is a loopback address"));
    ck_assert_uint_eq(lines_told(), 5);
}
END_TEST

START_TEST(loopback_counts_when_the_one_who_names_it_was_reached_over_loopback)
{
    begin(KIND_STREAMING);
    strcpy(configured.members[0].host, "127.0.0.1");
    discovery_reload(&discovery, &configured);
    list_anew();
    struct observation facts = names(answers(ours, "1"), "127.0.0.1", 5433);
    facts = names(facts, "localhost", 5432);
    facts = names(facts, "::1", 5432); /* itself, spelled differently */
    facts = names(facts, "::ffff:127.0.0.1", 5432);
    member_says("pg-1", facts);
    ck_assert_str_eq(next(), "127.0.0.1:5433");
    ck_assert_str_eq(next(), "");
    ck_assert_uint_eq(lines_told(), 1);
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
        struct found found = {.port = 5432};
        char name[NAME_SIZE];
        strcpy(found.host, cases[i].host);
        discovery_name(&found, name);
        ck_assert_str_eq(name, cases[i].name);
    }
    begin(KIND_STREAMING);
    member_says("pg-1", names(answers(ours, "1"), "FD00:0::2", 5432));
    ck_assert_str_eq(next(), "fd00::2:5432");
}
END_TEST

/* ---- who belongs ----------------------------------------------------------------------------- */

START_TEST(a_stranger_is_refused_with_its_identity_told_once_and_asked_more_and_more_rarely)
{
    int64_t waits = 0;
    int trials = 0;
    begin(KIND_STREAMING);
    for (int i = 0; i < 600; i++) { /* ten minutes */
        member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
        waits++;
        if (next()[0]) {
            trials++;
            waits = 0;
            ck_assert(!trial("10.0.0.2", 5432,
                             streams(answers("7000000000000000002", "2"), "10.0.0.1", 5432, "")));
        }
        ck_assert_int_le(waits, TRIAL_AGAIN_MOST_MS / 1000 + 1);
    }
    ck_assert_int_le(trials, 17);
    ck_assert_int_ge(trials, 10);
    ck_assert_uint_eq(lines_told(), 2);
    ck_assert(is_told("refused 10.0.0.2:5432 it belongs to another cluster: 7000000000000000002"));
    ck_assert(!is_listed("10.0.0.2-5432"));
}
END_TEST

START_TEST(one_that_refuses_our_account_is_not_pressed)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert(!trial("10.0.0.2", 5432, fails(ANSWER_AUTH)));
    ck_assert(is_told("refused 10.0.0.2:5432 it gives no answer: auth, no such luck"));
    now_ms += TRIAL_AGAIN_MOST_MS - 1;
    ck_assert_str_eq(next(), "");
    now_ms += 1;
    ck_assert_str_eq(next(), "10.0.0.2:5432");
}
END_TEST

START_TEST(without_the_clusters_identity_nobody_can_be_verified)
{
    begin(KIND_STREAMING);
    configure("pg-2", "10.0.0.9", 5432);
    discovery_reload(&discovery, &configured);
    list_anew();
    member_says("pg-2", answers("7000000000000000002", "9")); /* who of the two is the stranger? */
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    next();
    ck_assert(!trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    now_ms += TRIAL_AGAIN_MS;
    next();
    struct observation facts = streams(answers(ours, "2"), "10.0.0.1", 5432, "");
    ck_assert(discovery_judge(&discovery, "10.0.0.2", 5432, &facts, &assessment, ours,
                              now_ms)); /* the registry knows */
}
END_TEST

START_TEST(one_that_is_no_standby_must_be_followed)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(streams(answers(ours, "1"), "10.0.0.3", 5432, ""), "10.0.0.2", 5432));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert_str_eq(next(), "10.0.0.3:5432");
    ck_assert(!trial("10.0.0.2", 5432, answers(ours, "2")));
    ck_assert(is_told("refused 10.0.0.2:5432 it is no standby"));
    ck_assert(trial("10.0.0.3", 5432, answers(ours, "3")));
}
END_TEST

START_TEST(a_second_address_of_a_member_is_refused_and_one_that_becomes_it_yields)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.100", 5432));
    next();
    ck_assert(!trial("10.0.0.100", 5432, answers(ours, "1")));
    ck_assert(is_told("it is a member already, by another address"));
    /* An address that moves: listed as one server, it is another one later. */
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.50", 5432));
    ck_assert_str_eq(next(), "10.0.0.100:5432");
    ck_assert_str_eq(next(), "10.0.0.50:5432");
    ck_assert(trial("10.0.0.50", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    member_says("10.0.0.50-5432", answers(ours, "1"));
    ck_assert(!is_listed("10.0.0.50-5432"));
    ck_assert(is_listed("pg-1"));
    ck_assert(is_told("refused 10.0.0.50:5432 it is a member already"));
}
END_TEST

START_TEST(of_two_addresses_of_one_server_every_probe_lists_the_same)
{
    static const char *const order[][2] = {{"10.0.0.2", "10.0.0.3"}, {"10.0.0.3", "10.0.0.2"}};
    for (size_t i = 0; i < 2; i++) {
        begin(KIND_STREAMING);
        struct observation standby = streams(answers(ours, "2"), "10.0.0.1", 5432, "");
        member_says("pg-1", names(names(answers(ours, "1"), order[i][0], 5432), order[i][1], 5432));
        next();
        next();
        trial(order[i][0], 5432, standby);
        trial(order[i][1], 5432, standby);
        member_says("pg-1", answers(ours, "1"));
        ck_assert(is_listed("10.0.0.2-5432"));
        ck_assert(!is_listed("10.0.0.3-5432"));
    }
}
END_TEST

START_TEST(a_listed_one_that_turns_into_a_stranger_goes)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    next();
    ck_assert(trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    member_says("10.0.0.2-5432",
                streams(answers("7000000000000000002", "5"), "10.0.0.1", 5432, ""));
    ck_assert(!is_listed("10.0.0.2-5432"));
    ck_assert(is_told("refused 10.0.0.2:5432 it belongs to another cluster"));
}
END_TEST

START_TEST(without_an_identity_replication_tells_by_uuid)
{
    begin(KIND_ASYNC);
    struct observation source =
        names(names(answers("", uuids[0]), "10.0.0.2", 3306), "10.0.0.3", 3306);
    member_says("pg-1", source);
    next();
    next();
    /* A source by another address than ours is the same by its UUID; another's replica is not. */
    ck_assert(
        trial("10.0.0.2", 3306, streams(answers("", uuids[1]), "vip.example.org", 3306, uuids[0])));
    ck_assert(!trial(
        "10.0.0.3", 3306,
        streams(answers("", uuids[2]), "10.0.0.1", 5432, "bbbbbbbb-0000-0000-0000-000000000001")));
    ck_assert(is_told("refused 10.0.0.3:3306 nothing shows that it replicates"));
}
END_TEST

START_TEST(a_server_id_tells_only_with_the_address)
{
    begin(KIND_ASYNC);
    member_says("pg-1", names(names(answers("", "1"), "10.0.0.2", 3306), "10.0.0.3", 3306));
    next();
    next();
    ck_assert(!trial("10.0.0.2", 3306, streams(answers("", "2"), "10.9.9.9", 3306, "1")));
    ck_assert(trial("10.0.0.3", 3306, streams(answers("", "3"), "10.0.0.1", 5432, "1")));
    /* One whose stream is down shows nothing. */
    struct observation down = streams(answers("", "2"), "10.0.0.1", 5432, "1");
    down.live = false;
    now_ms += TRIAL_AGAIN_MS;
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    ck_assert(!trial("10.0.0.2", 3306, down));
}
END_TEST

START_TEST(a_source_is_found_by_its_replica)
{
    begin(KIND_ASYNC);
    member_says("pg-1", streams(answers("", "1"), "10.0.0.2", 3306, "2"));
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    ck_assert(!trial("10.0.0.2", 3306, answers("", "9")));
    now_ms += TRIAL_AGAIN_MS;
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    ck_assert(trial("10.0.0.2", 3306, answers("", "2")));
}
END_TEST

static struct observation feeds(struct observation facts, const char *host, uint16_t port,
                                const char *id)
{
    struct channel *channel = &facts.channels[facts.channel_count++];
    *channel = (struct channel){.live = true, .applying = true, .port = port, .lag_ms = 0};
    strcpy(channel->host, host);
    strcpy(channel->id, id);
    observation_follow(&facts, 0);
    facts.replica = true;
    facts.writable = false;
    return facts;
}

START_TEST(one_that_several_feed_may_be_found_and_finds_none_of_those)
{
    begin(KIND_ASYNC);
    member_says("pg-1", names(answers("", "1"), "10.0.0.2", 3306));
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    struct observation gathers =
        feeds(feeds(answers("", "2"), "10.9.9.9", 3306, "9"), "10.0.0.1", 5432, "1");
    ck_assert(trial("10.0.0.2", 3306, gathers));
    member_says("10.0.0.2-3306", gathers);
    while (next()[0]) {
    }
    ck_assert(!trial("10.9.9.9", 3306, answers("", "9")));
    ck_assert(!is_listed("10.9.9.9-3306"));
}
END_TEST

START_TEST(the_members_of_a_group_have_its_identity)
{
    begin(KIND_GROUP);
    struct observation self = answers(uuids[0], uuids[1]);
    self.group.type = GROUP_REPLICATION;
    self = names(names(names(self, "10.0.0.1", 5432), "10.0.0.2", 3306), "10.0.0.3", 3306);
    member_says("pg-1", self);
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    ck_assert_str_eq(next(), "10.0.0.3:3306");
    struct observation other = answers(uuids[0], uuids[2]);
    other.group.type = GROUP_REPLICATION;
    ck_assert(trial("10.0.0.2", 3306, other));
    ck_assert(!trial("10.0.0.3", 3306,
                     answers("", "bbbbbbbb-0000-0000-0000-000000000003"))); /* in no group */
    ck_assert(is_told("refused 10.0.0.3:3306 it belongs to another cluster: none"));
}
END_TEST

START_TEST(galeras_nodes_may_have_one_server_id)
{
    begin(KIND_GALERA);
    struct observation facts = answers(uuids[0], "1");
    facts.group.type = GROUP_GALERA;
    advertised_add_addresses(&facts.advertised, "10.0.0.1:5432,,AUTO,10.0.0.2:3306,[fd00::3]:3306");
    member_says("pg-1", facts);
    ck_assert_str_eq(next(), "10.0.0.2:3306");
    ck_assert_str_eq(next(), "fd00::3:3306");
    ck_assert_str_eq(next(), "");
    ck_assert(trial("10.0.0.2", 3306, facts));
    ck_assert(trial("fd00::3", 3306, facts));
}
END_TEST

/* ---- bounds and time ------------------------------------------------------------------------- */

START_TEST(there_are_no_more_than_configured_and_the_others_are_told_why)
{
    begin(KIND_STREAMING);
    configured.discover_max = 1;
    discovery_reload(&discovery, &configured);
    member_says("pg-1", names(names(answers(ours, "1"), "10.0.0.2", 5432), "10.0.0.3", 5432));
    next();
    next();
    ck_assert(trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    ck_assert(!trial("10.0.0.3", 5432, streams(answers(ours, "3"), "10.0.0.1", 5432, "")));
    ck_assert(is_told("refused 10.0.0.3:5432 there are discover_max already"));
    ck_assert_uint_eq(assessment.member_count, 2);
}
END_TEST

START_TEST(a_flood_of_names_takes_no_more_than_its_room_and_pushes_no_member_out)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    next();
    ck_assert(trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    for (unsigned i = 0; i < 100; i++) {
        struct observation facts = answers(ours, "1");
        for (unsigned k = 0; k < 40; k++) {
            char host[32];
            snprintf(host, sizeof host, "%s.1.%u.%u", i % 2 ? "10" : "192", i, k);
            facts = names(facts, host, 5432);
        }
        ck_assert_uint_eq(facts.advertised.count, ADVERTISED_MAX);
        member_says("pg-1", facts);
        member_says("10.0.0.2-5432", streams(answers(ours, "2"), "10.0.0.1", 5432, ""));
        ck_assert_uint_le(discovery.count, FOUND_MAX);
    }
    for (int i = 0; i < TRIALS_MAX; i++) {
        ck_assert_str_ne(next(), "");
    }
    ck_assert_str_eq(next(), ""); /* so many at a time */
    ck_assert(is_listed("10.0.0.2-5432"));
    /* What is barred gives way to what is not. */
    begin(KIND_STREAMING);
    for (unsigned i = 0; i < 3; i++) {
        struct observation facts = answers(ours, "1");
        for (unsigned k = 0; k < ADVERTISED_MAX; k++) {
            char host[32];
            snprintf(host, sizeof host, "192.1.%u.%u", i, k);
            facts = names(facts, host, 5432);
        }
        member_says("pg-1", facts);
    }
    ck_assert_uint_eq(discovery.count, FOUND_MAX);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
}
END_TEST

START_TEST(one_that_is_silent_and_named_by_nobody_is_forgotten)
{
    begin(KIND_STREAMING);
    struct observation alone = answers(ours, "1"),
                       standby = streams(answers(ours, "2"), "10.0.0.1", 5432, "");
    member_says("pg-1", names(alone, "10.0.0.2", 5432));
    next();
    ck_assert(trial("10.0.0.2", 5432, standby));
    for (int i = 0; i < 100; i++) { /* it answers, though nobody names it */
        member_says("pg-1", alone);
        member_says("10.0.0.2-5432", standby);
    }
    for (int i = 0; i < 100; i++) { /* it is named, though it does not answer */
        member_says("pg-1", names(alone, "10.0.0.2", 5432));
        member_says("10.0.0.2-5432", fails(ANSWER_REFUSED));
    }
    ck_assert(is_listed("10.0.0.2-5432"));
    for (int i = 0; i < 30; i++) {
        member_says("pg-1", alone);
        ck_assert(is_listed("10.0.0.2-5432"));
        member_says("10.0.0.2-5432", fails(ANSWER_REFUSED));
    }
    member_says("pg-1", alone);
    ck_assert(!is_listed("10.0.0.2-5432"));
    ck_assert(is_told("forgotten 10.0.0.2:5432"));
    ck_assert_uint_eq(lines_told(), 3);
    ck_assert_uint_eq(discovery.count, 0);
}
END_TEST

START_TEST(a_reload_keeps_what_is_still_allowed)
{
    begin(KIND_STREAMING);
    member_says("pg-1", names(names(answers(ours, "1"), "10.0.0.2", 5432), "10.0.0.3", 5432));
    next();
    next();
    ck_assert(trial("10.0.0.2", 5432, streams(answers(ours, "2"), "10.0.0.1", 5432, "")));
    discovery_reload(&discovery, &configured);
    list_anew();
    ck_assert(is_listed("10.0.0.2-5432"));
    ck_assert_str_eq(next(), "10.0.0.3:5432"); /* its trial begins anew */
    ck_assert(trial("10.0.0.3", 5432, streams(answers(ours, "3"), "10.0.0.1", 5432, "")));
    strcpy(configured.discover_within, "10.0.0.2/31");
    configure("three", "10.0.0.3", 5432);
    discovery_reload(&discovery, &configured);
    list_anew();
    ck_assert(is_listed("10.0.0.2-5432") && is_listed("three") && !is_listed("10.0.0.3-5432"));
    strcpy(configured.discover_within, "10.0.0.3");
    discovery_reload(&discovery, &configured);
    list_anew();
    ck_assert(!is_listed("10.0.0.2-5432"));
    configured.discover = false;
    discovery_reload(&discovery, &configured);
    ck_assert_uint_eq(discovery.count, 0);
    member_says("pg-1", names(answers(ours, "1"), "10.0.0.2", 5432));
    ck_assert_str_eq(next(), "");
}
END_TEST

START_TEST(the_registry_gives_addresses_to_try_and_no_members)
{
    struct member_config config = {.name = "10.0.0.2-5432", .host = "10.0.0.2", .port = 5432};
    begin(KIND_STREAMING);
    discovery_recall(&discovery, &config, now_ms);
    strcpy(config.name, "pg-9"); /* somebody configured it once */
    strcpy(config.host, "10.0.0.9");
    discovery_recall(&discovery, &config, now_ms);
    strcpy(config.name, "192.0.2.1-5432");
    strcpy(config.host, "192.0.2.1");
    discovery_recall(&discovery, &config, now_ms);
    ck_assert(!discovery_is_settled(&discovery));
    member_says("pg-1", answers(ours, "1"));
    ck_assert_str_eq(next(), "10.0.0.2:5432");
    ck_assert_str_eq(next(), "");
    ck_assert(!is_listed("10.0.0.2-5432"));
    ck_assert(!trial("10.0.0.2", 5432, fails(ANSWER_REFUSED)));
    ck_assert(discovery_is_settled(&discovery));
}
END_TEST

START_TEST(what_servers_name_is_tamed)
{
    struct advertised named = {0};
    char longest[200];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    advertised_add(&named, "", 1);
    advertised_add(&named, "a b", 1);
    advertised_add(&named, "a\x1b[31m", 1);
    advertised_add(&named, "\xc3\xa4.example", 1);
    advertised_add(&named, longest, 1);
    ck_assert_uint_eq(named.count, 0);
    advertised_add(&named, "a", 1);
    advertised_add(&named, "a", 1);
    advertised_add(&named, "a", 2);
    ck_assert_uint_eq(named.count, 2);
    advertised_add_hosts(&named, "b,,c,");
    advertised_add_hosts(&named, NULL);
    advertised_add_hosts(&named, longest);
    ck_assert_uint_eq(named.count, 4);
    ck_assert_str_eq(named.server[3].host, "c");
    ck_assert_uint_eq(named.server[3].port, 0);
    advertised_add_addresses(&named, "d:1,AUTO,,[::1]:2,e,d:99999,::3,unspecified");
    ck_assert_uint_eq(named.count, 8);
    ck_assert_str_eq(named.server[5].host, "::1");
    ck_assert_str_eq(named.server[7].host, "unspecified");
}
END_TEST

Suite *discovery_suite(void)
{
    Suite *suite = suite_create("discovery");
    TCase *tcase = tcase_create("discovery");
    tcase_add_test(tcase, a_server_that_a_member_names_is_listed_once_it_answers_with_the_identity);
    tcase_add_test(tcase, where_no_port_is_told_those_of_the_configured_members_are_tried);
    tcase_add_test(tcase, nobody_is_tried_before_every_member_was_looked_at);
    tcase_add_test(tcase, names_and_addresses_out_of_range_are_told_once_and_never_tried);
    tcase_add_test(tcase, loopback_counts_when_the_one_who_names_it_was_reached_over_loopback);
    tcase_add_test(tcase, an_address_has_one_name_at_every_probe);
    tcase_add_test(
        tcase, a_stranger_is_refused_with_its_identity_told_once_and_asked_more_and_more_rarely);
    tcase_add_test(tcase, one_that_refuses_our_account_is_not_pressed);
    tcase_add_test(tcase, without_the_clusters_identity_nobody_can_be_verified);
    tcase_add_test(tcase, one_that_is_no_standby_must_be_followed);
    tcase_add_test(tcase, a_second_address_of_a_member_is_refused_and_one_that_becomes_it_yields);
    tcase_add_test(tcase, of_two_addresses_of_one_server_every_probe_lists_the_same);
    tcase_add_test(tcase, a_listed_one_that_turns_into_a_stranger_goes);
    tcase_add_test(tcase, without_an_identity_replication_tells_by_uuid);
    tcase_add_test(tcase, a_server_id_tells_only_with_the_address);
    tcase_add_test(tcase, a_source_is_found_by_its_replica);
    tcase_add_test(tcase, one_that_several_feed_may_be_found_and_finds_none_of_those);
    tcase_add_test(tcase, the_members_of_a_group_have_its_identity);
    tcase_add_test(tcase, galeras_nodes_may_have_one_server_id);
    tcase_add_test(tcase, there_are_no_more_than_configured_and_the_others_are_told_why);
    tcase_add_test(tcase, a_flood_of_names_takes_no_more_than_its_room_and_pushes_no_member_out);
    tcase_add_test(tcase, one_that_is_silent_and_named_by_nobody_is_forgotten);
    tcase_add_test(tcase, a_reload_keeps_what_is_still_allowed);
    tcase_add_test(tcase, the_registry_gives_addresses_to_try_and_no_members);
    tcase_add_test(tcase, what_servers_name_is_tamed);
    suite_add_tcase(suite, tcase);
    return suite;
}
