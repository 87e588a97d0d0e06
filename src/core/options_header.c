/* options_header.c: the line in which an executable says its own options:
 *
 *     # errand: queue=emails tries=3 unique="user:{userId}" */
#include "core/options.h"

#include <string.h>

#include "base/error.h"
#include "core/json.h"
#include "core/schedule.h"

enum { LINES_MAX = 20, NAME_LEN_MAX = 63, VALUE_LEN_MAX = 4096 };

/* One line while it is read. */
struct line {
    const char *begin, *p, *end;
    size_t number;
    struct errand_error *err;
};

static int wrong(const struct line *l, const char *place, const char *what)
{
    size_t column = 1;

    for (const char *p = l->begin; p < place; p++)
        column += ((unsigned char)*p & 0xc0) != 0x80;
    return errand_error_set(l->err, ERRAND_EINVAL, "line %zu, column %zu: %s", l->number,
                            column, what);
}

static void skip_space(struct line *l)
{
    while (l->p < l->end && (*l->p == ' ' || *l->p == '\t'))
        l->p++;
}

static bool skip_text(struct line *l, const char *text)
{
    size_t len = strlen(text);

    if ((size_t)(l->end - l->p) < len || memcmp(l->p, text, len) != 0)
        return false;
    l->p += len;
    return true;
}

/* Is this "# errand:", and are its options next? */
static bool skip_sign(struct line *l)
{
    skip_space(l);
    if (!skip_text(l, "#") && !skip_text(l, "//") && !skip_text(l, "--") &&
        !skip_text(l, ";"))
        return false;
    skip_space(l);
    return skip_text(l, "errand:");
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static int read_name(struct line *l, char name[NAME_LEN_MAX + 1])
{
    const char *begin = l->p;
    size_t len;

    while (l->p < l->end && is_name_char(*l->p))
        l->p++;
    len = (size_t)(l->p - begin);
    if (len == 0 || l->p == l->end || *l->p != '=')
        return wrong(l, begin, "expected NAME=VALUE");
    if (len > NAME_LEN_MAX)
        return wrong(l, begin, "this name is too long");
    memcpy(name, begin, len);
    name[len] = '\0';
    l->p++;
    return 0;
}

/* A value up to the next space, or between quotes; inside double quotes \" and \\ are a
 * quote and a backslash. */
static int read_value(struct line *l, char value[VALUE_LEN_MAX + 1])
{
    const char *begin = l->p;
    char quote = l->p < l->end && (*l->p == '"' || *l->p == '\'') ? *l->p++ : '\0';
    size_t n = 0;

    for (; l->p < l->end; l->p++) {
        if (quote ? *l->p == quote : *l->p == ' ' || *l->p == '\t')
            break;
        if (quote == '"' && *l->p == '\\' && l->end - l->p > 1 &&
            (l->p[1] == '"' || l->p[1] == '\\'))
            l->p++;
        if (n == VALUE_LEN_MAX)
            return wrong(l, begin, "this value is too long");
        if (*l->p == '\0')
            return wrong(l, l->p, "a NUL in a value");
        value[n++] = *l->p;
    }
    value[n] = '\0';
    if (!quote)
        return 0;
    if (l->p == l->end)
        return wrong(l, begin, "this quote is not closed");
    l->p++;
    if (l->p < l->end && *l->p != ' ' && *l->p != '\t')
        return wrong(l, l->p, "expected a space behind the quote");
    return 0;
}

static int read_option(struct line *l, struct errand_arena *arena,
                       struct er_options *options)
{
    char name[NAME_LEN_MAX + 1], value[VALUE_LEN_MAX + 1];
    const char *place = l->p;
    struct errand_error inner = {0};
    int rc;

    if ((rc = read_name(l, name)) < 0 || (rc = read_value(l, value)) < 0)
        return rc;
    if ((rc = er_options_set(options, name, value, arena, &inner)) == 0)
        rc = er_options_check_templates(options, &inner);
    if (rc == 0)
        rc = er_schedule_check_time(options->schedule, options->zone, &inner);
    if (options->has & ER_OPT_KEY_FUNCTIONS)
        return wrong(l, place, "an executable has no functions that make keys");
    return rc < 0 ? wrong(l, place, inner.message) : 0;
}

/* 1 when this is the line, 0 when it is not. */
static int read_line(struct line *l, struct errand_arena *arena,
                     struct er_options *options)
{
    int rc;

    if (!skip_sign(l))
        return 0;
    for (skip_space(l); l->p < l->end; skip_space(l))
        if ((rc = read_option(l, arena, options)) < 0)
            return rc;
    return 1;
}

static struct line next_line(const char **text, const char *end, size_t number,
                             struct errand_error *err)
{
    const char *begin = *text;
    const char *stop = memchr(begin, '\n', (size_t)(end - begin));
    struct line l = {.begin = begin, .p = begin, .number = number, .err = err};

    *text = stop ? stop + 1 : end;
    l.end = stop ? stop : end;
    if (l.end > begin && l.end[-1] == '\r')
        l.end--;
    return l;
}

int er_options_from_header(struct errand_slice text, struct errand_arena *arena,
                           struct er_options *ret, struct errand_error *err)
{
    const char *p = text.len ? text.ptr : "", *end = p + text.len;
    struct er_options options = {0};
    struct errand_error inner = {0};
    struct line last = {0};
    int rc, is_found = 0;

    /* Several lines add up: a job with many options need not write a long one. */
    for (size_t number = 1; number <= LINES_MAX && p < end; number++) {
        struct line l = next_line(&p, end, number, err);
        if ((rc = read_line(&l, arena, &options)) < 0)
            return rc;
        if (rc == 0)
            continue;
        is_found = 1;
        last = l;
    }
    if (is_found && er_options_check(&options, &inner) < 0)
        return wrong(&last, last.begin, inner.message);
    if (is_found)
        *ret = options;
    return is_found;
}
