/* cron_next.c: when an expression fires.
 *
 * A zone is a row of spans of one offset each, and inside a span local time is plain
 * arithmetic. So the search walks spans: for each, the first local second that matches,
 * less the offset. What is special happens at the seams only. A fixed entry leaves out a
 * local time that an earlier span had already, and fires at a seam when it matches in the
 * local times that the seam leaps over. */
#include "core/cron.h"

#include "core/civil.h"
#include "core/zone.h"

/* 9999-12-31T23:59:59Z: later, a time has no four digits for its year. */
static const int64_t last_s = INT64_C(253402300799);
static const int64_t first_s = INT64_C(-62135596800); /* 0001-01-01 */
static const int64_t day_s = 86400;
static const int64_t rules_s = INT64_C(4102444800);     /* 2100-01-01 */
static const int64_t cycle_s = INT64_C(146097) * 86400; /* 400 years */

enum {
    OFFSET_MAX_S = 26 * 3600, /* none is larger, east or west */
    LEAP_MAX_S = 3 * 3600,    /* from here on a leap is a correction */
};

/* The first n >= from of the set, or -1. */
static int next_bit(uint64_t set, int from)
{
    set = from < 64 ? set >> from : 0;
    return set ? from + __builtin_ctzll(set) : -1;
}

static bool is_day(const struct er_cron *cron, int day, int64_t days)
{
    bool in_month = cron->days >> day & 1;
    bool in_week = cron->weekdays >> er_weekday(days) & 1;

    return cron->is_either_day ? in_month || in_week : in_month && in_week;
}

/* The first day >= from and <= to that matches, or to + 1. Days since 1970. */
static int64_t next_day(const struct er_cron *cron, int64_t from, int64_t to)
{
    while (from <= to) {
        int64_t year, first;
        int month, day, month_days, next;

        er_civil_from_days(from, &year, &month, &day);
        month_days = er_month_days(year, month);
        first = from - day + 1;
        for (; cron->months >> month & 1 && day <= month_days; day++)
            if (is_day(cron, day, first + day - 1))
                return first + day - 1 <= to ? first + day - 1 : to + 1;
        next = next_bit(cron->months, month + 1);
        from = next > 0 ? er_days_from_civil(year, next, 1)
                        : er_days_from_civil(year + 1, next_bit(cron->months, 1), 1);
    }
    return to + 1;
}

/* The first second of the day >= from that matches, or -1. */
static int next_second(const struct er_cron *cron, int from)
{
    int hour = from / 3600, minute = from / 60 % 60, second = from % 60;

    for (int h = next_bit(cron->hours, hour); h >= 0; h = next_bit(cron->hours, h + 1)) {
        if (h > hour)
            minute = second = 0;
        for (int m = next_bit(cron->minutes, minute); m >= 0;
             m = next_bit(cron->minutes, m + 1)) {
            int s = next_bit(cron->seconds, m > minute ? 0 : second);

            if (s >= 0)
                return h * 3600 + m * 60 + s;
        }
    }
    return -1;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The first local second with from <= second < to that matches, or `to`. */
static int64_t next_local(const struct er_cron *cron, int64_t from, int64_t to)
{
    int64_t day = floor_div(from, day_s), last = floor_div(to - 1, day_s), at;
    int second = (int)(from - day * day_s);

    for (;;) {
        at = next_day(cron, day, last);
        if (at > last)
            return to;
        second = next_second(cron, at > day ? 0 : second);
        if (second >= 0)
            return at * day_s + second < to ? at * day_s + second : to;
        day = at + 1;
        second = 0;
    }
}

/* The first instant at which it is that local time, if there is one; and its span. */
static bool first_instant(const struct er_zone *zone, int64_t local, int64_t *ret,
                          struct er_zone_span *ret_span)
{
    struct er_zone_span span = er_zone_span(zone, local - OFFSET_MAX_S);

    for (;; span = er_zone_span(zone, span.to)) {
        int64_t at = local - span.offset;

        if (at >= span.from && at < span.to) {
            *ret = at;
            *ret_span = span;
            return true;
        }
        if (span.to > local + OFFSET_MAX_S)
            return false;
    }
}

/* The first instant in [from, to) of the span whose local time matches, or `to`. A fixed
 * entry passes over the local times that were there before. */
static int64_t next_in_span(const struct er_cron *cron, const struct er_zone *zone,
                            const struct er_zone_span *span, int64_t from, int64_t to)
{
    while (from < to) {
        int64_t at =
            next_local(cron, from + span->offset, to + span->offset) - span->offset;
        struct er_zone_span old;
        int64_t first;

        if (cron->is_wild || at == to || span->from < first_s ||
            at - span->from > 2 * OFFSET_MAX_S)
            return at;
        if (!first_instant(zone, at + span->offset, &first, &old) || first == at)
            return at;
        from = old.to + old.offset - span->offset;
    }
    return to;
}

/* Whether the seam at the beginning of the span leaps over a local time that matches and
 * is nowhere else. */
static bool fires_at_seam(const struct er_cron *cron, const struct er_zone *zone,
                          const struct er_zone_span *span)
{
    int64_t at, from, to, instant;
    struct er_zone_span old;

    if (cron->is_wild || span->from < first_s)
        return false;
    old = er_zone_span(zone, span->from - 1);
    from = span->from + old.offset;
    to = span->from + span->offset;
    if (to - from >= LEAP_MAX_S)
        return false;
    for (; from < to; from = at + 1) {
        at = next_local(cron, from, to);
        if (at < to && !first_instant(zone, at, &instant, &old))
            return true;
    }
    return false;
}

/* The calendar and the rules of zones repeat after 400 years: what does not fire in so
 * long after the last change of any zone file never does. */
static int64_t horizon(int64_t from)
{
    int64_t end = (from > rules_s ? from : rules_s) + cycle_s;

    return end < last_s ? end : last_s;
}

int64_t er_cron_next(const struct er_cron *cron, const struct er_zone *zone,
                     int64_t after_ms)
{
    int64_t from = floor_div(after_ms, 1000) + 1, end;

    if (from < first_s)
        from = first_s;
    for (end = horizon(from) + 1; from < end;) {
        struct er_zone_span span = er_zone_span(zone, from);
        int64_t at, to = span.to < end ? span.to : end;

        if (span.from == from && fires_at_seam(cron, zone, &span))
            return from * 1000;
        at = next_in_span(cron, zone, &span, from, to);
        if (at < to)
            return at * 1000;
        from = to;
    }
    return ER_CRON_NEVER;
}

/* The last slot with after < slot ≤ until, or ER_CRON_NEVER: back in steps that double
 * until there is one, then by halves. */
static int64_t last_slot(const struct er_cron *cron, const struct er_zone *zone,
                         int64_t after_ms, int64_t until_ms)
{
    int64_t low = until_ms, high = until_ms, slot = ER_CRON_NEVER, next;

    for (int64_t step = 1000; slot > until_ms; step *= 2) {
        if (low <= after_ms)
            return ER_CRON_NEVER;
        high = low;
        low = step < low - after_ms ? low - step : after_ms;
        slot = er_cron_next(cron, zone, low);
    }
    for (low = slot; high - low > 1;) {
        next = er_cron_next(cron, zone, low + (high - low) / 2);
        if (next <= until_ms)
            low = slot = next;
        else
            high = low + (high - low) / 2;
    }
    return slot;
}

size_t er_cron_latest(const struct er_cron *cron, const struct er_zone *zone,
                      int64_t after_ms, int64_t until_ms, int64_t *ret_slots, size_t max)
{
    size_t n = 0;

    while (n < max) {
        int64_t slot = last_slot(cron, zone, after_ms, until_ms);

        if (slot == ER_CRON_NEVER)
            break;
        ret_slots[n++] = slot;
        until_ms = slot - 1;
    }
    for (size_t i = 0; i < n / 2; i++) { /* oldest first */
        int64_t slot = ret_slots[i];

        ret_slots[i] = ret_slots[n - 1 - i];
        ret_slots[n - 1 - i] = slot;
    }
    return n;
}

int64_t er_cron_count(const struct er_cron *cron, const struct er_zone *zone,
                      int64_t after_ms, int64_t until_ms, int64_t max)
{
    int64_t n = 0, slot = er_cron_next(cron, zone, after_ms);

    for (; n < max && slot <= until_ms; slot = er_cron_next(cron, zone, slot))
        n++;
    return n;
}
