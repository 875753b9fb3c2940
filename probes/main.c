/* roster-probe: one of a liveness that asks database servers what they are. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "probes/agent.h"
#include "registry/base/log.h"
#include "registry/config/config.h"

static void usage(FILE *to)
{
    fputs("usage: roster-probe --config FILE [--check]\n"
          "       roster-probe --settings | --version | --help\n"
          "\n"
          "  -c, --config FILE  the INI file to run by; see roster-probe.ini(5)\n"
          "      --check        check it, print every effective setting with where it came from, "
          "and exit\n"
          "      --settings     print the table of all settings and exit\n"
          "      --version      print the version and exit\n"
          "  -h, --help         print this and exit\n",
          to);
}

enum { OPTION_CHECK = 256, OPTION_SETTINGS, OPTION_VERSION };

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, OPTION_CHECK},
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

int main(int argc, char **argv)
{
    const char *file = NULL;
    int check = 0;
    int c;
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c':
            file = optarg;
            break;
        case OPTION_CHECK:
            check = 1;
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
    if (!file || optind < argc) {
        fprintf(stderr, "roster-probe: %s%s\n",
                file ? "unexpected argument: " : "--config FILE is required",
                file ? argv[optind] : "");
        usage(stderr);
        return 2;
    }
    struct config *config = config_load(file, stderr);
    if (!config) {
        return 2;
    }
    if (check) {
        config_print(config, stdout);
        config_free(config);
        return EXIT_SUCCESS;
    }
    log_set_level((enum log_level)config->probe.log_level);
    spare_authorities();
    return agent_run(config, file);
}
