#include "probes/discovery/discoverer.h"

#include <assert.h>

#include "registry/base/text.h"

void discoverer_init(struct discoverer *discoverer, const struct cluster_settings *configured,
                     int64_t now_ms, void *owner,
                     void (*on_event)(void *owner, enum discovery_event event,
                                      const struct candidate *candidate, const char *why))
{
    *discoverer = (struct discoverer){
        .began_ms = now_ms, .discovery.owner = owner, .discovery.on_event = on_event};
    discovery_reload(&discoverer->discovery, configured);
}

void discoverer_restore(struct discoverer *discoverer, const struct topology *topology,
                        int64_t now_ms)
{
    for (size_t i = 0; !discoverer->restored && topology && i < topology->member_count; i++) {
        discovery_restore(&discoverer->discovery, &topology->members[i].config, now_ms);
    }
    discoverer->restored = true;
}

bool discoverer_is_settled(struct discoverer *discoverer, int64_t now_ms)
{
    bool tried = discoverer->restored && discovery_is_settled(&discoverer->discovery);
    discoverer->settled = discoverer->settled || !discoverer->discovery.on || tried ||
                          now_ms - discoverer->began_ms > SETTLE_MS;
    return discoverer->settled;
}

bool discoverer_next(struct discoverer *discoverer, const struct assessment *assessment,
                     int64_t now_ms, struct member_config *ret_config)
{
    const struct candidate *candidate = discovery_next(&discoverer->discovery, assessment, now_ms);
    if (!candidate) {
        return false;
    }
    assert(candidate->port != 0); /* an address without one is never waited for */
    *ret_config = (struct member_config){.port = candidate->port, .weight = 100};
    discovery_name(candidate, ret_config->name);
    text_copy(ret_config->host, sizeof ret_config->host, candidate->host);
    return true;
}
