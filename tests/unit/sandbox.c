#include "tests/unit/sandbox.h"

#include <assert.h>
#include <stdlib.h>

void sandbox_init(struct sandbox *sandbox)
{
    *sandbox = (struct sandbox){.agenda.now_ms = 1000000};
    sandbox->ensemble = ensemble_new(&sandbox->agenda, 1);
    sandbox->store = store_mem_new(sandbox->ensemble, "sandbox", 10000, NULL, NULL);
    sandbox->mirror = mirror_new(sandbox->store);
    assert(sandbox->mirror);
    store_renew(sandbox->store);
}

void sandbox_release(struct sandbox *sandbox)
{
    mirror_free(sandbox->mirror);
    ensemble_free(sandbox->ensemble);
    agenda_release(&sandbox->agenda);
    *sandbox = (struct sandbox){0};
}

static void drain(struct sandbox *sandbox)
{
    struct store_event event;
    while (store_next(sandbox->store, sandbox_now(sandbox), &event)) {
        if (sandbox->event) {
            sandbox->event(&event);
        }
        mirror_event(sandbox->mirror, &event, sandbox_now(sandbox));
        if (event.kind == STORE_GONE) {
            store_renew(sandbox->store);
        }
    }
}

void sandbox_pass(struct sandbox *sandbox, int64_t ms)
{
    for (int64_t end_ms = sandbox_now(sandbox) + ms; sandbox_now(sandbox) < end_ms;) {
        int64_t next_ms = sandbox_now(sandbox) + 1;
        while (agenda_step(&sandbox->agenda, next_ms)) {
        }
        drain(sandbox);
        if (sandbox->step) {
            sandbox->step();
        }
    }
}

const struct znode *sandbox_find(const struct sandbox *sandbox, const char *path)
{
    return tree_find(&sandbox->ensemble->head, path);
}

void sandbox_put(struct sandbox *sandbox, const char *path, char *json)
{
    assert(json);
    ensemble_put(sandbox->ensemble, path, json);
    free(json);
}
