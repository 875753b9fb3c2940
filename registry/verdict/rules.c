#include "registry/verdict/rules.h"

#include <assert.h>

#include "registry/base/text.h"

static bool is_win(enum rule rule)
{
    return rule == RULE_SOLE_CLAIMANT || rule == RULE_NEWEST_LINEAGE || rule == RULE_PREFERRED ||
           rule == RULE_MOST_REPLICAS || rule == RULE_ACCEPTED;
}

bool rule_stays(enum rule before, enum rule now, bool same_state)
{
    assert(before <= RULE_LAST);
    assert(now > RULE_FOREIGN && now <= RULE_LAST);
    /* a promotion that won against the old primary is not "sole claimant" once that one is gone */
    if (is_win(before) && is_win(now)) {
        return true;
    }
    /* withdrawn as refused, and now it times out: why it was withdrawn did not change. But a hold
     * shows while it lasts, and no longer. */
    return same_state && before != RULE_HELD && now != RULE_HELD;
}

static const char *const answers[] = {
    [ANSWER_UNKNOWN] = "has not been seen",
    [ANSWER_OK] = "answers",
    [ANSWER_REFUSED] = "refuses connections",
    [ANSWER_TIMEOUT] = "does not answer in time",
    [ANSWER_UNREACHABLE] = "cannot be reached",
    [ANSWER_NAME] = "has a name that is not found",
    [ANSWER_AUTH] = "refuses the probes' account",
    [ANSWER_SATURATED] = "has no connection to spare",
    [ANSWER_STARTING] = "is starting up",
    [ANSWER_STOPPING] = "is shutting down",
    [ANSWER_OFFLINE] = "is in offline mode",
    [ANSWER_STALLED] = "accepts connections but does not answer",
    [ANSWER_PRIVILEGE] = "does not let the probes see enough",
    [ANSWER_TLS] = "cannot be reached with the encryption asked for",
    [ANSWER_PROTOCOL] = "answers with something else than was asked",
    [ANSWER_LOST] = "lost its connection",
    [ANSWER_STRANGER] = "belongs to another cluster",
    [ANSWER_RIVAL] = "claims to be primary too",
};

static const char *const conditions[] = {
    [CONDITION_FIT] = "is fit",
    [CONDITION_PAUSED] = "is told not to apply",
    [CONDITION_RECOVERING] = "is recovering",
    [CONDITION_DONOR] = "feeds another member, or is out of step by order",
    [CONDITION_REJECTING] = "rejects statements by order",
    [CONDITION_UNREADY] = "is not ready",
    [CONDITION_MINORITY] = "sees no majority of its group",
    [CONDITION_LEFT] = "is no member of its group",
    [CONDITION_ERROR] = "was thrown out of its group",
};

static const char *answer_of(const struct member *member)
{
    return member ? answers[member->reason] : "is gone";
}

static void put_primary(struct text *text, const struct topology *topology, int readers)
{
    text_put(text, "%s is primary", topology->primary);
    if (topology->lineage[0]) {
        text_put(text, " %s %s", lineage_is_total(topology->lineage) ? "on timeline" : "in view",
                 topology->lineage);
    }
    text_put(text, ", read by %d of %d witnesses", readers, topology->policy.witnesses);
}

/* Why the last primary is one no longer: the text before its name and behind it. In the past tense:
 * the rule stays while the withdrawal does, and what is so now is said of the member below. */
static void put_withdrawal(struct text *text, const struct topology *topology)
{
    static const struct {
        const char *before, *behind;
    } reasons[] = {
        [RULE_NOT_WRITABLE] = {"", " said itself that it takes no writes"},
        [RULE_MINORITY] = {"", " saw no majority of its group"},
        [RULE_REFUSED] = {"", " refused connections and no member streamed from it"},
        [RULE_OUTDATED] = {"", " was older than what was seen on another member"},
        [RULE_REWOUND] = {"", " was on an older timeline than before"},
        [RULE_STRANGER] = {"another cluster answered at the address of ", ""},
    };
    assert(topology->rule < sizeof reasons / sizeof *reasons && reasons[topology->rule].before);
    text_put(text, "no primary: %s%s%s", reasons[topology->rule].before, topology->last_primary,
             reasons[topology->rule].behind);
}

/* A verdict of a newer version, by a rule that this one does not know. */
static void put_foreign(struct text *text, const struct topology *topology, int readers)
{
    if (topology_member(topology, topology->primary)) {
        put_primary(text, topology, readers);
    } else {
        text_put(text, "no primary");
    }
    text_put(text, ", by the rule %s", topology->foreign_rule);
}

static bool any_claims(const struct topology *topology)
{
    bool any = false;
    for (size_t i = 0; i < topology->member_count; i++) {
        any = any || topology->members[i].claims;
    }
    return any;
}

static void put_decision(struct text *text, const struct topology *topology, int readers)
{
    const struct member *primary = topology_member(topology, topology->primary);
    const char *last = topology->last_primary;
    const struct member *former = topology_member(topology, last);
    switch (topology->rule) {
    case RULE_SOLE_CLAIMANT:
    case RULE_NEWEST_LINEAGE:
        put_primary(text, topology, readers);
        break;
    case RULE_PREFERRED:
        put_primary(text, topology, readers);
        text_put(text, topology->policy.writers == WRITERS_ALL
                           ? ", the preferred one of those that write"
                           : ", the one to write to of those that could");
        break;
    case RULE_MOST_REPLICAS:
        put_primary(text, topology, readers);
        text_put(text, ", chosen because most others follow it");
        break;
    case RULE_ACCEPTED:
        put_primary(text, topology, readers);
        text_put(text, ", accepted by the operator");
        break;
    case RULE_INCUMBENT:
        put_primary(text, topology, readers);
        text_put(text, ", and holds because none that claims is newer");
        break;
    case RULE_HELD:
        text_put(text, "%s is held as primary by the operator (read as such by %d of %d witnesses)",
                 topology->primary, readers, topology->policy.witnesses);
        if (primary && primary->unlisted) {
            text_put(text, ", and is in no probe's file");
        }
        break;
    case RULE_KEPT:
        text_put(text, "%s stays primary although it %s: nothing speaks against it",
                 topology->primary,
                 primary && primary->unlisted              ? "is in no probe's file"
                 : primary && primary->reason == ANSWER_OK ? "is not read as such by a quorum"
                                                           : answer_of(primary));
        break;
    case RULE_NOT_WRITABLE:
    case RULE_MINORITY:
    case RULE_REFUSED:
    case RULE_OUTDATED:
    case RULE_REWOUND:
    case RULE_STRANGER:
        put_withdrawal(text, topology);
        break;
    case RULE_UNPROMOTED:
        text_put(text, "no primary: none that claims was seen to be promoted");
        if (former) {
            text_put(text, " (%s was the last)", last);
        }
        break;
    case RULE_TIE:
        text_put(text, "no primary: several members claim, none is newer than the others");
        break;
    case RULE_FOREIGN:
        put_foreign(text, topology, readers);
        break;
    case RULE_NO_CLAIM:
        text_put(text, any_claims(topology) ? "no primary: none that claims to be one may be it"
                                            : "no primary: no member claims to be one");
        if (former) {
            text_put(text, " (%s was the last)", last);
        }
    }
}

/* Behind "M claims to be primary too", which is not followed. */
static const char *const bars[] = {
    [BAR_NONE] = "",
    [BAR_IDENTITY] = ", but its cluster is not known",
    [BAR_FENCED] = ", fenced: it was replaced and has not followed since",
    [BAR_DRAINED] = ", but is drained",
    [BAR_OLDER] = ", but its lineage is not newer",
    [BAR_NOT_PROMOTED] = ", but was not seen to be promoted",
    [BAR_UNAPPLIED] = ", but has received transactions that it has not applied",
    [BAR_LACKS] = ", but lacks transactions of the primary",
    [BAR_HELD] = ", beside a primary that took writes",
    [BAR_TIE] = ", and another is as good",
};

/* With no primary, what ends that. */
static void put_way_out(struct text *text, const struct topology *topology,
                        const struct member *member)
{
    if (topology->primary[0] || member->bar == BAR_IDENTITY) {
        return;
    }
    if (member->bar == BAR_UNAPPLIED) {
        text_put(text, " (they are applied by START REPLICA SQL_THREAD)");
    }
    text_put(text, ": roster %s %s %s", member->drained ? "undrain" : "accept", topology->cluster,
             member->config.name);
}

static void put_member(struct text *text, const struct topology *topology,
                       const struct member *member)
{
    const char *name = member->config.name;
    if (member->alias[0]) {
        text_put(text, "; %s is the server %s by another name", name, member->alias);
    } else if (member->claims) {
        text_put(text, "; %s claims to be primary too%s", name, bars[member->bar]);
        put_way_out(text, topology, member);
    } else if (member->reason != ANSWER_OK && !text_equal(name, topology->primary)) {
        text_put(text, "; %s %s", name, answers[member->reason]);
    } else if (member->condition != CONDITION_FIT) {
        text_put(text, "; %s %s", name, conditions[member->condition]);
    }
    if (member->closed_by[0]) {
        text_put(text, "; %s takes no writes: %s", name, member->closed_by);
    }
}

void rule_explain(const struct topology *topology, int readers, char *to, size_t size)
{
    struct text text;
    assert(topology->rule <= RULE_LAST);
    assert(readers >= 0 && readers <= WITNESSES_MAX);
    text_init(&text, to, size);
    put_decision(&text, topology, readers);
    for (size_t i = 0; i < topology->member_count; i++) {
        const struct member *member = &topology->members[i];
        if (!text_equal(member->config.name, topology->primary)) {
            put_member(&text, topology, member);
        }
    }
}
