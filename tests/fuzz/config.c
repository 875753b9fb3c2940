/* Any bytes as roster-probe.ini: never crash, never take what a second reading
 * would not; what --check prints of a good file says the same as the file. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/base/text.h"
#include "registry/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct config *load(const void *data, size_t size, char **ret_said)
{
    size_t said_size;
    char path[64];
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    FILE *errors = open_memstream(ret_said, &said_size);
    if (fd < 0 || !errors || fchmod(fd, 0600) != 0 || write(fd, data, size) != (ssize_t)size) {
        abort();
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct config *config = config_load(path, errors);
    fclose(errors);
    close(fd);
    assert(text_is_utf8(*ret_said, strlen(*ret_said)));
    assert(config || (*ret_said)[0]); /* nothing is refused without a word */
    return config;
}

/* Equal but for the secrets, which are not printed. */
static bool say_the_same(struct config *a, struct config *b)
{
    explicit_bzero(a->registry.auth, sizeof a->registry.auth);
    return memcmp(&a->registry, &b->registry, sizeof a->registry) == 0 &&
           memcmp(&a->probe, &b->probe, sizeof a->probe) == 0 &&
           a->cluster_count == b->cluster_count &&
           memcmp(a->clusters, b->clusters, a->cluster_count * sizeof *a->clusters) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *said, *printed = NULL;
    size_t printed_size;
    struct config *config = load(data, size, &said);
    free(said);
    if (config) {
        FILE *to = open_memstream(&printed, &printed_size);
        if (!to) {
            abort();
        }
        config_print(config, to);
        fclose(to);
        struct config *again = load(printed, printed_size, &said);
        assert(again && say_the_same(config, again));
        config_free(again);
        free(said);
        free(printed);
    }
    config_free(config);
    return 0;
}
