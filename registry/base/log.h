/* Log lines of the programs: subject, sentence, evidence.
 *
 *   2026-11-21T01:22:33.123Z notice orders/pg-2 went primary (2 of 3 probes, rule newest-lineage) epoch=7
 *
 * Goes to stderr, one write() per line, no lock held over it; a full pipe drops
 * lines and counts them, so a blocked log never blocks the program. libroster
 * does not link this. Thread-safe. */
#ifndef ROSTER_REGISTRY_BASE_LOG_H
#define ROSTER_REGISTRY_BASE_LOG_H

enum note_level { NOTE_ERROR, NOTE_WARNING, NOTE_NOTICE, NOTE_INFO, NOTE_DEBUG };

extern const char *const note_level_names[]; /* "error", "warning", ...; NULL-terminated */

void note_set_level(enum note_level most);

/* `subject` names whom the line is about ("orders/pg-2", "registry"); required. */
void note(enum note_level level, const char *subject, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
