/* clock.c: reading the clock, and times and durations as text.
 *
 * Time zones exist only in the cron code. */
#include "core/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/civil.h"

static const int64_t day_ms = 86400000;

static int64_t read_ms(const struct er_clock *clock, clockid_t id)
{
    struct timespec ts;

    if (clock && clock->fixed_ms)
        return clock->fixed_ms;
    clock_gettime(id, &ts); /* cannot fail for the clocks that are asked for here */
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t er_clock_wall_ms(const struct er_clock *clock)
{
    return read_ms(clock, CLOCK_REALTIME);
}

int64_t er_clock_mono_ms(const struct er_clock *clock)
{
    return read_ms(clock, CLOCK_MONOTONIC);
}

int64_t er_clock_wall_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void er_clock_sleep_ms(int64_t ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000},
              NULL);
}

int64_t er_clock_boot_ms(const struct er_clock *clock)
{
    return read_ms(clock, CLOCK_BOOTTIME);
}

char *er_time_format(int64_t ms, char *buf, size_t size)
{
    int64_t days = ms / day_ms, rest = ms % day_ms, year;
    int month, day;

    if (rest < 0) {
        rest += day_ms;
        days--;
    }
    er_civil_from_days(days, &year, &month, &day);
    snprintf(buf, size, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)year, month,
             day, (int)(rest / 3600000), (int)(rest / 60000 % 60),
             (int)(rest / 1000 % 60), (int)(rest % 1000));
    return buf;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Exactly n digits, no more than `max`. Moves *p behind them. */
static bool read_digits(const char **p, int n, int max, int *ret)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (!is_digit((*p)[i]))
            return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += n;
    *ret = value;
    return value <= max;
}

static bool read_char(const char **p, const char *allowed)
{
    if (!**p || !strchr(allowed, **p))
        return false;
    (*p)++;
    return true;
}

static bool read_date(const char **p, int64_t *ret_days)
{
    int year, month, day;

    if (!read_digits(p, 4, 9999, &year) || !read_char(p, "-") ||
        !read_digits(p, 2, 12, &month) || !read_char(p, "-") ||
        !read_digits(p, 2, 31, &day))
        return false;
    if (month < 1 || day < 1 || day > er_month_days(year, month))
        return false;
    *ret_days = er_days_from_civil(year, month, day);
    return true;
}

/* ".25": at least one digit; what is finer than a millisecond is dropped. */
static bool read_fraction(const char **p, int *ret_ms)
{
    int ms = 0, scale = 100;

    if (!read_char(p, "."))
        return true;
    if (!is_digit(**p))
        return false;
    for (; is_digit(**p); (*p)++, scale /= 10)
        ms += (**p - '0') * scale;
    *ret_ms = ms;
    return true;
}

static bool read_offset(const char **p, int *ret_minutes)
{
    int hours, minutes, sign = **p == '-' ? -1 : 1;

    if (read_char(p, "Zz"))
        return true;
    if (!read_char(p, "+-") || !read_digits(p, 2, 23, &hours) || !read_char(p, ":") ||
        !read_digits(p, 2, 59, &minutes))
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

int er_time_parse(const char *text, int64_t *ret_ms)
{
    int hour, minute, second, ms = 0, offset = 0;
    const char *p = text;
    int64_t days;

    if (!read_date(&p, &days))
        return -1;
    if (!*p) {
        *ret_ms = days * day_ms;
        return 0;
    }
    /* A leap second, 60, counts as the first of the next minute, as most clocks do. */
    if (!read_char(&p, "Tt ") || !read_digits(&p, 2, 23, &hour) || !read_char(&p, ":") ||
        !read_digits(&p, 2, 59, &minute) || !read_char(&p, ":") ||
        !read_digits(&p, 2, 60, &second) || !read_fraction(&p, &ms) ||
        !read_offset(&p, &offset) || *p)
        return -1;
    *ret_ms = days * day_ms + hour * 3600000LL + (minute - offset) * 60000LL +
              second * 1000LL + ms;
    return 0;
}

/* What one of the unit is worth, or 0. */
static int64_t unit_ms(const char *unit)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"", 1000},     {"ms", 1},       {"s", 1000},     {"m", 60000},
                 {"h", 3600000}, {"d", 86400000}, {"w", 604800000}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(units[i].name, unit) == 0)
            return units[i].ms;
    return 0;
}

int er_duration_parse(const char *text, int64_t *ret_ms)
{
    const char *p = text;
    int64_t whole = 0, part = 0, scale = 1, unit;

    if (!is_digit(*p))
        return -1;
    for (; is_digit(*p); p++) {
        if (whole > INT64_MAX / 20) /* one more digit might not fit */
            return -1;
        whole = whole * 10 + (*p - '0');
    }
    if (*p == '.') {
        if (!is_digit(*++p))
            return -1;
        /* Nine digits are finer than a millisecond of a week; the others only have to be
         * digits. */
        for (; is_digit(*p); p++)
            if (scale < 1000000000) {
                part = part * 10 + (*p - '0');
                scale *= 10;
            }
    }
    unit = unit_ms(p);
    if (!unit || whole > (INT64_MAX - unit) / unit)
        return -1;
    *ret_ms = whole * unit + part * unit / scale;
    return 0;
}
