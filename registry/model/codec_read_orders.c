/* The operator's orders, read: the part of codec.h about directives, whose writer may be a hand.
 *
 * Rows in any order are sorted; a row that stands twice in the same words is one. What contradicts
 * itself is refused by name. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "registry/model/json.h"

enum { EPOCH_TEXT_MAX = 20 };

/* Rows begin with a name. */
static int compare_rows(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* By name, as they are written. */
static void sort_rows(const struct json_value *place, void *rows, size_t count, size_t stride)
{
    const char *row = rows;
    for (size_t i = 1; i < count; i++) {
        bool in_order = strcmp(row + (i - 1) * stride, row + i * stride) < 0;
        place->error->mended = place->error->mended || !in_order;
    }
    qsort(rows, count, stride, compare_rows);
}

static bool get_drain(const struct json_value *root, struct directives *directives)
{
    struct json_value drain;
    if (!json_get_list(root, "drain", OPTIONAL, MEMBERS_MAX, &drain)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&drain); i++) {
        struct json_value at = json_element(&drain, i);
        char name[NAME_SIZE];
        if (!json_value_name(&at, name)) {
            return false;
        }
        if (!json_is_repeated(&drain, i)) {
            strcpy(directives->drain[directives->drain_count++], name);
        }
    }
    sort_rows(&drain, directives->drain, directives->drain_count, sizeof *directives->drain);
    return true;
}

static bool get_weights(const struct json_value *root, struct directives *directives)
{
    struct json_value weights, at;
    if (!json_get_object(root, "weight", OPTIONAL, MEMBERS_MAX, &weights)) {
        return false;
    }
    for (void *iter = json_first(&weights, &at); iter; iter = json_next(&weights, iter, &at)) {
        int64_t weight = 0;
        if (!text_is_name(at.key)) {
            return json_refuse(&at, "is not a member's name");
        }
        if (!json_value_number(&at, 0, WEIGHT_MAX, &weight)) {
            return false;
        }
        struct override *override = &directives->weight[directives->weight_count++];
        strcpy(override->name, at.key);
        override->weight = (uint16_t)weight;
    }
    sort_rows(&weights, directives->weight, directives->weight_count, sizeof *directives->weight);
    return true;
}

/* "pg-1@7" */
static bool to_acceptance(const struct json_value *value, struct acceptance *ret_acceptance)
{
    char entry[NAME_SIZE + EPOCH_TEXT_MAX + 1];
    if (!json_value_text(value, entry, sizeof entry)) {
        return false;
    }
    char *at = strchr(entry, '@');
    int64_t epoch = 0;
    if (at) {
        *at = '\0';
    }
    if (!at || !text_is_name(entry) || !text_parse_int(at + 1, 0, JSON_EXACT_MAX, &epoch)) {
        return json_refuse(value, "is not of the form MEMBER@EPOCH");
    }
    strcpy(ret_acceptance->name, entry);
    ret_acceptance->epoch = epoch;
    return true;
}

static struct acceptance *find_acceptance(struct directives *directives, const char *name)
{
    for (size_t i = 0; i < directives->accept_count; i++) {
        if (text_equal(directives->accept[i].name, name)) {
            return &directives->accept[i];
        }
    }
    return NULL;
}

/* Two of one member do not contradict each other: the later epoch includes the earlier one. */
static bool get_acceptances(const struct json_value *root, struct directives *directives)
{
    struct json_value accept;
    if (!json_get_list(root, "accept", OPTIONAL, MEMBERS_MAX, &accept)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&accept); i++) {
        struct json_value at = json_element(&accept, i);
        struct acceptance acceptance = {.name = ""};
        if (!to_acceptance(&at, &acceptance)) {
            return false;
        }
        struct acceptance *before = find_acceptance(directives, acceptance.name);
        accept.error->mended = accept.error->mended || before;
        if (!before) {
            before = &directives->accept[directives->accept_count++];
            strcpy(before->name, acceptance.name);
        }
        before->epoch = acceptance.epoch > before->epoch ? acceptance.epoch : before->epoch;
    }
    sort_rows(&accept, directives->accept, directives->accept_count, sizeof *directives->accept);
    return true;
}

/* Which of the acceptances replace; one that is not among them counts for nothing. */
static bool get_replacements(const struct json_value *root, struct directives *directives)
{
    struct json_value replace;
    if (!json_get_list(root, "replace", OPTIONAL, MEMBERS_MAX, &replace)) {
        return false;
    }
    for (size_t i = 0; i < json_count(&replace); i++) {
        struct json_value at = json_element(&replace, i);
        struct acceptance named = {.name = ""};
        if (!to_acceptance(&at, &named)) {
            return false;
        }
        struct acceptance *acceptance = find_acceptance(directives, named.name);
        if (acceptance && acceptance->epoch == named.epoch) {
            acceptance->replace = true;
        }
    }
    return true;
}

static bool read_directives(const struct json_value *root, void *record)
{
    struct directives *directives = record;
    return get_drain(root, directives) && get_weights(root, directives) &&
           json_get_name(root, "hold", OPTIONAL, directives->hold) &&
           get_acceptances(root, directives) && get_replacements(root, directives);
}

bool directives_decode(const char *data, size_t len, struct directives *ret_directives,
                       struct codec_error *error)
{
    return json_read(data, len, read_directives, ret_directives, sizeof *ret_directives, error);
}
