/* roster(1): from argv to the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"

/* A closed standard descriptor would be given to the next socket, which would then be written to.
 */
static void keep_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) != fd) {
            _exit(CLI_INTERNAL);
        }
    }
}

/* A result counts only when it was written. A reader that closed the pipe has what it wanted. */
static int finish(int code)
{
    if (output_flush() || output_error() == EPIPE) {
        return code;
    }
    return code ? code
                : fail(CLI_INTERNAL, "cannot write to standard output: %s",
                       strerror(output_error()));
}

int main(int argc, char **argv)
{
    keep_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    output_init();
    struct args args;
    int code = options_parse(argc, argv, &args);
    if (code != CLI_DONE) {
        return code;
    }
    if (has_option(&args, OPTION_HELP)) {
        options_help(args.verb);
        return finish(CLI_DONE);
    }
    if (has_option(&args, OPTION_VERSION)) {
        return finish(verb_find("version")->run(&args));
    }
    return finish(args.verb->run(&args));
}
