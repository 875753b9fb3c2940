#include "registry/verdict/voters.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/host.h"
#include "registry/verdict/agree.h"

static bool is_in_evidence(const struct topology *previous, const char *probe)
{
    for (size_t i = 0; previous && i < previous->evidence_count; i++) {
        if (strcmp(previous->evidence[i].probe, probe) == 0) {
            return true;
        }
    }
    return false;
}

/* Sticky first, then by name. */
static bool comes_before(const struct topology *previous, const struct report *a,
                         const struct report *b)
{
    bool a_sticks = is_in_evidence(previous, a->probe);
    bool b_sticks = is_in_evidence(previous, b->probe);
    return a_sticks != b_sticks ? a_sticks : strcmp(a->probe, b->probe) < 0;
}

static size_t order_votes(const struct topology *previous, const struct vote *votes, size_t count,
                          struct vote *ordered)
{
    size_t n = 0;
    for (size_t i = 0; i < count && n < REPORTS_MAX; i++) {
        if (votes[i].report->abstains[0]) {
            continue;
        }
        size_t at = n++;
        for (; at > 0 && comes_before(previous, votes[i].report, ordered[at - 1].report); at--) {
            ordered[at] = ordered[at - 1];
        }
        ordered[at] = votes[i];
    }
    return n;
}

/* How many of the first `among` are configured for this number of witnesses. */
static int count_configured(const struct vote *ordered, size_t n, int among, int witnesses)
{
    int configured = 0;
    for (size_t i = 0; i < n && (int)i < among; i++) {
        configured += ordered[i].report->policy.witnesses == witnesses;
    }
    return configured;
}

/* The N in force; 0 when a first verdict has no quorum for one. N grows by a quorum of the new N
 * and shrinks by one of the old N, so that while `witnesses` is changed probe by probe no two sets
 * of probes can each believe to be a quorum. */
static int decide_witnesses(const struct topology *previous, const struct vote *ordered, size_t n)
{
    int old = previous ? previous->policy.witnesses : 0;
    for (int witnesses = WITNESSES_MAX; witnesses > old; witnesses--) {
        if (count_configured(ordered, n, witnesses, witnesses) >= quorum_of(witnesses)) {
            return witnesses;
        }
    }
    for (int witnesses = old - 1; witnesses > 0; witnesses--) {
        if (count_configured(ordered, n, old, witnesses) >= quorum_of(old)) {
            return witnesses;
        }
    }
    return old;
}

/* All of a policy but N, which is decided by itself. */
static bool same_policy(const void *theirs, const void *mine)
{
    const struct policy *a = theirs, *b = mine;
    return a->engine == b->engine && a->kind == b->kind && a->conflict == b->conflict &&
           a->writers == b->writers;
}

/* The policy of a quorum. Without one (a rolling change of `kind` or `conflict` is half way) the
 * last verdict's stays; a first verdict waits until the configurations agree. */
static bool decide_policy(const struct topology *previous, struct voters *voters)
{
    struct opinions opinions = {.quorum = voters->quorum, .count = voters->count};
    for (size_t i = 0; i < voters->count; i++) {
        opinions.item[i] = &voters->votes[i].report->policy;
    }
    const struct policy *policy = agree_first(&opinions, same_policy);
    if (!policy && !previous) {
        return false;
    }
    uint8_t witnesses = voters->policy.witnesses;
    voters->policy = policy ? *policy : previous->policy;
    voters->policy.witnesses = witnesses;
    return true;
}

static bool same_address(const void *theirs, const void *mine)
{
    const struct member_config *a = theirs, *b = mine;
    return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static bool same_weight(const void *theirs, const void *mine)
{
    const struct member_config *a = theirs, *b = mine;
    return a->weight == b->weight;
}

static bool same_labels(const void *theirs, const void *mine)
{
    const struct member_config *a = theirs, *b = mine;
    if (a->label_count != b->label_count) {
        return false;
    }
    for (size_t i = 0; i < a->label_count; i++) {
        if (strcmp(a->labels[i].key, b->labels[i].key) != 0 ||
            strcmp(a->labels[i].value, b->labels[i].value) != 0) {
            return false;
        }
    }
    return true;
}

/* What each voter lists for `name`. */
static struct opinions listings_of(const struct voters *voters, const char *name)
{
    struct opinions opinions = {.quorum = voters->quorum, .count = voters->count};
    for (size_t i = 0; i < voters->count; i++) {
        const struct member_report *member = report_member(voters->votes[i].report, name);
        opinions.item[i] = member ? &member->config : NULL;
    }
    return opinions;
}

/* Does a quorum list the server at this address under one other name? */
static bool is_renamed(const struct voters *voters, const struct member_config *was)
{
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        for (size_t k = 0; k < report->member_count; k++) {
            const struct member_config *now = &report->members[k].config;
            struct opinions listings = listings_of(voters, now->name);
            if (same_address(now, was) && strcmp(now->name, was->name) != 0 &&
                agree_count(&listings, was, same_address) >= voters->quorum) {
                return true;
            }
        }
    }
    return false;
}

/* Listed by a quorum, or listed before and not dropped by one. A reload never drops the primary: a
 * file with a line too few must not withdraw the writer of every application. Under another name
 * it is still there. */
static bool stays_listed(const struct topology *previous, const struct voters *voters,
                         const char *name)
{
    int listed = 0;
    for (size_t i = 0; i < voters->count; i++) {
        listed += report_member(voters->votes[i].report, name) != NULL;
    }
    if (listed >= voters->quorum) {
        return true;
    }
    const struct member *was = previous ? topology_member(previous, name) : NULL;
    if (!was) {
        return false;
    }
    int unlisted = (int)voters->count - listed;
    return unlisted < voters->quorum ||
           (strcmp(previous->primary, name) == 0 && !is_renamed(voters, &was->config));
}

static void add_member(const struct topology *previous, struct voters *voters, const char *name)
{
    for (size_t i = 0; i < voters->member_count; i++) {
        if (strcmp(voters->members[i].name, name) == 0) {
            return;
        }
    }
    if (voters->member_count == MEMBERS_MAX || !stays_listed(previous, voters, name)) {
        return;
    }
    const struct member *was = previous ? topology_member(previous, name) : NULL;
    struct opinions listings = listings_of(voters, name);
    const struct member_config *address = agree_first(&listings, same_address);
    const struct member_config *weight = agree_first(&listings, same_weight);
    const struct member_config *labels = agree_first(&listings, same_labels);
    if (!address && !was) {
        return; /* two addresses for a new member: a quorum has to agree on one first */
    }
    struct member_config config = {.weight = WEIGHT_DEFAULT};
    if (was) {
        config = was->config;
    }
    strcpy(config.name, name);
    if (address) {
        strcpy(config.host, address->host);
        config.port = address->port;
    }
    if (weight) {
        config.weight = weight->weight;
    }
    if (labels) {
        config.label_count = labels->label_count;
        memcpy(config.labels, labels->labels, sizeof config.labels);
    }
    voters->members[voters->member_count++] = config;
}

static int compare_members(const void *a, const void *b)
{
    return strcmp(((const struct member_config *)a)->name, ((const struct member_config *)b)->name);
}

/* Those of the last verdict first, so that a flood of new ones pushes none out. */
static void decide_members(const struct topology *previous, struct voters *voters)
{
    for (size_t i = 0; previous && i < previous->member_count; i++) {
        add_member(previous, voters, previous->members[i].config.name);
    }
    for (size_t i = 0; i < voters->count; i++) {
        const struct report *report = voters->votes[i].report;
        for (size_t k = 0; k < report->member_count; k++) {
            add_member(previous, voters, report->members[k].config.name);
        }
    }
    qsort(voters->members, voters->member_count, sizeof *voters->members, compare_members);
}

bool voters_select(const struct topology *previous, const struct vote *votes, size_t count,
                   struct voters *ret_voters)
{
    struct vote ordered[REPORTS_MAX];
    assert(ret_voters);
    assert(count <= REPORTS_MAX);
    size_t n = order_votes(previous, votes, count, ordered);
    int witnesses = decide_witnesses(previous, ordered, n);
    memset(ret_voters, 0, sizeof *ret_voters);
    ret_voters->quorum = quorum_of(witnesses);
    if (witnesses == 0 || (int)n < ret_voters->quorum) {
        return false;
    }
    ret_voters->policy.witnesses = (uint8_t)witnesses;
    ret_voters->count = (int)n < witnesses ? n : (size_t)witnesses;
    memcpy(ret_voters->votes, ordered, ret_voters->count * sizeof *ordered);
    if (!decide_policy(previous, ret_voters)) {
        return false;
    }
    decide_members(previous, ret_voters);
    assert(ret_voters->count >= (size_t)ret_voters->quorum);
    return true;
}

static const struct member_config *config_by_quorum(const struct voters *voters, const char *name)
{
    for (size_t i = 0; i < voters->member_count; i++) {
        if (strcmp(voters->members[i].name, name) == 0) {
            return &voters->members[i];
        }
    }
    return NULL;
}

const struct member_report *voters_sighting(const struct voters *voters, size_t i, const char *name)
{
    assert(i < voters->count);
    const struct member_report *seen = report_member(voters->votes[i].report, name);
    const struct member_config *listing = config_by_quorum(voters, name);
    bool here = seen && (!listing || (seen->config.port == listing->port &&
                                      host_equal(seen->config.host, listing->host)));
    return here ? seen : NULL;
}
