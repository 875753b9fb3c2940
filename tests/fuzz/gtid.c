/* Any bytes for two sets of transactions, apart by a zero: compared without reading on, and each,
 * if it can be read, contains itself. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "probes/drivers/gtid.h"

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *mine = calloc(len + 1, 1);
    must(mine != NULL);
    memcpy(mine, bytes, len);
    size_t length = strlen(mine);
    const char *theirs = length < len ? mine + length + 1 : "";
    bool readable = gtid_compare(mine, mine) != GTID_UNKNOWN;
    bool both = readable && gtid_compare(theirs, theirs) != GTID_UNKNOWN;
    must(!readable || gtid_compare(mine, mine) == GTID_CONTAINS);
    must((gtid_compare(mine, theirs) != GTID_UNKNOWN) == both);
    must((gtid_compare(theirs, mine) != GTID_UNKNOWN) == both);
    free(mine);
    return 0;
}
