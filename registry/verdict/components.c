#include "registry/verdict/components.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

static bool applies(const struct verdict_inputs *inputs)
{
    return kind_traits_of(inputs->voters.policy.kind)->stale_after_minority;
}

static const struct record *record_before(const struct contender *contender)
{
    static const struct record nothing = {0};
    return contender->before ? &contender->before->record : &nothing;
}

/* ---- what proves it -------------------------------------------------------------------------- */

/* A host that was suspended, and whose clock stood still, seems to have started a little later. */
static bool was_restarted(const struct contender *contender)
{
    const struct member_report *facts = contender->tally.facts;
    return facts && facts->start_ms > record_before(contender)->start_ms + 2 * START_SLACK_MS;
}

static bool is_outside(const struct contender *contender)
{
    const enum condition *condition = contender->tally.condition;
    return condition && (*condition == CONDITION_MINORITY || *condition == CONDITION_LEFT);
}

bool component_is_renewed(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const struct record *before = record_before(contender);
    return applies(inputs) && before->start_ms > 0 &&
           (!before->lineage[0] || was_restarted(contender));
}

bool component_outlives_fence(const struct verdict_inputs *inputs,
                              const struct contender *contender)
{
    const struct contender *incumbent = inputs->incumbent;
    if (!applies(inputs) || !inputs->previous || (incumbent && incumbent->tally.claim)) {
        return false;
    }
    return component_is_renewed(inputs, contender) ||
           lineage_compare(contender_lineage(contender), inputs->previous->lineage) > 0;
}

bool component_is_left(const struct contender *contender)
{
    assert(contender);
    return (contender->record.acts & ACT_LEFT) != 0;
}

/* ---- before the decision --------------------------------------------------------------------- */

/* It claims the primary's configuration, and another one than it claimed before. */
static bool has_joined(const struct verdict_inputs *inputs, const struct contender *contender)
{
    const char *lineage = contender_lineage(contender);
    return lineage[0] && text_equal(lineage, inputs->previous->lineage) &&
           !text_equal(lineage, record_before(contender)->lineage);
}

void components_observe(struct verdict_inputs *inputs)
{
    for (size_t i = 0; applies(inputs) && inputs->previous && i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        if (is_outside(contender) || component_is_renewed(inputs, contender) ||
            has_joined(inputs, contender)) {
            contender->record.acts &= ~(unsigned)ACT_LEFT;
        }
    }
}

/* ---- after the decision ---------------------------------------------------------------------- */

/* The primary is in a component that was formed since, and whose number is none that the former one
 * would have come to. */
static bool began_anew(const struct verdict_inputs *inputs, const struct contender *primary)
{
    const struct topology *previous = inputs->previous;
    return previous && previous->lineage[0] && primary->tally.claim &&
           component_is_renewed(inputs, primary) &&
           lineage_compare(contender_lineage(primary), previous->lineage) <= 0;
}

/* While the group is lost, or the member is fenced and the primary silent, its record stays what it
 * was when that began. */
static bool may_be_recorded(const struct topology *out, const struct member *member,
                            const struct contender *primary)
{
    bool lost = !out->primary[0] && out->rule == RULE_MINORITY;
    bool fenced = member->fenced && !(primary && primary->tally.claim);
    return !lost && !fenced && !(member->record.acts & ACT_LEFT);
}

static void record_claim(const struct contender *contender, struct record *record)
{
    const struct member_report *facts = contender->tally.facts;
    bool same = record->start_ms > 0 && !was_restarted(contender);
    record->start_ms = same ? record->start_ms : facts->start_ms;
    strcpy(record->lineage, is_outside(contender) ? "" : contender_lineage(contender));
}

void components_close(const struct verdict_inputs *inputs, struct topology *out)
{
    const struct contender *primary = contender_find(inputs, out->primary);
    bool anew = applies(inputs) && primary && began_anew(inputs, primary);
    for (size_t i = 0; applies(inputs) && i < inputs->count; i++) {
        const struct contender *contender = &inputs->contenders[i];
        struct member *member = &out->members[i];
        if (contender == primary) {
            member->record.acts &= ~(unsigned)ACT_LEFT;
        } else if (anew && member->record.start_ms > 0 && member->record.lineage[0] &&
                   !component_is_renewed(inputs, contender)) {
            member->record.acts |= ACT_LEFT;
        }
        bool seen = contender->tally.facts && (is_outside(contender) || contender->tally.claim);
        if (seen && (is_outside(contender) || may_be_recorded(out, member, primary))) {
            record_claim(contender, &member->record);
        }
    }
}
