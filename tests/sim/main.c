/* sim: the whole system in virtual time.
 *
 *     sim                             all stories, then as many seeds as fit in some seconds
 *     sim --stories                   all stories
 *     sim --story NAME [--loud]       one story
 *     sim --seeds N [--from K] [--loud]
 *
 * A line per story and one for the seeds: "ok NAME" or "not ok NAME REASON"; exits 0 when all are
 * ok. --loud prints everything that happens, with its time. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "registry/base/text.h"
#include "tests/sim/seeds.h"
#include "tests/sim/stories.h"

enum { BUDGET_MS = 20000 };

struct arguments {
    const char *story;
    int64_t seeds, from; /* seeds -1: not asked for */
    bool stories;        /* no seeds after them */
    bool loud;
};

static bool read_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    *ret_arguments = (struct arguments){.seeds = -1, .from = 1};
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (text_equal(argv[i], "--loud")) {
            ret_arguments->loud = true;
        } else if (text_equal(argv[i], "--stories")) {
            ret_arguments->stories = true;
        } else if (text_equal(argv[i], "--story") && value[0]) {
            ret_arguments->story = argv[++i];
        } else if (text_equal(argv[i], "--seeds") &&
                   text_parse_int(value, 1, INT64_MAX / 2, &ret_arguments->seeds)) {
            i++;
        } else if (text_equal(argv[i], "--from") &&
                   text_parse_int(value, 0, INT64_MAX / 2, &ret_arguments->from)) {
            i++;
        } else {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!read_arguments(argc, argv, &arguments)) {
        fprintf(stderr, "usage: %s [--stories] [--story NAME] [--seeds N] [--from K] [--loud]\n",
                argv[0]);
        return 2;
    }
    struct seeds_settings seeds = {.from = (uint64_t)arguments.from,
                                   .count = UINT64_MAX,
                                   .budget_ms = BUDGET_MS,
                                   .loud = arguments.loud,
                                   .program = argv[0]};
    if (arguments.seeds >= 0) {
        seeds.count = (uint64_t)arguments.seeds;
        seeds.budget_ms = 0;
        return seeds_run(&seeds) != 0;
    }
    int failed = stories_play(arguments.story, arguments.loud);
    if (failed < 0) {
        fprintf(stderr, "there is no story called %s\n", arguments.story);
        return 2;
    }
    if (!arguments.story && !arguments.stories) {
        failed += seeds_run(&seeds);
    }
    return failed != 0;
}
