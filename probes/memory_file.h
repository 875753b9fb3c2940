/* What a probe remembers beyond its own end (struct memory), in a file of its name:
 *
 *     FOLDER/PROBE.registry
 *
 * FOLDER is the setting state_folder; without it $STATE_DIRECTORY, which systemd sets for a unit
 * that has one, else $XDG_STATE_HOME/roster, else $HOME/.local/state/roster. A probe that can keep
 * no file works without a memory. */
#ifndef ROSTER_PROBES_MEMORY_FILE_H
#define ROSTER_PROBES_MEMORY_FILE_H

#include <stddef.h>

#include "registry/model/model.h"

enum { MEMORY_PATH_SIZE = 1024 };

/* The folder, which is made if need be. False: there is none; the sentence has why. */
bool memory_folder(const char *setting, char *ret_folder, char *sentence, size_t size);

/* NULL: nothing is remembered; the sentence has why, or is "" when there is no file yet. Heap. */
struct memory *memory_load(const char *folder, const char *probe, char *sentence, size_t size);

/* In one piece or not at all. Blocks as long as the disk takes. */
bool memory_save(const char *folder, const char *probe, const char *text, char *sentence,
                 size_t size);

#endif
