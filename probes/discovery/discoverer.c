#include "probes/discovery/discoverer.h"

#include <string.h>

#include "registry/base/clock.h"
#include "registry/base/log.h"
#include "registry/base/text.h"

static void tell(void *owner, enum discovery_event tidings, const struct candidate *found,
                 const char *why)
{
    const struct search *search = owner;
    char address[ADDRESS_SIZE], name[NAME_SIZE];
    text_address(address, sizeof address, found->host, found->port);
    discovery_name(found, name);
    switch (tidings) {
    case DISCOVERY_NAMED:
        log_line(LOG_NOTICE, search->cluster, "discovery: %s is named by %s: to be verified",
                 address, why);
        break;
    case DISCOVERY_VERIFIED:
        log_line(LOG_NOTICE, search->cluster, "discovery: %s is verified: member %s", address,
                 name);
        break;
    case DISCOVERY_REFUSED:
        log_line(LOG_NOTICE, search->cluster, "discovery: %s is refused: %s",
                 found->port ? address : found->host, why);
        break;
    case DISCOVERY_FORGOTTEN:
        log_line(LOG_NOTICE, search->cluster,
                 "discovery: member %s is forgotten: it is silent, and nobody names it", name);
        break;
    }
}

void search_init(struct search *search, const struct cluster_settings *configured, void *owner,
                 void (*outcome)(void *owner, const struct member_config *config,
                                 const struct observation *observation, const char *address))
{
    memset(search, 0, sizeof *search);
    strcpy(search->cluster, configured->name);
    search->began_ms = clock_mono_ms();
    search->owner = owner;
    search->outcome = outcome;
    search->discovery.owner = search;
    search->discovery.on_event = tell;
    discovery_reload(&search->discovery, configured);
}

void search_stop(struct search *search)
{
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        look_close(search->trials[i].look);
        search->trials[i].look = NULL;
    }
}

void search_reload(struct search *search, const struct cluster_settings *configured)
{
    search_stop(search);
    discovery_reload(&search->discovery, configured);
}

void search_recall(struct search *search, const struct topology *topology, int64_t now_ms)
{
    for (size_t i = 0; !search->recalled && topology && i < topology->member_count; i++) {
        discovery_restore(&search->discovery, &topology->members[i].config, now_ms);
    }
    search->recalled = true;
}

bool search_is_settled(struct search *search, int64_t now_ms)
{
    bool tried = search->recalled && discovery_is_settled(&search->discovery);
    search->settled =
        search->settled || !search->discovery.on || tried || now_ms - search->began_ms > SETTLE_MS;
    return search->settled;
}

/* ---- trials ---------------------------------------------------------------------------------- */

static void trial_ended(void *owner, const char *member, const struct observation *observation,
                        const char *address)
{
    struct trial *trial = owner;
    struct search *search = trial->search;
    struct member_config config = trial->config;
    (void)member;
    look_close(trial->look);
    trial->look = NULL;
    search->outcome(search->owner, &config, observation, address);
}

static void ignore_alarm(void *owner, const char *member, const char *why)
{
    (void)owner;
    (void)member;
    (void)why;
}

static bool begin(struct search *search, struct trial *trial, const struct candidate *found,
                  const struct look_settings *like)
{
    struct look_settings settings = *like;
    trial->search = search;
    trial->config = (struct member_config){.port = found->port, .weight = 100};
    discovery_name(found, trial->config.name);
    text_copy(trial->config.host, sizeof trial->config.host, found->host);
    settings.config = &trial->config;
    settings.owner = trial;
    settings.outcome = trial_ended;
    settings.alarm = ignore_alarm;
    trial->look = look_new(&settings);
    return trial->look != NULL;
}

void search_step(struct search *search, const struct look_settings *like,
                 const struct assessment *assessment, int64_t now_ms)
{
    for (size_t i = 0; i < TRIALS_MAX; i++) {
        struct trial *trial = &search->trials[i];
        const struct candidate *found =
            trial->look ? NULL : discovery_next(&search->discovery, assessment, now_ms);
        if (found && !begin(search, trial, found, like)) {
            struct observation nothing = {.answer = ANSWER_UNKNOWN,
                                          .detail = "no memory for a look"};
            discovery_verify(&search->discovery, trial->config.host, trial->config.port, &nothing,
                             assessment, "", now_ms);
        }
    }
}
