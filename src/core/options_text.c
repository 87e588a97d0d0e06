/* options_text.c: options as people write them: flags, header lines, errand.yml. */
#include "core/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/options_table.h"
#include "core/size.h"

/* What is being set. */
struct setting {
    const struct er_option_field *field;
    const char *name, *value; /* as written */
    struct er_options *into;
    struct errand_arena *arena;
    struct errand_error *err;
};

/* How much of what was written goes into a message. */
static int shown_len(const char *text)
{
    return (int)er_utf8_cut(text, strlen(text), 60);
}

static int wrong(const struct setting *s, const char *wanted)
{
    return errand_error_set(s->err, ERRAND_EINVAL, "%s '%.*s' is not %s", s->name,
                            shown_len(s->value), s->value, wanted);
}

static int read_integer(const char *text, int64_t *ret)
{
    char *end;

    if (*text != '-' && (*text < '0' || *text > '9'))
        return -1;
    errno = 0;
    *ret = strtoll(text, &end, 10);
    return errno || *end || end == text ? -1 : 0;
}

int er_rate_parse(const char *text, struct er_rate *ret)
{
    const char *slash = strchr(text, '/');
    char number[16];
    struct er_rate rate;

    if (!slash || slash == text || (size_t)(slash - text) >= sizeof number)
        return -1;
    memcpy(number, text, (size_t)(slash - text));
    number[slash - text] = '\0';
    if (read_integer(number, &rate.n) < 0 ||
        er_duration_parse(slash + 1, &rate.per_ms) < 0)
        return -1;
    *ret = rate;
    return 0;
}

static int set_integer(const struct setting *s)
{
    void *at = er_option_at(s->field, s->into);
    int64_t value;

    if (read_integer(s->value, &value) < 0)
        return wrong(s, "a whole number");
    if (value < s->field->min || value > s->field->max)
        return errand_error_set(s->err, ERRAND_EINVAL,
                                "%s is %s: %lld to %lld are allowed", s->name, s->value,
                                (long long)s->field->min, (long long)s->field->max);
    if (s->field->kind == ER_KIND_INT32)
        *(int32_t *)at = (int32_t)value;
    else
        *(int64_t *)at = value;
    return 0;
}

static int set_size(const struct setting *s)
{
    int64_t bytes;

    if (er_size_parse(s->value, 1, &bytes) < 0)
        return wrong(s, "a size such as 65536, 64k or 1m");
    *(size_t *)er_option_at(s->field, s->into) = (size_t)bytes;
    return 0;
}

static int set_seconds(const struct setting *s)
{
    if (er_duration_parse(s->value, er_option_at(s->field, s->into)) < 0)
        return wrong(s, "a time such as 60, 1.5s, 10m or 2h");
    return 0;
}

static int set_instant(const struct setting *s)
{
    if (er_time_parse(s->value, er_option_at(s->field, s->into)) < 0)
        return wrong(s, "an instant such as 2026-11-24T05:43:30Z");
    return 0;
}

static int set_text(const struct setting *s)
{
    char *copy = errand_arena_copy(s->arena, s->value, strlen(s->value));

    *(const char **)er_option_at(s->field, s->into) = copy;
    return copy ? 0 : er_error_nomem(s->err);
}

static const char *write_words(const char *const *words, char *buf, size_t size)
{
    size_t used = 0;

    for (int i = 0; words[i] && used < size; i++)
        used +=
            (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "", words[i]);
    return buf;
}

static int set_word(const struct setting *s)
{
    const char *const *words = er_option_words(s->field);
    int word = er_option_word_find(words, s->value, strlen(s->value));
    char known[64];

    if (word >= 0) {
        *(int *)er_option_at(s->field, s->into) = word;
        er_backoff_settle(&s->into->backoff);
        return 0;
    }
    return errand_error_set(s->err, ERRAND_EINVAL, "%s '%.*s' is none of %s", s->name,
                            shown_len(s->value), s->value,
                            write_words(words, known, sizeof known));
}

/* The next item of "a, b,c", without the spaces around it. False when there is none. */
static bool next_item(const char **p, struct errand_slice *ret)
{
    const char *begin = *p + strspn(*p, " \t"), *end;

    if (!*begin)
        return false;
    end = begin + strcspn(begin, ",");
    *p = *end ? end + 1 : end;
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *ret = (struct errand_slice){.ptr = begin, .len = (size_t)(end - begin)};
    return true;
}

static int set_backoff(const struct setting *s)
{
    struct errand_backoff *b = &s->into->backoff;
    const char *p = s->value;
    struct errand_slice item;
    char text[32];
    int64_t ms;

    b->base = 0;
    for (b->list_n = 0; next_item(&p, &item); b->list_n++) {
        if (b->list_n == ERRAND_BACKOFF_LIST_MAX)
            return wrong(s, "at most 16 times");
        if (item.len >= sizeof text)
            return wrong(s, "one time or several, such as 60 or 60,5m,1h");
        memcpy(text, item.ptr, item.len);
        text[item.len] = '\0';
        if (er_duration_parse(text, &ms) < 0)
            return wrong(s, "one time or several, such as 60 or 60,5m,1h");
        b->list[b->list_n] = (double)ms / 1000;
    }
    er_backoff_settle(b);
    return b->list_n || b->base > 0 ? 0 : wrong(s, "one time or several");
}

static int set_cap(const struct setting *s)
{
    int64_t ms;

    if (er_duration_parse(s->value, &ms) < 0 || ms == 0)
        return wrong(s, "a time such as 60, 1.5s, 10m or 2h");
    s->into->backoff.cap = (double)ms / 1000;
    return 0;
}

static int set_jitter(const struct setting *s)
{
    struct errand_slice number = {.ptr = s->value, .len = strlen(s->value)};
    double share;

    if (er_json_double(number, &share) < 0 || share < 0 || share > 1)
        return wrong(s, "a share from 0 to 1");
    s->into->backoff.jitter = share > 0 ? share : -1;
    return 0;
}

static int set_tags(const struct setting *s)
{
    const char *p = s->value, **tags;
    struct errand_slice item;
    size_t n = 0;

    while (next_item(&p, &item))
        n++;
    if (!(tags = errand_arena_alloc(s->arena, (n + 1) * sizeof *tags)))
        return er_error_nomem(s->err);
    p = s->value;
    for (size_t i = 0; next_item(&p, &item); i++)
        if (!(tags[i] = errand_arena_copy(s->arena, item.ptr, item.len)))
            return er_error_nomem(s->err);
    s->into->tags = tags;
    s->into->tags_n = n;
    return 0;
}

static int set_set(const struct setting *s)
{
    const char *const *words = er_option_words(s->field);
    uint32_t *set = er_option_at(s->field, s->into);
    const char *p = s->value;
    struct errand_slice item;
    char known[64];
    int bit;

    *set = 0;
    while (next_item(&p, &item)) {
        if ((bit = er_option_word_find(words, item.ptr, item.len)) < 0)
            return errand_error_set(s->err, ERRAND_EINVAL, "%s '%.*s' is no list of %s",
                                    s->name, shown_len(s->value), s->value,
                                    write_words(words, known, sizeof known));
        *set |= 1U << bit;
    }
    return 0;
}

static int set_rate(const struct setting *s)
{
    if (er_rate_parse(s->value, er_option_at(s->field, s->into)) < 0)
        return wrong(s, "a rate such as 100/60s or 5/1h");
    return 0;
}

static int set_bool(const struct setting *s)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", NULL};

    for (int i = 0; words[i]; i++)
        if (strcmp(words[i], s->value) == 0) {
            *(bool *)er_option_at(s->field, s->into) = i % 2;
            return 0;
        }
    return wrong(s, "true or false");
}

static int set_value(const struct setting *s)
{
    switch (s->field->kind) {
    case ER_KIND_NAME:
    case ER_KIND_TEXT:
    case ER_KIND_COMMAND:
    case ER_KIND_SCHEMA:
        return set_text(s);
    case ER_KIND_BOOL:
        return set_bool(s);
    case ER_KIND_INT32:
    case ER_KIND_INT64:
        return set_integer(s);
    case ER_KIND_SIZE:
        return set_size(s);
    case ER_KIND_SECONDS:
        return set_seconds(s);
    case ER_KIND_INSTANT:
        return set_instant(s);
    case ER_KIND_WORD:
        return set_word(s);
    case ER_KIND_BACKOFF:
        return set_backoff(s);
    case ER_KIND_CAP:
        return set_cap(s);
    case ER_KIND_JITTER:
        return set_jitter(s);
    case ER_KIND_TAGS:
        return set_tags(s);
    case ER_KIND_SET:
        return set_set(s);
    case ER_KIND_RATE:
        return set_rate(s);
    }
    return 0;
}

/* ------------------------------------------------------------------ names */

static char same_dash(char c)
{
    return c == '-' ? '_' : c;
}

static bool is_same_name(const char *a, const char *b)
{
    while (*a && same_dash(*a) == same_dash(*b))
        a++, b++;
    return !*a && !*b;
}

/* Every name there is, as people write it. */
static void write_names(char *buf, size_t size)
{
    size_t used = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < er_option_fields_n && used < size; i++)
        used += (size_t)snprintf(buf + used, size - used, "%s%s", i ? ", " : "",
                                 er_option_fields[i].name);
    for (char *p = buf; *p; p++)
        *p = *p == '_' ? '-' : *p;
}

static int unknown(const char *name, struct errand_error *err)
{
    const char *nearest = NULL;
    /* further off is no slip of the hand */
    size_t nearest_far = strlen(name) < 4 ? 2 : 3;
    char text[1024];

    for (size_t i = 0; i < er_option_fields_n; i++) {
        size_t far = er_word_distance(name, er_option_fields[i].name);
        if (far >= nearest_far)
            continue;
        nearest_far = far;
        nearest = er_option_fields[i].name;
    }
    if (!nearest) {
        write_names(text, sizeof text);
        return errand_error_set(err, ERRAND_ENOTFOUND,
                                "unknown option '%.*s': there are %s", shown_len(name),
                                name, text);
    }
    snprintf(text, sizeof text, "%s", nearest);
    for (char *p = text; *p; p++)
        *p = *p == '_' ? '-' : *p;
    return errand_error_set(err, ERRAND_ENOTFOUND,
                            "unknown option '%.*s': did you mean '%s'?", shown_len(name),
                            name, text);
}

int er_options_set(struct er_options *options, const char *name, const char *value,
                   struct errand_arena *arena, struct errand_error *err)
{
    struct er_options next = *options;
    struct setting s = {
        .name = name, .value = value, .into = &next, .arena = arena, .err = err};
    int rc;

    for (size_t i = 0; i < er_option_fields_n && !s.field; i++)
        if (is_same_name(name, er_option_fields[i].name))
            s.field = &er_option_fields[i];
    if (!s.field)
        return unknown(name, err);
    if ((rc = set_value(&s)) < 0 || (rc = er_option_check(s.field, &next, err)) < 0)
        return rc;
    next.has |= s.field->bit;
    *options = next;
    return 0;
}
