/* roster-probe: one of a liveness that asks database servers what they are. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probes/agent.h"
#include "probes/connect.h"
#include "probes/dns.h"
#include "probes/surroundings.h"
#include "registry/base/log.h"
#include "registry/base/stdio.h"
#include "registry/config/config.h"

static void usage(FILE *to)
{
    fputs(
        "usage: roster-probe --config FILE [--check [--connect] [--user NAME]]\n"
        "       roster-probe --settings | --version | --help\n"
        "\n"
        "  -c, --config FILE  the INI file to run by; see roster-probe.ini(5)\n"
        "      --check        check it, print every effective setting with where it came from, "
        "and exit\n"
        "      --connect      with --check: try names, registry, credentials and servers in place "
        "of printing\n"
        "      --user NAME    with --check by root: look with that user's eyes; else roster's\n"
        "      --settings     print the table of all settings and exit\n"
        "      --version      print the version and exit\n"
        "  -h, --help         print this and exit\n",
        to);
}

enum { OPTION_CHECK = 256, OPTION_CONNECT, OPTION_USER, OPTION_SETTINGS, OPTION_VERSION };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, OPTION_CHECK},
    {"connect", no_argument, NULL, OPTION_CONNECT},
    {"user", required_argument, NULL, OPTION_USER},
    {"settings", no_argument, NULL, OPTION_SETTINGS},
    {"version", no_argument, NULL, OPTION_VERSION},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* For every encrypted connection OpenSSL would load all of the system's authorities, which takes
 * tens of milliseconds. Servers are verified by the file that the settings name, and not at all
 * without one. */
static void spare_authorities(void)
{
    setenv("SSL_CERT_FILE", "/dev/null", 1);
    setenv("SSL_CERT_DIR", "/nonexistent", 1);
}

/* Names that nobody answers for keep worker threads (dns.h), on which log-ins are computed, too. */
static void widen_workers(void)
{
    char number[8];
    snprintf(number, sizeof number, "%d", DNS_WORKERS);
    setenv("UV_THREADPOOL_SIZE", number, 0);
}

/* Root reads everything; the probe will not. False, and a sentence: there is no such user. */
static bool become(const char *name)
{
    static const char usual[] = "roster"; /* that of etc/roster-probe.service */
    const struct passwd *user = getpwnam(name ? name : usual);
    if (geteuid() != 0) {
        return true;
    }
    if (!user && !name) {
        fprintf(stderr,
                "roster-probe: checked as root, for there is no user %s: --user NAME checks what "
                "that one can read\n",
                usual);
        return true;
    }
    if (!user || initgroups(user->pw_name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
        setuid(user->pw_uid) != 0) {
        fprintf(stderr, "roster-probe: --user %s: %s\n", name ? name : usual,
                user ? strerror(errno) : "there is no such user");
        return false;
    }
    return true;
}

static int check(const char *file, bool connects, const char *user)
{
    struct config *config = become(user) ? config_load(file, stderr) : NULL;
    if (!config) {
        return 2;
    }
    bool good = true;
    if (connects) {
        spare_authorities();
        signal(SIGPIPE, SIG_IGN);
        good = connect_all(config);
    } else {
        config_print(config, stdout);
    }
    config_free(config);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* What was asked for. */
struct order {
    const char *file, *user;
    bool check, connects;
};

/* -1: go on; else the exit code. */
static int read_options(int argc, char **argv, struct order *order)
{
    int c;
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            order->file = optarg;
            break;
        case OPTION_CHECK:
            order->check = true;
            break;
        case OPTION_CONNECT:
            order->connects = true;
            break;
        case OPTION_USER:
            order->user = optarg;
            break;
        case OPTION_SETTINGS:
            config_print_settings(stdout);
            return EXIT_SUCCESS;
        case OPTION_VERSION:
            puts("roster-probe " ROSTER_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return 2;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (!stdio_fill(O_RDWR)) {
        return EXIT_FAILURE;
    }
    struct order order = {0};
    surroundings_forget();
    widen_workers();
    int code = read_options(argc, argv, &order);
    if (code >= 0) {
        return code;
    }
    const char *wrong = !order.file ? "--config FILE is required"
                        : !order.check && (order.connects || order.user)
                            ? "--connect and --user go with --check"
                        : optind < argc ? "unexpected argument: "
                                        : NULL;
    if (wrong) {
        fprintf(stderr, "roster-probe: %s%s\n", wrong,
                order.file && optind < argc ? argv[optind] : "");
        usage(stderr);
        return 2;
    }
    if (order.check) {
        return check(order.file, order.connects, order.user);
    }
    struct config *config = config_load(order.file, stderr);
    if (!config) {
        return 2;
    }
    log_set_level((enum log_level)config->probe.log_level);
    spare_authorities();
    return agent_run(config, order.file);
}
