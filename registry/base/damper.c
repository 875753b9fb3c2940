#include "registry/base/damper.h"

#include <ctype.h>

#include "registry/base/hash.h"

/* ---- which line it is ------------------------------------------------------------------------ */

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_' || c == '.';
}

/* A word that begins with a digit is a number, a time or an address; in pg-1 the digit belongs to a
 * name. */
static uint64_t hash_sentence(uint64_t hash, const char *text)
{
    bool inside = false;
    while (*text) {
        if (!inside && isdigit((unsigned char)*text)) {
            while (is_of_word(*text) || *text == ':') {
                text++;
            }
            hash = hash_byte(hash, '#');
            continue;
        }
        inside = is_of_word(*text);
        hash = hash_byte(hash, (unsigned char)*text++);
    }
    return hash;
}

static uint64_t key_of(const char *subject, const char *sentence)
{
    uint64_t hash = hash_text(hash_seed, subject);
    hash = hash_sentence(hash_byte(hash, 0), sentence);
    return hash ? hash : 1;
}

/* The one of this key, or the one that is to be forgotten for it. */
static struct damped *find(struct damper *damper, uint64_t key)
{
    struct damped *set = damper->known[key % DAMPED_SETS], *oldest = set;
    for (size_t i = 0; i < DAMPED_WAYS; i++) {
        if (set[i].key == key) {
            return &set[i];
        }
        if (oldest->key && (!set[i].key || set[i].heard_ms < oldest->heard_ms)) {
            oldest = &set[i];
        }
    }
    return oldest;
}

/* ---- whether it is told ---------------------------------------------------------------------- */

/* Every line that is told again costs DAMPER_EARNS_MS of time to come. */
static bool spend(struct damper *damper, int64_t now_ms)
{
    int64_t from_ms = damper->spent_until_ms > now_ms ? damper->spent_until_ms : now_ms;
    if (from_ms + DAMPER_EARNS_MS - now_ms > (int64_t)DAMPER_ALLOWANCE * DAMPER_EARNS_MS) {
        return false;
    }
    damper->spent_until_ms = from_ms + DAMPER_EARNS_MS;
    return true;
}

static int64_t next_wait(const struct damped *damped)
{
    if (damped->told < DAMPER_BURST) {
        return 0;
    }
    int64_t wait_ms = damped->wait_ms ? 2 * damped->wait_ms : DAMPER_WAIT_MS;
    return wait_ms < DAMPER_WAIT_MOST_MS ? wait_ms : DAMPER_WAIT_MOST_MS;
}

static void tell(struct damped *damped, int64_t now_ms, unsigned long *ret_kept_back)
{
    *ret_kept_back = damped->kept_back;
    damped->told++;
    damped->told_ms = now_ms;
    damped->kept_back = 0;
    damped->wait_ms = next_wait(damped);
}

bool damper_tells(struct damper *damper, const char *subject, const char *sentence, int64_t now_ms,
                  unsigned long *ret_kept_back)
{
    uint64_t key = key_of(subject, sentence);
    struct damped *damped = find(damper, key);
    bool known = damped->key == key && now_ms - damped->heard_ms < DAMPER_FORGET_MS;
    if (!known) {
        *damped = (struct damped){.key = key};
    }
    damped->heard_ms = now_ms;
    bool due = !known || now_ms - damped->told_ms >= damped->wait_ms;
    if (!due || (known && !spend(damper, now_ms))) {
        damped->kept_back++;
        return false;
    }
    tell(damped, now_ms, ret_kept_back);
    return true;
}
