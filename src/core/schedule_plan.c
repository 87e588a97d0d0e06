/* schedule_plan.c: which slots of a schedule fire, and which are left out.
 *
 * All schedulers decide by this rule, each with what it has read; that they need not
 * agree to the millisecond is the store's doing, which records a slot once. */
#include "core/schedule.h"

#include <string.h>

#include "base/error.h"

/* ------------------------------------------------------------------ jitter */

static uint64_t mix(uint64_t h, const void *ptr, size_t len)
{
    const unsigned char *p = ptr;

    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(1099511628211);
    return h;
}

/* A hash and no random number: every scheduler waits for the same moment, so that one
 * that was started again does not fire a slot that another one still holds back. */
int64_t er_schedule_due(const struct er_schedule_when *when, int64_t slot_ms)
{
    uint64_t h = UINT64_C(14695981039346656037);

    if (when->jitter_ms <= 0)
        return slot_ms;
    h = mix(h, when->name, strlen(when->name));
    h = mix(h, &slot_ms, sizeof slot_ms);
    h = (h ^ (h >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    h ^= h >> 33;
    return slot_ms + (int64_t)(h % (uint64_t)(when->jitter_ms + 1));
}

/* ------------------------------------------------------------------ late slots */

/* A slot that is on time and due stands for those that were missed before it. */
static bool is_one_on_time(const struct er_schedule_when *when, int64_t late_ms,
                           int64_t now_ms)
{
    int64_t slot = er_cron_next(&when->cron, when->zone, late_ms);

    return slot <= now_ms && er_schedule_due(when, slot) <= now_ms;
}

/* How many of the latest are to be fired. */
static size_t wanted_n(const struct er_schedule_when *when, int64_t late_ms,
                       int64_t now_ms)
{
    switch (when->missed) {
    case ERRAND_MISSED_SKIP:
        return 0;
    case ERRAND_MISSED_ONCE:
        return is_one_on_time(when, late_ms, now_ms) ? 0 : 1;
    case ERRAND_MISSED_ALL:
        return when->missed_max ? (size_t)when->missed_max : ER_MISSED_MAX_DEFAULT;
    }
    return 0;
}

int er_schedule_late(const struct er_schedule_when *when, int64_t base_ms, int64_t now_ms,
                     struct errand_arena *arena, struct er_schedule_late *ret,
                     struct errand_error *err)
{
    /* Whatever the jitter, a slot may be so much later than itself and still on time. */
    int64_t late_ms = now_ms - when->jitter_ms - ER_SCHEDULE_LATE_MS;
    int64_t first = er_cron_next(&when->cron, when->zone, base_ms), *slots;
    size_t wanted, n;

    *ret = (struct er_schedule_late){0};
    if (first > late_ms)
        return 0;
    wanted = wanted_n(when, late_ms, now_ms);
    /* One more than is fired: the last of those that are left out. */
    if (!(slots = errand_arena_alloc(arena, (wanted + 1) * sizeof *slots)))
        return er_error_nomem(err);
    n = er_cron_latest(&when->cron, when->zone, base_ms, late_ms, slots, wanted + 1);
    ret->first_ms = first;
    ret->last_ms = slots[n - 1];
    ret->missed_n =
        er_cron_count(&when->cron, when->zone, base_ms, late_ms, ER_SCHEDULE_COUNT_MOST);
    if (n > wanted) {
        ret->record_ms = slots[0];
        ret->record_n = ret->missed_n - (int64_t)wanted;
        slots++;
        n--;
    }
    ret->slots = slots;
    ret->slots_n = n;
    return 0;
}
