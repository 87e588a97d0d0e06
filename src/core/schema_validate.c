/* schema_validate.c: data against a schema. Recursion is as deep as the schema, never as
 * the data. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/utf8.h"
#include "core/schema_inside.h"

/* The way to the value that is looked at, from the outside in, on the stack. */
struct place {
    const struct place *outer;
    struct errand_slice key; /* with its quotes; ptr NULL: an index */
    size_t index;
};

struct check {
    const char *what;
    struct errand_error *err;
};

static int validate(const struct check *c, const struct er_schema *s,
                    const struct place *place, struct errand_slice value,
                    enum er_json_type type);

/* ------------------------------------------------------------------ messages */

enum { PLACE_SIZE = 256, SHOWN_MAX = 60 };

static size_t add(char *buf, size_t used, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static size_t add(char *buf, size_t used, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf + used, PLACE_SIZE - used, fmt, ap);
    va_end(ap);
    return used + (size_t)n < PLACE_SIZE ? used + (size_t)n : PLACE_SIZE - 1;
}

/* "order.items[2].price"; the outermost comes last on the way, so it goes first here. */
static size_t write_place(const struct place *place, char *buf)
{
    size_t used, len;

    if (!place)
        return 0;
    used = write_place(place->outer, buf);
    if (!place->key.ptr)
        return add(buf, used, "[%zu]", place->index);
    len = er_utf8_cut(place->key.ptr + 1, place->key.len - 2, SHOWN_MAX);
    return add(buf, used, "%s%.*s", used ? "." : "", (int)len, place->key.ptr + 1);
}

/* "WHAT: PLACE REASON" */
static int wrong(const struct check *c, const struct place *place, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static int wrong(const struct check *c, const struct place *place, const char *fmt, ...)
{
    char at[PLACE_SIZE] = "", reason[PLACE_SIZE];
    va_list ap;

    write_place(place, at);
    va_start(ap, fmt);
    vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    return errand_error_set(c->err, ERRAND_EINVAL, "%s: %s %s", c->what,
                            place ? at : "it", reason);
}

static const char *a_or_an(const char *name)
{
    return strchr("aio", *name) ? "an" : "a";
}

static int wrong_type(const struct check *c, const struct er_schema *s,
                      const struct place *place, enum er_json_type type)
{
    const char *found = er_json_type_name(type);
    char wanted[128] = "";
    size_t used = 0;

    for (int i = 0; i < ER_SCHEMA_TYPES_N; i++)
        if (s->types >> i & 1)
            used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%s%s %s",
                                     used ? " or " : "", a_or_an(er_schema_type_names[i]),
                                     er_schema_type_names[i]);
    return wrong(c, place, "is %s%s%s, not %s",
                 type == ER_JSON_NULL ? "" : a_or_an(found),
                 type == ER_JSON_NULL ? "" : " ", found, wanted);
}

/* ------------------------------------------------------------------ the rules */

static uint32_t types_of(struct errand_slice value, enum er_json_type type)
{
    switch (type) {
    case ER_JSON_NULL:
        return ER_SCHEMA_NULL;
    case ER_JSON_BOOL:
        return ER_SCHEMA_BOOLEAN;
    case ER_JSON_NUMBER:
        return ER_SCHEMA_NUMBER | (er_json_is_whole(value) ? ER_SCHEMA_INTEGER : 0);
    case ER_JSON_STRING:
        return ER_SCHEMA_STRING;
    case ER_JSON_ARRAY:
        return ER_SCHEMA_ARRAY;
    case ER_JSON_OBJECT:
        return ER_SCHEMA_OBJECT;
    }
    return 0;
}

static int check_choice(const struct check *c, const struct er_schema *s,
                        const struct place *place, struct errand_slice value)
{
    struct er_json_walk w;
    size_t len;

    if (s->has_const && !er_json_same(s->constant, value)) {
        len = er_utf8_cut(s->constant.ptr, s->constant.len, SHOWN_MAX);
        return wrong(c, place, "is not %.*s", (int)len, s->constant.ptr);
    }
    if (!s->choices.len)
        return 0;
    for (er_json_walk(&w, s->choices); er_json_next(&w);)
        if (er_json_same(w.value, value))
            return 0;
    len = er_utf8_cut(s->choices.ptr, s->choices.len, SHOWN_MAX);
    return wrong(c, place, "is not one of %.*s%s", (int)len, s->choices.ptr,
                 len < s->choices.len ? "…" : "");
}

static int check_number(const struct check *c, const struct er_schema *s,
                        const struct place *place, struct errand_slice value)
{
    if (s->minimum.len && er_json_compare(value, s->minimum) < 0)
        return wrong(c, place, "is less than %.*s", (int)s->minimum.len, s->minimum.ptr);
    if (s->maximum.len && er_json_compare(value, s->maximum) > 0)
        return wrong(c, place, "is more than %.*s", (int)s->maximum.len, s->maximum.ptr);
    return 0;
}

static int check_count(const struct check *c, const struct place *place, int64_t n,
                       const int64_t bounds[2], const char *of)
{
    if (n < bounds[0])
        return wrong(c, place, "has %" PRId64 " %s, less than the %" PRId64 " it must", n,
                     of, bounds[0]);
    if (bounds[1] >= 0 && n > bounds[1])
        return wrong(c, place, "has %" PRId64 " %s, more than the %" PRId64 " it may", n,
                     of, bounds[1]);
    return 0;
}

static int check_string(const struct check *c, const struct er_schema *s,
                        const struct place *place, struct errand_slice value)
{
    const int64_t bounds[2] = {s->min_length, s->max_length};

    if (s->min_length == 0 && s->max_length < 0)
        return 0;
    return check_count(c, place, er_json_length(value), bounds, "characters");
}

static int check_array(const struct check *c, const struct er_schema *s,
                       const struct place *place, struct errand_slice value)
{
    const int64_t bounds[2] = {s->min_items, s->max_items};
    struct place at = {.outer = place};
    struct er_json_walk w;
    int64_t n = 0;
    int rc;

    for (er_json_walk(&w, value); er_json_next(&w); n++) {
        at.index = (size_t)n;
        if (s->items && (rc = validate(c, s->items, &at, w.value, w.type)) < 0)
            return rc;
    }
    return check_count(c, place, n, bounds, "elements");
}

static const struct er_schema_property *property_of(const struct er_schema *s,
                                                    struct errand_slice key)
{
    const struct er_schema_property *p = s->properties;

    while (p && !er_json_equal(key, p->name.ptr, p->name.len))
        p = p->next;
    return p;
}

static bool has_member(struct errand_slice object, struct errand_slice name)
{
    struct er_json_walk w;

    for (er_json_walk(&w, object); er_json_next(&w);)
        if (er_json_equal(w.key, name.ptr, name.len))
            return true;
    return false;
}

static int check_object(const struct check *c, const struct er_schema *s,
                        const struct place *place, struct errand_slice value)
{
    struct place at = {.outer = place};
    struct er_json_walk w;
    int rc = 0;

    for (const struct er_schema_property *p = s->required; p; p = p->next)
        if (!has_member(value, p->name))
            return wrong(c, place, "has no '%.*s'",
                         (int)er_utf8_cut(p->name.ptr, p->name.len, SHOWN_MAX),
                         p->name.ptr);
    for (er_json_walk(&w, value); rc == 0 && er_json_next(&w);) {
        const struct er_schema_property *p = property_of(s, w.key);

        at.key = w.key;
        if (p)
            rc = validate(c, p->schema, &at, w.value, w.type);
        else if (s->is_closed)
            rc = wrong(c, &at, "is not a key that it may have");
        else if (s->others)
            rc = validate(c, s->others, &at, w.value, w.type);
    }
    return rc;
}

static int validate(const struct check *c, const struct er_schema *s,
                    const struct place *place, struct errand_slice value,
                    enum er_json_type type)
{
    int rc;

    if (s->types && !(s->types & types_of(value, type)))
        return wrong_type(c, s, place, type);
    if ((rc = check_choice(c, s, place, value)) < 0)
        return rc;
    switch (type) {
    case ER_JSON_NULL:
    case ER_JSON_BOOL:
        return 0;
    case ER_JSON_NUMBER:
        return check_number(c, s, place, value);
    case ER_JSON_STRING:
        return check_string(c, s, place, value);
    case ER_JSON_ARRAY:
        return check_array(c, s, place, value);
    case ER_JSON_OBJECT:
        return check_object(c, s, place, value);
    }
    return 0;
}

int er_schema_validate(const struct er_schema *schema, const char *what,
                       struct errand_slice data, struct errand_error *err)
{
    struct check c = {.what = what, .err = err};
    enum er_json_type type = er_json_whole(data, &data);

    return validate(&c, schema, NULL, data, type);
}
