/* See pg_query.h. It works across a promotion because recovery ends for good, and is read first. */
#include "probes/drivers/pg_query.h"

#include <assert.h>
#include <inttypes.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "probes/drivers/custom_query.h"
#include "registry/base/text.h"

/* Order of the columns below. */
enum column {
    COLUMN_RECOVERY,
    COLUMN_IDENTITY,
    COLUMN_TIMELINE,
    COLUMN_READ_ONLY,
    COLUMN_RECEIVER, /* there is a WAL receiver */
    COLUMN_STATUS,   /* what it does; NULL without pg_read_all_stats */
    COLUMN_HOST,
    COLUMN_PORT,
    COLUMN_PAUSED,
    COLUMN_POSITION,
    COLUMN_RECEIVED,
    COLUMN_LAG,
    COLUMN_ARCHIVED,
    COLUMN_CONNINFO, /* the receiver's; the server hides passwords in it */
    COLUMN_AWAITED,
    COLUMN_PRIVILEGED,
    COLUMN_STARTED,
    COLUMN_DELAY,
    COLUMN_NAMED, /* for discovery alone */
    COLUMNS
};

/* "rec" is read first (OFFSET 0 keeps the planner from merging it): functions that fail in recovery
 * are reached only when it is over, which is for good.
 *
 * Timeline: a standby's is the receiver's or the control file's, whichever is greater: the latter
 * trails until a restartpoint, the former is absent without a receiver. Read-only: by default for
 * everybody, or for the database; a setting of our own account does not concern others. A
 * transaction that began in recovery stays read-only when that ends, so transaction_read_only is
 * not used. Lag: none when everything received is replayed and the stream is up; else a
 * primary without writes would look like lag. Archive: a receive position exists once a stream was
 * requested, even in vain; without one there is nothing to stream from. Awaited: a commit has to
 * wait for all the standbys of a name, else it may be another one of that name. Started: identifies
 * a server, whatever address it is reached at, and one start of it.
 *
 * The statement is planned each time, which takes most of the server's time for it: what is rare is
 * read from functions, not from the views above them, which join tables, and is not executed unless
 * a setting shows that there may be something to read. */
static const char columns[] =
    "SELECT r.rec, s.system_identifier,"
    " CASE WHEN r.rec THEN greatest(w.received_tli, c.timeline_id)"
    " ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint END,"
    " CASE WHEN current_setting('default_transaction_read_only') = 'on' THEN (SELECT source NOT IN "
    "('user', 'database user')"
    " FROM pg_show_all_settings() WHERE name = 'default_transaction_read_only') ELSE false END,"
    " w.pid IS NOT NULL, w.status, w.sender_host, w.sender_port,"
    " CASE WHEN r.rec THEN pg_is_wal_replay_paused() ELSE false END,"
    " pg_wal_lsn_diff(CASE WHEN r.rec THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END, "
    "'0/0')::bigint,"
    " CASE WHEN r.rec THEN pg_wal_lsn_diff(greatest(pg_last_wal_receive_lsn(), "
    "pg_last_wal_replay_lsn()), '0/0')::bigint END,"
    " CASE WHEN NOT r.rec OR (w.pid IS NOT NULL AND w.status IS NULL) THEN NULL"
    " WHEN w.status = 'streaming' AND pg_last_wal_replay_lsn() >= pg_last_wal_receive_lsn() THEN 0"
    " WHEN pg_last_xact_replay_timestamp() IS NOT NULL THEN"
    " greatest(0, extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) * "
    "1000)::bigint END,"
    " r.rec AND w.pid IS NULL AND pg_last_wal_receive_lsn() IS NULL AND "
    "current_setting('restore_command') <> '',"
    " w.conninfo,"
    " CASE WHEN NOT r.rec AND current_setting('synchronous_standby_names') <> '' THEN"
    " (SELECT string_agg(n.name, chr(10) ORDER BY n.name) FROM (SELECT a.application_name AS name "
    "FROM pg_stat_get_wal_senders() p,"
    " pg_stat_get_activity(p.pid) a GROUP BY 1 HAVING bool_and(p.sync_state IN ('sync', "
    "'quorum'))) n) END,"
    " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),"
    " (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint,"
    " current_setting('recovery_min_apply_delay'),";
static const char sources[] = " FROM (SELECT pg_is_in_recovery() AS rec OFFSET 0) r"
                              " CROSS JOIN pg_control_system() s CROSS JOIN "
                              "pg_control_checkpoint() c LEFT JOIN pg_stat_wal_receiver w ON true";

/* Those that stream from it are given by address: it does not know their ports. */
static const char discovery_columns[] =
    " (SELECT string_agg(n.host, ',') FROM (SELECT DISTINCT host(a.client_addr) AS host FROM "
    "pg_stat_get_wal_senders() p,"
    " pg_stat_get_activity(p.pid) a WHERE a.client_addr IS NOT NULL ORDER BY 1 LIMIT 32) n)";

void pg_query(bool discover, char to[PG_QUERY_SIZE])
{
    struct text text;
    text_init(&text, to, PG_QUERY_SIZE);
    text_put(&text, "%s%s%s", columns, discover ? discovery_columns : " NULL", sources);
    assert(!text.cut);
}

static const char *value_of(const PGresult *result, enum column column)
{
    return PQgetvalue(result, 0, (int)column); /* "" for NULL */
}

static bool is_null(const PGresult *result, enum column column)
{
    return PQgetisnull(result, 0, (int)column);
}

static bool is_true(const PGresult *result, enum column column)
{
    return text_equal(value_of(result, column), "t");
}

/* NULL reads as -1. */
static bool read_number(const PGresult *result, enum column column, int64_t low,
                        int64_t *ret_number)
{
    if (is_null(result, column)) {
        *ret_number = -1;
        return true;
    }
    return text_parse_int(value_of(result, column), low, INT64_MAX, ret_number);
}

static bool read_text(const PGresult *result, enum column column, char *to, size_t size)
{
    char tamed[512];
    text_tame(tamed, sizeof tamed, value_of(result, column));
    return text_copy(to, size, tamed);
}

static bool has_shape(const PGresult *result)
{
    if (PQntuples(result) != 1 || PQnfields(result) != COLUMNS) {
        return false;
    }
    static const enum column booleans[] = {COLUMN_RECOVERY, COLUMN_READ_ONLY, COLUMN_RECEIVER,
                                           COLUMN_PAUSED,   COLUMN_ARCHIVED,  COLUMN_PRIVILEGED};
    for (size_t i = 0; i < sizeof booleans / sizeof *booleans; i++) {
        const char *value = value_of(result, booleans[i]);
        if (!text_equal(value, "t") && !text_equal(value, "f")) {
            return false;
        }
    }
    return !is_null(result, COLUMN_IDENTITY) && !is_null(result, COLUMN_TIMELINE);
}

/* "15.20 (Debian 15.20-0+deb12u1)" */
static void read_version(const char *version, struct observation *seen)
{
    char first[VERSION_SIZE];
    snprintf(first, sizeof first, "%.*s", (int)strcspn(version, " "), version);
    text_tame(seen->version, sizeof seen->version, first);
}

static bool starts_option(const char *at)
{
    return *at == ' ' && at[1 + strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_")] == '=';
}

/* A value out of KEY=VALUE KEY=VALUE, where values are not quoted and may have blanks. False when
 * the key is not there. */
static bool find_option(const char *conninfo, const char *key, char *ret_value, size_t size)
{
    size_t key_length = strlen(key);
    for (const char *at = conninfo; *at;) {
        bool found = strncmp(at, key, key_length) == 0 && at[key_length] == '=';
        size_t length = 0;
        while (at[length] && !starts_option(at + length)) {
            length++;
        }
        if (found) {
            size_t value_length = length - key_length - 1;
            snprintf(ret_value, size, "%.*s", (int)(value_length < size ? value_length : 0),
                     at + key_length + 1);
            return true;
        }
        at += length + (at[length] == ' ');
    }
    return false;
}

static void read_stream_name(const char *conninfo, struct observation *seen)
{
    char name[NAME_SIZE] = "";
    if (find_option(conninfo, "application_name", name, sizeof name) ||
        find_option(conninfo, "fallback_application_name", name, sizeof name)) {
        text_tame(seen->stream_name, sizeof seen->stream_name, name);
    }
}

/* What exceeds the field is left out: for those standbys it is not known that a commit waits. */
static void read_awaited(const char *names, struct observation *seen)
{
    size_t used = 0;
    while (*names) {
        char name[NAME_SIZE];
        size_t size = strcspn(names, "\n");
        snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : 0), names);
        size_t room = sizeof seen->awaited - used;
        if (name[0] && strlen(name) + 2 <= room) {
            text_tame(seen->awaited + used, room, name);
            used += strlen(seen->awaited + used);
            seen->awaited[used++] = '\n';
            seen->awaited[used] = '\0';
        }
        names += size + (names[size] == '\n');
    }
}

/* "90s": a setting as it is shown, in the greatest unit that needs no fraction. */
static int64_t read_duration(const char *shown)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"min", 60000}, {"h", 3600000}, {"d", 86400000}};
    char number[24];
    int64_t amount;
    size_t length = strspn(shown, "0123456789");
    snprintf(number, sizeof number, "%.*s", (int)length, shown);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (text_equal(shown + length, units[i].unit) &&
            text_parse_int(number, 0, INT32_MAX, &amount)) { /* the server's own limit in ms */
            return amount * units[i].ms;
        }
    }
    return 0;
}

static void read_stream(const PGresult *result, struct observation *seen)
{
    const char *status = value_of(result, COLUMN_STATUS);
    int64_t port = -1;
    seen->live = text_equal(status, "streaming");
    seen->connecting =
        !seen->live && *status && !text_equal(status, "stopping") && !text_equal(status, "stopped");
    seen->applying = !is_true(result, COLUMN_PAUSED);
    seen->archived = is_true(result, COLUMN_ARCHIVED);
    seen->delay_ms = read_duration(value_of(result, COLUMN_DELAY));
    read_stream_name(value_of(result, COLUMN_CONNINFO), seen);
    if (read_text(result, COLUMN_HOST, seen->upstream_host, sizeof seen->upstream_host) &&
        read_number(result, COLUMN_PORT, 1, &port) && port <= UINT16_MAX) {
        seen->upstream_port = (uint16_t)(port > 0 ? port : 0);
    }
}

bool pg_read_answer(const struct pg_result *result, const char *version, struct observation *seen)
{
    int64_t identity, timeline, started_us;
    if (!has_shape(result) ||
        !text_parse_int(value_of(result, COLUMN_TIMELINE), 1, UINT32_MAX, &timeline) ||
        !text_parse_int(value_of(result, COLUMN_IDENTITY), INT64_MIN, INT64_MAX, &identity) ||
        !read_number(result, COLUMN_POSITION, 0, &seen->position) ||
        !read_number(result, COLUMN_RECEIVED, 0, &seen->received) ||
        !read_number(result, COLUMN_LAG, 0, &seen->lag_ms) ||
        !read_number(result, COLUMN_STARTED, 0, &started_us)) {
        return false;
    }
    /* An unsigned number that SQL shows as a signed one. */
    snprintf(seen->identity, sizeof seen->identity, "%" PRIu64, (uint64_t)identity);
    snprintf(seen->lineage, sizeof seen->lineage, "%" PRId64, timeline);
    read_version(version ? version : "", seen);
    seen->replica = is_true(result, COLUMN_RECOVERY);
    seen->writable = !seen->replica && !is_true(result, COLUMN_READ_ONLY);
    if (seen->replica) {
        read_stream(result, seen);
    }
    seen->written = seen->applied = position_at(seen->position);
    read_awaited(value_of(result, COLUMN_AWAITED), seen);
    text_tame(seen->self_id, sizeof seen->self_id, value_of(result, COLUMN_STARTED));
    seen->start_ms = started_us < 0 ? -1 : started_us / 1000;
    advertised_add_hosts(&seen->advertised, value_of(result, COLUMN_NAMED));
    if (!is_true(result, COLUMN_PRIVILEGED)) {
        text_copy(seen->missing, sizeof seen->missing, "pg_read_all_stats");
    }
    seen->answer = ANSWER_OK;
    return true;
}

/* ---- the operator's statement ---------------------------------------------------------------- */

static const char *name_at(const void *result, size_t column)
{
    return PQfname(result, (int)column);
}

static const char *value_at(const void *result, size_t column)
{
    return PQgetisnull(result, 0, (int)column) ? NULL : PQgetvalue(result, 0, (int)column);
}

void pg_read_custom(const struct pg_result *result, const char *version, struct observation *seen)
{
    const struct custom_result answer = {
        .result = result,
        .rows = (size_t)PQntuples(result),
        .columns = (size_t)PQnfields(result),
        .name = name_at,
        .value = value_at,
    };
    custom_read(&answer, seen);
    if (!seen->version[0]) {
        read_version(version ? version : "", seen);
    }
}
