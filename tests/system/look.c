/* look HOST:PORT - what a driver sees, one line per look.
 *
 *      look --engine postgresql --user roster --password-file F --repeat 0 127.0.0.1:5432
 *      look=1 ms=4 answer=ok writable=yes replica=no lineage=1 ... longest_call_us=310
 *
 * A poll() loop over one link, as small as it can be: for tests of the drivers
 * and for people who wonder. `longest_call_us` is the longest time for which the
 * driver kept the loop from going on. Names are resolved once, by waiting. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "probes/dns.h"
#include "probes/drivers/driver.h"
#include "registry/base/clock.h"
#include "registry/base/text.h"

struct options {
    struct cluster_settings cluster;
    struct member_config config;
    int64_t timeout_ms;
    int64_t interval_ms;
    int64_t repeat; /* 0: for ever */
    bool fresh;     /* a new connection for every look */
};

static const char *const tls_words[] = {"off", "prefer", "require", "verify", NULL};

static const char usage[] =
    "usage: look [options] HOST:PORT\n"
    "  -e, --engine postgresql|mysql   [postgresql]\n"
    "  -u, --user NAME                 [roster]\n"
    "  -p, --password-file FILE        its first line\n"
    "  -d, --database NAME\n"
    "  -s, --tls off|prefer|require|verify  [off]\n"
    "  -c, --ca FILE\n"
    "  -t, --timeout DURATION          per phase [500ms]\n"
    "  -n, --repeat N                  looks; 0: for ever [1]\n"
    "  -i, --interval DURATION         between looks; a server that speaks unasked is looked at "
    "once [1s]\n"
    "  -D, --discover                  ask what discovery asks, too\n"
    "  -f, --fresh                     a new connection each time\n"
    "  -q, --query SQL                 the operator's statement, as of kind custom\n";

static _Noreturn void refuse(const char *what)
{
    fprintf(stderr, "look: %s\n%s", what, usage);
    exit(2);
}

static void read_password(const char *file, struct cluster_settings *cluster)
{
    FILE *from = fopen(file, "re");
    if (!from || !fgets(cluster->password, sizeof cluster->password, from)) {
        refuse("the password file cannot be read");
    }
    cluster->password[strcspn(cluster->password, "\r\n")] = 0;
    fclose(from);
}

static void set_text(char *to, size_t size, const char *from)
{
    if (!text_copy(to, size, from)) {
        refuse("an argument is too long");
    }
}

static int choice(const char *const *names, const char *name)
{
    for (int i = 0; names[i]; i++) {
        if (text_equal(names[i], name)) {
            return i;
        }
    }
    refuse("no such choice");
}

static void read_option(struct options *options, int option, const char *value)
{
    struct cluster_settings *cluster = &options->cluster;
    bool good = true;
    switch (option) {
    case 'e':
        cluster->policy.engine = (enum engine)choice(engine_names, value);
        break;
    case 'u':
        set_text(cluster->user, sizeof cluster->user, value);
        break;
    case 'p':
        read_password(value, cluster);
        break;
    case 'd':
        set_text(cluster->database, sizeof cluster->database, value);
        break;
    case 's':
        cluster->tls = (enum tls)choice(tls_words, value);
        break;
    case 'c':
        set_text(cluster->tls_ca, sizeof cluster->tls_ca, value);
        break;
    case 't':
        good = text_parse_duration(value, &options->timeout_ms);
        break;
    case 'i':
        good = text_parse_duration(value, &options->interval_ms);
        break;
    case 'n':
        good = text_parse_int(value, 0, INT64_MAX, &options->repeat);
        break;
    case 'q':
        set_text(cluster->query, sizeof cluster->query, value);
        cluster->policy.kind = KIND_CUSTOM;
        break;
    case 'f':
        options->fresh = true;
        break;
    case 'D':
        cluster->discover = true;
        break;
    default:
        refuse("unknown option");
    }
    if (!good) {
        refuse("not a number or duration");
    }
}

static struct options read_options(int argc, char **argv)
{
    static const struct option longs[] = {
        {"engine", 1, NULL, 'e'},   {"user", 1, NULL, 'u'},     {"password-file", 1, NULL, 'p'},
        {"database", 1, NULL, 'd'}, {"tls", 1, NULL, 's'},      {"ca", 1, NULL, 'c'},
        {"timeout", 1, NULL, 't'},  {"repeat", 1, NULL, 'n'},   {"interval", 1, NULL, 'i'},
        {"fresh", 0, NULL, 'f'},    {"discover", 0, NULL, 'D'}, {"query", 1, NULL, 'q'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {
        .timeout_ms = 500, .interval_ms = 1000, .repeat = 1, .cluster.user = "roster"};
    int option;
    while ((option = getopt_long(argc, argv, "e:u:p:d:s:c:t:n:i:fDq:", longs, NULL)) != -1) {
        read_option(&options, option, optarg);
    }
    if (optind + 1 != argc ||
        !text_parse_address(argv[optind], options.config.host, sizeof options.config.host,
                            &options.config.port)) {
        refuse("HOST:PORT is missing or wrong");
    }
    return options;
}

/* The tests' servers listen on IPv4, wherever this machine's localhost points first. */
static bool resolve(const char *host, char ret_address[LITERAL_SIZE])
{
    struct addrinfo *found, hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    int status = getaddrinfo(host, NULL, &hints, &found);
    if (status != 0) {
        return false;
    }
    status = getnameinfo(found->ai_addr, found->ai_addrlen, ret_address, LITERAL_SIZE, NULL, 0,
                         NI_NUMERICHOST);
    freeaddrinfo(found);
    return status == 0;
}

/* ---- one look -------------------------------------------------------------------------------- */

/* Times the driver's calls. */
struct stopwatch {
    int64_t start_ns;
    int64_t longest_ns;
};

static void start(struct stopwatch *watch)
{
    watch->start_ns = clock_mono_ns();
}

static void stop(struct stopwatch *watch)
{
    int64_t took = clock_mono_ns() - watch->start_ns;
    if (took > watch->longest_ns) {
        watch->longest_ns = took;
    }
}

static void wait_for(const struct driver *driver, struct link *link, struct want *want,
                     int64_t deadline_ms, struct stopwatch *watch)
{
    int64_t left = deadline_ms - clock_mono_ms();
    if (want->kind == WANT_BLOCKING) {
        driver->run_blocking(link); /* the daemon does this on a worker thread */
        start(watch);
        driver->resume(link, 0, want);
        stop(watch);
        return;
    }
    if (left <= 0) {
        driver->expire(link);
        want->kind = WANT_NOTHING;
        return;
    }
    struct pollfd fd = {.fd = want->fd, .events = (short)want->events};
    int timeout = want->tick_ms > 0 && want->tick_ms < left ? want->tick_ms : (int)left;
    int ready = poll(&fd, 1, timeout);
    if (ready > 0 || (ready == 0 && want->tick_ms > 0)) {
        start(watch);
        driver->resume(link, ready > 0 ? fd.revents : 0, want);
        stop(watch);
    }
}

static const struct observation *look(const struct driver *driver, struct link *link,
                                      const struct options *options, const char *address,
                                      struct stopwatch *watch)
{
    struct want want;
    start(watch);
    driver->start(link, address, &want);
    stop(watch);
    enum phase phase = want.phase;
    int64_t deadline = clock_mono_ms() + options->timeout_ms;
    while (want.kind != WANT_NOTHING) {
        if (want.phase != phase) {
            phase = want.phase;
            deadline = clock_mono_ms() + options->timeout_ms;
        }
        wait_for(driver, link, &want, deadline, watch);
    }
    return driver->observation(link);
}

static void print_word(const char *key, const char *value)
{
    if (*value) {
        printf(" %s=%s", key, value);
    }
}

/* A list, a line each, with commas between them. */
static void print_lines(const char *key, const char *lines)
{
    for (const char *sign = "="; *lines; sign = ",") {
        int size = (int)strcspn(lines, "\n");
        if (*sign == '=') {
            printf(" %s", key);
        }
        printf("%s%.*s", sign, size, lines);
        lines += size + (lines[size] == '\n');
    }
}

static void print_flag(const char *key, bool value)
{
    printf(" %s=%s", key, value ? "yes" : "no");
}

static void print_number(const char *key, int64_t value)
{
    if (value >= 0) {
        printf(" %s=%" PRId64, key, value);
    }
}

static void print_look(int64_t number, int64_t took_ms, const struct stopwatch *watch,
                       const struct observation *seen)
{
    char upstream[ADDRESS_SIZE] = "";
    if (seen->upstream_host[0]) {
        text_address(upstream, sizeof upstream, seen->upstream_host, seen->upstream_port);
    }
    printf("look=%" PRId64 " ms=%" PRId64 " answer=%s", number, took_ms,
           answer_names[seen->answer]);
    print_flag("writable", seen->writable);
    print_flag("replica", seen->replica);
    print_flag("live", seen->live);
    print_flag("connecting", seen->connecting);
    print_flag("applying", seen->applying);
    print_word("lineage", seen->lineage);
    print_word("identity", seen->identity);
    print_word("self", seen->self_id);
    print_word("version", seen->version);
    print_word("upstream", upstream);
    print_word("upstream_id", seen->upstream_id);
    print_word("stream_name", seen->stream_name);
    print_lines("awaited", seen->awaited);
    print_number("position", seen->position);
    print_number("received", seen->received);
    print_number("lag_ms", seen->lag_ms);
    for (size_t i = 0; i < seen->advertised.count; i++) {
        print_word("named", text_address(upstream, sizeof upstream, seen->advertised.server[i].host,
                                         seen->advertised.server[i].port));
    }
    print_number("lag_bytes", seen->lag_bytes);
    print_number("claim", seen->claim);
    print_number("ready", seen->ready);
    print_flag("archived", seen->archived);
    print_word("missing", seen->missing);
    printf(" longest_call_us=%" PRId64, watch->longest_ns / 1000);
    if (seen->detail[0]) {
        printf(" detail=\"%s\"", seen->detail);
    }
    putchar('\n');
    fflush(stdout);
}

/* Until the next look: the interval, or the server sends something. */
static void rest(const struct driver *driver, const struct link *link, int64_t interval_ms)
{
    struct pollfd fd = {.fd = driver->idle_fd(link), .events = POLLIN};
    poll(&fd, 1, (int)interval_ms);
}

int main(int argc, char **argv)
{
    struct options options = read_options(argc, argv);
    const struct driver *driver =
        options.cluster.policy.engine == ENGINE_POSTGRESQL ? &driver_pg : &driver_mysql;
    char address[LITERAL_SIZE];
    if (!resolve(options.config.host, address)) {
        refuse("the host name is not found");
    }
    struct target target = {.cluster = &options.cluster,
                            .config = &options.config,
                            .application = "look",
                            .timeout_ms = options.timeout_ms};
    struct link *link = driver->open(&target);
    bool well = false;
    for (int64_t i = 1; link && (options.repeat == 0 || i <= options.repeat); i++) {
        struct stopwatch watch = {0};
        int64_t begun = clock_mono_ms();
        const struct observation *seen = look(driver, link, &options, address, &watch);
        print_look(i, clock_mono_ms() - begun, &watch, seen);
        well = seen->answer == ANSWER_OK;
        if (options.fresh) {
            driver->disconnect(link);
        }
        if (i != options.repeat && seen->answer != ANSWER_LOST) {
            rest(driver, link, options.interval_ms);
        }
    }
    driver->close(link);
    return well ? 0 : 1;
}
