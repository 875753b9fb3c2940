/* roster(1): from argv to the exit code. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "registry/base/stdio.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/output.h"

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
    if (!stdio_fill(O_RDONLY)) { /* what cannot be written is told by the exit code */
        return CLI_INTERNAL;
    }
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
