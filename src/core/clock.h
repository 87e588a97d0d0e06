/* clock.h: the one clock. Wall time for run-at and cron, monotonic time for time-outs,
 * boot time for leases on one host. Tests own it: a clock with `fixed_ms` set stands
 * still and answers that for all three. */
#ifndef ER_CORE_CLOCK_H
#define ER_CORE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

struct er_clock {
    int64_t fixed_ms; /* 0: the real time */
};

/* NULL: the real one, here and below */
int64_t er_clock_wall_ms(const struct er_clock *clock);
int64_t er_clock_mono_ms(const struct er_clock *clock);
/* CLOCK_BOOTTIME: a step of the wall clock does not move it */
int64_t er_clock_boot_ms(const struct er_clock *clock);
/* What numbers begin with that are to be larger than those of a store before. */
int64_t er_clock_wall_us(void);
/* A signal ends it early. */
void er_clock_sleep_ms(int64_t ms);

/* RFC 3339 UTC with milliseconds, "2026-11-24T05:43:30.123Z"; buf has room for 32 bytes.
 * Returns buf. */
char *er_time_format(int64_t ms, char *buf, size_t size);
/* Reads RFC 3339 with Z or an offset, fraction optional, and a bare date; -1 when it is
 * not one. */
int er_time_parse(const char *text, int64_t *ret_ms);
/* "60", "1.5s", "10m", "2h", "1d", "2w", "500ms" into ms; -1 when it is not one or
 * negative. */
int er_duration_parse(const char *text, int64_t *ret_ms);

#endif
