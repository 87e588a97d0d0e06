/* schedule.h: what a schedule says, in the form in which it travels with the store, and
 * the rule that decides which of its slots fire. Pure: the store's `fire` is the
 * mechanism, src/scheduler the clockwork. */
#ifndef ER_CORE_SCHEDULE_H
#define ER_CORE_SCHEDULE_H

#include "base/arena.h"
#include "core/cron.h"
#include "core/options.h"
#include "errand/schedule.h"

struct er_buf;
struct er_zone;

/* Where it came from. The larger one keeps the name. */
enum er_schedule_from { ER_FROM_JOB = 0, ER_FROM_CONFIG = 1, ER_FROM_HAND = 2 };

struct er_schedule {
    const char *cron;
    const char *zone;         /* NULL: UTC */
    const char *job;          /* NULL: the schedule's name */
    struct errand_slice data; /* JSON; empty: null */
    enum errand_overlap overlap;
    enum errand_missed missed;
    int32_t missed_max; /* 0: ER_MISSED_MAX_DEFAULT */
    int64_t jitter_ms;
    struct er_options options; /* as a call would say them */
    enum er_schedule_from from;
    const char *owner; /* project or program; NULL when put by hand */
    /* Slots count after this: when it was put, or cron or zone were changed. */
    int64_t since_ms;
};

enum {
    ER_MISSED_MAX_DEFAULT = 100,
    ER_MISSED_MAX_MOST = 10000,
    ER_JITTER_MS_MOST = 86400000,
    /* A slot that is later than this is missed. Less would let a busy minute of the
     * machine count as an outage, more would surprise who said `skip`. */
    ER_SCHEDULE_LATE_MS = 60000,
    /* Missed slots are counted up to this. */
    ER_SCHEDULE_COUNT_MOST = 1000000,
};

/* "skip", "allow", "one-waiting"; "once", "skip", "all"; "job", "config", "hand".
 * Borrowed for ever. */
const char *er_overlap_name(enum errand_overlap overlap);
const char *er_missed_name(enum errand_missed missed);
const char *er_schedule_from_name(enum er_schedule_from from);

/* Says one thing from text, as in errand.yml and flags: cron zone job data overlap missed
 * missed_max jitter, and of the job queue tries timeout backoff backoff_strategy priority
 * unique unique_for tags (- and _ are one). Checks it, too. Strings are copied.
 * ENOTFOUND: no such key; EINVAL, EJSON. */
int er_schedule_set(struct er_schedule *schedule, const char *key, const char *value,
                    struct errand_arena *arena, struct errand_error *err);
/* Everything that can be known to be wrong: cron line, zone, names, ranges, options.
 * EINVAL or EJSON. */
int er_schedule_check(const struct er_schedule *schedule, struct errand_error *err);

/* The cron line and the zone alone; NULL is well. For the place where a class says them,
 * and not for where they are used: a machine that lacks a zone can still run the job. */
int er_schedule_check_time(const char *cron, const char *zone, struct errand_error *err);

/* To and from the stored JSON. What a newer errand may add is passed over; what is of the
 * wrong type is EINVAL. Decoding looks neither at the cron line nor at the zone. 0 or -1;
 * 0 or negative. */
int er_schedule_encode(const struct er_schedule *schedule, struct er_buf *buf);
int er_schedule_decode(struct errand_slice json, struct errand_arena *arena,
                       struct er_schedule *ret, struct errand_error *err);
/* All that its owner says is the same: not `since_ms`. */
bool er_schedule_same(const struct er_schedule *a, const struct er_schedule *b);

/* ------------------------------------------------------------------ which slots fire */

/* What the clock needs of a schedule. */
struct er_schedule_when {
    const char *name;
    struct er_cron cron;
    const struct er_zone *zone;
    enum errand_missed missed;
    int32_t missed_max;
    int64_t jitter_ms;
};

/* When a slot fires: at most the jitter later, the same in every process. */
int64_t er_schedule_due(const struct er_schedule_when *when, int64_t slot_ms);

/* What to do about the slots that are late, before those that are on time are fired. */
struct er_schedule_late {
    int64_t missed_n; /* late slots; at ER_SCHEDULE_COUNT_MOST: or more */
    int64_t first_ms, last_ms;
    /* First record this slot as missed, for so many slots; 0: none */
    int64_t record_ms, record_n;
    const int64_t *slots; /* then fire these, oldest first */
    size_t slots_n;
};

/* `base_ms` is the last slot that was recorded, or since_ms. The work does not grow with
 * the time that has passed beyond ER_SCHEDULE_COUNT_MOST slots. 0 or ENOMEM. */
int er_schedule_late(const struct er_schedule_when *when, int64_t base_ms, int64_t now_ms,
                     struct errand_arena *arena, struct er_schedule_late *ret,
                     struct errand_error *err);

#endif
