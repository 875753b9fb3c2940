#include "registry/verdict/aliases.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

static const char *alias_by_quorum(const struct contender *contender)
{
    if (contender->tally.alias) {
        return contender->tally.alias;
    }
    return contender->before ? contender->before->alias : "";
}

/* Only of another member, which is itself. Where each is said to be the other's, the first by name
 * is itself. */
static const char *valid_alias(const struct verdict_inputs *inputs,
                               const struct contender *contender)
{
    const char *name = alias_by_quorum(contender);
    const struct contender *target = name[0] ? contender_find(inputs, name) : NULL;
    if (!target || target == contender) {
        return "";
    }
    bool first = strcmp(contender->listing->name, name) < 0;
    return alias_by_quorum(target)[0] && first ? "" : name;
}

/* The primary is listed under its server's own name, too: that is the primary. */
static void move_incumbent(struct verdict_inputs *inputs)
{
    const struct contender *incumbent = inputs->incumbent;
    if (!incumbent || !incumbent->alias[0]) {
        return;
    }
    assert(inputs->previous);
    if (inputs->previous != &inputs->renamed) {
        inputs->renamed = *inputs->previous;
        inputs->renamed.epoch++;
        inputs->previous = &inputs->renamed;
    }
    char *name =
        inputs->renamed.primary[0] ? inputs->renamed.primary : inputs->renamed.last_primary;
    strcpy(name, incumbent->alias);
    strcpy(inputs->incumbent_name, incumbent->alias);
    inputs->incumbent = contender_find(inputs, incumbent->alias);
}

void aliases_find(struct verdict_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        struct contender *contender = &inputs->contenders[i];
        contender->alias = valid_alias(inputs, contender);
        if (contender->alias[0]) { /* fences are of servers, which have their own names */
            contender->fenced = false;
            contender->fenced_epoch = 0;
        }
    }
    move_incumbent(inputs);
}

const struct contender *aliases_itself(const struct verdict_inputs *inputs,
                                       const struct contender *contender)
{
    return contender && contender->alias[0] ? contender_find(inputs, contender->alias) : contender;
}
