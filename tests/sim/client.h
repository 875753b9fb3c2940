/* The client's side of a connection: what is on its way to it, its watches, and
 * how it finds, loses and finds again a server. store_mem.c makes a struct store of it.
 *
 *   TRYING --> UP <--> DOWN     as the client knows it; the line may be gone before (`deaf`)
 *     ^           \      |
 *     +-- renew -- GONE <+ */
#ifndef ROSTER_TESTS_SIM_CLIENT_H
#define ROSTER_TESTS_SIM_CLIENT_H

#include "tests/sim/ensemble.h"

/* One thing on its way to the client, or there. */
struct queue_item {
    struct store_event event;
    struct request *request; /* whose answer it is; made up ones have none */
    char *path;
    const char **names;
    bool list; /* which watch was used up */
    int64_t zxid;
    struct queue_item *next;
};

/* In order; the end is where the next one is put. */
struct queue {
    struct queue_item *first, **end;
};

struct watch {
    char *path;
    bool list;
    bool fired; /* the news of it is on its way */
    struct watch *next;
};

enum phase { PHASE_IDLE, PHASE_TRYING, PHASE_UP, PHASE_DOWN, PHASE_GONE };

struct client {
    struct store store;
    struct ensemble *ensemble;
    char name[NAME_SIZE];
    int64_t timeout_ms;
    void (*ready)(void *owner);
    void *owner;

    enum phase phase;
    bool cut, deaf, frozen, dead;
    uint64_t connection; /* grows with every one: what belongs to a former one is void */
    struct session *session;
    struct line *line;
    int server;
    int64_t seen_zxid;
    int64_t down_ms;
    int64_t least_ms, most_ms; /* a message's way */
    /* the latest moments at which messages arrive, there and here: they keep their order */
    int64_t sent_ms, received_ms;
    char break_at[PATH_SIZE];
    bool break_carried_out;

    struct request *unanswered, **unanswered_end;
    struct watch *watches;
    struct queue pipe; /* on its way here */
    struct queue queue;
    struct queue_item *delivered; /* what the latest event points to */
    struct client *next;
};

static inline int64_t client_now(const struct client *client)
{
    return client->ensemble->agenda->now_ms;
}

struct queue_item *queue_take(struct queue *queue);
void item_free(struct queue_item *item);

/* This has reached the client. */
void client_take_in(struct client *client, struct queue_item *item);

/* An answer that nobody gave: the outcome is unknown. */
struct queue_item *answer_made_up(uint64_t tag, const char *path);
void client_answer_unknown(struct client *client); /* to all that is unanswered */

void client_drop_watches(struct client *client);

/* The line is gone, whether the client knows or not; its session runs out unless it shows life. */
void client_leave_line(struct client *client);
/* The client knows, and tries again. */
void client_come_down(struct client *client);
void client_try_later(struct client *client, int64_t least_ms, int64_t most_ms);
void client_notice_silence(void *owner, uint64_t connection); /* for the agenda */

#endif
