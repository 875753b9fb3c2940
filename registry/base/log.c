/* How a line is written without ever waiting:
 *
 *   a socket (the journal)      send() with MSG_DONTWAIT
 *   a pipe                      pwritev2() with RWF_NOWAIT, which kernels before 6.4 refuse
 *   such a pipe, anything else  poll() for room, then write()
 *   a regular file              write(): it does not wait for a reader
 *
 * O_NONBLOCK would be simpler, but it belongs to the open file description,
 * which we share with the shell that started us and its other children. A line
 * is at most PIPE_BUF bytes: a pipe takes those whole or not at all, and one
 * that polls writable has room for them. Known limit: two processes that share
 * an old kernel's pipe can race between poll and write. */
#include "registry/base/log.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "registry/base/clock.h"
#include "registry/base/text.h"

enum { LOG_LINE_SIZE = 2048 };
_Static_assert(LOG_LINE_SIZE <= PIPE_BUF, "a line must be one atomic write");

const char *const log_level_names[] = {"error", "warning", "notice", "info", "debug", NULL};

static atomic_int max_level = LOG_NOTICE;
static atomic_ulong dropped;

void log_set_level(enum log_level most)
{
    atomic_store_explicit(&max_level, (int)most, memory_order_relaxed);
}

static ssize_t write_when_ready(const char *line, size_t length)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    return write(STDERR_FILENO, line, length);
}

static ssize_t write_to_pipe(char *line, size_t length)
{
    struct iovec vector = {.iov_base = line, .iov_len = length};
    ssize_t written = pwritev2(STDERR_FILENO, &vector, 1, -1, RWF_NOWAIT);
    bool decided = written >= 0 || errno == EAGAIN || errno == EPIPE || errno == EINTR;
    /* else it is not supported, or a filter forbids it */
    return decided ? written : write_when_ready(line, length);
}

static bool write_line(char *line, size_t length)
{
    struct stat status;
    ssize_t written;
    if (fstat(STDERR_FILENO, &status) != 0) {
        return false;
    }
    do {
        written = S_ISREG(status.st_mode) ? write(STDERR_FILENO, line, length)
                  : S_ISSOCK(status.st_mode)
                      ? send(STDERR_FILENO, line, length, MSG_DONTWAIT | MSG_NOSIGNAL)
                  : S_ISFIFO(status.st_mode) ? write_to_pipe(line, length)
                                             : write_when_ready(line, length);
    } while (written < 0 && errno == EINTR);
    return written == (ssize_t)length;
}

/* "TIME LEVEL SUBJECT " into a fresh line; the last byte stays free for the newline. */
static void begin(struct text *text, char *line, enum log_level level, const char *subject)
{
    char time[CLOCK_TEXT_SIZE];
    text_init(text, line, LOG_LINE_SIZE - 1);
    text_put(text, "%s %s %s ", text_time(time, sizeof time, clock_wall_ms()),
             log_level_names[level], subject);
}

static bool end(struct text *text)
{
    text->at[text->used++] = '\n';
    return write_line(text->at, text->used);
}

/* Reports the lines that were lost before; keeps their count when this line is lost too. */
static void report_dropped(void)
{
    unsigned long lost = atomic_exchange_explicit(&dropped, 0, memory_order_relaxed);
    if (lost > 0) {
        char line[LOG_LINE_SIZE];
        struct text text;
        begin(&text, line, LOG_WARNING, "log");
        text_put(&text, "lost %lu lines: nobody was reading", lost);
        if (!end(&text)) {
            atomic_fetch_add_explicit(&dropped, lost, memory_order_relaxed);
        }
    }
}

void log_line(enum log_level level, const char *subject, const char *format, ...)
{
    assert(level <= LOG_DEBUG);
    assert(subject);
    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed)) {
        return;
    }
    int saved_errno = errno;
    char line[LOG_LINE_SIZE], sentence[LOG_LINE_SIZE];
    struct text text;
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(sentence, sizeof sentence, format, arguments) < 0) {
        sentence[0] = '\0';
    }
    va_end(arguments);

    report_dropped();
    begin(&text, line, level, subject);
    text_tame(line + text.used, text.size - text.used, sentence);
    text.used += strlen(line + text.used);
    if (!end(&text)) {
        atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
    }
    errno = saved_errno;
}
