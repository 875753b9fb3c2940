#include "probes/discovery/relation.h"

#include <assert.h>
#include <string.h>

#include "probes/assess/standing.h"
#include "registry/base/host.h"
#include "registry/base/text.h"

/* Galera's nodes may all have the server_id 1; a UUID is one server's. */
static bool is_unique(const struct observation *facts)
{
    return facts->self_id[0] && (facts->group.type != GROUP_GALERA || strchr(facts->self_id, '-'));
}

bool relation_same_server(const struct observation *a, const struct observation *b)
{
    assert(a != b); /* the same facts show nothing */
    return is_unique(a) && is_unique(b) && text_equal(a->self_id, b->self_id) &&
           text_equal(a->identity, b->identity);
}

/* Is a stream from the server with this id, which is at the source's address or is not
 * (`is_there`), a stream from the server that reports `source` of itself? A UUID is proof enough; a
 * server_id, which is 1 at every second server, is not. */
static bool leads_to(bool live, const char *id, const struct observation *source, bool is_there)
{
    if (!live) {
        return false;
    }
    if (!id[0] || !source->self_id[0]) {
        /* PostgreSQL: the identity is proof */
        return is_there && !id[0] && source->identity[0];
    }
    return text_equal(id, source->self_id) && (is_there || strchr(source->self_id, '-'));
}

/* A follower that several feed is no proof for any of them: it may collect from other clusters. */
bool relation_is_followed(const struct assessment *assessment, const char *host, uint16_t port,
                          const struct observation *facts)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        const struct observation *follower = &member->facts;
        bool there = follower->upstream_port == port && host_equal(follower->upstream_host, host);
        if (member->standing == ANSWER_OK && !follower->fed_elsewhere &&
            leads_to(follower->live, follower->upstream_id, facts, there)) {
            return true;
        }
    }
    return false;
}

bool relation_is_follower(const struct assessment *assessment, const struct observation *facts)
{
    for (size_t i = 0; i < assessment->member_count; i++) {
        const struct assessed *member = &assessment->members[i];
        bool there = standing_is_at(member, facts->upstream_host, facts->upstream_port);
        bool follows = leads_to(facts->live, facts->upstream_id, &member->facts, there);
        for (size_t k = 0; !follows && k < facts->channel_count; k++) {
            const struct channel *channel = &facts->channels[k];
            follows = leads_to(channel->live, channel->id, &member->facts,
                               standing_is_at(member, channel->host, channel->port));
        }
        if (member->standing == ANSWER_OK && follows) {
            return true;
        }
    }
    return false;
}
