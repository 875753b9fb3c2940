#include "probes/drivers/observation.h"

#include <assert.h>
#include <string.h>

#include "registry/base/text.h"

void observation_init(struct observation *observation)
{
    *observation = (struct observation){.answer = ANSWER_UNKNOWN,
                                        .position = -1,
                                        .received = -1,
                                        .lag_ms = -1,
                                        .lag_bytes = -1,
                                        .start_ms = -1,
                                        .uptime_ms = -1,
                                        .group.queue = -1,
                                        .claim = -1,
                                        .ready = -1};
}

void observation_fail(struct observation *observation, enum answer answer, const char *detail)
{
    char tamed[DETAIL_SIZE];
    assert(answer != ANSWER_OK);
    text_tame(tamed, sizeof tamed, detail);
    observation_init(observation);
    observation->answer = answer;
    memcpy(observation->detail, tamed, sizeof tamed);
}

void observation_follow(struct observation *observation, size_t i)
{
    assert(i < observation->channel_count && observation->channel_count <= CHANNELS_KEPT);
    const struct channel *chosen = &observation->channels[i];
    observation->live = chosen->live;
    observation->connecting = chosen->connecting;
    observation->applying = chosen->applying;
    observation->unapplied = chosen->unapplied;
    observation->upstream_port = chosen->port;
    strcpy(observation->upstream_host, chosen->host);
    strcpy(observation->upstream_id, chosen->id);
    observation->lag_ms = chosen->lag_ms;
    observation->delay_ms = chosen->delay_ms;
    observation->applied.exact = chosen->exact;
    for (size_t k = 0; k < observation->channel_count; k++) {
        const struct channel *other = &observation->channels[k];
        bool runs = other->live || other->connecting || other->applying;
        observation->fed_elsewhere = observation->fed_elsewhere || (k != i && runs);
    }
}
