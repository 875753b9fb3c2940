/* What store.h promises of a session's life: connecting, losing the link, ending, options. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/base/clock.h"
#include "tests/system/store_test.h"

static void requests_before_the_link_is_up_are_answered_unknown(void)
{
    struct store *store = store_new("127.0.0.1:1", TIMEOUT_MS, NULL);
    for (uint64_t i = 0; i < 10; i++) {
        store_get(store, i, "/x", true);
    }
    for (uint64_t i = 0; i < 10; i++) {
        CHECK(rc_of(answer(store, i)) == STORE_UNKNOWN);
    }
    end(store);
}

static void closing_with_requests_under_way_is_clean(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        struct store *store = connected();
        for (uint64_t i = 0; i < 200; i++) {
            struct store_op set = op(STORE_SET, "", "z", -1);
            store_write(store, i, &set, 1);
            store_get(store, i, root, true);
        }
        struct received received;
        next_within(store, round % 5, &received);
        end(store);
    }
}

static void renewing_answers_what_was_under_way(void)
{
    struct store *store = connected();
    for (int round = 0; round < ROUNDS; round++) {
        struct store_op set = op(STORE_SET, "", "z", -1);
        for (uint64_t i = 0; i < 1500; i++) {
            store_write(store, i, &set, 1);
        }
        store_renew(store);
        bool seen[1500] = {false};
        for (uint64_t i = 0; i < 1500; i++) {
            /* all of them, before anything of the new session */
            struct received received = next_of(store, STORE_ANSWER);
            CHECK(received.event.tag < 1500 && !seen[received.event.tag]);
            seen[received.event.tag] = true;
            CHECK(rc_of(received) == STORE_OK || rc_of(received) == STORE_UNKNOWN);
        }
        CHECK(next_of(store, STORE_UP).event.renewed);
    }
    end(store);
}

static void a_port_where_nobody_listens_is_gone_after_a_while(void)
{
    struct store *store = store_new("127.0.0.1:1", TIMEOUT_MS, NULL);
    for (int i = 0; i < 2; i++) {
        int64_t start_ms = clock_mono_ms();
        struct received gone = next_of(store, STORE_GONE);
        int64_t took_ms = clock_mono_ms() - start_ms;
        CHECK(took_ms >= 2 * TIMEOUT_MS - 50 && *gone.detail);
        struct received received;
        CHECK(!next_within(store, 100, &received)); /* it is reported once */
        store_renew(store);
    }
    end(store);
}

static void names_without_an_address_are_tried_again_at_ease(void)
{
    struct store *store = store_new("no-such-host.invalid:2181", TIMEOUT_MS, NULL);
    int gone = 0;
    struct received received;
    for (int64_t until_ms = clock_mono_ms() + 2000; clock_mono_ms() < until_ms;) {
        if (next_within(store, until_ms - clock_mono_ms(), &received)) {
            CHECK(received.event.kind == STORE_GONE && strstr(received.detail, "no-such-host"));
            gone++;
            store_renew(store);
        }
    }
    if (gone < 2 || gone > 10) {
        fail("reported %d times in 2 s", gone);
    }
    end(store);
}

static void a_name_without_an_address_does_no_harm_beside_a_good_one(void)
{
    char list[SERVERS_SIZE];
    snprintf(list, sizeof list, "no-such-host.invalid:2181, %s", servers);
    struct store *store = store_new(list, TIMEOUT_MS, NULL);
    next_of(store, STORE_UP);
    end(store);
}

static void a_chroot_is_invisible(void)
{
    char list[SERVERS_SIZE];
    struct store *store = connected();
    CHECK(rc_of(write_one(store, STORE_CREATE, "jail", "", 0)) == STORE_OK);
    snprintf(list, sizeof list, "%s%s", servers, path_of("jail"));
    struct store *inside = store_new(list, TIMEOUT_MS, NULL);
    next_of(inside, STORE_UP);
    store_get(inside, 1, "/cell", true);
    CHECK(rc_of(answer(inside, 1)) == STORE_NO_NODE);
    CHECK(rc_of(write_one(store, STORE_CREATE, "jail/cell", "x", 0)) == STORE_OK);
    CHECK(strcmp(next_of(inside, STORE_CHANGED).path, "/cell") == 0);
    end(inside);
    end(store);
}

static void with_auth_others_may_read_but_not_write(void)
{
    struct store *owner = connected_for(TIMEOUT_MS, "digest:someone:a:secret");
    struct store *other = connected();
    CHECK(rc_of(write_one(owner, STORE_CREATE, "mine", "x", 0)) == STORE_OK);
    CHECK(rc_of(write_one(other, STORE_SET, "mine", "y", -1)) == STORE_DENIED);
    /* behind that answer its server of the ensemble has what was written before */
    CHECK(strcmp(get(other, "mine", false).data, "x") == 0);
    CHECK(rc_of(write_one(owner, STORE_SET, "mine", "y", -1)) == STORE_OK);
    end(other);
    end(owner);
}

/* What a list says lives until the store's next event. */
static struct received access_of(struct store *store, const char *name)
{
    store_access(store, 77, path_of(name));
    return answer(store, 77);
}

static void an_access_list_is_read_and_replaced_at_the_version_that_was_read(void)
{
    struct access_rules rules;
    struct access_list wanted;
    struct store *owner = connected_for(TIMEOUT_MS, "digest:someone:a:secret");
    struct store *other = connected();
    CHECK(rc_of(write_one(other, STORE_CREATE, "open", "x", 0)) == STORE_OK);
    struct received before = access_of(owner, "open");
    CHECK(rc_of(before) == STORE_OK && access_of_anybody(before.event.access) == MAY_ALL);
    access_rules_make(&rules, "digest:someone:a:secret", NULL, NULL, NULL);
    access_want(&rules, ACCESS_TOPOLOGY, &wanted);
    store_protect(owner, 78, path_of("open"), &wanted, before.event.stat.aversion + 1);
    CHECK(rc_of(answer(owner, 78)) == STORE_BAD_VERSION);
    store_protect(owner, 79, path_of("open"), &wanted, before.event.stat.aversion);
    CHECK(rc_of(answer(owner, 79)) == STORE_OK);
    struct received after = access_of(owner, "open");
    CHECK(access_equal(after.event.access, &wanted));
    CHECK(after.event.stat.aversion == before.event.stat.aversion + 1);
    CHECK(after.event.stat.czxid == before.event.stat.czxid);
    CHECK(access_equal(access_of(other, "open").event.access, &wanted)); /* with hashes masked */
    CHECK(rc_of(write_one(other, STORE_SET, "open", "y", -1)) == STORE_DENIED);
    store_protect(other, 80, path_of("open"), &wanted, -1);
    CHECK(rc_of(answer(other, 80)) == STORE_DENIED);
    CHECK(rc_of(access_of(owner, "absent")) == STORE_NO_NODE);
    end(other);
    end(owner);
}

static void wrong_options_are_refused_with_a_sentence(void)
{
    static const struct store_zk_options wrong[] = {
        {.servers = "", .session_timeout_ms = 1000},
        {.servers = "zk1", .session_timeout_ms = 1000},
        {.servers = "zk1:2181/a/", .session_timeout_ms = 1000},
        {.servers = "zk1:2181", .session_timeout_ms = 0},
        {.servers = "zk1:2181", .session_timeout_ms = 1000, .auth = "user:password"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char sentence[SENTENCE_SIZE] = "";
        CHECK(!store_zk_new(&wrong[i], sentence, sizeof sentence));
        CHECK(*sentence && !strstr(sentence, "password"));
    }
}

struct hand {
    struct store *store;
    enum store_rc rc;
};

static void *use(void *argument)
{
    struct hand *hand = argument;
    struct store_event event;
    store_get(hand->store, 5, "/", true);
    while (!store_next(hand->store, clock_mono_ms(), &event) || event.kind != STORE_ANSWER) {
        struct pollfd fd = {.fd = store_fd(hand->store), .events = POLLIN};
        poll(&fd, 1, 1000);
    }
    hand->rc = event.rc;
    return NULL;
}

static void another_thread_may_go_on_with_it(void)
{
    struct hand hand = {connected(), STORE_FAILED};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, use, &hand) == 0);
    pthread_join(thread, NULL);
    CHECK(hand.rc == STORE_OK);
    end(hand.store);
}

/* ---- tests that stop the server -------------------------------------------------------------- */

static void stop_server(void)
{
    CHECK(kill(server_pid, SIGSTOP) == 0);
}

static void continue_server(void)
{
    CHECK(kill(server_pid, SIGCONT) == 0);
}

static void a_hung_server_is_down_then_gone_and_a_new_session_follows(void)
{
    struct store *store = connected_for(TIMEOUT_MS, NULL);
    CHECK(rc_of(write_one(store, STORE_CREATE_EPHEMERAL, "h", "", 0)) == STORE_OK);
    CHECK(rc_of(get(store, "h", true)) == STORE_OK);
    stop_server();
    int64_t start_ms = clock_mono_ms();
    for (uint64_t i = 0; i < 20; i++) {
        struct store_op set = op(STORE_SET, "h", "x", -1);
        store_write(store, i, &set, 1);
    }
    next_of(store, STORE_DOWN);
    int64_t down_ms = clock_mono_ms() - start_ms;
    for (uint64_t i = 0; i < 20; i++) {
        CHECK(rc_of(answer(store, i)) == STORE_UNKNOWN);
    }
    struct received gone = next_of(store, STORE_GONE);
    int64_t gone_ms = clock_mono_ms() - start_ms;
    CHECK(down_ms <= 2 * TIMEOUT_MS && gone_ms >= 2 * TIMEOUT_MS && gone_ms <= 8 * TIMEOUT_MS &&
          *gone.detail);
    continue_server();
    store_renew(store);
    struct received up = next_of(store, STORE_UP);
    CHECK(up.event.renewed);
    for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
         rc_of(get(store, "h", false)) != STORE_NO_NODE;) {
        CHECK(clock_mono_ms() < until_ms); /* the ghost stays for a session timeout at most */
    }
    end(store);
}

/* Longer than the server's patience, but not than the store's own. */
static struct received after_a_long_stop(struct store *store)
{
    stop_server();
    next_of(store, STORE_DOWN);
    poll(NULL, 0, 3 * TIMEOUT_MS / 2);
    continue_server();
    return next(store);
}

static void a_session_that_a_server_calls_expired_is_gone_at_once(void)
{
    struct store *store = connected_for(TIMEOUT_MS, NULL);
    struct store *patient = connected_for(20 * TIMEOUT_MS, NULL);
    struct received received = after_a_long_stop(store);
    /* the server received of it before it looked at its clock */
    for (int i = 0; i < 5 && received.event.kind == STORE_UP; i++) {
        CHECK(!received.event.renewed);
        received = after_a_long_stop(store);
    }
    CHECK(received.event.kind == STORE_GONE && strstr(received.detail, "expired"));
    store_renew(store);
    CHECK(next_of(store, STORE_UP).event.renewed);
    CHECK(rc_of(get(patient, "", false)) == STORE_OK); /* never noticed anything */
    end(patient);
    end(store);
}

static void a_short_stop_keeps_the_session(void)
{
    struct store *store = connected_for(6 * TIMEOUT_MS, NULL);
    CHECK(rc_of(write_one(store, STORE_CREATE_EPHEMERAL, "short", "", 0)) == STORE_OK);
    stop_server();
    poll(NULL, 0, TIMEOUT_MS);
    continue_server();
    CHECK(rc_of(write_one(store, STORE_SET, "short", "x", 0)) == STORE_OK);
    end(store);
}

static void closing_beside_a_hung_server_ends_soon(void)
{
    struct store *store = connected();
    stop_server();
    for (uint64_t i = 0; i < 50; i++) {
        store_get(store, i, root, false);
    }
    int64_t start_ms = clock_mono_ms();
    end(store);
    int64_t took_ms = clock_mono_ms() - start_ms;
    continue_server();
    CHECK(took_ms < 4000); /* some 1.7 s, on a quiet machine */
}

const struct test session_tests[] = {
    TEST(requests_before_the_link_is_up_are_answered_unknown),
    TEST(closing_with_requests_under_way_is_clean),
    TEST(renewing_answers_what_was_under_way),
    TEST(a_port_where_nobody_listens_is_gone_after_a_while),
    TEST(names_without_an_address_are_tried_again_at_ease),
    TEST(a_name_without_an_address_does_no_harm_beside_a_good_one),
    TEST(a_chroot_is_invisible),
    TEST(with_auth_others_may_read_but_not_write),
    TEST(an_access_list_is_read_and_replaced_at_the_version_that_was_read),
    TEST(wrong_options_are_refused_with_a_sentence),
    TEST(another_thread_may_go_on_with_it),
    STOPPING_TEST(a_hung_server_is_down_then_gone_and_a_new_session_follows),
    STOPPING_TEST(a_session_that_a_server_calls_expired_is_gone_at_once),
    STOPPING_TEST(a_short_stop_keeps_the_session),
    STOPPING_TEST(closing_beside_a_hung_server_ends_soon),
    {NULL, NULL, false},
};
