/* zone_rule.c: the POSIX TZ rule at the end of a zone file, which holds for ever after
 * the last transition of the file. */
#include "core/zone_inside.h"

#include <string.h>

#include "core/civil.h"

static const int64_t day_s = 86400;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool read_number(const char **p, int max, int *ret)
{
    int value = 0;

    if (!is_digit(**p))
        return false;
    for (; is_digit(**p); (*p)++) {
        value = value * 10 + (**p - '0');
        if (value > max)
            return false;
    }
    *ret = value;
    return true;
}

/* "CET" or "<+0330>": three characters or more, of no interest. */
static bool skip_name(const char **p)
{
    const char *start = *p;
    bool is_quoted = **p == '<';

    if (is_quoted) {
        *p = strchr(*p, '>');
        if (!*p)
            return false;
        (*p)++;
        return *p - start >= 5;
    }
    while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
        (*p)++;
    return *p - start >= 3;
}

/* "[+-]h[:m[:s]]" in seconds. */
static bool read_time(const char **p, int hours_max, int32_t *ret)
{
    int hours, minutes = 0, seconds = 0, sign = **p == '-' ? -1 : 1;

    if (**p == '-' || **p == '+')
        (*p)++;
    if (!read_number(p, hours_max, &hours))
        return false;
    if (**p == ':' && ((*p)++, !read_number(p, 59, &minutes)))
        return false;
    if (**p == ':' && ((*p)++, !read_number(p, 59, &seconds)))
        return false;
    *ret = sign * (hours * 3600 + minutes * 60 + seconds);
    return true;
}

static bool read_week(const char **p, struct er_zone_change *ret)
{
    (*p)++;
    ret->form = ER_ZONE_WEEK;
    return read_number(p, 12, &ret->month) && ret->month >= 1 && *(*p)++ == '.' &&
           read_number(p, 5, &ret->week) && ret->week >= 1 && *(*p)++ == '.' &&
           read_number(p, 6, &ret->weekday);
}

/* ",M3.5.0/2", ",J60", ",59/-1" */
static bool read_change(const char **p, struct er_zone_change *ret)
{
    bool is_read;

    *ret = (struct er_zone_change){.at = 2 * 3600};
    if (*(*p)++ != ',')
        return false;
    if (**p == 'M') {
        is_read = read_week(p, ret);
    } else if (**p == 'J') {
        (*p)++;
        ret->form = ER_ZONE_DAY_NO_LEAP;
        is_read = read_number(p, 365, &ret->day) && ret->day >= 1;
    } else {
        ret->form = ER_ZONE_DAY;
        is_read = read_number(p, 365, &ret->day);
    }
    if (!is_read || **p != '/')
        return is_read;
    (*p)++;
    return read_time(p, 167, &ret->at);
}

bool er_zone_rule_parse(const char *text, struct er_zone_rule *ret)
{
    const char *p = text;
    int32_t west;

    *ret = (struct er_zone_rule){0};
    if (!skip_name(&p) || !read_time(&p, 24, &west))
        return false;
    ret->standard = -west; /* POSIX counts to the west */
    if (!*p)
        return true;
    ret->has_summer = true;
    if (!skip_name(&p))
        return false;
    west -= 3600;
    if (*p != ',' && !read_time(&p, 24, &west))
        return false;
    ret->summer = -west;
    return read_change(&p, &ret->start) && read_change(&p, &ret->end) && !*p;
}

/* When the change comes in that year, in seconds of the local time before it. */
static int64_t change_local(const struct er_zone_change *change, int64_t year)
{
    int64_t days = 0, january = er_days_from_civil(year, 1, 1);
    bool is_leap = er_month_days(year, 2) == 29;

    switch (change->form) {
    case ER_ZONE_WEEK:
        days = er_days_from_civil(year, change->month, 1);
        days += (change->weekday - er_weekday(days) + 7) % 7 + 7 * (change->week - 1);
        while (days >= er_days_from_civil(year, change->month, 1) +
                           er_month_days(year, change->month))
            days -= 7;
        break;
    case ER_ZONE_DAY:
        days = january + change->day;
        break;
    case ER_ZONE_DAY_NO_LEAP: /* 29 February has no number */
        days = january + change->day - 1 + (is_leap && change->day >= 60);
        break;
    }
    return days * day_s + change->at;
}

/* The changes of three years in their order: a change may be a week off its day, and a
 * whole year of summer is two changes at one instant. */
static void changes_around(const struct er_zone_rule *rule, int64_t year, int64_t at[6],
                           int32_t offset[6])
{
    size_t n = 0;

    for (int64_t y = year - 1; y <= year + 1; y++) {
        int64_t start = change_local(&rule->start, y) - rule->standard;
        int64_t end = change_local(&rule->end, y) - rule->summer;
        bool is_north = start < end;

        at[n] = is_north ? start : end;
        offset[n++] = is_north ? rule->summer : rule->standard;
        at[n] = is_north ? end : start;
        offset[n++] = is_north ? rule->standard : rule->summer;
    }
}

/* Thirty million years: further away there is one span, and no sum overflows. */
#define FAR_S INT64_C(1000000000000000)

struct er_zone_span er_zone_rule_span(const struct er_zone_rule *rule, int64_t utc_s)
{
    struct er_zone_span span = {INT64_MIN, INT64_MAX, rule->standard};
    int64_t at[6], year, near = utc_s;
    int32_t offset[6];
    int month, day;

    if (!rule->has_summer)
        return span;
    if (near < -FAR_S || near > FAR_S)
        near = near < 0 ? -FAR_S : FAR_S;
    er_civil_from_days(near / day_s - (near % day_s < 0), &year, &month, &day);
    changes_around(rule, year, at, offset);
    /* With three years there is always one before and one after. */
    for (size_t i = 0; i < 6; i++) {
        if (at[i] > utc_s) {
            span.to = at[i];
            break;
        }
        span.from = at[i];
        span.offset = offset[i];
    }
    return span;
}
