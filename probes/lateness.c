#include "probes/lateness.h"

void lateness_woke(struct lateness *lateness, int64_t due_ms, int64_t now_ms)
{
    int64_t since_ms = due_ms > lateness->woke_ms ? due_ms : lateness->woke_ms;
    int64_t late_ms = now_ms - since_ms;
    if (late_ms >= LATE_MS) {
        lateness->total_ms += late_ms;
    }
    lateness->woke_ms = now_ms;
}
