/* options_decode.c: reading the form in which options travel with a job in the store.
 *
 * By our own walk and not by a JSON library: options that another language wrote may hold
 * whatever JSON.stringify writes (strict parsers refuse half a surrogate pair), and they
 * are read before every attempt, so nothing is allocated but their strings. */
#include "core/options.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "core/json.h"
#include "core/options_table.h"

enum { OPTIONS_BYTES_MAX = 512 << 10 };

/* What is being read. */
struct reading {
    struct er_options *into;
    struct errand_arena *arena;
    struct errand_error *err;
    bool is_single; /* "backoff" was a number */
};

static int wrong(struct reading *r, const struct er_option_field *f, const char *wanted,
                 struct errand_slice value)
{
    size_t len = er_utf8_cut(value.ptr, value.len, 40);

    return errand_error_set(r->err, ERRAND_EINVAL, "option '%s' is not %s: %.*s%s",
                            f->name, wanted, (int)len, value.ptr,
                            len < value.len ? "..." : "");
}

/* A string without NUL, for C. */
static int read_text(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w, const char **ret)
{
    struct errand_slice text;
    int rc;

    if (w->type != ER_JSON_STRING)
        return wrong(r, f, "a string", w->value);
    if ((rc = er_json_unescape(w->value, r->arena, &text, r->err)) < 0)
        return rc;
    if (memchr(text.ptr, '\0', text.len))
        return wrong(r, f, "a string without NUL", w->value);
    *ret = text.ptr;
    return 0;
}

static int read_integer(struct reading *r, const struct er_option_field *f,
                        const struct er_json_walk *w, int64_t *ret)
{
    return er_json_int(w->value, ret) < 0 ? wrong(r, f, "a whole number", w->value) : 0;
}

static int read_double(struct reading *r, const struct er_option_field *f,
                       const struct er_json_walk *w, double *ret)
{
    return er_json_double(w->value, ret) < 0 ? wrong(r, f, "a number", w->value) : 0;
}

static int read_ms(struct reading *r, const struct er_option_field *f,
                   const struct er_json_walk *w, int64_t *ret)
{
    double seconds;
    int rc;

    if ((rc = read_double(r, f, w, &seconds)) < 0)
        return rc;
    if (!(fabs(seconds) < 9e12))
        return wrong(r, f, "a possible time", w->value);
    *ret = llround(seconds * 1000);
    return 0;
}

static int read_backoff(struct reading *r, const struct er_option_field *f,
                        const struct er_json_walk *w)
{
    struct errand_backoff *b = &r->into->backoff;
    struct er_json_walk element;
    int rc = 0;

    b->list_n = 0;
    r->is_single = w->type == ER_JSON_NUMBER;
    if (r->is_single) {
        b->list_n = 1;
        return read_double(r, f, w, &b->list[0]);
    }
    if (w->type != ER_JSON_ARRAY)
        return wrong(r, f, "a number or an array", w->value);
    for (er_json_walk(&element, w->value); rc == 0 && er_json_next(&element);) {
        if (b->list_n == ERRAND_BACKOFF_LIST_MAX)
            return wrong(r, f, "an array of at most 16", w->value);
        rc = read_double(r, f, &element, &b->list[b->list_n++]);
    }
    return rc;
}

static int read_word(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w)
{
    const char *name;
    int rc, word;

    if ((rc = read_text(r, f, w, &name)) < 0)
        return rc;
    if ((word = er_option_word_find(er_option_words(f), name, strlen(name))) < 0)
        return wrong(r, f, "a word it knows", w->value);
    *(int *)er_option_at(f, r->into) = word;
    return 0;
}

static int read_tags(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w)
{
    struct er_json_walk element;
    const char **tags;
    size_t n = 0, i = 0;
    int rc = 0;

    if (w->type != ER_JSON_ARRAY)
        return wrong(r, f, "an array", w->value);
    for (er_json_walk(&element, w->value); er_json_next(&element);)
        n++;
    if (!(tags = errand_arena_alloc(r->arena, (n + 1) * sizeof *tags)))
        return er_error_nomem(r->err);
    for (er_json_walk(&element, w->value); rc == 0 && er_json_next(&element);)
        rc = read_text(r, f, &element, &tags[i++]);
    r->into->tags = tags;
    r->into->tags_n = n;
    return rc;
}

/* A word that is not known here is of a newer errand, which does it itself. */
static int read_set(struct reading *r, const struct er_option_field *f,
                    const struct er_json_walk *w)
{
    struct er_json_walk element;
    const char *const *words = er_option_words(f);
    uint32_t *set = er_option_at(f, r->into);
    const char *name;
    int rc, bit;

    if (w->type != ER_JSON_ARRAY)
        return wrong(r, f, "an array", w->value);
    *set = 0;
    for (er_json_walk(&element, w->value); er_json_next(&element);) {
        if ((rc = read_text(r, f, &element, &name)) < 0)
            return rc;
        if ((bit = er_option_word_find(words, name, strlen(name))) >= 0)
            *set |= 1U << bit;
    }
    return 0;
}

static int read_rate(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w)
{
    const char *text;
    int rc;

    if ((rc = read_text(r, f, w, &text)) < 0)
        return rc;
    if (er_rate_parse(text, er_option_at(f, r->into)) < 0)
        return wrong(r, f, "a rate such as \"100/60s\"", w->value);
    return 0;
}

/* A value that is kept as JSON. */
static int read_json(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w, enum er_json_type type,
                     const char **ret)
{
    if (w->type != type)
        return wrong(r, f, type == ER_JSON_ARRAY ? "an array" : "an object", w->value);
    *ret = errand_arena_copy(r->arena, w->value.ptr, w->value.len);
    return *ret ? 0 : er_error_nomem(r->err);
}

static int read_bool(struct reading *r, const struct er_option_field *f,
                     const struct er_json_walk *w)
{
    if (w->type != ER_JSON_BOOL)
        return wrong(r, f, "true or false", w->value);
    *(bool *)er_option_at(f, r->into) = w->value.len == 4;
    return 0;
}

static int read_number(struct reading *r, const struct er_option_field *f,
                       const struct er_json_walk *w)
{
    void *at = er_option_at(f, r->into);
    int64_t value;
    int rc;

    if ((rc = read_integer(r, f, w, &value)) < 0)
        return rc;
    if (value < f->min || value > f->max)
        return wrong(r, f, "in its range", w->value);
    if (f->kind == ER_KIND_INT32)
        *(int32_t *)at = (int32_t)value;
    else if (f->kind == ER_KIND_SIZE)
        *(size_t *)at = (size_t)value;
    else
        *(int64_t *)at = value;
    return 0;
}

static int read_value(struct reading *r, const struct er_option_field *f,
                      const struct er_json_walk *w)
{
    void *at = er_option_at(f, r->into);
    int rc;

    switch (f->kind) {
    case ER_KIND_NAME:
    case ER_KIND_TEXT:
        return read_text(r, f, w, at);
    case ER_KIND_INT32:
    case ER_KIND_INT64:
    case ER_KIND_SIZE:
        return read_number(r, f, w);
    case ER_KIND_SECONDS:
    case ER_KIND_INSTANT:
        return read_ms(r, f, w, at);
    case ER_KIND_WORD:
        return read_word(r, f, w);
    case ER_KIND_BACKOFF:
        return read_backoff(r, f, w);
    case ER_KIND_CAP:
        return read_double(r, f, w, at);
    case ER_KIND_JITTER:
        /* In C a zero is not said: none is below zero. */
        if ((rc = read_double(r, f, w, at)) == 0 && *(double *)at == 0)
            *(double *)at = -1;
        return rc;
    case ER_KIND_TAGS:
        return read_tags(r, f, w);
    case ER_KIND_SET:
        return read_set(r, f, w);
    case ER_KIND_RATE:
        return read_rate(r, f, w);
    case ER_KIND_COMMAND:
        return read_json(r, f, w, ER_JSON_ARRAY, at);
    case ER_KIND_SCHEMA:
        return read_json(r, f, w, ER_JSON_OBJECT, at);
    case ER_KIND_BOOL:
        return read_bool(r, f, w);
    }
    return 0;
}

static const struct er_option_field *field_of(struct errand_slice key)
{
    bool has_escape = memchr(key.ptr, '\\', key.len) != NULL;

    for (size_t i = 0; i < er_option_fields_n; i++) {
        const struct er_option_field *f = &er_option_fields[i];
        size_t len = strlen(f->name);
        if (has_escape ? er_json_equal(key, f->name, len)
                       : key.len == len + 2 && memcmp(key.ptr + 1, f->name, len) == 0)
            return f;
    }
    return NULL;
}

static int read_object(struct reading *r, struct errand_slice object)
{
    struct er_json_walk w;
    int rc;

    for (er_json_walk(&w, object); er_json_next(&w);) {
        const struct er_option_field *f = field_of(w.key);
        if (!f || w.type == ER_JSON_NULL)
            continue;
        if ((rc = read_value(r, f, &w)) < 0)
            return rc;
        r->into->has |= f->bit;
    }
    if (r->is_single)
        er_backoff_settle(&r->into->backoff);
    return er_options_check(r->into, r->err);
}

int er_options_decode(struct errand_slice json, struct errand_arena *arena,
                      struct er_options *ret, struct errand_error *err)
{
    static const struct er_json_limits limits = {.max_bytes = OPTIONS_BYTES_MAX};
    struct er_options options = {0};
    struct reading r = {.into = &options, .arena = arena, .err = err};
    int rc;

    /* Most jobs say nothing. */
    if (json.len > 0 && !(json.len == 2 && memcmp(json.ptr, "{}", 2) == 0)) {
        if ((rc = er_json_check("text of the options", json, &limits, err)) < 0)
            return rc;
        if (er_json_whole(json, &json) != ER_JSON_OBJECT)
            return errand_error_set(err, ERRAND_EINVAL, "options are not a JSON object");
        if ((rc = read_object(&r, json)) < 0)
            return rc;
    }
    *ret = options;
    return 0;
}
