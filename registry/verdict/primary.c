/* To add a rule: a fact in struct contest, computed once in contest_of(); a predicate over the
 * facts; a row at the place where it is to come before the others; a test of the same name as its
 * scenario in tests/unit/verdict/primary.c. Predicates may assume that no row above applied. */
#include "registry/verdict/primary.h"

#include <assert.h>

#include "registry/base/text.h"
#include "registry/verdict/aliases.h"

/* The facts that the rows ask for. */
struct contest {
    const struct verdict_inputs *inputs;
    const struct contender *primary; /* of the last verdict; NULL: none */
    const struct contender
        *incumbent;               /* the primary, or the last one while there is none; or NULL */
    const struct contender *held; /* by the operator; NULL: no hold on a member */
    bool frozen;                  /* there is a hold, on whomever */
    const struct contender *accepted; /* a candidate that the operator vouches for; NULL: none */
    size_t count;                     /* candidates: claims that may win */
    const struct contender *candidates[MEMBERS_MAX];
    bool incumbent_claims; /* it is one of them */
    bool peers;            /* all of them may write at a time: no rivalry */
    /* among peers: the one to prefer, NULL where all are behind; else NULL */
    const struct contender *preferred;
    /* among rivals: the one strictly ahead of all others, NULL where the lead is shared; else NULL
     */
    const struct contender *leader;
};

/* ---- order among candidates ------------------------------------------------------------------ */

static int by_act(const struct contender *a, const struct contender *b, unsigned act)
{
    return ((a->record.acts & act) != 0) - ((b->record.acts & act) != 0);
}

/* Which of the two has all that the other has, and more? */
static int compare_sets(const struct verdict_inputs *inputs, const struct contender *a,
                        const struct contender *b)
{
    const struct voters *voters = &inputs->voters;
    const char *a_name = a->listing->name, *b_name = b->listing->name;
    return (tally_has(&a->tally, voters, b_name) && tally_misses(&b->tally, voters, a_name)) -
           (tally_has(&b->tally, voters, a_name) && tally_misses(&a->tally, voters, b_name));
}

/* Timelines order claims. At the first look they do not: the newer may be a restored backup. Of
 * equal ones it is the one that others were re-pointed to. */
static int compare_timelines(const struct verdict_inputs *inputs, const struct contender *a,
                             const struct contender *b)
{
    if (!inputs->incumbent_name[0] && kind_traits_of(inputs->voters.policy.kind)->by_act) {
        return contender_replicas(inputs, a) - contender_replicas(inputs, b);
    }
    int order = lineage_compare(contender_lineage(a), contender_lineage(b));
    return order != 0 ? order : by_act(a, b, ACT_REPOINTED);
}

/* Positive: `a` is ahead. By lineage where that orders them, else by how many replicate from it
 * (or, in a group, name it): a promoter re-points the others to the one that it chose. Unless that
 * one is known to lack what the other has: then it was chosen by mistake, or it is not the last
 * choice. */
static int compare_claims(const struct verdict_inputs *inputs, const struct contender *a,
                          const struct contender *b)
{
    if (inputs->ordered) {
        return compare_timelines(inputs, a, b);
    }
    int order = lineage_compare(contender_lineage(a), contender_lineage(b));
    if (order != 0) {
        return order;
    }
    int lead = contender_replicas(inputs, a) - contender_replicas(inputs, b);
    if (lead == 0) {
        return compare_sets(inputs, a, b);
    }
    const struct contender *ahead = lead > 0 ? a : b;
    const struct contender *other = lead > 0 ? b : a;
    return tally_lacks(&ahead->tally, &inputs->voters, other->listing->name) ? 0 : lead;
}

static const struct contender *find_leader(const struct contest *contest)
{
    for (size_t i = 0; i < contest->count; i++) {
        const struct contender *mine = contest->candidates[i];
        bool leads = true;
        for (size_t k = 0; leads && k < contest->count; k++) {
            leads = k == i || compare_claims(contest->inputs, mine, contest->candidates[k]) > 0;
        }
        if (leads) {
            return mine;
        }
    }
    return NULL;
}

static bool is_fit(const struct contender *contender)
{
    const enum condition *condition = contender->tally.condition;
    return !condition || *condition == CONDITION_FIT;
}

/* Among peers: one that is not drained, one in full service (a Galera donor would block writes),
 * then the incumbent (a writer that comes back does not take over), then by weight, by name. */
static bool is_preferable(const struct contest *contest, const struct contender *a,
                          const struct contender *b)
{
    if (a->drained != b->drained) {
        return b->drained;
    }
    if (is_fit(a) != is_fit(b)) {
        return is_fit(a);
    }
    if (a == contest->incumbent || b == contest->incumbent) {
        return a == contest->incumbent;
    }
    return a->weight > b->weight;
}

static const struct contender *find_preferred(const struct contest *contest)
{
    const struct contender *best = NULL;
    for (size_t i = 0; i < contest->count; i++) {
        const struct contender *mine = contest->candidates[i];
        if (!contender_is_behind(contest->inputs, mine) &&
            (!best || is_preferable(contest, mine, best))) {
            best = mine;
        }
    }
    return best;
}

/* ---- the facts ------------------------------------------------------------------------------- */

static void add_candidate(struct contest *contest, const struct contender *contender)
{
    if (!contender_is_candidate(contender)) {
        return;
    }
    assert(contest->count < MEMBERS_MAX);
    contest->candidates[contest->count++] = contender;
    if (contender->accepted &&
        (!contest->accepted || contender->accepted_epoch > contest->accepted->accepted_epoch)) {
        contest->accepted = contender;
    }
    contest->incumbent_claims = contest->incumbent_claims || contender == contest->incumbent;
    contest->peers = contest->peers && contender->shared;
}

static struct contest contest_of(const struct verdict_inputs *inputs)
{
    const char *hold = inputs->directives ? inputs->directives->hold : "";
    struct contest contest = {
        .inputs = inputs,
        .primary = inputs->previous ? contender_find(inputs, inputs->previous->primary) : NULL,
        .incumbent = inputs->incumbent,
        .held = aliases_itself(inputs, contender_find(inputs, hold)),
        .frozen = hold[0],
        .peers = true,
    };
    assert(!contest.primary || contest.primary == contest.incumbent);
    for (size_t i = 0; i < inputs->count; i++) {
        /* while one is held, no other may win */
        if (!contest.frozen || contest.held == &inputs->contenders[i]) {
            add_candidate(&contest, &inputs->contenders[i]);
        }
    }
    if (contest.count > 0 && contest.peers) {
        contest.preferred = find_preferred(&contest);
    } else {
        contest.leader = find_leader(&contest);
    }
    return contest;
}

/* ---- predicates: the operator ---------------------------------------------------------------- */

static bool is_held(const struct contest *c)
{
    return c->held && (c->held == c->primary || c->count > 0);
}

static bool is_frozen(const struct contest *c)
{
    return c->frozen && !c->held && c->primary;
}

static bool is_accepted(const struct contest *c)
{
    return c->accepted != NULL;
}

/* ---- predicates: claims that may share ------------------------------------------------------- */

static bool peer_may_write(const struct contest *c)
{
    return c->preferred && (c->incumbent_claims || c->inputs->unfit);
}

static bool one_peer(const struct contest *c)
{
    return peer_may_write(c) && c->count == 1;
}

/* ---- predicates: claims that exclude each other ---------------------------------------------- */

static bool are_rivals(const struct contest *c)
{
    return c->count > 0 && !c->peers;
}

/* Another takes writes, and where lineages order the two it is not older. */
static bool is_contested(const struct contest *c)
{
    for (size_t i = 0; c->incumbent_claims && i < c->inputs->count; i++) {
        const struct contender *other = &c->inputs->contenders[i];
        bool counts = other->claims && !other->shared && !other->fenced && !other->drained;
        if (counts && other != c->incumbent &&
            lineage_compare(contender_lineage(other), contender_lineage(c->incumbent)) >= 0) {
            return true;
        }
    }
    return false;
}

static bool may_not_hold(const struct contest *c)
{
    return c->inputs->voters.policy.conflict == CONFLICT_NONE && c->count == 1 &&
           c->leader == c->incumbent && is_contested(c);
}

static bool only_the_incumbent(const struct contest *c)
{
    return c->leader && c->count == 1 && c->leader == c->incumbent;
}

static bool first_claim(const struct contest *c)
{
    return c->leader && c->inputs->ordered && c->count == 1 && !c->inputs->lineage[0];
}

static bool first_followed(const struct contest *c)
{
    return c->leader && c->inputs->ordered && !c->inputs->incumbent_name[0] && c->count > 1 &&
           kind_traits_of(c->inputs->voters.policy.kind)->by_act;
}

static bool newest_timeline(const struct contest *c)
{
    return c->leader && c->inputs->ordered;
}

/* Of one group: the incumbent and the leader are in views of the same stamp. */
static bool newest_view(const struct contest *c)
{
    return c->leader && c->incumbent_claims && contender_lineage(c->leader)[0];
}

static bool named_in_view(const struct contest *c)
{
    return newest_view(c) && c->leader != c->incumbent &&
           lineage_compare(contender_lineage(c->leader), contender_lineage(c->incumbent)) == 0;
}

/* The group elected it in a newer view than the incumbent's: that one cannot write any more,
 * whatever its answer says, or whoever it lets in. */
static bool elected_since(const struct contest *c)
{
    return c->leader && !c->inputs->ordered && c->incumbent && !c->incumbent->tally.claim &&
           c->leader != c->incumbent &&
           lineage_compare(contender_lineage(c->leader), c->inputs->lineage) > 0;
}

/* The same within one view: others name it, and nobody the incumbent. */
static bool moved_in_view(const struct contest *c)
{
    const char *lineage = c->leader ? contender_lineage(c->leader) : "";
    return lineage[0] && !c->inputs->ordered && c->incumbent && !c->incumbent->tally.claim &&
           c->leader != c->incumbent && text_equal(lineage, c->inputs->lineage) &&
           contender_replicas(c->inputs, c->leader) > 0 &&
           contender_replicas(c->inputs, c->incumbent) == 0;
}

/* At the far side of a partition: it was promoted, all that followed the old primary follow it, and
 * it was done while the old one could still be compared. */
static bool took_over(const struct contest *c)
{
    const unsigned both = ACT_OPENED | ACT_REPOINTED;
    return c->leader && c->incumbent_claims && c->leader != c->incumbent &&
           (c->leader->record.acts & (both | ACT_LATE)) == both &&
           contender_replicas(c->inputs, c->incumbent) == 0;
}

static bool overtakes(const struct contest *c)
{
    bool by_claim = !kind_traits_of(c->inputs->voters.policy.kind)->by_act ||
                    (c->leader && c->leader->tally.dated == 0);
    return c->leader && c->incumbent_claims && c->leader != c->incumbent && by_claim &&
           tally_overtakes(&c->leader->tally, &c->inputs->voters, c->incumbent->listing->name);
}

static bool incumbent_contested(const struct contest *c)
{
    return are_rivals(c) && c->incumbent_claims;
}

static bool incumbent_may_hold(const struct contest *c)
{
    return incumbent_contested(c) && c->inputs->voters.policy.conflict == CONFLICT_HOLD;
}

static bool successor(const struct contest *c)
{
    return c->leader && c->inputs->unfit;
}

static bool one_successor(const struct contest *c)
{
    return successor(c) && c->count == 1;
}

/* ---- predicates: nobody may win -------------------------------------------------------------- */

static bool still_outdated(const struct contest *c)
{
    return !c->primary && verdict_was_withdrawn_by(c->inputs, RULE_OUTDATED);
}

static bool still_minority(const struct contest *c)
{
    return !c->primary && verdict_was_withdrawn_by(c->inputs, RULE_MINORITY);
}

static bool rivals_without_primary(const struct contest *c)
{
    return !c->primary && are_rivals(c);
}

static bool no_primary(const struct contest *c)
{
    return !c->primary;
}

static bool unpromoted(const struct contest *c)
{
    bool claims = false;
    for (size_t i = 0; no_primary(c) && i < c->inputs->count; i++) {
        claims = claims || (c->inputs->contenders[i].claims && !c->inputs->contenders[i].shared);
    }
    return claims;
}

static bool is_stranger(const struct contest *c)
{
    return c->primary->stranger;
}

static bool is_outdated(const struct contest *c)
{
    return c->inputs->ordered && lineage_compare(c->inputs->lineage, c->inputs->newest) < 0;
}

static bool is_rewound(const struct contest *c)
{
    return c->inputs->ordered && tally_is_older(&c->primary->tally, c->inputs->lineage);
}

static bool takes_no_writes(const struct contest *c)
{
    return c->primary->tally.denies >= c->primary->tally.quorum;
}

static bool lost_majority(const struct contest *c)
{
    const enum condition *condition = c->primary->tally.condition;
    return takes_no_writes(c) && condition && *condition == CONDITION_MINORITY;
}

/* One that streams from a name that no member has (a VIP, another network) may stream from it. */
static bool may_stream_from(const struct member_report *seen, const char *name)
{
    return seen->answer == ANSWER_OK && seen->live &&
           (text_equal(seen->upstream, name) || !seen->upstream[0]);
}

/* To this voter `name` is dead: refused, or it denies writes itself, and no member that answers
 * streams from it. Both facts must come from the same report, so that an absent report cannot tip
 * the count. */
static bool is_dead_in(const struct voters *voters, size_t voter, const char *name)
{
    const struct report *report = voters->votes[voter].report;
    const struct member_report *seen = voters_sighting(voters, voter, name);
    bool dead = seen && (seen->answer == ANSWER_REFUSED || member_report_denies(seen));
    for (size_t i = 0; dead && i < report->member_count; i++) {
        dead = !may_stream_from(&report->members[i], name);
    }
    return dead;
}

static bool is_dead(const struct contest *c)
{
    const struct voters *voters = &c->inputs->voters;
    int dead = 0;
    for (size_t i = 0; i < voters->count; i++) {
        dead += is_dead_in(voters, i, c->primary->listing->name);
    }
    return dead >= voters->quorum;
}

static bool otherwise(const struct contest *c)
{
    (void)c;
    return true;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* Who wins. */
static const struct contender *the_held(const struct contest *c)
{
    return c->held;
}

static const struct contender *the_accepted(const struct contest *c)
{
    return c->accepted;
}

static const struct contender *the_preferred(const struct contest *c)
{
    return c->preferred;
}

static const struct contender *the_leader(const struct contest *c)
{
    return c->leader;
}

static const struct contender *the_incumbent(const struct contest *c)
{
    return c->incumbent;
}

static const struct contender *nobody(const struct contest *c)
{
    (void)c;
    return NULL;
}

static const struct row {
    enum rule rule;
    bool (*applies)(const struct contest *);
    const struct contender *(*winner)(const struct contest *);
    const char *scenario;
} rows[] = {
    /* the operator comes before all that servers report */
    {RULE_HELD, is_held, the_held,
     "the operator froze the primary for maintenance: it is primary whatever happens, or the only "
     "one that may become it"},
    {RULE_HELD, is_frozen, the_incumbent,
     "the member that was held is no longer listed: the operator's hold is not void for that"},
    {RULE_ACCEPTED, is_accepted, the_accepted,
     "an accidental promotion was undone, a snapshot restored, a tie decided by a person"},

    /* all candidates may write at a time: Galera, stateless peers, a multi-primary group */
    {RULE_SOLE_CLAIMANT, one_peer, the_preferred,
     "one node of the group is left, or the first one is up"},
    {RULE_PREFERRED, peer_may_write, the_preferred,
     "several nodes could write: one gets the writes, and keeps them while it is fit"},

    /* one may win, and it is the one from before */
    {RULE_TIE, may_not_hold, nobody,
     "another takes writes, and the operator prefers no primary to a doubtful one"},
    {RULE_SOLE_CLAIMANT, only_the_incumbent, the_incumbent,
     "every day; also a primary that was restarted in place"},

    /* timelines: PostgreSQL, custom queries with a lineage */
    {RULE_SOLE_CLAIMANT, first_claim, the_leader, "the first look at a cluster with timelines"},
    {RULE_MOST_REPLICAS, first_followed, the_leader,
     "the first look at two histories, one of them perhaps a restored backup: others follow one"},
    {RULE_NEWEST_LINEAGE, newest_timeline, the_leader,
     "a standby was promoted, whether the old primary is gone or still answers"},

    /* views: group replication */
    {RULE_MOST_REPLICAS, named_in_view, the_leader,
     "a group moved its primary within one view, and the old one has not noticed: the others name "
     "the new one"},
    {RULE_NEWEST_LINEAGE, newest_view, the_leader,
     "a group went on without its primary (partitioned, frozen), which still claims in an old "
     "view"},

    {RULE_NEWEST_LINEAGE, elected_since, the_leader,
     "a group elected another, and the old primary is full, refuses the account, or says nothing"},
    {RULE_MOST_REPLICAS, moved_in_view, the_leader,
     "a group moved its primary within one view, and the old one is full or refuses the account: "
     "the others name the new one"},

    /* no order: asynchronous replication, custom queries without a lineage */
    {RULE_MOST_REPLICAS, took_over, the_leader,
     "a replica was opened and all others re-pointed to it, at the far side of a partition from "
     "the old primary"},
    {RULE_MOST_REPLICAS, overtakes, the_leader,
     "a replica was promoted and the others re-pointed to it while the old primary still takes "
     "writes"},
    {RULE_INCUMBENT, incumbent_may_hold, the_incumbent,
     "two take writes and nothing orders them (a replica was opened by mistake): the old one "
     "holds"},
    {RULE_TIE, incumbent_contested, nobody,
     "the same where the operator prefers no primary to a doubtful one (conflict = none)"},
    {RULE_SOLE_CLAIMANT, one_successor, the_leader,
     "a replica was promoted, and the old primary is down, read-only or follows it"},
    {RULE_MOST_REPLICAS, successor, the_leader,
     "the same with a second replica open for writes: the others follow one of them"},

    /* nobody may win, and there was no primary */
    {RULE_OUTDATED, still_outdated, nobody,
     "a withdrawn old primary is all that claims, while the promoted one is cut off"},
    {RULE_MINORITY, still_minority, nobody,
     "a group without a majority has not come together again"},
    {RULE_TIE, rivals_without_primary, nobody,
     "two claim, and there is no primary to hold: two opened at once, or after a conflict"},
    {RULE_UNPROMOTED, unpromoted, nobody,
     "a replica is open for writes, its channel stopped for a backup, and the primary restarts: it "
     "was not promoted"},
    {RULE_NO_CLAIM, no_primary, nobody,
     "a cluster that is down or was never up, or in between two primaries"},

    /* nobody may win, and there is a primary: withdrawn by what is known of it, or kept */
    {RULE_STRANGER, is_stranger, nobody,
     "another cluster's server was started at the primary's address"},
    {RULE_OUTDATED, is_outdated, nobody,
     "a standby follows a promoted server that no probe reaches: writes would go to the old one"},
    {RULE_REWOUND, is_rewound, nobody,
     "the primary's data directory was restored from a backup; unlike the outdated one it may come "
     "back as what it was"},
    {RULE_MINORITY, lost_majority, nobody,
     "the group's node with the writes is on the smaller side of a partition"},
    {RULE_NOT_WRITABLE, takes_no_writes, nobody,
     "a planned switch closed the old primary, or it starts up, shuts down or is in recovery"},
    {RULE_REFUSED, is_dead, nobody,
     "the primary crashed on a living host, and no standby streams from it any more"},
    {RULE_KEPT, otherwise, the_incumbent,
     "silence: a lost network, a full server, refused accounts. That probes cannot see it does not "
     "prove that applications cannot"},
};

struct decision primary_choose(const struct verdict_inputs *inputs)
{
    assert(inputs->voters.quorum > 0);
    struct contest contest = contest_of(inputs);
    const struct row *row = rows;
    while (!row->applies(&contest)) {
        row++;
        assert(row < rows + sizeof rows / sizeof *rows);
    }
    return (struct decision){row->winner(&contest), row->rule, row->scenario};
}
