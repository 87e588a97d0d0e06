/* cron.h: cron expressions, and when they fire.
 *
 *     minute hour day-of-month month day-of-week         0 8 * * MON-FRI
 *     second minute hour day-of-month month day-of-week  30 0,20,40 * * * *
 *     @yearly @annually @monthly @weekly @daily @midnight @hourly
 *
 * Values, names of months and days (three letters, any case), lists, ranges, steps;
 * Sunday is 0 and 7. Day of month and day of week by the rule of vixie's cron: when one
 * of the two fields begins with `*` both must match, else one is enough.
 *
 * Where the clock is put forward or back, Debian's rule: an entry whose minute or hour
 * field begins with `*` follows real time, it fires whenever the clock on the wall
 * matches. Any other is fixed: a slot that the clock leaps over fires at the first
 * instant after the leap (a leap of three hours or more is a correction of the clock, and
 * the slot is lost), and a slot that comes twice fires the first time only. */
#ifndef ER_CORE_CRON_H
#define ER_CORE_CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "errand/error.h"

struct er_zone;

enum { ER_CRON_TEXT_MAX = 256 };

/* Bit n is set where n is allowed. A plain value: copy it as you like. */
struct er_cron {
    uint64_t seconds, minutes;
    uint32_t hours, days; /* days 1 to 31 */
    uint16_t months;      /* 1 to 12 */
    uint8_t weekdays;     /* 0, Sunday, to 6 */
    bool is_either_day;   /* day of month or day of week is enough */
    bool is_wild;         /* minute or hour field begins with `*`: follows real time */
};

/* No later slot before the year 10000. */
#define ER_CRON_NEVER INT64_MAX

/* EINVAL with the field and the reason; also for what is well formed and never fires, as
 * 30 February. */
int er_cron_parse(const char *text, struct er_cron *ret, struct errand_error *err);

/* The first slot after `after_ms` (never equal to it), in UTC ms. Answers in well under
 * 10 ms, however far away it is. */
int64_t er_cron_next(const struct er_cron *cron, const struct er_zone *zone,
                     int64_t after_ms);
/* The last slots with after_ms < slot ≤ until_ms, oldest first, no more than `max` of
 * them and the latest ones if there are more. Returns how many. Its cost depends on
 * `max`, not on how long the time is. */
size_t er_cron_latest(const struct er_cron *cron, const struct er_zone *zone,
                      int64_t after_ms, int64_t until_ms, int64_t *ret_slots, size_t max);
/* How many there are with after_ms < slot ≤ until_ms; stops counting at `max`. */
int64_t er_cron_count(const struct er_cron *cron, const struct er_zone *zone,
                      int64_t after_ms, int64_t until_ms, int64_t max);

#endif
