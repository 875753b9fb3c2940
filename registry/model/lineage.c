#include "registry/model/lineage.h"

#include <assert.h>
#include <string.h>

static const char *skip_zeros(const char *number)
{
    while (number[0] == '0' && number[1] != '\0') {
        number++;
    }
    return number;
}

/* Numbers of any length: the longer is the greater, then digit by digit. */
static int compare_numbers(const char *a, const char *b)
{
    a = skip_zeros(a);
    b = skip_zeros(b);
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len != b_len) {
        return a_len < b_len ? -1 : 1;
    }
    int order = memcmp(a, b, a_len);
    return (order > 0) - (order < 0);
}

bool lineage_is_total(const char *lineage)
{
    assert(lineage);
    return lineage[0] && !strchr(lineage, ':');
}

int lineage_compare(const char *a, const char *b)
{
    assert(a && b);
    const char *a_colon = strchr(a, ':');
    const char *b_colon = strchr(b, ':');
    if (!a_colon && !b_colon) {
        return compare_numbers(a, b);
    }
    bool one_stamp = a_colon && b_colon && a_colon - a == b_colon - b &&
                     memcmp(a, b, (size_t)(a_colon - a)) == 0;
    return one_stamp ? compare_numbers(a_colon + 1, b_colon + 1) : 0;
}
