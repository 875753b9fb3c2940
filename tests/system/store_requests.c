/* What store.h promises of requests, watches and their answers. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "tests/system/store_test.h"

static void what_is_written_reads_back(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "a", "one", 0)) == STORE_OK);
    struct received first = get(store, "a", false);
    CHECK(rc_of(first) == STORE_OK && strcmp(first.data, "one") == 0 && first.event.len == 3);
    CHECK(first.event.stat.version == 0 && first.event.stat.owner == 0 &&
          first.event.stat.czxid == first.event.stat.mzxid);
    struct received set = write_one(store, STORE_SET, "a", "two", 0);
    CHECK(rc_of(set) == STORE_OK && set.event.stat.version == 1);
    struct received second = get(store, "a", false);
    CHECK(second.event.stat.mzxid == set.event.stat.mzxid && second.event.stat.version == 1);
    CHECK(second.event.stat.mzxid > first.event.stat.mzxid &&
          second.event.stat.czxid == first.event.stat.czxid);
    CHECK(strcmp(second.data, "two") == 0);
    CHECK(rc_of(write_one(store, STORE_DELETE, "a", NULL, 1)) == STORE_OK);
    CHECK(rc_of(get(store, "a", false)) == STORE_NO_NODE);
    end(store);
}

static void a_created_node_tells_its_stat(void)
{
    struct store *store = connected();
    struct received created = write_one(store, STORE_CREATE, "b", "x", 0);
    struct received read = get(store, "b", false);
    CHECK(rc_of(created) == STORE_OK && created.event.stat.mzxid == read.event.stat.mzxid);
    CHECK(rc_of(write_one(store, STORE_CREATE, "b", "x", 0)) == STORE_EXISTS);
    end(store);
}

static void refusals_have_their_reasons(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "c", "", 0)) == STORE_OK);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c/child", "", 0)) == STORE_OK);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c", "", 0)) == STORE_EXISTS);
    CHECK(rc_of(write_one(store, STORE_CREATE, "none/child", "", 0)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_SET, "c", "x", 7)) == STORE_BAD_VERSION);
    CHECK(rc_of(write_one(store, STORE_CHECK, "c", NULL, 7)) == STORE_BAD_VERSION);
    CHECK(rc_of(write_one(store, STORE_CHECK, "none", NULL, 0)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_DELETE, "c", NULL, -1)) == STORE_NOT_EMPTY);
    CHECK(rc_of(write_one(store, STORE_CREATE, "c//d", "", 0)) == STORE_INVALID);
    CHECK(rc_of(get(store, "c/../d", false)) == STORE_INVALID);
    end(store);
}

static void a_transaction_is_all_or_nothing(void)
{
    struct store *store = connected();
    struct store_op good[] = {op(STORE_CREATE, "d", "1", 0), op(STORE_CREATE, "d/e", "2", 0),
                              op(STORE_SET, "d", "3", 0), op(STORE_CHECK, "d/e", NULL, 0)};
    struct received done = write_all(store, good, 4);
    CHECK(rc_of(done) == STORE_OK && done.event.stat.version == 1);
    CHECK(get(store, "d", false).event.stat.mzxid == done.event.stat.mzxid);
    struct store_op stale[] = {op(STORE_CHECK, "d/e", NULL, 0), op(STORE_CHECK, "d", NULL, 0),
                               op(STORE_SET, "d", "4", 1)};
    struct received refused = write_all(store, stale, 3);
    CHECK(rc_of(refused) == STORE_BAD_VERSION && refused.event.failed_op == 1);
    struct store_op late[] = {op(STORE_SET, "d", "5", 1), op(STORE_CREATE, "d/e", "6", 0)};
    refused = write_all(store, late, 2);
    CHECK(rc_of(refused) == STORE_EXISTS && refused.event.failed_op == 1);
    CHECK(strcmp(get(store, "d", false).data, "3") == 0);
    struct store_op swap[] = {op(STORE_DELETE, "d/e", NULL, 0),
                              op(STORE_CREATE_EPHEMERAL, "d/e", "7", 0)};
    CHECK(rc_of(write_all(store, swap, 2)) == STORE_OK);
    CHECK(get(store, "d/e", false).event.stat.owner != 0);
    end(store);
}

static void too_large_a_value_is_refused_here(void)
{
    struct store *store = connected();
    size_t size = PAYLOAD_MAX + 1;
    char *data = calloc(1, size);
    struct store_op big = op(STORE_CREATE, "big", NULL, 0);
    big.data = data;
    big.len = size;
    enum store_rc rc = rc_of(write_all(store, &big, 1));
    big.len = PAYLOAD_MAX;
    struct store_op two[] = {big, op(STORE_SET, "big", NULL, 0)};
    two[1].data = data;
    two[1].len = PAYLOAD_MAX;
    enum store_rc both_rc = rc_of(write_all(store, two, 2));
    enum store_rc fitting_rc = rc_of(write_all(store, &big, 1));
    free(data);
    CHECK(rc == STORE_INVALID);
    CHECK(both_rc == STORE_INVALID);
    CHECK(fitting_rc == STORE_OK);
    CHECK(get(store, "big", false).event.len == PAYLOAD_MAX);
    end(store);
}

static void a_watch_tells_of_creation_change_and_deletion(void)
{
    struct store *store = connected();
    struct store *other = connected();
    CHECK(rc_of(get(store, "w", true)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(other, STORE_CREATE, "w", "1", 0)) == STORE_OK);
    changed(store, "w");
    CHECK(strcmp(get(store, "w", true).data, "1") == 0);
    CHECK(rc_of(write_one(other, STORE_SET, "w", "2", -1)) == STORE_OK);
    changed(store, "w");
    CHECK(strcmp(get(store, "w", true).data, "2") == 0);
    CHECK(rc_of(write_one(other, STORE_DELETE, "w", NULL, -1)) == STORE_OK);
    changed(store, "w");
    CHECK(rc_of(get(store, "w", false)) == STORE_NO_NODE);
    struct received received;
    CHECK(rc_of(write_one(other, STORE_CREATE, "w", "3", 0)) == STORE_OK);
    CHECK(!next_within(store, 200, &received)); /* no watch was asked for */
    end(other);
    end(store);
}

static bool lists(struct store *store, const char *name, const char *const *names, size_t count)
{
    struct store_event event;
    store_list(store, 77, path_of(name), true);
    for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
         !store_next(store, clock_mono_ms(), &event);) {
        struct pollfd fd = {.fd = store_fd(store), .events = POLLIN};
        poll(&fd, 1, 1000);
        CHECK(clock_mono_ms() < until_ms);
    }
    CHECK(event.kind == STORE_ANSWER && event.tag == 77 && event.rc == STORE_OK);
    size_t found = 0;
    for (size_t i = 0; i < event.name_count; i++) {
        for (size_t j = 0; j < count; j++) {
            found += strcmp(event.names[i], names[j]) == 0;
        }
    }
    return event.name_count == count && found == count;
}

static void a_list_is_watched_too(void)
{
    struct store *store = connected();
    struct store *other = connected();
    static const char *const names[] = {"one", "two"};
    store_list(store, 1, path_of("l"), true);
    CHECK(rc_of(answer(store, 1)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(other, STORE_CREATE, "l", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 0));
    CHECK(rc_of(write_one(other, STORE_CREATE, "l/one", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 1));
    CHECK(rc_of(write_one(other, STORE_CREATE_EPHEMERAL, "l/two", "", 0)) == STORE_OK);
    changed(store, "l");
    CHECK(lists(store, "l", names, 2));
    end(other); /* its ephemeral goes with it, at once */
    changed(store, "l");
    CHECK(lists(store, "l", names, 1));
    end(store);
}

static void an_ephemeral_names_its_session_and_goes_with_it(void)
{
    struct store *store = connected();
    struct store *other = store_new(servers, 10 * TIMEOUT_MS, NULL);
    struct received up = next_of(other, STORE_UP);
    CHECK(rc_of(write_one(other, STORE_CREATE_EPHEMERAL, "eph", "", 0)) == STORE_OK);
    struct received read = get(store, "eph", true);
    CHECK(rc_of(read) == STORE_OK && read.event.stat.owner == up.event.session);
    end(other);
    changed(store, "eph");
    CHECK(rc_of(get(store, "eph", false)) == STORE_NO_NODE);
    end(store);
}

static void a_read_behind_a_sync_sees_what_another_wrote(void)
{
    struct store *store = connected();
    struct store *other = connected();
    CHECK(rc_of(write_one(other, STORE_CREATE, "s", "0", 0)) == STORE_OK);
    for (int i = 0; i < 200; i++) {
        char data[16];
        snprintf(data, sizeof data, "%d", i);
        CHECK(rc_of(write_one(other, STORE_SET, "s", data, -1)) == STORE_OK);
        store_sync(store, 1, "/");
        store_get(store, 2, path_of("s"), false);
        CHECK(rc_of(answer(store, 1)) == STORE_OK);
        CHECK(strcmp(answer(store, 2).data, data) == 0);
    }
    end(other);
    end(store);
}

static void answers_come_in_the_order_of_requests(void)
{
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "o", "x", 0)) == STORE_OK);
    for (uint64_t i = 0; i < MANY; i++) {
        if (i % 3 == 0) {
            struct store_op set = op(STORE_SET, "o", "y", -1);
            store_write(store, i, &set, 1);
        } else {
            store_get(store, i, path_of(i % 3 == 1 ? "o" : "absent"), false);
        }
    }
    for (uint64_t i = 0; i < MANY; i++) {
        CHECK(rc_of(answer(store, i)) == (i % 3 == 2 ? STORE_NO_NODE : STORE_OK));
    }
    CHECK(get(store, "o", false).event.stat.version == (MANY + 2) / 3);
    end(store);
}

const struct test request_tests[] = {
    TEST(what_is_written_reads_back),
    TEST(a_created_node_tells_its_stat),
    TEST(refusals_have_their_reasons),
    TEST(a_transaction_is_all_or_nothing),
    TEST(too_large_a_value_is_refused_here),
    TEST(a_watch_tells_of_creation_change_and_deletion),
    TEST(a_list_is_watched_too),
    TEST(an_ephemeral_names_its_session_and_goes_with_it),
    TEST(a_read_behind_a_sync_sees_what_another_wrote),
    TEST(answers_come_in_the_order_of_requests),
    {NULL, NULL, false},
};
