/* Any bytes in a znode: refused with a sentence, or read into a record whose canonical form reads
 * back to the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/model/codec.h"

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

#define FUZZ(record)                                                                               \
    static void fuzz_##record(const char *data, size_t len)                                        \
    {                                                                                              \
        static struct record first, second;                                                        \
        struct codec_error error = {.sentence = ""};                                               \
        if (!record##_decode(data, len, &first, &error)) {                                         \
            must(error.sentence[0] != '\0');                                                       \
            return;                                                                                \
        }                                                                                          \
        char *text = record##_encode(&first);                                                      \
        must(text &&record##_decode(text, strlen(text), &second, &error));                         \
        must(memcmp(&first, &second, sizeof first) == 0);                                          \
        char *again = record##_encode(&second);                                                    \
        must(again &&strcmp(text, again) == 0);                                                    \
        free(again);                                                                               \
        free(text);                                                                                \
    }
FUZZ(report)
FUZZ(topology)
FUZZ(directives)
FUZZ(presence)
FUZZ(registry_id)
FUZZ(memory)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const char *data = (const char *)bytes;
    fuzz_report(data, len);
    fuzz_topology(data, len);
    fuzz_directives(data, len);
    fuzz_presence(data, len);
    fuzz_registry_id(data, len);
    fuzz_memory(data, len);
    return 0;
}
