/* roster accept --registry OLD-ID: take a restored or rebuilt registry for the old one.
 *
 * Routers and probes refuse a registry whose identity is another than the one
 * they knew, or the same with a history that went back. This gives the registry
 * a new identity that names OLD-ID, and the one it had, as superseded:
 * all who knew either follow from now on. The old order of writes means nothing
 * under the new identity, which is why even a restored one needs another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/entropy.h"
#include "registry/base/random.h"
#include "registry/base/text.h"
#include "registry/model/codec.h"
#include "watchers/cli/cli.h"
#include "watchers/cli/client.h"
#include "watchers/cli/output.h"

enum {
    SUPERSEDES_MAX =
        sizeof((struct registry_id *)0)->supersedes / sizeof *((struct registry_id *)0)->supersedes,
    ATTEMPTS = 10
};

static bool names(const struct registry_id *registry_id, const char *identity)
{
    for (size_t i = 0; i < registry_id->supersedes_count; i++) {
        if (text_equal(registry_id->supersedes[i], identity)) {
            return true;
        }
    }
    return false;
}

/* The latest at the end; the oldest gives way. */
static void supersede(struct registry_id *registry_id, const char *identity)
{
    if (!identity[0] || names(registry_id, identity)) {
        return;
    }
    if (registry_id->supersedes_count == SUPERSEDES_MAX) {
        memmove(registry_id->supersedes[0], registry_id->supersedes[1],
                sizeof registry_id->supersedes - sizeof registry_id->supersedes[0]);
        registry_id->supersedes_count--;
    }
    text_copy(registry_id->supersedes[registry_id->supersedes_count++], IDENTITY_SIZE, identity);
}

static int read_registry_id(const struct args *args, const struct client_value *value,
                            struct registry_id *ret_registry_id)
{
    struct codec_error error;
    *ret_registry_id = (struct registry_id){0};
    if (!value->data || registry_id_decode(value->data, value->len, ret_registry_id, &error)) {
        return CLI_DONE;
    }
    if (!has_option(args, OPTION_FORCE)) {
        return fail(CLI_USAGE, "%s cannot be read (%s), and is not overwritten without --force",
                    args->root, error.sentence);
    }
    warn("%s could not be read (%s), and is overwritten", args->root, error.sentence);
    *ret_registry_id = (struct registry_id){0};
    return CLI_DONE;
}

static int print_result(const struct registry_id *registry_id, const char *was)
{
    char superseded[(SUPERSEDES_MAX + 1) * (IDENTITY_SIZE + 2)];
    struct text text;
    text_init(&text, superseded, sizeof superseded);
    for (size_t i = 0; i < registry_id->supersedes_count; i++) {
        text_put(&text, "%s %s", i > 0 ? "," : "", registry_id->supersedes[i]);
    }
    return done("the registry is %s now (it was %s), and supersedes%s", registry_id->registry,
                was[0] ? was : "without identity", superseded);
}

/* Writes `registry_id`. STORE_UNKNOWN: read again; the identity drawn shows whether it was
 * written. */
static enum store_rc put(struct client *client, const struct args *args,
                         const struct registry_id *registry_id, int32_t version)
{
    char *data = registry_id_encode(registry_id);
    if (!data) {
        return STORE_FAILED;
    }
    struct store_op op = {.kind = STORE_SET,
                          .path = args->root,
                          .data = data,
                          .len = strlen(data),
                          .version = version};
    enum store_rc rc = client_write(client, &op, 1);
    free(data);
    return rc;
}

static int accept_in(struct client *client, const struct args *args)
{
    struct registry_id drawn = {0}; /* what was last tried to write */
    char was[IDENTITY_SIZE] = "";
    random_uuid(drawn.registry, entropy_draw(), entropy_draw());
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        struct client_value value = {0};
        struct registry_id registry_id;
        enum store_rc rc = client_get(client, args->root, &value);
        if (rc == STORE_NO_NODE) {
            return fail(CLI_USAGE, "there is no %s in this registry yet; start a probe first",
                        args->root);
        }
        if (rc != STORE_OK) {
            return client_failed(client, rc, args->root);
        }
        int32_t version = value.stat.version;
        int code = read_registry_id(args, &value, &registry_id);
        client_value_release(&value);
        if (code != CLI_DONE) {
            return code;
        }
        if (text_equal(registry_id.registry, drawn.registry)) {
            return print_result(&registry_id, was);
        }
        text_copy(was, sizeof was, registry_id.registry);
        supersede(&registry_id, args->registry);
        supersede(&registry_id, registry_id.registry);
        text_copy(registry_id.registry, sizeof registry_id.registry, drawn.registry);
        registry_id.went_back = (struct went_back){0}; /* not under the new one */
        rc = put(client, args, &registry_id, version);
        if (rc == STORE_OK) {
            return print_result(&registry_id, was);
        }
        if (rc != STORE_BAD_VERSION && rc != STORE_UNKNOWN) {
            return client_failed(client, rc, args->root);
        }
    }
    return fail(CLI_INTERNAL, "%s is being written by others all the time; nothing was changed",
                args->root);
}

int registry_id_accept(const struct args *args)
{
    if (!text_is_name(args->registry)) {
        return fail(CLI_USAGE, "--registry: '%s' is no registry's identity", args->registry);
    }
    struct client *client;
    int code = client_open(args, &client);
    if (code == CLI_DONE) {
        code = accept_in(client, args);
        client_close(client);
    }
    return code;
}
