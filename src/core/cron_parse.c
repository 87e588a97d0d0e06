/* cron_parse.c: cron expressions, read field by field into sets of bits. */
#include "core/cron.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/civil.h"

enum { FIELDS = 6, WEEKDAY = 5 };

static const char *const month_names[] = {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL",
                                          "AUG", "SEP", "OCT", "NOV", "DEC", NULL};
static const char *const day_names[] = {"SUN", "MON", "TUE", "WED",
                                        "THU", "FRI", "SAT", NULL};

static const struct field {
    const char *name;
    int min, max;
    const char *const *names; /* of min, min + 1 … */
} fields[FIELDS] = {
    {"second", 0, 59, NULL},       {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},         {"day-of-month", 1, 31, NULL},
    {"month", 1, 12, month_names}, {"day-of-week", 0, 7, day_names},
};

/* What is being read, for messages too. */
struct reader {
    const char *text;
    const struct field *field;
    const char *at, *end; /* of the field */
    struct errand_error *err;
};

/* As much of it as a message needs, with nothing in it that a terminal would obey. */
static const char *shown(const char *text, size_t len, char buf[48])
{
    size_t i;

    for (i = 0; i < len && i < 40; i++)
        buf[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
    memcpy(buf + i, i < len ? "..." : "", i < len ? 4 : 1);
    return buf;
}

static int wrong(const struct reader *r, const char *reason)
{
    char all[48];

    return errand_error_set(r->err, ERRAND_EINVAL, "cron '%s': %s field: %s",
                            shown(r->text, strlen(r->text), all), r->field->name, reason);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int read_name(struct reader *r, int *ret)
{
    const char *start = r->at;
    char word[48], reason[80];

    while (r->at < r->end && is_letter(*r->at))
        r->at++;
    shown(start, (size_t)(r->at - start), word);
    for (int i = 0; r->field->names && r->field->names[i]; i++)
        if (strcasecmp(word, r->field->names[i]) == 0) {
            *ret = r->field->min + i;
            return 0;
        }
    snprintf(reason, sizeof reason, "'%s' is no %s", word,
             r->field->names == month_names ? "month (JAN to DEC)"
             : r->field->names              ? "day (SUN to SAT)"
                                            : "number");
    return wrong(r, reason);
}

/* Digits only; what is larger than a field could mean counts as 1000. */
static int read_digits(struct reader *r)
{
    int value = 0;

    for (; r->at < r->end && is_digit(*r->at); r->at++)
        if (value < 1000)
            value = value * 10 + (*r->at - '0');
    return value < 1000 ? value : 1000;
}

static int read_value(struct reader *r, int *ret)
{
    const char *start = r->at;
    char word[48], reason[120];

    if (r->at < r->end && is_letter(*r->at))
        return read_name(r, ret);
    if (r->at == r->end || !is_digit(*r->at)) {
        snprintf(reason, sizeof reason, "a value is missing %s%s%s",
                 r->at == r->end ? "at its end" : "before '",
                 shown(r->at, r->at < r->end, word), r->at == r->end ? "" : "'");
        return wrong(r, reason);
    }
    *ret = read_digits(r);
    if (*ret >= r->field->min && *ret <= r->field->max)
        return 0;
    snprintf(reason, sizeof reason, "%s is not between %d and %d",
             shown(start, (size_t)(r->at - start), word), r->field->min, r->field->max);
    return wrong(r, reason);
}

/* "/5" behind a range. A step that is wider than the field is a slip: it would never be
 * taken. */
static int read_step(struct reader *r, int *ret)
{
    const struct field *f = r->field;
    int width = f->max - f->min + (f == &fields[WEEKDAY] ? 0 : 1);
    char reason[80];

    r->at++;
    if (r->at == r->end || !is_digit(*r->at))
        return wrong(r, "a step is missing after '/'");
    *ret = read_digits(r);
    if (*ret == 0)
        return wrong(r, "a step of 0 never moves");
    if (*ret > width) {
        snprintf(reason, sizeof reason,
                 "a step of %d is wider than the field, which has %d", *ret, width);
        return wrong(r, reason);
    }
    return 0;
}

/* "5", "1-5", "*", each with or without a step; adds its bits. */
static int read_range(struct reader *r, uint64_t *bits)
{
    bool is_weekday = r->field == &fields[WEEKDAY];
    int low = r->field->min, high = is_weekday ? 6 : r->field->max, step = 1, rc;
    bool is_star = r->at < r->end && *r->at == '*', is_named;

    if (is_star) {
        r->at++;
    } else {
        if ((rc = read_value(r, &low)) < 0)
            return rc;
        if (r->at < r->end && *r->at == '-') {
            is_named = ++r->at < r->end && is_letter(*r->at);
            if ((rc = read_value(r, &high)) < 0)
                return rc;
            if (is_weekday && is_named && high == 0)
                high = 7; /* FRI-SUN */
        } else if (r->at == r->end || *r->at != '/') {
            high = low;
        }
    }
    if (low > high)
        return wrong(r, "a range goes backwards");
    if (r->at < r->end && *r->at == '/' && (rc = read_step(r, &step)) < 0)
        return rc;
    for (int i = low; i <= high; i += step)
        *bits |= UINT64_C(1) << i;
    return 0;
}

static int read_field(struct reader *r, uint64_t *ret)
{
    uint64_t bits = 0;
    char word[48], reason[80];
    int rc;

    for (;;) {
        if ((rc = read_range(r, &bits)) < 0)
            return rc;
        if (r->at == r->end)
            break;
        if (*r->at != ',') {
            snprintf(reason, sizeof reason, "'%s' is not understood",
                     shown(r->at, (size_t)(r->end - r->at), word));
            return wrong(r, reason);
        }
        r->at++;
    }
    *ret = bits;
    return 0;
}

static const char *macro(const char *at, const char *end)
{
    static const struct {
        const char *name, *means;
    } macros[] = {
        {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}, {"@monthly", "0 0 1 * *"},
        {"@weekly", "0 0 * * 0"}, {"@daily", "0 0 * * *"},    {"@midnight", "0 0 * * *"},
        {"@hourly", "0 * * * *"},
    };

    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        if (strlen(macros[i].name) == (size_t)(end - at) &&
            strncasecmp(at, macros[i].name, (size_t)(end - at)) == 0)
            return macros[i].means;
    return NULL;
}

struct part {
    const char *at, *end;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the fields are. Returns how many there are, also of those beyond FIELDS. */
static size_t split(const char *text, struct part parts[FIELDS])
{
    const char *p = text;
    size_t n = 0;

    for (;;) {
        while (is_space(*p))
            p++;
        if (!*p)
            return n;
        if (n < FIELDS)
            parts[n].at = p;
        while (*p && !is_space(*p))
            p++;
        if (n < FIELDS)
            parts[n].end = p;
        n++;
    }
}

/* Whether any date is left. In either-day mode a day of the week always comes; together,
 * any date falls on any day of the week within 400 years, 29 February as well. */
static bool has_date(const struct er_cron *cron)
{
    for (int month = 1; month <= 12 && !cron->is_either_day; month++)
        if (cron->months >> month & 1 &&
            cron->days & ((UINT64_C(2) << er_month_days(2000, month)) - 1))
            return true;
    return cron->is_either_day;
}

static int read_fields(const char *text, const struct part parts[FIELDS], size_t first,
                       struct er_cron *ret, struct errand_error *err)
{
    uint64_t bits[FIELDS] = {[0] = 1}; /* second 0, unless there is a field for it */
    bool is_star[FIELDS] = {false};
    int rc;

    for (size_t i = first; i < FIELDS; i++) {
        const struct part *part = &parts[i - first];
        struct reader r = {text, &fields[i], part->at, part->end, err};

        is_star[i] = *part->at == '*';
        if ((rc = read_field(&r, &bits[i])) < 0)
            return rc;
    }
    bits[WEEKDAY] = (bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 0x7f; /* 7 is Sunday too */
    *ret = (struct er_cron){.seconds = bits[0],
                            .minutes = bits[1],
                            .hours = (uint32_t)bits[2],
                            .days = (uint32_t)bits[3],
                            .months = (uint16_t)bits[4],
                            .weekdays = (uint8_t)bits[WEEKDAY],
                            .is_either_day = !is_star[3] && !is_star[WEEKDAY],
                            .is_wild = is_star[1] || is_star[2]};
    return 0;
}

int er_cron_parse(const char *text, struct er_cron *ret, struct errand_error *err)
{
    const char *fields_text = text;
    struct part parts[FIELDS];
    struct er_cron cron;
    char word[48];
    size_t n;
    int rc;

    shown(text, strlen(text), word);
    if (strlen(text) > ER_CRON_TEXT_MAX)
        return errand_error_set(err, ERRAND_EINVAL, "cron '%s': longer than %d bytes",
                                word, ER_CRON_TEXT_MAX);
    n = split(text, parts);
    if (n == 1 && *parts[0].at == '@') {
        if (!(fields_text = macro(parts[0].at, parts[0].end)))
            return errand_error_set(err, ERRAND_EINVAL,
                                    "cron '%s': not one of @yearly @annually @monthly "
                                    "@weekly @daily @midnight @hourly",
                                    word);
        n = split(fields_text, parts);
    }
    if (n != FIELDS && n != FIELDS - 1)
        return errand_error_set(err, ERRAND_EINVAL,
                                "cron '%s': has %zu field%s, and needs 5 (minute hour "
                                "day-of-month month day-of-week) or 6 (second first)",
                                word, n, n == 1 ? "" : "s");
    if ((rc = read_fields(text, parts, FIELDS - n, &cron, err)) < 0)
        return rc;
    if (!has_date(&cron))
        return errand_error_set(err, ERRAND_EINVAL,
                                "cron '%s': never fires: day-of-month field: no month of "
                                "the month field has such a day",
                                word);
    *ret = cron;
    return 0;
}
