/* Log lines of the programs: subject, sentence, evidence.
 *
 *   2026-11-21T01:22:33.123Z notice orders/pg-2 went primary (2 of 3 probes) epoch=7
 *
 * Goes to stderr, one write() per line, no lock held over it; a full pipe drops
 * lines and counts them, so a blocked log never blocks the program. libroster
 * does not link this. Thread-safe. */
#ifndef ROSTER_REGISTRY_BASE_LOG_H
#define ROSTER_REGISTRY_BASE_LOG_H

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

extern const char *const log_level_names[]; /* "error", "warning", ...; NULL-terminated */

void log_set_level(enum log_level most);

/* `subject` names whom the line is about ("orders/pg-2", "registry"); required. */
void log_line(enum log_level level, const char *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
