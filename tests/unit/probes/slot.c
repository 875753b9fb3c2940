#include "probes/slot.h"

#include <string.h>

#include "tests/unit/unit.h"

enum { INTERVAL = 1000, ALERT = 25, TIMEOUT = 500, START = 5000 };

static struct schedule schedule;
static struct slot_context context;
static struct slot slot;
static struct slot_outcome outcome;

static void setup(void)
{
    struct member_config config = {.name = "m1", .host = "db1", .port = 5432};
    schedule_init(&schedule, INTERVAL, ALERT, START - ALARM_HOLD_MS);
    schedule_writer(&schedule, true, START);
    context = (struct slot_context){
        .now = {START, START}, .schedule = &schedule, .timeout_ms = TIMEOUT, .size = 1};
    slot_init(&slot, &config, false, START);
}

/* What it orders, in the order in which it is done. */
static const char *orders(void)
{
    static const char *const words[] = {[ACTION_STOP_RESOLVING] = "stop resolving ",
                                        [ACTION_NEXT_ADDRESS] = "next address ",
                                        [ACTION_ADOPT_FRESH] = "adopt ",
                                        [ACTION_CLOSE_FRESH] = "close fresh ",
                                        [ACTION_DROP] = "drop ",
                                        [ACTION_RESOLVE] = "resolve ",
                                        [ACTION_ASK] = "ask ",
                                        [ACTION_ASK_FRESH] = "ask fresh ",
                                        [ACTION_CLOSE] = "close "};
    static char text[256];
    text[0] = '\0';
    for (int i = 0; i <= ACTION_CLOSE; i++) {
        strcat(text, slot.orders & 1u << i ? words[i] : "");
    }
    slot.orders = 0;
    return text;
}

static void pass(int64_t ms)
{
    context.now.ms += ms;
    context.now.wall_ms += ms;
}

static void resolve(void)
{
    slot_resolved(&slot, "10.0.0.1", "", &context, &outcome);
}

static void leave(enum answer answer, enum remains remains)
{
    struct observation observation = {.answer = answer};
    slot_look_ended(&slot, &observation, remains, &context, &outcome);
}

static void answer(enum answer answer, bool connected)
{
    leave(answer, connected ? REMAINS_SESSION : REMAINS_NOTHING);
}

/* Nothing came within the timeout, and it is owed. */
static void hang(void)
{
    pass(TIMEOUT);
    leave(ANSWER_STALLED, REMAINS_QUESTION);
}

/* The next look, when it is due, up to its question. */
static const char *begin(void)
{
    pass(slot_due(&slot) - context.now.ms);
    slot_timer(&slot, &context, &outcome);
    ck_assert_str_eq(orders(), "resolve ");
    resolve();
    return orders();
}

/* Looks that succeed, until the next one is to be made over a fresh connection. */
static void until_fresh(void)
{
    while (slot.times.looks % FRESH_EVERY != FRESH_EVERY - 1) {
        ck_assert_str_eq(begin(), "ask ");
        answer(ANSWER_OK, true);
    }
}

static void ends_with(enum answer answer)
{
    ck_assert(outcome.ended);
    ck_assert_str_eq(answer_names[outcome.observation.answer], answer_names[answer]);
}

START_TEST(a_look_resolves_the_name_and_asks_over_the_kept_connection)
{
    ck_assert_int_eq(slot_due(&slot), START);
    slot_timer(&slot, &context, &outcome);
    ck_assert_str_eq(orders(), "resolve ");
    resolve();
    ck_assert_str_eq(orders(), "ask ");
    ck_assert_str_eq(slot.address, "10.0.0.1");
    pass(3);
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    ck_assert_ptr_null(outcome.alarm);
    ck_assert_str_eq(orders(), "");
    ck_assert_int_ge(slot_due(&slot), context.now.ms + INTERVAL / 2);
}
END_TEST

START_TEST(every_tenth_look_is_made_over_a_fresh_connection)
{
    for (int i = 1; i <= 3 * FRESH_EVERY; i++) {
        ck_assert_str_eq(begin(), i % FRESH_EVERY == 0 ? "ask fresh " : "ask ");
        answer(ANSWER_OK, true);
        orders();
    }
}
END_TEST

START_TEST(under_alarm_fresh_connections_are_a_second_apart)
{
    int64_t latest_ms = 0;
    for (int i = 1; i <= 20 * FRESH_EVERY; i++) {
        schedule_alarm(&schedule, context.now.ms);
        if (strcmp(begin(), "ask fresh ") == 0) {
            ck_assert_int_ge(context.now.ms - latest_ms, FRESH_PACE_MS);
            latest_ms = context.now.ms;
        }
        answer(ANSWER_OK, true);
        orders();
    }
    ck_assert_int_gt(latest_ms, 0);
}
END_TEST

START_TEST(without_a_kept_connection_the_look_makes_one_anyway)
{
    for (int i = 1; i <= 2 * FRESH_EVERY; i++) {
        ck_assert_str_eq(begin(), "ask ");
        answer(ANSWER_REFUSED, false);
        ck_assert_str_eq(orders(), "next address ");
    }
}
END_TEST

START_TEST(a_good_fresh_connection_replaces_the_kept_one)
{
    until_fresh();
    ck_assert_str_eq(begin(), "ask fresh ");
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    ck_assert_str_eq(orders(), "adopt ");
}
END_TEST

START_TEST(a_session_that_refuses_the_statement_is_a_good_connection)
{
    until_fresh();
    ck_assert_str_eq(begin(), "ask fresh ");
    answer(ANSWER_PROTOCOL, true);
    ends_with(ANSWER_PROTOCOL);
    ck_assert_str_eq(orders(), "adopt ");
}
END_TEST

START_TEST(old_sessions_answer_and_no_new_one_is_made_the_server_has_stalled)
{
    until_fresh();
    begin();
    answer(ANSWER_TIMEOUT, false);
    ends_with(ANSWER_STALLED);
    ck_assert_str_eq(orders(), "next address close fresh ");
    /* and only a fresh one clears it, though the kept one is up */
    ck_assert_str_eq(begin(), "ask fresh ");
    answer(ANSWER_STALLED, false);
    ends_with(ANSWER_STALLED);
    orders();
    ck_assert_str_eq(begin(), "ask fresh ");
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    ck_assert_str_eq(orders(), "adopt ");
    ck_assert_str_eq(begin(), "ask ");
}
END_TEST

START_TEST(a_definite_failure_of_a_fresh_connection_is_reported_as_it_is)
{
    until_fresh();
    begin();
    answer(ANSWER_REFUSED, false);
    ends_with(ANSWER_REFUSED);
}
END_TEST

START_TEST(a_server_without_room_for_us_is_believed_over_the_kept_connection)
{
    until_fresh();
    begin();
    answer(ANSWER_SATURATED, false);
    ck_assert(!outcome.ended);
    ck_assert_str_eq(orders(), "close fresh ask ");
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    int64_t since_ms = context.now.ms; /* and it is not pressed for a while */
    while (context.now.ms < since_ms + FRESH_REFUSED_WAIT_MS - 2 * INTERVAL) {
        ck_assert_str_eq(begin(), "ask ");
        answer(ANSWER_OK, true);
    }
}
END_TEST

START_TEST(without_memory_for_a_fresh_connection_the_kept_one_is_asked)
{
    until_fresh();
    begin();
    answer(ANSWER_UNKNOWN, false);
    ck_assert(!outcome.ended);
    ck_assert_str_eq(orders(), "close fresh ask ");
    ck_assert(!slot.only_fresh);
}
END_TEST

START_TEST(a_broken_connection_is_asked_again_at_once_and_once)
{
    schedule_alarm(&schedule, context.now.ms);
    begin();
    answer(ANSWER_OK, true);
    begin();
    answer(ANSWER_LOST, false);
    ck_assert(!outcome.ended);
    ck_assert_str_eq(outcome.alarm, "the connection broke");
    ck_assert_str_eq(orders(), "ask ");
    answer(ANSWER_LOST, false); /* the new one, too */
    ends_with(ANSWER_PROTOCOL);
    ck_assert_ptr_null(outcome.alarm);
    begin();
    answer(ANSWER_LOST, false); /* each look anew */
    ck_assert(!outcome.ended);
}
END_TEST

START_TEST(what_the_server_sends_unasked_is_read_at_once_over_the_connection_it_came_by)
{
    until_fresh();
    pass(ALERT);
    slot_unsolicited(&slot, &context, &outcome);
    ck_assert_ptr_null(outcome.alarm); /* nobody knows yet what it is */
    ck_assert_int_le(slot_due(&slot), context.now.ms);
    ck_assert_str_eq(begin(), "ask "); /* though a fresh one was due */
}
END_TEST

START_TEST(the_end_of_an_idle_session_is_no_news)
{
    for (int idle = 0; idle <= 1; idle++) {
        begin();
        answer(ANSWER_OK, true);
        pass(ALERT);
        slot_unsolicited(&slot, &context, &outcome);
        begin();
        struct observation observation = {.answer = ANSWER_LOST, .was_idle = idle};
        slot_look_ended(&slot, &observation, REMAINS_NOTHING, &context, &outcome);
        ck_assert((outcome.alarm == NULL) == (idle == 1));
        ck_assert_str_eq(orders(), "ask "); /* over a new one, at once */
        answer(ANSWER_OK, true);
    }
    pass(IDLE_LEAST_MS); /* MariaDB does not say why it ends one */
    slot_begin(&slot, &context);
    slot_resolved(&slot, "10.0.0.1", "", &context, &outcome);
    answer(ANSWER_LOST, false);
    ck_assert_ptr_null(outcome.alarm);
}
END_TEST

START_TEST(a_server_that_never_stops_sending_is_asked_at_the_pace_of_an_alarm)
{
    begin();
    answer(ANSWER_OK, true);
    pass(1);
    slot_unsolicited(&slot, &context, &outcome);
    ck_assert_int_eq(slot_due(&slot), slot.times.began_ms + ALERT);
}
END_TEST

START_TEST(a_refused_account_is_not_asked_sooner_for_what_the_server_sends)
{
    begin();
    answer(ANSWER_AUTH, true);
    int64_t due_ms = slot_due(&slot);
    pass(ALERT);
    slot_unsolicited(&slot, &context, &outcome);
    ck_assert_str_eq(orders(), "drop ");
    ck_assert_int_eq(slot_due(&slot), due_ms);
}
END_TEST

START_TEST(a_look_in_flight_reads_it_itself)
{
    begin();
    slot_unsolicited(&slot, &context, &outcome);
    ck_assert_ptr_null(outcome.alarm);
    ck_assert_str_eq(orders(), "");
}
END_TEST

START_TEST(a_name_without_an_address_is_an_answer)
{
    slot_timer(&slot, &context, &outcome);
    slot_resolved(&slot, "", "no such name", &context, &outcome);
    ends_with(ANSWER_NAME);
    ck_assert_str_eq(outcome.observation.detail, "no such name");
}
END_TEST

START_TEST(a_name_is_waited_for_no_longer_than_the_timeout)
{
    slot_timer(&slot, &context, &outcome);
    orders();
    pass(OVERDUE_MS);
    slot_timer(&slot, &context, &outcome);
    ck_assert_str_eq(outcome.alarm, "the answer is overdue");
    ck_assert_int_eq(slot_due(&slot), START + TIMEOUT);
    pass(TIMEOUT - OVERDUE_MS);
    slot_timer(&slot, &context, &outcome);
    ends_with(ANSWER_NAME);
    ck_assert_str_eq(orders(), "stop resolving ");
}
END_TEST

START_TEST(an_overdue_answer_raises_the_alarm_once)
{
    begin();
    pass(OVERDUE_MS);
    slot_timer(&slot, &context, &outcome);
    ck_assert_str_eq(outcome.alarm, "the answer is overdue");
    ck_assert_int_eq(slot_due(&slot), TIMER_NEVER); /* the shell has the deadline */
    slot_timer(&slot, &context, &outcome);
    ck_assert_ptr_null(outcome.alarm);
}
END_TEST

START_TEST(a_closed_slot_orders_nothing_but_that)
{
    slot_timer(&slot, &context, &outcome);
    slot_close(&slot);
    ck_assert_str_eq(orders(), "close ");
    ck_assert_int_eq(slot_due(&slot), TIMER_NEVER);
}
END_TEST

START_TEST(a_statement_that_hangs_is_given_up_once_and_a_log_in_is_listened_to)
{
    begin();
    answer(ANSWER_OK, true);
    begin();
    hang();
    ends_with(ANSWER_STALLED);
    ck_assert_str_eq(orders(), "drop "); /* the path may have lost it */
    for (int i = 0; i < 1000; i++) {     /* whatever the alarm: one log-in, and no other */
        schedule_alarm(&schedule, context.now.ms);
        ck_assert_str_eq(begin(), "ask ");
        ck_assert(slot.logs_in == (i == 0));
        hang();
        ends_with(ANSWER_STALLED);
        ck_assert_str_eq(orders(), "");
    }
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).sessions, 2);
    slot_unsolicited(&slot, &context, &outcome); /* here it comes */
    ck_assert_str_eq(begin(), "ask ");
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    ck_assert_str_eq(begin(), "ask ");
    ck_assert(!slot.logs_in);
}
END_TEST

START_TEST(a_log_in_that_hangs_beside_a_good_session_is_listened_to)
{
    until_fresh();
    ck_assert_str_eq(begin(), "ask fresh ");
    for (int i = 0; i < 1000; i++) {
        schedule_alarm(&schedule, context.now.ms);
        hang();
        ends_with(ANSWER_STALLED);
        ck_assert_str_eq(orders(), "");
        ck_assert_str_eq(begin(), "ask fresh ");
        ck_assert(!slot.logs_in);
    }
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).sessions, 1);
    answer(ANSWER_OK, true);
    ends_with(ANSWER_OK);
    ck_assert_str_eq(orders(), "adopt ");
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).sessions, 0);
}
END_TEST

START_TEST(what_hangs_raises_no_alarm_again)
{
    begin();
    pass(OVERDUE_MS);
    slot_timer(&slot, &context, &outcome);
    ck_assert_str_eq(outcome.alarm, "the answer is overdue");
    hang();
    begin();
    pass(OVERDUE_MS);
    slot_timer(&slot, &context, &outcome);
    ck_assert_ptr_null(outcome.alarm);
}
END_TEST

START_TEST(words_that_it_has_changed_log_in_anew_and_never_without_end)
{
    int log_ins = 0;
    begin();
    hang();
    for (int i = 0; i < 10000; i++) { /* twenty a second, for more than an hour */
        slot_pardon(&slot, &context);
        orders();
        pass(slot_due(&slot) - context.now.ms);
        slot_timer(&slot, &context, &outcome);
        orders();
        resolve();
        log_ins += slot.logs_in;
        orders();
        hang();
    }
    ck_assert_int_eq(log_ins, SESSIONS_LEFT_MOST);
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).sessions, SESSIONS_MOST);
}
END_TEST

START_TEST(a_word_during_a_look_counts_at_its_end)
{
    begin();
    hang();
    begin();
    slot_pardon(&slot, &context);
    hang();
    ck_assert_str_eq(orders(), "drop ");
    ck_assert_int_eq(slot_due(&slot), context.now.ms);
    begin();
    ck_assert(slot.logs_in);
}
END_TEST

/* Log-ins in ten minutes, under alarm all the time, that end so. */
static int log_ins_in_ten_minutes(enum answer with, enum remains remains)
{
    int count = 0;
    int64_t until_ms = context.now.ms + 600000;
    for (;;) {
        schedule_alarm(&schedule, context.now.ms);
        slot_expedite(&slot, with, &context);
        if (slot_due(&slot) >= until_ms) {
            return count;
        }
        begin();
        pass(3);
        leave(with, remains);
        orders();
        count++;
    }
}

START_TEST(handshakes_that_we_break_off_become_rare_whatever_the_alarm)
{
    int count = log_ins_in_ten_minutes(ANSWER_TLS, REMAINS_BREAK);
    ck_assert_int_ge(count, 15);
    ck_assert_int_le(count, 25);
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).handshakes, 2);
}
END_TEST

START_TEST(sessions_that_may_be_there_are_few_whatever_the_alarm)
{
    ck_assert_int_le(log_ins_in_ten_minutes(ANSWER_STALLED, REMAINS_DOUBT), 6);
    ck_assert_uint_eq(slot_left(&slot, context.now.ms).sessions, SESSIONS_LEFT_MOST);
}
END_TEST

START_TEST(what_leaves_nothing_is_asked_at_the_pace_of_the_alarm)
{
    ck_assert_int_ge(log_ins_in_ten_minutes(ANSWER_STARTING, REMAINS_NOTHING), 20000);
    ck_assert_int_ge(log_ins_in_ten_minutes(ANSWER_REFUSED, REMAINS_NOTHING), 20000);
    ck_assert_int_ge(log_ins_in_ten_minutes(ANSWER_TIMEOUT, REMAINS_NOTHING), 20000);
}
END_TEST

START_TEST(a_session_that_breaks_logs_in_anew_although_log_ins_wait)
{
    until_fresh();
    for (int i = 0; i < 3; i++) {
        slot.times.looks = FRESH_EVERY - 1;
        slot.fresh_not_before_ms = 0;
        begin();
        leave(ANSWER_TLS, REMAINS_BREAK);
        orders();
        answer(ANSWER_OK, true); /* the kept one */
    }
    ck_assert(!debts_allow(&slot.debts, context.now.ms));
    ck_assert_str_eq(begin(), "ask ");
    answer(ANSWER_LOST, false);
    ck_assert_str_eq(orders(), "ask ");
    ck_assert(slot.logs_in);
}
END_TEST

START_TEST(a_look_that_fails_for_want_of_means_here_says_nothing_of_the_server)
{
    begin();
    leave(ANSWER_UNKNOWN, REMAINS_NOTHING);
    ck_assert(!outcome.ended);
    ck_assert(outcome.failed);
    ck_assert_str_eq(begin(), "ask ");
}
END_TEST

START_TEST(while_it_computes_for_us_its_answer_is_not_overdue)
{
    begin();
    pass(10);
    slot_works(&slot, context.now.ms);
    ck_assert_int_eq(slot_due(&slot), TIMER_NEVER);
    pass(700);
    slot_worked(&slot, 650, context.now.ms);
    ck_assert_int_eq(slot_due(&slot), slot.times.began_ms + 700 + OVERDUE_MS);
    answer(ANSWER_OK, true);
    ck_assert_ptr_null(outcome.alarm);
}
END_TEST

START_TEST(log_ins_that_are_dear_are_rare_even_under_alarm)
{
    int64_t latest_ms = -1;
    int count = 0;
    for (int64_t until_ms = context.now.ms + 200000; context.now.ms < until_ms;) {
        schedule_alarm(&schedule, context.now.ms);
        begin();
        if (slot.logs_in) {
            ck_assert(latest_ms < 0 || context.now.ms - latest_ms >= 400 * DEAR_PART);
            latest_ms = slot.over_fresh ? context.now.ms : latest_ms;
            count++;
            slot_works(&slot, context.now.ms);
            pass(400);
            slot_worked(&slot, 400, context.now.ms);
        }
        answer(ANSWER_OK, true);
        orders();
    }
    ck_assert_int_ge(count, 9);
}
END_TEST

Suite *slot_suite(void)
{
    Suite *suite = suite_create("slot");
    TCase *tcase = tcase_create("slot");
    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_look_resolves_the_name_and_asks_over_the_kept_connection);
    tcase_add_test(tcase, every_tenth_look_is_made_over_a_fresh_connection);
    tcase_add_test(tcase, under_alarm_fresh_connections_are_a_second_apart);
    tcase_add_test(tcase, without_a_kept_connection_the_look_makes_one_anyway);
    tcase_add_test(tcase, a_good_fresh_connection_replaces_the_kept_one);
    tcase_add_test(tcase, a_session_that_refuses_the_statement_is_a_good_connection);
    tcase_add_test(tcase, old_sessions_answer_and_no_new_one_is_made_the_server_has_stalled);
    tcase_add_test(tcase, a_definite_failure_of_a_fresh_connection_is_reported_as_it_is);
    tcase_add_test(tcase, a_server_without_room_for_us_is_believed_over_the_kept_connection);
    tcase_add_test(tcase, without_memory_for_a_fresh_connection_the_kept_one_is_asked);
    tcase_add_test(tcase, a_broken_connection_is_asked_again_at_once_and_once);
    tcase_add_test(tcase,
                   what_the_server_sends_unasked_is_read_at_once_over_the_connection_it_came_by);
    tcase_add_test(tcase, the_end_of_an_idle_session_is_no_news);
    tcase_add_test(tcase, a_server_that_never_stops_sending_is_asked_at_the_pace_of_an_alarm);
    tcase_add_test(tcase, a_refused_account_is_not_asked_sooner_for_what_the_server_sends);
    tcase_add_test(tcase, a_look_in_flight_reads_it_itself);
    tcase_add_test(tcase, a_name_without_an_address_is_an_answer);
    tcase_add_test(tcase, a_name_is_waited_for_no_longer_than_the_timeout);
    tcase_add_test(tcase, an_overdue_answer_raises_the_alarm_once);
    tcase_add_test(tcase, a_closed_slot_orders_nothing_but_that);
    tcase_add_test(tcase, a_statement_that_hangs_is_given_up_once_and_a_log_in_is_listened_to);
    tcase_add_test(tcase, a_log_in_that_hangs_beside_a_good_session_is_listened_to);
    tcase_add_test(tcase, what_hangs_raises_no_alarm_again);
    tcase_add_test(tcase, words_that_it_has_changed_log_in_anew_and_never_without_end);
    tcase_add_test(tcase, a_word_during_a_look_counts_at_its_end);
    tcase_add_test(tcase, handshakes_that_we_break_off_become_rare_whatever_the_alarm);
    tcase_add_test(tcase, sessions_that_may_be_there_are_few_whatever_the_alarm);
    tcase_add_test(tcase, what_leaves_nothing_is_asked_at_the_pace_of_the_alarm);
    tcase_add_test(tcase, a_session_that_breaks_logs_in_anew_although_log_ins_wait);
    tcase_add_test(tcase, a_look_that_fails_for_want_of_means_here_says_nothing_of_the_server);
    tcase_add_test(tcase, while_it_computes_for_us_its_answer_is_not_overdue);
    tcase_add_test(tcase, log_ins_that_are_dear_are_rare_even_under_alarm);
    suite_add_tcase(suite, tcase);
    return suite;
}
