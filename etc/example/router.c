/* router SERVERS CLUSTER [EVERY_MS [TIMES]] - where would a write go now?
 *
 *     cc router.c $(pkg-config --cflags --libs roster)
 *
 * Prints a line per change, with its way from the first evidence to here, and
 * one whenever a write would go elsewhere than before. */
#include <roster.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void changed(void *context, const struct roster_change *change)
{
    static const char *const actions[] = {
        [ROSTER_KEEP] = "keep", [ROSTER_DROP] = "drop", [ROSTER_DRAIN] = "drain"};
    (void)context;
    printf("change %s\n", change->timeline);
    /* a pool closes, drains or keeps its connections here */
    for (size_t i = 0; i < change->plan_size; i++) {
        const struct roster_step *step = &change->plan[i];
        printf("  %s %s at %s port %d\n", actions[step->action], step->endpoint.name,
               step->endpoint.host, step->endpoint.port);
    }
}

int main(int argc, char **argv)
{
    struct roster *roster;
    struct roster_cluster *cluster;
    struct roster_endpoint to, before = {.port = 0};
    long every_ms = argc > 3 ? atol(argv[3]) : 200, times = argc > 4 ? atol(argv[4]) : -1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc < 3 ||
        roster_open(&(struct roster_options){.servers = argv[1]}, &roster) != ROSTER_OK) {
        fprintf(stderr, "router: %s\n",
                argc < 3 ? "usage: router SERVERS CLUSTER [EVERY_MS [TIMES]]" : roster_error());
        return 2;
    }
    if (roster_subscribe(roster, argv[2], &(struct roster_subscription){.changed = changed},
                         &cluster) != ROSTER_OK) {
        fprintf(stderr, "router: %s\n",
                roster_error()); /* it is followed all the same, unless the name is none */
    }
    for (; cluster && times != 0; times--) {
        enum roster_status status = roster_route(cluster, ROSTER_WRITE, NULL, &to);
        if (status != ROSTER_OK) {
            to = (struct roster_endpoint){.host = "-"};
        }
        if (strcmp(to.host, before.host) != 0 || to.port != before.port) {
            printf("write %s %d %s\n", to.host, to.port,
                   status == ROSTER_OK ? to.name : roster_strerror(status));
            before = to;
        }
        nanosleep(&(struct timespec){every_ms / 1000, every_ms % 1000 * 1000000}, NULL);
    }
    roster_close(roster);
    return cluster ? 0 : 2;
}
